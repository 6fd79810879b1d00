//! The objects of the protocol: what Headroom is made of, as clients see it.
//!
//! One file per topic. A whole object is in replies, in events and in the mirror, always as
//! the same type.

mod daemon;
mod devices;
mod hello;
mod meters;
mod profile;
mod routing;
mod setting;
mod sinks;
mod status;
mod why;

pub use daemon::{Daemon, Graph, Overflow, Shutdown, Warning};
pub use devices::{DeviceMatch, DeviceProfile, Devices, HeardDevice, Port, UsedBy};
pub use hello::{Hello, Limits};
pub use meters::{BusMeters, MasterMeters, Meters};
pub use profile::{
    Profile, ProfileDetail, ProfileFault, ProfileOrigin, ProfileValue, Profiles, Reloaded,
};
pub use routing::{
    Contest, ContestedBy, Fold, InvalidRoute, Match, OwnVolume, Route, RoutedBy, Routing, Rule,
    RuleOrigin, RulePlace, Rules, Stream, StreamRemoved,
};
pub use setting::{Accepts, Bypass, Kind, Setting, SettingValue, Settings};
pub use sinks::{Device, Promotion, Sink, SinkKind, SinkRemoved, Sinks};
pub use status::{Override, Status, StreamStatus};
pub use why::{Chain, Decided, Decider, StreamWhy, Why};
