//! Measurements that do not come from Headroom.
//!
//! * [`breaks`]: where a steady low tone breaks, and how much a mere cut of it would be.
//! * [`click`]: what is heard above a low tone.
//! * [`delay`]: how late a plane is heard, and whether all of it is.
//! * [`true_peak`]: 16x interpolation in f64.
//! * [`oracle`]: the `ebur128` crate.
//! * [`ffmpeg`]: its `ebur128` filter and its resampler.
//! * [`level`]: RMS levels, and the level of one tone.

pub mod breaks;
pub mod click;
pub mod delay;
pub mod ffmpeg;
pub mod level;
pub mod oracle;
pub mod true_peak;
