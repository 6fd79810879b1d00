//! A file through the meters alone.
//!
//! One thread decodes and looks for peaks, this one measures loudness: the two halves of the
//! work.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender};

use headroom_dsp::{Db, LoudnessMeter, LoudnessReading, Oversample, TruePeakMeter};

use super::measures::PART_FRAMES;
use super::queue::{empty_blocks, join, queue, receive, start};
use super::{Measures, Point, Timeline};
use crate::audio::{Block, ReadError, Source};
use crate::interrupt::Interrupt;

/// What was measured of a file.
pub(crate) struct Analysis {
    pub(crate) frames: u64,
    pub(crate) bad_samples: u64,
    pub(crate) measures: Measures,
    pub(crate) timeline: Timeline,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnalyzeError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("starting a thread: {0}")]
    Thread(#[from] io::Error),
    #[error("interrupted by signal {0}")]
    Interrupted(u8),
}

/// Measures a file. `progress` is called with the frames done so far.
pub(crate) fn analyze(
    source: Source,
    interrupt: &Interrupt,
    mut progress: impl FnMut(u64),
) -> Result<Analysis, AnalyzeError> {
    let (rate_hz, channels) = (source.rate_hz(), source.channels());
    let layout = channels.layout();
    let mut loudness = LoudnessMeter::prepare(rate_hz, &layout, PART_FRAMES);
    let peaks = TruePeakMeter::prepare(&layout, Oversample::X8);
    let mut timeline = Timeline::new();
    let mut frames = 0;

    let (to_measure, decoded) = queue();
    let (give_back, empty) = empty_blocks(channels.count());
    let decoder = start("hr-decode", move || decode(source, peaks, &empty, &to_measure))?;
    let stopped = || interrupt.signal().is_some();
    while let Some(mut block) = receive(&decoded, stopped) {
        if stopped() {
            break;
        }
        let mut from = 0;
        while from < block.frames() {
            let (slices, taken) = block.slices_mut(from, PART_FRAMES);
            loudness.process(&slices[..layout.len()]);
            from += taken;
            let time_s = (frames + from as u64) as f64 / f64::from(rate_hz);
            timeline.add(point(time_s, &loudness.reading()));
        }
        frames += block.frames() as u64;
        progress(frames);
        let _ = give_back.try_send(block);
    }
    if let Some(signal) = interrupt.signal() {
        return Err(AnalyzeError::Interrupted(signal));
    }
    drop(decoded);
    let (bad_samples, peaks) = join(decoder)?;
    Ok(Analysis { frames, bad_samples, measures: Measures::of(&loudness, peaks), timeline })
}

fn decode(
    mut source: Source,
    mut peaks: TruePeakMeter,
    empty: &Receiver<Block>,
    to_measure: &SyncSender<Block>,
) -> Result<(u64, TruePeakMeter), ReadError> {
    while let Ok(mut block) = empty.recv() {
        source.read(&mut block)?;
        if block.frames() == 0 {
            break;
        }
        peaks.process(block.planes());
        if to_measure.send(block).is_err() {
            break;
        }
    }
    Ok((source.bad_samples(), peaks))
}

/// Short-term loudness in place of an output that there is not.
fn point(time_s: f64, reading: &LoudnessReading) -> Point {
    Point {
        time_s,
        input: reading.momentary,
        output: reading.short_term,
        agc_gain: Db(0.0),
        reduction: Db(0.0),
    }
}
