//! Why a call has no result.

use std::io;
use std::time::Duration;

use headroom_ipc::{Address, AddressError, Code, DecodeError, FrameError, PROTOCOL, TooLong};

/// Why a call has no result. Its sentence is to be shown as it is.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no place where a daemon could listen.
    #[error(transparent)]
    NoAddress(#[from] AddressError),
    /// Nobody listens there. Start the daemon, or wait for it.
    #[error("headroomd is not running: nobody listens at {address}")]
    NotRunning {
        /// Where.
        address: Address,
    },
    /// The kernel does not let us connect.
    #[error("connecting to {address}: {source}")]
    Connect {
        /// Where.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// The daemon speaks another version of the protocol.
    #[error(
        "headroomd speaks version {daemon} of the protocol, but this program version {PROTOCOL} \
         (was one of them updated and the daemon not started again?)"
    )]
    OtherProtocol {
        /// The daemon's.
        daemon: u32,
    },
    /// The daemon says no. Before anything was asked, it is `BUSY` or `PERMISSION_DENIED`.
    #[error("{0}")]
    Refused(headroom_ipc::Error),
    /// It took too long. The connection is still good, and an answer that comes late is skipped.
    #[error("headroomd has not answered {what} within {} ms", after.as_millis())]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        after: Duration,
    },
    /// Too many requests are open. Wait for some of the tickets, or drop them.
    #[error(
        "{requests} requests are open whose replies nobody has taken, but at most {} can be \
         (and {} bytes of replies)",
        crate::MAX_OPEN_REQUESTS,
        crate::MAX_HELD_BYTES
    )]
    TooManyOpen {
        /// How many there are.
        requests: usize,
    },
    /// A request is too long to send. Nothing was sent.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The daemon has closed the connection.
    #[error("headroomd has closed the connection")]
    Closed,
    /// The socket fails.
    #[error("{doing}: {source}")]
    Io {
        /// What was done.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// What came cannot be cut into messages.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// What came is no message of the protocol.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
}

impl ClientError {
    /// The code of the daemon's refusal, if it is one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            ClientError::Refused(error) => Some(error.code),
            _ => None,
        }
    }

    /// Whether the request may never have reached a daemon, or its answer never this program:
    /// the daemon is not there, does not answer, or has gone.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            ClientError::Refused(error) => {
                matches!(error.code, Code::PermissionDenied | Code::InvalidFrame)
            }
            ClientError::TooManyOpen { .. } | ClientError::TooLong(_) => false,
            _ => true,
        }
    }
}
