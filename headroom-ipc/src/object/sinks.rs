//! Topic `sinks`: the places that sound goes to.

use serde::{Deserialize, Serialize};

use super::Port;
use crate::finite::{self, list};
use crate::word::words;

/// All sinks: the state of topic `sinks`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sinks {
    /// Where everything ends up.
    pub device: Device,
    /// Every sink that there is, the oldest first.
    pub sinks: Vec<Sink>,
}

/// Where everything ends up, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Device {
    /// The name of the device sink, nil while there is none.
    pub device_sink: Option<String>,
    /// The name of the default sink, where apps go that nobody sends elsewhere.
    pub default_sink: Option<String>,
    /// The jack of the device sink that the sound goes to; absent where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Port>,
    /// The sample rate of the graph, nil while nothing has played.
    pub rate_hz: Option<u32>,
    /// The quantum of the graph, nil while nothing has played.
    pub quantum_frames: Option<u32>,
    /// The latency that Headroom adds.
    pub latency_frames: u32,
    /// The same in time, nil while the rate is not known.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub latency_ms: Option<f32>,
    /// The name of the sink that `sink.use` has set; absent while the user's default is followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_sink: Option<String>,
    /// Whether the main bus is to be the default sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion>,
}

words! {
    /// Whether the main bus is to be the default sink.
    Promotion {
        /// The user's default is left alone.
        Off = "off",
        /// The main bus is the default sink, or becomes it as soon as sound can flow.
        On = "on",
        /// It was to be, and others have set another default again and again: theirs is left alone
        /// until `promote.set` asks anew.
        Contested = "contested",
    }
}

/// One sink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sink {
    /// Its number, PipeWire's `object.serial`: never given to another while PipeWire runs.
    pub id: u64,
    /// Its name, which rules and other programs use.
    pub name: String,
    /// What people call it.
    pub description: String,
    /// What it is to Headroom.
    pub kind: SinkKind,
    /// Its channels, as PipeWire names them (`FL`), in their order.
    pub channels: Vec<String>,
    /// The user's volume of each channel; nil for a silent channel, empty where it is not known.
    #[serde(serialize_with = "list::serialize", deserialize_with = "list::deserialize")]
    pub volume_db: Vec<Option<f32>>,
    /// Whether the user has muted it.
    pub muted: bool,
    /// Whether sound flows.
    pub running: bool,
}

words! {
    /// What a sink is to Headroom.
    SinkKind {
        /// A sound card, a headset, a network speaker: not ours.
        Device = "device",
        /// A bus of ours.
        Bus = "bus",
        /// Our master.
        Master = "master",
        /// A virtual sink of another program.
        Virtual = "virtual",
    }
}

/// A sink has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SinkRemoved {
    /// Its number.
    pub id: u64,
}
