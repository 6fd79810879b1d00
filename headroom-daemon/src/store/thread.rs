//! hr-store: the one thread that waits for storage.
//!
//! It writes the newest state at once, and then at most once a second. What could not be written
//! is tried again with the next change, once a minute, and at the end. Without anything to write
//! it sleeps for good: no timer runs.

use std::io;
use std::sync::Arc;
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::{Remembered, Slot, StateFile};

/// A state is turned into text on this stack.
const STACK_BYTES: usize = 128 * 1024;
/// The least time from the end of a write to the next.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);
/// When what could not be written is tried again unasked: a disk may have room again.
const RETRY: Duration = Duration::from_secs(60);
/// How long the end waits for the last write.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// Where a state is written: a file, or something that stands for it in a test.
pub trait Disk: Send {
    /// Writes it, and may take its time.
    ///
    /// # Errors
    /// It is not written; what was there before is.
    fn write(&mut self, remembered: &Remembered) -> io::Result<()>;
}

impl Disk for StateFile {
    fn write(&mut self, remembered: &Remembered) -> io::Result<()> {
        StateFile::write(self, remembered).map_err(|error| {
            io::Error::new(error.kind(), format!("writing {}: {error}", self.path().display()))
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
        disk: impl Disk + 'static,
        tell: impl Fn(Option<&str>) + Send + 'static,
    ) -> io::Result<StoreThread> {
        StoreThread::spawn_with(RETRY, slot, disk, tell)
    }

    fn spawn_with(
        retry: Duration,
        slot: Arc<Slot>,
        disk: impl Disk + 'static,
        tell: impl Fn(Option<&str>) + Send + 'static,
    ) -> io::Result<StoreThread> {
        let (ends, done) = bounded(0);
        let handle = Builder::new().name("hr-store".into()).stack_size(STACK_BYTES).spawn({
            let slot = slot.clone();
            move || {
                let _ends = ends;
                run(retry, &slot, disk, tell);
            }
        })?;
        slot.is_served_by(handle.thread().clone());
        Ok(StoreThread { slot, done, handle })
    }

    /// Writes what is not written yet, and ends it. Storage that hangs is not waited for.
    pub fn stop(self) {
        self.slot.end();
        if self.done.recv_timeout(LAST_WRITE) == Err(RecvTimeoutError::Timeout) {
            log::warn!("storage does not answer: the last changes may not be remembered");
        } else if self.handle.join().is_err() {
            log::error!("hr-store has panicked");
        }
    }
}

fn run(retry: Duration, slot: &Slot, mut disk: impl Disk, tell: impl Fn(Option<&str>)) {
    let mut unwritten: Option<Box<Remembered>> = None;
    // Whether it has not been tried yet.
    let mut is_new = false;
    let mut failed: Option<String> = None;
    // From when on something new is written, and from when on what failed is tried again.
    let mut next = Instant::now();
    let mut again = next;
    loop {
        // Asked first: what was put before the end is taken below.
        let ended = slot.is_ended();
        if let Some(newest) = slot.take() {
            unwritten = Some(newest);
            is_new = true;
        }
        let Some(remembered) = unwritten.as_deref() else {
            if ended {
                return;
            }
            thread::park();
            continue;
        };
        let now = Instant::now();
        let due = if is_new { next } else { again };
        if now < due && !ended {
            thread::park_timeout(due - now);
            continue;
        }
        is_new = false;
        match disk.write(remembered) {
            Ok(()) => {
                unwritten = None;
                if failed.take().is_some() {
                    tell(None);
                }
            }
            Err(error) => {
                let error = error.to_string();
                if failed.as_ref() != Some(&error) {
                    tell(Some(&error));
                }
                failed = Some(error);
            }
        }
        if ended {
            return;
        }
        let tried = Instant::now();
        (next, again) = (tried + BETWEEN_WRITES, tried + retry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::Sender;

    /// A disk that says when it is asked to write, and does so when it is let.
    struct SlowDisk {
        asked: Sender<Remembered>,
        answers: Receiver<Result<(), &'static str>>,
    }

    impl Disk for SlowDisk {
        fn write(&mut self, remembered: &Remembered) -> io::Result<()> {
            self.asked.send(remembered.clone()).expect("the test is there");
            self.answers.recv().expect("the test is there").map_err(io::Error::other)
        }
    }

    struct Setup {
        slot: Arc<Slot>,
        store: StoreThread,
        asked: Receiver<Remembered>,
        answers: Sender<Result<(), &'static str>>,
        told: Receiver<Option<String>>,
    }

    fn start() -> Setup {
        start_with(RETRY)
    }

    fn start_with(retry: Duration) -> Setup {
        let slot = Arc::new(Slot::default());
        let ((ask, asked), (answers, answer), (tell, told)) = (bounded(8), bounded(8), bounded(8));
        let tell = move |failed: Option<&str>| {
            tell.send(failed.map(str::to_owned)).expect("the test is there");
        };
        let disk = SlowDisk { asked: ask, answers: answer };
        let store = StoreThread::spawn_with(retry, slot.clone(), disk, tell).expect("a thread");
        Setup { slot, store, asked, answers, told }
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
        let Setup { slot, store, asked, answers, told } = start();
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
        store.stop();
        assert_eq!(asked.try_iter().collect::<Vec<_>>(), [state(1_000)]);
        assert!(told.is_empty(), "nothing was wrong");
    }

    #[test]
    fn what_failed_is_told_once_and_tried_again_at_the_next_change_and_at_the_end() {
        let Setup { slot, store, asked, answers, told } = start();
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
        store.stop();
        assert_eq!(asked.try_iter().collect::<Vec<_>>(), [state(3)], "once more at the end");
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn what_failed_is_tried_again_unasked_until_it_is_written() {
        let Setup { slot, store, asked, answers, told } = start_with(Duration::from_millis(1));
        put(&slot, 0);
        for answer in [Err("full"), Err("full"), Ok(())] {
            assert_eq!(asked.recv_timeout(SOON).expect("tried"), state(0));
            answers.send(answer).expect("it waits");
        }
        for expected in [Some("full".to_owned()), None] {
            assert_eq!(told.recv_timeout(SOON).expect("told"), expected);
        }
        store.stop();
        assert!(asked.is_empty(), "it is written");
    }

    #[test]
    fn storage_that_hangs_does_not_keep_the_end_waiting_for_good() {
        let Setup { slot, store, asked, answers, .. } = start();
        put(&slot, 0);
        asked.recv_timeout(SOON).expect("it hangs");
        let begun = Instant::now();
        store.stop();
        let took = begun.elapsed();
        assert!(took < LAST_WRITE + SOON, "{took:?}");
        drop(answers);
    }

    #[test]
    fn with_nothing_to_write_the_end_writes_nothing() {
        let Setup { store, asked, .. } = start();
        store.stop();
        assert!(asked.is_empty());
    }
}
