//! The processor of an insert: a bus or the master, behind one face.

use headroom_dsp::{Bus, BusParams, Db, Layout, Master, MasterParams, PrepareError};

use super::meters::StageMeters;

/// What a stage is told. Its variant is fixed when the insert is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StageParams {
    /// Settings of a bus.
    Bus(BusParams),
    /// Settings of the master.
    Master(MasterParams),
}

/// The processor of an insert.
#[derive(Debug)]
pub enum Stage {
    /// AGC, compressor and fader.
    Bus(Box<Bus>),
    /// The limiter in front of the device sink.
    Master(Box<Master>),
}

impl Stage {
    /// Makes the processor for these parameters. Allocates all that it will ever need.
    ///
    /// # Errors
    /// [`PrepareError`] when the rate or the block length is out of range.
    pub fn prepare(
        rate_hz: u32,
        layout: Layout,
        max_frames: usize,
        params: &StageParams,
    ) -> Result<Stage, PrepareError> {
        Ok(match params {
            StageParams::Bus(params) => {
                Stage::Bus(Box::new(Bus::prepare(rate_hz, layout, max_frames, params)?))
            }
            StageParams::Master(params) => {
                Stage::Master(Box::new(Master::prepare(rate_hz, layout, max_frames, params)?))
            }
        })
    }

    /// How many frames the output is late at the present rate.
    #[must_use]
    pub fn latency_frames(&self) -> usize {
        match self {
            Stage::Bus(bus) => bus.latency_frames(),
            Stage::Master(master) => master.latency_frames(),
        }
    }

    /// Starts the AGC of a bus from a gain that was right before.
    pub fn set_agc_gain(&mut self, gain: Db) {
        if let Stage::Bus(bus) = self {
            bus.set_agc_gain(gain);
        }
    }

    pub(super) fn begin_at_unity(&mut self) {
        if let Stage::Bus(bus) = self {
            bus.begin_at_unity();
        }
    }

    pub(super) fn set_rate(&mut self, rate_hz: u32) {
        match self {
            Stage::Bus(bus) => bus.set_rate(rate_hz),
            Stage::Master(master) => master.set_rate(rate_hz),
        }
    }

    pub(super) fn set_params(&mut self, params: &StageParams) {
        match (self, params) {
            (Stage::Bus(bus), StageParams::Bus(params)) => bus.set_params(params),
            (Stage::Master(master), StageParams::Master(params)) => master.set_params(params),
            // Parameters of the other kind are never written; if they were, nothing is better
            // than a guess.
            _ => {}
        }
    }

    pub(super) fn forgive_level_jump(&mut self) {
        if let Stage::Bus(bus) = self {
            bus.forgive_level_jump();
        }
    }

    pub(super) fn process(&mut self, block: &mut [&mut [f32]]) {
        match self {
            Stage::Bus(bus) => bus.process(block),
            Stage::Master(master) => master.process(block),
        }
    }

    pub(super) fn take_meters(&mut self) -> StageMeters {
        match self {
            Stage::Bus(bus) => StageMeters::Bus(bus.take_meters()),
            Stage::Master(master) => StageMeters::Master(master.take_meters()),
        }
    }
}
