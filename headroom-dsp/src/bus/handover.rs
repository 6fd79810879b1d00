//! Takes sound over that was heard before it came to the bus: from as loud as it was, at the pace of
//! the AGC.
//!
//! Used by [`super::Bus`] alone. The chain's gain may be far from 1 within milliseconds, by the
//! compressor and the burst guard. At first the whole of it is held to the AGC's pace; after that
//! only what is missing, so that a burst is met as ever. Knows no sample, and not what the gain is
//! made of.

use crate::params::AgcParams;

/// So long the whole gain is held to the pace. By then the stages know what is played.
const HELD_S: f32 = 1.0;
/// The slowest pace: a profile that never raises a gain still takes over.
const SLOWEST_DB_PER_S: f32 = 1.0;

/// A gain on its way from 1 to the chain's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handover {
    /// What the chain's gain is multiplied by; 1 once all is over.
    factor: f32,
    /// The whole gain, while that is held.
    gain: f32,
    held_steps: u32,
    /// The most that a step multiplies by, upwards and downwards.
    rise: f32,
    fall: f32,
}

impl Handover {
    /// Nothing to take over.
    pub(super) const OVER: Handover =
        Handover { factor: 1.0, gain: 1.0, held_steps: 0, rise: 1.0, fall: 1.0 };

    /// From 1 on, at the pace of this AGC.
    pub(super) fn begin(params: &AgcParams, step_s: f32) -> Handover {
        let ratio = |db_per_s: f32| {
            // In this order what is no number does no harm.
            10.0_f32.powf(SLOWEST_DB_PER_S.max(db_per_s.min(60.0)) * step_s / 20.0)
        };
        Handover {
            factor: 1.0,
            gain: 1.0,
            held_steps: (HELD_S / step_s) as u32,
            rise: ratio(params.rise_db_per_s),
            fall: 1.0 / ratio(params.fall_db_per_s),
        }
    }

    /// One step on, towards this gain of the chain.
    pub(super) fn step(&mut self, chain: f32) {
        if self.held_steps > 0 {
            self.held_steps -= 1;
            self.gain = chain.clamp(self.gain * self.fall, self.gain * self.rise);
            self.factor = if chain > 0.0 { self.gain / chain } else { 1.0 };
        } else if self.factor > 1.0 {
            self.factor = (self.factor * self.fall).max(1.0);
        } else if self.factor < 1.0 {
            self.factor = (self.factor * self.rise).min(1.0);
        }
    }

    /// What is heard of this gain of the chain.
    pub(super) fn of(&self, chain: f32) -> f32 {
        if self.held_steps > 0 { self.gain } else { chain * self.factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Gain;

    const STEP_S: f32 = 1.0 / 3_000.0;

    fn db(gain: f32) -> f32 {
        Gain(gain).to_db().0
    }

    /// The gain that is heard after so many seconds at this gain of the chain.
    fn heard_after(handover: &mut Handover, seconds: f32, chain: f32) -> f32 {
        for _ in 0..(seconds / STEP_S) as usize {
            handover.step(chain);
        }
        handover.of(chain)
    }

    #[test]
    fn it_goes_from_one_to_the_chains_gain_at_the_pace_of_the_agc_and_no_further() {
        let params = AgcParams::default();
        for (chain, rate_db_per_s) in [(6.3, params.rise_db_per_s), (0.2, -params.fall_db_per_s)] {
            let mut handover = Handover::begin(&params, STEP_S);
            assert_eq!(handover.of(chain), 1.0);
            for tenth in 1..200 {
                let heard = db(heard_after(&mut handover, 0.1, chain));
                let paced = rate_db_per_s * 0.1 * tenth as f32;
                let wanted = if paced.abs() < db(chain).abs() { paced } else { db(chain) };
                assert!((heard - wanted).abs() < 0.05, "{heard} dB, not {wanted}");
            }
            assert_eq!(handover.of(chain), chain, "it is over to the bit");
        }
    }

    #[test]
    fn what_the_chain_does_in_the_first_moments_is_held_to_the_pace_and_later_it_is_not() {
        let params = AgcParams::default();
        let mut handover = Handover::begin(&params, STEP_S);
        let early = db(heard_after(&mut handover, 0.1, 0.1));
        assert!((early + 1.2).abs() < 0.05, "{early} dB");
        let mut handover = Handover::begin(&params, STEP_S);
        let before = db(heard_after(&mut handover, 2.0, 6.3));
        let burst = db(heard_after(&mut handover, 0.001, 0.63));
        assert!((burst - (before - 20.0)).abs() < 0.05, "{before} dB, then {burst} dB");
    }

    #[test]
    fn settings_that_never_move_a_gain_do_not_hold_it_for_ever() {
        for pace in [0.0, -1.0, f32::NAN] {
            let params =
                AgcParams { rise_db_per_s: pace, fall_db_per_s: pace, ..AgcParams::default() };
            let mut handover = Handover::begin(&params, STEP_S);
            assert_eq!(heard_after(&mut handover, 30.0, 4.0), 4.0);
        }
        let mut handover = Handover::begin(&AgcParams::default(), STEP_S);
        assert_eq!(heard_after(&mut handover, 3.0, 0.0), 0.0, "a fader that is shut stays shut");
    }
}
