//! What a person asks first, in one object: the result of `status`.

use serde::{Deserialize, Serialize};

use super::{Contest, Device, Fold, Graph, Route, SettingValue, UsedBy, Warning};
use crate::finite;

/// Everything that a person would ask first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// The version of the protocol that it speaks.
    pub protocol: u32,
    /// Another one after each start.
    pub run_id: String,
    /// The daemon's process.
    pub pid: u32,
    /// How long it has been running.
    pub uptime_ms: u64,
    /// PipeWire and WirePlumber: their versions, and whether they are connected.
    pub graph: Graph,
    /// The name of the profile in force.
    pub profile: String,
    /// What has put it in force. Optional: absent where the user has chosen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_by: Option<UsedBy>,
    /// Whether sound passes Headroom untouched.
    pub bypass: bool,
    /// The device sink, the rate, the quantum and the latency that Headroom adds.
    pub device: Device,
    /// What people call the device sink.
    pub device_description: Option<String>,
    /// Every stream.
    pub streams: Vec<StreamStatus>,
    /// The settings that the user has changed at run time.
    pub overrides: Vec<Override>,
    /// What a person should know about, the newest last.
    pub warnings: Vec<Warning>,
}

/// A stream, as far as a person asks first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StreamStatus {
    /// Its number.
    pub id: u64,
    /// What to call it.
    pub app: String,
    /// What it plays, if it says so.
    pub media_name: Option<String>,
    /// Where it is to go.
    pub route: Route,
    /// The bus that it is linked through now, nil while it goes through none.
    pub bus: Option<String>,
    /// Whether sound flows.
    pub playing: bool,
    /// Whether something else keeps moving it away from its route.
    pub contested: bool,
    /// The gain that it gets now, AGC, guard, compressor and limiter together; nil while
    /// nothing is measured.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub gain_db: Option<f32>,
    /// The name of the sink that it is linked to now. Optional: absent while it is linked to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
    /// Who moves it away from its route. Optional: absent while it is not contested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contest: Option<Contest>,
    /// Its channels are folded into fewer. Optional: absent where each of them is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folded: Option<Fold>,
}

/// A setting that the user has changed at run time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Override {
    /// Its dotted key.
    pub key: String,
    /// The value that the user has set, in force unless `in_force` is false.
    pub value: SettingValue,
    /// The value that the profile has.
    pub profile_value: SettingValue,
    /// Whether it is in force: one that contradicts another setting of the profile is kept, and
    /// waits until it no longer does. Optional: absent where it is true.
    #[serde(default = "in_force", skip_serializing_if = "is_in_force")]
    pub in_force: bool,
}

fn in_force() -> bool {
    true
}

fn is_in_force(in_force: &bool) -> bool {
    *in_force
}
