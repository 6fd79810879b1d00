//! What is written when, and what the end waits for, on disks that answer when they are told to.

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
    for (number, answer) in [Err("full"), Err("full"), Ok(()), Err("full")].into_iter().enumerate()
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
