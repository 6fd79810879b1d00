//! Who plays, and where sound can go: every app's stream and every sink, as plain values.
//!
//! The registry says that a node is there; what app it is, what it plays and whether it runs is
//! in the infos of the node and of its client, which are listened to. Out of all that comes one
//! picture, [`Seen`], which is told as a whole whenever it is another: a reader that missed one
//! is right again with the next. Pure.

use std::collections::{BTreeMap, BTreeSet};

use headroom_dsp::MAX_CHANNELS;

use super::model::{Model, Node};
use super::said::{Facts, Heard, NodeProps, Said};
use super::targets::{Around, Targets, is_chosen};
use super::{Contest, InsertId, is_ours, model};

/// The most streams that are followed. All of them, with every text as long as it may be, and
/// [`MOST_SINKS`] sinks fit in one message of the control protocol.
pub const MOST_STREAMS: usize = 256;
/// The most sinks that are followed.
pub const MOST_SINKS: usize = 128;

/// All streams and all sinks, the oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The connection to PipeWire, for [`super::Aims::session`].
    pub session: u32,
    /// Every app's playback.
    pub streams: Vec<StreamSeen>,
    /// Every place that sound can go to.
    pub sinks: Vec<SinkSeen>,
    /// Whether there are more.
    pub crowd: Crowd,
}

/// Whether there is more than is followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Crowd {
    /// More streams than [`MOST_STREAMS`].
    pub streams: bool,
    /// More sinks than [`MOST_SINKS`].
    pub sinks: bool,
}

/// One app's playback.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// How many of its channels are left at the sink, if that has fewer.
    pub folded_to: Option<u32>,
    /// How many streams play on the bus that it plays on, itself among them; none while it does
    /// not.
    pub on_its_bus: usize,
    /// The app's own volume of each of its first channels, linear; empty where it is not known.
    pub volumes: Vec<f32>,
    /// Whether the app is muted.
    pub muted: bool,
    /// What holds it where it is.
    pub tie: Tie,
    /// Who moves it away from where it is to go, and has been given in to.
    pub contest: Option<Contest>,
    /// Whether it is linked to nothing that it is sent to, whatever was tried.
    pub is_astray: bool,
}

/// What holds a stream where it is, so that not everything moves it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tie {
    /// Nothing.
    #[default]
    None,
    /// It is the output of a filter, not of an app.
    Filter,
    /// The app, the user or the desktop wants it at another sink than the one that is heard.
    Chosen,
    /// It must stay where it is.
    Fixed(FixedBy),
}

/// What says that a stream must stay where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixedBy {
    /// Its property `node.dont-move`.
    DontMove,
    /// Its property `node.dont-reconnect`, which is WirePlumber's older word for it.
    DontReconnect,
    /// It has no `node.autoconnect`: nobody links it but the app.
    OwnLinks,
}

/// A place that sound can go to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SinkSeen {
    /// Never given to another while PipeWire runs.
    pub serial: u64,
    /// The name of its node.
    pub name: String,
    /// What people call it.
    pub description: String,
    /// Whether there is a sound card or a network behind it, and not only software.
    pub is_device: bool,
    /// Its channels, in their order.
    pub channels: Vec<String>,
    /// The volume of each channel, linear; empty where it is not known.
    pub volumes: Vec<f32>,
    /// Whether it is muted.
    pub muted: bool,
    /// Whether sound flows.
    pub running: bool,
}

/// The ids of what is followed: of what there is, the oldest, and always what is ours.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Followed {
    pub(super) streams: BTreeSet<u32>,
    pub(super) sinks: BTreeSet<u32>,
    /// The clients behind the streams.
    pub(super) clients: BTreeSet<u32>,
    pub(super) crowd: Crowd,
}

/// What of the graph is to be followed.
pub(super) fn followed(model: &Model) -> Followed {
    let (streams, more_streams) = oldest(model.streams(), MOST_STREAMS);
    let (sinks, more_sinks) = oldest(model.sinks(), MOST_SINKS);
    let clients = streams
        .iter()
        .filter_map(|id| model.node(*id)?.client)
        .filter(|client| model.has_client(*client))
        .collect();
    let crowd = Crowd { streams: more_streams, sinks: more_sinks };
    Followed { streams, sinks, clients, crowd }
}

fn oldest<'m>(nodes: impl Iterator<Item = (u32, &'m Node)>, most: usize) -> (BTreeSet<u32>, bool) {
    let mut nodes: Vec<(u32, &Node)> = nodes.collect();
    let is_more = nodes.len() > most;
    if is_more {
        nodes.sort_by_key(|(_, node)| (!is_ours(&node.name), node.serial));
        nodes.truncate(most);
    }
    (nodes.into_iter().map(|(id, _)| id).collect(), is_more)
}

/// The picture as it is now. What has not said yet what it is is left out until it has.
pub(super) fn look(
    session: u32,
    followed: &Followed,
    heard: &Heard,
    targets: &Targets,
    around: Around<'_>,
) -> Seen {
    let model = around.model;
    let mut linked: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for model::Link { from_node, to_node, .. } in model.links() {
        linked.entry(*from_node).or_default().push(*to_node);
    }
    let of = |id: &u32| Some((*id, model.node(*id)?, heard.nodes.get(id)?));
    let mut streams: Vec<StreamSeen> = followed
        .streams
        .iter()
        .filter_map(of)
        .filter_map(|(id, node, said)| {
            let seen = stream(model, heard, node, said, linked.get(&id))?;
            let wanted = targets.wanted_sink(id, &said.props.asks_for, model);
            let tie = match &said.props {
                NodeProps { fixed_by: Some(by), .. } => Tie::Fixed(*by),
                _ if is_chosen(wanted, around) => Tie::Chosen,
                props if props.is_filter => Tie::Filter,
                _ => Tie::None,
            };
            let mut contest = targets.contest(id, &said.props.asks_for, around);
            if let Some(contest) = &mut contest {
                contest.to = contest.to.take().or_else(|| seen.sink.clone());
            }
            Some(StreamSeen { tie, contest, is_astray: targets.is_astray(id), ..seen })
        })
        .collect();
    streams.sort_by_key(|stream| stream.serial);
    count_players(&mut streams);
    let mut sinks: Vec<SinkSeen> = followed
        .sinks
        .iter()
        .filter_map(of)
        .map(|(id, node, said)| sink(model, id, node, said))
        .collect();
    sinks.sort_by_key(|sink| sink.serial);
    Seen { session, streams, sinks, crowd: followed.crowd }
}

fn count_players(streams: &mut [StreamSeen]) {
    let bus = |stream: &StreamSeen| {
        let insert = stream.sink.as_deref().and_then(InsertId::of_node);
        insert.filter(|insert| insert.is_bus() && stream.playing)
    };
    let buses: Vec<Option<InsertId>> = streams.iter().map(bus).collect();
    for (stream, bus) in streams.iter_mut().zip(&buses).filter(|(_, bus)| bus.is_some()) {
        stream.on_its_bus = buses.iter().filter(|other| *other == bus).count();
    }
}

fn stream(
    model: &Model,
    heard: &Heard,
    node: &Node,
    said: &Said,
    linked: Option<&Vec<u32>>,
) -> Option<StreamSeen> {
    let client = node.client.filter(|client| model.has_client(*client));
    let client_says = match client {
        Some(client) => Some(heard.clients.get(&client)?),
        None => None,
    };
    let mut app = said.props.facts.clone().or(client_says);
    app.pid = app.pid.or(model.pid_of(node));
    // It may be linked to several, and to recorders too.
    let sinks = linked.into_iter().flatten().filter_map(|to| Some((*to, model.node(*to)?)));
    let sinks = sinks.filter(|(_, node)| node.is_sink());
    let sink = sinks.min_by_key(|(_, node)| !is_ours(&node.name));
    let channels = said.stream_channels();
    let room = sink.map(|(id, _)| model.sink_channels(id).len() as u32);
    let folded_to = room.zip(channels).filter(|(to, from)| *to > 0 && to < from).map(|(to, _)| to);
    Some(StreamSeen {
        serial: node.serial,
        node_name: node.name.clone(),
        app,
        sink: sink.map(|(_, sink)| sink.name.clone()),
        playing: said.running,
        channels,
        folded_to,
        on_its_bus: 0,
        volumes: said.volumes.iter().copied().take(MAX_CHANNELS).collect(),
        muted: said.muted,
        tie: Tie::None,
        contest: None,
        is_astray: false,
    })
}

fn sink(model: &Model, id: u32, node: &Node, said: &Said) -> SinkSeen {
    let description = said.props.description.as_ref().unwrap_or(&node.description);
    SinkSeen {
        serial: node.serial,
        name: node.name.clone(),
        description: description.clone(),
        is_device: node.device.is_some() || said.props.is_network || !said.props.is_virtual,
        channels: model.sink_channels(id).into_iter().map(str::to_owned).collect(),
        volumes: said.volumes.clone(),
        muted: said.muted,
        running: said.running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::model::{Client, Global, Link, Port};
    use crate::graph::said::NodeNews;

    fn node(name: &str, media_class: &str, serial: u64) -> Node {
        Node { name: name.into(), media_class: media_class.into(), serial, ..Node::default() }
    }

    fn graph() -> Model {
        let mut model = Model::default();
        let app = Node { client: Some(7), ..node("mpv", "Stream/Output/Audio", 90) };
        model.add(7, Global::Client(Client { pid: Some(4_242), ..Client::default() }));
        model.add(40, Global::Node(app));
        model.add(41, Global::Node(node("headroom.main", "Audio/Sink", 50)));
        model.add(42, Global::Node(node("headroom.main.out", "Stream/Output/Audio", 51)));
        let card = Node { device: Some(3), ..node("alsa", "Audio/Sink", 30) };
        model.add(43, Global::Node(card));
        model.add(44, Global::Node(node("recorder", "Stream/Input/Audio", 91)));
        let port = Port { node: 43, number: 0, is_input: true, channel: "FL".into() };
        model.add(60, Global::Port(port));
        model.add(70, Global::Link(Link { from_node: 40, to_node: 44, client: None }));
        model
    }

    /// What everyone says who is there.
    fn heard(model: &Model) -> Heard {
        let mut heard = Heard::default();
        let Followed { streams, sinks, clients, .. } = followed(model);
        for id in streams.into_iter().chain(sinks) {
            let props = NodeProps { is_virtual: true, ..NodeProps::default() };
            heard.node_says(id, NodeNews { props: Some(props), ..NodeNews::default() });
        }
        for id in clients {
            heard.client_says(id, Facts::default());
        }
        heard
    }

    fn seen(model: &Model, heard: &Heard) -> Seen {
        let around = Around { model, default_sink: None, filter: None, device: None };
        look(1, &followed(model), heard, &Targets::default(), around)
    }

    #[test]
    fn streams_are_those_of_apps_and_sinks_are_all() {
        let mut model = graph();
        let all = seen(&model, &heard(&model));
        let [stream] = &all.streams[..] else { panic!("{all:?}") };
        assert_eq!(
            (stream.serial, stream.app.pid, stream.sink.as_deref()),
            (90, Some(4_242), None)
        );
        let sinks: Vec<(&str, bool)> =
            all.sinks.iter().map(|sink| (sink.name.as_str(), sink.is_device)).collect();
        assert_eq!(sinks, [("alsa", true), ("headroom.main", false)]);
        assert_eq!(all.sinks[0].channels, ["FL"]);
        let sink_of = |model: &Model| seen(model, &heard(model)).streams[0].sink.clone();
        model.add(71, Global::Link(Link { from_node: 40, to_node: 43, client: None }));
        assert_eq!(sink_of(&model).as_deref(), Some("alsa"));
        model.add(72, Global::Link(Link { from_node: 40, to_node: 41, client: None }));
        assert_eq!(sink_of(&model).as_deref(), Some("headroom.main"), "ours counts first");
    }

    #[test]
    fn nobody_is_told_of_before_it_has_said_who_it_is() {
        let model = graph();
        assert_eq!(seen(&model, &Heard::default()), Seen { session: 1, ..Seen::default() });
        let mut without_client = heard(&model);
        without_client.clients.clear();
        assert_eq!(seen(&model, &without_client).streams, []);
        let mut gone = graph();
        gone.remove(7);
        let said = heard(&gone);
        assert_eq!(seen(&gone, &said).streams.len(), 1, "a client that has gone says no more");
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
        let model = graph();
        let mut heard = heard(&model);
        let props = Some(NodeProps { facts: of_node, ..NodeProps::default() });
        heard.node_says(40, NodeNews { running: true, output_ports: 2, props });
        heard.client_says(7, of_client);
        let all = seen(&model, &heard);
        let StreamSeen { app, playing, channels, .. } = &all.streams[0];
        assert_eq!(app.application_name.as_deref(), Some("Firefox"));
        assert_eq!(app.process_binary.as_deref(), Some("pipewire-pulse"));
        assert_eq!((app.pid, *playing, *channels), (Some(1), true, Some(2)));
    }

    #[test]
    fn of_very_many_the_oldest_are_followed_and_ours_and_the_next_when_they_go() {
        let mut model = Model::default();
        for id in 0..1_000 {
            let serial = u64::from(2_000 - id);
            model.add(id, Global::Node(node("an app", "Stream/Output/Audio", serial)));
            model.add(5_000 + id, Global::Node(node("a null sink", "Audio/Sink", serial)));
        }
        model.add(9_000, Global::Node(node("headroom.main", "Audio/Sink", 9_999)));
        let all = followed(&model);
        assert_eq!((all.streams.len(), all.sinks.len()), (MOST_STREAMS, MOST_SINKS));
        assert_eq!(all.crowd, Crowd { streams: true, sinks: true });
        assert!(all.sinks.contains(&9_000));
        let newest_followed = 1_000 - MOST_STREAMS as u32;
        assert_eq!(all.streams.first(), Some(&newest_followed));
        model.remove(999);
        assert_eq!(followed(&model).streams.first(), Some(&(newest_followed - 1)));
        assert_eq!(seen(&model, &heard(&model)).streams.len(), MOST_STREAMS);
    }
}
