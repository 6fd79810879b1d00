//! Promises of the chain as a whole: what it does not touch, what it survives, and that the
//! host may cut its blocks as it likes.

use headroom_dsp::{
    Bus, BusParams, Chain, ChainParams, Db, Detector, Layout, MAX_CHANNELS, Position, PrepareError,
    SoftParams,
};
use headroom_signals::judge::{level, oracle};
use headroom_signals::{Programme, Random, filter, music, noise, tone};

const RATES_HZ: [u32; 8] = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000, 384_000];

/// Runs a programme through the chain in blocks whose lengths `cut` gives, changing parameters
/// where `change` says; the output is as long as the input and late by the latency.
fn run(
    chain: &mut Chain,
    input: &Programme,
    mut cut: impl FnMut() -> usize,
    mut change: impl FnMut(&mut Chain, usize),
) -> Programme {
    let mut output = input.clone();
    let mut at = 0;
    while at < output.frames() {
        let end = (at + cut()).min(output.frames());
        change(chain, at);
        let mut block: [&mut [f32]; MAX_CHANNELS] = Default::default();
        for (plane, samples) in block.iter_mut().zip(&mut output.channels) {
            *plane = &mut samples[at..end];
        }
        chain.process(&mut block[..input.channels.len()]);
        at = end;
    }
    output
}

fn chain(rate_hz: u32, layout: Layout, params: &ChainParams) -> Chain {
    Chain::prepare(rate_hz, layout, 4_096, params).expect("a valid chain")
}

fn nothing_to_do() -> ChainParams {
    let mut params = ChainParams::default();
    params.bus.agc.enabled = false;
    params.bus.compressor.enabled = false;
    params
}

#[test]
fn the_output_is_bit_exact_however_the_host_cuts_its_blocks() {
    for (detector, soft) in [(Detector::Peak, None), (Detector::Rms, Some(SoftParams::default()))] {
        let mut params = ChainParams::default();
        params.bus.compressor.detector = detector;
        params.master.limiter.soft = soft;
        let input = Programme::concat(&[
            music::music_like(44_100, 2, 4.0, 1).at_lufs(-30.0),
            noise::white(44_100, 2, 2.0, 2).at_lufs(-6.0),
            Programme::silence(44_100, 2, 1.0),
            music::music_like(44_100, 2, 2.0, 3).at_lufs(-12.0),
        ]);
        let whole = run(&mut chain(44_100, Layout::STEREO, &params), &input, || 1_024, |_, _| {});
        let mut random = Random::new(5);
        let cut = run(
            &mut chain(44_100, Layout::STEREO, &params),
            &input,
            || [0, 1, 7, 64, 441, 1_000, 4_096][random.below(7)],
            |_, _| {},
        );
        assert!(whole.sample_peak() > 0.1);
        assert!(whole == cut, "{detector:?}: the outputs differ");
    }
}

#[test]
fn with_nothing_to_do_it_is_bit_exact_apart_from_its_delay() {
    for rate_hz in RATES_HZ {
        let input = music::music_like(rate_hz, 2, 1.0, 1).at_sample_peak(-6.0);
        let mut idle = chain(rate_hz, Layout::STEREO, &nothing_to_do());
        let late = idle.latency_frames();
        let output = run(&mut idle, &input, || 480, |_, _| {});
        for (sent, got) in input.channels.iter().zip(&output.channels) {
            assert_eq!(&sent[..sent.len() - late], &got[late..], "at {rate_hz} Hz");
        }
    }
}

#[test]
fn bypass_is_bit_exact_and_comes_without_a_click() {
    let input = tone::sine(48_000, 2, 4.0, 100.0, -12.0);
    let mut bypassed = ChainParams::default();
    bypassed.bus.bypass = true;
    bypassed.master.bypass = true;
    let mut levelling = chain(48_000, Layout::STEREO, &ChainParams::default());
    let late = levelling.latency_frames();
    let output = run(
        &mut levelling,
        &input,
        || 480,
        |chain, at| {
            if at == 96_000 {
                chain.set_params(&bypassed);
            }
        },
    );
    // 20 ms of ramp, and what the limiter needs to go over to its delay.
    let from = 96_000 + 4_800;
    assert_eq!(input.channels[0][from - late..][..48_000], output.channels[0][from..][..48_000]);
    let click = level::sample_peak_db(&above_2_khz(&output, 90_000));
    println!("bypass while a tone plays: {click:.1} dBFS above 2 kHz");
    assert!(click < -60.0);
}

#[test]
fn any_change_of_parameters_is_free_of_clicks() {
    let base = ChainParams::default();
    let mut list = vec![base];
    let mut with = |change: &dyn Fn(&mut ChainParams)| {
        let mut params = base;
        change(&mut params);
        list.push(params);
    };
    with(&|p| p.bus.agc.enabled = false);
    with(&|p| p.bus.agc.target.0 = -24.0);
    with(&|p| p.bus.compressor.enabled = false);
    with(&|p| p.bus.compressor.detector = Detector::Rms);
    with(&|p| p.bus.compressor.ratio = 8.0);
    with(&|p| p.bus.fader = Db(-12.0));
    with(&|p| p.master.limiter.ceiling = Db(-18.0));
    with(&|p| p.master.limiter.lookahead_ms = 9.0);
    with(&|p| p.master.limiter.oversample = headroom_dsp::Oversample::X16);
    for rate_hz in [44_100, 48_000, 96_000, 192_000] {
        let input = tone::sine(rate_hz, 2, 12.0, 100.0, -12.0);
        let mut random = Random::new(3);
        let mut next = rate_hz as usize;
        let output = run(
            &mut chain(rate_hz, Layout::STEREO, &base),
            &input,
            || 1_000,
            |chain, at| {
                if at >= next {
                    chain.set_params(&list[random.below(list.len())]);
                    next = at + rate_hz as usize / 5;
                }
            },
        );
        let heard = above_2_khz(&output, rate_hz as usize / 2);
        let click = level::sample_peak_db(&heard);
        let loudest = level::windows_db(&heard, rate_hz, 0.005).into_iter().fold(-200.0, f64::max);
        println!("{rate_hz} Hz: {click:.1} dBFS, 5 ms at most {loudest:.1} dBFS rms");
        assert!(click < -60.0 && loudest < -70.0, "at {rate_hz} Hz");
    }
}

/// What an 8th-order high-pass at 2 kHz leaves of the first channel, from a frame on.
fn above_2_khz(programme: &Programme, from: usize) -> Vec<f32> {
    let mut filters = [(); 4].map(|()| filter::Biquad::high_pass(programme.rate_hz, 2_000.0));
    let all: Vec<f32> = programme.channels[0]
        .iter()
        .map(|x| filters.iter_mut().fold(f64::from(*x), |x, filter| filter.next(x)) as f32)
        .collect();
    all[from..].to_vec()
}

#[test]
fn every_rate_comes_to_the_target() {
    for rate_hz in RATES_HZ {
        let input = noise::pink(rate_hz, 2, 20.0, 1).at_lufs(-30.0);
        let output = run(
            &mut chain(rate_hz, Layout::STEREO, &ChainParams::default()),
            &input,
            || 960,
            |_, _| {},
        );
        let out = oracle::integrated_between(&output, 12.0, 20.0);
        println!("{rate_hz} Hz: {out:.2} LUFS");
        // K-weighting itself is held to half a LU below 22.05 kHz only.
        let bar = if rate_hz < 22_050 { 0.8 } else { 0.5 };
        assert!((out + 18.0).abs() < bar, "{out} LUFS at {rate_hz} Hz");
    }
}

#[test]
fn all_channels_get_one_gain_and_lfe_counts_nothing() {
    let mut channels = noise::pink(48_000, 6, 15.0, 1).at_lufs(-30.0).channels;
    // A roaring LFE must not turn the rest down.
    channels[3] = tone::sine(48_000, 1, 15.0, 40.0, -20.0).channels[0].clone();
    let input = Programme::new(48_000, channels);
    let mut params = ChainParams::default();
    params.bus.compressor.enabled = false;
    let mut surround = chain(48_000, Layout::SURROUND_5_1, &params);
    let late = surround.latency_frames();
    let output = run(&mut surround, &input, || 1_024, |_, _| {});
    let gain = |channel: usize| {
        output.channels[channel][700_000] / input.channels[channel][700_000 - late]
    };
    for channel in 1..6 {
        assert!((gain(channel) / gain(0) - 1.0).abs() < 1e-4, "channel {channel}");
    }
    assert!(gain(0) > 3.0, "a gain of {} only", gain(0));
}

#[test]
fn what_is_no_number_becomes_silence_and_is_over_with_its_sample() {
    let input = noise::pink(48_000, 2, 6.0, 1).at_lufs(-18.0);
    let mut spoilt = input.clone();
    for (at, bad) in [(96_000, f32::NAN), (96_500, f32::INFINITY), (97_000, f32::MAX)] {
        spoilt.channels[0][at] = bad;
    }
    let params = ChainParams::default();
    let mut watched = chain(48_000, Layout::STEREO, &params);
    let clean = run(&mut chain(48_000, Layout::STEREO, &params), &input, || 1_024, |_, _| {});
    let output = run(&mut watched, &spoilt, || 1_024, |_, _| {});
    assert_eq!(watched.take_meters().bus.bad_samples, 3);
    assert!(output.channels.iter().flatten().all(|x| x.is_finite()));
    let apart = clean.channels[0][110_000..]
        .iter()
        .zip(&output.channels[0][110_000..])
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(apart < 0.01, "still {apart} apart a quarter of a second later");
}

#[test]
fn blocks_that_do_not_fit_are_left_as_they_are() {
    let mut bus = Bus::prepare(48_000, Layout::STEREO, 64, &BusParams::default()).expect("a bus");
    let mut long = vec![0.5_f32; 65];
    let mut other = vec![0.5_f32; 65];
    bus.process(&mut [&mut long, &mut other]);
    bus.process(&mut [&mut long[..10]]);
    bus.process(&mut []);
    bus.process(&mut [&mut long[..10], &mut other[..9]]);
    assert!(long.iter().chain(&other).all(|x| *x == 0.5));
}

#[test]
fn what_cannot_be_prepared_is_refused_with_the_limit() {
    let params = ChainParams::default();
    let refused = |rate_hz, frames| {
        Chain::prepare(rate_hz, Layout::STEREO, frames, &params).map(|_| ()).expect_err("refused")
    };
    assert_eq!(refused(7_999, 64), PrepareError::Rate(7_999));
    assert_eq!(refused(384_001, 64), PrepareError::Rate(384_001));
    assert_eq!(refused(48_000, 0), PrepareError::NoFrames);
    let eight = Layout::new(&[Position::Unknown; 8]).expect("eight channels");
    assert!(Chain::prepare(48_000, eight, 64, &params).is_ok());
}
