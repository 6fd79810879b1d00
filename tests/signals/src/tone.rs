//! Tones, pulses and the waveforms whose peaks lie between the samples.

use std::f64::consts::TAU;

use crate::Programme;
use crate::programme::frames_of;

/// A sine of this amplitude (peak, in dBFS), in phase in every channel, starting at 0.
#[must_use]
pub fn sine(rate_hz: u32, channels: usize, seconds: f64, hz: f64, peak_dbfs: f64) -> Programme {
    Programme::same(rate_hz, channels, sine_plane(rate_hz, seconds, hz, peak_dbfs, 0.0))
}

/// A sine of another frequency in each channel: which channel is which can be heard.
#[must_use]
pub fn per_channel(rate_hz: u32, seconds: f64, hz: &[f64], peak_dbfs: f64) -> Programme {
    let planes = hz.iter().map(|hz| sine_plane(rate_hz, seconds, *hz, peak_dbfs, 0.0));
    Programme::new(rate_hz, planes.collect())
}

/// 440 Hz left, 880 Hz right.
#[must_use]
pub fn left_right(rate_hz: u32, seconds: f64, peak_dbfs: f64) -> Programme {
    per_channel(rate_hz, seconds, &[440.0, 880.0], peak_dbfs)
}

/// A sine at a part of the sample rate: `turns` cycles a frame, starting at `degrees`. At a
/// quarter and 45 degrees every sample lies 3.01 dB below the true peak.
#[must_use]
pub fn at_fraction(
    rate_hz: u32,
    channels: usize,
    seconds: f64,
    turns: f64,
    degrees: f64,
    peak_dbfs: f64,
) -> Programme {
    let hz = turns * f64::from(rate_hz);
    Programme::same(rate_hz, channels, sine_plane(rate_hz, seconds, hz, peak_dbfs, degrees))
}

/// A naive square wave: two levels, edges on samples, so its spectrum folds and its true peak
/// is over its samples.
#[must_use]
pub fn square(rate_hz: u32, channels: usize, seconds: f64, hz: f64, peak_dbfs: f64) -> Programme {
    let level = gain(peak_dbfs) as f32;
    let plane = (0..frames_of(rate_hz, seconds)).map(|n| {
        let cycles = hz * n as f64 / f64::from(rate_hz);
        if cycles.fract() < 0.5 { level } else { -level }
    });
    Programme::same(rate_hz, channels, plane.collect())
}

/// Pairs of single-sample impulses, 1 to 24 frames apart, alike and opposed in turn, one pair
/// every 10 ms.
#[must_use]
pub fn impulse_pairs(rate_hz: u32, channels: usize, seconds: f64, peak_dbfs: f64) -> Programme {
    let level = gain(peak_dbfs) as f32;
    let mut plane = vec![0.0; frames_of(rate_hz, seconds)];
    let every = frames_of(rate_hz, 0.01);
    for (pair, start) in (every..plane.len().saturating_sub(every)).step_by(every).enumerate() {
        plane[start] = level;
        plane[start + 1 + pair / 2 % 24] = if pair % 2 == 0 { level } else { -level };
    }
    Programme::same(rate_hz, channels, plane)
}

/// Full-scale alternation (half the sample rate) whose sign flips in its middle: every sample
/// at `peak_dbfs`, the true peak 6 to 10 dB over that, by how long the meter's filter is.
/// Bursts of 64 frames between silences as long.
#[must_use]
pub fn flipped_nyquist(rate_hz: u32, channels: usize, seconds: f64, peak_dbfs: f64) -> Programme {
    const BURST: usize = 64;
    let level = gain(peak_dbfs) as f32;
    let plane = (0..frames_of(rate_hz, seconds)).map(|n| match n % (2 * BURST) {
        0..BURST => 0.0,
        place => {
            let flipped = place >= BURST + BURST / 2;
            if (place % 2 == 0) != flipped { level } else { -level }
        }
    });
    Programme::same(rate_hz, channels, plane.collect())
}

/// What overcooked masters hold: loud tones at a quarter, a sixth and an eighth of the rate,
/// each at the phase that hides most of its peak, swelling and fading. Samples reach
/// `peak_dbfs`, the true peak is up to 3 dB over that.
#[must_use]
pub fn hot_inter_sample(rate_hz: u32, channels: usize, seconds: f64, peak_dbfs: f64) -> Programme {
    const KINDS: [(f64, f64); 3] = [(1.0 / 4.0, 45.0), (1.0 / 6.0, 60.0), (1.0 / 8.0, 67.5)];
    let burst = frames_of(rate_hz, 0.25).max(1);
    let frames = frames_of(rate_hz, seconds);
    let mut plane = Vec::with_capacity(frames);
    for n in 0..frames {
        let (turns, degrees) = KINDS[n / burst % KINDS.len()];
        let place = (n % burst) as f64 / burst as f64;
        let swell = (std::f64::consts::PI * place).sin();
        let phase = TAU * (turns * (n % burst) as f64 + degrees / 360.0);
        // The samples nearest the crest stand half a step from it.
        let crest = (TAU * turns / 2.0).cos();
        plane.push((gain(peak_dbfs) / crest * swell * phase.sin()) as f32);
    }
    Programme::same(rate_hz, channels, plane)
}

/// A sine that glides from `from_hz` to `to_hz`, the same number of octaves every second.
#[must_use]
pub fn sweep(
    rate_hz: u32,
    channels: usize,
    seconds: f64,
    from_hz: f64,
    to_hz: f64,
    peak_dbfs: f64,
) -> Programme {
    let frames = frames_of(rate_hz, seconds);
    let octaves = (to_hz / from_hz).log2();
    let mut phase = 0.0_f64;
    let plane = (0..frames).map(|n| {
        let y = gain(peak_dbfs) * (TAU * phase).sin();
        let hz = from_hz * 2.0_f64.powf(octaves * n as f64 / frames as f64);
        phase = (phase + hz / f64::from(rate_hz)).fract();
        y as f32
    });
    let plane = plane.collect();
    Programme::same(rate_hz, channels, plane)
}

fn sine_plane(rate_hz: u32, seconds: f64, hz: f64, peak_dbfs: f64, degrees: f64) -> Vec<f32> {
    let level = gain(peak_dbfs);
    let sample = |n| {
        // The whole turns are dropped first: a late sample is as exact as an early one.
        let turns = (hz * n as f64 / f64::from(rate_hz)).fract() + degrees / 360.0;
        (level * (TAU * turns).sin()) as f32
    };
    (0..frames_of(rate_hz, seconds)).map(sample).collect()
}

fn gain(db: f64) -> f64 {
    10.0_f64.powf(db / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{level, true_peak};

    #[test]
    fn each_channel_carries_its_own_tone() {
        let tones = left_right(48_000, 1.0, -20.0);
        for (plane, own, other) in [(0, 440.0, 880.0), (1, 880.0, 440.0)] {
            let plane = &tones.channels[plane];
            assert!((level::tone_db(plane, 48_000, own) + 20.0).abs() < 0.05);
            assert!(level::tone_db(plane, 48_000, other) < -80.0);
        }
    }

    #[test]
    fn a_quarter_at_45_degrees_hides_three_decibels() {
        let hidden = at_fraction(48_000, 1, 0.1, 0.25, 45.0, 0.0);
        assert!((20.0 * hidden.sample_peak().log10() + 3.01).abs() < 0.01);
    }

    #[test]
    fn hot_samples_reach_their_level_and_the_true_peak_is_over_it() {
        let hot = hot_inter_sample(48_000, 1, 1.0, -1.0);
        let sample_peak_db = 20.0 * hot.sample_peak().log10();
        assert!((-1.2..=-0.99).contains(&sample_peak_db), "{sample_peak_db}");
        assert!(true_peak::of(&hot) > 1.5);
    }

    #[test]
    fn flipped_bursts_and_impulse_pairs_keep_their_samples() {
        assert_eq!(flipped_nyquist(48_000, 1, 0.1, 0.0).sample_peak(), 1.0);
        let pairs = impulse_pairs(48_000, 1, 1.0, 0.0);
        let struck = pairs.channels[0].iter().filter(|s| **s != 0.0).count();
        assert!(struck >= 190, "{struck}");
    }
}
