//! What happens to a block of sound: the audio thread's part of an insert.
//!
//! The graph's process callback calls [`Insert::process`] once for each block, and nothing
//! else of the daemon runs on that thread. What comes in are whole `Copy` values
//! ([`Controls`], written by hr-graph alone, newest wins), what goes out are [`Meters`]; both
//! are wait-free. This module knows nothing of PipeWire, profiles or clients.

mod insert;
mod meters;
mod plane;
mod stage;
mod undo;
mod volume;
mod watch;

pub use insert::{Beginning, Controls, Insert, InsertHandle};
pub use meters::{MeterReader, Meters, StageMeters};
pub use stage::{Stage, StageParams};
pub use volume::{Slider, Volume};
pub use watch::Watch;
