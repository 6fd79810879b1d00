//! What has changed: `{topic, event, seq, data}`.
//!
//! Every event carries the whole object that it is about, so that a client can show it without
//! having seen any other. There are three kinds: a list replaced (the whole state of a topic or
//! a part of it), one changed (the whole object), one removed (its number).

use serde::{Serialize, Serializer};

use crate::{
    Bypass, Daemon, Device, Meters, Overflow, Profile, Profiles, Routing, Rules, Setting, Settings,
    Shutdown, Sink, SinkRemoved, Sinks, Stream, StreamRemoved, Topic,
};

/// Something has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Where.
    pub topic: Topic,
    /// Its number in this topic, the same for every subscriber. An `overflow` has the number of
    /// the last event of topic `daemon`, because it is no change of state.
    pub seq: u64,
    /// What.
    pub change: Change,
}

/// What has changed, by topic.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Topic `daemon`.
    Daemon(DaemonChange),
    /// Topic `profile`.
    Profile(ProfileChange),
    /// Topic `setting`.
    Setting(SettingChange),
    /// Topic `routing`.
    Routing(RoutingChange),
    /// Topic `sinks`.
    Sinks(SinksChange),
    /// Topic `meters`.
    Meters(MetersChange),
    /// An event of a known topic that this version does not know. Only ever read, never sent.
    Unknown {
        /// Its topic.
        topic: Topic,
        /// Its name.
        event: String,
        /// What it says, for programs that pass it on; nil where that is more than JSON can say.
        data: crate::Value,
    },
}

macro_rules! changes {
    (
        $(#[$about:meta])*
        $name:ident of $topic:ident { $( $(#[$doc:meta])* $variant:ident($data:ty) = $event:literal, )+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $( $(#[$doc])* $variant($data), )+
        }

        impl $name {
            /// The names of the events.
            pub const EVENTS: &[&str] = &[ $( $event, )+ ];

            /// The name of the event.
            #[must_use]
            pub const fn event(&self) -> &'static str {
                match self { $( $name::$variant(_) => $event, )+ }
            }

            fn serialize<S: Serializer>(&self, seq: u64, to: S) -> Result<S::Ok, S::Error> {
                let event = self.event();
                match self {
                    $( $name::$variant(data) => {
                        Envelope { topic: Topic::$topic, event, seq: Some(seq), data }.serialize(to)
                    } )+
                }
            }

            fn decode(
                event: &str,
                data: &[u8],
            ) -> Result<Option<Change>, rmp_serde::decode::Error> {
                Ok(match event {
                    $( $event => Some(Change::$topic($name::$variant(crate::server::read(data)?))), )+
                    _ => None,
                })
            }

            #[cfg(feature = "schema")]
            fn schemas() -> Vec<(&'static str, SchemaOf)> {
                vec![ $( ($event, |generator| generator.subschema_for::<$data>()), )+ ]
            }
        }

        impl From<$name> for Change {
            fn from(change: $name) -> Change {
                Change::$topic(change)
            }
        }
    };
}

/// An event as it is written.
#[derive(Serialize)]
pub(crate) struct Envelope<'a, D> {
    pub(crate) topic: Topic,
    pub(crate) event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seq: Option<u64>,
    pub(crate) data: &'a D,
}

changes! {
    /// What can happen to the daemon.
    DaemonChange of Daemon {
        /// It has started: the first event of a run, with the number 1.
        Started(Daemon) = "started",
        /// Something else about it has changed: WirePlumber, or the warnings.
        Changed(Daemon) = "changed",
        /// It ends, in an orderly way: the last event of a run.
        Shutdown(Shutdown) = "shutdown",
        /// PipeWire has gone.
        PipewireLost(Daemon) = "pipewire_lost",
        /// PipeWire is there, for the first time or again.
        PipewireBack(Daemon) = "pipewire_back",
        /// This subscriber has lost events, because it did not read. It comes to subscribers of
        /// any topic.
        Overflow(Overflow) = "overflow",
    }
}

changes! {
    /// What can happen to profiles.
    ProfileChange of Profile {
        /// This one is in force now.
        Used(Profile) = "used",
        /// Files have been read again: every profile as it is now.
        Reloaded(Profiles) = "reloaded",
        /// A file cannot be used as it is now; `fault` says why. The last good version stays.
        Failed(Profile) = "failed",
    }
}

changes! {
    /// What can happen to settings.
    SettingChange of Setting {
        /// This one has another value.
        Changed(Setting) = "changed",
        /// Many have another value, as after a profile switch: every setting as it is now.
        Replaced(Settings) = "replaced",
        /// Bypass is on or off now.
        BypassChanged(Bypass) = "bypass_changed",
    }
}

changes! {
    /// What can happen to rules and streams.
    RoutingChange of Routing {
        /// The rules have changed: all of them as they are now.
        RuleChanged(Rules) = "rule_changed",
        /// This stream is new, or has another route, or is linked as its route says, or no
        /// longer is.
        StreamRouted(Stream) = "stream_routed",
        /// Something else about this stream has changed.
        StreamChanged(Stream) = "stream_changed",
        /// A stream has gone.
        StreamRemoved(StreamRemoved) = "stream_removed",
        /// Everything, as after PipeWire came back.
        Replaced(Routing) = "replaced",
    }
}

changes! {
    /// What can happen to sinks.
    SinksChange of Sinks {
        /// This one is new or has changed.
        SinkChanged(Sink) = "sink_changed",
        /// A sink has gone.
        SinkRemoved(SinkRemoved) = "sink_removed",
        /// The device sink, the default sink, the rate, the quantum or the latency has changed.
        DeviceChanged(Device) = "device_changed",
        /// Everything, as after PipeWire came back.
        Replaced(Sinks) = "replaced",
    }
}

changes! {
    /// What can happen to meters.
    MetersChange of Meters {
        /// Every meter, now.
        Tick(Meters) = "tick",
    }
}

/// Does the same for whichever topic a change is of.
macro_rules! each {
    ($change:expr, $inner:ident => $does:expr, $topic:ident, $event:ident, $data:ident => $unknown:expr) => {
        match $change {
            Change::Daemon($inner) => $does,
            Change::Profile($inner) => $does,
            Change::Setting($inner) => $does,
            Change::Routing($inner) => $does,
            Change::Sinks($inner) => $does,
            Change::Meters($inner) => $does,
            Change::Unknown { topic: $topic, event: $event, data: $data } => $unknown,
        }
    };
}

impl Change {
    /// The topic.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Change::Daemon(_) => Topic::Daemon,
            Change::Profile(_) => Topic::Profile,
            Change::Setting(_) => Topic::Setting,
            Change::Routing(_) => Topic::Routing,
            Change::Sinks(_) => Topic::Sinks,
            Change::Meters(_) => Topic::Meters,
            Change::Unknown { topic, .. } => *topic,
        }
    }

    /// The name of the event.
    #[must_use]
    pub fn event(&self) -> &str {
        each!(self, change => change.event(), _topic, event, _data => event)
    }

    /// The names of the events of a topic.
    #[must_use]
    pub const fn events_of(topic: Topic) -> &'static [&'static str] {
        match topic {
            Topic::Daemon => DaemonChange::EVENTS,
            Topic::Profile => ProfileChange::EVENTS,
            Topic::Setting => SettingChange::EVENTS,
            Topic::Routing => RoutingChange::EVENTS,
            Topic::Sinks => SinksChange::EVENTS,
            Topic::Meters => MetersChange::EVENTS,
            Topic::Unknown => &[],
        }
    }

    /// Reads the data of an event. One that this version does not know is `Unknown`.
    pub(crate) fn decode(
        topic: Topic,
        event: &str,
        data: &[u8],
    ) -> Result<Change, rmp_serde::decode::Error> {
        let known = match topic {
            Topic::Daemon => DaemonChange::decode(event, data)?,
            Topic::Profile => ProfileChange::decode(event, data)?,
            Topic::Setting => SettingChange::decode(event, data)?,
            Topic::Routing => RoutingChange::decode(event, data)?,
            Topic::Sinks => SinksChange::decode(event, data)?,
            Topic::Meters => MetersChange::decode(event, data)?,
            Topic::Unknown => None,
        };
        Ok(known.unwrap_or_else(|| Change::Unknown {
            topic,
            event: event.to_owned(),
            data: crate::server::read(data).unwrap_or(crate::Value::Nil),
        }))
    }
}

impl Event {
    /// A note to one subscriber that it has lost events. `daemon_seq` is the number of the last
    /// event of topic `daemon`.
    #[must_use]
    pub fn overflow(daemon_seq: u64, overflow: Overflow) -> Event {
        Event {
            topic: Topic::Daemon,
            seq: daemon_seq,
            change: DaemonChange::Overflow(overflow).into(),
        }
    }

    /// The losses that it reports, if it is an `overflow`.
    #[must_use]
    pub fn as_overflow(&self) -> Option<&Overflow> {
        match &self.change {
            Change::Daemon(DaemonChange::Overflow(overflow)) => Some(overflow),
            _ => None,
        }
    }
}

/// As on the wire: `{topic, event, seq, data}`.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        each!(&self.change, change => change.serialize(self.seq, to), topic, event, data => {
            Envelope { topic: *topic, event, seq: Some(self.seq), data }.serialize(to)
        })
    }
}

/// Makes the schema of the data of an event.
#[cfg(feature = "schema")]
pub(crate) type SchemaOf = fn(&mut schemars::SchemaGenerator) -> schemars::Schema;

/// Every event and the schema of its data.
#[cfg(feature = "schema")]
pub(crate) fn schemas() -> Vec<(Topic, &'static str, SchemaOf)> {
    let mut all = Vec::new();
    for topic in Topic::ALL {
        let of_topic = match topic {
            Topic::Daemon => DaemonChange::schemas(),
            Topic::Profile => ProfileChange::schemas(),
            Topic::Setting => SettingChange::schemas(),
            Topic::Routing => RoutingChange::schemas(),
            Topic::Sinks => SinksChange::schemas(),
            Topic::Meters => MetersChange::schemas(),
            Topic::Unknown => Vec::new(),
        };
        all.extend(of_topic.into_iter().map(|(event, schema)| (*topic, event, schema)));
    }
    all
}
