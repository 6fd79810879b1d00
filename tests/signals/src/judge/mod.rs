//! Measurements that do not come from Headroom.
//!
//! * [`true_peak`]: 16x interpolation in f64.
//! * [`oracle`]: the `ebur128` crate.
//! * [`ffmpeg`]: its `ebur128` filter and its resampler.
//! * [`level`]: RMS levels, and the level of one tone.

pub mod ffmpeg;
pub mod level;
pub mod oracle;
pub mod true_peak;
