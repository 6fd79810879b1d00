//! Why [`super::claim`] has no socket to listen at, in words with a way out.

use std::io;
use std::path::PathBuf;

/// Why there is no socket to listen at.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another daemon has the lock or the name.
    #[error(
        "another headroomd is running{} (it listens at {place}): stop it first, or choose another \
         place with --listen",
        pid.map(|pid| format!(", pid {pid}")).unwrap_or_default()
    )]
    AnotherRuns {
        /// Its process, if that can be told.
        pid: Option<u32>,
        /// Where it listens.
        place: String,
    },
    /// Something that is no socket has the name.
    #[error(
        "{} is there and is no socket: remove it, or choose another place with --listen",
        path.display()
    )]
    InTheWay {
        /// The name.
        path: PathBuf,
    },
    /// The directory of the socket is another user's.
    #[error(
        "{} belongs to user {owner}, not to user {uid}: choose another place with --listen",
        path.display()
    )]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        uid: u32,
    },
    /// The directory of the socket cannot be made.
    #[error(
        "{} is to be made for the socket, but what it would be in is not there: set \
         XDG_RUNTIME_DIR to the runtime directory of the session, or choose another place with \
         --listen",
        path.display()
    )]
    NoDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The system refused something.
    #[error("{doing}: {source}")]
    System {
        /// What, and where.
        doing: String,
        /// Why.
        source: io::Error,
    },
}
