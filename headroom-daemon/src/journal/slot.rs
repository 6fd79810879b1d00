//! Where the journal waits between hr-graph, which asks for it to be written, and hr-store.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Thread;
use std::time::Instant;

use parking_lot::Mutex;

use super::Journal;

type Bell = Box<dyn Fn() + Send + Sync>;

/// One place, in which a newer journal replaces one that was not taken yet. Each has a number, and
/// the number comes back once hr-store is done with it.
#[derive(Default)]
pub struct JournalSlot {
    newest: Mutex<Option<(u64, Box<Journal>)>>,
    answered: AtomicU64,
    written: AtomicU64,
    /// When hr-store was last done with one.
    answered_at: Mutex<Option<Instant>>,
    /// There is no place to write to, and nobody who would.
    absent: AtomicBool,
    store: OnceLock<Thread>,
    graph: OnceLock<Bell>,
}

impl fmt::Debug for JournalSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalSlot").finish_non_exhaustive()
    }
}

impl JournalSlot {
    /// A slot that nobody ever takes from, because there is no place for a journal.
    #[must_use]
    pub fn without_storage() -> JournalSlot {
        let slot = JournalSlot::default();
        slot.absent.store(true, Ordering::SeqCst);
        slot
    }

    /// Whether nobody ever takes from it.
    pub(super) fn is_absent(&self) -> bool {
        self.absent.load(Ordering::SeqCst)
    }

    /// This is to be written, as the one of that number, and hr-store is woken. Never waits for
    /// storage.
    pub(super) fn put(&self, number: u64, journal: Journal) {
        let journal = Some((number, Box::new(journal)));
        // What it replaces is freed after the lock.
        let _replaced = std::mem::replace(&mut *self.newest.lock(), journal);
        self.ring_store();
    }

    /// The highest number that hr-store is done with: it is on disk, or cannot be written now.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }

    /// The highest number that is on disk.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }

    /// When hr-store was last done with one, if it ever was.
    pub(super) fn answered_at(&self) -> Option<Instant> {
        *self.answered_at.lock()
    }

    /// This one was found on disk, and is written once more: so it shows at the start, and not when
    /// it is needed, whether anything can be written there.
    pub(crate) fn try_out(&self, found: Journal) {
        self.put(0, found);
    }

    /// What is to be written, once.
    pub(crate) fn take(&self) -> Option<(u64, Box<Journal>)> {
        self.newest.lock().take()
    }

    /// hr-store is done with the one of that number, which is on disk now or is not.
    pub(crate) fn answer(&self, number: u64, is_written: bool, now: Instant) {
        *self.answered_at.lock() = Some(now);
        if is_written {
            self.written.fetch_max(number, Ordering::SeqCst);
        }
        self.answered.fetch_max(number, Ordering::SeqCst);
        if let Some(ring) = self.graph.get() {
            ring();
        }
    }

    /// From now on this thread is woken when there is something to write.
    pub(crate) fn is_served_by(&self, store: Thread) {
        let _ = self.store.set(store);
        self.ring_store();
    }

    /// From now on answers ring here.
    pub fn answers_ring(&self, ring: impl Fn() + Send + Sync + 'static) {
        let _ = self.graph.set(Box::new(ring));
    }

    fn ring_store(&self) {
        if let Some(store) = self.store.get() {
            store.unpark();
        }
    }
}
