//! What the limiter at the end of the chain will take, foreseen in the bus, so that the AGC
//! can account for it although the limiter stands in another insert.
//!
//! Called by [`crate::Bus`] once a step with the largest sample of what leaves the bus. A
//! sketch of the limiter: its ceiling, hold and release, without what lies between samples.

use crate::params::LimiterParams;

/// The sketch's state.
#[derive(Debug)]
pub(crate) struct Foresight {
    ceiling: f32,
    hold_steps: f32,
    release_part: f32,
    held_steps: f32,
    gain: f32,
}

impl Foresight {
    pub(crate) fn new(limiter: &LimiterParams, step_s: f32) -> Foresight {
        let mut foresight = Foresight {
            ceiling: 1.0,
            hold_steps: 0.0,
            release_part: 1.0,
            held_steps: 0.0,
            gain: 1.0,
        };
        foresight.set_params(limiter, step_s);
        foresight
    }

    pub(crate) fn set_params(&mut self, limiter: &LimiterParams, step_s: f32) {
        self.ceiling = if limiter.enabled { limiter.ceiling.to_gain().0 } else { f32::INFINITY };
        // The gain has fallen before the peak is there: that, too, is taken from the sound.
        self.hold_steps = (limiter.hold_ms + limiter.lookahead_ms) / 1_000.0 / step_s;
        let release_s = (limiter.release_ms / 1_000.0).max(step_s);
        self.release_part = 1.0 - (-step_s / release_s).exp();
    }

    pub(crate) fn reset(&mut self) {
        self.gain = 1.0;
        self.held_steps = 0.0;
    }

    /// Takes the largest sample of one step; gives the gain that the limiter will have there.
    #[inline]
    pub(crate) fn step(&mut self, peak: f32) -> f32 {
        let wanted = if peak > self.ceiling { self.ceiling / peak } else { 1.0 };
        if wanted <= self.gain {
            self.gain = wanted;
            self.held_steps = 0.0;
        } else if self.held_steps < self.hold_steps {
            self.held_steps += 1.0;
        } else {
            self.gain += (wanted - self.gain) * self.release_part;
            if self.gain > 0.999_9 {
                self.gain = 1.0;
            }
        }
        self.gain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Db;

    const STEP_S: f32 = 1.0 / 3_000.0;

    #[test]
    fn it_falls_at_once_holds_and_comes_back_to_exactly_one() {
        let mut foresight = Foresight::new(&LimiterParams::default(), STEP_S);
        let ceiling = Db(-1.0).to_gain().0;
        assert_eq!(foresight.step(ceiling), 1.0);
        assert_eq!(foresight.step(2.0 * ceiling), 0.5);
        for _ in 0..20 {
            assert_eq!(foresight.step(0.1), 0.5);
        }
        let mut gain = 0.5;
        for _ in 0..240 {
            gain = foresight.step(0.1);
        }
        assert!((gain - (1.0 - 0.5 / std::f32::consts::E)).abs() < 0.01, "{gain} after 80 ms");
        for _ in 0..3_000 {
            gain = foresight.step(0.1);
        }
        assert_eq!(gain, 1.0);
    }

    #[test]
    fn a_limiter_that_is_off_takes_nothing() {
        let off = LimiterParams { enabled: false, ..LimiterParams::default() };
        assert_eq!(Foresight::new(&off, STEP_S).step(100.0), 1.0);
    }
}
