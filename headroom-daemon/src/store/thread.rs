//! hr-store: the one thread that writes to storage, and waits for it.
//!
//! It writes the newest state at once, and then at most once a second; the journal always at once,
//! and ahead of the state, because hr-graph waits for its word. What could not be written is tried
//! again with the next change, as soon as the other of the two could be written, once a minute, and
//! at the end. Without anything to write it sleeps for good: no timer runs.

use std::io;
use std::sync::Arc;
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::{Remembered, Slot, StateFile};
use crate::journal::{Journal, JournalSlot};

/// A state is turned into text on this stack.
const STACK_BYTES: usize = 128 * 1024;
/// The least time from the end of a write to the next.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);
/// When what could not be written is tried again unasked: a disk may have room again.
const RETRY: Duration = Duration::from_secs(60);
/// How long the end waits for the last write at least: most disks need a tenth of that.
const LAST_WRITE: Duration = Duration::from_millis(100);

/// Where a state and a journal are written: files, or something that stands for them in a test.
pub trait Disk: Send {
    /// Writes the state, and may take its time.
    ///
    /// # Errors
    /// It is not written; what was there before is.
    fn write(&mut self, remembered: &Remembered) -> io::Result<()>;

    /// Writes the journal, and may take its time. One with nothing in it is taken away.
    ///
    /// # Errors
    /// As [`Disk::write`].
    fn write_journal(&mut self, journal: &Journal) -> io::Result<()>;
}

impl Disk for StateFile {
    fn write(&mut self, remembered: &Remembered) -> io::Result<()> {
        StateFile::write(self, remembered).map_err(|error| {
            io::Error::new(error.kind(), format!("writing {}: {error}", self.path().display()))
        })
    }

    fn write_journal(&mut self, journal: &Journal) -> io::Result<()> {
        StateFile::write_journal(self, journal).map_err(|error| {
            let at = self.journal_path();
            io::Error::new(error.kind(), format!("writing {}: {error}", at.display()))
        })
    }
}

/// hr-store, running.
#[derive(Debug)]
pub struct StoreThread {
    slot: Arc<Slot>,
    done: Receiver<()>,
    handle: JoinHandle<()>,
}

impl StoreThread {
    /// Starts it. `tell` is called with what is wrong when a write fails, and with nothing when
    /// one works again.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn spawn(
        slot: Arc<Slot>,
        journal: Arc<JournalSlot>,
        disk: impl Disk + 'static,
        tell: impl Fn(Option<&str>) + Send + 'static,
    ) -> io::Result<StoreThread> {
        StoreThread::spawn_with(RETRY, slot, journal, disk, tell)
    }

    fn spawn_with(
        retry: Duration,
        slot: Arc<Slot>,
        journal: Arc<JournalSlot>,
        disk: impl Disk + 'static,
        tell: impl Fn(Option<&str>) + Send + 'static,
    ) -> io::Result<StoreThread> {
        let (ends, done) = bounded(0);
        let handle = Builder::new().name("hr-store".into()).stack_size(STACK_BYTES).spawn({
            let (slot, journal) = (slot.clone(), journal.clone());
            move || {
                let _ends = ends;
                run(retry, &slot, &journal, disk, tell);
            }
        })?;
        slot.is_served_by(handle.thread().clone());
        journal.is_served_by(handle.thread().clone());
        Ok(StoreThread { slot, done, handle })
    }

    /// Writes what is not written yet, and ends it. Storage that is slow is waited for until `end`,
    /// and for a moment at least; on storage that hangs, what was written last stays: what has been
    /// put back may still stand in the journal then, and the next start finds nothing to do.
    pub fn stop(self, end: Instant) {
        self.slot.end();
        let end = end.max(Instant::now() + LAST_WRITE);
        if self.done.recv_deadline(end) == Err(RecvTimeoutError::Timeout) {
            log::warn!("storage does not answer: the last changes may not be remembered");
        } else if self.handle.join().is_err() {
            log::error!("hr-store has panicked");
        }
    }
}

/// Something that is to be on disk.
struct Unwritten<T> {
    value: Option<T>,
    /// It has not been tried yet.
    is_new: bool,
    /// From when on something new is written, and from when on what failed is tried again.
    next: Instant,
    again: Instant,
    failed: Option<String>,
}

impl<T> Unwritten<T> {
    fn nothing(now: Instant) -> Unwritten<T> {
        Unwritten { value: None, is_new: false, next: now, again: now, failed: None }
    }

    fn take(&mut self, newest: Option<T>) {
        if newest.is_some() {
            self.value = newest;
            self.is_new = true;
        }
    }

    /// When it is to be written, if there is anything.
    fn due(&self) -> Option<Instant> {
        self.value.as_ref().map(|_| if self.is_new { self.next } else { self.again })
    }

    /// It has been tried. Gives what there is to tell: what is wrong, or nothing is any more.
    fn tried(
        &mut self,
        result: io::Result<()>,
        between: Duration,
        retry: Duration,
    ) -> Option<Option<String>> {
        let now = Instant::now();
        (self.next, self.again) = (now + between, now + retry);
        self.is_new = false;
        let failed = result.err().map(|error| error.to_string());
        if failed.is_none() {
            self.value = None;
        }
        let is_news = failed != self.failed;
        self.failed.clone_from(&failed);
        is_news.then_some(failed)
    }

    /// The storage takes something else: what failed may be tried at once.
    fn storage_works(&mut self) {
        self.again = self.next;
    }
}

fn run(
    retry: Duration,
    slot: &Slot,
    journals: &JournalSlot,
    mut disk: impl Disk,
    tell: impl Fn(Option<&str>),
) {
    let mut state = Unwritten::nothing(Instant::now());
    let mut journal = Unwritten::nothing(Instant::now());
    loop {
        // Asked first: what was put before the end is taken below.
        let ended = slot.is_ended();
        journal.take(journals.take());
        state.take(slot.take());
        let now = Instant::now();
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now || ended);
        let dues = [journal.due(), state.due()];
        if let Some((number, newest)) = journal.value.as_ref().filter(|_| is_due(dues[0])) {
            let result = disk.write_journal(newest);
            // What cannot be written is not waited for either.
            journals.answer(*number, result.is_ok(), Instant::now());
            if result.is_ok() {
                state.storage_works();
            }
            if let Some(failed) = journal.tried(result, Duration::ZERO, retry) {
                tell(failed.as_deref().or(state.failed.as_deref()));
            }
        }
        if let Some(remembered) = state.value.as_deref().filter(|_| is_due(dues[1])) {
            let result = disk.write(remembered);
            if result.is_ok() {
                journal.storage_works();
            }
            if let Some(failed) = state.tried(result, BETWEEN_WRITES, retry) {
                tell(failed.as_deref().or(journal.failed.as_deref()));
            }
        }
        if ended {
            return;
        }
        match dues.into_iter().flatten().min() {
            Some(due) if due <= now => {}
            Some(due) => thread::park_timeout(due - now),
            None => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests;
