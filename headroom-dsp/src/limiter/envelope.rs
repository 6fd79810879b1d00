//! How a reduction ends: held at its lowest, then let go in an S, faster in the middle.
//!
//! Called by [`super::path`] with the gain that the peaks of the look-ahead allow. Falls at
//! once (the [`super::smoother`] makes a slope of it) and never passes what is allowed.

/// What the release heads for: a little over 1, so that it arrives.
const BEYOND_UNITY: f64 = 1.001;

/// Two equal one-pole filters in a row have come 63 % of the way after this many of their
/// time constants. Two, since a release that starts flat leaves the gain alone between the
/// half waves of a low tone, where a single one would bend them.
pub(crate) const TWO_POLE_RISE: f64 = 2.146;

/// Frames that are looked at together.
const GROUP_FRAMES: usize = 16;
/// A release is computed from where it was this many frames ago at the most, not from frame to
/// frame: one frame need not wait for the one before.
const STRIDE: usize = 16;

/// Hold and release of a gain.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    hold_frames: u32,
    /// After so many frames of release, the part that is left of the distance, and the part of
    /// the first pole's distance that has come to it.
    left: [f64; STRIDE + 1],
    follows: [f64; STRIDE + 1],
    gain: f64,
    held_frames: u32,
    /// Where a release was when its stride began, below [`BEYOND_UNITY`]: gain and first pole.
    distance: f64,
    leading: f64,
    strode: usize,
}

impl Envelope {
    pub(crate) fn new() -> Envelope {
        let mut envelope = Envelope {
            hold_frames: 0,
            left: [0.0; STRIDE + 1],
            follows: [0.0; STRIDE + 1],
            gain: 1.0,
            held_frames: 0,
            distance: 0.0,
            leading: 0.0,
            strode: 0,
        };
        envelope.restart(0, 0.0, 1.0);
        envelope
    }

    /// Times in frames; `gain` is where it stands, at the beginning of its hold.
    pub(crate) fn restart(&mut self, hold_frames: u32, release_frames: f64, gain: f64) {
        self.hold_frames = hold_frames;
        let share = one_pole(release_frames / TWO_POLE_RISE);
        let mut left = 1.0;
        for (frames, (slot, follows)) in self.left.iter_mut().zip(&mut self.follows).enumerate() {
            *slot = left;
            *follows = frames as f64 * share * left;
            left *= 1.0 - share;
        }
        self.touch(gain);
    }

    pub(crate) fn gain(&self) -> f64 {
        self.gain
    }

    /// Falls to `gain`, if it is higher, and holds.
    pub(crate) fn lower(&mut self, gain: f64) {
        if gain < self.gain {
            self.touch(gain);
        }
    }

    /// The gain of every frame, from what is allowed in it.
    pub(crate) fn follow(&mut self, allowed: &[f32], out: &mut [f64]) {
        let (groups, rest) = allowed.as_chunks::<GROUP_FRAMES>();
        let (out_groups, out_rest) = out.split_at_mut(groups.len() * GROUP_FRAMES);
        for (allowed, out) in groups.iter().zip(out_groups.chunks_exact_mut(GROUP_FRAMES)) {
            // Most of the time a gain is held, and stays where it is.
            if self.held_frames >= GROUP_FRAMES as u32 && lowest(allowed) > self.gain {
                self.held_frames -= GROUP_FRAMES as u32;
                out.fill(self.gain);
            } else {
                self.follow_each(allowed, out);
            }
        }
        self.follow_each(rest, out_rest);
    }

    fn follow_each(&mut self, allowed: &[f32], out: &mut [f64]) {
        for (out, allowed) in out.iter_mut().zip(allowed) {
            let allowed = f64::from(*allowed);
            if allowed <= self.gain {
                self.touch(allowed);
            } else if self.held_frames > 0 {
                self.held_frames -= 1;
            } else {
                self.release(allowed);
            }
            *out = self.gain;
        }
    }

    /// The gain is what is allowed, and is held from here.
    #[inline(always)]
    fn touch(&mut self, allowed: f64) {
        self.gain = allowed;
        self.held_frames = self.hold_frames;
        self.distance = BEYOND_UNITY - allowed;
        self.leading = self.distance;
        self.strode = 0;
    }

    #[inline(always)]
    fn release(&mut self, allowed: f64) {
        self.strode += 1;
        let (left, follows) = (self.left[self.strode], self.follows[self.strode]);
        let distance = self.distance * left + self.leading * follows;
        let gain = BEYOND_UNITY - distance;
        if gain >= allowed {
            self.touch(allowed);
            return;
        }
        self.gain = gain;
        if self.strode == STRIDE {
            self.distance = distance;
            self.leading *= left;
            self.strode = 0;
        }
    }
}

fn lowest(values: &[f32; GROUP_FRAMES]) -> f64 {
    let mut lanes = [f32::INFINITY; 4];
    for four in values.as_chunks::<4>().0 {
        for (lane, value) in lanes.iter_mut().zip(four) {
            *lane = if *value < *lane { *value } else { *lane };
        }
    }
    f64::from(lanes[0].min(lanes[1]).min(lanes[2].min(lanes[3])))
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
