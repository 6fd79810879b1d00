//! A sudden loud onset: the guard takes it down at once, the AGC does not follow a short one,
//! and takes a lasting one over.

use super::{RATE_HZ, Run, TARGET_LUFS, pink};
use headroom_dsp::{AgcParams, ChainParams};
use headroom_signals::judge::oracle;
use headroom_signals::{Programme, Random, music, noise, speech};

const QUIET_LUFS: f64 = -38.0;
const LOUD_LUFS: f64 = -7.5;
const ONSET_S: f64 = 15.0;

fn quiet(name: &str, seconds: f64, seed: u64) -> Programme {
    match name {
        "speech" => speech::speech_like(RATE_HZ, 2, seconds, speech::Pauses::Natural, seed),
        "music" => music::music_like(RATE_HZ, 2, seconds, seed),
        _ => noise::pink(RATE_HZ, 2, seconds, seed),
    }
    .at_lufs(QUIET_LUFS)
}

fn loud(name: &str, seconds: f64) -> Programme {
    match name {
        "music" => music::music_like(RATE_HZ, 2, seconds, 2),
        "white" => noise::white(RATE_HZ, 2, seconds, 2),
        _ => noise::pink(RATE_HZ, 2, seconds, 2),
    }
    .at_lufs(LOUD_LUFS)
}

#[test]
fn a_short_burst_is_taken_down_and_what_follows_is_as_before() {
    for under in ["pink", "speech", "music"] {
        for burst in ["pink", "music", "white"] {
            let input = Programme::concat(&[
                quiet(under, ONSET_S, 1),
                loud(burst, 1.0),
                quiet(under, 10.0, 1),
            ]);
            let run = Run::of(&input, &ChainParams::default());
            let before = oracle::integrated_between(&run.output, 8.0, ONSET_S);
            let largest = oracle::max_momentary_between(&run.output, ONSET_S + 0.3, ONSET_S + 1.0);
            let after = oracle::integrated_between(&run.output, ONSET_S + 4.0, ONSET_S + 8.0);
            println!(
                "{under:7} {burst:6} burst at target {:+.2} LU, after it {:+.2} LU",
                largest - TARGET_LUFS,
                after - before
            );
            assert!(largest <= TARGET_LUFS + 4.0, "{under}, {burst}: {largest} LUFS");
            assert!((after - before).abs() <= 3.0, "{under}, {burst}: {before} then {after}");
        }
    }
}

/// The AGC hears in steps of 100 ms: a burst may begin anywhere in one.
#[test]
fn a_burst_at_any_moment_leaves_the_next_half_minute_alone() {
    for (under, seconds, shift_ms) in [
        ("pink", 0.5, 70),
        ("pink", 1.0, 0),
        ("pink", 1.0, 10),
        ("pink", 1.0, 90),
        ("pink", 1.2, 40),
        ("speech", 1.0, 50),
        ("speech", 1.2, 0),
    ] {
        let onset_s = ONSET_S + f64::from(shift_ms) / 1_000.0;
        let input = Programme::concat(&[
            quiet(under, onset_s, 1),
            loud("pink", seconds),
            quiet(under, 30.0, 1),
        ]);
        let run = Run::of(&input, &ChainParams::default());
        let end = onset_s + seconds;
        let before = oracle::integrated_between(&run.output, 8.0, ONSET_S);
        let after = oracle::integrated_between(&run.output, end + 12.0, end + 30.0);
        println!("{under:7} {seconds} s, {shift_ms} ms late: {:+.2} LU", after - before);
        assert!((after - before).abs() <= 1.0, "{under}, {seconds} s, {shift_ms} ms");
    }
}

#[test]
fn a_lasting_loud_part_is_handed_over_from_guard_to_agc() {
    for under in ["pink", "speech", "music"] {
        for loud_part in ["pink", "music", "white"] {
            let input = Programme::concat(&[quiet(under, ONSET_S, 1), loud(loud_part, 30.0)]);
            let run = Run::of(&input, &ChainParams::default());
            let end = ONSET_S + 30.0;
            let largest = oracle::max_momentary_between(&run.output, ONSET_S + 0.3, end);
            let settled = oracle::integrated_between(&run.output, ONSET_S + 5.0, end);
            let at_five = oracle::integrated_between(&run.output, ONSET_S + 5.0, ONSET_S + 8.0);
            println!(
                "{under:7} {loud_part:6} at most target {:+.2} LU, 5 to 8 s in {:+.2}, \
                 from 5 s on {:+.2}",
                largest - TARGET_LUFS,
                at_five - TARGET_LUFS,
                settled - TARGET_LUFS
            );
            assert!(largest <= TARGET_LUFS + 4.0, "{under}, {loud_part}: {largest} LUFS");
            assert!((at_five - TARGET_LUFS).abs() <= 1.0, "{under}, {loud_part}: {at_five}");
            assert!((settled - TARGET_LUFS).abs() <= 1.0, "{under}, {loud_part}: {settled}");
        }
    }
}

#[test]
fn the_agc_never_moves_faster_than_its_slew_limits() {
    let mut random = Random::new(7);
    let parts: Vec<Programme> = (0..40)
        .map(|part| {
            let lufs = -45.0 + 40.0 * random.unit();
            pink(0.2 + 3.0 * random.unit(), lufs, part)
        })
        .collect();
    let run = Run::of(&Programme::concat(&parts), &ChainParams::default());
    let AgcParams { rise_db_per_s, fall_db_per_s, .. } = AgcParams::default();
    // A look is 10 ms; the AGC moves once in about 10 ms, so that two moves may fall in it.
    let (mut rise, mut fall) = (0.0_f64, 0.0_f64);
    for looks in run.looks.windows(101) {
        let moved = looks[100].agc_gain_db - looks[0].agc_gain_db;
        rise = rise.max(moved);
        fall = fall.max(-moved);
    }
    println!("at most {rise:.2} dB up and {fall:.2} dB down in a second");
    assert!(rise <= f64::from(rise_db_per_s) * 1.011);
    assert!(fall <= f64::from(fall_db_per_s) * 1.011);
    assert!(fall > 6.0, "the programme was to make it move");
}
