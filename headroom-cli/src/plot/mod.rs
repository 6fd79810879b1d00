//! Loudness and gain over time as a picture, SVG or PNG.
//!
//! Draws what the offline commands have noted; knows nothing of files of sound.

mod canvas;
mod panel;

use std::io::Write;
use std::path::Path;

use plotters::style::RGBColor;

use crate::audio::{OutputFile, WriteError};
use crate::failure::Failure;
use crate::offline::{Point, Timeline};
use panel::{Line, Panel, Stroke};

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

// Okabe and Ito's colours, which people with any colour vision can tell apart.
const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(230, 159, 0);
const VERMILLION: RGBColor = RGBColor(213, 94, 0);
const GREEN: RGBColor = RGBColor(0, 158, 115);
const GREY: RGBColor = RGBColor(90, 90, 90);

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
    let panels = [
        Panel::loudness("Momentary loudness (LUFS)", loudness, 3),
        Panel::gain("Gain (dB)", gain, 2),
    ];
    write_picture(title, &panels, kind, output)
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
    write_picture(title, &[Panel::loudness("Loudness (LUFS)", loudness, 1)], kind, output)
}

fn line(
    points: &[Point],
    label: &str,
    color: RGBColor,
    stroke: Stroke,
    value: impl Fn(&Point) -> f32,
) -> Line {
    let points = points.iter().map(|point| (point.time_s, f64::from(value(point)))).collect();
    Line { label: label.to_owned(), color, stroke, points }
}

fn write_picture(
    title: &str,
    panels: &[Panel],
    kind: PlotKind,
    output: &OutputFile,
) -> Result<(), WriteError> {
    let path = output.path();
    let bytes = match kind {
        PlotKind::Svg => canvas::svg(title, panels),
        PlotKind::Png => canvas::png(title, panels),
    }
    .map_err(|why| WriteError::Encode { path: path.to_owned(), why })?;
    output
        .file()
        .write_all(&bytes)
        .map_err(|source| WriteError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use headroom_dsp::{Db, Lufs};

    use super::*;

    fn panels() -> Vec<Panel> {
        let mut timeline = Timeline::new();
        for tick in 1..600 {
            let swing = (tick as f32 / 40.0).sin();
            timeline.add(Point {
                time_s: f64::from(tick) * 0.1,
                input: Lufs(if tick < 5 { f32::NEG_INFINITY } else { -30.0 + 6.0 * swing }),
                output: Lufs(-18.0 + swing),
                agc_gain: Db(12.0 - 3.0 * swing),
                reduction: Db(1.0 + swing),
            });
        }
        let points = timeline.points();
        vec![
            Panel::loudness("up", vec![line(points, "in", BLUE, Stroke::Thick, |p| p.input.0)], 1),
            Panel::gain("down", vec![line(points, "g", GREEN, Stroke::Thin, |p| p.agc_gain.0)], 1),
        ]
    }

    #[test]
    fn an_svg_has_its_words() {
        let bytes = canvas::svg("A title & more", &panels()).expect("drawn");
        let text = String::from_utf8(bytes).expect("text");
        for word in ["<svg", "A title &amp; more", "up", "down", "Time", "</svg>"] {
            assert!(text.contains(word), "no {word} in it");
        }
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }

    #[test]
    fn a_png_has_more_than_one_colour() {
        let bytes = canvas::png("A title", &panels()).expect("drawn");
        let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut pixels).expect("pixels");
        let blue = pixels.chunks_exact(3).filter(|rgb| rgb[0] < 60 && rgb[2] > 140).count();
        assert!(blue > 500, "{blue} pixels of the line");
    }

    #[test]
    fn nothing_to_draw_is_an_empty_picture_and_no_panic() {
        let empty = [
            Panel::loudness("loudness", vec![line(&[], "in", BLUE, Stroke::Thin, |_| 0.0)], 1),
            Panel::gain("gain", vec![], 1),
        ];
        assert!(canvas::svg("nothing", &empty).is_ok());
        assert!(canvas::png("nothing", &empty).is_ok());
    }
}
