//! A private PipeWire graph, and what is needed to play, record and judge on it.
//!
//! The system tests in `tests/` and the demonstration of `./try` stand on this crate. It starts the
//! real programs (D-Bus, PipeWire, WirePlumber, `headroomd`, `pw-cat`, `paplay`) in a temporary
//! directory, on null devices, and ends them by drop; the listener's own session and hardware are
//! never touched. It knows nothing of how Headroom works inside: it sees what a listener could see.
//!
//! ```no_run
//! use headroom_tests::{Graph, on_every_generation, programme};
//!
//! on_every_generation(|generation| {
//!     let graph = Graph::start(generation);
//!     let tone = graph.write_programme("tone.wav", 48_000, &programme::tones(48_000, 5.0, &[440.0, 880.0], 0.25));
//!     let recorder = graph.record("speakers");
//!     let client = graph.play(&tone).start();
//!     client.wait_until_ended();
//!     let heard = recorder.stop().loud_part(0.01);
//!     assert!(heard.gaps(0.001, 64).is_empty());
//! });
//! ```

mod client;
mod condition;
mod daemon;
mod device;
mod disk;
mod dump;
mod environment;
mod generation;
mod graph;
mod machine;
mod meter;
mod process;
pub mod programme;
mod recorder;
mod recording;
mod saving;
mod service;
mod site;
mod tool;

pub use client::{Client, Play, Player};
pub use condition::{Deadline, let_pass, poll};
pub use daemon::{Daemon, program};
pub use device::Device;
pub use disk::{Disk, WriteStep};
pub use dump::{Dump, Latency, Link, MetadataEntry, Node, Port};
pub use generation::{Generation, on_every_generation};
pub use graph::{Graph, Setup};
pub use machine::Stretch;
pub use meter::{Gap, level_dbfs, peak, tone_level_dbfs};
pub use process::{Ended, Thread, Usage};
pub use recorder::Recorder;
pub use recording::Recording;
pub use saving::Saving;
pub use service::Service;
pub use tool::Tool;
