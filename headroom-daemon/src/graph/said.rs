//! What streams, sinks and the clients behind them say of themselves.
//!
//! `listening` hears it, `census` makes the picture of it. Every text in it was written by another
//! program: however long, no more than [`MOST_TEXT_BYTES`] of it are kept. Pure.

use std::collections::BTreeMap;

use super::census::FixedBy;
use super::pods::NodeVolume;
use crate::journal::{LONGEST_NAME_BYTES, stream_key};

/// The most that is kept of any text of another program, in bytes.
pub(super) const MOST_TEXT_BYTES: usize = 256;
/// The most that is kept of the name of a channel, in bytes.
const MOST_CHANNEL_BYTES: usize = 16;
/// The most that is kept of the name of a program that is not an app's, in bytes.
const MOST_CLIENT_BYTES: usize = 64;
/// The most channels of a sink that are kept.
pub(super) const MOST_CHANNELS: usize = 64;

const CUT: &str = "…";

/// A text, cut where it is too long.
pub(super) fn capped(text: &str) -> String {
    cut(text, MOST_TEXT_BYTES)
}

/// What a program calls itself, cut where it is too long.
pub(super) fn capped_client(text: &str) -> String {
    cut(text, MOST_CLIENT_BYTES)
}

/// The name of a channel, cut where it is too long.
pub(super) fn capped_channel(text: &str) -> String {
    cut(text, MOST_CHANNEL_BYTES)
}

fn cut(text: &str, most_bytes: usize) -> String {
    if text.len() <= most_bytes {
        return text.to_owned();
    }
    let mut end = most_bytes - CUT.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{CUT}", &text[..end])
}

/// What a node or its client says of the app. The node knows better where both say something:
/// a sound server in between may be one client for all the apps behind it.
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
        let text = |key: &str| get(key).filter(|text| !text.is_empty()).map(capped);
        Facts {
            application_name: text("application.name"),
            process_binary: text("application.process.binary"),
            portal_app_id: text("pipewire.access.portal.app_id"),
            media_name: text("media.name"),
            media_role: text("media.role"),
            pid: get("application.process.id").and_then(|pid| pid.parse().ok()),
        }
    }

    pub(super) fn or(self, other: Option<&Facts>) -> Facts {
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

/// What the properties of a node say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NodeProps {
    pub(super) facts: Facts,
    pub(super) description: Option<String>,
    /// There is only software behind it.
    pub(super) is_virtual: bool,
    /// There is a network behind it.
    pub(super) is_network: bool,
    /// Why a stream must stay where it is, if it must.
    pub(super) fixed_by: Option<FixedBy>,
    /// The output of a filter, not of an app; or where sound goes into one.
    pub(super) is_filter: bool,
    /// A filter for whatever the default sink is, which WirePlumber puts there from 0.5 on.
    pub(super) is_for_the_default: bool,
    /// The sink that the app asks for.
    pub(super) asks_for: Wanted,
    /// What WirePlumber remembers it under.
    pub(super) key: Option<String>,
}

/// A sink that somebody wants a stream to go to, in the two ways that PipeWire knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// `target.object`: a serial or a name.
    pub(super) object: Option<String>,
    /// `target.node` or `node.target`, which are older: an id or a name.
    pub(super) node: Option<String>,
}

impl Wanted {
    /// Whether nobody wants anything.
    pub(super) fn is_nothing(&self) -> bool {
        self.object.is_none() && self.node.is_none()
    }
}

impl NodeProps {
    /// Reads what a node says.
    pub(super) fn read<'p>(get: impl Fn(&str) -> Option<&'p str>) -> NodeProps {
        let text = |key: &str| get(key).filter(|text| !text.is_empty()).map(capped);
        let is_true = |key: &str| matches!(get(key), Some("true" | "1"));
        NodeProps {
            facts: Facts::read(&get),
            description: text("node.description").or_else(|| text("node.nick")),
            is_virtual: is_true("node.virtual")
                || get("factory.name") == Some("support.null-audio-sink"),
            is_network: is_true("node.network"),
            fixed_by: fixed_by(is_true),
            is_filter: get("node.link-group").is_some(),
            is_for_the_default: get("node.link-group").is_some()
                && is_true("filter.smart")
                && !is_true("filter.smart.disabled")
                && get("filter.smart.target").is_none(),
            asks_for: Wanted { object: text("target.object"), node: text("node.target") },
            key: stream_key(&get).filter(|key| key.len() <= LONGEST_NAME_BYTES),
        }
    }
}

/// An app that links itself, or with WirePlumber's older word for it, must not be moved.
fn fixed_by(is_true: impl Fn(&str) -> bool) -> Option<FixedBy> {
    if is_true("node.dont-move") {
        Some(FixedBy::DontMove)
    } else if is_true("node.dont-reconnect") {
        Some(FixedBy::DontReconnect)
    } else if is_true("node.autoconnect") {
        None
    } else {
        Some(FixedBy::OwnLinks)
    }
}

/// News of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NodeNews {
    pub(super) running: bool,
    pub(super) output_ports: u32,
    /// PipeWire sends them only where they have changed.
    pub(super) props: Option<NodeProps>,
}

/// All that a node has said so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Said {
    pub(super) props: NodeProps,
    pub(super) running: bool,
    pub(super) output_ports: u32,
    /// Linear; empty before the first report.
    pub(super) volumes: Vec<f32>,
    pub(super) muted: bool,
    /// How many channels the app of a stream has, once it has said so.
    pub(super) channels: Option<u32>,
}

impl Said {
    /// How many channels a stream has. Its ports are as many as the sink's that it is linked to.
    pub(super) fn stream_channels(&self) -> Option<u32> {
        self.channels.or(Some(self.output_ports).filter(|count| *count > 0))
    }
}

/// All that has been heard so far, by the id of who has said it.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) nodes: BTreeMap<u32, Said>,
    pub(super) clients: BTreeMap<u32, Facts>,
}

impl Heard {
    /// Gives whether anything is another.
    pub(super) fn node_says(&mut self, id: u32, news: NodeNews) -> bool {
        let before = self.nodes.get(&id).cloned();
        let said = self.nodes.entry(id).or_default();
        said.running = news.running;
        said.output_ports = news.output_ports;
        if let Some(props) = news.props {
            said.props = props;
        }
        before.as_ref() != Some(said)
    }

    /// Gives whether anything is another.
    pub(super) fn volume(&mut self, id: u32, volume: NodeVolume) -> bool {
        // The volume alone does not say what the sink is: that comes first.
        let Some(said) = self.nodes.get_mut(&id) else { return false };
        let before = said.clone();
        if let Some(channels) = volume.channels {
            said.volumes = channels;
        }
        if let Some(muted) = volume.muted {
            said.muted = muted;
        }
        before != *said
    }

    /// Gives whether anything is another.
    pub(super) fn channels(&mut self, id: u32, count: u32) -> bool {
        let Some(said) = self.nodes.get_mut(&id) else { return false };
        said.channels.replace(count) != Some(count)
    }

    /// Gives whether anything is another.
    pub(super) fn client_says(&mut self, id: u32, facts: Facts) -> bool {
        let is_new = self.clients.get(&id) != Some(&facts);
        self.clients.insert(id, facts);
        is_new
    }

    pub(super) fn forget(&mut self, id: u32) {
        self.nodes.remove(&id);
        self.clients.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        assert_eq!(capped("short"), "short");
        let longest = "x".repeat(MOST_TEXT_BYTES);
        assert_eq!(capped(&longest), longest);
        for letter in ["x", "é", "€", "😀"] {
            let cut = capped(&letter.repeat(500_000));
            assert!(cut.len() <= MOST_TEXT_BYTES && cut.ends_with(CUT), "{cut}");
            assert!(cut.len() > MOST_TEXT_BYTES - 4);
            assert!(capped_channel(&cut).len() <= MOST_CHANNEL_BYTES);
        }
    }

    #[test]
    fn a_node_says_whose_stream_it_is_and_what_it_plays() {
        let read = NodeProps::read(|key: &str| match key {
            "application.name" => Some("Firefox"),
            "application.process.id" => Some("77"),
            "media.name" => Some("A film"),
            "media.role" => Some(""),
            "node.virtual" => Some("true"),
            _ => None,
        });
        assert_eq!(read.facts.application_name.as_deref(), Some("Firefox"));
        assert_eq!((read.facts.media_name.as_deref(), read.facts.pid), (Some("A film"), Some(77)));
        assert_eq!(read.facts.media_role, None, "empty words are none");
        assert!(read.is_virtual && !read.is_network);
    }

    #[test]
    fn news_change_only_what_they_are_about() {
        let mut heard = Heard::default();
        let facts = Facts { media_name: Some("A film".into()), ..Facts::default() };
        let props = NodeProps { facts, ..NodeProps::default() };
        let volume = |channels, muted| NodeVolume { channels, muted };
        assert!(!heard.volume(7, volume(None, Some(true))), "nobody knows what 7 is");
        let news = NodeNews { running: true, output_ports: 2, props: Some(props.clone()) };
        assert!(heard.node_says(7, news.clone()));
        assert!(!heard.node_says(7, news), "nothing new");
        assert!(heard.node_says(7, NodeNews { running: false, output_ports: 2, props: None }));
        assert!(heard.volume(7, volume(Some(vec![0.5]), None)));
        assert!(heard.volume(7, volume(None, Some(true))));
        let volumes = vec![0.5];
        assert!(heard.channels(7, 6) && !heard.channels(7, 6) && !heard.channels(8, 6));
        let channels = Some(6);
        let said = Said { props, running: false, output_ports: 2, volumes, muted: true, channels };
        assert_eq!(said.stream_channels(), Some(6), "not that of its ports");
        assert_eq!(heard.nodes[&7], said);
        heard.forget(7);
        assert!(heard.nodes.is_empty());
    }

    #[test]
    fn what_holds_a_stream_is_told_by_its_property() {
        let of = |said: &[(&str, &'static str)]| {
            let get = |key: &str| said.iter().find(|(known, _)| *known == key).map(|(_, v)| *v);
            NodeProps::read(get).fixed_by
        };
        let auto = ("node.autoconnect", "true");
        assert_eq!(of(&[auto]), None);
        assert_eq!(of(&[auto, ("node.dont-move", "true")]), Some(FixedBy::DontMove));
        assert_eq!(of(&[auto, ("node.dont-move", "false")]), None);
        assert_eq!(of(&[auto, ("node.dont-reconnect", "1")]), Some(FixedBy::DontReconnect));
        assert_eq!(of(&[]), Some(FixedBy::OwnLinks));
    }
}
