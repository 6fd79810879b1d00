//! The true peak behind the limiter, by judges of different lengths.

use headroom_dsp::{LimiterParams, Link, Oversample};
use headroom_signals::judge::true_peak::TruePeakJudge;
use headroom_signals::variety::{Band, random_signal};
use headroom_signals::{Programme, ebu, noise, tone};

use crate::limited;

/// What content below 0.45 of the sample rate may read over the ceiling.
const BELOW_045_DB: f64 = 0.1;
/// What anything at all may.
const ANYTHING_DB: f64 = 0.5;
const SETTINGS: [Oversample; 2] = [Oversample::X8, Oversample::X16];
const RATES_HZ: [u32; 5] = [44_100, 48_000, 88_200, 96_000, 192_000];

fn with(oversample: Oversample) -> LimiterParams {
    LimiterParams { oversample, ..LimiterParams::default() }
}

fn over_db(judge: &TruePeakJudge, params: &LimiterParams, input: &Programme) -> f64 {
    let output = limited(params, input);
    let peaks = output.channels.iter().map(|plane| judge.peak_db(plane));
    peaks.fold(f64::NEG_INFINITY, f64::max) - f64::from(params.ceiling.0)
}

fn judges() -> [(usize, TruePeakJudge); 3] {
    [16, 32, 64].map(|reach| (reach, TruePeakJudge::new(reach)))
}

/// Plays a signal at every setting, judges it by every judge, and fails over `most_db`.
fn check(name: &str, input: &Programme, most_db: f64) {
    for oversample in SETTINGS {
        for (reach, judge) in judges() {
            let over = over_db(&judge, &with(oversample), input);
            println!(
                "{name}, {} Hz, {oversample:?}, judge of {reach}: {over:+.3} dB",
                input.rate_hz
            );
            assert!(over <= most_db, "{name}: {over:+.3} dB over the ceiling");
        }
    }
}

#[test]
fn the_true_peak_cases_of_tech_3341_stay_under_the_ceiling() {
    for rate_hz in RATES_HZ {
        for case in ebu::true_peak_cases(rate_hz, 1) {
            let hot = case.programme.gain_db(9.0);
            check(&format!("3341 case {}", case.number), &hot, BELOW_045_DB);
        }
    }
}

#[test]
fn noise_at_12_db_over_full_scale_stays_under_the_ceiling() {
    for rate_hz in RATES_HZ {
        let seconds = 0.3 * 48_000.0 / f64::from(rate_hz);
        // It reaches half the sample rate, and keeps to the narrower bar all the same, but for
        // the longest judge.
        let white = noise::white(rate_hz, 2, seconds, 1).at_sample_peak(12.0);
        for (reach, judge) in judges() {
            for oversample in SETTINGS {
                let over = over_db(&judge, &with(oversample), &white);
                println!("white, {rate_hz} Hz, {oversample:?}, judge of {reach}: {over:+.3} dB");
                assert!(over <= if reach > 32 { ANYTHING_DB } else { BELOW_045_DB });
            }
        }
        let pink = noise::pink(rate_hz, 2, seconds, 1).at_sample_peak(12.0);
        check("pink", &pink, BELOW_045_DB);
    }
}

#[test]
fn squares_pulses_and_tones_between_the_samples_stay_under_the_ceiling() {
    for rate_hz in RATES_HZ {
        let square = tone::square(rate_hz, 1, 0.1, 441.0, 6.0);
        check("square", &square, BELOW_045_DB);
        check("impulse pairs", &tone::impulse_pairs(rate_hz, 1, 0.3, 9.0), BELOW_045_DB);
        let between = tone::at_fraction(rate_hz, 1, 0.1, 0.25, 45.0, 6.0);
        check("fs/4 at 45 degrees", &between, BELOW_045_DB);
        check("hot", &tone::hot_inter_sample(rate_hz, 1, 0.3, 3.0), BELOW_045_DB);
        for turns in [0.31, 0.41, 0.43, 0.449] {
            let high = tone::at_fraction(rate_hz, 1, 0.1, turns, 10.0, 6.0);
            check(&format!("{turns} fs"), &high, BELOW_045_DB);
        }
    }
}

#[test]
fn alternation_at_half_the_rate_that_skips_a_beat_stays_under_by_judges_of_any_length() {
    for rate_hz in RATES_HZ {
        check("flipped", &tone::flipped_nyquist(rate_hz, 1, 0.2, 0.0), ANYTHING_DB);
    }
    // The shortest look-ahead leaves the detector less to look at.
    for lookahead_ms in [0.5, 1.0, 5.0, 10.0] {
        let params = LimiterParams { lookahead_ms, ..LimiterParams::default() };
        let flipped = tone::flipped_nyquist(48_000, 1, 0.2, 0.0);
        for (reach, judge) in judges() {
            let over = over_db(&judge, &params, &flipped);
            println!("flipped, look-ahead {lookahead_ms} ms, judge of {reach}: {over:+.3} dB");
            assert!(over <= ANYTHING_DB || (lookahead_ms < 1.0 && reach > 32));
        }
    }
}

/// A thousand signals at changing rates, settings and links. The largest reading over the
/// ceiling of each judge.
fn search(band: Band) -> [f64; 3] {
    let judges = judges();
    let mut worst = [f64::NEG_INFINITY; 3];
    for seed in 0..1_000 {
        let rate_hz = RATES_HZ[seed as usize % RATES_HZ.len()];
        let channels = 1 + usize::from(seed % 7 == 0);
        let input = random_signal(rate_hz, channels, 4_096.0 / f64::from(rate_hz), band, seed);
        let params = LimiterParams {
            link: if seed % 2 == 0 { Link::Stereo } else { Link::DualMono },
            hold_ms: [0.0, 5.0][seed as usize / 2 % 2],
            release_ms: [80.0, 1.0, 300.0][seed as usize % 3],
            lookahead_ms: [2.0, 2.0, 5.0, 1.5][seed as usize / 3 % 4],
            ..with(SETTINGS[usize::from(seed % 10 == 0)])
        };
        let output = limited(&params, &input);
        for ((_, judge), worst) in judges.iter().zip(&mut worst) {
            let peaks = output.channels.iter().map(|plane| judge.peak_db(plane));
            let over = peaks.fold(f64::NEG_INFINITY, f64::max) - f64::from(params.ceiling.0);
            *worst = worst.max(over);
        }
    }
    println!(
        "1,000 random signals, {band:?}: over the ceiling by judges of 16, 32, 64: {worst:.3?}"
    );
    worst
}

#[test]
fn a_thousand_random_signals_below_045_stay_under_the_ceiling() {
    assert!(search(Band::Below045).iter().all(|over| *over <= BELOW_045_DB));
}

#[test]
fn a_thousand_random_signals_of_any_kind_stay_under_the_ceiling() {
    assert!(search(Band::Unlimited).iter().all(|over| *over <= ANYTHING_DB));
}
