//! Leaving: the graph is put back as it was found, and the daemon goes within a second.

use std::time::{Duration, Instant};

use super::Session;
use crate::graph::{InsertId, default_sink, is_ours};
use crate::journal::NoteKey;

/// How long WirePlumber may take to make the former default the default again.
const HAND_BACK: Duration = Duration::from_millis(400);
/// How long PipeWire may take to answer that all was received.
const LAST_WORD: Duration = Duration::from_millis(200);

impl Session<'_> {
    /// Takes back all that was said in the graph. The inserts go when the session is dropped.
    pub(super) fn leave(&mut self) {
        let now = Instant::now();
        self.leaving = true;
        self.hand_default_back(now);
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
        let last_word = self.sync();
        self.wait(Instant::now() + LAST_WORD, |session| session.is_answered(last_word));
    }

    fn hand_default_back(&mut self, now: Instant) {
        let default = &self.wishes.default;
        let ours = InsertId::Main.node_name();
        if self.metadata.is_none() || !self.promoting {
            return;
        }
        let was_asked_for = default.former_configured().is_some();
        let former = default.former().map(default_sink::value_of);
        if default.configured.as_deref() == Some(ours) {
            self.set_configured(former.as_deref());
            // WirePlumber 0.4 keeps the sink that it has when the wish is merely withdrawn. So
            // the former one is asked for by name, and the wish withdrawn once it is granted.
            self.wait(now + HAND_BACK, |session| {
                session.wishes.default.actual.as_deref().is_none_or(|name| !is_ours(name))
            });
            if !was_asked_for {
                self.set_configured(None);
            }
        }
        if let Some(metadata) = &self.metadata {
            metadata.set_graph_value(default_sink::FORMER, None);
        }
        self.wishes.notes.strike(&NoteKey::FormerDefault);
    }

    fn set_configured(&self, value: Option<&str>) {
        if let Some(metadata) = &self.metadata {
            metadata.set_graph_value(default_sink::CONFIGURED, value);
        }
    }

    /// Turns the loop until `is_done`, at most until `end`.
    fn wait(&mut self, end: Instant, is_done: impl Fn(&Session) -> bool) {
        while !is_done(self) && Instant::now() < end {
            if self.turn(Some(end)).is_some() {
                return;
            }
        }
    }
}
