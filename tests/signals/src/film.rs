//! Something with the dynamics of a film: whispers, talk, quiet rooms and loud action, with a
//! loudness range of about 15 LU.

use crate::speech::{Pauses, speech_like};
use crate::{Programme, music, noise};

/// Scenes of 8 s whose loudness runs through about 18 LU; the middle is talk at -27 LUFS.
/// Choose 60 s or more: fewer scenes have a smaller range.
#[must_use]
pub fn film_like(rate_hz: u32, channels: usize, seconds: f64, seed: u64) -> Programme {
    // In this order loud and quiet scenes stand beside each other, as they do in a film.
    const SCENES_LUFS: [f64; 8] = [-27.0, -36.0, -24.0, -30.0, -19.0, -33.0, -21.5, -28.5];
    const SCENE_S: f64 = 8.0;
    // Every loudness between those of the scenes is heard too: a percentile of a few plateaus
    // would jump from one to the next with the pace at which a meter looks.
    const SWELL_S: f64 = 5.3;
    const SWELL_DB: f64 = 2.5;
    let mut film: Option<Programme> = None;
    for (scene, lufs) in SCENES_LUFS.into_iter().cycle().enumerate() {
        if film.as_ref().is_some_and(|film| film.seconds() >= seconds) {
            break;
        }
        let seed = seed.wrapping_add(scene as u64);
        let sound = match scene % 4 {
            0 | 2 => speech_like(rate_hz, channels, SCENE_S, Pauses::Natural, seed),
            1 => noise::pink(rate_hz, channels, SCENE_S, seed),
            _ => music::music_like(rate_hz, channels, SCENE_S, seed),
        };
        let sound = sound.at_lufs(lufs).faded(0.05);
        film = Some(match film {
            Some(so_far) => so_far.then(&sound),
            None => sound,
        });
    }
    let mut film = film.expect("there are scenes").between(0.0, seconds);
    for plane in &mut film.channels {
        for (n, sample) in plane.iter_mut().enumerate() {
            let turns = n as f64 / f64::from(rate_hz) / SWELL_S;
            let swell_db = SWELL_DB * (std::f64::consts::TAU * turns).sin();
            *sample = (f64::from(*sample) * 10.0_f64.powf(swell_db / 20.0)) as f32;
        }
    }
    film
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::oracle;

    #[test]
    fn a_film_has_a_loudness_range_of_about_15() {
        let range = oracle::loudness_range(&film_like(48_000, 2, 64.0, 31));
        assert!((13.5..16.5).contains(&range), "{range}");
    }
}
