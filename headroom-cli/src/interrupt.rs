//! SIGINT and SIGTERM as something that a running command asks about, so that it can end
//! cleanly. A second signal ends the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

/// Whether a signal has come.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen() -> io::Result<Interrupt> {
        let signal = Arc::new(AtomicUsize::new(0));
        let come = Arc::new(AtomicBool::new(false));
        for number in [SIGINT, SIGTERM] {
            // In this order: the first signal must not see its own mark.
            flag::register_conditional_shutdown(number, 128 + number, Arc::clone(&come))?;
            flag::register(number, Arc::clone(&come))?;
            flag::register_usize(number, Arc::clone(&signal), number as usize)?;
        }
        // A file size limit is then an error of the write, told in words, and not a kill.
        flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        Ok(Interrupt { signal })
    }

    /// The signal that has come.
    pub(crate) fn signal(&self) -> Option<u8> {
        u8::try_from(self.signal.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }
}
