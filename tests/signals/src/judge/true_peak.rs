//! The true-peak judge: 16 points a frame in f64, a sinc under a Kaiser window of beta 8 over
//! 32 input samples each side.
//!
//! Every one of the 16 points counts, but not all are computed. Where a band-limited signal
//! reaches its maximum M, it follows at least M cos(pi d) at a distance of d frames (Duffin
//! and Schaeffer), so a finer point between two coarser ones can only matter where one of those
//! is near the largest value that is known already. A test compares with all points computed.

use crate::Programme;
use crate::filter::{dot, kaiser, sinc};

/// Points a frame.
pub const OVERSAMPLING: usize = 16;
/// Input samples on each side of a point, unless said otherwise.
pub const DEFAULT_REACH: usize = 32;
const BETA: f64 = 8.0;

/// Largest true peak of any channel in dBTP; of silence negative infinity.
#[must_use]
pub fn of(programme: &Programme) -> f64 {
    let judge = TruePeakJudge::new(DEFAULT_REACH);
    programme.channels.iter().map(|plane| judge.peak_db(plane)).fold(f64::NEG_INFINITY, f64::max)
}

/// True peak of one plane in dBTP.
#[must_use]
pub fn of_plane(plane: &[f32]) -> f64 {
    TruePeakJudge::new(DEFAULT_REACH).peak_db(plane)
}

/// The judge with its filters made: use one for many signals.
#[derive(Debug, Clone)]
pub struct TruePeakJudge {
    reach: usize,
    /// The taps of each point between two samples; the first is the sample itself.
    phases: Vec<Vec<f64>>,
}

impl TruePeakJudge {
    /// A judge whose filters reach over this many input samples each side.
    ///
    /// # Panics
    /// Under 16: too short to judge a tenth of a decibel.
    #[must_use]
    pub fn new(reach: usize) -> TruePeakJudge {
        assert!(reach >= 16, "reach is {reach}, but must be at least 16");
        let phases = (0..OVERSAMPLING).map(|phase| {
            let between = phase as f64 / OVERSAMPLING as f64;
            let taps: Vec<f64> = (0..2 * reach)
                .map(|k| {
                    let distance = between + (reach as f64 - 1.0) - k as f64;
                    sinc(distance) * kaiser(distance / reach as f64, BETA)
                })
                .collect();
            // Unity for a constant, in each phase alike.
            let sum: f64 = taps.iter().sum();
            taps.into_iter().map(|tap| tap / sum).collect()
        });
        TruePeakJudge { reach, phases: phases.collect() }
    }

    /// True peak in dBTP; of silence negative infinity. Silence is assumed before and after.
    #[must_use]
    pub fn peak_db(&self, plane: &[f32]) -> f64 {
        20.0 * self.peak(plane).log10()
    }

    /// True peak, linear.
    #[must_use]
    pub fn peak(&self, plane: &[f32]) -> f64 {
        let padded = self.padded(plane);
        // The coarsest grid first, over everything: then the largest value is nearly known
        // before the first fine point is asked for.
        let mut coarse = vec![0.0; plane.len() + 1];
        let mut peak = plane.iter().fold(0.0, |peak: f64, y| peak.max(f64::from(*y).abs()));
        for (start, value) in coarse.iter_mut().enumerate() {
            *value = self.point(&padded, start, OVERSAMPLING / 2);
            peak = peak.max(*value);
        }
        for (start, &middle) in coarse.iter().enumerate() {
            let first = padded[start + self.reach - 1].abs();
            let last = padded[start + self.reach].abs();
            self.refine(&padded, start, [0, OVERSAMPLING], [first, middle, last], &mut peak);
        }
        peak
    }

    /// All 16 points of every frame, without a shortcut: for the test of the shortcut.
    #[must_use]
    pub fn peak_of_all_points(&self, plane: &[f32]) -> f64 {
        let padded = self.padded(plane);
        let starts = 0..=plane.len();
        let points = starts.flat_map(|start| (0..OVERSAMPLING).map(move |phase| (start, phase)));
        points.fold(0.0, |peak, (start, phase)| peak.max(self.point(&padded, start, phase)))
    }

    /// Halves both halves of a span whose ends and middle are known.
    fn refine(
        &self,
        padded: &[f64],
        start: usize,
        span: [usize; 2],
        known: [f64; 3],
        peak: &mut f64,
    ) {
        let quarter = (span[1] - span[0]) / 4;
        if quarter == 0 {
            return;
        }
        // The crest may stand in the middle between two known points, which are `2 * quarter`
        // apart. The margin is for what lies over half the rate in the filter's skirt.
        const MARGIN: f64 = 0.85;
        let distance = quarter as f64 / OVERSAMPLING as f64;
        let can_matter = MARGIN * (std::f64::consts::PI * distance).cos() * *peak;
        if known.iter().all(|value| *value < can_matter) {
            return;
        }
        let middle = span[0] + 2 * quarter;
        for (from, ends) in [(span[0], [known[0], known[1]]), (middle, [known[1], known[2]])] {
            let value = self.point(padded, start, from + quarter);
            *peak = peak.max(value);
            let half = [from, from + 2 * quarter];
            self.refine(padded, start, half, [ends[0], value, ends[1]], peak);
        }
    }

    fn point(&self, padded: &[f64], start: usize, phase: usize) -> f64 {
        dot(&padded[start..start + 2 * self.reach], &self.phases[phase]).abs()
    }

    /// Window number `start` interpolates from the sample before frame `start` to that frame.
    fn padded(&self, plane: &[f32]) -> Vec<f64> {
        let mut padded = vec![0.0; plane.len() + 2 * self.reach];
        for (to, from) in padded[self.reach..].iter_mut().zip(plane) {
            *to = f64::from(*from);
        }
        padded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::ffmpeg;
    use crate::variety::{Band, random_signal};
    use crate::{noise, tone};

    #[test]
    fn the_shortcut_finds_what_all_points_find() {
        let judge = TruePeakJudge::new(DEFAULT_REACH);
        for seed in 0..60 {
            for band in [Band::Below045, Band::Unlimited] {
                let signal = random_signal(48_000, 1, 0.1, band, seed);
                let plane = &signal.channels[0];
                let (short, all) = (judge.peak(plane), judge.peak_of_all_points(plane));
                assert!((short - all).abs() < 1e-12, "{seed} {band:?}: {short} for {all}");
            }
        }
    }

    #[test]
    fn a_sine_of_any_frequency_below_045_reads_its_amplitude() {
        for step in 1..=45 {
            let turns = f64::from(step) / 100.0;
            for degrees in [0.0, 30.0, 45.0, 77.0] {
                let sine = tone::at_fraction(48_000, 1, 0.1, turns, degrees, -1.0).faded(0.01);
                let error = of(&sine) + 1.0;
                assert!(error.abs() < 0.06, "{turns} fs, {degrees} degrees: {error}");
            }
        }
    }

    #[test]
    fn silence_has_no_peak() {
        assert_eq!(of_plane(&[0.0; 100]), f64::NEG_INFINITY);
        assert_eq!(of_plane(&[]), f64::NEG_INFINITY);
    }

    #[test]
    fn the_judge_agrees_with_ffmpeg_resampling_to_16_times_the_rate() {
        if !ffmpeg::is_there("the_judge_agrees_with_ffmpeg_resampling_to_16_times_the_rate") {
            return;
        }
        let mut signals = vec![
            ("pink noise", noise::pink(48_000, 1, 2.0, 1)),
            ("fs/4 at 45 degrees", tone::at_fraction(48_000, 1, 1.0, 0.25, 45.0, -1.0).faded(0.1)),
            ("hot", tone::hot_inter_sample(48_000, 1, 2.0, -1.0)),
        ];
        for seed in 0..12 {
            signals.push(("random", random_signal(48_000, 1, 0.5, Band::Below045, seed)));
        }
        for (index, (name, signal)) in signals.iter().enumerate() {
            // ffmpeg mirrors what lies beyond the ends, the judge sees silence there.
            let signal = signal.clone().faded(0.01);
            let (ours, theirs) = (of(&signal), ffmpeg::resampled_peak_db(&signal, DEFAULT_REACH));
            assert!((ours - theirs).abs() < 0.03, "{name} {index}: {ours} for {theirs}");
        }
    }
}
