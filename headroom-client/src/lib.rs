//! A blocking client of Headroom, for programs that run beside the daemon.
//!
//! [`Client`] asks: one typed method per op, and [`Client::send`] with [`Client::wait`] to have
//! many requests on the way at once. [`Subscription`] listens: an iterator of events with a copy
//! of the daemon's state, which connects again by itself and makes up for what was lost.
//!
//! ```no_run
//! use headroom_client::{Client, daemon_address};
//!
//! let mut client = Client::connect(&daemon_address()?)?;
//! let status = client.status()?;
//! println!("profile {}, {} streams", status.profile, status.streams.len());
//! # Ok::<(), headroom_client::ClientError>(())
//! ```
//!
//! Nothing here waits for ever unless it is told to: every call has a time limit
//! ([`DEFAULT_TIMEOUT`] unless you set another). Memory is bounded, whatever the daemon sends:
//! events that nobody takes are dropped and counted by the same rule as in the daemon, and
//! reported in the same way. There are no threads in it and no unsafe code, and it knows nothing
//! of the daemon that IPC.md does not say.
//!
//! And what needs no daemon: [`doorbell`], by which programs tell each other that what is on the
//! disk has changed, and [`endpoint`](mod@endpoint), a command socket of a program's own.

#![forbid(unsafe_code)]

mod address;
mod backoff;
mod calls;
mod client;
mod deadline;
pub mod doorbell;
pub mod endpoint;
mod error;
pub mod file_channel;
mod inbox;
mod named_socket;
mod relay;
mod subscription;
mod wire;

pub use address::{daemon_address, runtime_dir};
pub use client::{Client, DEFAULT_TIMEOUT, MAX_HELD_BYTES, MAX_OPEN_REQUESTS, Ticket};
pub use error::ClientError;
pub use file_channel::{
    ChannelError, FileChannel, FileChannelOptions, Gone, Kind, Message, Received, Side,
};
pub use headroom_ipc as ipc;
pub use headroom_ipc::Address;
pub use inbox::{MAX_WAITING_BYTES, MAX_WAITING_EVENTS};
pub use relay::Relay;
pub use subscription::{Subscription, Update};
