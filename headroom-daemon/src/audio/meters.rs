//! Meters out of the audio thread: wait-free, and nothing is lost without a reader.
//!
//! The audio thread merges every block into what the reader has not taken yet: maxima stay
//! maxima, counts are totals since the insert was made. A reader at any pace sees the largest
//! reduction since its last look, at any block length.

use headroom_dsp::{BusMeters, MasterMeters};
use triple_buffer::{Input, Output, TripleBuffer};

/// What an insert has measured since the last look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meters {
    /// What the stage has measured: maxima since the last look.
    pub stage: StageMeters,
    /// What it measured in the last block alone.
    pub now: StageMeters,
    /// Blocks processed since the insert was made.
    pub blocks: u64,
    /// Blocks whose buffers did not fit and that were made silence, since the insert was made.
    pub silenced_blocks: u64,
    /// Sample rate of the last block.
    pub rate_hz: u32,
    /// How long the last block was, which is the quantum of the graph; 0 before the first.
    pub block_frames: u32,
}

/// The meters of either stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StageMeters {
    /// Of a bus.
    Bus(BusMeters),
    /// Of the master.
    Master(MasterMeters),
}

impl StageMeters {
    /// The newer values, and of every maximum the larger.
    pub(crate) fn merge(self, newer: StageMeters) -> StageMeters {
        match (self, newer) {
            (StageMeters::Bus(old), StageMeters::Bus(new)) => StageMeters::Bus(BusMeters {
                guard_reduction: larger(old.guard_reduction, new.guard_reduction),
                compressor_reduction: larger(old.compressor_reduction, new.compressor_reduction),
                ..new
            }),
            (StageMeters::Master(old), StageMeters::Master(new)) => {
                StageMeters::Master(MasterMeters {
                    limiter_reduction: larger(old.limiter_reduction, new.limiter_reduction),
                    sample_peak: larger(old.sample_peak, new.sample_peak),
                    ..new
                })
            }
            (_, newer) => newer,
        }
    }
}

fn larger<T: PartialOrd>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

/// The end that the audio thread writes.
#[derive(Debug)]
pub(super) struct MeterWriter {
    untaken: Meters,
    slot: Input<Meters>,
}

/// The end that anyone reads, at any pace.
#[derive(Debug)]
pub struct MeterReader {
    slot: Output<Meters>,
}

pub(super) fn meters(first: Meters) -> (MeterWriter, MeterReader) {
    let (slot, reader) = TripleBuffer::new(&first).split();
    (MeterWriter { untaken: first, slot }, MeterReader { slot: reader })
}

impl MeterWriter {
    /// Adds one block. Real-time safe: yes, wait-free.
    pub(super) fn add(
        &mut self,
        stage: StageMeters,
        rate_hz: u32,
        block_frames: u32,
        silenced: bool,
    ) {
        // A reader that takes them between here and the write sees their maxima a second
        // time: twice is harmless, never would not be.
        let merged = if self.slot.consumed() { stage } else { self.untaken.stage.merge(stage) };
        self.untaken = Meters {
            stage: merged,
            now: stage,
            blocks: self.untaken.blocks + u64::from(!silenced),
            silenced_blocks: self.untaken.silenced_blocks + u64::from(silenced),
            rate_hz,
            block_frames,
        };
        self.slot.write(self.untaken);
    }
}

impl MeterReader {
    /// What was measured since the last call, or nothing if no block has passed.
    pub fn take(&mut self) -> Option<Meters> {
        self.slot.update().then(|| *self.slot.output_buffer())
    }
}
