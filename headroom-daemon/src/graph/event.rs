//! What hr-graph tells the rest of the daemon.

use super::InsertId;
use super::census::Seen;
use crate::audio::{MeterReader, Volume};

/// The device sink that the listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSink {
    /// Node name.
    pub name: String,
    /// What people call it.
    pub description: String,
}

/// The device that the listener hears, with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The device sink.
    pub sink: DeviceSink,
    /// The jack of it that the sound goes to, if it says so.
    pub port: Option<Port>,
}

/// A jack of a sound card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub description: Option<String>,
    /// Of which kind it is.
    pub kind: Option<String>,
}

/// Something that has happened in the graph.
#[derive(Debug)]
pub enum GraphEvent {
    /// PipeWire is not there; hr-graph waits for it.
    WaitingForPipeWire,
    /// The connection to PipeWire stands.
    Connected {
        /// Version of the running PipeWire.
        server: String,
        /// Version of the library in this process.
        library: String,
    },
    /// Nobody links anything: WirePlumber is not there.
    WaitingForSessionManager,
    /// WirePlumber is there.
    SessionManager {
        /// Its version, if it can be told.
        version: Option<String>,
    },
    /// There is no sink to play to.
    NoDeviceSink,
    /// Sound goes to this device sink from now on.
    DeviceSink(DeviceSink),
    /// This device, and this jack of it, is heard from now on. Told once it has said all of it.
    Heard(Heard),
    /// An insert is in the graph.
    InsertMade {
        /// Which one.
        insert: InsertId,
        /// How many channels it has.
        channels: usize,
        /// Its meters.
        meters: MeterReader,
    },
    /// Everything is linked; with [`super::Promotion::Promote`] the main bus is the default too.
    Ready,
    /// The main bus has become the default sink.
    Promoted {
        /// The default before it.
        former: Option<String>,
    },
    /// The main bus is no longer the default sink.
    Demoted {
        /// The default now.
        now: Option<String>,
    },
    /// Others have set another default sink again and again; theirs is left alone.
    PromotionContested,
    /// What is before it cannot be noted, and so it has not been tried: after a crash nobody would
    /// know what to put back.
    PromotionRefused,
    /// Somebody has set another default sink while ours was: it counts, and not the one that was
    /// preferred.
    PreferenceOverruled,
    /// The volume of one of our sinks has changed.
    Volume {
        /// Whose.
        insert: InsertId,
        /// What it is now.
        volume: Volume,
        /// How many channels of it count.
        channels: usize,
    },
    /// What the sound is late by through all inserts.
    Latency {
        /// Frames of all inserts together.
        frames: u32,
        /// The rate that they are frames of.
        rate_hz: u32,
    },
    /// Sound has begun to pass an insert, or has ended.
    Running {
        /// Which one.
        insert: InsertId,
        /// Whether it runs.
        running: bool,
    },
    /// The default sink is this one now.
    DefaultSink(Option<String>),
    /// The quantum of the graph is so many frames now.
    Quantum(u32),
    /// Other streams or sinks are there, or something about them is other than before: all of
    /// them as they are now.
    Census(Box<Seen>),
    /// A headroomd is running on this PipeWire already.
    AlreadyRunning {
        /// Its process, if PipeWire knows it.
        pid: Option<u32>,
    },
    /// What is to be changed waits for its note, because storage does not answer; or no longer.
    Unnoted(bool),
    /// Something did not work; hr-graph tries again or goes on without it.
    Trouble(String),
    /// PipeWire has gone; hr-graph waits for it to come back.
    Lost,
    /// The graph is as it was found, and hr-graph ends.
    Stopped,
}
