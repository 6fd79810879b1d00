//! Bus and master behind each other: the whole chain, as the offline tools run it and as two
//! inserts of the daemon form it.

use crate::PrepareError;
use crate::bus::{Bus, BusMeters};
use crate::layout::Layout;
use crate::master::{Master, MasterMeters};
use crate::params::ChainParams;

/// What the chain has seen since the last look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainMeters {
    /// AGC and compressor.
    pub bus: BusMeters,
    /// Limiter and output.
    pub master: MasterMeters,
}

/// The whole chain.
#[derive(Debug)]
pub struct Chain {
    /// AGC, compressor, fader.
    pub bus: Bus,
    /// Limiter and output meter.
    pub master: Master,
}

impl Chain {
    /// Makes a chain and allocates all that it will ever need, at any rate.
    ///
    /// # Errors
    /// [`PrepareError`] when the rate or the block length is out of range.
    pub fn prepare(
        rate_hz: u32,
        layout: Layout,
        max_frames: usize,
        params: &ChainParams,
    ) -> Result<Chain, PrepareError> {
        Ok(Chain {
            bus: Bus::prepare(rate_hz, layout, max_frames, &params.bus)?,
            master: Master::prepare(rate_hz, layout, max_frames, &params.master)?,
        })
    }

    /// Goes over to another sample rate; see [`Bus::set_rate`].
    ///
    /// Real-time safe: yes.
    pub fn set_rate(&mut self, rate_hz: u32) {
        self.bus.set_rate(rate_hz);
        self.master.set_rate(rate_hz);
    }

    /// Takes new settings; every change is ramped.
    ///
    /// Real-time safe: yes.
    pub fn set_params(&mut self, params: &ChainParams) {
        self.bus.set_params(&params.bus);
        self.master.set_params(&params.master);
    }

    /// Processes one block in place; see [`Bus::process`].
    ///
    /// Real-time safe: no allocation, lock, log or panic.
    pub fn process(&mut self, block: &mut [&mut [f32]]) {
        self.bus.process(block);
        self.master.process(block);
    }

    /// Forgets all sound and all gain, as after `prepare`.
    ///
    /// Real-time safe: yes.
    pub fn reset(&mut self) {
        self.bus.reset();
        self.master.reset();
    }

    /// How many frames the output is late: look-ahead and detector.
    #[must_use]
    pub fn latency_frames(&self) -> usize {
        self.bus.latency_frames() + self.master.latency_frames()
    }

    /// What has happened since the last call.
    pub fn take_meters(&mut self) -> ChainMeters {
        ChainMeters { bus: self.bus.take_meters(), master: self.master.take_meters() }
    }
}
