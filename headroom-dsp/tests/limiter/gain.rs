//! What the gain does: links, reduction meter, soft tier.

use headroom_dsp::limiter::Limiter;
use headroom_dsp::{Db, Gain, Layout, LimiterParams, Link, Lufs, SoftParams};
use headroom_signals::judge::level;
use headroom_signals::{Programme, noise, tone};

use crate::{limited, limiter_for, play, sample_ceiling};

fn left_loud_right_quiet() -> Programme {
    let loud = tone::sine(48_000, 1, 0.5, 1_000.0, 5.0);
    let quiet = tone::sine(48_000, 1, 0.5, 700.0, -20.0);
    Programme::new(48_000, vec![loud.channels[0].clone(), quiet.channels[0].clone()])
}

#[test]
fn linked_channels_share_one_gain() {
    let input = left_loud_right_quiet();
    let output = limited(&LimiterParams::default(), &input);
    let gain_db = |channel: usize| {
        level::rms_db(&output.channels[channel][4_800..19_200])
            - level::rms_db(&input.channels[channel][4_800..19_200])
    };
    println!("left {:.3} dB, right {:.3} dB", gain_db(0), gain_db(1));
    assert!((gain_db(0) + 6.0).abs() < 0.1);
    assert!((gain_db(0) - gain_db(1)).abs() < 0.05);
}

#[test]
fn in_dual_mono_each_channel_has_its_own_gain() {
    let input = left_loud_right_quiet();
    let params = LimiterParams { link: Link::DualMono, ..LimiterParams::default() };
    let output = limited(&params, &input);
    assert!(output.channels[1] == input.channels[1]);
    let alone = Programme::new(48_000, vec![input.channels[0].clone()]);
    assert!(output.channels[0] == limited(&params, &alone).channels[0]);
}

#[test]
fn a_linked_pair_is_limited_as_its_larger_channel_alone() {
    let loud = noise::white(48_000, 1, 0.3, 1).at_sample_peak(9.0);
    let pair = Programme::new(
        48_000,
        vec![
            loud.channels[0].iter().map(|sample| 0.5 * sample).collect(),
            loud.channels[0].clone(),
        ],
    );
    let output = limited(&LimiterParams::default(), &pair);
    assert!(output.channels[1] == limited(&LimiterParams::default(), &loud).channels[0]);
}

#[test]
fn the_largest_reduction_is_told_once() {
    let input = tone::sine(48_000, 2, 0.2, 1_000.0, 2.0);
    let mut limiter = limiter_for(&LimiterParams::default(), &input);
    let mut planes = input.channels;
    assert_eq!(limiter.take_reduction(), Db(0.0));
    play(&mut limiter, &mut planes, 0..9_600, Lufs::SILENCE);
    let reduction = limiter.take_reduction();
    assert!((reduction.0 - 3.0).abs() < 0.05, "{reduction:?}");
    assert_eq!(limiter.take_reduction(), Db(0.0));
}

fn with_soft(soft: SoftParams) -> LimiterParams {
    LimiterParams { soft: Some(soft), ..LimiterParams::default() }
}

fn soft_run(input: &Programme, programme: Lufs) -> Programme {
    let params = with_soft(SoftParams::default());
    let mut limiter = limiter_for(&params, input);
    let mut planes = input.channels.clone();
    let frames = input.frames();
    for start in (0..frames).step_by(480) {
        play(&mut limiter, &mut planes, start..frames.min(start + 480), programme);
    }
    Programme::new(input.rate_hz, planes)
}

#[test]
fn the_soft_tier_caps_peaks_at_the_programmes_loudness_plus_max_psr() {
    let soft = SoftParams::default();
    for loudness in [-18.0, -23.0, -30.0] {
        let input = tone::sine(48_000, 2, 1.0, 1_000.0, -2.0);
        let output = soft_run(&input, Lufs(loudness));
        let cap_db = f64::from(loudness + soft.max_psr.0);
        let settled_db = level::sample_peak_db(&output.channels[0][24_000..]);
        println!("programme {loudness} LUFS: peaks at {settled_db:.2} dBFS, cap {cap_db:.2}");
        assert!(settled_db < cap_db + 0.1 && settled_db > cap_db - 0.5);
    }
}

#[test]
fn until_there_is_a_programme_the_soft_tier_has_its_static_ceiling() {
    let input = tone::sine(48_000, 2, 1.0, 1_000.0, -2.0);
    let output = soft_run(&input, Lufs::SILENCE);
    let settled_db = level::sample_peak_db(&output.channels[0][24_000..]);
    let cap_db = f64::from(SoftParams::default().static_ceiling.0);
    assert!(settled_db < cap_db + 0.1 && settled_db > cap_db - 0.5, "{settled_db}");
}

#[test]
fn the_soft_tier_never_makes_louder_and_leaves_small_crests_alone() {
    let input = noise::pink(48_000, 2, 1.0, 1).at_sample_peak(-7.0);
    // 14 dB over -18 LUFS is more than any peak.
    let output = soft_run(&input, Lufs(-18.0));
    let latency = Limiter::prepare(48_000, Layout::STEREO, 1, with_soft(SoftParams::default()))
        .unwrap()
        .latency_frames();
    assert!(output.channels[0][latency..] == input.channels[0][..input.frames() - latency]);

    let hot = noise::white(48_000, 2, 0.5, 1).at_sample_peak(6.0);
    let output = soft_run(&hot, Lufs(-30.0));
    for (out, input) in output.channels[0][latency..].iter().zip(&hot.channels[0]) {
        assert!(out.abs() <= input.abs());
    }
    assert!(output.sample_peak() <= sample_ceiling(Db(-1.0)));
}

#[test]
fn the_soft_tier_is_slower_than_the_limiter() {
    // A short burst: the attack of 50 ms has hardly begun when it is over.
    let soft = SoftParams { attack_ms: 50.0, ..SoftParams::default() };
    let input = tone::sine(48_000, 1, 0.005, 1_000.0, -2.0);
    let output = limited(&with_soft(soft), &input);
    let reduction = Gain(output.sample_peak() / input.sample_peak()).to_db();
    assert!(reduction.0 > -1.5 && reduction.0 < 0.0, "{reduction:?}");
}
