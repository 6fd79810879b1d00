//! Why a file channel does not do what was asked.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a file channel does not do what was asked. Its sentence is to be shown as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// A file or the directory fails.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Others than this user may look into the directory, or into the one of its cursors.
    #[error(
        "{} has mode {mode:03o}, but must have 700, so that nobody else can read or write there: \
         chmod 700 it, or name a directory that is not there yet",
        path.display()
    )]
    OpenToOthers {
        /// The directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The directory is another user's.
    #[error(
        "{} belongs to the user {owner}, but must belong to {user}, who runs this program",
        path.display()
    )]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        user: u32,
    },
    /// It was written by an older or newer version, or by something else.
    #[error(
        "{} is {found}, but this program reads version {} of file channels: update the older \
         one of the two programs, or remove the directory",
        path.display(),
        super::VERSION
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// Another writer has kept the lock.
    #[error(
        "{} has been locked by another program for {} ms: is one that writes there stopped?",
        path.display(),
        after.as_millis()
    )]
    Locked {
        /// The lock.
        path: PathBuf,
        /// How long it was waited for.
        after: Duration,
    },
    /// A reader that is known has been left too far behind. Nothing was sent.
    #[error(
        "the reader {reader:?} has left {kept_bytes} bytes unread in {}, but {limit_bytes} is the \
         limit: let it read, or forget it if it will never come back",
        path.display()
    )]
    Behind {
        /// The reader that is the farthest behind.
        reader: String,
        /// How much would be kept for it, with the message that was to be sent.
        kept_bytes: u64,
        /// The limit.
        limit_bytes: u64,
        /// The directory.
        path: PathBuf,
    },
    /// A message is too long. Nothing was sent.
    #[error("a message has {bytes} bytes, but at most {} can be sent", super::MAX_MESSAGE_BYTES)]
    TooLong {
        /// What it has.
        bytes: usize,
    },
    /// A payload cannot be written as JSON. Nothing was sent.
    #[error("the payload cannot be written as JSON: {0}")]
    Payload(serde_json::Error),
    /// What a reader is called cannot be the name of a file.
    #[error("a reader is called {name:?}, but must have 1 to 64 of a-z, 0-9, - and _")]
    ReaderName {
        /// The name.
        name: String,
    },
    /// Another program reads under this name.
    #[error(
        "another program reads as {reader:?} in {} just now: end it, or give each its own name",
        path.display()
    )]
    ReaderInUse {
        /// The name.
        reader: String,
        /// The directory.
        path: PathBuf,
    },
    /// What a reader has read cannot be told.
    #[error("{} is no cursor: {why}; remove it to read what is kept from the start", path.display())]
    Cursor {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Too many messages were taken out of their order.
    #[error(
        "{} messages were taken from behind unread ones, and that is the limit: call recv for \
         those in front",
        super::MAX_AHEAD
    )]
    TooFarAhead,
}

impl ChannelError {
    pub(super) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> ChannelError {
        let path = path.into();
        move |source| ChannelError::Io { doing, path, source }
    }
}
