//! What the demonstration plays: a handful of apps, each as badly behaved as real ones.
//!
//! Each part is a file that one client plays. The parts say nothing of how they are judged; that
//! is [`crate::judgement`]'s.

use headroom_signals::speech::{Pauses, speech_like};
use headroom_signals::{Programme, music, noise};

/// The rate of every part.
pub(crate) const RATE_HZ: u32 = 48_000;

/// Which part of the demonstration something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A talk that was recorded too quietly.
    QuietTalk,
    /// A master that was made to be the loudest.
    LoudMusic,
    /// A video that whispers.
    WhisperedVideo,
    /// The next one screams.
    ScreamedVideo,
    /// A film: quiet, then one second of everything, then quiet.
    Bang,
    /// Samples within full scale, peaks between them 3 dB over it.
    HotPeaks,
    /// Somebody speaks, thinks for a while, and goes on.
    Pause,
}

/// One app with what it plays.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Which one it is.
    pub(crate) kind: Kind,
    /// What the table calls it.
    pub(crate) title: &'static str,
    /// What the plot calls it, in short lines.
    pub(crate) label: &'static str,
    /// The `node.name` of the client that plays it.
    pub(crate) app: &'static str,
    /// What it plays.
    pub(crate) sound: Programme,
}

/// Where the film gets loud, and for how long.
pub(crate) const BANG_AT_S: f64 = 15.0;
/// How long the bang lasts.
pub(crate) const BANG_S: f64 = 1.0;
/// How long somebody speaks before he thinks.
pub(crate) const TALK_BEFORE_PAUSE_S: f64 = 8.0;
/// For how long he thinks.
pub(crate) const PAUSE_S: f64 = 6.0;

/// Every part, in the order of play.
pub(crate) fn parts() -> Vec<Part> {
    let part = |kind, title, label, app, sound: Programme| Part {
        kind,
        title,
        label,
        app,
        // No client begins or ends with a click.
        sound: sound.faded(0.01),
    };
    // No step down is over 20 LU: Headroom would take the new app for a pause of the old one, and
    // would wait longer than anybody wants to watch.
    vec![
        part(
            Kind::QuietTalk,
            "a talk, recorded too low",
            "quiet\ntalk",
            "try-talk",
            talk(20.0, 1).at_lufs(-33.0),
        ),
        part(
            Kind::Bang,
            "a film: quiet, a bang, quiet",
            "film: quiet,\na bang, quiet",
            "try-film",
            film(),
        ),
        part(
            Kind::Pause,
            "a call with a long pause",
            "call with\na pause",
            "try-call",
            talk_with_pause(),
        ),
        part(Kind::HotPeaks, "hits, hot between samples", "hot\npeaks", "try-hits", hot_hits(8.0)),
        part(
            Kind::LoudMusic,
            "music, mastered too loud",
            "loud\nmusic",
            "try-music",
            mastered(music::music_like(RATE_HZ, 2, 18.0, 2), -6.0),
        ),
        part(
            Kind::WhisperedVideo,
            "a video that whispers",
            "a video\nwhispers",
            "try-video-1",
            talk(26.0, 3).at_lufs(-22.0),
        ),
        part(
            Kind::ScreamedVideo,
            "the next one screams",
            "the next\nscreams",
            "try-video-2",
            mastered(talk(16.0, 4), -8.0),
        ),
    ]
}

fn talk(seconds: f64, seed: u64) -> Programme {
    speech_like(RATE_HZ, 2, seconds, Pauses::Natural, seed)
}

fn film() -> Programme {
    let pink = |seconds, lufs, seed| noise::pink(RATE_HZ, 2, seconds, seed).at_lufs(lufs);
    Programme::concat(&[
        pink(BANG_AT_S, -38.0, 5),
        mastered(noise::pink(RATE_HZ, 2, BANG_S, 6), -7.5),
        pink(8.0, -38.0, 7),
    ])
}

fn talk_with_pause() -> Programme {
    let said = talk(TALK_BEFORE_PAUSE_S, 8).at_lufs(-24.0);
    let thought = noise::room(RATE_HZ, 2, PAUSE_S, -60.0, 9);
    Programme::concat(&[said.clone(), thought, said])
}

/// Hits of 2 ms over soft noise: too short for anything but a limiter. Each is a quarter of the
/// rate at 45 degrees, so that every crest lies in the middle between two samples, 3 dB over them.
fn hot_hits(seconds: f64) -> Programme {
    const HIT_FRAMES: usize = 96;
    const APART_FRAMES: usize = RATE_HZ as usize / 2;
    const SAMPLE_PEAK: f32 = 0.95;
    let mut sound = noise::pink(RATE_HZ, 2, seconds, 10).at_lufs(-30.0);
    for plane in &mut sound.channels {
        for hit in plane.chunks_mut(APART_FRAMES) {
            for (n, sample) in hit.iter_mut().take(HIT_FRAMES).enumerate() {
                *sample = if n / 2 % 2 == 0 { SAMPLE_PEAK } else { -SAMPLE_PEAK };
            }
        }
    }
    sound
}

/// As loud masters are made: pressed against full scale until the loudness is reached.
fn mastered(sound: Programme, lufs: f64) -> Programme {
    const FULL_SCALE: f64 = 0.99;
    let press = |drive_db: f64| {
        let pressed = sound.clone().gain_db(drive_db);
        pressed.map(|y| (FULL_SCALE * f64::from(y).tanh()) as f32)
    };
    // Loudness grows with the drive: halve the interval until it is a hundredth of a decibel.
    let (mut low_db, mut high_db) = (-40.0, 40.0);
    while high_db - low_db > 0.01 {
        let middle_db = f64::midpoint(low_db, high_db);
        if headroom_signals::judge::oracle::integrated(&press(middle_db)) < lufs {
            low_db = middle_db;
        } else {
            high_db = middle_db;
        }
    }
    press(f64::midpoint(low_db, high_db))
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_signals::judge::{oracle, true_peak};

    #[test]
    fn every_part_can_be_a_real_file_and_all_of_them_fit_in_two_and_a_half_minutes() {
        let parts = parts();
        for part in &parts {
            assert!(part.sound.sample_peak() <= 1.0, "{} clips", part.title);
        }
        let seconds: f64 = parts.iter().map(|part| part.sound.seconds()).sum();
        assert!((100.0..150.0).contains(&seconds), "{seconds}");
    }

    #[test]
    fn loud_is_loud_and_hot_is_hot() {
        let parts = parts();
        let of = |kind| &parts.iter().find(|part| part.kind == kind).expect("it is there").sound;
        assert!((oracle::integrated(of(Kind::LoudMusic)) + 6.0).abs() < 0.2);
        assert!((oracle::integrated(of(Kind::QuietTalk)) + 33.0).abs() < 0.2);
        assert!(true_peak::of(of(Kind::HotPeaks)) > 2.0);
    }
}
