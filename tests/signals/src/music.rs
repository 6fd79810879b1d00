//! Something that a leveler takes for music: chords, a bass, drums with sharp attacks, a tune,
//! two channels that differ, and a verse that is quieter than its refrain.

use std::f64::consts::TAU;

use crate::filter::Biquad;
use crate::programme::frames_of;
use crate::{Programme, Random};

/// Music in the first two channels (a mono sum in one; further channels stay silent), peaks at
/// -1 dBFS.
#[must_use]
pub fn music_like(rate_hz: u32, channels: usize, seconds: f64, seed: u64) -> Programme {
    let frames = frames_of(rate_hz, seconds);
    let mut band = Band {
        rate_hz,
        random: Random::new(seed),
        left: vec![0.0; frames],
        right: vec![0.0; frames],
    };
    let beat_s = 60.0 / 116.0;
    let beats = (seconds / beat_s).ceil() as usize;
    for beat in 0..beats {
        band.beat(beat, beat as f64 * beat_s, beat_s);
    }
    let Band { left, right, .. } = band;
    let planes = match channels {
        1 => vec![left.iter().zip(&right).map(|(l, r)| (0.5 * (l + r)) as f32).collect()],
        _ => {
            let mut planes = vec![vec![0.0; frames]; channels];
            planes[0] = left.iter().map(|y| *y as f32).collect();
            planes[1] = right.iter().map(|y| *y as f32).collect();
            planes
        }
    };
    Programme::new(rate_hz, planes).at_sample_peak(-1.0)
}

/// Roots and thirds of four chords, in semitones from A2.
const CHORDS: [[i32; 3]; 4] = [[0, 4, 7], [-3, 0, 4], [5, 9, 12], [7, 11, 14]];
/// The tune picks from these, in semitones from A4.
const SCALE: [i32; 7] = [0, 2, 4, 7, 9, 12, 14];
const BEATS_A_CHORD: usize = 4;
const BEATS_A_PART: usize = 16;
/// How much quieter the verse is than the refrain.
const VERSE_GAIN_DB: f64 = -1.5;

struct Band {
    rate_hz: u32,
    random: Random,
    left: Vec<f64>,
    right: Vec<f64>,
}

impl Band {
    fn beat(&mut self, beat: usize, at_s: f64, beat_s: f64) {
        let in_verse = (beat / BEATS_A_PART).is_multiple_of(2);
        let part_db = if in_verse { VERSE_GAIN_DB } else { 0.0 };
        let chord = CHORDS[beat / BEATS_A_CHORD % CHORDS.len()];
        if beat.is_multiple_of(BEATS_A_CHORD) {
            for (voice, semitones) in chord.into_iter().enumerate() {
                let pan = [0.3, 0.5, 0.7][voice];
                let hz = pitch_hz(220.0, semitones);
                self.note(at_s, BEATS_A_CHORD as f64 * beat_s, hz, 8, part_db - 18.0, pan);
            }
        }
        self.note(at_s, 0.9 * beat_s, pitch_hz(55.0, chord[0]), 4, part_db - 12.0, 0.5);
        for half in 0..2 {
            if self.random.chance(0.7) {
                let semitones = SCALE[self.random.below(SCALE.len())];
                let loud_db = part_db - 15.0 + self.random.between(-3.0, 2.0);
                let start_s = at_s + 0.5 * beat_s * f64::from(half);
                self.note(start_s, 0.6 * beat_s, pitch_hz(440.0, semitones), 6, loud_db, 0.6);
            }
            self.hit(at_s + 0.5 * beat_s * f64::from(half), 0.03, 0.14, part_db - 20.0, 0.65);
        }
        if beat.is_multiple_of(2) {
            self.kick(at_s, part_db - 4.0);
        } else {
            self.hit(at_s, 0.12, 0.04, part_db - 6.0, 0.45);
        }
    }

    /// A plucked tone with falling harmonics.
    fn note(&mut self, at_s: f64, length_s: f64, hz: f64, partials: usize, db: f64, pan: f64) {
        let nyquist_hz = 0.45 * f64::from(self.rate_hz);
        let level = 10.0_f64.powf(db / 20.0);
        let frames = frames_of(self.rate_hz, length_s);
        let rate_hz = f64::from(self.rate_hz);
        self.add(at_s, frames, pan, |n| {
            let time_s = n as f64 / rate_hz;
            let (sin, cos) = (TAU * hz * time_s).sin_cos();
            let (mut before, mut now, mut sum) = (0.0, sin, 0.0);
            for k in 1..=partials {
                if hz * k as f64 > nyquist_hz {
                    break;
                }
                sum += now / (k as f64).powf(1.3);
                (before, now) = (now, 2.0 * cos * now - before);
            }
            let attack = (time_s / 0.008).min(1.0);
            let end = ((length_s - time_s) / 0.02).clamp(0.0, 1.0);
            level * attack * end * (-1.2 * time_s / length_s).exp() * sum
        });
    }

    fn kick(&mut self, at_s: f64, db: f64) {
        let level = 10.0_f64.powf(db / 20.0);
        let rate_hz = f64::from(self.rate_hz);
        let mut phase = 0.0;
        self.add(at_s, frames_of(self.rate_hz, 0.25), 0.5, |n| {
            let time_s = n as f64 / rate_hz;
            phase += (48.0 + 120.0 * (-time_s / 0.025).exp()) / rate_hz;
            level * (-time_s / 0.07).exp() * (TAU * phase).sin()
        });
    }

    /// A burst of noise: a snare when it is long and low, a hi-hat when short and high.
    fn hit(&mut self, at_s: f64, decay_s: f64, turns: f64, db: f64, pan: f64) {
        let level = 10.0_f64.powf(db / 20.0);
        let rate_hz = f64::from(self.rate_hz);
        let centre_hz = turns * rate_hz.min(48_000.0);
        let mut band = Biquad::band_pass(self.rate_hz, centre_hz, 1.2 * centre_hz);
        let mut random = Random::new(self.random.next_u64());
        self.add(at_s, frames_of(self.rate_hz, 5.0 * decay_s), pan, |n| {
            let time_s = n as f64 / rate_hz;
            level * (-time_s / decay_s).exp() * band.next(1.5 * random.gauss())
        });
    }

    fn add(&mut self, at_s: f64, frames: usize, pan: f64, mut next: impl FnMut(usize) -> f64) {
        let start = frames_of(self.rate_hz, at_s);
        let (left_gain, right_gain) = ((1.0 - pan).sqrt(), pan.sqrt());
        for n in 0..frames.min(self.left.len().saturating_sub(start)) {
            let y = next(n);
            self.left[start + n] += left_gain * y;
            self.right[start + n] += right_gain * y;
        }
    }
}

fn pitch_hz(from_hz: f64, semitones: i32) -> f64 {
    from_hz * 2.0_f64.powf(f64::from(semitones) / 12.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{level, oracle};

    #[test]
    fn music_has_transients_and_two_channels_that_differ() {
        let music = music_like(48_000, 2, 10.0, 21);
        let crest_db =
            20.0 * f64::from(music.sample_peak()).log10() - level::rms_db(&music.channels[0]);
        assert!((9.0..22.0).contains(&crest_db), "{crest_db}");
        assert_ne!(music.channels[0], music.channels[1]);
    }

    #[test]
    fn music_has_some_dynamics_and_not_a_film_s() {
        let range = oracle::loudness_range(&music_like(48_000, 2, 40.0, 22));
        assert!((0.5..6.0).contains(&range), "{range}");
    }
}
