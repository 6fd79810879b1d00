//! Every kind of programme, from a whisper to a roar, comes out at the target, and the AGC
//! does not pump on any of them.

use super::{RATE_HZ, Run, TARGET_LUFS, pink};
use headroom_dsp::{ChainParams, CompressorParams};
use headroom_signals::judge::{level, oracle};
use headroom_signals::{Programme, music, noise, speech};

const LEVELS_LUFS: [f64; 5] = [-33.0, -26.0, -19.0, -12.0, -5.0];

struct Kind {
    name: &'static str,
    programme: Programme,
    swing_bar_db: f64,
}

fn kinds() -> Vec<Kind> {
    let modulated = |hz| noise::amplitude_modulated(RATE_HZ, 2, 40.0, hz, 12.0, 4);
    // One that is as loud in its last ten seconds as in the ten before: a slow controller is not
    // to follow a speaker who lets his voice sink.
    let speech = speech::speech_like(RATE_HZ, 2, 40.0, speech::Pauses::OneSecond, 3);
    vec![
        Kind { name: "pink noise", programme: pink(40.0, -20.0, 1), swing_bar_db: 0.5 },
        Kind { name: "speech", programme: speech, swing_bar_db: 2.0 },
        Kind {
            name: "music",
            programme: music::music_like(RATE_HZ, 2, 40.0, 3),
            swing_bar_db: 2.0,
        },
        Kind { name: "0.7 Hz", programme: modulated(0.7), swing_bar_db: 2.0 },
        Kind { name: "4 Hz", programme: modulated(4.0), swing_bar_db: 2.0 },
    ]
}

#[test]
fn every_programme_at_every_level_comes_to_the_target() {
    let (mut quietest, mut loudest) = (f64::MAX, f64::MIN);
    println!("{:12}{:>8}{:>9}{:>10}{:>8}", "programme", "in", "out LUFS", "swing dB", "guard");
    for kind in kinds() {
        for lufs in LEVELS_LUFS {
            let run = Run::of(&kind.programme.clone().at_lufs(lufs), &ChainParams::default());
            let out = oracle::integrated_between(&run.output, 20.0, 40.0);
            let (swing, guard) = (run.gain_swing_db(20.0, 40.0), run.largest_guard_db(20.0, 40.0));
            println!("{:12}{lufs:8.1}{out:9.2}{swing:10.2}{guard:8.2}", kind.name);
            assert!((out - TARGET_LUFS).abs() <= 0.5, "{} at {lufs}: {out} LUFS", kind.name);
            assert!(swing <= kind.swing_bar_db, "{} at {lufs}: gain swings {swing}", kind.name);
            assert!(guard <= 1.0, "{} at {lufs}: the guard takes {guard} dB", kind.name);
            quietest = quietest.min(out);
            loudest = loudest.max(out);
        }
    }
    println!("spread {:.2} LU", loudest - quietest);
    assert!(loudest - quietest <= 1.0);
}

/// What was heard first must not decide for ever what is taken for the programme.
#[test]
fn a_programme_comes_to_the_target_wherever_it_begins() {
    let swell = |hz, seed| noise::amplitude_modulated(RATE_HZ, 2, 42.0, hz, 12.0, seed);
    let speech = |seed| speech::speech_like(RATE_HZ, 2, 42.0, speech::Pauses::OneSecond, seed);
    for (name, programme) in [
        ("0.7 Hz", swell(0.7, 4)),
        ("0.7 Hz", swell(0.7, 9)),
        ("1.1 Hz", swell(1.1, 9)),
        ("speech", speech(3)),
        ("speech", speech(10)),
    ] {
        let programme = programme.at_lufs(-5.0);
        let out = [0.0, 0.15, 0.3, 0.45, 0.6, 0.75].map(|from_s| {
            let silence = Programme::silence(RATE_HZ, 2, 0.4 + from_s / 10.0);
            let played = Programme::concat(&[silence, programme.between(from_s, from_s + 41.0)]);
            let run = Run::of(&played, &ChainParams::default());
            oracle::integrated_between(&run.output, 20.0, 40.0)
        });
        println!("{name}: {out:.2?} LUFS");
        for out in out {
            assert!((out - TARGET_LUFS).abs() <= 0.5, "{name}: {out} LUFS");
        }
    }
}

#[test]
fn a_fast_modulation_is_left_in_when_the_compressor_is_off() {
    let mut params = ChainParams::default();
    params.bus.compressor = CompressorParams { enabled: false, ..params.bus.compressor };
    let input = noise::amplitude_modulated(RATE_HZ, 2, 40.0, 4.0, 12.0, 4).at_lufs(-23.0);
    let run = Run::of(&input, &params);
    let left = modulation_db(&run.output.between(20.0, 40.0), 4.0);
    let sent = modulation_db(&input.between(20.0, 40.0), 4.0);
    println!("12 dB at 4 Hz: {sent:.2} dB go in, {left:.2} dB come out");
    assert!(sent > 11.5, "the judge reads {sent} of what was sent");
    assert!(left >= 11.0);
}

/// Peak to peak of the level at one modulation frequency: the level of each 50th of a period,
/// averaged over all periods.
fn modulation_db(programme: &Programme, hz: f64) -> f64 {
    const PHASES: usize = 50;
    let window_s = 1.0 / hz / PHASES as f64;
    let levels = level::windows_db(&programme.channels[0], programme.rate_hz, window_s);
    let mean = |phase: usize| {
        let powers: Vec<f64> =
            levels.iter().skip(phase).step_by(PHASES).map(|db| 10.0_f64.powf(db / 10.0)).collect();
        10.0 * (powers.iter().sum::<f64>() / powers.len() as f64).log10()
    };
    // The noise's own unrest is smaller in the fundamental than in the largest phase.
    let (mut sine, mut cosine) = (0.0, 0.0);
    for phase in 0..PHASES {
        let angle = std::f64::consts::TAU * phase as f64 / PHASES as f64;
        sine += mean(phase) * angle.sin();
        cosine += mean(phase) * angle.cos();
    }
    2.0 * 2.0 / PHASES as f64 * sine.hypot(cosine)
}
