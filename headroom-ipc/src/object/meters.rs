//! Topic `meters`: what is measured, a few times a second while sound flows.
//!
//! Levels and loudness are what holds at the tick; reductions and peaks are the largest since
//! the tick before, so that nothing is missed at any rate.

use serde::{Deserialize, Serialize};

use crate::finite;

/// One look at every meter: the state of topic `meters` and the data of its `tick`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Meters {
    /// Every bus.
    pub buses: Vec<BusMeters>,
    /// The master, nil while there is none.
    pub master: Option<MasterMeters>,
}

/// The meters of one bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BusMeters {
    /// The name of the bus.
    pub bus: String,
    /// Loudness of the last 400 ms of what comes in.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub input_momentary_lufs: Option<f32>,
    /// Loudness of the last 3 s of what comes in.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub input_short_term_lufs: Option<f32>,
    /// The gain of the AGC.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub agc_gain_db: Option<f32>,
    /// What the burst guard takes off.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub guard_reduction_db: Option<f32>,
    /// What the compressor takes off.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub compressor_reduction_db: Option<f32>,
}

/// The meters of the master.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MasterMeters {
    /// Loudness of the last 400 ms of what goes out.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub output_momentary_lufs: Option<f32>,
    /// Loudness of the last 3 s of what goes out.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub output_short_term_lufs: Option<f32>,
    /// Loudness of everything that has gone out since sound began to flow, gated.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub output_integrated_lufs: Option<f32>,
    /// The largest sample that went out, in dB below full scale.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub sample_peak_dbfs: Option<f32>,
    /// What the limiter takes off.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub limiter_reduction_db: Option<f32>,
}
