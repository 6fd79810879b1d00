//! The control plane's edge: sockets in, bytes out.
//!
//! ```text
//! hr-accept ── hello ──► peer            one per daemon: sleeps in accept(2)
//!     └─ spawns per connection
//!        hr-read-N:  bytes ► Deframer ► Engine::request ─► queue ─┐ whoever holds the baton
//!        hr-write-N: sleeps until it is given the baton ◄─────────┘ of the connection writes
//! ```
//!
//! [`address`] says where to listen, [`claim`] makes the socket and decides who the daemon is,
//! [`accept`] greets and counts, [`connection`] is what the two threads of a
//! connection share. Nothing here knows what a message means: that is `ops` and `state`.

mod accept;
mod address;
mod claim;
mod claim_error;
mod connection;
mod lobby;
mod lock;
mod reader;
mod unsent;
mod writer;

pub use accept::{Server, ServerSettings};
pub use address::{Listen, ListenError};
pub use claim::{Listening, Vacant};
pub use claim_error::ClaimError;
