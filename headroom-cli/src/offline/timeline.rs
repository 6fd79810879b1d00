//! What a plot is drawn from: a point every tenth of a second, and fewer of a long file.

use headroom_dsp::{Db, Lufs};

/// More points than a plot is wide would only blur it.
const MOST_POINTS: usize = 2_400;
const FIRST_INTERVAL_S: f64 = 0.1;

/// What was measured over one interval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// The end of the interval.
    pub(crate) time_s: f64,
    /// Momentary loudness of what came in.
    pub(crate) input: Lufs,
    /// Momentary loudness of what went out.
    pub(crate) output: Lufs,
    /// The AGC's gain.
    pub(crate) agc_gain: Db,
    /// The largest reduction of guard, compressor and limiter.
    pub(crate) reduction: Db,
}

/// Points over the length of a file, of bounded number.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    interval_s: f64,
    points: Vec<Point>,
    next_s: f64,
    pending_reduction: Db,
}

impl Timeline {
    pub(crate) fn new() -> Timeline {
        Timeline {
            interval_s: FIRST_INTERVAL_S,
            points: Vec::new(),
            next_s: FIRST_INTERVAL_S,
            pending_reduction: Db(0.0),
        }
    }

    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// Takes a measurement; it becomes a point when an interval is full.
    pub(crate) fn add(&mut self, point: Point) {
        let reduction = Db(self.pending_reduction.0.max(point.reduction.0));
        if point.time_s < self.next_s {
            self.pending_reduction = reduction;
            return;
        }
        self.pending_reduction = Db(0.0);
        self.points.push(Point { reduction, ..point });
        if self.points.len() >= MOST_POINTS {
            self.halve();
        }
        let intervals = (point.time_s / self.interval_s).floor();
        self.next_s = (intervals + 1.0) * self.interval_s;
    }

    /// Every second point, the larger reduction of each pair.
    fn halve(&mut self) {
        self.points = self
            .points
            .chunks_exact(2)
            .map(|pair| Point {
                reduction: Db(pair[0].reduction.0.max(pair[1].reduction.0)),
                ..pair[1]
            })
            .collect();
        self.interval_s *= 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_takes_no_more_points_than_a_plot_shows() {
        let mut timeline = Timeline::new();
        let peak_at = 40_000;
        for tick in 0..86_400 * 10 {
            let reduction = Db(if tick == peak_at { 6.0 } else { 0.0 });
            let (input, output, agc_gain) = (Lufs(-20.0), Lufs(-18.0), Db(2.0));
            let time_s = f64::from(tick) * 0.1;
            timeline.add(Point { time_s, input, output, agc_gain, reduction });
        }
        let points = timeline.points();
        assert!((MOST_POINTS / 3..MOST_POINTS).contains(&points.len()), "{}", points.len());
        assert!(points.windows(2).all(|pair| pair[0].time_s < pair[1].time_s));
        // No reduction is lost, however short.
        let largest = points.iter().map(|point| point.reduction.0).fold(0.0, f32::max);
        assert_eq!(largest, 6.0);
    }
}
