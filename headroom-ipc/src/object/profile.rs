//! Topic `profile`: the named sets of settings that there are, and the one in force.

use serde::{Deserialize, Serialize};

use super::{DeviceProfile, Route, Rule, SettingValue};
use crate::word::words;

/// All profiles: the state of topic `profile`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Profiles {
    /// The name of the one in force.
    pub used: String,
    /// Every one, by name.
    pub profiles: Vec<Profile>,
    /// The folders that they are looked for in; of two of a name, the one in the later folder
    /// counts. Optional: absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
    /// Which one is in force on which device; the first that matches counts, and those of the user
    /// come before those of the chosen profile. Optional: absent where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceProfile>,
    /// The name of the one that is in force on every other device. Optional: absent where that is
    /// the chosen one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_profile: Option<String>,
}

/// A profile, without its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Profile {
    /// What it is called; no two have one name.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// Where it comes from.
    pub origin: ProfileOrigin,
    /// Its file, nil for one that is part of the program.
    pub path: Option<String>,
    /// What was read otherwise than it was written.
    pub warnings: Vec<String>,
    /// Why its file cannot be used as it is now. The last good version stays in force.
    pub fault: Option<ProfileFault>,
}

/// What is wrong with the file of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileFault {
    /// What to show.
    pub message: String,
    /// The line, from 1, where it is about one.
    pub line: Option<u32>,
    /// The character in that line, from 1.
    pub column: Option<u32>,
}

words! {
    /// Where a profile comes from.
    ProfileOrigin {
        /// Part of the program.
        Embedded = "embedded",
        /// A file of the user or of the system.
        File = "file",
    }
}

/// A profile with all that it says: the result of `profile.show`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileDetail {
    /// What it is and where it comes from.
    pub profile: Profile,
    /// Every setting as the profile has it, and as it is in force with the overrides on top.
    pub settings: Vec<ProfileValue>,
    /// Its rules; the first that matches counts.
    pub rules: Vec<Rule>,
    /// Where a stream goes that no rule matches.
    pub default_route: Route,
}

/// A setting as a profile has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileValue {
    /// Its dotted key.
    pub key: String,
    /// Its value.
    pub value: SettingValue,
    /// The value in force while this profile is: with the user's override on top. Optional.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<SettingValue>,
}

/// Every profile, and what reading them again has changed: the result of `profile.reload`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reloaded {
    /// The name of the one in force.
    pub used: String,
    /// Every one, by name.
    pub profiles: Vec<Profile>,
    /// The names of those that are new, or other than before. Optional: absent where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reloaded: Vec<String>,
    /// The names of those whose files cannot be used as they are now; `fault` says why. Optional:
    /// absent where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// The names of those that are no longer there. Optional: absent where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
}
