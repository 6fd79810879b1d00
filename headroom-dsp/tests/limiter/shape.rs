//! The gain's course: no step, hold and release as set, no bent tones.

use headroom_dsp::{LimiterParams, Link};
use headroom_signals::{Programme, Random, tone};

use crate::limited;

/// The gain over time: a constant of 0.1 beside a signal, under one gain with it.
fn gains(params: &LimiterParams, signal: Vec<f32>, rate_hz: u32) -> Vec<f32> {
    let probe = vec![0.1; signal.len()];
    let input = Programme::new(rate_hz, vec![signal, probe]);
    assert_eq!(params.link, Link::Stereo);
    limited(params, &input).channels[1].iter().map(|sample| sample / 0.1).collect()
}

#[test]
fn the_gain_never_steps() {
    let mut random = Random::new(3);
    for rate_hz in [44_100, 48_000, 96_000] {
        for lookahead_ms in [0.5, 1.0, 2.0, 5.0, 10.0] {
            let params =
                LimiterParams { lookahead_ms, hold_ms: 0.0, release_ms: 5.0, ..Default::default() };
            let signal = (0..rate_hz)
                .map(|_| if random.chance(0.001) { 8.0 * random.sample() as f32 } else { 0.0 })
                .collect();
            let gains = gains(&params, signal, rate_hz);
            let steepest =
                gains.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
            // The slope of a fall of 1 takes its look-ahead, of which the detector's longer
            // kernel and the flat part around a peak take a share.
            let lookahead_frames = lookahead_ms * rate_hz as f32 / 1_000.0;
            let most = 4.4 / lookahead_frames;
            println!("{rate_hz} Hz, {lookahead_ms} ms: steepest {steepest:.4} a frame, {most:.4}");
            assert!(steepest <= most);
            assert!(gains.iter().any(|gain| *gain < 0.3), "nothing was limited");
        }
    }
}

#[test]
fn a_reduction_is_held_then_released_in_its_time() {
    let rate_hz = 48_000;
    for (hold_ms, release_ms) in [(0.0, 80.0), (5.0, 80.0), (50.0, 20.0), (200.0, 300.0)] {
        let params = LimiterParams { hold_ms, release_ms, ..LimiterParams::default() };
        let mut signal = vec![0.0; 2 * rate_hz as usize];
        let at = 4_800;
        signal[at] = 4.0 * 0.891_25;
        let gains = gains(&params, signal, rate_hz);
        let lowest = gains.iter().copied().fold(1.0, f32::min);
        assert!((lowest - 0.25).abs() < 1e-3, "{lowest}");
        let frames = |ms: f32| (ms * 48.0) as usize;
        assert!(gains[at..=at + frames(hold_ms)].iter().all(|gain| (gain - lowest).abs() < 1e-4));
        // 63 % of the way back, counted from when the look-ahead has forgotten the peak.
        let back = lowest + 0.632 * (1.0 - lowest);
        let recovered = at + gains[at..].iter().position(|gain| *gain > back).unwrap();
        let took_ms = (recovered - at) as f32 / 48.0 - hold_ms;
        println!("hold {hold_ms} ms, release {release_ms} ms: 63 % after {took_ms:.1} ms");
        assert!((took_ms - release_ms).abs() < 0.05 * release_ms + 3.0);
    }
}

/// Everything but the fundamental, relative to it, over whole periods.
fn distortion_db(plane: &[f32], frames_per_period: usize) -> f64 {
    let frames = plane.len() / frames_per_period * frames_per_period;
    let plane = &plane[plane.len() - frames..];
    let (mut re, mut im) = (0.0, 0.0);
    let angle = |n: usize| {
        std::f64::consts::TAU * (n % frames_per_period) as f64 / frames_per_period as f64
    };
    for (n, sample) in plane.iter().enumerate() {
        re += f64::from(*sample) * angle(n).cos();
        im += f64::from(*sample) * angle(n).sin();
    }
    (re, im) = (2.0 * re / frames as f64, 2.0 * im / frames as f64);
    let rest: f64 = plane
        .iter()
        .enumerate()
        .map(|(n, sample)| (f64::from(*sample) - re * angle(n).cos() - im * angle(n).sin()).powi(2))
        .sum();
    10.0 * (rest / frames as f64 / ((re * re + im * im) / 2.0)).log10()
}

#[test]
fn tones_are_not_bent() {
    for (hz, most_db) in [(50, -50.0), (100, -60.0), (1_000, -80.0)] {
        for over_db in [3.0, 6.0] {
            let input = tone::sine(48_000, 1, 2.0, f64::from(hz), -1.0 + over_db);
            let output = limited(&LimiterParams::default(), &input);
            let bent_db = distortion_db(&output.channels[0][48_000..], 48_000 / hz as usize);
            println!("THD+N of {hz} Hz at {over_db} dB of reduction: {bent_db:.1} dB");
            assert!(bent_db < most_db);
        }
    }
}
