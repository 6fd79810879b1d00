//! The compressor: feed-forward, soft knee, peak or RMS, one gain for all channels.
//!
//! Called by [`crate::Bus`] once a step (about a third of a millisecond) with the level of
//! what stands behind the AGC; it answers with the gain for the next step. Attack and
//! release smooth the reduction in decibels.

use crate::params::{CompressorParams, Detector, Makeup};
use crate::units::{Db, Lufs};

/// 20 log10(x) = this many times log2(x).
const DB_PER_OCTAVE: f32 = 6.020_6;
/// A change of settings passes two stages of this time constant, one behind the other: it sets
/// in gently, and not with a bend that would be heard on a low tone.
const CHANGE_S: f32 = 0.03;
/// What is nearer than this to its goal has arrived.
const ARRIVED: f32 = 1e-3;
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

/// What the settings make of a level: all that could be heard if it jumped.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    threshold_db: f32,
    /// How much of what is over the threshold is taken, 0 to 1; 0 while it is off.
    steep: f32,
    knee_db: f32,
    /// The part of the RMS detector in the level, 0 to 1.
    rms: f32,
    makeup_db: f32,
}

impl Shape {
    fn of(params: &CompressorParams, target: Lufs) -> Shape {
        let mut shape = Shape {
            threshold_db: params.threshold.0,
            steep: if params.enabled { 1.0 - 1.0 / params.ratio.max(1.0) } else { 0.0 },
            knee_db: params.knee.0.max(0.0),
            rms: match params.detector {
                Detector::Peak => 0.0,
                Detector::Rms => 1.0,
            },
            makeup_db: 0.0,
        };
        shape.makeup_db = match params.makeup {
            _ if !params.enabled => 0.0,
            Makeup::Auto => shape.point_at(params.detector, target).reduction_db,
            Makeup::Fixed(db) => db.0,
        };
        shape
    }

    /// The curve where something of this loudness stands.
    fn point_at(&self, detector: Detector, loudness: Lufs) -> Point {
        let over_db = match detector {
            Detector::Peak => PEAK_OVER_LOUDNESS_DB,
            Detector::Rms => RMS_OVER_LOUDNESS_DB,
        };
        self.point(loudness.0 + over_db)
    }

    /// A part of the way to another; what has arrived is exactly there.
    fn toward(&self, goal: &Shape, part: f32) -> Shape {
        let near = |now: f32, goal: f32| {
            let next = now + (goal - now) * part;
            if (goal - next).abs() < ARRIVED { goal } else { next }
        };
        Shape {
            threshold_db: near(self.threshold_db, goal.threshold_db),
            steep: near(self.steep, goal.steep),
            knee_db: near(self.knee_db, goal.knee_db),
            rms: near(self.rms, goal.rms),
            makeup_db: near(self.makeup_db, goal.makeup_db),
        }
    }

    /// The amplitude at which the knee begins: below it there is nothing to work out.
    fn knee_begins(&self) -> f32 {
        Db(self.threshold_db - self.knee_db / 2.0).to_gain().0
    }

    /// The static curve: a quadratic knee around the threshold, a straight line above it.
    fn point(&self, level_db: f32) -> Point {
        let Shape { steep, knee_db, .. } = *self;
        let over_db = level_db - self.threshold_db;
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
}

/// What the compressor gives back to everything, so that what is at the target stays there.
pub(crate) fn makeup(params: &CompressorParams, target: Lufs) -> Db {
    Db(Shape::of(params, target).makeup_db)
}

/// How much of a change of level around a loudness comes through: 1 below the knee, 1/ratio above.
pub(crate) fn slope_at(params: &CompressorParams, loudness: Lufs) -> f32 {
    1.0 - Shape::of(params, loudness).point_at(params.detector, loudness).growth
}

/// The compressor's state.
#[derive(Debug)]
pub(crate) struct Compressor {
    params: CompressorParams,
    step_s: f32,
    attack_part: f32,
    release_part: f32,
    window_part: f32,
    change_part: f32,
    shape: Shape,
    on_its_way: Shape,
    goal: Shape,
    knee_begins: f32,
    mean_square: f32,
    now: Point,
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
        let goal = Shape::of(&params, target);
        let mut compressor = Compressor {
            params,
            step_s,
            attack_part: 1.0,
            release_part: 1.0,
            window_part: 1.0,
            change_part: 1.0,
            shape: goal,
            on_its_way: goal,
            goal,
            knee_begins: goal.knee_begins(),
            mean_square: 0.0,
            now: Point::REST,
            gain: 1.0,
            gain_of_db: 0.0,
        };
        compressor.set_step(step_s);
        compressor
    }

    pub(crate) fn set_step(&mut self, step_s: f32) {
        self.step_s = step_s;
        let part = |time_s: f32| 1.0 - (-step_s / time_s.max(step_s)).exp();
        self.attack_part = part(self.params.attack_ms / 1_000.0);
        self.release_part = part(self.params.release_ms / 1_000.0);
        self.window_part = part(self.params.rms_window_ms / 1_000.0);
        self.change_part = part(CHANGE_S);
    }

    /// `target` is what the AGC steers to: automatic make-up is what the curve takes there.
    pub(crate) fn set_params(&mut self, params: CompressorParams, target: Lufs) {
        self.params = params;
        self.goal = Shape::of(&params, target);
        self.set_step(self.step_s);
    }

    pub(crate) fn reset(&mut self) {
        self.mean_square = 0.0;
        self.now = Point::REST;
        self.on_its_way = self.goal;
        self.shape = self.goal;
        self.knee_begins = self.goal.knee_begins();
    }

    /// Takes the level of one step: its largest sample, and the mean square of the loudness.
    #[inline]
    pub(crate) fn step(&mut self, peak: f32, mean_square: f32) -> CompressorGain {
        if self.shape != self.goal {
            self.change();
        }
        self.mean_square += (mean_square - self.mean_square) * self.window_part;
        if self.mean_square < 1e-20 {
            self.mean_square = 0.0;
        }
        let amplitude = if self.shape.rms == 0.0 {
            peak
        } else {
            peak + (self.mean_square.sqrt() - peak) * self.shape.rms
        };
        let wanted = if self.shape.steep > 0.0 && amplitude > self.knee_begins {
            self.shape.point(DB_PER_OCTAVE * amplitude.log2())
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
        let gain_db = self.shape.makeup_db - self.now.reduction_db;
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

    /// One step on the way to new settings.
    fn change(&mut self) {
        self.on_its_way = self.on_its_way.toward(&self.goal, self.change_part);
        self.shape = self.shape.toward(&self.on_its_way, self.change_part);
        self.knee_begins = self.shape.knee_begins();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_S: f32 = 1.0 / 3_000.0;

    fn settled(params: CompressorParams, amplitude: f32) -> CompressorGain {
        let mut compressor = Compressor::new(params, Lufs(-18.0), STEP_S);
        let mut gain = compressor.step(amplitude, 0.0);
        for _ in 0..6_000 {
            gain = compressor.step(amplitude, 0.0);
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
        let shape = Shape::of(&without_makeup(), Lufs(-18.0));
        for edge in [-27.0, -21.0] {
            let (a, b) = (shape.point(edge - 1e-3), shape.point(edge + 1e-3));
            assert!((a.reduction_db - b.reduction_db).abs() < 1e-2);
            assert!((a.growth - b.growth).abs() < 1e-2);
        }
    }

    #[test]
    fn attack_is_its_time_constant() {
        let mut compressor = Compressor::new(without_makeup(), Lufs(-18.0), STEP_S);
        let mut gain = compressor.step(1.0, 0.0);
        for _ in 1..30 {
            gain = compressor.step(1.0, 0.0);
        }
        let part = gain.reduction_db / (24.0 * 0.6);
        assert!((part - 0.632).abs() < 0.02, "{part} of it after 10 ms");
    }

    #[test]
    fn switched_off_it_comes_to_exactly_unity() {
        let mut compressor = Compressor::new(CompressorParams::default(), Lufs(-18.0), STEP_S);
        for _ in 0..3_000 {
            compressor.step(0.5, 0.0);
        }
        let off = CompressorParams { enabled: false, ..CompressorParams::default() };
        compressor.set_params(off, Lufs(-18.0));
        let mut gain = compressor.step(0.5, 0.0);
        for _ in 0..6_000 {
            gain = compressor.step(0.5, 0.0);
        }
        assert_eq!(gain.gain, 1.0);
    }
}
