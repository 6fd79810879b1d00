//! The compressor: feed-forward, soft knee, peak or RMS, one gain for all channels.
//!
//! Called by [`crate::Bus`] once a step (about a third of a millisecond) with the level of
//! what stands behind the AGC; it answers with the gain for the next step. Attack and
//! release smooth the reduction in decibels.

use crate::params::{CompressorParams, Detector, Makeup};
use crate::units::{Db, Lufs};

/// 20 log10(x) = this many times log2(x).
const DB_PER_OCTAVE: f32 = 6.020_6;
/// A change of make-up gain is spread over about this time.
const MAKEUP_S: f32 = 0.02;
/// How far the detector's level stands over the loudness, as measured on speech, music and
/// noise: automatic make-up is what the curve takes there.
const PEAK_OVER_LOUDNESS_DB: f32 = 10.0;
const RMS_OVER_LOUDNESS_DB: f32 = 0.0;

/// The curve at one level.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    reduction_db: f32,
    /// How much the reduction grows with the level, 0 to 1.
    growth: f32,
}

impl Point {
    /// Below the knee.
    const REST: Point = Point { reduction_db: 0.0, growth: 0.0 };
}

/// The compressor's state.
#[derive(Debug)]
pub(crate) struct Compressor {
    params: CompressorParams,
    step_s: f32,
    attack_part: f32,
    release_part: f32,
    window_part: f32,
    makeup_part: f32,
    makeup_goal_db: f32,
    /// The amplitude at which the knee begins: below it there is nothing to work out.
    knee_begins: f32,
    mean_square: f32,
    now: Point,
    makeup_db: f32,
    /// The last gain, and the decibels it was worked out from.
    gain: f32,
    gain_of_db: f32,
}

/// What stands for the next step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CompressorGain {
    /// Reduction and make-up together, linear.
    pub(crate) gain: f32,
    /// The reduction alone, 0 or more.
    pub(crate) reduction_db: f32,
    /// How much of a change of level comes through: 1 below the knee, 1/ratio above.
    pub(crate) slope: f32,
}

impl Compressor {
    pub(crate) fn new(params: CompressorParams, target: Lufs, step_s: f32) -> Compressor {
        let mut compressor = Compressor {
            params,
            step_s,
            attack_part: 1.0,
            release_part: 1.0,
            window_part: 1.0,
            makeup_part: 1.0,
            makeup_goal_db: 0.0,
            knee_begins: 0.0,
            mean_square: 0.0,
            now: Point::REST,
            makeup_db: 0.0,
            gain: 1.0,
            gain_of_db: 0.0,
        };
        compressor.set_params(params, target);
        compressor.makeup_db = compressor.makeup_goal_db;
        compressor
    }

    pub(crate) fn set_step(&mut self, step_s: f32) {
        self.step_s = step_s;
        let part = |time_s: f32| 1.0 - (-step_s / time_s.max(step_s)).exp();
        self.attack_part = part(self.params.attack_ms / 1_000.0);
        self.release_part = part(self.params.release_ms / 1_000.0);
        self.window_part = part(self.params.rms_window_ms / 1_000.0);
        self.makeup_part = part(MAKEUP_S);
    }

    /// `target` is what the AGC steers to: automatic make-up is what the curve takes there.
    pub(crate) fn set_params(&mut self, params: CompressorParams, target: Lufs) {
        self.params = params;
        self.makeup_goal_db = match params.makeup {
            _ if !params.enabled => 0.0,
            Makeup::Auto => {
                let over_db = match params.detector {
                    Detector::Peak => PEAK_OVER_LOUDNESS_DB,
                    Detector::Rms => RMS_OVER_LOUDNESS_DB,
                };
                curve(&params, target.0 + over_db).reduction_db
            }
            Makeup::Fixed(db) => db.0,
        };
        let knee_begins = params.threshold.0 - params.knee.0.max(0.0) / 2.0;
        self.knee_begins = Db(knee_begins).to_gain().0;
        self.set_step(self.step_s);
    }

    pub(crate) fn reset(&mut self) {
        self.mean_square = 0.0;
        self.now = Point::REST;
        self.makeup_db = self.makeup_goal_db;
    }

    /// Whether the level must be measured as a mean square, and not as a peak.
    pub(crate) fn wants_mean_square(&self) -> bool {
        self.params.enabled && self.params.detector == Detector::Rms
    }

    /// Takes the level of one step: its largest sample or, for RMS, its mean square.
    #[inline]
    pub(crate) fn step(&mut self, level: f32) -> CompressorGain {
        let wanted = if self.params.enabled {
            let amplitude = match self.params.detector {
                Detector::Peak => level,
                Detector::Rms => {
                    self.mean_square += (level - self.mean_square) * self.window_part;
                    self.mean_square.max(0.0).sqrt()
                }
            };
            if amplitude > self.knee_begins {
                curve(&self.params, DB_PER_OCTAVE * amplitude.log2())
            } else {
                Point::REST
            }
        } else {
            Point::REST
        };
        let part = if wanted.reduction_db > self.now.reduction_db {
            self.attack_part
        } else {
            self.release_part
        };
        self.now.reduction_db += (wanted.reduction_db - self.now.reduction_db) * part;
        self.now.growth += (wanted.growth - self.now.growth) * part;
        if self.now.reduction_db < 1e-3 {
            self.now = Point::REST;
        }
        let missing_db = self.makeup_goal_db - self.makeup_db;
        self.makeup_db = if missing_db.abs() < 1e-3 {
            self.makeup_goal_db
        } else {
            self.makeup_db + missing_db * self.makeup_part
        };
        let gain_db = self.makeup_db - self.now.reduction_db;
        if gain_db != self.gain_of_db {
            self.gain = (gain_db / DB_PER_OCTAVE).exp2();
            self.gain_of_db = gain_db;
        }
        CompressorGain {
            gain: self.gain,
            reduction_db: self.now.reduction_db,
            slope: 1.0 - self.now.growth,
        }
    }
}

/// The static curve: a quadratic knee around the threshold, a straight line above it.
fn curve(params: &CompressorParams, level_db: f32) -> Point {
    let over_db = level_db - params.threshold.0;
    let knee_db = params.knee.0.max(0.0);
    let steep = 1.0 - 1.0 / params.ratio.max(1.0);
    if 2.0 * over_db <= -knee_db {
        Point::REST
    } else if 2.0 * over_db < knee_db {
        let into_db = over_db + knee_db / 2.0;
        Point {
            reduction_db: steep * into_db * into_db / (2.0 * knee_db),
            growth: steep * into_db / knee_db,
        }
    } else {
        Point { reduction_db: steep * over_db, growth: steep }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_S: f32 = 1.0 / 3_000.0;

    fn settled(params: CompressorParams, amplitude: f32) -> CompressorGain {
        let mut compressor = Compressor::new(params, Lufs(-18.0), STEP_S);
        let mut gain = compressor.step(amplitude);
        for _ in 0..6_000 {
            gain = compressor.step(amplitude);
        }
        gain
    }

    fn without_makeup() -> CompressorParams {
        CompressorParams { makeup: Makeup::Fixed(Db(0.0)), ..CompressorParams::default() }
    }

    #[test]
    fn above_the_knee_the_ratio_holds() {
        let gain = settled(without_makeup(), Db(-9.0).to_gain().0);
        assert!((gain.reduction_db - 15.0 * 0.6).abs() < 0.01, "{gain:?}");
        assert!((gain.slope - 0.4).abs() < 1e-3);
    }

    #[test]
    fn below_the_knee_it_is_exactly_unity() {
        let gain = settled(without_makeup(), Db(-28.0).to_gain().0);
        assert_eq!(gain, CompressorGain { gain: 1.0, reduction_db: 0.0, slope: 1.0 });
    }

    #[test]
    fn the_knee_joins_both_lines() {
        let params = without_makeup();
        for edge in [-27.0, -21.0] {
            let (a, b) = (curve(&params, edge - 1e-3), curve(&params, edge + 1e-3));
            assert!((a.reduction_db - b.reduction_db).abs() < 1e-2);
            assert!((a.growth - b.growth).abs() < 1e-2);
        }
    }

    #[test]
    fn attack_is_its_time_constant() {
        let mut compressor = Compressor::new(without_makeup(), Lufs(-18.0), STEP_S);
        let mut gain = compressor.step(1.0);
        for _ in 1..30 {
            gain = compressor.step(1.0);
        }
        let part = gain.reduction_db / (24.0 * 0.6);
        assert!((part - 0.632).abs() < 0.02, "{part} of it after 10 ms");
    }

    #[test]
    fn switched_off_it_comes_to_exactly_unity() {
        let mut compressor = Compressor::new(CompressorParams::default(), Lufs(-18.0), STEP_S);
        for _ in 0..3_000 {
            compressor.step(0.5);
        }
        let off = CompressorParams { enabled: false, ..CompressorParams::default() };
        compressor.set_params(off, Lufs(-18.0));
        let mut gain = compressor.step(0.5);
        for _ in 0..6_000 {
            gain = compressor.step(0.5);
        }
        assert_eq!(gain.gain, 1.0);
    }
}
