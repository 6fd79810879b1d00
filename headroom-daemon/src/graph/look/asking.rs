//! What is asked of the graph, and what is heard.
//!
//! PipeWire answers for itself at once. The metadata `default` is WirePlumber's: PipeWire reads nothing
//! more from who binds it until WirePlumber has answered, and where who has bound it leaves before
//! that, nobody is told of any change in it as long as it is there. So it is asked for last, and
//! not at all of a WirePlumber that is stopped.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use pipewire as pw;
use pw::core::CoreRc;
use pw::loop_::Timeout;
use pw::main_loop::MainLoopRc;
use pw::metadata::{Metadata, MetadataListener};
use pw::node::{Node, NodeListener};
use pw::registry::RegistryRc;
use pw::spa::param::ParamType;
use pw::types::ObjectType;

use super::NodeLook;
use crate::graph::bindings::bind;
use crate::graph::said::capped;
use crate::graph::{is_our_output, is_ours, pods, session_manager};
use crate::journal::stream_key;

/// How long PipeWire may take for all that it is asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long WirePlumber may take, behind that. It is waited for longer than is pleasant: who leaves
/// before it has answered takes the ears of all others along.
const MANAGERS_PATIENCE: Duration = Duration::from_secs(4);
/// What the graph holds beyond these is not looked at.
const MOST_NODES: usize = 512;
const MOST_CLIENTS: usize = 512;
/// The format of so many sinks is asked for.
const MOST_FORMATS: usize = 32;
/// So many streams are asked who they are.
const MOST_STREAMS: usize = 256;

/// What callbacks have heard, as it comes.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) version: Option<String>,
    pub(super) core_rate_hz: Option<u32>,
    done: Option<i32>,
    lost: bool,
    pub(super) nodes: BTreeMap<u32, (NodeLook, Option<u32>)>,
    pub(super) clients: BTreeMap<u32, (String, Option<u32>)>,
    /// Their names, by id.
    pub(super) metadata: BTreeMap<u32, String>,
    /// Of the metadata `default`.
    pub(super) default: BTreeMap<(u32, String), String>,
    /// Of the metadata `settings`.
    pub(super) settings: BTreeMap<String, String>,
    /// Of streams, by id.
    pub(super) keys: BTreeMap<u32, String>,
}

impl Heard {
    /// The processes of PipeWire's clients.
    pub(super) fn pids(&self) -> impl Iterator<Item = u32> {
        self.clients.values().filter_map(|(_, pid)| *pid)
    }

    pub(super) fn has_metadata(&self, name: &str) -> bool {
        self.metadata.values().any(|known| known == name)
    }
}

pub(super) type Shared = Rc<RefCell<Heard>>;

/// Who has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answers {
    /// Not even PipeWire all of it.
    Nobody,
    /// PipeWire, but WirePlumber not.
    PipeWire,
    /// Everybody who is there.
    All,
}

/// Asks for everything, in as many rounds as it takes.
pub(super) fn ask(main_loop: &MainLoopRc, core: &CoreRc, heard: &Shared) -> Answers {
    let _core_listener = listen_to_core(core, heard);
    let Ok(registry) = core.get_registry_rc() else { return Answers::Nobody };
    let _registry_listener = listen_to_registry(&registry, heard);
    let round = |end| round(main_loop, core, heard, end);
    let end = Instant::now() + PATIENCE;
    if round(end).is_none() {
        return Answers::Nobody;
    }
    let of_class = |class: &str, most: usize| -> Vec<u32> {
        let heard = heard.borrow();
        let of_us = |name: &str| is_ours(name) || is_our_output(name);
        let is_it = |node: &NodeLook| node.media_class == class && !of_us(&node.name);
        let ids = heard.nodes.iter().filter(|(_, (node, _))| is_it(node)).map(|(id, _)| *id);
        ids.take(most).collect()
    };
    let _sinks: Vec<_> = of_class("Audio/Sink", MOST_FORMATS)
        .into_iter()
        .filter_map(|id| hear_format(&registry, id, heard))
        .collect();
    let _streams: Vec<_> = of_class("Stream/Output/Audio", MOST_STREAMS)
        .into_iter()
        .filter_map(|id| hear_key(&registry, id, heard))
        .collect();
    let _settings = hear_metadata(&registry, "settings", heard);
    // What is bound answers with what it knows before the second round is answered; a node's
    // parameters come after its information.
    if round(end).and_then(|()| round(end)).is_none() {
        return Answers::Nobody;
    }
    if session_manager::is_stopped(heard.borrow().pids()) {
        return Answers::PipeWire;
    }
    let _default = hear_metadata(&registry, "default", heard);
    match round(Instant::now() + MANAGERS_PATIENCE) {
        Some(()) => Answers::All,
        None if heard.borrow().lost => Answers::Nobody,
        None => Answers::PipeWire,
    }
}

/// Runs the loop until PipeWire has answered all that was asked before.
fn round(main_loop: &MainLoopRc, core: &CoreRc, heard: &Shared, end: Instant) -> Option<()> {
    let asked = core.sync(0).ok()?.seq();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        {
            let heard = heard.borrow();
            if heard.done.is_some_and(|done| done >= asked) {
                return Some(());
            }
            if heard.lost || left.is_zero() {
                return None;
            }
        }
        main_loop.loop_().iterate(Timeout::Finite(left));
    }
}

fn listen_to_core(core: &CoreRc, heard: &Shared) -> pw::core::Listener {
    let (of_info, of_done, of_error) = (heard.clone(), heard.clone(), heard.clone());
    core.add_listener_local()
        .info(move |info| {
            let rate = info.props().and_then(|props| props.get("default.clock.rate"));
            let mut heard = of_info.borrow_mut();
            heard.version = Some(capped(info.version()));
            heard.core_rate_hz = rate.and_then(|rate| rate.parse().ok());
        })
        .done(move |id, seq| {
            if id == pw::core::PW_ID_CORE {
                of_done.borrow_mut().done = Some(seq.seq());
            }
        })
        .error(move |id, _, result, _| {
            if id == pw::core::PW_ID_CORE && result == -nix::libc::EPIPE {
                of_error.borrow_mut().lost = true;
            }
        })
        .register()
}

fn listen_to_registry(registry: &RegistryRc, heard: &Shared) -> pw::registry::Listener {
    let heard = heard.clone();
    registry
        .add_listener_local()
        .global(move |object| {
            let Some(props) = object.props else { return };
            let text = |key| props.get(key).map(capped).unwrap_or_default();
            let number = |key: &str| props.get(key).and_then(|value| value.parse::<u32>().ok());
            let mut heard = heard.borrow_mut();
            match object.type_ {
                ObjectType::Node if heard.nodes.len() < MOST_NODES => {
                    let node = NodeLook {
                        name: text("node.name"),
                        description: text("node.description"),
                        media_class: text("media.class"),
                        application: text("application.name"),
                        pid: None,
                        rate_hz: None,
                        is_device: props.get("device.id").is_some(),
                    };
                    // Not videos, not MIDI.
                    if node.media_class.contains("Audio") {
                        heard.nodes.insert(object.id, (node, number("client.id")));
                    }
                }
                ObjectType::Client if heard.clients.len() < MOST_CLIENTS => {
                    let pid = number("pipewire.sec.pid");
                    heard.clients.insert(object.id, (text("application.name"), pid));
                }
                ObjectType::Metadata => {
                    let name = text("metadata.name");
                    if name == "default" || name == "settings" {
                        heard.metadata.insert(object.id, name);
                    }
                }
                _ => {}
            }
        })
        .register()
}

/// The listener before the proxy: it unhooks itself from it.
fn hear_metadata(
    registry: &RegistryRc,
    name: &'static str,
    heard: &Shared,
) -> Option<(MetadataListener, Metadata)> {
    let id = heard.borrow().metadata.iter().find(|(_, known)| *known == name).map(|(id, _)| *id)?;
    let metadata: Metadata = bind(registry, id, ObjectType::Metadata).ok()?;
    let heard = heard.clone();
    let listener = metadata
        .add_listener_local()
        .property(move |subject, key, _, value| {
            let (Some(key), Some(value)) = (key.map(capped), value.map(capped)) else { return 0 };
            let mut heard = heard.borrow_mut();
            if name == "settings" {
                heard.settings.insert(key, value);
            } else if heard.default.len() < MOST_NODES {
                heard.default.insert((subject, key), value);
            }
            0
        })
        .register();
    Some((listener, metadata))
}

fn hear_format(registry: &RegistryRc, id: u32, heard: &Shared) -> Option<(NodeListener, Node)> {
    let node: Node = bind(registry, id, ObjectType::Node).ok()?;
    let heard = heard.clone();
    let listener = node
        .add_listener_local()
        .param(move |_, kind, _, _, pod| {
            if kind == ParamType::Format
                && let Some(rate_hz) = pod.and_then(pods::read_rate)
                && let Some((node, _)) = heard.borrow_mut().nodes.get_mut(&id)
            {
                node.rate_hz = Some(rate_hz);
            }
        })
        .register();
    node.enum_params(0, Some(ParamType::Format), 0, 1);
    Some((listener, node))
}

/// The registry does not say all that the key is made of: a node's own information does.
fn hear_key(registry: &RegistryRc, id: u32, heard: &Shared) -> Option<(NodeListener, Node)> {
    let node: Node = bind(registry, id, ObjectType::Node).ok()?;
    let heard = heard.clone();
    let listener = node
        .add_listener_local()
        .info(move |info| {
            if let Some(key) = info.props().and_then(|props| stream_key(|key| props.get(key))) {
                heard.borrow_mut().keys.insert(id, key);
            }
        })
        .register();
    Some((listener, node))
}
