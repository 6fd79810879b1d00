//! Topic `daemon`: the program itself, and the graph that it works in.

use serde::{Deserialize, Serialize};

use crate::Topic;

/// The daemon and its surroundings: the state of topic `daemon`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Daemon {
    /// Its version.
    pub version: String,
    /// The version of the protocol that it speaks.
    pub protocol: u32,
    /// Another one after each start.
    pub run_id: String,
    /// Its process.
    pub pid: u32,
    /// PipeWire and WirePlumber.
    pub graph: Graph,
    /// What a person should know about, the newest last.
    pub warnings: Vec<Warning>,
}

/// PipeWire and WirePlumber, as the daemon finds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Graph {
    /// Whether PipeWire is connected.
    pub pipewire_connected: bool,
    /// The version of the running PipeWire, nil until one was connected.
    pub pipewire_version: Option<String>,
    /// The version of the library in the daemon.
    pub library_version: Option<String>,
    /// Whether WirePlumber is there. Without it nothing is linked.
    pub wireplumber_connected: bool,
    /// The version of WirePlumber, nil where it does not say.
    pub wireplumber_version: Option<String>,
}

/// Something that works less well than it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Warning {
    /// What it is about: `pipewire`, `profile.NAME`, `setting.KEY` and the like.
    pub about: String,
    /// What to show.
    pub message: String,
}

/// The daemon ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shutdown {
    /// Why, in words.
    pub reason: String,
}

/// Events that one subscriber has lost, because it did not read. Only that subscriber is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Overflow {
    /// Of this topic.
    pub topic: Topic,
    /// How many since the last such notice for this topic.
    pub lost: u64,
    /// How many since this connection subscribed to the topic.
    pub total_lost: u64,
}
