//! The signal processors of Headroom: loudness meter, AGC with its burst guard,
//! compressor, true-peak limiter, and the chain that they form.
//!
//! Samples are planar `f32`: one slice per channel, all of one length. A processor is made
//! once by `prepare`, which allocates all it will ever need, for any sample rate up to
//! [`MAX_RATE_HZ`]; from then on `process` takes any block up to the prepared length and
//! never allocates, locks, logs or panics. Parameters are whole `Copy` values and may change
//! at any block: every change is ramped.
//!
//! This crate knows nothing of PipeWire, profiles or the wire.

#![forbid(unsafe_code)]

mod agc;
mod bus;
mod chain;
mod compressor;
pub mod layout;
pub mod limiter;
mod master;
pub mod meter;
pub mod params;
mod plane;
pub mod units;

pub use bus::{Bus, BusMeters};
pub use chain::{Chain, ChainMeters};
pub use layout::{Layout, LayoutError, MAX_CHANNELS, Position};
pub use master::{Master, MasterMeters};
pub use meter::{KWeighting, LoudnessMeter, LoudnessReading, TruePeakMeter};
pub use params::{
    AgcParams, BusParams, ChainParams, CompressorParams, Detector, LimiterParams, Link, Makeup,
    MasterParams, Oversample, SoftParams,
};
pub use units::{Db, Gain, Lufs};

/// The lowest sample rate that any processor takes.
pub const MIN_RATE_HZ: u32 = 8_000;
/// The highest sample rate that any processor takes, and the one that buffers are sized for.
pub const MAX_RATE_HZ: u32 = 384_000;

/// Why a processor could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The sample rate is outside what the filters are derived for.
    #[error("rate_hz is {0}, but must be between {MIN_RATE_HZ} and {MAX_RATE_HZ}")]
    Rate(u32),
    /// A block of no frames can never be processed.
    #[error("max_frames is 0, but must be at least 1")]
    NoFrames,
}

/// Checks what every `prepare` is given.
pub(crate) fn check_prepare(rate_hz: u32, max_frames: usize) -> Result<(), PrepareError> {
    if !(MIN_RATE_HZ..=MAX_RATE_HZ).contains(&rate_hz) {
        return Err(PrepareError::Rate(rate_hz));
    }
    if max_frames == 0 {
        return Err(PrepareError::NoFrames);
    }
    Ok(())
}
