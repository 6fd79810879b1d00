//! What a daemon says of itself before anything is asked.

use serde::{Deserialize, Serialize};

/// The first message on every connection, and the result of `hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hello {
    /// The name of the program: `headroomd`.
    pub daemon: String,
    /// Its version.
    pub version: String,
    /// The version of the protocol that it speaks.
    pub protocol: u32,
    /// Another one after each start. Where it changes, everything that a client knew is stale.
    pub run_id: String,
    /// Its process.
    pub pid: u32,
    /// What it puts up with.
    pub limits: Limits,
}

/// What a daemon puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limits {
    /// The longest body, in bytes, in either direction.
    pub max_body_bytes: u32,
    /// Connections at a time. One more is told BUSY and closed.
    pub max_connections: u32,
    /// Messages that wait for one connection to read them. What does not fit is lost and
    /// counted.
    pub queue_messages: u32,
    /// How many of those may be meters.
    pub queue_meters: u32,
    /// A peer that has taken no byte of a pending message for so long is disconnected.
    pub stalled_after_ms: u32,
}
