//! Our meters against meters that are not ours: the `ebur128` crate, ffmpeg, and the 16x
//! true-peak judge, on programmes of every kind.

mod metering;

use std::sync::LazyLock;

use headroom_signals::judge::{ffmpeg, oracle, true_peak};
use headroom_signals::speech::{Pauses, speech_like};
use headroom_signals::variety::{Band, random_signal};
use headroom_signals::{Programme, Random, film, music, noise};
use metering::{Measured, assert_reads, measure, over_time, true_peak_dbtp};

const TOLERANCE_LU: f32 = 0.1;

/// Programmes long enough for every window, each of another kind, rate, channel count, level.
///
/// From 22.05 kHz up: below, the crate's own K-weighting misses the standard by more than what
/// is compared here (`bs_2217.rs` judges those rates).
fn programmes() -> &'static [(String, Programme)] {
    static ALL: LazyLock<Vec<(String, Programme)>> = LazyLock::new(make_programmes);
    &ALL
}

fn make_programmes() -> Vec<(String, Programme)> {
    let mut all = Vec::new();
    let mut random = Random::new(77);
    for (index, rate_hz) in [22_050, 32_000, 44_100, 48_000, 96_000].into_iter().enumerate() {
        for channels in [1 + index, 1 + (index + 3) % 8] {
            let seed = random.next_u64();
            let long_s = 12.0;
            let parts = [
                film::film_like(rate_hz, channels, 20.0, seed),
                speech_like(rate_hz, channels, long_s, Pauses::OneSecond, seed),
                music::music_like(rate_hz, channels, long_s, seed),
                noise::amplitude_modulated(rate_hz, channels, long_s, 0.7, 12.0, seed),
                random_signal(rate_hz, channels, long_s, Band::Unlimited, seed),
            ];
            for (kind, part) in parts.into_iter().enumerate() {
                let part = part.at_lufs(random.between(-40.0, -5.0));
                all.push((format!("kind {kind}, {channels} channels at {rate_hz} Hz"), part));
            }
        }
    }
    all
}

fn assert_close(name: &str, ours: f32, theirs: f64, tolerance: f32) {
    if theirs == f64::NEG_INFINITY {
        assert_eq!(ours, f32::NEG_INFINITY, "{name}");
    } else {
        assert_reads(name, ours, theirs as f32, tolerance);
    }
}

#[test]
fn integrated_and_range_are_the_crate_s() {
    for (index, (name, programme)) in programmes().iter().enumerate() {
        let Measured { loudness, range_lu } = measure(programme, index as u64);
        let theirs = oracle::integrated(programme);
        assert_close(&format!("{name}: I"), loudness.integrated.0, theirs, TOLERANCE_LU);
        let theirs = oracle::loudness_range(programme);
        let ours = range_lu.expect("windows of 3 s were heard");
        assert_close(&format!("{name}: LRA"), ours, theirs, TOLERANCE_LU);
    }
}

#[test]
fn momentary_and_short_term_are_the_crate_s_at_every_hop() {
    // Reading the crate every 10 ms is slow: every fourth programme, which is of each kind, rate
    // and some of the channel counts.
    for (name, programme) in programmes().iter().step_by(4) {
        let ours = over_time(programme);
        let momentary = oracle::momentary_over_time(programme);
        let short_term = oracle::short_term_over_time(programme);
        assert_eq!(ours.len(), momentary.len());
        for (hop, reading) in ours.iter().enumerate() {
            // Under -90 LUFS the two differ in what they call silence.
            for (which, ours, theirs) in [
                ("M", reading.momentary.0, momentary[hop].lufs),
                ("S", reading.short_term.0, short_term[hop].lufs),
            ] {
                if theirs > -90.0 || ours > -90.0 {
                    assert_close(&format!("{name}: {which} {hop}"), ours, theirs, TOLERANCE_LU);
                }
            }
        }
    }
}

#[test]
fn the_reading_does_not_depend_on_the_blocks() {
    for (index, (name, programme)) in programmes().iter().step_by(3).enumerate() {
        let first = measure(programme, index as u64);
        assert_eq!(first, measure(programme, 1_000 + index as u64), "{name}");
    }
}

#[test]
fn ffmpeg_agrees() {
    if !ffmpeg::is_there("ffmpeg_agrees") {
        return;
    }
    let stereo = programmes().iter().filter(|(_, p)| p.channels.len() == 2);
    for (name, programme) in stereo {
        let (ours, theirs) = (measure(programme, 9), ffmpeg::read(programme));
        let integrated = ours.loudness.integrated.0;
        assert_close(&format!("{name}: I"), integrated, theirs.integrated_lufs, TOLERANCE_LU);
        // It looks every 100 ms, we look every 10: ours is the larger one.
        let momentary = ours.loudness.max_momentary.0;
        let found = theirs.max_momentary_lufs as f32;
        assert!((-0.1..1.0).contains(&(momentary - found)), "{name}: M {momentary} for {found}");
    }
}

#[test]
fn true_peak_is_the_judge_s() {
    for seed in 0..150 {
        for rate_hz in [44_100, 96_000] {
            let signal = random_signal(rate_hz, 2, 0.25, Band::Below045, seed);
            let ours = true_peak_dbtp(&signal, seed);
            assert_close(&format!("signal {seed}"), ours, true_peak::of(&signal), 0.1);
        }
    }
}

#[test]
fn silence_has_no_true_peak_and_no_loudness() {
    let silence = Programme::silence(48_000, 2, 5.0);
    let measured = measure(&silence, 1);
    assert_eq!(measured.loudness, Default::default());
    assert_eq!(measured.range_lu, None);
    assert_eq!(true_peak_dbtp(&silence, 1), f32::NEG_INFINITY);
}
