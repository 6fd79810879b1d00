//! EBU Tech 3341 version 4, minimum requirements: one test a case, at the standard's tolerance.
//!
//! Cases 7 and 8 are authentic programmes that exist as files only and cannot be made from
//! formulas: they are not covered.

mod metering;

use headroom_dsp::{LoudnessMeter, LoudnessReading};
use headroom_signals::{Programme, ebu, tone};
use metering::{assert_reads, cut, layout, measure, over_time, true_peak_dbtp};

const TOLERANCE: f32 = 0.1;
const RATES_HZ: [u32; 5] = [8_000, 22_050, 44_100, 48_000, 96_000];

/// Stereo 1,000 Hz in phase; silence where the level is negative infinity.
fn sines(rate_hz: u32, parts: &[(f64, f64)]) -> Programme {
    let parts: Vec<Programme> = parts
        .iter()
        .map(|(seconds, peak_dbfs)| tone::sine(rate_hz, 2, *seconds, 1_000.0, *peak_dbfs))
        .collect();
    Programme::concat(&parts)
}

const SILENCE: f64 = f64::NEG_INFINITY;

fn assert_integrated(case: &str, parts: &[(f64, f64)], expected: f32) {
    for rate_hz in RATES_HZ {
        let case = format!("{case} at {rate_hz} Hz");
        let integrated = measure(&sines(rate_hz, parts), 1).loudness.integrated.0;
        assert_reads(&case, integrated, expected, TOLERANCE);
    }
}

fn assert_all_three(case: &str, parts: &[(f64, f64)], expected: f32) {
    for rate_hz in RATES_HZ {
        let case = format!("{case} at {rate_hz} Hz");
        let loudness = measure(&sines(rate_hz, parts), 2).loudness;
        for got in [loudness.momentary, loudness.short_term, loudness.integrated] {
            assert_reads(&case, got.0, expected, TOLERANCE);
        }
    }
}

#[test]
fn case_1_a_sine_at_minus_23_reads_so() {
    assert_all_three("case 1", &[(20.0, -23.0)], -23.0);
}

#[test]
fn case_2_a_sine_at_minus_33_reads_so() {
    assert_all_three("case 2", &[(20.0, -33.0)], -33.0);
}

#[test]
fn case_3_the_relative_gate_drops_a_quiet_start_and_end() {
    assert_integrated("case 3", &[(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)], -23.0);
}

#[test]
fn case_4_both_gates_drop_what_is_quiet() {
    let parts = [(10.0, -72.0), (10.0, -36.0), (60.0, -23.0), (10.0, -36.0), (10.0, -72.0)];
    assert_integrated("case 4", &parts, -23.0);
}

#[test]
fn case_5_what_is_over_the_gate_counts() {
    assert_integrated("case 5", &[(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)], -23.0);
}

#[test]
fn case_6_five_channels_add_up_by_their_weights() {
    for rate_hz in RATES_HZ {
        // L, R, C, Ls, Rs; our 5.0 has its planes in this order.
        let levels = [-28.0, -28.0, -24.0, -30.0, -30.0];
        let planes = levels
            .map(|peak_dbfs| tone::sine(rate_hz, 1, 20.0, 1_000.0, peak_dbfs).channels.remove(0));
        let integrated = measure(&Programme::new(rate_hz, planes.to_vec()), 3).loudness.integrated;
        assert_reads(&format!("case 6 at {rate_hz} Hz"), integrated.0, -23.0, TOLERANCE);
    }
}

fn assert_steady(case: &str, parts: &[(f64, f64)], from_s: f64, of: fn(LoudnessReading) -> f32) {
    for rate_hz in RATES_HZ {
        let readings = over_time(&sines(rate_hz, parts));
        for (hop, reading) in readings.into_iter().enumerate().skip((100.0 * from_s) as usize) {
            assert_reads(
                &format!("{case} at {rate_hz} Hz, hop {hop}"),
                of(reading),
                -23.0,
                TOLERANCE,
            );
        }
    }
}

#[test]
fn case_9_short_term_is_constant_after_3_s() {
    let parts = [(1.34, -20.0), (1.66, -30.0)].repeat(5);
    assert_steady("case 9", &parts, 3.0, |reading| reading.short_term.0);
}

#[test]
fn case_12_momentary_is_constant_after_1_s() {
    let parts = [(0.18, -20.0), (0.22, -30.0)].repeat(25);
    assert_steady("case 12", &parts, 1.0, |reading| reading.momentary.0);
}

/// File meters: a tone somewhere between silences, each file of its own.
fn assert_file_maxima(case: &str, step_s: f64, tone_s: f64, of: fn(LoudnessReading) -> f32) {
    for rate_hz in RATES_HZ {
        for i in 0..20 {
            let parts = [(f64::from(i) * step_s, SILENCE), (tone_s, -23.0), (1.0, SILENCE)];
            let reading = measure(&sines(rate_hz, &parts), i as u64).loudness;
            let case = format!("{case}, file {i} at {rate_hz} Hz");
            assert_reads(&case, of(reading), -23.0, TOLERANCE);
        }
    }
}

#[test]
fn case_10_the_largest_short_term_of_files() {
    assert_file_maxima("case 10", 0.15, 3.0, |reading| reading.max_short_term.0);
}

#[test]
fn case_13_the_largest_momentary_of_files() {
    assert_file_maxima("case 13", 0.02, 0.4, |reading| reading.max_momentary.0);
}

/// Live meters: one stream, the maxima are read and started anew after each tone.
fn assert_live_maxima(case: &str, step_s: f64, tone_s: f64, of: fn(LoudnessReading) -> f32) {
    for rate_hz in RATES_HZ {
        let mut meter: Option<LoudnessMeter> = None;
        for i in 0..20 {
            let before_s = f64::from(i) * step_s;
            let level = -38.0 + f64::from(i);
            let parts = [(before_s, SILENCE), (tone_s, level), (tone_s - before_s, SILENCE)];
            let part = sines(rate_hz, &parts);
            let meter =
                meter.get_or_insert_with(|| LoudnessMeter::prepare(rate_hz, &layout(&part), 512));
            meter.reset_maxima();
            for start in (0..part.frames()).step_by(512) {
                meter.process(&cut(&part, start, part.frames().min(start + 512)));
            }
            let case = format!("{case}, tone {i} at {rate_hz} Hz");
            assert_reads(&case, of(meter.reading()), level as f32, TOLERANCE);
        }
    }
}

#[test]
fn case_11_the_largest_short_term_live() {
    assert_live_maxima("case 11", 0.15, 3.0, |reading| reading.max_short_term.0);
}

#[test]
fn case_14_the_largest_momentary_live() {
    assert_live_maxima("case 14", 0.02, 0.4, |reading| reading.max_momentary.0);
}

#[test]
fn cases_15_to_23_true_peak() {
    for rate_hz in [8_000, 22_050, 44_100, 48_000, 96_000, 192_000] {
        let cases = ebu::true_peak_cases(rate_hz, 2);
        assert_eq!(cases.len(), 9);
        for case in cases {
            let got = f64::from(true_peak_dbtp(&case.programme, 4));
            let error = got - case.expected_dbtp;
            let name = format!("case {} at {rate_hz} Hz", case.number);
            assert!((-0.4..=0.2).contains(&error), "{name}: reads {got}, expected {case:?}");
        }
    }
}
