//! What a daemon sends: replies and events.
//!
//! [`ServerFrame`] is how a daemon writes them, once for however many subscribers;
//! [`ServerMessage`] is how a client reads them, tolerantly.

mod frame;
mod message;

pub use frame::ServerFrame;
pub(crate) use message::read;
pub use message::{Answer, DecodeError, ServerMessage};
