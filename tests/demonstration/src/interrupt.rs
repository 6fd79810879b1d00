//! SIGINT and SIGTERM as something that every wait asks about, so that all that was started is ended.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Whether somebody wants this to end.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

/// Somebody wanted this to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped; everything that was started has been ended")]
pub(crate) struct Interrupted;

impl Interrupt {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system refuses a signal handler.
    pub(crate) fn listen() -> io::Result<Interrupt> {
        let come = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&come))?;
        }
        Ok(Interrupt(come))
    }

    /// # Errors
    /// [`Interrupted`] when a signal has come.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.0.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }
}
