//! Leaving: the graph is put back as it was found, and the daemon goes within a second.

use std::time::{Duration, Instant};

use super::Session;

/// How long WirePlumber may take to make the former default the default again.
const HAND_BACK: Duration = Duration::from_millis(400);
/// How long PipeWire may take of that to learn that our sinks are not asked for any more.
const STANDINGS: Duration = Duration::from_millis(100);
/// How long PipeWire may take to answer that all was received.
const LAST_WORD: Duration = Duration::from_millis(200);

impl Session<'_> {
    /// Takes back all that was said in the graph. The inserts go when the session is dropped.
    pub(super) fn leave(&mut self) {
        let now = Instant::now();
        self.leaving = true;
        self.hand_default_back(now);
        // A PipeWire that hangs gets all of it into its socket, and may end before it has read it.
        self.wishes.notes.hold();
        let outputs: Vec<u32> = self.lives().filter_map(|live| live.streams.output_id()).collect();
        if let Some(metadata) = &self.metadata {
            for output in outputs {
                metadata.clear_target(output);
            }
        }
        // What another run has left, or a reading anew has not told yet, is ours to take back too.
        let listed = self.syncs.metadata;
        self.wait(Instant::now() + LAST_WORD, |session| session.is_answered(listed));
        self.targets.take_up(Instant::now());
        self.let_routes_go();
        self.leave_volume();
        self.is_heard(Instant::now() + LAST_WORD);
    }

    /// Waits until PipeWire has answered all that was said, at most until `end`, and then strikes it
    /// out of the journal. What is not answered stays there for the next start.
    pub(super) fn is_heard(&mut self, end: Instant) {
        let last_word = self.sync();
        self.wait(end, |session| session.is_answered(last_word));
        if last_word.is_some() && self.is_answered(last_word) && self.ended.is_none() {
            self.wishes.notes.release();
        }
    }

    fn hand_default_back(&mut self, now: Instant) {
        if !self.has_default_to_give_back() {
            return;
        }
        let end = now + HAND_BACK;
        self.keep_standings(now);
        self.wait(now + STANDINGS, |session| session.syncs.standings.is_none());
        while !self.give_default_back(Instant::now()) {
            if Instant::now() >= end {
                return self.give_default_back_unheard();
            }
            if self.turn(Some(end)).is_some() {
                return;
            }
        }
    }

    /// Turns the loop until `is_done`, at most until `end`.
    pub(super) fn wait(&mut self, end: Instant, is_done: impl Fn(&Session) -> bool) {
        while !is_done(self) && Instant::now() < end {
            if self.turn(Some(end)).is_some() {
                return;
            }
        }
    }
}
