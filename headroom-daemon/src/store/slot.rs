//! What waits to be written: the newest, and nothing else.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;

use parking_lot::Mutex;

use super::Remembered;

/// One place, in which a newer state replaces one that was not taken yet. The engine puts, under
/// its lock and so in order; hr-store takes.
#[derive(Debug, Default)]
pub struct Slot {
    newest: Mutex<Option<Box<Remembered>>>,
    ended: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Slot {
    /// This is to be written. Makes no system call but for a moment's wait at most; [`Slot::ring`]
    /// must follow.
    pub fn put(&self, remembered: Remembered) {
        let remembered = Some(Box::new(remembered));
        // What it replaces is freed after the lock.
        let _replaced = std::mem::replace(&mut *self.newest.lock(), remembered);
    }

    /// Wakes hr-store.
    pub fn ring(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// What is to be written, once.
    pub(crate) fn take(&self) -> Option<Box<Remembered>> {
        self.newest.lock().take()
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.ring();
    }

    /// From now on rings wake this thread.
    pub(super) fn is_served_by(&self, thread: Thread) {
        let _ = self.thread.set(thread);
        self.ring();
    }
}
