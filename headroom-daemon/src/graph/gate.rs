//! Keeps the audio callbacks out of streams that are being taken down.
//!
//! The data thread enters it at the beginning of a callback and leaves it at the end; whoever takes
//! the streams down shuts it first. Once it is shut, nobody is inside and nobody comes in.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long whoever shuts it waits for a callback to end. One takes microseconds; where the data
/// thread gets no processor for so long, to go on is better than to hang.
const PATIENCE: Duration = Duration::from_millis(100);
/// Between two looks.
const GLANCE: Duration = Duration::from_micros(50);

/// Open at first, then shut for good.
#[derive(Debug, Default)]
pub(super) struct Gate {
    is_shut: AtomicBool,
    inside: AtomicU32,
}

/// Somebody is inside until this is dropped.
#[derive(Debug)]
pub(super) struct Inside<'g>(&'g Gate);

impl Gate {
    /// Goes in; `None` once it is shut.
    ///
    /// Real-time safe: yes, wait-free.
    pub(super) fn enter(&self) -> Option<Inside<'_>> {
        // Counted before the look: either this look sees that it is shut, or who shuts it sees this
        // one inside. That takes one order of all four accesses.
        self.inside.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(self);
        (!self.is_shut.load(Ordering::SeqCst)).then_some(inside)
    }

    /// Shuts it, and waits until nobody is inside.
    pub(super) fn shut(&self) {
        self.is_shut.store(true, Ordering::SeqCst);
        let end = Instant::now() + PATIENCE;
        while self.inside.load(Ordering::SeqCst) > 0 && Instant::now() < end {
            thread::sleep(GLANCE);
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_inside_of_a_gate_that_is_shut() {
        let gate = Gate::default();
        let (entered, was_touched) = (AtomicU32::new(0), AtomicBool::new(false));
        // What must not be touched once the gate is shut.
        let is_there = AtomicBool::new(true);
        thread::scope(|scope| {
            let callback = || {
                while let Some(_inside) = gate.enter() {
                    entered.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_micros(200));
                    if !is_there.load(Ordering::SeqCst) {
                        was_touched.store(true, Ordering::Relaxed);
                    }
                }
            };
            thread::Builder::new().spawn_scoped(scope, callback).expect("a thread");
            while entered.load(Ordering::Relaxed) < 10 {
                thread::sleep(GLANCE);
            }
            gate.shut();
            is_there.store(false, Ordering::SeqCst);
        });
        assert!(!was_touched.load(Ordering::Relaxed));
        assert!(gate.enter().is_none());
        assert_eq!(gate.inside.load(Ordering::SeqCst), 0);
    }
}
