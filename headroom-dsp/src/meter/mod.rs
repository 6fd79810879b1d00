//! Loudness (ITU-R BS.1770-5, EBU R 128) and true peak.
//!
//! Where it stands in the flow: a bus measures what comes in, the master what goes out, and
//! `headroom analyze` measures files. Samples go through [`KWeighting`] into one stream of
//! K-weighted power, which [`HopSums`] cuts in hops of 10 ms; [`LoudnessMeter`] makes
//! momentary, short-term and integrated loudness and the loudness range of the hops.
//! [`TruePeakMeter`] stands beside them, and what the limiter's soft tier asks for. No meter knows
//! of gains, targets or profiles.

mod coefficients;
mod histogram;
mod hops;
mod k_weighting;
mod loudness;
mod programme;
mod true_peak;

pub use hops::{HOPS_A_SECOND, Hop, HopSums};
pub use k_weighting::KWeighting;
pub use loudness::{LoudnessMeter, LoudnessReading};
pub(crate) use programme::ProgrammeLoudness;
pub use true_peak::TruePeakMeter;
