//! Streams that were sent somewhere one by one, and are held there for as long as they live.
//!
//! WirePlumber does the moving; it is told by the metadata, and forgets it with its own end. So
//! what was asked for is kept here, and said again to the next one.

use std::collections::BTreeMap;

use super::Session;
use crate::graph::bindings::MetadataBinding;
use crate::graph::{Destination, InsertId};

/// Where each stream is to go, by the id of its node.
#[derive(Debug, Default)]
pub(super) struct Pins(BTreeMap<u32, Destination>);

impl Pins {
    /// A node has gone, and its id may be given to another.
    pub(super) fn removed(&mut self, id: u32) {
        self.0.remove(&id);
    }
}

impl Session<'_> {
    /// Sends the stream with this serial there, or leaves it to the desktop again.
    pub(super) fn send_stream(&mut self, serial: u64, to: Option<Destination>) {
        let Some(id) = self.model.nodes().find(|(_, node)| node.serial == serial).map(|(id, _)| id)
        else {
            // It has gone meanwhile.
            return;
        };
        match to {
            Some(to) => {
                self.pins.0.insert(id, to);
                self.say_pins(|pinned, _| pinned == id);
            }
            None if self.pins.0.remove(&id).is_some() => {
                if let Some(metadata) = &self.metadata {
                    metadata.clear_target(id);
                }
            }
            None => {}
        }
    }

    /// Another device sink is heard: whoever is to go past us goes there.
    pub(super) fn pins_follow_device(&self) {
        self.say_pins(|_, to| to == Destination::Device);
    }

    /// Says to a new WirePlumber what the last one was told.
    pub(super) fn say_all_pins(&self) {
        self.say_pins(|_, _| true);
    }

    /// Lets all of them go where they would be without us.
    pub(super) fn let_pins_go(&self, metadata: &MetadataBinding) {
        for id in self.pins.0.keys() {
            metadata.clear_target(*id);
        }
    }

    fn say_pins(&self, is_meant: impl Fn(u32, Destination) -> bool) {
        let Some(metadata) = &self.metadata else { return };
        for (id, to) in self.pins.0.iter().filter(|(id, to)| is_meant(**id, **to)) {
            let name = match to {
                Destination::Bus => Some(InsertId::Main.node_name()),
                Destination::Master => Some(InsertId::Master.node_name()),
                Destination::Device => self.heard_device_name(),
            };
            // Without a device there is nowhere to send it; it is sent once there is one.
            if let Some(name) = name {
                metadata.set_target(*id, name);
            }
        }
    }
}
