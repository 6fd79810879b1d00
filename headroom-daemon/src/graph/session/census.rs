//! Listens to the infos of streams, sinks and clients, and tells the picture when it changes.

use std::collections::BTreeMap;

use pipewire as pw;
use pw::registry::RegistryRc;

use super::Session;
use crate::graph::GraphEvent;
use crate::graph::bindings::{ClientBinding, NodeBinding};
use crate::graph::census::{Facts, Infos, NodeInfo, Seen, is_stream, look};
use crate::graph::model::{Global, Model};
use crate::graph::notice::Notices;

/// What is listened to, what it said, and what was told of it.
#[derive(Default)]
pub(super) struct Census {
    // Never read: what they hear comes as notices.
    nodes: BTreeMap<u32, NodeBinding>,
    clients: BTreeMap<u32, ClientBinding>,
    infos: Infos,
    told: Seen,
    is_stale: bool,
}

impl Census {
    /// An object has come.
    pub(super) fn added(
        &mut self,
        id: u32,
        model: &Model,
        registry: &RegistryRc,
        notices: &Notices,
    ) -> Result<(), pw::Error> {
        self.is_stale = true;
        let Some(node) = model.node(id) else { return Ok(()) };
        let is_sink = model.sinks().any(|(sink, _)| sink == id);
        if is_sink || is_stream(node) {
            self.nodes.insert(id, NodeBinding::new(registry, id, notices)?);
        }
        if let Some(client) = node.client.filter(|_| is_stream(node))
            && !self.clients.contains_key(&client)
        {
            self.clients.insert(client, ClientBinding::new(registry, client, notices)?);
        }
        Ok(())
    }

    /// An object has gone.
    pub(super) fn removed(&mut self, id: u32) {
        self.is_stale = true;
        self.nodes.remove(&id);
        self.clients.remove(&id);
        self.infos.nodes.remove(&id);
        self.infos.clients.remove(&id);
    }

    pub(super) fn node_says(&mut self, id: u32, info: NodeInfo) {
        self.is_stale |= self.infos.nodes.insert(id, info.clone()) != Some(info);
    }

    pub(super) fn client_says(&mut self, id: u32, facts: Facts) {
        self.is_stale |= self.infos.clients.insert(id, facts.clone()) != Some(facts);
    }
}

impl Session<'_> {
    pub(super) fn take_census(&mut self, id: u32, global: Global) {
        self.model.add(id, global);
        let bound = self.census.added(id, &self.model, &self.registry, &self.notices);
        self.trouble("listening to a node", bound.err());
    }

    /// Tells who is there, once all has been listed, if that is another picture than before.
    pub(super) fn tell_census(&mut self) {
        if !self.census.is_stale || !self.is_answered(self.syncs.listing) {
            return;
        }
        let seen = look(&self.model, &self.census.infos);
        // What could not be told stays to be told.
        self.census.is_stale = seen != self.census.told
            && !self.events.offer(GraphEvent::Census(Box::new(seen.clone())));
        if !self.census.is_stale {
            self.census.told = seen;
        }
    }
}
