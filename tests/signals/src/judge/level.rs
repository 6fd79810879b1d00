//! Plain levels: RMS over windows, and one tone's part of a signal.

use std::f64::consts::TAU;

/// RMS level in dBFS; of nothing, or of digital silence, negative infinity. (A full-scale sine
/// reads -3.01.)
#[must_use]
pub fn rms_db(plane: &[f32]) -> f64 {
    if plane.is_empty() {
        return f64::NEG_INFINITY;
    }
    let square: f64 = plane.iter().map(|y| f64::from(*y).powi(2)).sum();
    10.0 * (square / plane.len() as f64).log10()
}

/// RMS level of each whole window of this length, one after the other.
#[must_use]
pub fn windows_db(plane: &[f32], rate_hz: u32, window_s: f64) -> Vec<f64> {
    let window = (window_s * f64::from(rate_hz)).round().max(1.0) as usize;
    plane.chunks_exact(window).map(rms_db).collect()
}

/// Largest sample in dBFS.
#[must_use]
pub fn sample_peak_db(plane: &[f32]) -> f64 {
    20.0 * f64::from(plane.iter().fold(0.0_f32, |peak, y| peak.max(y.abs()))).log10()
}

/// Amplitude in dBFS (a full-scale sine reads 0) of the tone at `hz`, through a Hann window
/// over the whole plane: other tones count when they are within four cycles per plane of it.
#[must_use]
pub fn tone_db(plane: &[f32], rate_hz: u32, hz: f64) -> f64 {
    let (mut re, mut im, mut weight) = (0.0, 0.0, 0.0);
    for (n, y) in plane.iter().enumerate() {
        let window = 0.5 - 0.5 * (TAU * (n as f64 + 0.5) / plane.len() as f64).cos();
        let (sin, cos) = (TAU * (hz * n as f64 / f64::from(rate_hz)).fract()).sin_cos();
        re += window * f64::from(*y) * cos;
        im += window * f64::from(*y) * sin;
        weight += window;
    }
    20.0 * (2.0 * re.hypot(im) / weight).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone;

    #[test]
    fn a_full_scale_sine_reads_minus_3_and_its_tone_0() {
        let sine = tone::sine(48_000, 1, 1.0, 1_000.0, 0.0);
        assert!((rms_db(&sine.channels[0]) + 3.0103).abs() < 0.001);
        assert!(tone_db(&sine.channels[0], 48_000, 1_000.0).abs() < 0.001);
        assert!(tone_db(&sine.channels[0], 48_000, 2_000.0) < -100.0);
    }

    #[test]
    fn silence_has_no_level() {
        assert_eq!(rms_db(&[0.0; 10]), f64::NEG_INFINITY);
        assert_eq!(rms_db(&[]), f64::NEG_INFINITY);
    }
}
