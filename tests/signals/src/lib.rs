//! Test programmes and independent judges: what the tests of every crate, the benches and
//! `./try` play through Headroom, and what they judge the result by.
//!
//! Programmes are made from formulas and a seeded generator, so that the same call gives the
//! same samples on every machine. Judges share no code with the meters and the limiter that
//! they judge: this crate must never depend on `headroom-dsp`.
//!
//! * [`Programme`] holds the samples: planar `f32` with their rate; it cuts, joins, scales,
//!   reads and writes WAV.
//! * [`noise`], [`tone`], [`speech`], [`music`], [`film`], [`cinema`], [`variety`] and [`ebu`]
//!   make them.
//! * [`judge`] measures: true peak at 16x, ffmpeg's `ebur128`, the `ebur128` crate, levels.

#![forbid(unsafe_code)]

pub mod cinema;
pub mod ebu;
pub mod film;
pub mod filter;
pub mod judge;
pub mod music;
pub mod noise;
pub mod programme;
pub mod random;
pub mod speech;
pub mod stopwatch;
pub mod tone;
pub mod variety;

pub use programme::{Programme, WavError};
pub use random::Random;
