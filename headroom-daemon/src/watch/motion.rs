//! Whether the folders of profiles are being changed right now.
//!
//! hr-inotify says when it hears of a change; hr-profiles asks how long to wait before it looks.
//! Knows no file and no clock: whoever asks brings the time.

use std::time::{Duration, Instant};

/// How long nothing is heard before the folders are at rest: longer than between the steps in which
/// an editor saves a file, much shorter than anybody waits.
pub(super) const QUIET: Duration = Duration::from_millis(50);
/// How long a change waits at most for the folders to come to rest: a `git checkout` may take
/// longer, and who saves a file wants to hear it.
pub(super) const MOST_DELAY: Duration = Duration::from_millis(150);

/// When changes were heard of.
#[derive(Debug, Default)]
pub(super) struct Motion {
    /// The first since the folders were looked at.
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Motion {
    /// Something has changed.
    pub(super) fn heard(&mut self, now: Instant) {
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// How long to wait before looking, if at all.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let at_rest = self.last? + QUIET;
        let too_late = self.first? + MOST_DELAY;
        Some(at_rest.min(too_late).saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Whoever asks looks now: what is heard from here on waits anew.
    pub(super) fn look(&mut self) {
        self.first = None;
    }

    /// Whether a look that ends now has seen nothing half done.
    pub(super) fn is_at_rest(&self, now: Instant) -> bool {
        self.last.is_none_or(|last| now.saturating_duration_since(last) >= QUIET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_look_waits_for_the_rest_of_a_change_but_not_for_ever() {
        let start = Instant::now();
        let mut motion = Motion::default();
        assert_eq!(motion.wait(start), None, "nothing has happened");
        assert!(motion.is_at_rest(start));
        // One change every 20 ms, as of a long checkout.
        for n in 0..=7 {
            let now = start + 20 * n * MS;
            motion.heard(now);
            let left = (MOST_DELAY - 20 * n * MS).min(QUIET);
            assert_eq!(motion.wait(now), Some(left));
            assert!(!motion.is_at_rest(now));
        }
        let now = start + MOST_DELAY;
        assert_eq!(motion.wait(now), None, "it has waited for long enough");
        assert!(!motion.is_at_rest(now), "and sees what may be half done");
        motion.look();
        assert_eq!(motion.wait(now), None, "nothing new");
        // What comes after the look waits as long again.
        motion.heard(now + MS);
        assert_eq!(motion.wait(now + MS), Some(QUIET));
        assert_eq!(motion.wait(now + MS + QUIET), None);
        assert!(motion.is_at_rest(now + MS + QUIET));
    }
}
