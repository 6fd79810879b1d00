//! What a subscriber asks for.

use crate::word::words;

words! {
    /// What a subscriber asks for. Each has a state, and events that change it.
    Topic {
        /// The daemon itself, PipeWire and WirePlumber. State: [`Daemon`](crate::Daemon).
        Daemon = "daemon",
        /// Profiles and which one is in force. State: [`Profiles`](crate::Profiles).
        Profile = "profile",
        /// Every setting, and bypass. State: [`Settings`](crate::Settings).
        Setting = "setting",
        /// Rules and streams. State: [`Routing`](crate::Routing).
        Routing = "routing",
        /// Where sound goes. State: [`Sinks`](crate::Sinks).
        Sinks = "sinks",
        /// What is measured, a few times a second. State: [`Meters`](crate::Meters).
        Meters = "meters",
    }
}

/// How many topics there are.
pub const TOPICS: usize = Topic::ALL.len();

impl Topic {
    /// Its place in [`Topic::ALL`], for tables with a place per topic.
    #[must_use]
    pub const fn index(self) -> Option<usize> {
        match self {
            Topic::Daemon => Some(0),
            Topic::Profile => Some(1),
            Topic::Setting => Some(2),
            Topic::Routing => Some(3),
            Topic::Sinks => Some(4),
            Topic::Meters => Some(5),
            Topic::Unknown => None,
        }
    }

    /// Whether every event matters, because it changes a state that others build on. A meter
    /// does not: the next tick says it all again.
    #[must_use]
    pub const fn is_state(self) -> bool {
        !matches!(self, Topic::Meters | Topic::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_knows_its_place() {
        for (place, topic) in Topic::ALL.iter().enumerate() {
            assert_eq!(topic.index(), Some(place));
        }
    }
}
