//! EBU Tech 3342, minimum requirements for loudness range: cases 1 to 4, at the standard's
//! tolerance. (Cases 5 and 6 are authentic programmes that exist as files only.)

mod metering;

use headroom_signals::{Programme, tone};
use metering::{assert_reads, measure};

const TOLERANCE: f32 = 1.0;

/// Stereo 1,000 Hz in phase, 20 s at each level.
fn assert_range(case: &str, levels: &[f64], expected: f32) {
    for rate_hz in [8_000, 44_100, 48_000, 96_000] {
        let parts: Vec<Programme> =
            levels.iter().map(|level| tone::sine(rate_hz, 2, 20.0, 1_000.0, *level)).collect();
        let range = measure(&Programme::concat(&parts), 1).range_lu.expect("80 s were heard");
        assert_reads(&format!("{case} at {rate_hz} Hz"), range, expected, TOLERANCE);
    }
}

#[test]
fn case_1_ten_lu() {
    assert_range("case 1", &[-20.0, -30.0], 10.0);
}

#[test]
fn case_2_five_lu() {
    assert_range("case 2", &[-20.0, -15.0], 5.0);
}

#[test]
fn case_3_twenty_lu() {
    assert_range("case 3", &[-40.0, -20.0], 20.0);
}

#[test]
fn case_4_fifteen_lu() {
    assert_range("case 4", &[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0);
}
