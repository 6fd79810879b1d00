//! The meters of the system tests: level, gaps, a tone's level, impulses.
//!
//! They are simple on purpose and share nothing with `headroom-dsp`, whose meters are among what is
//! tested. Loudness is judged by ffmpeg, true peak by `headroom-signals`.

use std::f64::consts::TAU;

/// A stretch without sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Its first frame.
    pub start: usize,
    /// How many frames it has.
    pub frames: usize,
}

impl Gap {
    /// How long it is at that rate.
    pub fn ms(self, rate_hz: u32) -> f64 {
        self.frames as f64 * 1000.0 / f64::from(rate_hz)
    }
}

/// The root mean square, in dB below a full-scale square wave.
pub fn level_dbfs(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    10.0 * (sum / samples.len().max(1) as f64).log10()
}

/// The level of a sine, on the scale of [`level_dbfs`], whether or not cycles of it are missing: told by
/// how high its samples are in nine of ten, which a gap of a twentieth of it changes by 0.01 dB.
pub(crate) fn sine_level_dbfs(samples: &[f32]) -> f64 {
    const PART: f64 = 0.9;
    let mut magnitudes: Vec<f32> = samples.iter().map(|sample| sample.abs()).collect();
    magnitudes.sort_by(f32::total_cmp);
    let high = magnitudes.get((magnitudes.len() as f64 * PART) as usize).copied();
    let amplitude = f64::from(high.unwrap_or_default()) / (PART * TAU / 4.0).sin();
    20.0 * (amplitude / std::f64::consts::SQRT_2).log10()
}

/// The largest magnitude in any channel.
pub fn peak(channels: &[Vec<f32>]) -> f32 {
    channels.iter().flatten().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// The level of one frequency (Goertzel, Hann window), on the scale of [`level_dbfs`].
pub fn tone_level_dbfs(samples: &[f32], rate_hz: f64, frequency_hz: f64) -> f64 {
    let frames = samples.len() as f64;
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (frame, sample) in samples.iter().enumerate() {
        let window = 1.0 - (TAU * frame as f64 / frames).cos();
        let angle = TAU * frequency_hz / rate_hz * frame as f64;
        real += f64::from(*sample) * window * angle.cos();
        imaginary += f64::from(*sample) * window * angle.sin();
    }
    // The window's mean is 1, so a sine of amplitude A gives A/2 for each frame.
    let amplitude = 2.0 * real.hypot(imaginary) / frames;
    20.0 * (amplitude / std::f64::consts::SQRT_2).log10()
}

pub(crate) fn gaps(channels: &[Vec<f32>], amplitude: f32, frames: usize) -> Vec<Gap> {
    let length = channels.first().map_or(0, Vec::len);
    let mut gaps = Vec::new();
    let mut start = 0;
    for frame in 0..=length {
        let sounds = frame == length || channels.iter().any(|c| c[frame].abs() > amplitude);
        if sounds {
            if frame - start >= frames.max(1) {
                gaps.push(Gap { start, frames: frame - start });
            }
            start = frame + 1;
        }
    }
    gaps
}

pub(crate) fn impulses(samples: &[f32], amplitude: f32, apart: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut frame = 0;
    while frame < samples.len() {
        if samples[frame].abs() <= amplitude {
            frame += 1;
            continue;
        }
        // A look-ahead limiter or a resampler spreads an impulse: its place is its largest sample.
        let end = (frame + apart.max(1)).min(samples.len());
        let largest = (frame..end)
            .max_by(|a, b| samples[*a].abs().total_cmp(&samples[*b].abs()).then(b.cmp(a)));
        found.extend(largest);
        frame = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme;

    #[test]
    fn a_sine_has_its_level_at_its_own_frequency_and_nowhere_else() {
        let tone = &programme::tones(48_000, 1.0, &[440.0], 0.5)[0];
        assert!((level_dbfs(tone) + 9.03).abs() < 0.01);
        assert!((tone_level_dbfs(tone, 48_000.0, 440.0) + 9.03).abs() < 0.01);
        assert!(tone_level_dbfs(tone, 48_000.0, 880.0) < -80.0);
    }

    #[test]
    fn a_sine_with_gaps_is_as_loud_as_without() {
        let mut tone = programme::tones(48_000, 0.5, &[440.0], 0.5).remove(0);
        assert!((sine_level_dbfs(&tone) + 9.03).abs() < 0.01);
        // Two cycles of 32 frames in each 25 ms are 5 %.
        for cycle in tone.chunks_mut(600) {
            cycle[100..132].fill(0.0);
            cycle[400..432].fill(0.0);
        }
        assert!((sine_level_dbfs(&tone) + 9.03).abs() < 0.05);
        assert!(level_dbfs(&tone) < -9.4);
        assert_eq!(sine_level_dbfs(&[]), f64::NEG_INFINITY);
    }

    #[test]
    fn a_gap_counts_when_every_channel_is_silent_for_long_enough() {
        let left = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0];
        let right = vec![1.0, 0.5, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0];
        let found = gaps(&[left, right], 0.1, 2);
        assert_eq!(found, [Gap { start: 2, frames: 2 }, Gap { start: 7, frames: 2 }]);
    }

    #[test]
    fn an_impulse_is_where_it_is_largest() {
        let mut samples = vec![0.0; 1_000];
        (samples[99], samples[100], samples[101], samples[600]) = (0.3, 0.9, 0.3, -0.8);
        assert_eq!(impulses(&samples, 0.2, 50), [100, 600]);
    }
}
