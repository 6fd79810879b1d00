//! What is heard above a low tone: clicks.
//!
//! A tone of 100 Hz has nothing above 2 kHz. What an 8th-order Butterworth high-pass at 2 kHz
//! leaves of it is what was done to it too suddenly.

use std::f64::consts::{PI, TAU};

/// The order of the high-pass, as sections of two.
const SECTIONS: usize = 4;
const CORNER_HZ: f64 = 2_000.0;

/// The loudest of what is above the tone, in dBFS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loudest {
    /// The root mean square of the loudest 5 ms.
    pub window_dbfs: f64,
    /// The largest sample.
    pub sample_dbfs: f64,
}

impl Loudest {
    /// Digital silence.
    pub const SILENCE: Loudest =
        Loudest { window_dbfs: f64::NEG_INFINITY, sample_dbfs: f64::NEG_INFINITY };

    /// The loudest of what a high-passed stretch holds. Of a last stretch of less than 5 ms only
    /// the samples count.
    #[must_use]
    pub fn of(above: &[f64], rate_hz: u32) -> Loudest {
        let windows = above.chunks_exact(window_frames(rate_hz));
        let squares = windows.map(|w| w.iter().map(|y| y * y).sum::<f64>() / w.len() as f64);
        let peak = above.iter().fold(0.0_f64, |peak, y| peak.max(y.abs()));
        Loudest { window_dbfs: dbfs(squares.fold(0.0, f64::max).sqrt()), sample_dbfs: dbfs(peak) }
    }

    /// The louder of both, each for itself.
    #[must_use]
    pub fn max(self, other: Loudest) -> Loudest {
        Loudest {
            window_dbfs: self.window_dbfs.max(other.window_dbfs),
            sample_dbfs: self.sample_dbfs.max(other.sample_dbfs),
        }
    }
}

/// How many frames 5 ms are.
#[must_use]
pub fn window_frames(rate_hz: u32) -> usize {
    rate_hz as usize / 200
}

/// What an 8th-order Butterworth high-pass at 2 kHz leaves of a plane. Where the plane begins in
/// the midst of a tone, so does a click of that beginning: about 10 ms.
#[must_use]
pub fn above_2_khz(plane: &[f32], rate_hz: u32) -> Vec<f64> {
    let (sin, cos) = (TAU * CORNER_HZ / f64::from(rate_hz)).sin_cos();
    let mut samples: Vec<f64> = plane.iter().map(|sample| f64::from(*sample)).collect();
    for section in 0..SECTIONS {
        let q = 0.5 / (PI * (2 * section + 1) as f64 / (4 * SECTIONS) as f64).cos();
        let alpha = sin / (2.0 * q);
        let (a0, a1, a2) = (1.0 + alpha, -2.0 * cos, 1.0 - alpha);
        let (b0, b1) = ((1.0 + cos) / 2.0, -(1.0 + cos));
        let mut state = [0.0; 2];
        for sample in &mut samples {
            let x = *sample;
            let y = (b0 * x + state[0]) / a0;
            state[0] = b1 * x - a1 * y + state[1];
            state[1] = b0 * x - a2 * y;
            *sample = y;
        }
    }
    samples
}

fn dbfs(amplitude: f64) -> f64 {
    20.0 * amplitude.log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone;

    const RATES_HZ: [u32; 4] = [44_100, 48_000, 96_000, 192_000];

    fn loudest(plane: &[f32], rate_hz: u32) -> Loudest {
        Loudest::of(&above_2_khz(plane, rate_hz)[rate_hz as usize / 20..], rate_hz)
    }

    #[test]
    fn the_high_pass_is_of_eighth_order_at_2_khz() {
        for rate_hz in RATES_HZ {
            let level = |hz| {
                let tone = tone::sine(rate_hz, 1, 0.5, hz, 0.0);
                // Whole periods in 5 ms.
                loudest(&tone.channels[0], rate_hz).window_dbfs + 3.01
            };
            assert!((level(2_000.0) + 3.01).abs() < 0.1, "{rate_hz} Hz: {}", level(2_000.0));
            // 48 dB an octave.
            assert!((level(1_000.0) + 48.4).abs() < 0.3, "{rate_hz} Hz: {}", level(1_000.0));
            assert!(level(8_000.0).abs() < 0.1, "{rate_hz} Hz: {}", level(8_000.0));
        }
    }

    #[test]
    fn a_steady_low_tone_has_nothing_above_it_and_a_lost_frame_is_a_click() {
        for rate_hz in RATES_HZ {
            let mut tone = tone::sine(rate_hz, 1, 1.0, 100.0, -12.0).channels.remove(0);
            let steady = loudest(&tone, rate_hz);
            assert!(steady.window_dbfs < -110.0 && steady.sample_dbfs < -100.0, "{steady:?}");
            tone.remove(rate_hz as usize / 2);
            let clicked = loudest(&tone, rate_hz);
            // At a zero of the tone, where one frame is most: 100 Hz moves this far in one, and
            // the filter keeps half of a step.
            let step_dbfs = -12.0 + dbfs(TAU * 100.0 / f64::from(rate_hz));
            assert!((clicked.sample_dbfs - step_dbfs + 4.0).abs() < 4.0, "{clicked:?} {step_dbfs}");
        }
    }
}
