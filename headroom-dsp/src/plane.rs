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

/// The sum of the values.
#[inline(always)]
pub(crate) fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// The sum of the squares.
#[inline(always)]
pub(crate) fn sum_of_squares(plane: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let chunks = plane.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|x| x * x).sum();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x * x;
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// Multiplies by a gain that moves by `step` a frame, from `start` on.
#[inline(always)]
pub(crate) fn ramp(plane: &mut [f32], start: f32, step: f32) {
    for (i, x) in plane.iter_mut().enumerate() {
        *x *= start + i as f32 * step;
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
        assert_eq!(peak(&plane), 18.0);
        assert_eq!(sum(&plane), -171.0);
        assert_eq!(sum_of_squares(&plane), 2_109.0);
        assert_eq!(peak(&[]), 0.0);
    }
}
