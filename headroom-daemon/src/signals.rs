//! SIGTERM and SIGINT, taken by main alone.
//!
//! They are blocked before any thread exists, so that every thread inherits the mask and
//! none is interrupted, libraries' threads included. main unblocks them once all threads
//! run, and sleeps in [`Stop::wait`].

use std::io;

use nix::sys::signal::{SigSet, Signal};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

fn set() -> SigSet {
    SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT])
}

/// Blocks both in this thread and in all that it will make.
pub(crate) fn block() -> io::Result<()> {
    Ok(set().thread_block()?)
}

/// Where main waits to be told to stop.
pub(crate) struct Stop {
    signals: Signals,
}

impl Stop {
    /// Takes over both signals. They stay blocked until [`Stop::wait`].
    pub(crate) fn new() -> io::Result<Stop> {
        Ok(Stop { signals: Signals::new([SIGTERM, SIGINT])? })
    }

    /// Ends the wait from another thread.
    pub(crate) fn ender(&self) -> Handle {
        self.signals.handle()
    }

    /// Unblocks both in this thread, and waits for one of them or for the ender. Gives the
    /// signal's name.
    pub(crate) fn wait(&mut self) -> io::Result<Option<&'static str>> {
        set().thread_unblock()?;
        Ok(self.signals.forever().next().map(|signal| match signal {
            SIGINT => "SIGINT",
            _ => "SIGTERM",
        }))
    }
}
