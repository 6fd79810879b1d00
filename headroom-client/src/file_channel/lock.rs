//! Locks between processes: `flock`, which the kernel frees when its holder is gone, however it
//! went.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::ChannelError;
use super::layout::open_private;

/// How long it is slept at first and at most before the lock is tried again: a holder writes one
/// line.
const SHORTEST: Duration = Duration::from_micros(50);
const LONGEST: Duration = Duration::from_millis(2);

/// A lock that is not held.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

/// A lock that is held, until it is dropped.
#[derive(Debug)]
pub(super) struct Held<'a>(&'a Lock);

impl Lock {
    pub(super) fn open(path: &Path) -> Result<Lock, ChannelError> {
        let file = open_private(path, OpenOptions::new().write(true).create(true).truncate(false))
            .map_err(ChannelError::io("opening", path))?;
        Ok(Lock { file, path: path.to_owned() })
    }

    /// Takes it if it is free.
    fn take(&self) -> Result<bool, ChannelError> {
        loop {
            match flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(true),
                Err(Errno::WOULDBLOCK) => return Ok(false),
                Err(Errno::INTR) => {}
                Err(error) => return Err(ChannelError::io("locking", &self.path)(error.into())),
            }
        }
    }

    /// Takes it for as long as it is there, if it is free.
    pub(super) fn take_for_life(self) -> Result<Option<LockForLife>, ChannelError> {
        Ok(self.take()?.then(|| LockForLife(self)))
    }

    /// Waits until it is free, and takes it.
    pub(super) fn hold(&self, within: Duration) -> Result<Held<'_>, ChannelError> {
        let begun = Instant::now();
        let mut pause = SHORTEST;
        while !self.take()? {
            if begun.elapsed() >= within {
                return Err(ChannelError::Locked { path: self.path.clone(), after: within });
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST);
        }
        Ok(Held(self))
    }
}

/// A lock that is held for as long as it is there.
#[derive(Debug)]
pub(super) struct LockForLife(Lock);

impl Lock {
    /// In so many words, and not by closing the file: a child of this process that has been forked
    /// and not yet become its program has it open too.
    fn release(&self) {
        // What fails here ends with the process at the latest.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Drop for LockForLife {
    fn drop(&mut self) {
        self.0.release();
    }
}
