//! Blocks on their way from thread to thread, in a ring: full ones forward, empty ones back.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::audio::Block;

/// How many blocks go round between two threads: enough that neither waits for the other's
/// every hiccup.
pub(crate) const BLOCKS_UNDER_WAY: usize = 8;

/// How often a wait looks up whether the run was interrupted.
const LOOK_UP: Duration = Duration::from_millis(100);

/// A queue of at most this many things.
pub(crate) fn queue<T>() -> (SyncSender<T>, Receiver<T>) {
    sync_channel(BLOCKS_UNDER_WAY)
}

/// A queue that holds all empty blocks at first.
pub(crate) fn empty_blocks(channels: usize) -> (SyncSender<Block>, Receiver<Block>) {
    let (sender, receiver) = queue();
    for _ in 0..BLOCKS_UNDER_WAY {
        // As many as it holds, so none is refused.
        let _ = sender.try_send(Block::for_channels(channels));
    }
    (sender, receiver)
}

/// The next thing, or `None` when the sender is gone or `stop` says so.
pub(crate) fn receive<T>(receiver: &Receiver<T>, stop: impl Fn() -> bool) -> Option<T> {
    loop {
        match receiver.recv_timeout(LOOK_UP) {
            Ok(thing) => return Some(thing),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) if stop() => return None,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Starts a thread with a name.
pub(crate) fn start<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}

/// What a thread gave back; a panic there goes on here.
pub(crate) fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
