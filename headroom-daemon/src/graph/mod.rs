//! hr-graph: the one thread that talks to PipeWire, and the only code that names `pipewire::`.
//!
//! It makes the inserts, keeps them linked to the device sink, follows the user's default
//! sink and volume, and starts again when PipeWire does. Commands come in through a bounded
//! queue, events go out through another; both are plain values, and no PipeWire type crosses
//! this border. What it decides, it decides in pure modules (`default_sink`, `carry`,
//! `channels`, `hearing`, `model`, `census`, `sliders`, `targets`, `turning`); policy about
//! streams and profiles is not its business.

mod bindings;
mod carry;
mod census;
mod channels;
mod default_sink;
mod event;
mod filters;
mod gate;
mod hearing;
mod library;
mod listening;
mod look;
mod mailbox;
mod model;
mod notice;
mod pods;
mod promoting;
mod said;
mod session;
mod session_manager;
mod sliders;
mod standing;
mod stored;
mod streams;
mod targets;
mod thread;
mod turning;

pub use census::{Crowd, FixedBy, MOST_SINKS, MOST_STREAMS, Seen, SinkSeen, StreamSeen, Tie};
pub use event::{DeviceSink, GraphEvent, Heard, Port};
pub use look::{GraphLook, look};
pub use mailbox::{CommandError, Commands};
pub use said::Facts;
pub use targets::{Contest, MovedBy};
pub use thread::{GraphThread, PutBack, put_back, spawn};

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_dsp::ChainParams;

use crate::journal::{Journal, JournalSlot};

/// What hr-graph starts with.
#[derive(Debug)]
pub struct GraphSettings {
    /// Settings of the main bus and the master.
    pub params: ChainParams,
    /// What is wanted of the default sink and of the device sink.
    pub sink_wish: SinkWish,
    /// The gain that its AGC starts from, where one was right before.
    pub agc_gain_db: Option<f32>,
    /// What the last run has not put back.
    pub journal: Journal,
    /// Where what this one changes is noted first.
    pub notes: Arc<JournalSlot>,
}

/// Whether the main bus is to be the user's default sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promotion {
    /// It becomes the default, and the former one is put back at the end.
    Promote,
    /// It never becomes the default by our doing.
    Leave,
}

/// What is wanted of the default sink and of the device sink. The newest of these counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkWish {
    /// Whether the main bus is to be the default sink.
    pub promotion: Promotion,
    /// The name of the sink that everything is to end up at whenever it is there; the user's
    /// default where there is none.
    pub preferred: Option<String>,
    /// Another number than before: the default is asked for anew, also where others kept it.
    pub asked: u32,
}

/// What hr-graph can be told.
#[derive(Debug, Clone)]
pub enum GraphCommand {
    /// New settings of the main bus and the master.
    SetParams(ChainParams),
    /// Where streams are to go from now on.
    Route(Arc<Aims>),
    /// What is wanted of the default sink and of the device sink from now on.
    Sinks(SinkWish),
    /// Leave the graph as it was found, and end.
    Stop,
}

/// Where streams are to go: all that are not left to the desktop. The newest of these counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aims {
    /// The connection to PipeWire that [`Seen::session`] named: another one gives the same serials
    /// to others.
    pub session: u32,
    /// By serial.
    pub streams: BTreeMap<u64, Aim>,
}

/// Where a stream is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aim {
    /// There.
    pub to: Destination,
    /// Also if the app or somebody else wants it at another sink.
    pub is_firm: bool,
    /// Another number than before: it is asked for anew, also where others kept it from going.
    pub asked: u32,
}

/// Where a stream can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// The main bus: levelled and limited.
    Bus,
    /// The master: limited only.
    Master,
    /// The device sink that is heard, past us.
    Device,
}

/// One of our inserts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InsertId {
    /// The bus that apps are levelled on.
    Main,
    /// The bus of streams of one or two channels, while the device sink has more: in front of
    /// more channels PipeWire 0.3.65 makes up sound for those that a stream does not have.
    Stereo,
    /// The limiter in front of the device sink.
    Master,
}

impl InsertId {
    /// All that there can be.
    pub const ALL: [InsertId; 3] = [InsertId::Main, InsertId::Stereo, InsertId::Master];

    /// Whether streams are levelled on it.
    #[must_use]
    pub fn is_bus(self) -> bool {
        self != InsertId::Master
    }

    /// The insert whose sink has this node name.
    #[must_use]
    pub fn of_node(name: &str) -> Option<InsertId> {
        InsertId::ALL.into_iter().find(|insert| insert.node_name() == name)
    }

    /// Node name of the insert's sink.
    #[must_use]
    pub fn node_name(self) -> &'static str {
        match self {
            InsertId::Main => "headroom.main",
            InsertId::Stereo => "headroom.stereo",
            InsertId::Master => "headroom.master",
        }
    }
}

/// Whether a stream of this name is the output of one of our inserts.
fn is_our_output(name: &str) -> bool {
    name.strip_suffix(".out").is_some_and(is_ours)
}

/// Whether a sink of this name is one of ours.
fn is_ours(name: &str) -> bool {
    InsertId::of_node(name).is_some()
}
