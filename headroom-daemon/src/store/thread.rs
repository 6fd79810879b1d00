//! hr-store: the one thread that waits for storage.
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
mod tests {
    use super::*;
    use crate::journal::{FormerTarget, Note, Noted, Notes};
    use crossbeam_channel::Sender;

    /// A disk that says when it is asked to write, and does so when it is let. Journals go by a
    /// line of their own.
    struct SlowDisk {
        asked: Sender<Remembered>,
        journals: Sender<Journal>,
        answers: Receiver<Result<(), &'static str>>,
    }

    impl Disk for SlowDisk {
        fn write(&mut self, remembered: &Remembered) -> io::Result<()> {
            self.asked.send(remembered.clone()).expect("the test is there");
            self.answers.recv().expect("the test is there").map_err(io::Error::other)
        }

        fn write_journal(&mut self, journal: &Journal) -> io::Result<()> {
            self.journals.send(journal.clone()).expect("the test is there");
            self.answers.recv().expect("the test is there").map_err(io::Error::other)
        }
    }

    struct Setup {
        slot: Arc<Slot>,
        journal: Arc<JournalSlot>,
        store: StoreThread,
        asked: Receiver<Remembered>,
        journals: Receiver<Journal>,
        answers: Sender<Result<(), &'static str>>,
        told: Receiver<Option<String>>,
    }

    fn start() -> Setup {
        start_with(RETRY)
    }

    fn start_with(retry: Duration) -> Setup {
        let (slot, journal) = (Arc::new(Slot::default()), Arc::new(JournalSlot::default()));
        let ((ask, asked), (answers, answer), (tell, told)) = (bounded(8), bounded(8), bounded(8));
        let (ask_journal, journals) = bounded(8);
        let tell = move |failed: Option<&str>| {
            tell.send(failed.map(str::to_owned)).expect("the test is there");
        };
        let disk = SlowDisk { asked: ask, journals: ask_journal, answers: answer };
        let store = StoreThread::spawn_with(retry, slot.clone(), journal.clone(), disk, tell)
            .expect("a thread");
        Setup { slot, journal, store, asked, journals, answers, told }
    }

    fn state(number: usize) -> Remembered {
        Remembered { profile: Some(number.to_string()), ..Remembered::default() }
    }

    fn put(slot: &Slot, number: usize) {
        slot.put(state(number));
        slot.ring();
    }

    const SOON: Duration = Duration::from_secs(60);

    #[test]
    fn the_first_is_written_at_once_and_then_the_newest_once_a_second() {
        let Setup { slot, store, asked, answers, told, .. } = start();
        put(&slot, 0);
        assert_eq!(asked.recv_timeout(SOON).expect("written"), state(0));
        // It hangs, and nobody who puts waits for it.
        for number in 1..1_000 {
            put(&slot, number);
        }
        answers.send(Ok(())).expect("it waits");
        let written = Instant::now();
        assert_eq!(asked.recv_timeout(SOON).expect("written"), state(999), "the newest");
        let waited = written.elapsed();
        assert!(waited >= BETWEEN_WRITES.mul_f64(0.9), "written again after {waited:?}");
        // The end does not wait for its turn.
        put(&slot, 1_000);
        answers.send(Ok(())).expect("it waits");
        answers.send(Ok(())).expect("it will wait");
        store.stop(Instant::now() + SOON);
        assert_eq!(asked.try_iter().collect::<Vec<_>>(), [state(1_000)]);
        assert!(told.is_empty(), "nothing was wrong");
    }

    #[test]
    fn what_failed_is_told_once_and_tried_again_at_the_next_change_and_at_the_end() {
        let Setup { slot, store, asked, answers, told, .. } = start();
        for (number, answer) in
            [Err("full"), Err("full"), Ok(()), Err("full")].into_iter().enumerate()
        {
            put(&slot, number);
            assert_eq!(asked.recv_timeout(SOON).expect("tried"), state(number));
            answers.send(answer).expect("it waits");
        }
        for expected in [Some("full".to_owned()), None, Some("full".to_owned())] {
            assert_eq!(told.recv_timeout(SOON).expect("told"), expected);
        }
        assert!(asked.is_empty(), "there is no new change");
        answers.send(Ok(())).expect("it will wait");
        store.stop(Instant::now() + SOON);
        assert_eq!(asked.try_iter().collect::<Vec<_>>(), [state(3)], "once more at the end");
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn what_failed_is_tried_again_unasked_until_it_is_written() {
        let Setup { slot, store, asked, answers, told, .. } = start_with(Duration::from_millis(1));
        put(&slot, 0);
        for answer in [Err("full"), Err("full"), Ok(())] {
            assert_eq!(asked.recv_timeout(SOON).expect("tried"), state(0));
            answers.send(answer).expect("it waits");
        }
        for expected in [Some("full".to_owned()), None] {
            assert_eq!(told.recv_timeout(SOON).expect("told"), expected);
        }
        store.stop(Instant::now() + SOON);
        assert!(asked.is_empty(), "it is written");
    }

    #[test]
    fn what_failed_is_tried_again_as_soon_as_the_storage_takes_anything() {
        let Setup { slot, journal, store, asked, journals, answers, told } = start();
        let mut notes = Notes::new(Journal::default(), journal);
        let note = Note::Stream("a".to_owned(), FormerTarget::default());
        let _ = notes.note(note.clone(), Instant::now());
        answers.send(Err("full")).expect("it waits");
        journals.recv_timeout(SOON).expect("tried");
        assert_eq!(told.recv_timeout(SOON).expect("told").as_deref(), Some("full"));
        let changed = Instant::now();
        put(&slot, 0);
        answers.send(Ok(())).expect("it waits");
        answers.send(Ok(())).expect("it waits");
        assert_eq!(asked.recv_timeout(SOON).expect("written"), state(0));
        assert!(journals.recv_timeout(SOON).expect("tried again").says(&note));
        assert!(changed.elapsed() < RETRY, "it waited for its turn");
        assert_eq!(told.recv_timeout(SOON).expect("told"), None);
        store.stop(Instant::now() + SOON);
        assert!(journals.is_empty() && asked.is_empty(), "all is written");
    }

    #[test]
    fn storage_that_hangs_does_not_keep_the_end_waiting_for_good() {
        let Setup { slot, store, asked, answers, .. } = start();
        put(&slot, 0);
        asked.recv_timeout(SOON).expect("it hangs");
        // Also where all the time is up already.
        let begun = Instant::now();
        store.stop(begun);
        let took = begun.elapsed();
        assert!(took >= LAST_WRITE && took < LAST_WRITE + SOON, "{took:?}");
        drop(answers);
    }

    #[test]
    fn with_nothing_to_write_the_end_writes_nothing() {
        let Setup { store, asked, .. } = start();
        store.stop(Instant::now() + SOON);
        assert!(asked.is_empty());
    }

    #[test]
    fn the_journal_is_written_at_once_and_its_word_given_also_when_it_cannot_be() {
        let Setup { slot, journal, store, asked, journals, answers, told } = start();
        put(&slot, 0);
        asked.recv_timeout(SOON).expect("it hangs");
        // Of the state the next turn comes in a second; of the journal it is now.
        put(&slot, 1);
        let mut notes = Notes::new(Journal::default(), journal);
        let note = |name: &str| Note::Stream(name.to_owned(), FormerTarget::default());
        let begun = Instant::now();
        let _ = notes.note(note("a"), begun);
        answers.send(Ok(())).expect("it waits");
        assert!(journals.recv_timeout(SOON).expect("written").says(&note("a")));
        assert!(begun.elapsed() < BETWEEN_WRITES, "it waited for its turn");
        assert_eq!(notes.note(note("a"), begun), Noted::NotYet, "it is not on disk yet");
        answers.send(Err("full")).expect("it waits");
        assert_eq!(told.recv_timeout(SOON).expect("told").as_deref(), Some("full"));
        assert_eq!(notes.note(note("a"), begun), Noted::Cannot);
        answers.send(Ok(())).expect("it will wait");
        answers.send(Ok(())).expect("it will wait");
        store.stop(Instant::now() + SOON);
        assert_eq!(journals.try_iter().count(), 1, "once more at the end");
        assert_eq!(asked.try_iter().collect::<Vec<_>>(), [state(1)]);
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [None]);
    }
}
