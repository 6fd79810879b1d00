//! Rounds off a gain: two box filters in a row, over exactly the frames of the look-ahead.
//!
//! Called by [`super::path`]. A gain that falls to some value and stays there for as long as the
//! boxes are wide, ends at exactly that value: never above it, no overshoot.
//!
//! Sums of integers never drift: after any signal and any time, a gain of 1 comes out as 1.

use super::history::History;

/// One in fixed point. With the widest boxes a sum still fits the mantissa of an `f64`.
const ONE: f64 = (1_u64 << 28) as f64;

/// Two running means in a row.
#[derive(Debug, Clone)]
pub(crate) struct Smoother {
    first: usize,
    second: usize,
    scale: f64,
    /// Running sum of the input, and the running sum of that. Both wrap around; differences
    /// over the boxes are exact all the same.
    sum: u64,
    sums: History<u64>,
}

impl Smoother {
    /// Room for boxes that span up to `most_frames` together. Allocates.
    pub(crate) fn prepare(most_frames: usize) -> Smoother {
        let sums = History::prepare(most_frames + 2);
        Smoother { first: 1, second: 1, scale: 1.0 / ONE, sum: 0, sums }
    }

    /// Spans `frames` from now on, as if the gain had always been `gain`.
    pub(crate) fn restart(&mut self, frames: usize, gain: f64) {
        self.first = frames.div_ceil(2).max(1);
        self.second = (frames + 1 - self.first).max(1);
        self.scale = 1.0 / (ONE * (self.first * self.second) as f64);
        self.fill(gain);
    }

    /// As if the gain had always been `gain`.
    pub(crate) fn fill(&mut self, gain: f64) {
        let value = fixed(gain);
        let (mut sum, mut of_sums) = (0_u64, 0_u64);
        for slot in self.sums.refill(self.first + self.second) {
            sum = sum.wrapping_add(value);
            of_sums = of_sums.wrapping_add(sum);
            *slot = of_sums;
        }
        self.sum = sum;
    }

    /// Smooths `gains` into `out`.
    pub(crate) fn smooth(&mut self, gains: &[f64], out: &mut [f32]) {
        let (first, second, scale) = (self.first, self.second, self.scale);
        let count = gains.len();
        let mut of_sums = self.sums.values()[self.sums.end() - 1];
        let mut sum = self.sum;
        // Two passes: the first is vectors, the second only additions.
        let slots = self.sums.append(count);
        for (slot, gain) in slots.iter_mut().zip(gains) {
            *slot = fixed(*gain);
        }
        for slot in slots {
            sum = sum.wrapping_add(*slot);
            of_sums = of_sums.wrapping_add(sum);
            *slot = of_sums;
        }
        self.sum = sum;
        let start = self.sums.end() - count;
        let values = self.sums.values();
        let now = &values[start..start + count];
        let by_first = &values[start - first..start - first + count];
        let by_second = &values[start - second..start - second + count];
        let by_both = &values[start - first - second..start - first - second + count];
        for ((((out, now), first), second), both) in
            out.iter_mut().zip(now).zip(by_first).zip(by_second).zip(by_both)
        {
            let total = now.wrapping_sub(*first).wrapping_sub(*second).wrapping_add(*both);
            *out = (to_f64(total) * scale) as f32;
        }
    }
}

/// The bits of 2^52, over which the mantissa of an `f64` counts ones: a conversion in vectors
/// where a plain one is not.
const TWO_TO_52: u64 = 0x4330_0000_0000_0000;

/// A gain from 0 to 1 in fixed point, to the nearest.
fn fixed(gain: f64) -> u64 {
    (gain * ONE + f64::from_bits(TWO_TO_52)).to_bits() ^ TWO_TO_52
}

/// Exact below 2^52.
fn to_f64(value: u64) -> f64 {
    f64::from_bits(value | TWO_TO_52) - f64::from_bits(TWO_TO_52)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smoothed(smoother: &mut Smoother, gains: &[f64]) -> Vec<f32> {
        let mut out = vec![0.0; gains.len()];
        for (gains, out) in gains.chunks(100).zip(out.chunks_mut(100)) {
            smoother.smooth(gains, out);
        }
        out
    }

    #[test]
    fn a_gain_of_one_stays_exactly_one_after_anything() {
        let mut smoother = Smoother::prepare(3_900);
        for frames in [1, 2, 3, 17, 80, 3_840] {
            smoother.restart(frames, 1.0);
            let mut gains: Vec<f64> = (0..50_000).map(|n| f64::from(n % 97) / 97.0).collect();
            gains.extend(vec![1.0; 2 * frames]);
            let out = smoothed(&mut smoother, &gains);
            assert_eq!(out[out.len() - frames..], vec![1.0; frames], "{frames}");
        }
    }

    #[test]
    fn a_fall_arrives_exactly_and_is_never_steeper_than_twice_the_straight_line() {
        let mut smoother = Smoother::prepare(200);
        for frames in [1_usize, 5, 64, 79] {
            smoother.restart(frames, 1.0);
            let mut gains = vec![1.0; 10];
            gains.extend(vec![0.25; 200]);
            let out = smoothed(&mut smoother, &gains);
            assert!(out[10 + frames - 1..].iter().all(|gain| *gain == 0.25), "{frames}");
            let steepest = out.windows(2).map(|pair| pair[0] - pair[1]).fold(0.0, f32::max);
            assert!(steepest <= 0.75 / frames.div_ceil(2) as f32 + 1e-6, "{frames}: {steepest}");
            assert!(out.windows(2).all(|pair| pair[0] >= pair[1]));
        }
    }
}
