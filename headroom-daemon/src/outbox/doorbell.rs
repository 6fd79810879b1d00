//! The baton of a connection: at any time at most one thread writes to its socket, and whatever
//! is queued is written by somebody.
//!
//! A frame is queued first, and then the baton is asked for. Whoever gets it writes until the
//! queue is empty; whoever does not has left a mark that makes the holder look once more before
//! it lets go. Both are one atomic step on one word, so no frame is left behind between a last
//! look and the letting go. Nobody ever waits for the baton, and ringing never blocks: it is
//! done after the lock of the state has been dropped.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::Thread;

/// Nobody writes.
const FREE: u8 = 0;
/// The reader of the connection writes.
const READER: u8 = 1;
/// The writer of the connection writes, or is being woken to.
const WRITER: u8 = 2;
/// Something was queued since the holder began.
const MORE: u8 = 0x80;

/// What is shared by the two threads of a connection and all that queue frames for it.
#[derive(Debug, Default)]
pub struct Doorbell {
    baton: AtomicU8,
    /// Whether losses wait to be reported.
    owes: AtomicBool,
    writer: OnceLock<Thread>,
}

impl Doorbell {
    /// One that nobody sleeps behind yet.
    #[must_use]
    pub fn new() -> Doorbell {
        Doorbell::default()
    }

    /// Sees to it that what has been queued is written: wakes the writer, unless somebody is
    /// writing already.
    pub fn ring(&self) {
        if self.ask(WRITER) {
            self.wake();
        }
    }

    /// Says that losses wait to be reported, or do not any more. The lock of the state is held.
    pub(crate) fn set_owes(&self, owes: bool) {
        self.owes.store(owes, Ordering::SeqCst);
    }

    /// Whether losses wait to be reported.
    pub(crate) fn owes(&self) -> bool {
        self.owes.load(Ordering::SeqCst)
    }

    pub(crate) fn has_writer(&self, writer: Thread) {
        // Set once, before the connection is known to anybody.
        let _ = self.writer.set(writer);
    }

    /// The reader asks for the baton. If it does not get it, the holder will look once more.
    pub(crate) fn ask_for_reader(&self) -> bool {
        self.ask(READER)
    }

    /// Whether the writer has the baton.
    pub(crate) fn is_with_writer(&self) -> bool {
        self.baton.load(Ordering::SeqCst) & !MORE == WRITER
    }

    /// Whether nobody writes.
    pub(crate) fn is_free(&self) -> bool {
        self.baton.load(Ordering::SeqCst) == FREE
    }

    /// The holder lets go. Gives `false` if something was queued meanwhile: then it still has
    /// the baton, and looks once more.
    pub(crate) fn let_go(&self) -> bool {
        let mut holding = self.baton.load(Ordering::SeqCst);
        loop {
            let (next, gone) =
                if holding & MORE == 0 { (FREE, true) } else { (holding & !MORE, false) };
            match self.swap(holding, next) {
                Ok(_) => return gone,
                Err(now) => holding = now,
            }
        }
    }

    /// The reader, who has the baton, gives it to the writer.
    pub(crate) fn pass_to_writer(&self) {
        self.baton.store(WRITER, Ordering::SeqCst);
        self.wake();
    }

    /// Wakes the writer, for whatever reason.
    pub(crate) fn wake(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    fn ask(&self, who: u8) -> bool {
        let mut found = self.baton.load(Ordering::SeqCst);
        loop {
            let next = if found == FREE { who } else { found | MORE };
            match self.swap(found, next) {
                Ok(_) => return found == FREE,
                Err(now) => found = now,
            }
        }
    }

    fn swap(&self, from: u8, to: u8) -> Result<u8, u8> {
        self.baton.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_and_who_asks_meanwhile_makes_it_look_once_more() {
        let bell = Doorbell::new();
        assert!(bell.ask_for_reader());
        assert!(!bell.ask_for_reader());
        bell.ring();
        assert!(!bell.is_with_writer());
        assert!(!bell.let_go(), "something was queued");
        assert!(bell.let_go());
        assert!(bell.is_free());
    }

    #[test]
    fn a_ring_gives_it_to_the_writer() {
        let bell = Doorbell::new();
        bell.has_writer(std::thread::current());
        bell.ring();
        assert!(bell.is_with_writer());
        // It has been woken: this does not sleep.
        std::thread::park();
        assert!(!bell.ask_for_reader());
        assert!(!bell.let_go() && bell.let_go());
    }

    #[test]
    fn what_is_passed_on_is_the_writers() {
        let bell = Doorbell::new();
        assert!(bell.ask_for_reader());
        bell.pass_to_writer();
        assert!(bell.is_with_writer());
    }
}
