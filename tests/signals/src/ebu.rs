//! The signals of EBU Tech 3341 that judge a true-peak meter, and that a limiter must hold.
//! The loudness cases are sines and silences; they stand in the tests that use them.

use std::f64::consts::TAU;

use crate::filter::low_pass_taps;
use crate::{Programme, tone};

/// What a true-peak case must read.
#[derive(Debug, Clone)]
pub struct TruePeakCase {
    /// The number in Tech 3341, table 1.
    pub number: u32,
    /// The signal.
    pub programme: Programme,
    /// The expected reading; the tolerance is +0.2 / -0.4 dB.
    pub expected_dbtp: f64,
}

/// Cases 15 to 23 of EBU Tech 3341 at this rate.
#[must_use]
pub fn true_peak_cases(rate_hz: u32, channels: usize) -> Vec<TruePeakCase> {
    let steady = [
        (15, 1.0 / 4.0, 0.0, 0.50, -6.0),
        (16, 1.0 / 4.0, 45.0, 0.50, -6.0),
        (17, 1.0 / 6.0, 60.0, 0.50, -6.0),
        (18, 1.0 / 8.0, 67.5, 0.50, -6.0),
        (19, 1.0 / 4.0, 45.0, 1.41, 3.0),
    ];
    let steady = steady.into_iter().map(|(number, turns, degrees, amplitude, expected_dbtp)| {
        let peak_dbfs = 20.0 * f64::log10(amplitude);
        let programme =
            tone::at_fraction(rate_hz, channels, 1.0, turns, degrees, peak_dbfs).faded(0.01);
        TruePeakCase { number, programme, expected_dbtp }
    });
    let bursts = (0..4).map(|offset| TruePeakCase {
        number: 20 + offset as u32,
        programme: Programme::same(rate_hz, channels, burst(rate_hz, offset)).faded(0.01),
        expected_dbtp: 0.0,
    });
    steady.chain(bursts).collect()
}

/// A tone at a sixth of the rate and half of full scale, with one period at a quarter of the
/// rate and full scale in its middle; phase-continuous, made at four times the rate, low-passed,
/// and every fourth sample taken from `offset` on.
fn burst(rate_hz: u32, offset: usize) -> Vec<f32> {
    const OVER: usize = 4;
    let frames = rate_hz as usize / 2;
    let mut wide = vec![0.0; frames * OVER];
    // Whole periods of the slow tone before the burst: it begins and ends at a zero crossing.
    let slow = 6 * OVER;
    let fast = 4 * OVER;
    let start = frames * OVER / 2 / slow * slow;
    for (n, y) in wide.iter_mut().enumerate() {
        *y = if n < start {
            0.5 * turn(n, slow)
        } else if n < start + fast {
            turn(n - start, fast)
        } else {
            0.5 * turn(n - start - fast, slow)
        };
    }
    // Down to just under half of the final rate.
    let taps = low_pass_taps(0.45 / OVER as f64, 0.5 / OVER as f64);
    let half = taps.len() / 2;
    let decimated = (0..frames).map(|frame| {
        let centre = frame * OVER + offset;
        let sum: f64 = taps
            .iter()
            .enumerate()
            .filter_map(|(k, tap)| Some(tap * wide.get((centre + k).checked_sub(half)?)?))
            .sum();
        sum as f32
    });
    decimated.collect()
}

fn turn(n: usize, period: usize) -> f64 {
    (TAU * (n % period) as f64 / period as f64).sin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::true_peak;

    #[test]
    fn the_judge_reads_every_case_as_the_standard_says() {
        for rate_hz in [44_100, 48_000, 96_000] {
            for case in true_peak_cases(rate_hz, 1) {
                let over = true_peak::of(&case.programme) - case.expected_dbtp;
                assert!((-0.4..=0.2).contains(&over), "case {} at {rate_hz}: {over}", case.number);
            }
        }
    }
}
