//! Inserts that do not play, though all is there that they need: nothing that comes to us is heard.
//!
//! WirePlumber 0.5 that has failed to link a stream to a sink some times in a row (because what it was
//! about came and went) never tries again while both are there, whatever the metadata says; and what
//! somebody has cut by hand no WirePlumber links again. An app would be sent somewhere else and back,
//! but our outputs have nowhere else to go; and a node can be destroyed by somebody. So the inserts are
//! made anew, which are others to WirePlumber.

use std::fmt;
use std::time::{Duration, Instant};

use super::Session;
use super::inserts::Live;
use crate::graph::{InsertId, session_manager};

/// How long it may be so, twice as long each further time: WirePlumber takes well under a second, and
/// more where the machine is busy.
const PATIENCE: Duration = Duration::from_secs(3);
/// No longer than 48 s: whatever keeps the device from us may end.
const MOST_DOUBLINGS: u32 = 4;
/// After so long of being whole the next time is the first.
const LASTING: Duration = Duration::from_secs(10);

/// Since when an insert does not play, and what was done for it.
#[derive(Debug, Default)]
pub(super) struct Loose {
    since: Option<Instant>,
    times: u32,
    whole_since: Option<Instant>,
}

/// Why an insert does not play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unlinked,
    NoNode,
}

impl Loose {
    /// Takes how it is. Gives whether the inserts are to be made anew.
    fn is_due(&mut self, has_fault: bool, is_whole: bool, now: Instant) -> bool {
        if !has_fault {
            self.since = None;
            self.whole_since = self.whole_since.or(Some(now)).filter(|_| is_whole);
            return false;
        }
        if self.whole_since.take().is_some_and(|since| now >= since + LASTING) {
            self.times = 0;
        }
        let since = *self.since.get_or_insert(now);
        now >= since + self.patience()
    }

    /// They are made anew.
    fn begins_anew(&mut self) {
        self.since = None;
        self.times += 1;
    }

    fn patience(&self) -> Duration {
        PATIENCE * (1 << self.times.min(MOST_DOUBLINGS))
    }

    /// When to look again.
    pub(super) fn wake(&self) -> Option<Instant> {
        Some(self.since? + self.patience())
    }
}

impl Session<'_> {
    /// Makes the inserts anew where one of them stays without a link or a node.
    pub(super) fn tie_loose_ends(&mut self, now: Instant) {
        let fault = self.fault();
        let is_whole = fault.is_none() && self.is_linked();
        if !self.loose.is_due(fault.is_some(), is_whole, now) {
            return;
        }
        if session_manager::is_stopped(self.model.pids()) {
            // One that is stopped links nothing at all, and all of it once it goes on.
            self.loose.since = None;
        } else if let Some((insert, fault)) = fault {
            log::warn!("{}{fault}: making the sinks anew", insert.node_name());
            self.loose.begins_anew();
            self.take_inserts_out();
        }
    }

    fn fault(&self) -> Option<(InsertId, Fault)> {
        self.lives().find_map(|live| Some((live.insert, self.fault_of(live)?)))
    }

    fn fault_of(&self, live: &Live) -> Option<Fault> {
        let to = match live.insert {
            InsertId::Master => self.pinned.as_deref().and_then(|name| self.model.sink_named(name)),
            InsertId::Main | InsertId::Stereo => self.master.as_ref()?.streams.sink_id(),
        };
        let (sink, output) = (live.streams.sink_id(), live.streams.output_id());
        let is_there = to.is_some_and(|to| self.model.has_ports(to));
        let is_unlinked = |from: u32| self.model.linked_from(from).next().is_none();
        let was_there = live.has_node || live.has_failed;
        if was_there && (sink.is_none() || output.is_none()) {
            Some(Fault::NoNode)
        } else if !is_there {
            None
        } else {
            output.filter(|from| is_unlinked(*from)).map(|_| Fault::Unlinked)
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Unlinked => ".out stays linked to nothing",
            Fault::NoNode => " is not in the graph any more",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_play_is_made_anew_ever_more_seldom_until_it_has_played_for_a_while() {
        let (mut loose, mut now) = (Loose::default(), Instant::now());
        for doublings in [0, 1, 2, 3, 4, 4, 4] {
            let patience = PATIENCE * (1 << doublings);
            assert!(!loose.is_due(true, false, now));
            assert_eq!(loose.wake(), Some(now + patience));
            now += patience;
            assert!(loose.is_due(true, false, now));
            loose.begins_anew();
            assert!(!loose.is_due(false, false, now), "they are made");
            assert_eq!(loose.wake(), None);
            assert!(!loose.is_due(false, true, now), "whole, at a glance");
        }
        now += LASTING;
        assert!(!loose.is_due(true, false, now));
        assert_eq!(loose.wake(), Some(now + PATIENCE), "it has played for a while");
    }

    #[test]
    fn what_is_linked_in_time_is_left_alone() {
        let (mut loose, now) = (Loose::default(), Instant::now());
        assert!(!loose.is_due(true, false, now));
        assert!(!loose.is_due(false, true, now + PATIENCE));
        assert!(!loose.is_due(true, false, now + PATIENCE));
    }
}
