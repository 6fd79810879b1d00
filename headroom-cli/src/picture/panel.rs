//! One panel of a picture: its lines, and how far its axes reach.

use std::ops::Range;

use plotters::style::RGBColor;

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// As fine as the picture allows.
    Thin,
    /// For what matters most.
    Thick,
    /// For what is compared with.
    Dashed,
}

/// A line over time. Values that are no numbers, and those below the panel, leave gaps.
#[derive(Debug, Clone)]
pub struct Line {
    /// What the legend calls it.
    pub label: String,
    /// Its colour.
    pub color: RGBColor,
    /// How it is drawn.
    pub stroke: Stroke,
    /// Seconds and values.
    pub points: Vec<(f64, f64)>,
}

/// One panel.
#[derive(Debug, Clone)]
pub struct Panel {
    pub(super) axis: String,
    pub(super) lines: Vec<Line>,
    pub(super) reach: Range<f64>,
    /// Its share of the height.
    pub(super) share: u32,
}

/// Quieter than this is drawn as silence: as nothing.
const QUIETEST_LUFS: f64 = -70.0;
/// The axes reach to round numbers.
const STEP: f64 = 6.0;

impl Panel {
    /// A panel of loudness: down to silence, but not to the tail of a fade.
    pub fn loudness(axis: &str, lines: Vec<Line>, share: u32) -> Panel {
        let (low, high) = reach_of(&lines, QUIETEST_LUFS).unwrap_or((-42.0, -12.0));
        // The tail of a fade would push everything else into the upper half.
        let low = low.max(high - 48.0);
        let reach = round_down(low)..round_up(high + 1.0);
        Panel { axis: axis.to_owned(), lines, reach, share }
    }

    /// A panel of gains: 0 dB is always on it.
    pub fn gain(axis: &str, lines: Vec<Line>, share: u32) -> Panel {
        let (low, high) = reach_of(&lines, f64::NEG_INFINITY).unwrap_or((0.0, 0.0));
        let reach = round_down(low.min(-1.0))..round_up(high.max(1.0));
        Panel { axis: axis.to_owned(), lines, reach, share }
    }

    /// Where the lines end.
    pub(super) fn end_s(&self) -> f64 {
        let ends = self.lines.iter().filter_map(|line| line.points.last());
        ends.map(|(time, _)| *time).fold(0.0, f64::max)
    }
}

impl Line {
    /// The stretches without gaps, within the reach of an axis.
    pub(super) fn stretches(&self, reach: &Range<f64>) -> impl Iterator<Item = &[(f64, f64)]> {
        let bottom = reach.start;
        self.points
            .split(move |(_, value)| !value.is_finite() || *value < bottom)
            .filter(|stretch| stretch.len() > 1)
    }
}

fn reach_of(lines: &[Line], lowest: f64) -> Option<(f64, f64)> {
    let values = lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
    let shown = values.filter(|value| value.is_finite() && *value >= lowest);
    shown.fold(None, |reach, value| match reach {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

fn round_down(value: f64) -> f64 {
    (value / STEP).floor() * STEP
}

fn round_up(value: f64) -> f64 {
    (value / STEP).ceil() * STEP
}
