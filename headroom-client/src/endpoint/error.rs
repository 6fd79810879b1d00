//! Why there is no endpoint, and why a call has no answer.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::HIGHEST_MAX_BYTES;

/// Why a path cannot be an endpoint's.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program is there. [`call`](super::call) it, or take another path.
    #[error("another program listens at {} already", path.display())]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// There is something else of that name, and it stays.
    #[error("{} is there already, and is no socket: move it away", path.display())]
    NotASocket {
        /// Where.
        path: PathBuf,
    },
    /// There is a socket of another user's, and it stays.
    #[error("the socket {} belongs to user {owner}, not to user {uid}", path.display())]
    NotOurs {
        /// Where.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        uid: u32,
    },
    /// The limit cannot be so high.
    #[error("max_bytes is {max_bytes}, but can be {HIGHEST_MAX_BYTES} at most")]
    Limit {
        /// What was asked for.
        max_bytes: usize,
    },
    /// The system says no.
    #[error("{doing} {}: {source}", path.display())]
    System {
        /// What was done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Why a call has no answer. Its sentence is to be shown as it is.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens there.
    #[error("nobody listens at {}", path.display())]
    NotRunning {
        /// Where.
        path: PathBuf,
    },
    /// The kernel does not let us connect.
    #[error("connecting to {}: {source}", path.display())]
    Connect {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There was no answer within the time. Whether the command is still done is not known.
    #[error("{} has not answered within {} ms", path.display(), after.as_millis())]
    TimedOut {
        /// Who.
        path: PathBuf,
        /// For how long it was waited.
        after: Duration,
    },
    /// The program says no: to a command that is too long or that it does not know, or to this
    /// user.
    #[error("{0}")]
    Refused(headroom_ipc::Error),
    /// The command is too long for any endpoint. Nothing was sent.
    #[error(
        "the command takes {length_bytes} bytes, but no endpoint takes more than {HIGHEST_MAX_BYTES}"
    )]
    TooLong {
        /// What it would take.
        length_bytes: usize,
    },
    /// The command cannot be written. Nothing was sent.
    #[error("writing the command: {0}")]
    Unwritable(rmp_serde::encode::Error),
    /// The program has closed the connection without an answer: it ended, or gave this client up.
    #[error("{} has closed the connection without an answer", path.display())]
    Closed {
        /// Who.
        path: PathBuf,
    },
    /// What came is no answer to such a command.
    #[error("{} has answered otherwise than this program understands: {why}", path.display())]
    Unreadable {
        /// Who.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The socket fails.
    #[error("{doing}: {source}")]
    Io {
        /// What was done.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}
