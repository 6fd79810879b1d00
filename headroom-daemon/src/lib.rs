//! headroomd: the daemon that levels and limits what the apps of a desktop play.
//!
//! ```text
//! main: arguments, profile, signals ── spawns ──► hr-graph: PipeWire (graph)
//!                                                   │ GraphEvent      ▲ GraphCommand
//!                                                   ▼                 │
//!                                                 hr-events: what it means, in plain words (report)
//!
//! hr-accept, hr-read-N, hr-write-N: clients (server) ◄──► Engine: the state behind its lock
//!
//! hr-graph ── Controls, newest wins ──► PipeWire's data thread: Insert::process (audio) ── Meters ──► any reader
//! ```
//!
//! - [`graph`] is the only code that talks to PipeWire.
//! - [`audio`] is what happens to a block of sound; it runs on PipeWire's data thread.
//! - [`server`] is the sockets, [`engine`] the lock and what is queued under it, [`step`]
//!   all policy over the [`state`], `ops` what each request does.
//! - [`store`] is what is remembered, written by hr-store, and [`journal`] what is to be put back
//!   after a crash, which is on disk before anything is changed.
//! - [`watch`] sees that files of profiles have changed, and has them read by hr-profiles.
//! - [`daemon`] puts the threads together and waits for the signal to stop.

pub mod args;
pub mod audio;
pub mod check;
pub mod daemon;
pub mod engine;
mod forget;
pub mod graph;
pub mod journal;
pub mod logger;
pub mod meters;
mod ops;
pub mod outbox;
mod report;
pub mod restore;
pub mod server;
mod service_manager;
mod signals;
mod spare_memory;
mod start;
pub mod state;
pub mod step;
pub mod store;
pub mod watch;
