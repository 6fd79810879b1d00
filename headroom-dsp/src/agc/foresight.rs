//! What the limiter at the end of the chain will take, foreseen in the bus, so that the AGC
//! can account for it although the limiter stands in another insert.
//!
//! Called by [`crate::Bus`] once a step with the largest samples of what leaves the bus. A
//! sketch of the limiter: its ceiling, hold and release and its soft tier, without what lies
//! between samples.

use crate::layout::MAX_CHANNELS;
use crate::limiter::{SOFT_HOLD_MS, TWO_POLE_RISE};
use crate::meter::ProgrammeLoudness;
use crate::params::{LimiterParams, Link};

/// A decibel: what the limiter makes of it tells how much of a louder programme comes through.
pub(crate) const LOUDER: f32 = 1.122_018_5;

/// How long the hops are that the programme's loudness is made of.
const HOP_S: f32 = 0.01;

/// The sketch's state.
#[derive(Debug)]
pub(crate) struct Foresight {
    limiter: LimiterParams,
    pace: Pace,
    /// One gain, or one for each channel.
    gains: [SketchedGain; MAX_CHANNELS],
    /// The same, if it all were louder by a decibel.
    gains_louder: [SketchedGain; MAX_CHANNELS],
    cap: f32,
    programme: ProgrammeLoudness,
    hop_power: f64,
    hop_steps: u32,
    steps_per_hop: u32,
}

/// The limiter's gains to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Foreseen {
    /// As things are.
    pub(crate) gain: f32,
    /// If all that leaves the bus were [`LOUDER`].
    pub(crate) gain_if_louder: f32,
}

/// The limiter's settings in steps.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    ceiling: f32,
    hold_steps: f32,
    release_part: f32,
    soft_hold_steps: f32,
    soft_attack_part: f32,
    soft_release_part: f32,
}

/// One gain of the limiter: the hard one, which is released by two poles, and the soft tier's.
#[derive(Debug, Clone, Copy)]
struct SketchedGain {
    hard: f32,
    leading: f32,
    held_steps: f32,
    soft: f32,
    soft_wanted: f32,
    soft_held_steps: f32,
}

impl SketchedGain {
    const REST: SketchedGain = SketchedGain {
        hard: 1.0,
        leading: 1.0,
        held_steps: 0.0,
        soft: 1.0,
        soft_wanted: 1.0,
        soft_held_steps: 0.0,
    };

    #[inline]
    fn lower_of(&mut self, peak: f32, soft_cap: Option<f32>, pace: &Pace) -> f32 {
        let hard = self.step(peak, pace);
        soft_cap.map_or(hard, |cap| hard.min(self.soft_step(peak, cap, pace)))
    }

    #[inline]
    fn step(&mut self, peak: f32, pace: &Pace) -> f32 {
        let allowed = if peak > pace.ceiling { pace.ceiling / peak } else { 1.0 };
        if allowed <= self.hard {
            self.touch(allowed, pace);
        } else if self.held_steps > 0.0 {
            self.held_steps -= 1.0;
        } else {
            self.leading += (1.0 - self.leading) * pace.release_part;
            let released = self.hard + (self.leading - self.hard) * pace.release_part;
            self.hard = if released > 0.999_9 { 1.0 } else { released };
            if self.hard >= allowed {
                self.touch(allowed, pace);
            }
        }
        self.hard
    }

    /// The gain is what is allowed, and is held from here.
    #[inline]
    fn touch(&mut self, allowed: f32, pace: &Pace) {
        self.hard = allowed;
        self.leading = allowed;
        self.held_steps = pace.hold_steps;
    }

    #[inline]
    fn soft_step(&mut self, peak: f32, cap: f32, pace: &Pace) -> f32 {
        let allowed = if peak > cap { cap / peak } else { 1.0 };
        if allowed <= self.soft_wanted {
            self.soft_wanted = allowed;
            self.soft_held_steps = pace.soft_hold_steps;
        } else if self.soft_held_steps > 0.0 {
            self.soft_held_steps -= 1.0;
        } else {
            self.soft_wanted = allowed;
        }
        let part = if self.soft_wanted < self.soft {
            pace.soft_attack_part
        } else {
            pace.soft_release_part
        };
        self.soft += (self.soft_wanted - self.soft) * part;
        self.soft
    }
}

impl Foresight {
    pub(crate) fn new(limiter: &LimiterParams, step_s: f32) -> Foresight {
        let mut foresight = Foresight {
            limiter: *limiter,
            pace: Pace::default(),
            gains: [SketchedGain::REST; MAX_CHANNELS],
            gains_louder: [SketchedGain::REST; MAX_CHANNELS],
            cap: f32::INFINITY,
            programme: ProgrammeLoudness::new(),
            hop_power: 0.0,
            hop_steps: 0,
            steps_per_hop: 1,
        };
        foresight.set_params(limiter, step_s);
        foresight
    }

    pub(crate) fn set_params(&mut self, limiter: &LimiterParams, step_s: f32) {
        if limiter.link != self.limiter.link
            || limiter.soft.is_some() != self.limiter.soft.is_some()
        {
            self.reset();
        }
        self.limiter = *limiter;
        let steps = |ms: f32| ms / 1_000.0 / step_s;
        let part = |ms: f32| 1.0 - (-1.0 / steps(ms).max(1e-3)).exp();
        let soft = limiter.soft.unwrap_or_default();
        self.pace = Pace {
            ceiling: if limiter.enabled { limiter.ceiling.to_gain().0 } else { f32::INFINITY },
            // The gain has fallen before the peak is there: that, too, is taken from the sound.
            hold_steps: steps(limiter.hold_ms + limiter.lookahead_ms),
            release_part: part(limiter.release_ms / TWO_POLE_RISE as f32),
            soft_hold_steps: steps(SOFT_HOLD_MS + limiter.lookahead_ms),
            soft_attack_part: part(soft.attack_ms),
            soft_release_part: part(soft.release_ms),
        };
        self.steps_per_hop = (HOP_S / step_s).round().max(1.0) as u32;
        self.set_cap();
    }

    pub(crate) fn reset(&mut self) {
        self.gains = [SketchedGain::REST; MAX_CHANNELS];
        self.gains_louder = [SketchedGain::REST; MAX_CHANNELS];
        self.programme.reset();
        (self.hop_power, self.hop_steps) = (0.0, 0);
        self.set_cap();
    }

    /// The peak that the soft tier lets through.
    fn set_cap(&mut self) {
        self.cap = match self.limiter.soft {
            Some(soft) if self.limiter.enabled => soft.cap(self.programme.loudness()).to_gain().0,
            _ => f32::INFINITY,
        };
    }

    /// Takes the largest sample of each channel in one step, the gain that they still pass, and
    /// the K-weighted mean square behind that; gives the gains that the limiter will have there.
    #[inline]
    pub(crate) fn step(&mut self, peaks: &[f32], gain: f32, power: f64) -> Foreseen {
        let soft = self.limiter.soft.is_some() && self.limiter.enabled;
        if soft {
            self.hear(power);
        }
        // A louder programme has a higher cap.
        let (now, louder) = (self.cap, self.cap * LOUDER);
        let soft_caps = if soft { [Some(now), Some(louder)] } else { [None, None] };
        let Foresight { gains, gains_louder, pace, limiter, .. } = self;
        Foreseen {
            gain: sketch(gains, limiter.link, peaks, gain, soft_caps[0], pace),
            gain_if_louder: sketch(
                gains_louder,
                limiter.link,
                peaks,
                gain * LOUDER,
                soft_caps[1],
                pace,
            ),
        }
    }

    /// Measures the programme as the limiter will.
    fn hear(&mut self, power: f64) {
        self.hop_power += power;
        self.hop_steps += 1;
        if self.hop_steps >= self.steps_per_hop {
            self.programme.take(self.hop_power / f64::from(self.hop_steps));
            (self.hop_power, self.hop_steps) = (0.0, 0);
            self.set_cap();
        }
    }
}

/// One step of all channels' gains: the part of the amplitude that is left.
#[inline]
fn sketch(
    gains: &mut [SketchedGain; MAX_CHANNELS],
    link: Link,
    peaks: &[f32],
    gain: f32,
    soft_cap: Option<f32>,
    pace: &Pace,
) -> f32 {
    match link {
        Link::Stereo => {
            let peak = gain * peaks.iter().fold(0.0_f32, |most, peak| most.max(*peak));
            gains[0].lower_of(peak, soft_cap, pace)
        }
        // What each channel has in the loudness, its peak tells roughly.
        Link::DualMono => {
            let (mut before, mut behind) = (0.0, 0.0);
            for (sketched, peak) in gains.iter_mut().zip(peaks) {
                let peak = gain * peak;
                let limited = peak * sketched.lower_of(peak, soft_cap, pace);
                before += peak * peak;
                behind += limited * limited;
            }
            if behind < before { (behind / before).sqrt() } else { 1.0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::SoftParams;
    use crate::units::{Db, Lufs};

    const STEP_S: f32 = 1.0 / 3_000.0;
    const STEPS_A_SECOND: usize = 3_000;

    fn run(foresight: &mut Foresight, peaks: &[f32], seconds: f32) -> f32 {
        let power = Lufs(-20.0).to_mean_square();
        let mut gain = 1.0;
        for _ in 0..(seconds * STEPS_A_SECOND as f32) as usize {
            gain = foresight.step(peaks, 1.0, power).gain;
        }
        gain
    }

    #[test]
    fn it_falls_at_once_holds_and_comes_back_to_exactly_one() {
        let mut foresight = Foresight::new(&LimiterParams::default(), STEP_S);
        let ceiling = Db(-1.0).to_gain().0;
        assert_eq!(foresight.step(&[ceiling], 1.0, 0.0).gain, 1.0);
        assert_eq!(foresight.step(&[ceiling], 2.0, 0.0).gain, 0.5);
        for _ in 0..20 {
            assert_eq!(foresight.step(&[0.1], 1.0, 0.0).gain, 0.5);
        }
        let gain = run(&mut foresight, &[0.1], 0.08);
        assert!((gain - (1.0 - 0.5 / std::f32::consts::E)).abs() < 0.01, "{gain} after 80 ms");
        assert_eq!(run(&mut foresight, &[0.1], 1.0), 1.0);
    }

    #[test]
    fn a_limiter_that_is_off_takes_nothing() {
        let soft = Some(SoftParams::default());
        let off = LimiterParams { enabled: false, soft, ..LimiterParams::default() };
        assert_eq!(Foresight::new(&off, STEP_S).step(&[100.0], 1.0, 1.0).gain, 1.0);
    }

    #[test]
    fn the_soft_tier_takes_what_stands_too_far_over_the_programme() {
        let params = SoftParams { max_psr: Db(8.0), ..SoftParams::default() };
        let limiter = LimiterParams { soft: Some(params), ..LimiterParams::default() };
        let mut foresight = Foresight::new(&limiter, STEP_S);
        // Before there is a programme: the tier's own ceiling.
        let peak = Db(-2.0).to_gain().0;
        let gain = run(&mut foresight, &[peak], 0.3);
        assert!((20.0 * gain.log10() + 4.0).abs() < 0.1, "{gain}");
        // 18 dB over -20 LUFS, where 8 may be.
        let gain = run(&mut foresight, &[peak], 4.0);
        assert!((20.0 * gain.log10() + 10.0).abs() < 0.1, "{gain}");
    }

    #[test]
    fn unlinked_channels_are_each_on_their_own() {
        let limiter = LimiterParams { link: Link::DualMono, ..LimiterParams::default() };
        let mut foresight = Foresight::new(&limiter, STEP_S);
        let ceiling = Db(-1.0).to_gain().0;
        // Half of the loud one is left, all of the other.
        let gain = foresight.step(&[2.0 * ceiling, ceiling], 1.0, 0.0).gain;
        assert!((gain - (2.0_f32 / 5.0).sqrt()).abs() < 1e-6, "{gain}");
    }

    #[test]
    fn what_is_limited_for_good_gets_no_louder() {
        let mut foresight = Foresight::new(&LimiterParams::default(), STEP_S);
        let ceiling = Db(-1.0).to_gain().0;
        let louder = |foreseen: Foreseen| LOUDER * foreseen.gain_if_louder / foreseen.gain;
        assert_eq!(louder(foresight.step(&[0.5], 1.0, 0.0)), LOUDER);
        assert!((louder(foresight.step(&[ceiling], 3.0, 0.0)) - 1.0).abs() < 1e-6);
    }
}
