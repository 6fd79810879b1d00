//! Which profile is in force on which device.

use serde::{Deserialize, Serialize};

use super::RuleOrigin;
use crate::word::words;

/// Which profile is in force on which device, and what has decided. The result of `device.*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Devices {
    /// The first that matches counts; those of the user come before those of the chosen profile.
    pub devices: Vec<DeviceProfile>,
    /// The profile that is in force on every other device; nil where that is the chosen one.
    pub default_profile: Option<String>,
    /// The device that is heard now; nil while there is none.
    pub heard: Option<HeardDevice>,
    /// The profile that the user has chosen.
    pub chosen: String,
    /// The profile in force.
    pub used: String,
    /// What has put it in force.
    pub used_by: UsedBy,
}

/// The profile of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceProfile {
    /// Which devices it is about. No two of one origin have the same.
    #[serde(rename = "match")]
    pub matches: DeviceMatch,
    /// The name of the profile that is in force on them.
    pub profile: String,
    /// Who made it.
    pub origin: RuleOrigin,
}

/// What a device must be called: one of the patterns of every list that is not empty. A pattern is
/// exact, or a glob where it holds `*` or `?`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceMatch {
    /// The name of its sink.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_name: Vec<String>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub description: Vec<String>,
    /// The kind, the name or the description of the jack that the sound goes to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub port: Vec<String>,
}

impl DeviceMatch {
    /// Whether no list has a pattern, so that nothing can match.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.node_name.is_empty() && self.description.is_empty() && self.port.is_empty()
    }
}

/// The device that is heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeardDevice {
    /// The name of its sink.
    pub node_name: String,
    /// What people call it.
    pub description: Option<String>,
    /// The jack that the sound goes to; nil where it does not say.
    pub port: Option<Port>,
}

/// The jack of a device that the sound goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Port {
    /// Its name, such as `analog-output-headphones`.
    pub name: String,
    /// What people call it.
    pub description: Option<String>,
    /// Of which kind it is, such as `headphones`, `speaker` or `hdmi`.
    pub kind: Option<String>,
}

words! {
    /// What has put a profile in force.
    UsedBy {
        /// The user has chosen it, and nothing is said of the device that is heard.
        Chosen = "chosen",
        /// The user has chosen it on the very device that is heard, whatever is said of that.
        ByHand = "by_hand",
        /// It is the profile of the device that is heard.
        Device = "device",
        /// It is the profile of every device that nothing else is said of.
        DefaultDevice = "default_device",
        /// What should be in force cannot be used: it stands in.
        StandIn = "stand_in",
    }
}
