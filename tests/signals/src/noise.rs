//! Noise: white, pink, modulated, and the noise of a room.

use std::f64::consts::TAU;

use crate::filter::{Biquad, Pinking};
use crate::programme::frames_of;
use crate::{Programme, Random};

/// White noise, uniformly distributed to full scale, independent in each channel.
#[must_use]
pub fn white(rate_hz: u32, channels: usize, seconds: f64, seed: u64) -> Programme {
    planes(rate_hz, channels, seconds, seed, |random| random.sample())
}

/// White Gaussian noise with this standard deviation in dBFS, independent in each channel.
#[must_use]
pub fn gauss(rate_hz: u32, channels: usize, seconds: f64, rms_dbfs: f64, seed: u64) -> Programme {
    let rms = 10.0_f64.powf(rms_dbfs / 20.0);
    planes(rate_hz, channels, seconds, seed, |random| rms * random.gauss())
}

/// Pink noise, independent in each channel, peaks at -3 dBFS.
#[must_use]
pub fn pink(rate_hz: u32, channels: usize, seconds: f64, seed: u64) -> Programme {
    let frames = frames_of(rate_hz, seconds);
    let planes = (0..channels as u64)
        .map(|channel| pink_plane(rate_hz, frames, seed ^ (channel << 32)))
        .collect();
    Programme::new(rate_hz, planes).at_sample_peak(-3.0)
}

/// Pink noise, the same in every channel, peaks at -3 dBFS.
#[must_use]
pub fn pink_same(rate_hz: u32, channels: usize, seconds: f64, seed: u64) -> Programme {
    let plane = pink_plane(rate_hz, frames_of(rate_hz, seconds), seed);
    Programme::same(rate_hz, channels, plane).at_sample_peak(-3.0)
}

/// Pink noise whose level swings as a sine in dB: `depth_db` from quietest to loudest,
/// `modulation_hz` times a second, all channels together.
#[must_use]
pub fn amplitude_modulated(
    rate_hz: u32,
    channels: usize,
    seconds: f64,
    modulation_hz: f64,
    depth_db: f64,
    seed: u64,
) -> Programme {
    let mut programme = pink(rate_hz, channels, seconds, seed);
    for plane in &mut programme.channels {
        for (n, sample) in plane.iter_mut().enumerate() {
            let swing = (TAU * modulation_hz * n as f64 / f64::from(rate_hz)).sin();
            let gain = 10.0_f64.powf(depth_db / 2.0 * swing / 20.0);
            *sample = (f64::from(*sample) * gain) as f32;
        }
    }
    programme.at_sample_peak(-3.0)
}

/// The noise of a quiet room: dark, with a trace of mains hum; its RMS is `rms_dbfs`.
#[must_use]
pub fn room(rate_hz: u32, channels: usize, seconds: f64, rms_dbfs: f64, seed: u64) -> Programme {
    let mut programme = pink(rate_hz, channels, seconds, seed);
    for plane in &mut programme.channels {
        let mut low = Biquad::low_pass(rate_hz, 2_000.0);
        let mut high = Biquad::high_pass(rate_hz, 40.0);
        for (n, sample) in plane.iter_mut().enumerate() {
            let hum = 0.01 * (TAU * 100.0 * n as f64 / f64::from(rate_hz)).sin();
            *sample = (high.next(low.next(f64::from(*sample))) + hum) as f32;
        }
    }
    let samples = (programme.frames() * channels).max(1) as f64;
    let square: f64 = programme.channels.iter().flatten().map(|s| f64::from(*s).powi(2)).sum();
    let rms = (square / samples).sqrt();
    programme.gain_db(rms_dbfs - 20.0 * rms.log10())
}

fn planes(
    rate_hz: u32,
    channels: usize,
    seconds: f64,
    seed: u64,
    mut draw: impl FnMut(&mut Random) -> f64,
) -> Programme {
    let frames = frames_of(rate_hz, seconds);
    let planes = (0..channels as u64).map(|channel| {
        let mut random = Random::new(seed ^ (channel << 32));
        (0..frames).map(|_| draw(&mut random) as f32).collect()
    });
    Programme::new(rate_hz, planes.collect())
}

fn pink_plane(rate_hz: u32, frames: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    let mut pinking = Pinking::new(rate_hz);
    // The lowest section takes a moment to fill; a programme starts after it.
    for _ in 0..frames_of(rate_hz, 0.25) {
        pinking.next(random.gauss());
    }
    (0..frames).map(|_| pinking.next(random.gauss()) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::level;

    #[test]
    fn modulated_noise_swings_by_its_depth() {
        let programme = amplitude_modulated(48_000, 1, 20.0, 0.7, 12.0, 5);
        let levels = level::windows_db(&programme.channels[0], 48_000, 0.05);
        // The mean of the upper and the lower sixth of a sine swing, pink noise around it.
        let mut sorted = levels;
        sorted.sort_by(f64::total_cmp);
        let sixth = sorted.len() / 6;
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let swing = mean(&sorted[sorted.len() - sixth..]) - mean(&sorted[..sixth]);
        assert!((10.5..15.0).contains(&swing), "{swing}");
    }

    #[test]
    fn room_noise_has_the_level_asked_for() {
        let programme = room(48_000, 2, 3.0, -60.0, 7);
        assert!((level::rms_db(&programme.channels[0]) + 60.0).abs() < 1.0);
    }

    #[test]
    fn channels_are_independent_unless_asked_to_be_the_same() {
        let apart = pink(8_000, 2, 0.5, 1);
        assert_ne!(apart.channels[0], apart.channels[1]);
        let same = pink_same(8_000, 2, 0.5, 1);
        assert_eq!(same.channels[0], same.channels[1]);
    }
}
