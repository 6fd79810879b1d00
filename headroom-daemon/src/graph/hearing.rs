//! Whether the metadata still tells us what changes in it, and when to read it anew.
//!
//! PipeWire lets a client bind the metadata, asks WirePlumber for the values, and holds back
//! what changes from everybody else until WirePlumber has answered. When the client leaves
//! before that, the answer is never counted (seen with 0.3.65 and 1.4.2): from then on nobody
//! is told of any change until PipeWire ends. Only whoever binds anew is told the values as
//! they are. So a change that is bound to come and does not is looked up, and from then on
//! the metadata is read again whenever sinks or links come and go.
//!
//! Besides, what changes within that moment is told to nobody else, ever. So a value that is not yet
//! what it is bound to become is looked up too, though other changes are heard.
//!
//! Pure: `session` says what is expected and heard, and asks what is to be done.

use std::time::{Duration, Instant};

/// How long a change that is bound to come may take before it is looked up.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long after a change of the graph it is read: WirePlumber decides after it has seen it.
const REREAD: Duration = Duration::from_millis(200);

/// How long after sinks have come or gone it is read, also by who hears well: WirePlumber has come to
/// a default by then, and that may be what others were being told over.
const SETTLED: Duration = Duration::from_millis(700);
/// How often the same value is looked up that does not become what it should: perhaps it never will.
const MOST_LOOKS: u32 = 3;

/// What the metadata owes us.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    deaf: bool,
    due: Option<Instant>,
    /// The values that are bound to become others, as they are.
    overdue: Option<String>,
    looks: u32,
    /// When it is read because of the sinks.
    sinks: Option<Instant>,
}

impl Hearing {
    /// A change is bound to come: our own write comes back, or a default sink is to be chosen.
    pub(super) fn expects(&mut self, now: Instant) {
        self.due = self.due.or(Some(now + PATIENCE));
    }

    /// These values are bound to become others, or none is.
    pub(super) fn is_owed(&mut self, values: Option<String>, now: Instant) {
        if self.overdue != values {
            (self.overdue, self.looks) = (values, 0);
        }
        if self.overdue.is_some() && self.looks < MOST_LOOKS {
            self.expects(now);
        }
    }

    /// What was heard is to be relied on: it is read anew first, for whoever is not told of changes
    /// does not know.
    pub(super) fn relied_on(&mut self, now: Instant) {
        self.due = Some(now);
    }

    /// A change was heard, and not only the values that a new binding begins with.
    pub(super) fn heard(&mut self) {
        (self.deaf, self.due) = (false, None);
    }

    /// Sinks or links have come or gone, and the default sink with them perhaps.
    pub(super) fn graph_changed(&mut self, now: Instant) {
        if self.deaf {
            self.due = self.due.or(Some(now + REREAD));
        }
    }

    /// A sink has come or gone, which is bound to be another default now and then.
    pub(super) fn sinks_changed(&mut self, now: Instant) {
        self.sinks = Some(now + SETTLED);
    }

    /// When to ask [`Hearing::must_read`] again.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.due.into_iter().chain(self.sinks).min()
    }

    /// Whether the metadata is to be bound anew for its values.
    pub(super) fn must_read(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            self.deaf = true;
            self.due = None;
            self.looks += 1;
        }
        let is_settled = self.sinks.is_some_and(|at| at <= now);
        if is_due || is_settled {
            self.sinks = self.sinks.filter(|at| *at > now);
        }
        is_due || is_settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_comes_back_is_not_looked_up() {
        let (mut hearing, now) = (Hearing::default(), Instant::now());
        hearing.expects(now);
        assert_eq!(hearing.wake(), Some(now + PATIENCE));
        hearing.heard();
        assert_eq!(hearing.wake(), None);
        assert!(!hearing.must_read(now + PATIENCE));
        hearing.graph_changed(now);
        assert_eq!(hearing.wake(), None, "who hears well need not look");
    }

    #[test]
    fn what_is_relied_on_is_read_anew_at_once_and_who_hears_well_need_not_look_again() {
        let (mut hearing, now) = (Hearing::default(), Instant::now());
        hearing.relied_on(now);
        assert!(hearing.must_read(now));
        hearing.heard();
        hearing.graph_changed(now);
        assert!(!hearing.must_read(now + REREAD));
    }

    #[test]
    fn what_is_bound_to_change_is_looked_up_though_others_are_heard_but_not_for_ever() {
        let (mut hearing, mut now) = (Hearing::default(), Instant::now());
        let behind = || Some("ours, theirs".to_owned());
        hearing.is_owed(behind(), now);
        hearing.heard();
        hearing.is_owed(behind(), now);
        assert_eq!(hearing.wake(), Some(now + PATIENCE), "something else was heard");
        for _ in 0..MOST_LOOKS {
            now += PATIENCE;
            assert!(hearing.must_read(now));
            hearing.is_owed(behind(), now);
        }
        assert_eq!(hearing.wake(), None, "it stays as it is");
        hearing.is_owed(None, now);
        assert_eq!(hearing.wake(), None);
        hearing.is_owed(behind(), now);
        assert_eq!(hearing.wake(), Some(now + PATIENCE), "another time");
    }

    #[test]
    fn once_the_sinks_have_settled_it_is_read_though_all_was_heard() {
        let (mut hearing, now) = (Hearing::default(), Instant::now());
        hearing.sinks_changed(now);
        hearing.heard();
        assert_eq!(hearing.wake(), Some(now + SETTLED));
        hearing.sinks_changed(now + SETTLED);
        assert!(!hearing.must_read(now + SETTLED), "others have come");
        assert!(hearing.must_read(now + 2 * SETTLED));
        assert_eq!(hearing.wake(), None, "once");
        hearing.graph_changed(now);
        assert_eq!(hearing.wake(), None, "who hears well need not look at links");
    }

    #[test]
    fn a_write_that_does_not_come_back_is_looked_up_and_so_is_every_change_after_it() {
        let (mut hearing, now) = (Hearing::default(), Instant::now());
        hearing.expects(now);
        assert!(!hearing.must_read(now));
        assert!(hearing.must_read(now + PATIENCE));
        assert!(!hearing.must_read(now + PATIENCE), "once for each");
        hearing.graph_changed(now + PATIENCE);
        assert!(hearing.must_read(now + PATIENCE + REREAD));
        hearing.heard();
        hearing.graph_changed(now);
        assert_eq!(hearing.wake(), None);
    }
}
