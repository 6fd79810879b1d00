//! Settings that change while a low tone plays: nothing may be heard above it.

use headroom_dsp::limiter::Limiter;
use headroom_dsp::{Db, Layout, LimiterParams, Link, Lufs, Oversample, SoftParams};
use headroom_signals::judge::click::{Loudest, above_2_khz};
use headroom_signals::{Random, tone};

use crate::play;

const TONE_HZ: f64 = 100.0;
const TONE_DBFS: f64 = -12.0;
const WINDOW_MOST_DBFS: f64 = -70.0;
const SAMPLE_MOST_DBFS: f64 = -60.0;

/// The loudest of what is heard above 2 kHz while the settings go through a list and back to the first.
fn clicks(rate_hz: u32, list: &[LimiterParams]) -> Loudest {
    let seconds = 0.3 + 0.09 * list.len() as f64;
    let mut planes = tone::sine(rate_hz, 2, seconds, TONE_HZ, TONE_DBFS).channels;
    let mut limiter = Limiter::prepare(rate_hz, Layout::STEREO, 1_024, list[0]).expect("a limiter");
    let frames = planes[0].len();
    let start = rate_hz as usize / 5;
    // Not a whole number of periods apart, so that changes meet every phase.
    let apart = rate_hz as usize * 73 / 1_000;
    let mut done = 0;
    while done < frames {
        let since = done.saturating_sub(start);
        if done >= start && since.is_multiple_of(apart) {
            limiter.set_params(&list[(1 + since / apart) % list.len()]);
        }
        let next_change = start + (done.max(start) - start) / apart * apart + apart;
        let end = if done < start { start } else { next_change };
        let end = end.min(done + 256).min(frames);
        play(&mut limiter, &mut planes, done..end, Lufs::SILENCE);
        done = end;
    }
    planes.iter().fold(Loudest::SILENCE, |loudest, plane| {
        // The start of the tone behind the filter is no click of ours.
        let above = &above_2_khz(plane, rate_hz)[rate_hz as usize / 10..];
        loudest.max(Loudest::of(above, rate_hz))
    })
}

fn lists() -> Vec<(&'static str, Vec<LimiterParams>)> {
    let base = LimiterParams::default();
    let lookahead = |lookahead_ms| LimiterParams { lookahead_ms, ..base };
    let ceiling = |ceiling| LimiterParams { ceiling: Db(ceiling), ..base };
    let hot = LimiterParams { ceiling: Db(-18.0), ..base };
    vec![
        ("look-ahead", [0.5, 10.0, 2.0, 5.0, 1.0, 10.0].map(lookahead).to_vec()),
        (
            "oversample",
            [Oversample::X8, Oversample::X16, Oversample::X4]
                .map(|oversample| LimiterParams { oversample, ..base })
                .to_vec(),
        ),
        (
            "link",
            [Link::Stereo, Link::DualMono].map(|link| LimiterParams { link, ..base }).to_vec(),
        ),
        (
            "link while limiting",
            [Link::Stereo, Link::DualMono].map(|link| LimiterParams { link, ..hot }).to_vec(),
        ),
        ("ceiling", [-1.0, -13.0, -6.0, -24.0, 0.0].map(ceiling).to_vec()),
        (
            "release",
            [80.0, 1.0, 1_000.0].map(|release_ms| LimiterParams { release_ms, ..base }).to_vec(),
        ),
        (
            "look-ahead while limiting",
            [0.5, 10.0, 2.0].map(|lookahead_ms| LimiterParams { lookahead_ms, ..hot }).to_vec(),
        ),
        ("hold", [0.0, 100.0].map(|hold_ms| LimiterParams { hold_ms, ..base }).to_vec()),
        ("on and off", [true, false].map(|enabled| LimiterParams { enabled, ..hot }).to_vec()),
        (
            "soft tier",
            [None, Some(SoftParams { static_ceiling: Db(-20.0), ..SoftParams::default() })]
                .map(|soft| LimiterParams { soft, ..base })
                .to_vec(),
        ),
    ]
}

#[test]
fn no_change_of_settings_clicks() {
    for rate_hz in [44_100, 48_000, 96_000, 192_000] {
        for (name, list) in lists() {
            let Loudest { window_dbfs: window, sample_dbfs: sample } = clicks(rate_hz, &list);
            println!(
                "{rate_hz} Hz, {name}: loudest 5 ms {window:.1} dBFS, largest sample {sample:.1} dBFS"
            );
            assert!(window <= WINDOW_MOST_DBFS, "{name} at {rate_hz} Hz: {window:.1} dBFS");
            assert!(sample <= SAMPLE_MOST_DBFS, "{name} at {rate_hz} Hz: {sample:.1} dBFS");
        }
    }
}

#[test]
fn of_settings_that_come_during_a_fade_the_newest_is_taken() {
    let mut limiter = Limiter::prepare(48_000, Layout::MONO, 64, LimiterParams::default()).unwrap();
    let mut random = Random::new(1);
    let mut planes = vec![(0..48_000).map(|_| random.sample() as f32).collect::<Vec<f32>>()];
    for (n, start) in (0..48_000).step_by(64).enumerate() {
        if n < 20 {
            let ceiling = Db(-(n as f32));
            limiter.set_params(&LimiterParams { ceiling, ..LimiterParams::default() });
        }
        play(&mut limiter, &mut planes, start..start + 64, Lufs::SILENCE);
    }
    let peak = planes[0][24_000..].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let ceiling = Db(-19.0).to_gain().0;
    // White noise peaks between its samples, so these stay a little lower.
    assert!(peak <= ceiling && peak > 0.7 * ceiling, "{peak}");
}

#[test]
fn the_latency_is_that_of_the_newest_settings_and_the_audio_follows() {
    let mut limiter = Limiter::prepare(48_000, Layout::MONO, 64, LimiterParams::default()).unwrap();
    assert_eq!(limiter.latency_frames(), 96 + 16);
    limiter.set_params(&LimiterParams { lookahead_ms: 5.0, ..LimiterParams::default() });
    assert_eq!(limiter.latency_frames(), 240 + 16);
    let mut planes = vec![vec![0.0; 4_800]];
    planes[0][2_000] = 0.5;
    play(&mut limiter, &mut planes, 0..4_800, Lufs::SILENCE);
    assert_eq!(planes[0].iter().position(|sample| *sample != 0.0), Some(2_000 + 240 + 16));
    assert_eq!(planes[0][2_000 + 240 + 16], 0.5);
}

#[test]
fn another_rate_starts_anew_with_the_same_settings() {
    let mut limiter = Limiter::prepare(48_000, Layout::MONO, 64, LimiterParams::default()).unwrap();
    let mut loud = vec![tone::sine(48_000, 1, 0.1, 1_000.0, 12.0).channels[0].clone()];
    play(&mut limiter, &mut loud, 0..4_800, Lufs::SILENCE);
    for rate_hz in [384_000, 8_000, 96_000] {
        limiter.set_rate(rate_hz);
        let mut fresh =
            Limiter::prepare(rate_hz, Layout::MONO, 64, LimiterParams::default()).unwrap();
        assert_eq!(limiter.latency_frames(), fresh.latency_frames());
        let input = tone::sine(rate_hz, 1, 6_000.0 / f64::from(rate_hz), 700.0, 6.0).channels;
        let (mut a, mut b) = (input.clone(), input);
        play(&mut limiter, &mut a, 0..6_000, Lufs::SILENCE);
        play(&mut fresh, &mut b, 0..6_000, Lufs::SILENCE);
        assert!(a == b, "{rate_hz} Hz");
    }
}
