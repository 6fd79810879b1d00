//! Until when something may take, and waiting for a descriptor until then. Everything in this
//! crate that waits does so by one of these.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Until when something may take; none for as long as it likes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Deadline = Deadline(None);

    pub(crate) fn within(time: Duration) -> Deadline {
        // A time that no clock can hold is as good as for ever.
        Deadline(Instant::now().checked_add(time))
    }

    /// What is left of it; none where it never ends.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn is_over(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Waits until one of these has happened to a descriptor, and says which have; none at the
    /// end of the time.
    pub(crate) fn wait_for(
        self,
        descriptor: BorrowedFd<'_>,
        wanted: PollFlags,
    ) -> io::Result<PollFlags> {
        loop {
            let left = self.left().map(timespec);
            let mut descriptors = [PollFd::from_borrowed_fd(descriptor.as_fd(), wanted)];
            match poll(&mut descriptors, left.as_ref()) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(descriptors[0].revents()),
            }
        }
    }
}

/// A length of time as the kernel takes it.
pub(crate) fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}
