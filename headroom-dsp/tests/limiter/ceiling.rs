//! Samples: none over the ceiling, none changed below it, each in its place.

use headroom_dsp::limiter::Limiter;
use headroom_dsp::{Db, Layout, LimiterParams, Link, Lufs, Oversample, SoftParams};
use headroom_signals::judge::true_peak::TruePeakJudge;
use headroom_signals::variety::{Band, random_signal};
use headroom_signals::{Programme, Random, filter, music, noise};

use crate::{limited, limited_in_blocks, play, sample_ceiling};

fn random_params(random: &mut Random) -> LimiterParams {
    let oversample = [Oversample::X4, Oversample::X8, Oversample::X16][random.below(3)];
    LimiterParams {
        enabled: true,
        ceiling: Db(random.between(-30.0, 0.0) as f32),
        lookahead_ms: random.between(0.2, 11.0) as f32,
        release_ms: 10.0_f32.powf(random.between(-1.0, 3.7) as f32),
        hold_ms: random.between(0.0, 20.0) as f32,
        oversample,
        link: if random.chance(0.5) { Link::Stereo } else { Link::DualMono },
        soft: random.chance(0.3).then(|| SoftParams {
            max_psr: Db(random.between(0.0, 20.0) as f32),
            static_ceiling: Db(random.between(-20.0, 0.0) as f32),
            attack_ms: random.between(0.0, 20.0) as f32,
            release_ms: random.between(0.0, 500.0) as f32,
        }),
    }
}

#[test]
fn no_sample_passes_the_ceiling_at_any_setting_also_while_settings_change() {
    let mut random = Random::new(1);
    for seed in 0..150 {
        let rate_hz = [8_000, 22_050, 44_100, 48_000, 96_000, 384_000][random.below(6)];
        let channels = 1 + random.below(8);
        let seconds = 6_000.0 / f64::from(rate_hz);
        let mut input = random_signal(rate_hz, channels, seconds, Band::Unlimited, seed);
        if random.chance(0.2) {
            // What no sound is, but a `f32` can be.
            let scale = 10.0_f32.powf(random.between(3.0, 37.5) as f32);
            input = input.map(|sample| (sample * scale).clamp(-f32::MAX, f32::MAX));
        }
        let (first, second) = (random_params(&mut random), random_params(&mut random));
        let layout = Layout::usual(channels).unwrap();
        let mut limiter = Limiter::prepare(rate_hz, layout, 1_024, first).unwrap();
        let change_at = random.below(input.frames());
        let frames = input.frames();
        play(&mut limiter, &mut input.channels, 0..change_at, Lufs(-20.0));
        limiter.set_params(&second);
        play(&mut limiter, &mut input.channels, change_at..frames, Lufs(-30.0));

        let ceiling = sample_ceiling(first.ceiling).max(sample_ceiling(second.ceiling));
        for (n, sample) in input.channels.iter().flatten().enumerate() {
            assert!(
                sample.abs() <= ceiling,
                "{seed}: sample {n} is {sample}, {first:?} {second:?}"
            );
        }
        // Once the fade of 20 ms is over, the new ceiling is all that counts.
        let settled = change_at + rate_hz as usize / 50;
        for sample in input.channels.iter().flat_map(|plane| plane.iter().skip(settled)) {
            assert!(sample.abs() <= sample_ceiling(second.ceiling), "{seed}: {sample}, {second:?}");
        }
    }
}

#[test]
fn after_the_largest_samples_there_are_the_gain_recovers() {
    let mut plane = vec![0.0_f32; 96_000];
    for (n, sample) in plane.iter_mut().take(4_000).enumerate() {
        *sample = if n % 3 == 0 { f32::MAX } else { f32::MIN };
    }
    for (n, sample) in plane.iter_mut().enumerate().skip(4_000) {
        *sample = 0.25 * (n as f32 * 0.05).sin();
    }
    let input = Programme::new(48_000, vec![plane]);
    let output = limited(&LimiterParams::default(), &input);
    assert!(output.channels[0].iter().all(|sample| sample.is_finite()));
    assert!(output.channels[0][90_000..] == input.channels[0][90_000..]);
}

#[test]
fn the_delay_is_the_latency_at_every_setting() {
    for rate_hz in [8_000, 44_100, 48_000, 96_000, 192_000, 384_000] {
        for lookahead_ms in [0.5, 1.0, 2.0, 3.3, 10.0] {
            for enabled in [true, false] {
                let params = LimiterParams { lookahead_ms, enabled, ..LimiterParams::default() };
                let mut limiter = Limiter::prepare(rate_hz, Layout::MONO, 64, params).unwrap();
                let mut planes = vec![vec![0.0; 5_000]];
                planes[0][7] = 0.25;
                for start in (0..5_000).step_by(50) {
                    play(&mut limiter, &mut planes, start..start + 50, Lufs::SILENCE);
                }
                let lookahead = (f64::from(lookahead_ms) * f64::from(rate_hz) / 1_000.0).round();
                assert_eq!(limiter.latency_frames(), lookahead as usize + 16);
                let mut expected = vec![0.0; 5_000];
                expected[7 + limiter.latency_frames()] = 0.25;
                assert!(planes[0] == expected, "{rate_hz} Hz, {params:?}");
            }
        }
    }
}

#[test]
fn what_is_under_the_ceiling_by_the_judge_passes_bit_exact() {
    let judge = TruePeakJudge::new(32);
    let reach_ceiling = |input: Programme| {
        let peaks = input.channels.iter().map(|plane| judge.peak_db(plane));
        let peak_db = peaks.fold(f64::NEG_INFINITY, f64::max);
        // 0.02 dB under the ceiling.
        input.gain_db(-1.02 - peak_db)
    };
    let mut pink = noise::pink(44_100, 2, 1.0, 1);
    let taps = filter::low_pass_taps(0.425, 0.449);
    pink.channels.iter_mut().for_each(|plane| *plane = filter::convolved(plane, &taps));
    let mut inputs = vec![music::music_like(48_000, 2, 2.0, 1), pink];
    inputs.extend((0..60).map(|seed| random_signal(48_000, 2, 0.2, Band::Below045, seed)));
    for (index, input) in inputs.into_iter().map(reach_ceiling).enumerate() {
        for link in [Link::Stereo, Link::DualMono] {
            for lookahead_ms in [0.5, 2.0] {
                let params = LimiterParams { link, lookahead_ms, ..LimiterParams::default() };
                let output = limited(&params, &input);
                assert!(output.channels == input.channels, "signal {index}, {params:?}");
            }
        }
    }
}

#[test]
fn a_gain_that_was_down_comes_back_to_exactly_one() {
    let burst = noise::white(48_000, 2, 0.5, 1).at_sample_peak(12.0);
    let input = burst.then(&noise::pink(48_000, 2, 4.0, 2).at_sample_peak(-3.0));
    for soft in [None, Some(SoftParams::default())] {
        // A static ceiling over the pink noise.
        let soft = soft.map(|soft| SoftParams { static_ceiling: Db(-2.0), ..soft });
        let output = limited(&LimiterParams { soft, ..LimiterParams::default() }, &input);
        let settled = 3 * 48_000;
        assert!(output.channels[0][..24_000] != input.channels[0][..24_000]);
        assert!(output.channels[0][settled..] == input.channels[0][settled..]);
        assert!(output.channels[1][settled..] == input.channels[1][settled..]);
    }
}

#[test]
fn a_limiter_that_is_off_only_delays() {
    let loud = noise::white(48_000, 2, 0.2, 1).at_sample_peak(12.0);
    let params = LimiterParams { enabled: false, ..LimiterParams::default() };
    assert!(limited(&params, &loud).channels == loud.channels);
}

#[test]
fn the_output_is_bit_exact_however_the_blocks_are_cut() {
    let mut random = Random::new(5);
    for seed in 0..40 {
        let rate_hz = [44_100, 48_000, 96_000][random.below(3)];
        let channels = 1 + random.below(3);
        // Loud, silent and quiet stretches, so that the detector rests in between.
        let loud = random_signal(rate_hz, channels, 0.2, Band::Unlimited, seed);
        let silence = Programme::silence(rate_hz, channels, 0.4);
        let quiet = random_signal(rate_hz, channels, 0.2, Band::Below045, seed).gain_db(-40.0);
        let input = Programme::concat(&[loud.clone(), silence, quiet, loud.gain_db(-6.0)]);
        let params = LimiterParams { release_ms: 20.0, ..random_params(&mut random) };
        let whole = limited(&params, &input);
        let most = [1, 17, 64, 480, 1_024][random.below(5)];
        let cut = limited_in_blocks(&params, &input, &mut || random.below(most + 1));
        assert!(whole.channels == cut.channels, "{seed}: blocks up to {most}, {params:?}");
    }
}

#[test]
fn changes_of_settings_are_bit_exact_however_the_blocks_are_cut() {
    let mut random = Random::new(6);
    for seed in 0..20 {
        let input = random_signal(48_000, 2, 0.4, Band::Unlimited, seed);
        let list: Vec<LimiterParams> = (0..4).map(|_| random_params(&mut random)).collect();
        let changes_at = [3_000, 3_500, 9_000];
        let mut run = |most: usize| {
            let layout = Layout::STEREO;
            let mut limiter = Limiter::prepare(48_000, layout, 1_024, list[0]).unwrap();
            let mut planes = input.channels.clone();
            let mut done = 0;
            while done < input.frames() {
                if let Some(change) = changes_at.iter().position(|at| *at == done) {
                    limiter.set_params(&list[1 + change]);
                }
                let next = changes_at.iter().find(|at| **at > done);
                let end = (done + 1 + random.below(most)).min(*next.unwrap_or(&input.frames()));
                play(&mut limiter, &mut planes, done..end, Lufs(-20.0));
                done = end;
            }
            planes
        };
        assert!(run(1_024) == run(50), "{seed}");
    }
}
