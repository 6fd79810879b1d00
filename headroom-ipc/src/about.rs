//! What a [`Warning`](crate::Warning) can be about, word by word, so that whoever says one and whoever
//! knows what to do about it mean the same.
//!
//! A client must expect others: what is added does not change the protocol.

/// PipeWire is not there.
pub const PIPEWIRE: &str = "pipewire";
/// WirePlumber is not there.
pub const WIREPLUMBER: &str = "wireplumber";
/// There is no sink to play to.
pub const DEVICE: &str = "device";
/// Something that was asked of PipeWire has failed.
pub const GRAPH: &str = "graph";
/// A stream is linked to nothing.
pub const STREAMS: &str = "streams";
/// There are more streams than are shown.
pub const CROWD_OF_STREAMS: &str = "crowd.streams";
/// There are more sinks than are shown.
pub const CROWD_OF_SINKS: &str = "crowd.sinks";
/// The default sink is not whose it is wished to be.
pub const DEFAULT: &str = "default";
/// What is remembered cannot be written.
pub const STORAGE: &str = "storage";
/// What is to be put back after a crash cannot be noted.
pub const JOURNAL: &str = "journal";
/// What was remembered could not be read at the start.
pub const STATE: &str = "state";
/// Folders of profiles, and profiles that are too many to be named.
pub const PROFILES: &str = "profiles";
/// Changes of profiles are not seen.
pub const WATCH: &str = "watch";
/// The profile in force asks for what is not done yet.
pub const PER_APP: &str = "per_app";
/// A device has been given a profile that cannot be used.
pub const DEVICES: &str = "devices";
/// A rule leads to a bus that is not there.
pub const ROUTING: &str = "routing";

/// What the name of a profile follows, in a warning about that profile.
pub const PROFILE_PREFIX: &str = "profile.";
/// What the key of a setting follows, in a warning about that setting.
pub const SETTING_PREFIX: &str = "setting.";

/// Every word that stands for itself.
pub const WORDS: [&str; 16] = [
    PIPEWIRE,
    WIREPLUMBER,
    DEVICE,
    GRAPH,
    STREAMS,
    CROWD_OF_STREAMS,
    CROWD_OF_SINKS,
    DEFAULT,
    STORAGE,
    JOURNAL,
    STATE,
    PROFILES,
    WATCH,
    PER_APP,
    DEVICES,
    ROUTING,
];

/// Whether this is one of the [`WORDS`], or one of the two prefixes and a name.
#[must_use]
pub fn is_known(about: &str) -> bool {
    WORDS.contains(&about)
        || [PROFILE_PREFIX, SETTING_PREFIX]
            .iter()
            .any(|prefix| about.strip_prefix(prefix).is_some_and(|name| !name.is_empty()))
}
