//! Figures beside their bars, from threads that measure side by side.

use std::sync::atomic::{AtomicBool, Ordering};

/// Prints figures as they come, and remembers whether all bars are kept.
#[derive(Default)]
pub(crate) struct Verdict {
    broken: AtomicBool,
}

impl Verdict {
    /// A figure that is at most `bar`.
    pub(crate) fn at_most(&self, what: &str, figure: f64, unit: &str, bar: f64) {
        let is_kept = figure <= bar;
        let word = if is_kept { "" } else { "  OVER" };
        println!("{what:<64} {figure:>7.1} {unit:<5} at most {bar:>7.1}{word}");
        if !is_kept {
            self.broken.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_kept(&self) -> bool {
        !self.broken.load(Ordering::Relaxed)
    }
}
