//! Loudness and gain over time as a picture, SVG or PNG.
//!
//! Draws what the offline commands have noted; knows nothing of files of sound.

use std::io::Write;
use std::path::Path;

use headroom_cli::picture::color::{BLUE, GREEN, GREY, ORANGE, VERMILLION};
use headroom_cli::picture::{Line, Panel, Picture, Rgb, Stroke};

use crate::audio::{OutputFile, WriteError};
use crate::failure::Failure;
use crate::offline::{Point, Timeline};

/// The kinds of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlotKind {
    /// SVG.
    Svg,
    /// PNG.
    Png,
}

impl PlotKind {
    /// The kind that a file's ending names.
    pub(crate) fn of(path: &Path) -> Result<PlotKind, Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(PlotKind::Svg),
            Some("png") => Ok(PlotKind::Png),
            _ => Err(Failure::usage(format!("{} must end in .svg or .png", path.display()))),
        }
    }
}

/// What a render did: loudness in and out above, gain and reduction below.
pub(crate) fn draw_render(
    timeline: &Timeline,
    title: &str,
    target_lufs: Option<f32>,
    kind: PlotKind,
    output: &OutputFile,
) -> Result<(), WriteError> {
    let points = timeline.points();
    let mut loudness = vec![
        line(points, "in", ORANGE, Stroke::Thin, |point| point.input.0),
        line(points, "out", BLUE, Stroke::Thick, |point| point.output.0),
    ];
    if let Some(target) = target_lufs {
        let label = format!("target {target} LUFS");
        loudness.insert(0, line(points, &label, GREY, Stroke::Dashed, |_| target));
    }
    let gain = vec![
        line(points, "AGC gain", GREEN, Stroke::Thick, |point| point.agc_gain.0),
        line(points, "reduction", VERMILLION, Stroke::Thin, |point| -point.reduction.0),
    ];
    let panels = vec![
        Panel::loudness("Momentary loudness (LUFS)", loudness, 3),
        Panel::gain("Gain (dB)", gain, 2),
    ];
    write_picture(title, panels, kind, output)
}

/// What a file measured: momentary and short-term loudness.
pub(crate) fn draw_analysis(
    timeline: &Timeline,
    title: &str,
    kind: PlotKind,
    output: &OutputFile,
) -> Result<(), WriteError> {
    let points = timeline.points();
    let loudness = vec![
        line(points, "momentary (400 ms)", ORANGE, Stroke::Thin, |point| point.input.0),
        line(points, "short-term (3 s)", BLUE, Stroke::Thick, |point| point.output.0),
    ];
    write_picture(title, vec![Panel::loudness("Loudness (LUFS)", loudness, 1)], kind, output)
}

fn line(
    points: &[Point],
    label: &str,
    color: Rgb,
    stroke: Stroke,
    value: impl Fn(&Point) -> f32,
) -> Line {
    let points = points.iter().map(|point| (point.time_s, f64::from(value(point)))).collect();
    Line { label: label.to_owned(), color, stroke, points }
}

fn write_picture(
    title: &str,
    panels: Vec<Panel>,
    kind: PlotKind,
    output: &OutputFile,
) -> Result<(), WriteError> {
    let path = output.path();
    let picture = Picture { title: title.to_owned(), panels, parts: Vec::new() };
    let bytes = match kind {
        PlotKind::Svg => picture.svg(),
        PlotKind::Png => picture.png(),
    }
    .map_err(|why| WriteError::Encode { path: path.to_owned(), why })?;
    output
        .file()
        .write_all(&bytes)
        .map_err(|source| WriteError::Write { path: path.to_owned(), source })
}
