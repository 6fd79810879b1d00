//! The listener's side: a socket that others connect to.
//!
//! A ring is one connection with one word. The kernel queues connections while the listener is
//! busy, so it needs no thread, and rings wait without costing it a descriptor.

use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFlags, epoll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketFlags, accept_with, recv};

use super::name;
use super::place::{self, DoorbellError};
use super::ring::{Cause, Ring};
use crate::deadline::Deadline;
use crate::named_socket::Directory;

/// So many rings wait at most, if the system's `net.core.somaxconn` lets them. A listener that is
/// stopped for good costs the kernel some 2 KiB for each.
pub const MAX_WAITING_RINGS: usize = 1024;

/// So many connections are kept open at most that have not said yet what they ring for.
const MAX_SILENT: usize = 16;

/// The longest word that is read.
const WORD_BYTES: usize = 64;

/// A bell of this process, which others ring with [`notify`](super::notify).
///
/// It takes nothing while nobody rings: no thread, no timer. It is gone when it is dropped; when
/// its process is killed, the next who rings clears it away.
#[derive(Debug)]
pub struct Doorbell {
    listener: OwnedFd,
    /// Readable while the listener or one of the silent has something.
    readable: OwnedFd,
    /// Who has connected and not said yet what for.
    silent: Vec<OwnedFd>,
    /// How many rings the queue holds.
    queue: usize,
    /// Given up for a ring where this process has no descriptor left.
    spare: Option<OwnedFd>,
    cleaner: Cleaner,
}

impl Doorbell {
    /// A new bell at `$XDG_RUNTIME_DIR/headroom/bell` (or in `/run/user/UID`, where the variable is
    /// not set).
    ///
    /// # Errors
    /// [`DoorbellError`], to be shown as it is.
    pub fn bind() -> Result<Doorbell, DoorbellError> {
        Doorbell::bind_open(&place::own_directory()?)
    }

    /// A new bell in a directory of one's own, which is made if it is missing: for programs that
    /// have bells of their own, rung with [`notify_in`](super::notify_in). Whoever may write there
    /// can take the bell away.
    ///
    /// # Errors
    /// [`DoorbellError`], to be shown as it is.
    pub fn bind_in(directory: impl AsRef<Path>) -> Result<Doorbell, DoorbellError> {
        let path = directory.as_ref();
        let system = |doing, source| DoorbellError::system(doing, path, source);
        let path = std::path::absolute(path).map_err(|error| system("finding", error))?;
        crate::named_socket::make_directory(&path).map_err(|error| system("making", error))?;
        Doorbell::bind_open(&path)
    }

    fn bind_open(path: &Path) -> Result<Doorbell, DoorbellError> {
        let name = name::new().map_err(|error| DoorbellError::system("naming", path, error))?;
        let file = path.join(&name);
        let bind = || -> Result<Doorbell, Errno> {
            let cleaner = Cleaner::of(file.as_os_str())?;
            let directory = Directory::open(path)?;
            let before = name::before(&name);
            let listener = directory.listen(&before, MAX_WAITING_RINGS as i32)?;
            // Only now, so that whoever sees the name finds somebody who listens.
            rustix::fs::renameat(directory.descriptor(), &before, directory.descriptor(), &name)
                .inspect_err(|_| {
                    let _ = directory.unlink(&before);
                })?;
            let readable = epoll::create(epoll::CreateFlags::CLOEXEC)
                .and_then(|readable| watch(&readable, &listener).map(|()| readable))
                .inspect_err(|_| cleaner.cleanup())?;
            let queue = MAX_WAITING_RINGS.min(longest_queue());
            let spare = spare();
            Ok(Doorbell { listener, readable, silent: Vec::new(), queue, spare, cleaner })
        };
        bind().map_err(|error| DoorbellError::system("listening at", &file, error))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(self.cleaner.path.as_bytes()))
    }

    /// All rings since the last time, as one; nothing where nobody has rung. Never waits.
    pub fn try_take(&mut self) -> Option<Ring> {
        let mut ring = Ring::NONE;
        let mut taken = 0;
        // A full queue holds one more than it is said to.
        while taken <= self.queue {
            match self.accept() {
                Ok(Some(caller)) => self.hear(caller, &mut ring),
                Ok(None) => break,
                // Somebody has, and cannot be let in.
                Err(_) => {
                    ring.add(Cause::All);
                    break;
                }
            }
            taken += 1;
        }
        if taken > self.queue {
            ring.crowd();
        }
        self.silent.retain(|caller| match word(caller) {
            Some(cause) => {
                ring.add(cause);
                false
            }
            None => true,
        });
        // The spare one may have been given up.
        if self.spare.is_none() {
            self.spare = spare();
        }
        (ring != Ring::NONE).then_some(ring)
    }

    /// Waits for a ring, so long at most.
    pub fn wait(&mut self, timeout: Duration) -> Option<Ring> {
        let deadline = Deadline::within(timeout);
        loop {
            if let Some(ring) = self.try_take() {
                return Some(ring);
            }
            if deadline.is_over() {
                return None;
            }
            // A wait that fails is a wait that is over.
            deadline.wait_for(self.as_fd(), PollFlags::IN).ok()?;
        }
    }

    /// Removes the name, so that nobody rings any more. Dropping does it too.
    ///
    /// It may be called in a signal handler: one system call with what was prepared before, no
    /// memory taken or given back, no lock. As a handler seldom has the bell itself, there is
    /// [`cleaner`](Doorbell::cleaner).
    pub fn cleanup(&self) {
        self.cleaner.cleanup();
    }

    /// What a signal handler needs to remove the name.
    #[must_use]
    pub fn cleaner(&self) -> Cleaner {
        self.cleaner.clone()
    }

    /// The next who rings; nothing where nobody does.
    fn accept(&mut self) -> Result<Option<OwnedFd>, Errno> {
        loop {
            match accept_with(&self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(caller) => return Ok(Some(caller)),
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                // Left in the queue it would keep an event loop from ever sleeping again.
                Err(Errno::MFILE | Errno::NFILE) if self.spare.take().is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn hear(&mut self, caller: OwnedFd, ring: &mut Ring) {
        match word(&caller) {
            Some(cause) => ring.add(cause),
            None if self.silent.len() < MAX_SILENT && watch(&self.readable, &caller).is_ok() => {
                self.silent.push(caller);
            }
            // Too many have nothing to say; what it was for is anybody's guess.
            None => ring.add(Cause::All),
        }
    }
}

/// What is rung for; nothing where that has not been said yet.
fn word(caller: &OwnedFd) -> Option<Cause> {
    let mut buffer = [0; WORD_BYTES];
    loop {
        return match recv(caller, &mut buffer, RecvFlags::empty()) {
            Ok((_, length)) => {
                let said = String::from_utf8_lossy(&buffer[..length.min(WORD_BYTES)]);
                Some(Cause::from_word(said.trim()))
            }
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => None,
            // Whoever it was has rung.
            Err(_) => Some(Cause::All),
        };
    }
}

fn watch(readable: &OwnedFd, descriptor: &OwnedFd) -> Result<(), Errno> {
    epoll::add(readable, descriptor, epoll::EventData::new_u64(0), epoll::EventFlags::IN)
}

fn spare() -> Option<OwnedFd> {
    use rustix::fs::{Mode, OFlags, open};
    open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// How many connections the system lets wait at most.
fn longest_queue() -> usize {
    // What older kernels have; too little only makes a ring crowded that is not.
    const LEAST: usize = 128;
    let said = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
    said.ok().and_then(|said| said.trim().parse().ok()).unwrap_or(LEAST)
}

impl AsFd for Doorbell {
    /// Readable when somebody has rung: for any event loop. Then call
    /// [`try_take`](Doorbell::try_take).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readable.as_fd()
    }
}

impl AsRawFd for Doorbell {
    fn as_raw_fd(&self) -> RawFd {
        self.readable.as_raw_fd()
    }
}

impl Drop for Doorbell {
    fn drop(&mut self) {
        self.cleanup();
    }
}

/// Removes a bell's name, also in a signal handler.
#[derive(Debug, Clone)]
pub struct Cleaner {
    path: CString,
}

impl Cleaner {
    fn of(path: &OsStr) -> Result<Cleaner, Errno> {
        CString::new(path.as_bytes()).map(|path| Cleaner { path }).map_err(|_| Errno::INVAL)
    }

    /// Removes the name: one system call, and nothing else that a signal handler must not do. It
    /// may be done again, and when the bell has gone already: no other bell ever has its name.
    pub fn cleanup(&self) {
        let _ = rustix::fs::unlink(self.path.as_c_str());
    }
}
