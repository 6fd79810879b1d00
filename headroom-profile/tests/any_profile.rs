//! Whatever a profile says, as long as it passes validation: the chain can be prepared with it,
//! stays finite, and brings what it is able to bring to its target.

#![allow(clippy::print_stdout, reason = "tests print what they measure, also through functions")]

use headroom_dsp::{Bus, Chain, ChainParams, Layout, Master};
use headroom_profile::{Kind, Profile, SETTINGS, Setting, Value};
use headroom_signals::judge::oracle;
use headroom_signals::speech::{Pauses, speech_like};
use headroom_signals::{Programme, Random, noise};

const RATE_HZ: u32 = 48_000;
const BLOCK_FRAMES: usize = 512;

fn plain() -> Profile {
    Profile::parse("p.toml", "name = \"p\"\ndescription = \"d\"\n").expect("valid").profile
}

fn put(profile: &mut Profile, key: &str, value: Value<'_>) {
    let setting = Setting::find(key).expect("a setting");
    setting.put(profile, value).unwrap_or_else(|error| panic!("{error}"));
}

/// A value of a setting: often the very end of its range.
fn any_value(kind: Kind, random: &mut Random) -> Value<'static> {
    match kind {
        Kind::Switch => Value::Switch(random.chance(0.5)),
        Kind::Number(min, max) => Value::Number(any_number(min, max, random)),
        Kind::NumberOrAuto(..) if random.chance(0.5) => Value::Word("auto"),
        Kind::NumberOrAuto(min, max) => Value::Number(any_number(min, max, random)),
        Kind::OneOf(numbers) => Value::Number(f32::from(numbers[random.below(numbers.len())])),
        Kind::Word(words) => Value::Word(words[random.below(words.len())]),
    }
}

fn any_number(min: f32, max: f32, random: &mut Random) -> f32 {
    match random.below(4) {
        0 => min,
        1 => max,
        _ => random.between(f64::from(min), f64::from(max)) as f32,
    }
}

fn any_profile(random: &mut Random) -> Profile {
    loop {
        let mut profile = plain();
        for setting in SETTINGS {
            put(&mut profile, setting.key, any_value(setting.kind, random));
        }
        if profile.conflict().is_none() {
            return profile;
        }
    }
}

fn through(params: &ChainParams, input: &Programme) -> Programme {
    let mut chain = Chain::prepare(input.rate_hz, Layout::STEREO, BLOCK_FRAMES, params)
        .unwrap_or_else(|error| panic!("{error}"));
    input.clone().in_blocks(BLOCK_FRAMES, |block| chain.process(block))
}

/// What leaves the bus.
fn through_bus(params: &ChainParams, input: &Programme) -> Programme {
    let mut bus = Bus::prepare(input.rate_hz, Layout::STEREO, BLOCK_FRAMES, &params.bus)
        .unwrap_or_else(|error| panic!("{error}"));
    input.clone().in_blocks(BLOCK_FRAMES, |block| bus.process(block))
}

fn through_master(params: &ChainParams, input: &Programme) -> Programme {
    let mut master = Master::prepare(input.rate_hz, Layout::STEREO, BLOCK_FRAMES, &params.master)
        .unwrap_or_else(|error| panic!("{error}"));
    input.clone().in_blocks(BLOCK_FRAMES, |block| master.process(block))
}

#[test]
fn no_profile_makes_the_chain_fail_or_leave_its_ceiling() {
    let mut random = Random::new(77);
    for rate_hz in [8_000, 44_100, 48_000, 192_000, 384_000] {
        let input = Programme::concat(&[
            noise::white(rate_hz, 2, 0.15, 1).at_sample_peak(20.0),
            Programme::silence(rate_hz, 2, 0.1),
            noise::pink(rate_hz, 2, 0.25, 2).at_sample_peak(-50.0),
            noise::white(rate_hz, 2, 0.1, 3).at_sample_peak(0.0),
        ]);
        for _ in 0..60 {
            let profile = any_profile(&mut random);
            let params = profile.chain_params();
            let output = through(&params, &input);
            let ceiling = params.master.limiter.ceiling.to_gain().0;
            let peak = output.sample_peak();
            assert!(output.channels.iter().flatten().all(|x| x.is_finite()), "{profile:?}");
            assert!(peak <= ceiling, "{rate_hz} Hz: {peak} over {ceiling}: {profile:?}");
        }
    }
}

const SECONDS: f64 = 60.0;

fn settled_lufs(programme: &Programme) -> f64 {
    oracle::integrated_between(programme, 2.0 / 3.0 * SECONDS, SECONDS)
}

/// Times within which a test can wait for a gain to settle, and a boost and a cut that are
/// enough; all else is any, down to the lowest ceiling that a target allows.
fn any_profile_that_can_settle(random: &mut Random) -> Profile {
    let mut profile = any_profile(random);
    let number = |random: &mut Random, low, high| Value::Number(random.between(low, high) as f32);
    put(&mut profile, "agc.enabled", Value::Switch(true));
    put(&mut profile, "agc.attack_ms", number(random, 50.0, 2_000.0));
    put(&mut profile, "agc.release_ms", number(random, 50.0, 3_000.0));
    put(&mut profile, "agc.rise_db_per_s", number(random, 3.0, 60.0));
    put(&mut profile, "agc.fall_db_per_s", number(random, 6.0, 60.0));
    put(&mut profile, "agc.silence_threshold_lufs", number(random, -70.0, -50.0));
    put(&mut profile, "agc.max_boost_db", Value::Number(30.0));
    put(&mut profile, "agc.max_cut_db", Value::Number(60.0));
    let target = random.between(-40.0, -8.0);
    put(&mut profile, "agc.target_lufs", Value::Number(target as f32));
    let lowest = (target + 3.0).max(-24.0);
    let ceiling = if random.chance(0.3) { lowest } else { random.between(lowest, 0.0) };
    // Rounded up: at the limit, an `f32` may be just over it.
    put(&mut profile, "limiter.ceiling_dbtp", Value::Number((ceiling as f32 + 1e-4).min(0.0)));
    assert!(profile.conflict().is_none());
    profile
}

/// What is as loud as the ceiling lets it be can get no louder: by driving it so much further into
/// the limiter, it gains no more than so much. Nor does the AGC ever make the limiter take more
/// than 12 LU, which a meter may gate a little differently.
const DRIVEN_DB: f64 = 6.0;
const HARDLY_GAINED_LU: f64 = 1.0;
const MOST_LIMITED_LU: f64 = 11.0;

#[test]
fn any_profile_brings_a_steady_programme_to_its_target_or_as_near_as_its_ceiling_lets_it() {
    let speech = speech_like(RATE_HZ, 2, SECONDS, Pauses::Natural, 3);
    let pink = noise::pink(RATE_HZ, 2, SECONDS, 1);
    let mut random = Random::new(2_024);
    let (mut missed, mut reached, mut soft) = (Vec::new(), 0, 0);
    let rounds = if cfg!(debug_assertions) { 24 } else { 64 };
    for round in 0..rounds {
        let profile = any_profile_that_can_settle(&mut random);
        // Behind 100:1 a meter gates other words of speech than in front of it, where the AGC has
        // to: a quarter of a LU is left to that.
        let (kind, programme, within_lu) =
            if round % 2 == 0 { ("pink", &pink, 0.5) } else { ("speech", &speech, 0.75) };
        let target = f64::from(profile.agc.target_lufs);
        let input_lufs = (target + random.between(-20.0, 12.0)).clamp(-38.0, -6.0);
        let params = profile.chain_params();
        let front = through_bus(&params, &programme.clone().at_lufs(input_lufs));
        let lufs = settled_lufs(&through_master(&params, &front));
        let off = lufs - target;
        let limited = settled_lufs(&front) - lufs;
        let mut gained = 0.0;
        if off < -within_lu {
            let driven = front.clone().gain_db(DRIVEN_DB);
            gained = settled_lufs(&through_master(&params, &driven)) - lufs;
        }
        println!(
            "{kind:6} of {input_lufs:6.1} LUFS, target {target:6.1}, ceiling {:+5.1}: {off:+.2} LU, \
             limiter takes {limited:.2}, {DRIVEN_DB} dB more would give {gained:.2}",
            f64::from(profile.limiter.ceiling_dbtp) - target,
        );
        reached += usize::from(off.abs() <= within_lu);
        soft += usize::from(profile.limiter.soft.enabled);
        // Unreachable is only what is not far from all that the ceiling allows, and too quiet.
        let unreachable = off < 0.0 && (gained <= HARDLY_GAINED_LU || limited >= MOST_LIMITED_LU);
        if off.abs() > within_lu && !unreachable {
            missed.push(format!(
                "{kind} of {input_lufs:.1} comes to {lufs:.2}, not {target:.1}, {DRIVEN_DB} dB more \
                 would give {gained:.2}, with {:?} {:?} {:?}",
                profile.agc, profile.compressor, profile.limiter
            ));
        }
    }
    println!("{reached} of {rounds} at their target, {soft} with the soft tier");
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
    assert!(reached >= rounds / 2 && soft >= rounds / 4, "{reached} reached, {soft} soft");
}

#[test]
fn with_no_boost_allowed_nothing_leaves_the_bus_louder_than_it_came() {
    let speech = speech_like(RATE_HZ, 2, SECONDS, Pauses::Natural, 3);
    let pink = noise::pink(RATE_HZ, 2, SECONDS, 1);
    let mut random = Random::new(99);
    for round in 0..8 {
        let mut profile = any_profile_that_can_settle(&mut random);
        put(&mut profile, "agc.max_boost_db", Value::Number(0.0));
        put(&mut profile, "compressor.makeup_db", Value::Word("auto"));
        let (kind, programme) = if round % 2 == 0 { ("pink", &pink) } else { ("speech", &speech) };
        let sent = random.between(-40.0, -6.0);
        let input = programme.clone().at_lufs(sent);
        let front = through_bus(&profile.chain_params(), &input);
        let raised = settled_lufs(&front) - settled_lufs(&input);
        println!("{kind:6} of {sent:6.1} LUFS is raised by {raised:+.2} LU");
        assert!(raised <= 0.5, "{kind} of {sent:.1}: {raised:+.2} LU with {profile:?}");
    }
}
