//! How our bus becomes the user's default sink and stays it, without a fight.
//!
//! `session` says what the metadata has, and does what comes out of here: ask for the default, or
//! leave it to whoever sets another again and again. Pure.

use std::time::{Duration, Instant};

/// How often a default that others set is made ours again within [`MEMORY`].
const MOST_TRIES: usize = 3;
const MEMORY: Duration = Duration::from_secs(10);

/// How far it has come with this WirePlumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// It is not asked for.
    #[default]
    Idle,
    /// It has been asked for, and the metadata has not said so yet.
    Asked,
    /// The metadata has said so.
    Held,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    Rest,
    /// Ask for the default.
    Ask,
    /// Somebody has set another: take it for the device sink, and ask again.
    AskAgain,
    /// Somebody has set another again and again: leave it to them, and say so.
    GiveIn,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Promoting {
    phase: Phase,
    tries: Vec<Instant>,
    is_contested: bool,
    /// The wish that all this is about.
    asked: u32,
}

impl Promoting {
    /// What is to be done, where it is wished by the wish of this number.
    pub(super) fn next(&mut self, asked: u32, is_ours: bool, now: Instant) -> Next {
        if self.asked != asked {
            self.asked = asked;
            self.tries.clear();
            self.is_contested = false;
        }
        match self.phase {
            _ if self.is_contested => Next::Rest,
            Phase::Idle => Next::Ask,
            Phase::Asked if is_ours => {
                self.phase = Phase::Held;
                Next::Rest
            }
            Phase::Held if !is_ours => self.was_taken(now),
            Phase::Asked | Phase::Held => Next::Rest,
        }
    }

    fn was_taken(&mut self, now: Instant) -> Next {
        self.phase = Phase::Idle;
        self.tries.retain(|tried| now < *tried + MEMORY);
        if self.tries.len() >= MOST_TRIES {
            self.is_contested = true;
            return Next::GiveIn;
        }
        self.tries.push(now);
        Next::AskAgain
    }

    /// It has been asked for; where it was ours already, it is held at once.
    pub(super) fn has_asked(&mut self, is_ours: bool) {
        self.phase = if is_ours { Phase::Held } else { Phase::Asked };
    }

    /// It is given back, or WirePlumber has gone with all that it was asked.
    pub(super) fn lets_go(&mut self) {
        self.phase = Phase::Idle;
    }

    /// Whether it is left to others who set another again and again.
    pub(super) fn has_given_in(&self) -> bool {
        self.is_contested
    }

    /// Whether it was asked for and nothing was heard of that yet.
    pub(super) fn awaits_an_answer(&self) -> bool {
        self.phase == Phase::Asked
    }

    /// Whether the default is ours by our own doing, or is about to be.
    pub(super) fn has_a_hand_in_it(&self) -> bool {
        self.phase != Phase::Idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(now: Instant) -> Promoting {
        let mut promoting = Promoting::default();
        assert_eq!(promoting.next(0, false, now), Next::Ask);
        promoting.has_asked(false);
        assert_eq!(promoting.next(0, false, now), Next::Rest, "it is under way");
        assert_eq!(promoting.next(0, true, now), Next::Rest);
        promoting
    }

    fn take(promoting: &mut Promoting, now: Instant) -> Next {
        let next = promoting.next(0, false, now);
        if next == Next::AskAgain {
            assert_eq!(promoting.next(0, false, now), Next::Ask);
            promoting.has_asked(false);
            assert_eq!(promoting.next(0, true, now), Next::Rest);
        }
        next
    }

    #[test]
    fn who_sets_another_default_is_given_in_to_after_three_times() {
        let now = Instant::now();
        let mut promoting = held(now);
        for _ in 0..MOST_TRIES {
            assert_eq!(take(&mut promoting, now), Next::AskAgain);
        }
        assert!(!promoting.has_given_in());
        assert_eq!(take(&mut promoting, now), Next::GiveIn);
        assert!(promoting.has_given_in());
        for later in [now, now + 2 * MEMORY] {
            assert_eq!(promoting.next(0, false, later), Next::Rest, "it is left to them");
        }
        assert_eq!(promoting.next(1, false, now), Next::Ask, "until it is asked for anew");
    }

    #[test]
    fn who_does_so_now_and_then_is_not() {
        let mut now = Instant::now();
        let mut promoting = held(now);
        for _ in 0..20 {
            now += MEMORY / MOST_TRIES as u32 + Duration::from_millis(1);
            assert_eq!(take(&mut promoting, now), Next::AskAgain);
        }
    }

    #[test]
    fn what_is_ours_already_is_held_and_a_new_wireplumber_is_asked_anew() {
        let now = Instant::now();
        let mut promoting = Promoting::default();
        assert_eq!(promoting.next(0, true, now), Next::Ask);
        promoting.has_asked(true);
        assert!(promoting.has_a_hand_in_it());
        assert_eq!(promoting.next(0, true, now), Next::Rest);
        promoting.lets_go();
        assert!(!promoting.has_a_hand_in_it());
        assert_eq!(promoting.next(0, false, now), Next::Ask, "and nobody has taken it");
    }
}
