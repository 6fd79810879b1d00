//! The state of the topics: the daemon's own, a snapshot of it, and a client's copy are all this
//! one type, changed by the same events through the same function.
//!
//! The daemon calls [`Mirror::publish`] with every change and sends the event that comes back;
//! a client calls [`Mirror::apply`] with every event that it receives. That a client's copy
//! equals the daemon's state is then no promise but the same code, and a test shows it for
//! random histories.

use serde::{Deserialize, Serialize};

use crate::{
    Change, Daemon, DaemonChange, Event, Meters, MetersChange, Overflow, Profile, ProfileChange,
    Profiles, Routing, RoutingChange, SettingChange, Settings, Sinks, SinksChange, Topic,
};

/// The state of some or all topics. On the wire it is a map from the name of each topic to its
/// `seq` and `state`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mirror {
    /// Topic `daemon`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon: Option<Tracked<Daemon>>,
    /// Topic `profile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Tracked<Profiles>>,
    /// Topic `setting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Tracked<Settings>>,
    /// Topic `routing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Tracked<Routing>>,
    /// Topic `sinks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sinks: Option<Tracked<Sinks>>,
    /// Topic `meters`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meters: Option<Tracked<Meters>>,
}

/// The state of a topic after the event with this number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tracked<S> {
    /// The number of the last event that is in it, 0 if there was none.
    pub seq: u64,
    /// The state.
    pub state: S,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "after a gap or a loss the state is stale until a snapshot has been merged"]
pub enum Applied {
    /// The state has it now.
    Changed,
    /// The state had it already: it is older than the snapshot.
    Stale,
    /// The topic is not in this mirror.
    Untracked,
    /// An event that this version does not know, or that changes no state; counted.
    Skipped,
    /// Events before this one are missing, so it was not applied. Take a snapshot of the topic.
    Gap {
        /// The topic.
        topic: Topic,
        /// The number that the next event should have had.
        expected: u64,
    },
    /// The daemon says that events were lost. Take a snapshot if it is a topic of state.
    Lost(Overflow),
}

impl Mirror {
    /// Every topic, each with its empty state and no event yet: what a daemon starts with.
    #[must_use]
    pub fn full() -> Mirror {
        Mirror {
            daemon: Some(Tracked::default()),
            profile: Some(Tracked::default()),
            setting: Some(Tracked::default()),
            routing: Some(Tracked::default()),
            sinks: Some(Tracked::default()),
            meters: Some(Tracked::default()),
        }
    }

    /// A copy of these topics, as far as they are here.
    #[must_use]
    pub fn replicate(&self, topics: &[Topic]) -> Mirror {
        fn copy<S: Clone>(tracked: &Option<Tracked<S>>, wanted: bool) -> Option<Tracked<S>> {
            tracked.as_ref().filter(|_| wanted).cloned()
        }
        Mirror {
            daemon: copy(&self.daemon, topics.contains(&Topic::Daemon)),
            profile: copy(&self.profile, topics.contains(&Topic::Profile)),
            setting: copy(&self.setting, topics.contains(&Topic::Setting)),
            routing: copy(&self.routing, topics.contains(&Topic::Routing)),
            sinks: copy(&self.sinks, topics.contains(&Topic::Sinks)),
            meters: copy(&self.meters, topics.contains(&Topic::Meters)),
        }
    }

    /// Takes over every topic of a snapshot that is not older than what is here.
    pub fn merge(&mut self, snapshot: Mirror) {
        fn take<S>(here: &mut Option<Tracked<S>>, new: Option<Tracked<S>>) {
            if let Some(new) = new
                && here.as_ref().is_none_or(|old| old.seq <= new.seq)
            {
                *here = Some(new);
            }
        }
        take(&mut self.daemon, snapshot.daemon);
        take(&mut self.profile, snapshot.profile);
        take(&mut self.setting, snapshot.setting);
        take(&mut self.routing, snapshot.routing);
        take(&mut self.sinks, snapshot.sinks);
        take(&mut self.meters, snapshot.meters);
    }

    /// The number of the last event of a topic, if the topic is here.
    #[must_use]
    pub fn seq(&self, topic: Topic) -> Option<u64> {
        match topic {
            Topic::Daemon => self.daemon.as_ref().map(|tracked| tracked.seq),
            Topic::Profile => self.profile.as_ref().map(|tracked| tracked.seq),
            Topic::Setting => self.setting.as_ref().map(|tracked| tracked.seq),
            Topic::Routing => self.routing.as_ref().map(|tracked| tracked.seq),
            Topic::Sinks => self.sinks.as_ref().map(|tracked| tracked.seq),
            Topic::Meters => self.meters.as_ref().map(|tracked| tracked.seq),
            Topic::Unknown => None,
        }
    }

    /// The topics that are here.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        Topic::ALL.iter().copied().filter(|topic| self.seq(*topic).is_some()).collect()
    }

    /// What the daemon does with a change: numbers it, applies it to its own state, and gives
    /// the event to send.
    pub fn publish(&mut self, change: impl Into<Change>) -> Event {
        let change = change.into();
        let topic = change.topic();
        let event = Event { topic, seq: self.seq(topic).unwrap_or(0).saturating_add(1), change };
        // The number is the next one, so the only other outcome is that nothing was tracked.
        if self.apply(&event) == Applied::Untracked {
            self.track(topic);
            let _ = self.apply(&event);
        }
        event
    }

    /// What a client does with an event.
    pub fn apply(&mut self, event: &Event) -> Applied {
        let seq = event.seq;
        match &event.change {
            Change::Daemon(DaemonChange::Overflow(overflow)) => Applied::Lost(overflow.clone()),
            Change::Daemon(change) => step(&mut self.daemon, event, |s| apply_daemon(s, change)),
            Change::Profile(change) => step(&mut self.profile, event, |s| apply_profile(s, change)),
            Change::Setting(change) => step(&mut self.setting, event, |s| apply_setting(s, change)),
            Change::Routing(change) => step(&mut self.routing, event, |s| apply_routing(s, change)),
            Change::Sinks(change) => step(&mut self.sinks, event, |s| apply_sinks(s, change)),
            // A tick says everything, so it needs none before it.
            Change::Meters(MetersChange::Tick(meters)) => match &mut self.meters {
                None => Applied::Untracked,
                Some(tracked) if seq <= tracked.seq => Applied::Stale,
                Some(tracked) => {
                    *tracked = Tracked { seq, state: meters.clone() };
                    Applied::Changed
                }
            },
            Change::Unknown { topic, .. } => match topic {
                Topic::Daemon => step(&mut self.daemon, event, |_| Applied::Skipped),
                Topic::Profile => step(&mut self.profile, event, |_| Applied::Skipped),
                Topic::Setting => step(&mut self.setting, event, |_| Applied::Skipped),
                Topic::Routing => step(&mut self.routing, event, |_| Applied::Skipped),
                Topic::Sinks => step(&mut self.sinks, event, |_| Applied::Skipped),
                Topic::Meters | Topic::Unknown => Applied::Skipped,
            },
        }
    }

    fn track(&mut self, topic: Topic) {
        match topic {
            Topic::Daemon => self.daemon = Some(Tracked::default()),
            Topic::Profile => self.profile = Some(Tracked::default()),
            Topic::Setting => self.setting = Some(Tracked::default()),
            Topic::Routing => self.routing = Some(Tracked::default()),
            Topic::Sinks => self.sinks = Some(Tracked::default()),
            Topic::Meters => self.meters = Some(Tracked::default()),
            Topic::Unknown => {}
        }
    }
}

/// Applies a change if it is the next one of its topic.
fn step<S>(
    tracked: &mut Option<Tracked<S>>,
    event: &Event,
    change: impl FnOnce(&mut S) -> Applied,
) -> Applied {
    let Some(tracked) = tracked else { return Applied::Untracked };
    if event.seq <= tracked.seq {
        return Applied::Stale;
    }
    let expected = tracked.seq.saturating_add(1);
    if event.seq != expected {
        return Applied::Gap { topic: event.topic, expected };
    }
    tracked.seq = event.seq;
    change(&mut tracked.state)
}

fn apply_daemon(state: &mut Daemon, change: &DaemonChange) -> Applied {
    match change {
        DaemonChange::Started(daemon)
        | DaemonChange::Changed(daemon)
        | DaemonChange::PipewireLost(daemon)
        | DaemonChange::PipewireBack(daemon) => *state = daemon.clone(),
        DaemonChange::Shutdown(_) | DaemonChange::Overflow(_) => return Applied::Skipped,
    }
    Applied::Changed
}

fn apply_profile(state: &mut Profiles, change: &ProfileChange) -> Applied {
    match change {
        ProfileChange::Used(profile) => {
            state.used.clone_from(&profile.name);
            put_profile(state, profile);
        }
        ProfileChange::Failed(profile) => put_profile(state, profile),
        ProfileChange::Reloaded(profiles) => *state = profiles.clone(),
    }
    Applied::Changed
}

fn put_profile(state: &mut Profiles, profile: &Profile) {
    match state.profiles.binary_search_by(|known| known.name.cmp(&profile.name)) {
        Ok(place) => state.profiles[place] = profile.clone(),
        Err(place) => state.profiles.insert(place, profile.clone()),
    }
}

fn apply_setting(state: &mut Settings, change: &SettingChange) -> Applied {
    match change {
        SettingChange::Changed(setting) => {
            put(&mut state.settings, setting, |known| known.key == setting.key);
        }
        SettingChange::Replaced(settings) => *state = settings.clone(),
        SettingChange::BypassChanged(bypass) => state.bypass = bypass.bypass,
    }
    Applied::Changed
}

fn apply_routing(state: &mut Routing, change: &RoutingChange) -> Applied {
    match change {
        RoutingChange::RuleChanged(rules) => state.rules = rules.clone(),
        RoutingChange::StreamRouted(stream) | RoutingChange::StreamChanged(stream) => {
            put(&mut state.streams, stream, |known| known.id == stream.id);
        }
        RoutingChange::StreamRemoved(removed) => {
            state.streams.retain(|known| known.id != removed.id);
        }
        RoutingChange::Replaced(routing) => *state = routing.clone(),
    }
    Applied::Changed
}

fn apply_sinks(state: &mut Sinks, change: &SinksChange) -> Applied {
    match change {
        SinksChange::SinkChanged(sink) => {
            put(&mut state.sinks, sink, |known| known.id == sink.id);
        }
        SinksChange::SinkRemoved(removed) => state.sinks.retain(|known| known.id != removed.id),
        SinksChange::DeviceChanged(device) => state.device = device.clone(),
        SinksChange::Replaced(sinks) => *state = sinks.clone(),
    }
    Applied::Changed
}

/// Changes the one that is meant in its place, or adds it behind the others.
fn put<T: Clone>(list: &mut Vec<T>, item: &T, is_it: impl Fn(&T) -> bool) {
    match list.iter_mut().find(|known| is_it(known)) {
        Some(known) => known.clone_from(item),
        None => list.push(item.clone()),
    }
}
