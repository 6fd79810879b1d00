//! The program headroomd on a machine without PipeWire: its socket, its threads, its end.

mod ending;
mod place;
mod profiles;
mod program;
mod remembering;
mod resources;
mod service_manager;

#[path = "../control/peer.rs"]
mod peer;
