//! Listens to streams, sinks and the clients behind them, and tells the picture when it changes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pipewire as pw;

use super::Session;
use crate::graph::GraphEvent;
use crate::graph::census::{Followed, Seen, followed, look};
use crate::graph::listening::{ClientListening, Kind, NodeListening};
use crate::graph::pods::NodeVolume;
use crate::graph::said::{Facts, Heard, NodeNews};
use crate::graph::targets::Asks;

/// The least time between two pictures: however fast others change the graph, nobody is flooded.
const BETWEEN: Duration = Duration::from_millis(20);

/// What is listened to, what it said, and what was told of it.
#[derive(Default)]
pub(super) struct Census {
    // What they hear comes as notices.
    nodes: BTreeMap<u32, NodeListening>,
    clients: BTreeMap<u32, ClientListening>,
    heard: Heard,
    told: Seen,
    pub(super) told_at: Option<Instant>,
    is_stale: bool,
    /// Since the volumes of apps were last looked at.
    has_moved: bool,
}

impl Census {
    /// The graph is another.
    pub(super) fn changed(&mut self) {
        self.note(true);
    }

    fn note(&mut self, is_other: bool) {
        self.is_stale |= is_other;
        self.has_moved |= is_other;
    }

    /// All that has been heard.
    pub(super) fn heard(&self) -> &Heard {
        &self.heard
    }

    /// Whether anything is other than at the last call.
    pub(super) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.has_moved)
    }

    /// Whether all who are there have said what they are, and that was told.
    pub(super) fn is_whole(&self) -> bool {
        !self.is_stale && self.nodes.keys().all(|id| self.heard.nodes.contains_key(id))
    }

    /// What is listened to is listened to anew. What has been heard holds.
    pub(super) fn listens_anew(&mut self) {
        self.nodes.clear();
        self.clients.clear();
        self.note(true);
    }

    /// An object has gone. Its id may be given to another at once.
    pub(super) fn removed(&mut self, id: u32) {
        self.note(true);
        self.nodes.remove(&id);
        self.clients.remove(&id);
        self.heard.forget(id);
    }

    pub(super) fn node_says(&mut self, id: u32, news: NodeNews) {
        if self.nodes.contains_key(&id) {
            let is_other = self.heard.node_says(id, news);
            self.note(is_other);
        }
    }

    pub(super) fn node_volume(&mut self, id: u32, volume: NodeVolume) {
        let is_other = self.heard.volume(id, volume);
        self.note(is_other);
    }

    pub(super) fn node_channels(&mut self, id: u32, count: u32) {
        let is_other = self.heard.channels(id, count);
        self.note(is_other);
    }

    pub(super) fn client_says(&mut self, id: u32, facts: Facts) {
        if self.clients.contains_key(&id) {
            let is_other = self.heard.client_says(id, facts);
            self.note(is_other);
        }
    }

    /// What has said what it is, by id: what it asks for.
    pub(super) fn asks(&self) -> impl Iterator<Item = (u32, Asks<'_>)> {
        self.heard.nodes.iter().map(|(id, said)| {
            let props = &said.props;
            let asks = Asks {
                for_sink: &props.asks_for,
                has_ports: said.output_ports > 0,
                key: props.key.as_deref(),
                channels: said.stream_channels(),
                is_fixed: props.fixed_by.is_some(),
            };
            (*id, asks)
        })
    }

    /// The streams that WirePlumber remembers, and the keys under which it does.
    pub(super) fn keys(&self) -> impl Iterator<Item = (u32, &str)> {
        self.heard.nodes.iter().filter_map(|(id, said)| Some((*id, said.props.key.as_deref()?)))
    }

    /// Hears no more of what is followed no more.
    fn leave_out(&mut self, followed: &Followed) {
        let left: Vec<u32> = self
            .nodes
            .keys()
            .filter(|id| !followed.streams.contains(id) && !followed.sinks.contains(id))
            .chain(self.clients.keys().filter(|id| !followed.clients.contains(id)))
            .copied()
            .collect();
        for id in left {
            self.removed(id);
        }
    }
}

impl Session<'_> {
    /// Tells who is there, once all has been listed, if that is another picture than before.
    pub(super) fn tell_census(&mut self, now: Instant) {
        let is_early = self.census.told_at.is_some_and(|told_at| now < told_at + BETWEEN);
        if !self.census.is_stale || is_early || !self.is_answered(self.syncs.listing) {
            return;
        }
        // Of half the metadata one would think that others have said what we have.
        if self.metadata.is_some() && !self.is_answered(self.syncs.values) {
            return;
        }
        let followed = followed(&self.model);
        self.census.leave_out(&followed);
        self.listen(&followed);
        let (heard, session) = (&self.census.heard, self.wishes.session);
        let seen = look(session, &followed, heard, &self.targets, self.around());
        if seen == self.census.told {
            self.census.is_stale = false;
            return;
        }
        // What could not be told stays to be told.
        self.census.told_at = Some(now);
        self.census.is_stale = !self.events.offer(GraphEvent::Census(Box::new(seen.clone())));
        if !self.census.is_stale {
            self.census.told = seen;
            // Another stream may be another quantum.
            self.looks_at_quantum = Some(now + super::latency::LOOKS[1]);
        }
    }

    /// When to ask [`Session::tell_census`] again.
    pub(super) fn census_wake(&self) -> Option<Instant> {
        let told_at = self.census.told_at.filter(|_| self.census.is_stale)?;
        Some(told_at + BETWEEN)
    }

    fn listen(&mut self, followed: &Followed) {
        let (registry, notices) = (&self.registry, &self.notices);
        let mut fault: Option<pw::Error> = None;
        let streams = followed.streams.iter().map(|id| (id, Kind::Stream));
        for (id, kind) in streams.chain(followed.sinks.iter().map(|id| (id, Kind::Sink))) {
            if self.census.nodes.contains_key(id) {
                continue;
            }
            match NodeListening::new(registry, *id, kind, notices) {
                Ok(node) => drop(self.census.nodes.insert(*id, node)),
                Err(error) => fault = Some(error),
            }
        }
        for id in &followed.clients {
            if !self.census.clients.contains_key(id) {
                match ClientListening::new(registry, *id, notices) {
                    Ok(client) => drop(self.census.clients.insert(*id, client)),
                    Err(error) => fault = Some(error),
                }
            }
        }
        self.trouble("listening to streams and sinks", fault);
    }
}
