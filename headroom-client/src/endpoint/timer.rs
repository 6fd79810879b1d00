//! The timer that wakes the program of an endpoint for the end of a client's patience, and for
//! nothing else.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use crate::deadline::timespec;

#[derive(Debug)]
pub(super) struct Timer {
    descriptor: OwnedFd,
    set_to: Option<Instant>,
}

impl Timer {
    pub(super) fn new() -> Result<Timer, Errno> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Timer { descriptor, set_to: None })
    }

    /// Readable once it has gone off.
    pub(super) fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }

    /// When it will go off.
    pub(super) fn set_to(&self) -> Option<Instant> {
        self.set_to
    }

    /// It has gone off, and is not set any more.
    pub(super) fn clear(&mut self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.descriptor, &mut count);
        self.set_to = None;
    }

    /// Has it go off then, or not at all.
    pub(super) fn set(&mut self, at: Option<Instant>) {
        // Zero would mean not at all.
        let shortest = Duration::from_millis(1);
        let left = at.map_or(Duration::ZERO, |at| {
            at.saturating_duration_since(Instant::now()).max(shortest)
        });
        let setting =
            Itimerspec { it_interval: timespec(Duration::ZERO), it_value: timespec(left) };
        let is_set =
            timerfd_settime(&self.descriptor, TimerfdTimerFlags::empty(), &setting).is_ok();
        self.set_to = at.filter(|_| is_set);
    }
}
