//! A sudden blast over something quiet, through every shipped profile that levels: it is taken
//! down, and what follows it is as it was before.
//!
//! `cargo test --release -p headroom-profile --test bursts -- --nocapture` prints the table.

#![allow(clippy::print_stdout, reason = "tests print what they measure, also through functions")]

use headroom_dsp::{Chain, ChainParams, Layout};
use headroom_profile::Profile;
use headroom_signals::judge::oracle;
use headroom_signals::{Programme, music, noise, speech};

const RATE_HZ: u32 = 48_000;
const BLOCK_FRAMES: usize = 480;
const QUIET_LUFS: f64 = -38.0;
const LOUD_LUFS: f64 = -7.5;
/// By then the slowest of them has settled.
const ONSET_S: f64 = 40.0;
const BURST_S: f64 = 1.0;

fn through(params: &ChainParams, input: &Programme) -> Programme {
    let mut chain = Chain::prepare(input.rate_hz, Layout::STEREO, BLOCK_FRAMES, params)
        .unwrap_or_else(|error| panic!("{error}"));
    input.clone().in_blocks(BLOCK_FRAMES, |block| chain.process(block))
}

fn quiet(name: &str, seconds: f64) -> Programme {
    match name {
        "speech" => speech::speech_like(RATE_HZ, 2, seconds, speech::Pauses::Natural, 1),
        "music" => music::music_like(RATE_HZ, 2, seconds, 1),
        _ => noise::pink(RATE_HZ, 2, seconds, 1),
    }
    .at_lufs(QUIET_LUFS)
}

/// How far over its target a burst may stand once the guard has it. What leaves films and music
/// their range has to leave a scene more room, before the guard takes it for a blast.
fn most_over_target_lu(profile: &str) -> f64 {
    match profile {
        "movie" => 6.0,
        "music" => 9.0,
        _ => 4.0,
    }
}

/// Every profile that levels, and one that turns up sooner than it turns down.
fn levelling() -> Vec<Profile> {
    let shipped = headroom_profile::embedded()
        .map(|(name, _)| headroom_profile::load(name).expect("a shipped profile").profile);
    let mut profiles: Vec<Profile> = shipped.filter(|profile| profile.agc.enabled).collect();
    let hasty = "name = \"hasty\"\ndescription = \"d\"\n\
                 [agc]\nattack_ms = 2000.0\nrelease_ms = 800.0\n";
    profiles.push(Profile::parse("hasty.toml", hasty).expect("valid").profile);
    profiles
}

#[test]
fn a_burst_is_taken_down_and_what_follows_is_as_before_in_every_profile() {
    let profiles = levelling();
    assert!(profiles.len() > 10, "{}", profiles.len());
    let mut broken = Vec::new();
    for under in ["pink", "speech", "music"] {
        let burst = noise::pink(RATE_HZ, 2, BURST_S, 2).at_lufs(LOUD_LUFS);
        let input = Programme::concat(&[quiet(under, ONSET_S), burst, quiet(under, 8.0)]);
        for profile in &profiles {
            let (name, target) = (&profile.name, f64::from(profile.agc.target_lufs));
            let output = through(&profile.chain_params(), &input);
            let before = oracle::integrated_between(&output, ONSET_S - 7.0, ONSET_S);
            let largest = oracle::max_momentary_between(&output, ONSET_S + 0.3, ONSET_S + BURST_S);
            let end = ONSET_S + BURST_S;
            let after = oracle::integrated_between(&output, end + 3.0, end + 7.0);
            let over = largest - target;
            println!(
                "{name:13} {under:7} burst at target {over:+6.2} LU, after it {:+6.2} LU",
                after - before
            );
            if over > most_over_target_lu(name) {
                broken.push(format!("{name}, {under}: {over:+.2} LU over the target"));
            }
            if (after - before).abs() > 3.0 {
                broken.push(format!("{name}, {under}: {before:.2} then {after:.2} LUFS"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
