//! Seeded signals of every kind, for searches: what no list of cases thinks of.

use std::f64::consts::TAU;

use crate::filter::{Biquad, convolved, low_pass_taps};
use crate::programme::frames_of;
use crate::{Programme, Random, tone};

/// What a random signal may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// Nothing from 0.45 of the sample rate on (100 dB down): what a true-peak meter can judge.
    Below045,
    /// Anything that samples can hold, steps and flips at half the rate included.
    Unlimited,
}

/// Signal number `seed` of its kind: filtered noise, tones, sweeps, bursts, pulses, gated,
/// stepped and clipped, scaled to peaks of -6 to +12 dBFS. Channels are alike, apart or of
/// different level. The same arguments give the same samples.
#[must_use]
pub fn random_signal(
    rate_hz: u32,
    channels: usize,
    seconds: f64,
    band: Band,
    seed: u64,
) -> Programme {
    let mut random = Random::new(seed ^ 0x6865_6164);
    let frames = frames_of(rate_hz, seconds);
    let first = plane(&mut random, rate_hz, frames);
    let mut planes = vec![first];
    for _ in 1..channels {
        let next = if random.chance(0.5) {
            plane(&mut random, rate_hz, frames)
        } else {
            let gain = random.between(-1.0, 1.0) as f32;
            planes[0].iter().map(|y| gain * y).collect()
        };
        planes.push(next);
    }
    if band == Band::Below045 {
        let taps = low_pass_taps(0.425, 0.449);
        for plane in &mut planes {
            *plane = convolved(plane, &taps);
        }
    }
    let programme = Programme::new(rate_hz, planes);
    if programme.sample_peak() == 0.0 {
        // A gate that never opened.
        return tone::sine(rate_hz, channels, seconds, 997.0, 0.0);
    }
    programme.at_sample_peak(random.between(-6.0, 12.0))
}

fn plane(random: &mut Random, rate_hz: u32, frames: usize) -> Vec<f32> {
    let mut plane = match random.below(10) {
        0 => noise_band(random, rate_hz, frames),
        1 => (0..frames).map(|_| if random.chance(0.5) { 1.0 } else { -1.0 }).collect(),
        2 => tones(random, frames),
        3 => sweep(random, frames),
        4 => pulses(random, frames),
        5 => steps(random, frames),
        6 => square(random, frames),
        7 => flips(random, frames),
        8 => bursts(random, frames),
        _ => (0..frames).map(|_| random.gauss()).collect::<Vec<f64>>(),
    };
    if random.chance(0.3) {
        gate(random, rate_hz, &mut plane);
    }
    if random.chance(0.2) {
        let threshold = random.between(0.2, 0.8);
        plane.iter_mut().for_each(|y| *y = y.clamp(-threshold, threshold));
    }
    if random.chance(0.2) {
        let other = tones(random, frames);
        let mix = random.between(0.1, 1.0);
        plane.iter_mut().zip(other).for_each(|(y, add)| *y += mix * add);
    }
    plane.into_iter().map(|y| y as f32).collect()
}

fn noise_band(random: &mut Random, rate_hz: u32, frames: usize) -> Vec<f64> {
    let centre_hz = 0.45 * f64::from(rate_hz) * 2.0_f64.powf(random.between(-8.0, 0.0));
    let width_hz = centre_hz * random.between(0.02, 0.8);
    let mut band = Biquad::band_pass(rate_hz, centre_hz, width_hz);
    (0..frames).map(|_| band.next(random.gauss())).collect()
}

/// One to five tones, each at a random phase; some at a simple part of the rate.
fn tones(random: &mut Random, frames: usize) -> Vec<f64> {
    let mut plane = vec![0.0; frames];
    for _ in 0..1 + random.below(5) {
        let turns = if random.chance(0.3) {
            1.0 / (2 + random.below(7)) as f64
        } else {
            0.5 * 2.0_f64.powf(random.between(-9.0, 0.0))
        };
        let (phase, level) = (random.unit(), random.between(0.1, 1.0));
        for (n, y) in plane.iter_mut().enumerate() {
            *y += level * (TAU * (phase + (turns * n as f64).fract())).sin();
        }
    }
    plane
}

fn sweep(random: &mut Random, frames: usize) -> Vec<f64> {
    let from = random.between(-10.0, -1.0);
    let to = random.between(-10.0, -1.0);
    let mut phase = random.unit();
    (0..frames)
        .map(|n| {
            phase += 2.0_f64.powf(from + (to - from) * n as f64 / frames as f64);
            phase = phase.fract();
            (TAU * phase).sin()
        })
        .collect()
}

fn pulses(random: &mut Random, frames: usize) -> Vec<f64> {
    let chance = 10.0_f64.powf(random.between(-3.5, -0.7));
    (0..frames)
        .map(|_| if random.chance(chance) { random.sample().signum() * random.unit() } else { 0.0 })
        .collect()
}

/// Levels that stay for a while, then jump.
fn steps(random: &mut Random, frames: usize) -> Vec<f64> {
    let chance = 10.0_f64.powf(random.between(-3.0, -0.5));
    let mut level = 0.0;
    (0..frames)
        .map(|_| {
            if random.chance(chance) {
                level = random.sample();
            }
            level
        })
        .collect()
}

fn square(random: &mut Random, frames: usize) -> Vec<f64> {
    let turns = 0.25 * 2.0_f64.powf(random.between(-8.0, 0.0));
    let duty = random.between(0.1, 0.9);
    let phase = random.unit();
    (0..frames)
        .map(|n| if (phase + turns * n as f64).fract() < duty { 1.0 } else { -1.0 })
        .collect()
}

/// Alternation at half the rate whose sign flips now and then.
fn flips(random: &mut Random, frames: usize) -> Vec<f64> {
    let chance = 10.0_f64.powf(random.between(-3.0, -1.0));
    let mut sign = 1.0;
    (0..frames)
        .map(|_| {
            if !random.chance(chance) {
                sign = -sign;
            }
            sign
        })
        .collect()
}

/// Swelling and dying tones with silence between.
fn bursts(random: &mut Random, frames: usize) -> Vec<f64> {
    let mut plane = vec![0.0; frames];
    let mut start = 0;
    while start < frames {
        let length = 8 + random.below(frames / 4 + 1);
        let (turns, phase) = (0.5 * random.unit(), random.unit());
        let level = random.between(0.1, 1.0);
        for (n, y) in plane[start..].iter_mut().take(length).enumerate() {
            let swell = (std::f64::consts::PI * n as f64 / length as f64).sin();
            *y = level * swell * (TAU * (phase + turns * n as f64)).sin();
        }
        start += length + random.below(frames / 8 + 1);
    }
    plane
}

fn gate(random: &mut Random, rate_hz: u32, plane: &mut [f64]) {
    let mut open = random.chance(0.5);
    let mut at = 0;
    while at < plane.len() {
        let length = 1 + random.below(rate_hz as usize / 10);
        let end = plane.len().min(at + length);
        if !open {
            plane[at..end].fill(0.0);
        }
        open = !open;
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::level;

    #[test]
    fn a_hundred_signals_are_finite_hot_and_all_different() {
        let mut seen = std::collections::HashSet::new();
        for seed in 0..100 {
            for band in [Band::Below045, Band::Unlimited] {
                let signal = random_signal(48_000, 2, 0.1, band, seed);
                assert!(signal.channels.iter().flatten().all(|y| y.is_finite()));
                let peak_db = 20.0 * signal.sample_peak().log10();
                assert!((-6.1..12.1).contains(&peak_db), "{seed}: {peak_db}");
                let bits: Vec<u32> = signal.channels[0].iter().map(|y| y.to_bits()).collect();
                assert!(seen.insert(bits), "{seed} {band:?}");
            }
        }
    }

    #[test]
    fn a_limited_signal_has_nothing_near_half_the_rate() {
        for seed in 0..20 {
            let signal = random_signal(48_000, 1, 0.25, Band::Below045, seed);
            let plane = &signal.channels[0][1_000..11_000];
            let near = level::tone_db(plane, 48_000, 0.475 * 48_000.0);
            assert!(near < level::rms_db(&signal.channels[0]) - 60.0, "{seed}: {near}");
        }
    }
}
