//! What is rung for, and how rings become one.

use std::fmt;

/// Why it was rung: what to look at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Files of profiles.
    Profile,
    /// What is remembered on the disk: the chosen profile, overrides, rules.
    State,
    /// Everything, or something that this version does not know.
    All,
}

impl Cause {
    /// Every cause.
    pub const EVERY: [Cause; 3] = [Cause::Profile, Cause::State, Cause::All];

    /// As it goes over the socket, and as a person writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Profile => "profile",
            Cause::State => "state",
            Cause::All => "all",
        }
    }

    /// Reads a word. One that is not known may be about anything.
    #[must_use]
    pub fn from_word(word: &str) -> Cause {
        Cause::EVERY.into_iter().find(|cause| cause.as_str() == word).unwrap_or(Cause::All)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All that was rung since the bell was last looked at, as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    count: usize,
    causes: u8,
    is_crowded: bool,
}

impl Ring {
    /// How often it was rung. Exact unless the queue was full in between
    /// ([`is_crowded`](Ring::is_crowded)): then it is how many rings there was room for.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The set of causes, each once.
    pub fn causes(&self) -> impl Iterator<Item = Cause> + use<> {
        let causes = self.causes;
        Cause::EVERY.into_iter().filter(move |cause| causes & cause.bit() != 0)
    }

    /// Whether there is reason to look at this again: it was rung for that, or for everything.
    #[must_use]
    pub fn is_about(&self, cause: Cause) -> bool {
        self.causes & (cause.bit() | Cause::All.bit()) != 0
    }

    /// Whether there may have been more rings than the queue holds. What those were for is not
    /// known, so it is about everything.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.is_crowded
    }

    pub(super) const NONE: Ring = Ring { count: 0, causes: 0, is_crowded: false };

    pub(super) fn add(&mut self, cause: Cause) {
        self.count += 1;
        self.causes |= cause.bit();
    }

    pub(super) fn crowd(&mut self) {
        self.is_crowded = true;
        self.causes |= Cause::All.bit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_one_with_a_count_and_each_cause_once() {
        let mut ring = Ring::NONE;
        for cause in [Cause::State, Cause::Profile, Cause::State] {
            ring.add(cause);
        }
        assert_eq!(ring.count(), 3);
        assert_eq!(ring.causes().collect::<Vec<_>>(), [Cause::Profile, Cause::State]);
        assert!(ring.is_about(Cause::Profile) && !ring.is_about(Cause::All));
        ring.crowd();
        assert!(Cause::EVERY.into_iter().all(|cause| ring.is_about(cause)));
        assert_eq!(ring.count(), 3);
    }

    #[test]
    fn a_word_that_is_not_known_may_be_about_anything() {
        for cause in Cause::EVERY {
            assert_eq!(Cause::from_word(cause.as_str()), cause);
        }
        assert_eq!(Cause::from_word("rules"), Cause::All);
        assert_eq!(Cause::from_word(""), Cause::All);
    }
}
