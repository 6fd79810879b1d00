//! Runs our meters over programmes, for the tests that compare them with standards and oracles.

#![allow(dead_code, reason = "each test binary uses its part")]

use headroom_dsp::{Layout, LoudnessMeter, LoudnessReading, Oversample, TruePeakMeter};
use headroom_signals::{Programme, Random};

/// What the loudness meter reads of a whole programme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    pub(crate) loudness: LoudnessReading,
    pub(crate) range_lu: Option<f32>,
}

const MAX_FRAMES: usize = 2_048;

/// Measures a programme in the usual layout of its channel count, in blocks of random length.
pub(crate) fn measure(programme: &Programme, seed: u64) -> Measured {
    measure_as(programme, layout(programme), seed)
}

/// Measures a programme in this layout, in blocks of random length, also of none.
pub(crate) fn measure_as(programme: &Programme, layout: Layout, seed: u64) -> Measured {
    let mut meter = LoudnessMeter::prepare(programme.rate_hz, &layout, MAX_FRAMES);
    for_each_block(programme, seed, |block| meter.process(block));
    Measured { loudness: meter.reading(), range_lu: meter.loudness_range() }
}

/// The true peak of a programme in dBTP, measured in blocks of random length.
pub(crate) fn true_peak_dbtp(programme: &Programme, seed: u64) -> f32 {
    let mut meter = TruePeakMeter::prepare(&layout(programme), Oversample::X8);
    for_each_block(programme, seed, |block| meter.process(block));
    meter.finish();
    meter.true_peak().0
}

fn for_each_block(programme: &Programme, seed: u64, mut each: impl FnMut(&[&[f32]])) {
    let mut random = Random::new(seed);
    let mut at = 0;
    while at < programme.frames() {
        let end = programme.frames().min(at + random.below(MAX_FRAMES + 1));
        each(&cut(programme, at, end));
        at = end;
    }
}

/// The readings at the end of every hop of 10 ms, from the start on.
pub(crate) fn over_time(programme: &Programme) -> Vec<LoudnessReading> {
    let mut meter = LoudnessMeter::prepare(programme.rate_hz, &layout(programme), 8_192);
    let rate_hz = programme.rate_hz as usize;
    let hops = programme.frames() * 100 / rate_hz;
    let readings = (0..hops).map(|hop| {
        meter.process(&cut(programme, hop * rate_hz / 100, (hop + 1) * rate_hz / 100));
        meter.reading()
    });
    readings.collect()
}

/// The planes of a part of a programme.
pub(crate) fn cut(programme: &Programme, from: usize, to: usize) -> Vec<&[f32]> {
    programme.channels.iter().map(|plane| &plane[from..to]).collect()
}

pub(crate) fn layout(programme: &Programme) -> Layout {
    Layout::usual(programme.channels.len()).expect("1 to 8 channels")
}

/// Fails with the name of the case unless `got` is within `tolerance` of `expected`.
#[track_caller]
pub(crate) fn assert_reads(case: &str, got: f32, expected: f32, tolerance: f32) {
    let error = got - expected;
    assert!(error.abs() <= tolerance, "{case}: reads {got}, expected {expected} +-{tolerance}");
}
