//! Single numbers that hr-graph and the audio thread leave for each other, without waiting.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use headroom_dsp::Db;

use super::stage::Stage;

/// What both threads see of each other at any moment.
#[derive(Debug)]
pub struct Watch {
    pub(super) graph_at_work: AtomicBool,
    pub(super) rate_hz: AtomicU32,
    latency_frames: AtomicU32,
    pub(super) block_frames: AtomicU32,
    pub(super) agc_gain_bits: AtomicU32,
}

impl Watch {
    /// A watch on an insert that has seen no sound yet.
    #[must_use]
    pub fn new(rate_hz: u32) -> Watch {
        Watch {
            graph_at_work: AtomicBool::new(false),
            rate_hz: AtomicU32::new(rate_hz),
            latency_frames: AtomicU32::new(0),
            block_frames: AtomicU32::new(0),
            agc_gain_bits: AtomicU32::new(0.0_f32.to_bits()),
        }
    }

    /// hr-graph says when it begins to handle what PipeWire sends, and when it has told the
    /// inserts all that came of it. A volume can move in between only.
    pub fn set_graph_at_work(&self, at_work: bool) {
        self.graph_at_work.store(at_work, Ordering::SeqCst);
    }

    /// Sample rate of the last block.
    #[must_use]
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz.load(Ordering::Relaxed)
    }

    /// How many frames the insert's output is late, as of the last block.
    #[must_use]
    pub fn latency_frames(&self) -> u32 {
        self.latency_frames.load(Ordering::Relaxed)
    }

    /// How long the last block was, which is the quantum of the graph; nothing before the first.
    #[must_use]
    pub fn block_frames(&self) -> Option<u32> {
        Some(self.block_frames.load(Ordering::Relaxed)).filter(|frames| *frames > 0)
    }

    /// The AGC's gain after the last block, for the insert that comes after this one.
    #[must_use]
    pub fn agc_gain(&self) -> Db {
        Db(f32::from_bits(self.agc_gain_bits.load(Ordering::Relaxed)))
    }

    /// The gain that an AGC made from now on starts from.
    pub fn set_agc_gain(&self, gain: Db) {
        self.agc_gain_bits.store(gain.0.to_bits(), Ordering::Relaxed);
    }

    pub(super) fn leave_latency(&self, stage: &Stage) {
        self.latency_frames.store(stage.latency_frames() as u32, Ordering::Relaxed);
    }
}
