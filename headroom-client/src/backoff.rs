//! How long to wait before the next attempt to connect: twice as long as the time before.

use std::time::Duration;

/// The wait after a connection that was good.
const SHORTEST: Duration = Duration::from_millis(50);

/// The longest wait: a daemon that is started by hand is noticed soon enough.
const LONGEST: Duration = Duration::from_secs(3);

/// A connection that has lasted for so long was good.
const GOOD_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Backoff {
        Backoff { next: SHORTEST }
    }

    /// How long to wait now, after a connection that has lasted for so long, or after none.
    pub(crate) fn wait_after(&mut self, lasted: Option<Duration>) -> Duration {
        if lasted.is_some_and(|time| time >= GOOD_AFTER) {
            self.next = SHORTEST;
        }
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_one_before_until_a_connection_has_lasted() {
        let mut backoff = Backoff::new();
        let waits: Vec<u128> = (0..8).map(|_| backoff.wait_after(None).as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 3000, 3000]);
        let short = Some(Duration::from_millis(5));
        assert_eq!(backoff.wait_after(short), LONGEST, "a daemon that lets go at once is spared");
        assert_eq!(backoff.wait_after(Some(GOOD_AFTER)), SHORTEST);
    }
}
