//! What PipeWire's registry has told us, as plain values.
//!
//! `registry` fills it, `session` reads it. It knows no PipeWire type and decides nothing.

use std::collections::BTreeMap;

/// An object of the graph that we keep book of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Global {
    Node(Node),
    Port(Port),
    Link(Link),
    Client(Client),
    /// The metadata object named `default`, where WirePlumber keeps the default sink.
    DefaultMetadata,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) media_class: String,
    pub(super) serial: u64,
    pub(super) client: Option<u32>,
    pub(super) device: Option<u32>,
    pub(super) priority: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) node: u32,
    pub(super) number: u32,
    pub(super) is_input: bool,
    /// The loudspeaker that it feeds, as PipeWire names it (`FL`).
    pub(super) channel: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) from_node: u32,
    pub(super) to_node: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) pid: Option<u32>,
}

/// The graph as far as we keep book of it.
#[derive(Debug, Default)]
pub(super) struct Model {
    globals: BTreeMap<u32, Global>,
}

impl Model {
    pub(super) fn add(&mut self, id: u32, global: Global) {
        self.globals.insert(id, global);
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Global> {
        self.globals.remove(&id)
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = (u32, &Node)> {
        self.globals.iter().filter_map(|(id, global)| match global {
            Global::Node(node) => Some((*id, node)),
            _ => None,
        })
    }

    pub(super) fn node(&self, id: u32) -> Option<&Node> {
        match self.globals.get(&id) {
            Some(Global::Node(node)) => Some(node),
            _ => None,
        }
    }

    /// Every place that sound can go to.
    pub(super) fn sinks(&self) -> impl Iterator<Item = (u32, &Node)> {
        self.nodes()
            .filter(|(_, node)| matches!(node.media_class.as_str(), "Audio/Sink" | "Audio/Duplex"))
    }

    pub(super) fn sink_named(&self, name: &str) -> Option<u32> {
        self.sinks().find(|(_, node)| node.name == name).map(|(id, _)| id)
    }

    /// The nodes that `from` is linked to.
    pub(super) fn linked_from(&self, from: u32) -> impl Iterator<Item = u32> {
        self.globals.values().filter_map(move |global| match global {
            Global::Link(link) if link.from_node == from => Some(link.to_node),
            _ => None,
        })
    }

    /// The channels that a sink takes, in the order of its ports.
    pub(super) fn sink_channels(&self, sink: u32) -> Vec<&str> {
        let mut ports: Vec<&Port> = self
            .globals
            .values()
            .filter_map(|global| match global {
                Global::Port(port) if port.node == sink && port.is_input => Some(port),
                _ => None,
            })
            .collect();
        ports.sort_by_key(|port| port.number);
        ports.into_iter().map(|port| port.channel.as_str()).collect()
    }

    /// The process that a node belongs to, if PipeWire knows it.
    pub(super) fn pid_of(&self, node: &Node) -> Option<u32> {
        match self.globals.get(&node.client?) {
            Some(Global::Client(client)) => client.pid,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channels_of_a_sink_stand_in_the_order_of_its_ports() {
        let mut model = Model::default();
        let sink = Node { media_class: "Audio/Sink".into(), ..Node::default() };
        model.add(30, Global::Node(sink));
        for (id, number, channel, is_input) in
            [(41, 1, "FR", true), (42, 0, "FL", true), (43, 0, "FL", false)]
        {
            let channel = channel.into();
            model.add(id, Global::Port(Port { node: 30, number, is_input, channel }));
        }
        assert_eq!(model.sink_channels(30), ["FL", "FR"]);
        assert!(model.sink_channels(31).is_empty());
        model.remove(42);
        assert_eq!(model.sink_channels(30), ["FR"]);
    }
}
