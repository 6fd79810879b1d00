//! Who plays, and where sound can go: every app's stream and every sink, as plain values.
//!
//! The registry says that a node is there; what app it is, what it plays and whether it runs is
//! in the infos of the node and of its client, which are listened to. Out of all that comes one
//! picture, [`Seen`], which is told as a whole whenever it is another: a reader that missed one
//! is right again with the next.

use std::collections::BTreeMap;

use super::model::{Model, Node};
use super::{InsertId, is_ours};

/// All streams and all sinks, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Every app's playback.
    pub streams: Vec<StreamSeen>,
    /// Every place that sound can go to.
    pub sinks: Vec<SinkSeen>,
}

/// One app's playback.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamSeen {
    /// Never given to another while PipeWire runs.
    pub serial: u64,
    /// The name of its node.
    pub node_name: String,
    /// What PipeWire and the app know of the app.
    pub app: Facts,
    /// The name of the sink that it is linked to.
    pub sink: Option<String>,
    /// Whether sound flows.
    pub playing: bool,
    /// How many channels it has.
    pub channels: Option<u32>,
}

/// A place that sound can go to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SinkSeen {
    /// Never given to another while PipeWire runs.
    pub serial: u64,
    /// The name of its node.
    pub name: String,
    /// What people call it.
    pub description: String,
    /// Whether it belongs to a device, and not to a program.
    pub is_device: bool,
    /// Its channels, in their order.
    pub channels: Vec<String>,
    /// Whether sound flows.
    pub running: bool,
}

/// What a node or its client says of the app. The node knows better where both say something:
/// behind PulseAudio's clients there is one client of PipeWire for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the app calls itself.
    pub application_name: Option<String>,
    /// The program's file name.
    pub process_binary: Option<String>,
    /// The sandbox's name for the app.
    pub portal_app_id: Option<String>,
    /// What it plays.
    pub media_name: Option<String>,
    /// What the sound is for.
    pub media_role: Option<String>,
    /// The app's process.
    pub pid: Option<u32>,
}

impl Facts {
    /// Reads what a node or a client says.
    pub(super) fn read<'p>(get: impl Fn(&str) -> Option<&'p str>) -> Facts {
        let text = |key: &str| get(key).filter(|text| !text.is_empty()).map(str::to_owned);
        Facts {
            application_name: text("application.name"),
            process_binary: text("application.process.binary"),
            portal_app_id: text("pipewire.access.portal.app_id"),
            media_name: text("media.name"),
            media_role: text("media.role"),
            pid: get("application.process.id").and_then(|pid| pid.parse().ok()),
        }
    }

    fn or(self, other: Option<&Facts>) -> Facts {
        let other = other.cloned().unwrap_or_default();
        Facts {
            application_name: self.application_name.or(other.application_name),
            process_binary: self.process_binary.or(other.process_binary),
            portal_app_id: self.portal_app_id.or(other.portal_app_id),
            media_name: self.media_name.or(other.media_name),
            media_role: self.media_role.or(other.media_role),
            pid: self.pid.or(other.pid),
        }
    }
}

/// What the info of a node says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NodeInfo {
    pub(super) facts: Facts,
    pub(super) running: bool,
    pub(super) output_channels: u32,
}

/// What the infos have said so far.
#[derive(Debug, Default)]
pub(super) struct Infos {
    pub(super) nodes: BTreeMap<u32, NodeInfo>,
    pub(super) clients: BTreeMap<u32, Facts>,
}

/// Whether a node is an app's playback. The outputs of our inserts are none.
pub(super) fn is_stream(node: &Node) -> bool {
    node.media_class == "Stream/Output/Audio" && !is_our_output(&node.name)
}

fn is_our_output(name: &str) -> bool {
    [InsertId::Main, InsertId::Master]
        .iter()
        .any(|insert| name.strip_prefix(insert.node_name()) == Some(".out"))
}

/// The picture as it is now.
pub(super) fn look(model: &Model, infos: &Infos) -> Seen {
    let info = |id: u32| infos.nodes.get(&id).cloned().unwrap_or_default();
    let mut streams: Vec<StreamSeen> = model
        .nodes()
        .filter(|(_, node)| is_stream(node))
        .map(|(id, node)| {
            let info = info(id);
            let client = node.client.and_then(|client| infos.clients.get(&client));
            let mut app = info.facts.or(client);
            app.pid = app.pid.or(model.pid_of(node));
            StreamSeen {
                serial: node.serial,
                node_name: node.name.clone(),
                app,
                sink: sink_of(model, id),
                playing: info.running,
                channels: Some(info.output_channels).filter(|count| *count > 0),
            }
        })
        .collect();
    streams.sort_by_key(|stream| stream.serial);
    let mut sinks: Vec<SinkSeen> = model
        .sinks()
        .map(|(id, node)| SinkSeen {
            serial: node.serial,
            name: node.name.clone(),
            description: node.description.clone(),
            is_device: node.device.is_some() && !is_ours(&node.name),
            channels: model.sink_channels(id).into_iter().map(str::to_owned).collect(),
            running: info(id).running,
        })
        .collect();
    sinks.sort_by_key(|sink| sink.serial);
    Seen { streams, sinks }
}

/// The sink that a stream is linked to. It may feed others too, such as a recorder.
fn sink_of(model: &Model, stream: u32) -> Option<String> {
    let mut linked = model.linked_from(stream).filter_map(|to| model.node(to));
    linked
        .find(|node| matches!(node.media_class.as_str(), "Audio/Sink" | "Audio/Duplex"))
        .map(|node| node.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::model::{Client, Global, Link, Port};

    fn node(name: &str, media_class: &str, serial: u64) -> Node {
        Node { name: name.into(), media_class: media_class.into(), serial, ..Node::default() }
    }

    fn graph() -> Model {
        let mut model = Model::default();
        let app = Node { client: Some(7), ..node("mpv", "Stream/Output/Audio", 90) };
        model.add(7, Global::Client(Client { pid: Some(4_242) }));
        model.add(40, Global::Node(app));
        model.add(41, Global::Node(node("headroom.main", "Audio/Sink", 50)));
        model.add(42, Global::Node(node("headroom.main.out", "Stream/Output/Audio", 51)));
        let card = Node { device: Some(3), ..node("alsa", "Audio/Sink", 30) };
        model.add(43, Global::Node(card));
        model.add(44, Global::Node(node("recorder", "Stream/Input/Audio", 91)));
        let port = Port { node: 43, number: 0, is_input: true, channel: "FL".into() };
        model.add(60, Global::Port(port));
        model.add(70, Global::Link(Link { from_node: 40, to_node: 44 }));
        model
    }

    #[test]
    fn streams_are_those_of_apps_and_sinks_are_all() {
        let mut model = graph();
        let seen = look(&model, &Infos::default());
        let [stream] = &seen.streams[..] else { panic!("{seen:?}") };
        assert_eq!(
            (stream.serial, stream.app.pid, stream.sink.as_deref()),
            (90, Some(4_242), None)
        );
        let sinks: Vec<(&str, bool)> =
            seen.sinks.iter().map(|sink| (sink.name.as_str(), sink.is_device)).collect();
        assert_eq!(sinks, [("alsa", true), ("headroom.main", false)]);
        assert_eq!(seen.sinks[0].channels, ["FL"]);
        model.add(71, Global::Link(Link { from_node: 40, to_node: 41 }));
        assert_eq!(
            look(&model, &Infos::default()).streams[0].sink.as_deref(),
            Some("headroom.main")
        );
    }

    #[test]
    fn the_node_knows_better_than_its_client() {
        let text = |text: &str| Some(text.to_owned());
        let of_node = Facts { application_name: text("Firefox"), ..Facts::default() };
        let of_client = Facts {
            application_name: text("pipewire-pulse"),
            process_binary: text("pipewire-pulse"),
            pid: Some(1),
            ..Facts::default()
        };
        let mut infos = Infos::default();
        let info = NodeInfo { facts: of_node, running: true, output_channels: 2 };
        infos.nodes.insert(40, info);
        infos.clients.insert(7, of_client);
        let seen = look(&graph(), &infos);
        let StreamSeen { app, playing, channels, .. } = &seen.streams[0];
        assert_eq!(app.application_name.as_deref(), Some("Firefox"));
        assert_eq!(app.process_binary.as_deref(), Some("pipewire-pulse"));
        assert_eq!((app.pid, *playing, *channels), (Some(1), true, Some(2)));
    }

    #[test]
    fn empty_words_are_none() {
        let facts = Facts::read(|key| (key == "application.name").then_some(""));
        assert_eq!(facts, Facts::default());
    }
}
