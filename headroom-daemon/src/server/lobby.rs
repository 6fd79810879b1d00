//! Peers that have been greeted and have no threads yet.
//!
//! To make two threads takes several times as long as a greeting. They are made when the peer
//! asks for something, or when nobody else has come for a moment: until then the next peer is
//! greeted first, and one that has gone again costs no thread at all. With nobody in it nothing
//! is polled and no time runs.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::connection::Connection;

/// More than so many do not wait.
const MOST: usize = 16;
/// How long they wait for a request, or for the next peer.
const MOMENT_MS: u8 = 1;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lobby {
    waiting: VecDeque<Arc<Connection>>,
}

/// What a wait in the lobby has brought.
#[derive(Debug)]
pub(super) struct Woken {
    /// An `accept` is to follow. With an empty lobby that is where the waiting is done.
    pub(super) accept: bool,
    /// Those whose threads are to be made now.
    pub(super) leaving: Vec<Arc<Connection>>,
}

impl Lobby {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The last one that has been greeted.
    pub(super) fn enter(&mut self, connection: Arc<Connection>) {
        self.waiting.push_back(connection);
    }

    /// Waits for somebody in the lobby to ask for something, for the next peer, or for a moment.
    pub(super) fn wait(&mut self, listener: &UnixListener) -> Woken {
        if self.waiting.is_empty() {
            return Woken { accept: true, leaving: Vec::new() };
        }
        let mut on: Vec<PollFd<'_>> = Vec::with_capacity(1 + self.waiting.len());
        on.push(PollFd::new(listener.as_fd(), PollFlags::POLLIN));
        let streams = self.waiting.iter().map(|connection| connection.stream.as_fd());
        on.extend(streams.map(|stream| PollFd::new(stream, PollFlags::POLLIN)));
        // A signal that ends it early does no harm: the moment was short.
        let ready = poll(&mut on, PollTimeout::from(MOMENT_MS)).unwrap_or(0);
        let mut is_ready = on.iter().map(|fd| ready > 0 && fd.any().unwrap_or(true));
        let accept = is_ready.next().unwrap_or(false);
        let asks: Vec<bool> = is_ready.collect();
        let mut asks = asks.into_iter();
        let mut leaving = Vec::new();
        self.waiting.retain(|connection| {
            let stays = !asks.next().unwrap_or(true) && ready > 0;
            if !stays {
                leaving.push(connection.clone());
            }
            stays
        });
        let too_many = self.waiting.len().saturating_sub(MOST);
        leaving.extend(self.waiting.drain(..too_many));
        Woken { accept, leaving }
    }

    /// All of them.
    pub(super) fn empty(self) -> VecDeque<Arc<Connection>> {
        self.waiting
    }
}
