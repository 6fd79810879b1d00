//! Something that a leveler takes for speech: a voice of harmonics and breath through three
//! moving formants, in syllables (3 to 5 a second), words and sentences.

use std::f64::consts::TAU;

use crate::filter::Biquad;
use crate::programme::frames_of;
use crate::{Programme, Random};

/// How the talker pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pauses {
    /// Fluent: 0.08 to 0.2 s between words, 0.5 s after a sentence.
    Natural,
    /// Each phrase of words is followed by a whole second of digital silence.
    OneSecond,
}

/// Speech in every channel alike, peaks at -3 dBFS.
#[must_use]
pub fn speech_like(
    rate_hz: u32,
    channels: usize,
    seconds: f64,
    pauses: Pauses,
    seed: u64,
) -> Programme {
    let frames = frames_of(rate_hz, seconds);
    let mut talker = Talker::new(rate_hz, seed);
    let mut plane = Vec::with_capacity(frames + rate_hz as usize);
    let mut words_left = talker.random.below(5) + 3;
    while plane.len() < frames {
        for _ in 0..1 + talker.random.below(4) {
            talker.syllable(&mut plane);
        }
        words_left -= 1;
        let sentence_ends = words_left == 0;
        if sentence_ends {
            words_left = talker.random.below(5) + 3;
            talker.sentence_gain_db = talker.random.between(-1.0, 1.0);
        }
        let pause_s = match (pauses, sentence_ends) {
            (Pauses::OneSecond, true) => 1.0,
            (Pauses::Natural, true) => 0.5,
            _ => talker.random.between(0.08, 0.2),
        };
        plane.resize(plane.len() + frames_of(rate_hz, pause_s), 0.0);
    }
    plane.truncate(frames);
    Programme::same(rate_hz, channels, plane).at_sample_peak(-3.0)
}

/// Formant frequencies in Hz of a, e, i, o, u, as an average talker has them.
const VOWELS: [[f64; 3]; 5] = [
    [730.0, 1_090.0, 2_440.0],
    [530.0, 1_840.0, 2_480.0],
    [270.0, 2_290.0, 3_010.0],
    [570.0, 840.0, 2_410.0],
    [300.0, 870.0, 2_240.0],
];
/// How loud each formant is beside the first.
const FORMANT_GAINS: [f64; 3] = [1.0, 0.5, 0.25];

struct Talker {
    rate_hz: u32,
    random: Random,
    pitch_hz: f64,
    phase: f64,
    sentence_gain_db: f64,
}

impl Talker {
    fn new(rate_hz: u32, seed: u64) -> Talker {
        let mut random = Random::new(seed);
        let pitch_hz = random.between(100.0, 180.0);
        Talker { rate_hz, random, pitch_hz, phase: 0.0, sentence_gain_db: 0.0 }
    }

    /// One syllable of 0.2 to 0.3 s: often a hiss, then a vowel that swells and fades.
    fn syllable(&mut self, out: &mut Vec<f32>) {
        let length_s = self.random.between(0.2, 0.3);
        let gain_db = self.sentence_gain_db + self.random.between(-2.5, 2.5);
        if self.random.chance(0.5) {
            self.hiss(out, 0.25 * length_s, gain_db - 16.0);
            self.vowel(out, 0.75 * length_s, gain_db);
        } else {
            self.vowel(out, length_s, gain_db);
        }
    }

    fn hiss(&mut self, out: &mut Vec<f32>, length_s: f64, gain_db: f64) {
        let frames = frames_of(self.rate_hz, length_s);
        let centre_hz = self.random.between(0.1, 0.16) * f64::from(self.rate_hz).min(48_000.0);
        let mut band = Biquad::band_pass(self.rate_hz, centre_hz, centre_hz / 2.0);
        let gain = 10.0_f64.powf(gain_db / 20.0);
        for n in 0..frames {
            out.push((gain * envelope(n, frames, 0.3) * band.next(self.random.gauss())) as f32);
        }
    }

    fn vowel(&mut self, out: &mut Vec<f32>, length_s: f64, gain_db: f64) {
        let frames = frames_of(self.rate_hz, length_s);
        let formants = VOWELS[self.random.below(VOWELS.len())];
        let nyquist_hz = 0.45 * f64::from(self.rate_hz);
        let mut bands = formants
            .map(|hz| Biquad::band_pass(self.rate_hz, hz.min(nyquist_hz), 80.0 + 0.06 * hz));
        let bend = self.random.between(-0.15, 0.1);
        let gain = 10.0_f64.powf(gain_db / 20.0);
        for n in 0..frames {
            let place = n as f64 / frames as f64;
            let hz = self.pitch_hz * (1.0 + bend * place + 0.01 * (TAU * 5.0 * place).sin());
            let source = self.glottis(hz, nyquist_hz) + 0.02 * self.random.gauss();
            let voiced: f64 = bands
                .iter_mut()
                .zip(FORMANT_GAINS)
                .map(|(band, formant_gain)| formant_gain * band.next(source))
                .sum();
            out.push((gain * envelope(n, frames, 0.2) * voiced) as f32);
        }
    }

    /// A pulse train without folding: harmonics that fall by 6 dB an octave.
    fn glottis(&mut self, hz: f64, nyquist_hz: f64) -> f64 {
        self.phase = (self.phase + hz / f64::from(self.rate_hz)).fract();
        let harmonics = ((nyquist_hz.min(5_000.0) / hz) as usize).max(1);
        // sin((k + 1) x) from the two before it: one sine a sample and not forty.
        let (sin, cos) = (TAU * self.phase).sin_cos();
        let (mut before, mut now, mut sum) = (0.0, sin, 0.0);
        for k in 1..=harmonics {
            sum += now / k as f64;
            (before, now) = (now, 2.0 * cos * now - before);
        }
        sum
    }
}

/// Rises over the first `edge` of the length and falls over the last, as a raised cosine.
fn envelope(n: usize, frames: usize, edge: f64) -> f64 {
    let place = (n as f64 + 0.5) / frames as f64;
    let near = place.min(1.0 - place) / edge;
    if near >= 1.0 { 1.0 } else { 0.5 - 0.5 * (std::f64::consts::PI * near).cos() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::level;

    #[test]
    fn fluent_speech_pulses_with_its_syllables() {
        let speech = speech_like(48_000, 1, 30.0, Pauses::Natural, 11);
        // Energy of the level curve (100 values a second) in 2 to 6 Hz beside 8 to 20 Hz.
        let curve: Vec<f64> = level::windows_db(&speech.channels[0], 48_000, 0.01)
            .iter()
            .map(|db| 10.0_f64.powf(db / 20.0))
            .collect();
        let band = |from: usize, to: usize| {
            let mut energy = 0.0;
            for tenth_hz in from * 10..to * 10 {
                let (mut re, mut im) = (0.0, 0.0);
                for (n, y) in curve.iter().enumerate() {
                    let (sin, cos) = (TAU * tenth_hz as f64 / 10.0 * n as f64 / 100.0).sin_cos();
                    re += y * cos;
                    im += y * sin;
                }
                energy += re * re + im * im;
            }
            energy
        };
        assert!(band(2, 6) > 3.0 * band(8, 20));
    }

    #[test]
    fn the_gapped_talker_is_silent_for_whole_seconds() {
        let speech = speech_like(48_000, 1, 30.0, Pauses::OneSecond, 12);
        let levels = level::windows_db(&speech.channels[0], 48_000, 0.1);
        let mut longest = 0;
        let mut run = 0;
        for db in levels {
            run = if db == f64::NEG_INFINITY { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        assert!((8..=10).contains(&longest), "{longest} tenths of a second");
    }

    #[test]
    fn speech_can_be_made_at_the_lowest_rate() {
        let speech = speech_like(8_000, 1, 2.0, Pauses::Natural, 13);
        assert!(speech.channels[0].iter().all(|s| s.is_finite()));
    }
}
