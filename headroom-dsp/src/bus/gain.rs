//! The control grid of a bus, and the gains that move on it.
//!
//! Used by [`super::Bus`] alone, which says where they are to go. They know no sample.

use crate::units::Db;

/// Steps in a tick of the AGC.
pub(super) const STEPS_PER_TICK: u32 = 6;
/// Bypass and fader move over this time.
const FADE_S: f32 = 0.02;

/// Lengths of the control grid at one sample rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) step_frames: usize,
    pub(super) step_s: f32,
    pub(super) fade_steps: f32,
}

/// A gain that moves in even steps through a tick.
#[derive(Debug, Clone, Copy)]
pub(super) struct TickRamp {
    pub(super) now: f32,
    pub(super) step: f32,
    goal: f32,
    goal_db: f32,
}

/// The one gain that the samples see: linear over each step.
#[derive(Debug, Clone, Copy)]
pub(super) struct GainRamp {
    pub(super) start: f32,
    pub(super) end: f32,
    pub(super) fader: f32,
    pub(super) fader_goal: f32,
    /// How far it is from bypassed (0) to not (1).
    pub(super) wet: f32,
}

impl GainRamp {
    /// The part of the chain that is heard: an S without a bend at either end.
    pub(super) fn wet_part(&self) -> f32 {
        self.wet * self.wet * (3.0 - 2.0 * self.wet)
    }
}

impl Grid {
    pub(super) fn at(rate_hz: u32) -> Grid {
        let step_frames = (rate_hz as usize / 2_900).max(2).next_power_of_two();
        let step_frames =
            if step_frames > rate_hz as usize / 2_000 { step_frames / 2 } else { step_frames };
        let step_s = step_frames as f32 / rate_hz as f32;
        Grid { step_frames, step_s, fade_steps: (FADE_S / step_s).max(1.0) }
    }
}

impl TickRamp {
    pub(super) fn at(gain: Db) -> TickRamp {
        let goal = gain.to_gain().0;
        TickRamp { now: goal, step: 0.0, goal, goal_db: gain.0 }
    }

    pub(super) fn turn_to(&mut self, gain: Db) {
        // Exactly there, so that a settled gain of 0 dB is exactly 1.
        self.now = self.goal;
        if gain.0 != self.goal_db {
            self.goal_db = gain.0;
            self.goal = gain.to_gain().0;
        }
        self.step = (self.goal - self.now) / STEPS_PER_TICK as f32;
    }
}
