//! A film whose scenes are known: dialogue over room tone, quiet atmosphere, and action with
//! explosions, with the loudness range that is asked for.
//!
//! Beside [`crate::film`], which only has the range, this one tells when what happens, so that
//! a test can say what became of the words and what of the blasts.

use crate::filter::Biquad;
use crate::judge::oracle;
use crate::programme::frames_of;
use crate::speech::{Pauses, speech_like};
use crate::{Programme, Random, music, noise};

/// What happens in a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SceneKind {
    /// People talk, over the tone of a room.
    Dialogue,
    /// Wind, rain, an empty street: nothing is said.
    Atmosphere,
    /// Music and noise of action, with explosions in it.
    Explosions,
}

/// One scene of a [`Film`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    /// What happens.
    pub kind: SceneKind,
    /// When it begins.
    pub from_s: f64,
    /// When it ends.
    pub to_s: f64,
}

/// A film and its scenes, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// The sound, in stereo.
    pub programme: Programme,
    /// What happens when.
    pub scenes: Vec<Scene>,
}

/// What scenes follow each other: kind, loudness beside the first dialogue, shortest and longest
/// duration. Talk at several distances, and loud beside quiet, as in a film.
const SCRIPT: [(SceneKind, f64, f64, f64); 10] = [
    (SceneKind::Dialogue, 0.0, 9.0, 14.0),
    (SceneKind::Atmosphere, -7.5, 5.0, 8.0),
    (SceneKind::Dialogue, -3.0, 8.0, 13.0),
    (SceneKind::Explosions, 8.0, 6.0, 9.0),
    (SceneKind::Dialogue, 1.5, 7.0, 12.0),
    (SceneKind::Atmosphere, -5.0, 6.0, 10.0),
    (SceneKind::Explosions, 6.0, 5.0, 7.0),
    (SceneKind::Dialogue, -5.0, 8.0, 12.0),
    (SceneKind::Dialogue, 3.5, 7.0, 10.0),
    (SceneKind::Atmosphere, -9.0, 6.0, 9.0),
];
/// Where dialogue stands in the mix of a cinema.
const DIALOGUE_LUFS: f64 = -27.0;
/// Room between the loudest explosion and full scale.
const MOST_PEAK_DBFS: f64 = -0.5;

/// A film of at least `seconds`, which ends with a scene, and whose loudness range by the
/// `ebur128` crate is within 0.2 LU of `range_lu`. Choose two minutes or more.
///
/// # Panics
/// When the range cannot be had: 8 to 20 LU can.
#[must_use]
pub fn film(rate_hz: u32, seconds: f64, range_lu: f64, seed: u64) -> Film {
    let (sounds, scenes) = scenes(rate_hz, seconds, seed);
    // How far the levels of the script are spread makes the range: found by trying.
    let (mut narrow, mut wide) = (0.3, 2.5);
    for _ in 0..24 {
        let spread = (narrow + wide) / 2.0;
        let mixed: Vec<Programme> = sounds
            .iter()
            .map(|(sound, level_lu)| {
                sound.clone().gain_db(DIALOGUE_LUFS + spread * level_lu).faded(0.03)
            })
            .collect();
        let programme = Programme::concat(&mixed);
        let range = oracle::loudness_range(&programme);
        if (range - range_lu).abs() < 0.2 {
            let over_db = 20.0 * f64::from(programme.sample_peak()).log10() - MOST_PEAK_DBFS;
            return Film { programme: programme.gain_db(-over_db.max(0.0)), scenes };
        }
        if range < range_lu {
            narrow = spread;
        } else {
            wide = spread;
        }
    }
    panic!("no film of this script has a loudness range of {range_lu} LU");
}

/// Every scene at 0 LUFS with its level in the script.
fn scenes(rate_hz: u32, seconds: f64, seed: u64) -> (Vec<(Programme, f64)>, Vec<Scene>) {
    let mut random = Random::new(seed);
    let (mut sounds, mut scenes, mut at_s) = (Vec::new(), Vec::new(), 0.0);
    for (kind, level_lu, shortest_s, longest_s) in SCRIPT.into_iter().cycle() {
        if at_s >= seconds {
            break;
        }
        // Whole tenths of a second, so that times and frames agree at any usual rate.
        let length_s = (10.0 * random.between(shortest_s, longest_s)).round() / 10.0;
        let scene_seed = random.next_u64();
        let sound = match kind {
            SceneKind::Dialogue => dialogue(rate_hz, length_s, scene_seed),
            SceneKind::Atmosphere => atmosphere(rate_hz, length_s, scene_seed),
            SceneKind::Explosions => explosions(rate_hz, length_s, scene_seed),
        };
        sounds.push((sound.at_lufs(0.0), level_lu + random.between(-1.0, 1.0)));
        scenes.push(Scene { kind, from_s: at_s, to_s: at_s + length_s });
        at_s += length_s;
    }
    (sounds, scenes)
}

fn dialogue(rate_hz: u32, seconds: f64, seed: u64) -> Programme {
    let words = speech_like(rate_hz, 2, seconds, Pauses::Natural, seed).at_lufs(0.0);
    words.mixed_with(&noise::room(rate_hz, 2, seconds, -35.0, seed))
}

/// Dark noise that swells and sinks, another in each channel.
fn atmosphere(rate_hz: u32, seconds: f64, seed: u64) -> Programme {
    let mut wind = noise::pink(rate_hz, 2, seconds, seed);
    for (channel, plane) in wind.channels.iter_mut().enumerate() {
        let mut dark = Biquad::low_pass(rate_hz, 1_200.0);
        for (n, sample) in plane.iter_mut().enumerate() {
            let turns = n as f64 / f64::from(rate_hz) / (3.1 + channel as f64);
            let swell_db = 2.0 * (std::f64::consts::TAU * turns).sin();
            *sample = (dark.next(f64::from(*sample)) * 10.0_f64.powf(swell_db / 20.0)) as f32;
        }
    }
    wind
}

/// Music under action, and every 1.5 to 3 s an explosion that stands well over it.
fn explosions(rate_hz: u32, seconds: f64, seed: u64) -> Programme {
    let mut random = Random::new(seed);
    let mut scene = music::music_like(rate_hz, 2, seconds, seed).at_lufs(-4.0);
    let mut at_s = random.between(0.3, 1.0);
    while at_s + 1.0 < seconds {
        let blast = explosion(rate_hz, random.between(1.2, 2.5), random.next_u64());
        let silence = Programme::silence(rate_hz, 2, at_s);
        scene = scene.mixed_with(&silence.then(&blast.at_lufs(1.0)));
        at_s += random.between(1.5, 3.0);
    }
    scene.between(0.0, seconds)
}

/// A crack of all frequencies that is there at once, and a rumble that rolls away.
fn explosion(rate_hz: u32, seconds: f64, seed: u64) -> Programme {
    let mut random = Random::new(seed);
    let mut rumble = Biquad::low_pass(rate_hz, 180.0);
    let plane = (0..frames_of(rate_hz, seconds))
        .map(|n| {
            let time_s = n as f64 / f64::from(rate_hz);
            let noise = random.gauss();
            let attack = (time_s / 0.003).min(1.0);
            let crack = 0.5 * (-time_s / 0.15).exp() * noise;
            let roll = (-2.5 * time_s / seconds).exp() * 6.0 * rumble.next(noise);
            // Driven into saturation, as every mixer does with a blast.
            (attack * (crack + roll)).tanh() as f32
        })
        .collect();
    Programme::same(rate_hz, 2, plane).faded(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::ffmpeg;

    #[test]
    fn a_film_has_the_range_that_was_asked_for_by_two_meters() {
        for seed in [1, 2, 3] {
            let film = film(48_000, 120.0, 15.0, seed);
            let range = oracle::loudness_range(&film.programme);
            assert!((range - 15.0).abs() <= 0.2, "seed {seed}: {range} LU");
            assert!(film.programme.sample_peak() <= 0.95);
            if ffmpeg::is_there("a_film_has_the_range_that_was_asked_for_by_two_meters") {
                let range = ffmpeg::read(&film.programme).range_lu;
                assert!((range - 15.0).abs() <= 0.7, "seed {seed}: {range} LU by ffmpeg");
            }
        }
    }

    #[test]
    fn scenes_are_where_they_are_said_to_be() {
        let film = film(48_000, 120.0, 15.0, 4);
        let mean = |kind| {
            let scenes: Vec<&Scene> = film.scenes.iter().filter(|s| s.kind == kind).collect();
            let lufs = |s: &&Scene| oracle::integrated_between(&film.programme, s.from_s, s.to_s);
            scenes.iter().map(lufs).sum::<f64>() / scenes.len() as f64
        };
        let talk = mean(SceneKind::Dialogue);
        assert!(mean(SceneKind::Explosions) > talk + 6.0);
        assert!(mean(SceneKind::Atmosphere) < talk - 4.0);
        let end_s = film.scenes.last().expect("a scene").to_s;
        assert!((film.programme.seconds() - end_s).abs() < 1e-6);
    }
}
