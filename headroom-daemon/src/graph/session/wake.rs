//! When the loop turns by itself.
//!
//! What `advance` is to be woken for counts only as far as `advance` comes: behind a question that
//! is not answered it does nothing, and a time that has passed would have the loop turn a thousand
//! times a second for as long as PipeWire or WirePlumber hangs. Every answer turns it anyway.

use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Session;

/// How far `advance` comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Nowhere: it is not called, or what there is has not been listed.
    Nowhere,
    /// To another headroomd that is there, or to nobody who links anything.
    Others,
    /// To whether the metadata is to be read anew.
    Metadata,
    /// To all that follows from its values.
    Everything,
}

/// When to turn at the latest, of what waits for a time of its own.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    conflict: Option<Instant>,
    hearing: Option<Instant>,
    layout: Option<Instant>,
    loose: Option<Instant>,
}

impl Times {
    /// The first that `advance` would do something at.
    fn first(self, reach: Reach) -> Option<Instant> {
        let by = [
            (Reach::Others, self.conflict),
            (Reach::Metadata, self.hearing),
            (Reach::Everything, self.layout),
            (Reach::Everything, self.loose),
        ];
        by.into_iter().filter(|(at, _)| *at <= reach).filter_map(|(_, time)| time).min()
    }
}

impl Session<'_> {
    /// When to turn without anything having come.
    pub(super) fn wake(&self, now: Instant) -> Option<Instant> {
        let times = Times {
            conflict: self.conflict_end(),
            hearing: self.hearing.wake(),
            layout: self.layout_wake(),
            loose: self.loose.wake(),
        };
        let is_told = self.is_answered(self.syncs.listing)
            && (self.metadata.is_none() || self.is_answered(self.syncs.values));
        let census = self.census_wake().filter(|_| is_told);
        let wakes = self.looks.iter().copied().chain(self.looks_at_quantum);
        let wakes = wakes.chain(times.first(self.reach())).chain(self.notes_wake());
        wakes.chain(census).chain(self.routes_wake(now)).min()
    }

    /// Sleeps until PipeWire or the mailbox has something, or until `wake`. Without a wake
    /// time it sleeps for good: nothing here ticks.
    pub(super) fn sleep(&self, wake: Option<Instant>) {
        let timeout = match wake {
            None => PollTimeout::NONE,
            Some(wake) => {
                // Rounded up, else the last millisecond is spent turning.
                let left = wake.saturating_duration_since(Instant::now());
                PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX)
            }
        };
        let mut on = [
            PollFd::new(self.main_loop.loop_().fd(), PollFlags::POLLIN),
            PollFd::new(self.mailbox.bell(), PollFlags::POLLIN),
        ];
        // A signal that ends the sleep early does no harm.
        let _ = poll(&mut on, timeout);
    }

    fn reach(&self) -> Reach {
        let is_listed = self.is_answered(self.syncs.listing);
        if self.leaving || !is_listed {
            Reach::Nowhere
        } else if self.conflict_end().is_some()
            || self.metadata.is_none()
            || !self.is_answered(self.syncs.metadata)
        {
            Reach::Others
        } else if self.reading_anew {
            Reach::Metadata
        } else {
            Reach::Everything
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_waits_for_an_answer_is_woken_by_nothing_that_needs_it() {
        let past = Instant::now();
        let at = |ms| Some(past + Duration::from_millis(ms));
        let times = Times { hearing: at(0), layout: at(1), ..Times::default() };
        for (reach, first) in [
            (Reach::Nowhere, None),
            (Reach::Others, None),
            (Reach::Metadata, at(0)),
            (Reach::Everything, at(0)),
        ] {
            assert_eq!(times.first(reach), first, "{reach:?}");
        }
        let layout = Times { layout: at(1), ..Times::default() };
        assert_eq!(layout.first(Reach::Metadata), None);
        assert_eq!(layout.first(Reach::Everything), at(1));
        let conflict = Times { conflict: at(2), ..times };
        assert_eq!(conflict.first(Reach::Nowhere), None);
        assert_eq!(conflict.first(Reach::Others), at(2));
    }
}
