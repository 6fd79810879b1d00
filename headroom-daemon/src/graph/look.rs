//! One look at the graph, for `headroomd --check`: over a connection of its own, which makes
//! nothing, changes nothing, and ends in time, whatever PipeWire does.
//!
//! It reports what is there, as plain values; what is wrong with it is for others to say.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use pipewire as pw;
use pw::context::ContextRc;
use pw::core::CoreRc;
use pw::loop_::Timeout;
use pw::main_loop::MainLoopRc;
use pw::metadata::{Metadata, MetadataListener};
use pw::node::{Node, NodeListener};
use pw::properties::properties;
use pw::registry::RegistryRc;
use pw::spa::param::ParamType;
use pw::types::ObjectType;
use serde::Serialize;

use super::bindings::{GRAPH, bind};
use super::said::capped;
use super::{is_our_output, is_ours, library, pods, session_manager};
use crate::journal::stream_key;

/// How long PipeWire may take for all of it.
const PATIENCE: Duration = Duration::from_secs(2);
/// What the graph holds beyond these is not looked at.
const MOST_NODES: usize = 512;
const MOST_CLIENTS: usize = 512;
/// The format of so many sinks is asked for.
const MOST_FORMATS: usize = 32;
/// So many streams are asked who they are.
const MOST_STREAMS: usize = 256;

/// The graph as it was found. See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphLook {
    /// The version of libpipewire in this process.
    pub library: String,
    /// How far the connection came.
    pub pipewire: Reached,
    /// What PipeWire calls itself, if it said so.
    pub version: Option<String>,
    /// The rate that the graph runs at, in Hz.
    pub rate_hz: Option<u32>,
    /// Who links everything, if anybody does.
    pub session_manager: Option<SessionManager>,
    /// The default sink that counts, by name.
    pub default_sink: Option<String>,
    /// The default sink that was asked for, by name.
    pub configured_default_sink: Option<String>,
    /// Every node of sound.
    pub nodes: Vec<NodeLook>,
    /// Where streams were told to go: the name of the stream, and what it was told.
    pub targets: Vec<(String, String)>,
    /// What WirePlumber remembers the streams of apps under.
    pub stream_keys: Vec<String>,
}

/// How far a connection to PipeWire came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// Nobody listens.
    #[default]
    Absent,
    /// Somebody listens, but does not answer in time.
    Silent,
    /// All that was asked was answered.
    Answered,
}

/// Who links everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SessionManager {
    /// The version of WirePlumber; nothing where it is another, or cannot be told.
    pub wireplumber: Option<String>,
}

/// A node of sound.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NodeLook {
    /// `node.name`.
    pub name: String,
    /// `node.description`.
    pub description: String,
    /// `media.class`.
    pub media_class: String,
    /// What its app calls itself.
    pub application: String,
    /// The process behind it.
    pub pid: Option<u32>,
    /// The rate that it runs at by itself, in Hz, if it is a sink that has one now.
    pub rate_hz: Option<u32>,
    /// Whether it belongs to a device.
    pub is_device: bool,
}

/// What callbacks have heard, as it comes.
#[derive(Default)]
struct Heard {
    version: Option<String>,
    core_rate_hz: Option<u32>,
    done: Option<i32>,
    lost: bool,
    nodes: BTreeMap<u32, (NodeLook, Option<u32>)>,
    clients: BTreeMap<u32, (String, Option<u32>)>,
    /// Their names, by id.
    metadata: BTreeMap<u32, String>,
    /// Of the metadata `default`.
    default: BTreeMap<(u32, String), String>,
    /// Of the metadata `settings`.
    settings: BTreeMap<String, String>,
    /// Of streams, by id.
    keys: BTreeMap<u32, String>,
}

type Shared = Rc<RefCell<Heard>>;

/// Looks once. Gives what was seen by the time that PipeWire's patience ended.
#[must_use]
pub fn look() -> GraphLook {
    let mut seen = GraphLook { library: library::version(), ..GraphLook::default() };
    let end = Instant::now() + PATIENCE;
    let Ok(main_loop) = MainLoopRc::new(None) else { return seen };
    let properties = properties! {
        *pw::keys::APP_NAME => "Headroom",
        // It makes no streams, so it needs none of what streams need.
        "module.session-manager" => "false",
        "module.client-device" => "false",
    };
    let Ok(context) = ContextRc::new(&main_loop, Some(properties)) else { return seen };
    let Ok(core) = context.connect_rc(None) else { return seen };
    seen.pipewire = Reached::Silent;
    let heard = Shared::default();
    if ask(&main_loop, &core, &heard, end).is_some() {
        seen.pipewire = Reached::Answered;
    }
    take_over(&mut seen, &heard.borrow());
    seen
}

/// Asks for everything, in as many rounds as it takes. Gives nothing where an answer is missing.
fn ask(main_loop: &MainLoopRc, core: &CoreRc, heard: &Shared, end: Instant) -> Option<()> {
    let _core_listener = listen_to_core(core, heard);
    let registry = core.get_registry_rc().ok()?;
    let _registry_listener = listen_to_registry(&registry, heard);
    round(main_loop, core, heard, end)?;
    let ids: Vec<(u32, String)> =
        heard.borrow().metadata.iter().map(|(id, name)| (*id, name.clone())).collect();
    let _metadata: Vec<_> = ids
        .into_iter()
        .filter_map(|(id, name)| hear_metadata(&registry, id, name, heard))
        .collect();
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
    // What is bound answers with what it knows before the second round is answered; a node's
    // parameters come after its information.
    round(main_loop, core, heard, end)?;
    round(main_loop, core, heard, end)
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
    id: u32,
    name: String,
    heard: &Shared,
) -> Option<(MetadataListener, Metadata)> {
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

fn take_over(seen: &mut GraphLook, heard: &Heard) {
    seen.version = heard.version.clone();
    let set_hz = |key: &str| {
        heard.settings.get(key).and_then(|value| value.parse().ok()).filter(|rate| *rate > 0)
    };
    seen.rate_hz = set_hz("clock.force-rate").or(set_hz("clock.rate")).or(heard.core_rate_hz);
    let pids = heard.clients.values().filter_map(|(_, pid)| *pid);
    let wireplumber = session_manager::version(pids);
    // Nobody but a session manager makes it.
    let is_there = heard.metadata.values().any(|name| name == "default");
    seen.session_manager =
        (is_there || wireplumber.is_some()).then_some(SessionManager { wireplumber });
    let default_of = |key: &str| {
        let value = heard.default.get(&(GRAPH, key.to_owned()))?;
        let value: serde_json::Value = serde_json::from_str(value).ok()?;
        Some(value.get("name")?.as_str()?.to_owned())
    };
    seen.default_sink = default_of("default.audio.sink");
    seen.configured_default_sink = default_of("default.configured.audio.sink");
    seen.stream_keys = heard.keys.values().cloned().collect();
    let client = |id: &u32| heard.clients.get(id);
    for (id, (node, client_id)) in &heard.nodes {
        let (application, pid) = client_id.as_ref().and_then(client).cloned().unwrap_or_default();
        let own = if node.application.is_empty() { application } else { node.application.clone() };
        seen.nodes.push(NodeLook { application: own, pid, ..node.clone() });
        for key in ["target.object", "target.node"] {
            if let Some(target) = heard.default.get(&(*id, key.to_owned())) {
                seen.targets.push((node.name.clone(), target.clone()));
            }
        }
    }
}
