//! Our own outputs, where they are linked to nothing.
//!
//! WirePlumber 0.5 that has failed to link a stream to a sink some times in a row (because what it was
//! about came and went) never tries again while both are there, whatever the metadata says; and what
//! somebody has cut by hand no WirePlumber links again. An app would be sent somewhere else and back,
//! but our outputs have nowhere else to go: nothing that comes to us would be heard any more. So the
//! inserts are made anew, which are others to WirePlumber.

use std::time::{Duration, Instant};

use super::Session;
use crate::graph::{InsertId, session_manager};

/// How long an output may be linked to nothing though its sink is there, twice as long the next time:
/// WirePlumber takes well under a second, and more where the machine is busy.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often the inserts are made anew for it in a row: what does not help thrice does not help.
const MOST_TIMES: u32 = 3;

/// Since when an output is linked to nothing, and what was done for it.
#[derive(Debug, Default)]
pub(super) struct Loose {
    since: Option<Instant>,
    times: u32,
}

impl Loose {
    /// Takes how it is. Gives whether the inserts are to be made anew.
    fn takes(&mut self, is_loose: bool, is_whole: bool, now: Instant) -> bool {
        if is_whole {
            self.times = 0;
        }
        if !is_loose || self.times >= MOST_TIMES {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert(now);
        let is_enough = now >= since + self.patience();
        if is_enough {
            self.since = None;
            self.times += 1;
        }
        is_enough
    }

    fn patience(&self) -> Duration {
        PATIENCE * (1 << self.times)
    }

    /// When to look again.
    pub(super) fn wake(&self) -> Option<Instant> {
        Some(self.since? + self.patience())
    }
}

impl Session<'_> {
    /// Makes the inserts anew where an output of theirs stays linked to nothing.
    pub(super) fn tie_loose_ends(&mut self, now: Instant) {
        let loose = self.loose_end();
        let is_whole = loose.is_none() && self.is_linked();
        if self.loose.takes(loose.is_some(), is_whole, now)
            && let Some(insert) = loose
            // One that is stopped links nothing at all, and all of it once it goes on.
            && !session_manager::is_stopped(self.model.pids())
        {
            log::warn!("{}.out stays linked to nothing: making the sinks anew", insert.node_name());
            self.take_inserts_out();
        }
    }

    /// An output that is linked to nothing though the sink is there that it goes to.
    fn loose_end(&self) -> Option<InsertId> {
        let master = self.master.as_ref()?.streams.sink_id();
        let device = self.pinned.as_deref().and_then(|name| self.model.sink_named(name));
        let is_loose = |insert: InsertId, output: Option<u32>| {
            let to = if insert == InsertId::Master { device } else { master };
            let is_there = to.is_some_and(|to| self.model.has_ports(to));
            is_there && output.is_some_and(|from| self.model.linked_from(from).next().is_none())
        };
        let mut lives = self.lives().map(|live| (live.insert, live.streams.output_id()));
        lives.find(|(insert, output)| is_loose(*insert, *output)).map(|(insert, _)| insert)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loose_for_long_is_made_anew_but_not_for_ever() {
        let (mut loose, mut now) = (Loose::default(), Instant::now());
        for patience in [PATIENCE, 2 * PATIENCE, 4 * PATIENCE] {
            assert!(!loose.takes(true, false, now));
            assert_eq!(loose.wake(), Some(now + patience));
            now += patience;
            assert!(loose.takes(true, false, now));
            assert!(!loose.takes(false, false, now), "they are made");
            assert_eq!(loose.wake(), None);
        }
        assert!(!loose.takes(true, false, now));
        assert!(!loose.takes(true, false, now + 8 * PATIENCE));
        assert_eq!(loose.wake(), None);
        assert!(!loose.takes(false, true, now), "it was whole in between");
        assert!(!loose.takes(true, false, now));
        assert!(loose.takes(true, false, now + PATIENCE));
    }

    #[test]
    fn what_is_linked_in_time_is_left_alone() {
        let (mut loose, now) = (Loose::default(), Instant::now());
        assert!(!loose.takes(true, false, now));
        assert!(!loose.takes(false, true, now + PATIENCE));
        assert!(!loose.takes(true, false, now + PATIENCE));
    }
}
