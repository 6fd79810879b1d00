//! What PipeWire's registry has told us, as plain values.
//!
//! `session` fills it from the registry and reads it. It knows no PipeWire type. What it keeps is
//! bounded, whatever other programs put into the graph: what is neither a stream nor a sink is
//! left out, and so is what comes when there are very many.

use std::collections::BTreeMap;

use super::said::MOST_CHANNELS;
use super::{is_our_output, is_ours};

/// The most streams of apps that are kept book of. More than are followed, so that others take
/// the place of those that go.
pub(super) const MOST_STREAM_NODES: usize = 1024;
/// The most sinks that are kept book of.
pub(super) const MOST_SINK_NODES: usize = 256;
/// The most links from streams to sinks: one for each pair of channels.
pub(super) const MOST_LINKS: usize = 16_384;

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

impl Node {
    /// Whether sound can go to it.
    pub(super) fn is_sink(&self) -> bool {
        matches!(self.media_class.as_str(), "Audio/Sink" | "Audio/Duplex")
    }

    /// Whether sound comes from it: an app's playback, or the output of an insert.
    pub(super) fn is_stream(&self) -> bool {
        self.media_class == "Stream/Output/Audio"
    }
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
    /// Who has made it.
    pub(super) client: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) pid: Option<u32>,
    pub(super) name: String,
}

/// The graph as far as we keep book of it.
#[derive(Debug, Default)]
pub(super) struct Model {
    globals: BTreeMap<u32, Global>,
    streams: usize,
    sinks: usize,
    links: usize,
}

impl Model {
    pub(super) fn add(&mut self, id: u32, global: Global) {
        self.remove(id);
        if self.has_room_for(&global) {
            if let Some(count) = self.count_of(&global) {
                *count += 1;
            }
            self.globals.insert(id, global);
        }
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Global> {
        let global = self.globals.remove(&id)?;
        if let Some(count) = self.count_of(&global) {
            *count -= 1;
        }
        Some(global)
    }

    fn count_of(&mut self, global: &Global) -> Option<&mut usize> {
        match global {
            Global::Node(node) if is_ours(&node.name) || is_our_output(&node.name) => None,
            Global::Node(node) if node.is_stream() => Some(&mut self.streams),
            Global::Node(node) if node.is_sink() => Some(&mut self.sinks),
            Global::Link(_) => Some(&mut self.links),
            _ => None,
        }
    }

    /// Nodes come before their ports and links. What is ours always has room.
    fn has_room_for(&self, global: &Global) -> bool {
        match global {
            Global::Node(node) if node.is_stream() => {
                self.streams < MOST_STREAM_NODES || is_our_output(&node.name)
            }
            Global::Node(node) if node.is_sink() => {
                self.sinks < MOST_SINK_NODES || is_ours(&node.name)
            }
            Global::Node(_) => false,
            Global::Port(port) => {
                port.is_input
                    && (port.number as usize) < MOST_CHANNELS
                    && self.node(port.node).is_some_and(Node::is_sink)
            }
            Global::Link(link) => {
                let from = self.node(link.from_node).filter(|from| from.is_stream());
                let is_ours = from.is_some_and(|from| is_our_output(&from.name));
                let is_to_sink = self.node(link.to_node).is_some_and(Node::is_sink);
                is_ours || (self.links < MOST_LINKS && from.is_some() && is_to_sink)
            }
            Global::Client(_) | Global::DefaultMetadata => true,
        }
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.globals.keys().copied()
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
        self.nodes().filter(|(_, node)| node.is_sink())
    }

    pub(super) fn sink_named(&self, name: &str) -> Option<u32> {
        self.sinks().find(|(_, node)| node.name == name).map(|(id, _)| id)
    }

    /// Every stream of an app. The outputs of our inserts are none.
    pub(super) fn streams(&self) -> impl Iterator<Item = (u32, &Node)> {
        self.nodes().filter(|(_, node)| node.is_stream() && !is_our_output(&node.name))
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &Link> {
        self.globals.values().filter_map(|global| match global {
            Global::Link(link) => Some(link),
            _ => None,
        })
    }

    /// Whether a node or a link of this id is there.
    pub(super) fn has_node_or_link(&self, id: u32) -> bool {
        matches!(self.globals.get(&id), Some(Global::Node(_) | Global::Link(_)))
    }

    /// Whether a client is there.
    pub(super) fn has_client(&self, id: u32) -> bool {
        matches!(self.globals.get(&id), Some(Global::Client(_)))
    }

    /// The processes of all clients.
    pub(super) fn pids(&self) -> impl Iterator<Item = u32> {
        self.globals.values().filter_map(|global| match global {
            Global::Client(client) => client.pid,
            _ => None,
        })
    }

    /// The nodes that `from` is linked to.
    pub(super) fn linked_from(&self, from: u32) -> impl Iterator<Item = u32> {
        self.links().filter(move |link| link.from_node == from).map(|link| link.to_node)
    }

    /// A link from `from` to a sink, and the name of that.
    pub(super) fn sink_that_is_linked(&self, from: u32) -> Option<(&Link, &str)> {
        let mut links = self.links().filter(|link| link.from_node == from);
        links.find_map(|link| Some((link, self.node(link.to_node)?.name.as_str())))
    }

    /// What a client calls itself.
    pub(super) fn client_name(&self, client: Option<u32>) -> Option<&str> {
        match self.globals.get(&client?) {
            Some(Global::Client(client)) => Some(&*client.name).filter(|name| !name.is_empty()),
            _ => None,
        }
    }

    /// Whether somebody has given a sink its ports.
    pub(super) fn has_ports(&self, sink: u32) -> bool {
        self.globals
            .values()
            .any(|global| matches!(global, Global::Port(port) if port.node == sink))
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
        assert!(model.has_ports(30) && !model.has_ports(31));
        model.remove(42);
        assert_eq!(model.sink_channels(30), ["FR"]);
    }

    #[test]
    fn whatever_others_put_into_the_graph_what_is_kept_is_bounded_and_ours_is_kept() {
        let mut model = Model::default();
        let node = |name: &str, class: &str| {
            Global::Node(Node { name: name.into(), media_class: class.into(), ..Node::default() })
        };
        for id in 0..10_000 {
            model.add(id, node("an app", "Stream/Output/Audio"));
            model.add(10_000 + id, node("a null sink", "Audio/Sink"));
            model.add(20_000 + id, node("a camera", "Video/Source"));
        }
        model.add(40_000, node("headroom.main", "Audio/Sink"));
        model.add(40_001, node("headroom.main.out", "Stream/Output/Audio"));
        for id in 0..20_000 {
            let port = Port { node: 10_000, number: id, is_input: true, channel: "FL".into() };
            model.add(50_000 + id, Global::Port(port));
            model.add(
                70_000 + id,
                Global::Link(Link { from_node: 0, to_node: 10_000, client: None }),
            );
            model.add(
                90_000 + id,
                Global::Link(Link { from_node: 9_999, to_node: 10_000, client: None }),
            );
        }
        model.add(120_000, Global::Link(Link { from_node: 40_001, to_node: 10_000, client: None }));
        assert_eq!(model.streams().count(), MOST_STREAM_NODES);
        assert_eq!(model.sinks().count(), MOST_SINK_NODES + 1);
        assert_eq!(model.nodes().count(), MOST_STREAM_NODES + MOST_SINK_NODES + 2);
        assert_eq!(model.sink_channels(10_000).len(), MOST_CHANNELS);
        // What ours are linked to is known even where it is no sink: somebody's recorder.
        model.add(120_001, Global::Link(Link { from_node: 40_001, to_node: 20_000, client: None }));
        model.add(120_002, Global::Link(Link { from_node: 1, to_node: 20_000, client: None }));
        assert_eq!(model.links().count(), MOST_LINKS + 2);
        assert_eq!(model.linked_from(40_001).collect::<Vec<_>>(), [10_000, 20_000]);
        // What goes makes room again.
        model.remove(0);
        model.add(130_000, node("an app", "Stream/Output/Audio"));
        assert!(model.node(130_000).is_some());
    }
}
