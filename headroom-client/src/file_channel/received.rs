//! What a reader gets: a message, or word of what cannot be read any more.

use std::path::PathBuf;

use super::message::Message;

/// What a reader gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// A message.
    Message(Message),
    /// Messages that this reader has not read and never will.
    Gone(Gone),
    /// A line that is no message. It costs only itself.
    Unreadable {
        /// The file that it is in.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Received {
    /// Roughly how much memory it takes.
    pub(super) fn weight_bytes(&self) -> usize {
        match self {
            Received::Message(message) => message.weight_bytes(),
            Received::Gone(_) | Received::Unreadable { .. } => 0,
        }
    }
}

/// Messages that were removed before a reader came, by rotation or by `clear`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// From this number
    pub first_seq: u64,
    /// to this one
    pub last_seq: u64,
    /// so many were not read; the others of them were.
    pub count: u64,
}
