//! The signals that end a program, as something that a loop can wait for: so that it leaves
//! nothing behind.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

pub(super) struct Signals {
    readable: UnixStream,
    signal: Arc<AtomicUsize>,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> io::Result<Signals> {
        let (readable, writable) = UnixStream::pair()?;
        readable.set_nonblocking(true)?;
        let signal = Arc::new(AtomicUsize::new(0));
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: who is woken must see which it was.
            flag::register_usize(number, Arc::clone(&signal), number as usize)?;
            low_level::pipe::register(number, writable.try_clone()?)?;
        }
        Ok(Signals { readable, signal })
    }

    /// The signal that has come.
    pub(super) fn take(&mut self) -> Option<i32> {
        let mut bytes = [0; 16];
        while self.readable.read(&mut bytes).is_ok_and(|count| count > 0) {}
        i32::try_from(self.signal.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readable.as_fd()
    }
}

/// Ends this program as the signal would have.
pub(super) fn end_by(signal: i32) {
    let _ = low_level::emulate_default_handler(signal);
}
