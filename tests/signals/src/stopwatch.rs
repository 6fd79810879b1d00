//! Timing on a noisy machine: several candidates in turn, round after round, and the median of
//! each, so that a comparison holds when the machine's speed drifts.

use std::time::Instant;

/// The median time of each candidate in seconds, in their order. One round warms up and does
/// not count.
pub fn interleaved(rounds: usize, candidates: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(rounds); candidates.len()];
    for round in 0..=rounds {
        for (candidate, times) in candidates.iter_mut().zip(&mut times) {
            let start = Instant::now();
            candidate();
            let took_s = start.elapsed().as_secs_f64();
            if round > 0 {
                times.push(took_s);
            }
        }
    }
    times.into_iter().map(median).collect()
}

/// The middle value; NaN for none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_candidate_gets_its_own_median() {
        let (mut short, mut long) = (0_u32, 0_u32);
        let medians = interleaved(
            3,
            &mut [&mut || short += 1, &mut || {
                long += 1;
                std::hint::black_box((0..200_000_u64).map(std::hint::black_box).sum::<u64>());
            }],
        );
        assert_eq!((short, long), (4, 4));
        assert!(medians[0] < medians[1]);
    }
}
