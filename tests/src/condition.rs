//! Waiting for a condition with a deadline, the only kind of waiting in this crate.
//!
//! Everything that starts, stops or watches something comes through here. A deadline is generous: it
//! only ever passes when something is broken, so a slow machine fails no test.

use std::time::{Duration, Instant};

/// How long is long enough for anything that ought to happen at once.
pub(crate) const GENEROUS: Duration = Duration::from_secs(20);

/// Between two looks at a condition that costs next to nothing.
const GLANCE: Duration = Duration::from_millis(5);

/// The moment after which a wait has failed.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The moment that lies `duration` ahead.
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// Far enough ahead for anything that ought to happen at once.
    pub fn generous() -> Self {
        Self::after(GENEROUS)
    }

    /// Whether the moment has passed.
    pub fn has_passed(self) -> bool {
        Instant::now() >= self.0
    }
}

/// Looks at `condition` until it gives a value. `None` when the deadline has passed without one.
///
/// The condition is looked at once more after the deadline, so that a process that was not
/// scheduled for long is not taken for one that failed.
pub fn poll<T>(deadline: Deadline, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        let last_look = deadline.has_passed();
        if let Some(value) = condition() {
            return Some(value);
        }
        if last_look {
            return None;
        }
        std::thread::sleep(GLANCE);
    }
}

/// Lets a stretch of time pass that something is measured over. Not for waiting: for that there is
/// [`poll`].
pub fn let_pass(stretch: Duration) {
    std::thread::sleep(stretch);
}
