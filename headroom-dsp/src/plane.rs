//! Loops over one plane of samples, written so that the compiler finds the vectors.

/// Lanes that one step of a loop handles; two AVX or four SSE registers.
const LANES: usize = 8;

/// The largest magnitude; 0 for an empty plane. The samples must be finite.
#[inline(always)]
pub(crate) fn peak(plane: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let chunks = plane.chunks_exact(LANES);
    let mut rest = 0.0_f32;
    for x in chunks.remainder() {
        rest = if x.abs() > rest { x.abs() } else { rest };
    }
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            let x = x.abs();
            *lane = if x > *lane { x } else { *lane };
        }
    }
    lanes.iter().fold(rest, |a, &b| if b > a { b } else { a })
}

/// A sum that does not depend on how a stretch was cut: the frame's place in the stretch says
/// in which lane it is added.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LaneSum([f32; LANES]);

impl LaneSum {
    /// Adds values, the first of which is the stretch's `offset`-th.
    #[inline(always)]
    pub(crate) fn add(&mut self, offset: usize, values: &[f32]) {
        let until_aligned = ((LANES - offset % LANES) % LANES).min(values.len());
        let (head, aligned) = values.split_at(until_aligned);
        for (i, x) in head.iter().enumerate() {
            self.0[(offset + i) % LANES] += *x;
        }
        let chunks = aligned.chunks_exact(LANES);
        let tail = chunks.remainder();
        for chunk in chunks {
            for (lane, x) in self.0.iter_mut().zip(chunk) {
                *lane += *x;
            }
        }
        for (lane, x) in self.0.iter_mut().zip(tail) {
            *lane += *x;
        }
    }

    #[inline(always)]
    pub(crate) fn total(&self) -> f32 {
        self.0.iter().sum()
    }
}

/// Multiplies by a gain that begins a stretch at `start` and moves by `step` a frame; the
/// plane's first frame is the stretch's `offset`-th.
#[inline(always)]
pub(crate) fn ramp(plane: &mut [f32], offset: usize, start: f32, step: f32) {
    for (i, x) in plane.iter_mut().enumerate() {
        *x *= start + (offset + i) as f32 * step;
    }
}

/// Largest magnitude that is let in: +60 dBFS. Anything larger is a fault of the sender, and
/// its square would not stay finite on its way through the filters.
const LARGEST: f32 = 1_000.0;

/// Replaces what is not a sample (NaN, infinite, beyond [`LARGEST`]) by silence; says how
/// many there were.
#[inline(always)]
pub(crate) fn sanitize(plane: &mut [f32]) -> u32 {
    let mut bad = 0;
    for x in plane.iter_mut() {
        // False for NaN too.
        let good = x.abs() <= LARGEST;
        bad += u32::from(!good);
        *x = if good { *x } else { 0.0 };
    }
    bad
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_sample_becomes_silence_and_is_counted() {
        let mut plane = [0.5, f32::NAN, -0.25, f32::INFINITY, 1e9, 0.0];
        assert_eq!(sanitize(&mut plane), 3);
        assert_eq!(plane, [0.5, 0.0, -0.25, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn sums_and_peaks_take_any_length() {
        let plane: Vec<f32> = (0..19).map(|i| -(i as f32)).collect();
        let mut sum = LaneSum::default();
        sum.add(0, &plane);
        assert_eq!(peak(&plane), 18.0);
        assert_eq!(sum.total(), -171.0);
        assert_eq!(peak(&[]), 0.0);
    }

    #[test]
    fn a_lane_sum_is_the_same_however_it_is_cut() {
        let values: Vec<f32> = (0..64).map(|i| (i as f32 * 0.37).sin()).collect();
        let mut whole = LaneSum::default();
        whole.add(0, &values);
        for cut in 0..values.len() {
            let mut parts = LaneSum::default();
            parts.add(0, &values[..cut]);
            parts.add(cut, &values[cut..]);
            assert_eq!(whole.total(), parts.total(), "cut at {cut}");
        }
    }
}
