//! Bridges: the protocol of the daemon over something else than its socket.
//!
//! `link` is what they share: a connection that comes back, the requests that are on their way,
//! and the topics that were asked for. `stdio` and `files` carry what it says to the other end.
//! None of them knows an op or an event, but for `subscribe` and `unsubscribe`.

mod files;
mod input;
mod link;
mod losses;
mod notice;
mod stdio;

pub(crate) use files::files;
pub(crate) use stdio::stdio;
