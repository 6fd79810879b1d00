//! A program's own small command socket, with no thread of its own: typed commands in, typed
//! answers out, served only when the program says so.
//!
//! For a program that has a loop already: a window that shows itself when it is started a second
//! time, a plug-in, a knob of any daemon. `headroom watch --name NAME` is paused, resumed and
//! stopped by one.
//!
//! ```
//! use std::time::Duration;
//! use headroom_client::endpoint::{self, Command, Endpoint};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! enum Knob {
//!     Turn { by: i32 },
//! }
//!
//! impl Command for Knob {
//!     type Response = i32;
//!     type Context<'a> = i32;
//!
//!     fn process(self, position: &mut i32) -> i32 {
//!         let Knob::Turn { by } = self;
//!         *position += by;
//!         *position
//!     }
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("knob.sock");
//! # let elsewhere = path.clone();
//! let mut endpoint = Endpoint::<Knob>::bind(&path)?;
//! # let caller = std::thread::Builder::new().spawn(move || {
//! // Another program:
//! # let path = elsewhere;
//! let position = endpoint::call(&Knob::Turn { by: 3 }, &path, Duration::from_secs(20))?;
//! # Ok::<i32, endpoint::CallError>(position)
//! # })?;
//! // The program's own loop; poll() instead of poll_timeout() never waits.
//! let mut position = 39;
//! while endpoint.poll_timeout(&mut position, Duration::from_secs(1)).answered == 0 {}
//! # assert_eq!(caller.join().expect("called")?, 42);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What goes over the socket
//!
//! One command a connection. It and its answer are framed as the daemon's messages are (a 4-byte
//! big-endian length, and a body of MessagePack, structs as maps): the command as serde has it,
//! and then `{"result": ...}` or `{"error": {"code": ..., "message": ...}}`, upon which the
//! connection is closed.
//!
//! # What is promised
//!
//! - [`poll`](Endpoint::poll) never waits, and leaves what would take it longer than a millisecond
//!   to the next call. How long a [`Command::process`] takes is the program's own business.
//! - A client that sends garbage, too much, half a command or nothing is answered if it can be,
//!   closed within [`PATIENCE`], and felt by nobody else.
//! - [`MAX_CLIENTS`] wait at most, each with one command of the size that was set; more wait in
//!   the queue of the kernel.
//! - [`Endpoint::bind`] takes no name from a live program, and from no file that is no socket. The
//!   name is there once it is listened at, open to this user alone, and goes with the endpoint.

mod call;
mod claim;
mod client;
mod error;
mod message;
mod server;
mod timer;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use call::call;
pub use client::PATIENCE;
pub use error::{BindError, CallError};
pub use server::{Endpoint, MAX_CLIENTS, Served};

/// The longest command and the longest answer, in bytes, unless another limit is set.
pub const DEFAULT_MAX_BYTES: usize = 1 << 20;

/// The highest limit that can be set. [`call`] takes answers up to this.
pub const HIGHEST_MAX_BYTES: usize = 64 << 20;

/// What an [`Endpoint`] can be told, and by whom it is done.
pub trait Command: Serialize + DeserializeOwned {
    /// What is answered.
    type Response: Serialize + DeserializeOwned;

    /// What it is done to: the program's state, lent for the call.
    type Context<'a>;

    /// Does it.
    fn process(self, context: &mut Self::Context<'_>) -> Self::Response;
}
