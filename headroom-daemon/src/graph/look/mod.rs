//! One look at the graph, for `headroomd --check`: over a connection of its own, which makes
//! nothing, changes nothing, and ends in time, whatever PipeWire does.
//!
//! It reports what is there, as plain values; what is wrong with it is for others to say.

mod asking;

use pipewire as pw;
use pw::context::ContextRc;
use pw::main_loop::MainLoopRc;
use pw::properties::properties;
use serde::Serialize;

use super::bindings::GRAPH;
use super::{library, session_manager};
use asking::{Answers, Heard, Shared};

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
    /// All was answered that is asked of PipeWire itself.
    Answered,
}

/// Who links everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SessionManager {
    /// The version of WirePlumber; nothing where it is another, or cannot be told.
    pub wireplumber: Option<String>,
    /// Whether it hangs: it is stopped, or has not answered in time. Then nothing is known of the
    /// defaults and of where streams were told to go.
    pub is_silent: bool,
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

/// Looks once. Gives what was seen by the time that the patience with PipeWire, or that with
/// WirePlumber, ended.
#[must_use]
pub fn look() -> GraphLook {
    let mut seen = GraphLook { library: library::version(), ..GraphLook::default() };
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
    let answers = asking::ask(&main_loop, &core, &heard);
    if answers >= Answers::PipeWire {
        seen.pipewire = Reached::Answered;
    }
    take_over(&mut seen, &heard.borrow());
    if let Some(manager) = &mut seen.session_manager {
        manager.is_silent = answers == Answers::PipeWire;
    }
    seen
}

fn take_over(seen: &mut GraphLook, heard: &Heard) {
    seen.version = heard.version.clone();
    let set_hz = |key: &str| {
        heard.settings.get(key).and_then(|value| value.parse().ok()).filter(|rate| *rate > 0)
    };
    seen.rate_hz = set_hz("clock.force-rate").or(set_hz("clock.rate")).or(heard.core_rate_hz);
    let wireplumber = session_manager::version(heard.pids());
    // Nobody but a session manager makes it.
    let is_there = heard.has_metadata("default");
    seen.session_manager = (is_there || wireplumber.is_some())
        .then_some(SessionManager { wireplumber, is_silent: false });
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
