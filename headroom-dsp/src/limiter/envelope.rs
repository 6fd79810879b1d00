//! How a reduction ends: held at its lowest, then let go in an S, faster in the middle.
//!
//! Called by [`super::path`] with the gain that the peaks of the look-ahead allow. Falls at
//! once (the [`super::smoother`] makes a slope of it) and never passes what is allowed.

/// What the release heads for: a little over 1, so that it arrives.
const BEYOND_UNITY: f64 = 1.001;

/// Two equal one-pole filters in a row have come 63 % of the way after this many of their
/// time constants. Two, since a release that starts flat leaves the gain alone between the
/// half waves of a low tone, where a single one would bend them.
const TWO_POLE_RISE: f64 = 2.146;

/// Hold and release of a gain.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    hold_frames: u32,
    release: f64,
    held_frames: u32,
    leading: f64,
    gain: f64,
}

impl Envelope {
    pub(crate) fn new() -> Envelope {
        Envelope { hold_frames: 0, release: 1.0, held_frames: 0, leading: 1.0, gain: 1.0 }
    }

    /// Times in frames; `gain` is where it stands, at the beginning of its hold.
    pub(crate) fn restart(&mut self, hold_frames: u32, release_frames: f64, gain: f64) {
        self.hold_frames = hold_frames;
        self.release = one_pole(release_frames / TWO_POLE_RISE);
        self.held_frames = hold_frames;
        self.leading = gain;
        self.gain = gain;
    }

    pub(crate) fn gain(&self) -> f64 {
        self.gain
    }

    /// Falls to `gain`, if it is higher, and holds.
    pub(crate) fn lower(&mut self, gain: f64) {
        if gain < self.gain {
            self.gain = gain;
            self.leading = gain;
            self.held_frames = self.hold_frames;
        }
    }

    /// The gain of every frame, from what is allowed in it.
    pub(crate) fn follow(&mut self, allowed: &[f32], out: &mut [f64]) {
        let Envelope { hold_frames, release, mut held_frames, mut leading, mut gain } = *self;
        for (out, allowed) in out.iter_mut().zip(allowed) {
            let allowed = f64::from(*allowed);
            if allowed <= gain {
                gain = allowed;
                leading = allowed;
                held_frames = hold_frames;
            } else if held_frames > 0 {
                held_frames -= 1;
            } else {
                leading += release * (BEYOND_UNITY - leading);
                gain += release * (leading - gain);
                gain = if gain > allowed { allowed } else { gain };
            }
            *out = gain;
        }
        (self.held_frames, self.leading, self.gain) = (held_frames, leading, gain);
    }
}

/// The share of the way that a one-pole filter goes in a frame.
pub(crate) fn one_pole(frames: f64) -> f64 {
    if frames > 0.0 { -(-1.0 / frames).exp_m1() } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gain_never_passes_what_is_allowed_and_ends_at_exactly_one() {
        let mut envelope = Envelope::new();
        for (hold_frames, release_frames) in [(0, 0.0), (0, 40.0), (100, 4_000.0)] {
            envelope.restart(hold_frames, release_frames, 1.0);
            let mut allowed: Vec<f32> = (0..3_000_u32)
                .map(|n| if n % 700 < 50 { 0.2 + 1e-4 * n as f32 } else { 1.0 })
                .collect();
            allowed.extend(vec![1.0; 40_000]);
            let mut gains = vec![0.0; allowed.len()];
            envelope.follow(&allowed, &mut gains);
            assert!(gains.iter().zip(&allowed).all(|(gain, most)| *gain <= f64::from(*most)));
            assert_eq!(gains.last(), Some(&1.0), "{hold_frames} {release_frames}");
        }
    }
}
