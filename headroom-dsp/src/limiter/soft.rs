//! The soft tier: a slower gain that caps the crest at the programme's loudness plus
//! `max_psr`, so that the hard limiter finds less to do.
//!
//! Called by [`super::path`], which takes the smaller of both gains. Like the hard gain it sees
//! the peaks of the look-ahead, so that its attack begins before the peak.

use super::envelope::one_pole;

/// Peaks are remembered this long, so that the gain does not follow single waves.
pub(crate) const HOLD_MS: f32 = 20.0;

/// A release heads this far beyond its aim, so that it arrives.
const BEYOND: f64 = 1.001;

/// Attack, hold and release of the slower gain.
#[derive(Debug, Clone)]
pub(crate) struct SoftTier {
    attack: f64,
    release: f64,
    hold_frames: u32,
    held_frames: u32,
    held: f64,
    gain: f64,
}

impl SoftTier {
    pub(crate) fn new() -> SoftTier {
        SoftTier { attack: 1.0, release: 1.0, hold_frames: 0, held_frames: 0, held: 1.0, gain: 1.0 }
    }

    /// Times in frames; `gain` is where it stands.
    pub(crate) fn restart(&mut self, attack: f64, release: f64, hold_frames: u32, gain: f64) {
        self.attack = one_pole(attack);
        self.release = one_pole(release);
        self.hold_frames = hold_frames;
        self.held_frames = 0;
        self.held = gain;
        self.gain = gain;
    }

    pub(crate) fn gain(&self) -> f64 {
        self.gain
    }

    /// Lowers every gain to this tier's, from the peaks that the look-ahead shows.
    pub(crate) fn lower(&mut self, peaks: &[f32], cap: f32, gains: &mut [f64]) {
        let SoftTier { attack, release, hold_frames, mut held_frames, mut held, mut gain } = *self;
        for (out, peak) in gains.iter_mut().zip(peaks) {
            let allowed = if *peak > cap { f64::from(cap / *peak) } else { 1.0 };
            if allowed <= held {
                held = allowed;
                held_frames = hold_frames;
            } else if held_frames > 0 {
                held_frames -= 1;
            } else {
                held = allowed;
            }
            if held < gain {
                gain += attack * (held - gain);
            } else {
                gain += release * (held * BEYOND - gain);
                gain = if gain > held { held } else { gain };
            }
            *out = if gain < *out { gain } else { *out };
        }
        (self.held_frames, self.held, self.gain) = (held_frames, held, gain);
    }
}
