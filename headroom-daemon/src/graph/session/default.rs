//! The default sink: becomes it where that is wished, and says who it is.

use std::time::Instant;

use super::Session;
use crate::graph::said::capped;
use crate::graph::{GraphEvent, InsertId, Promotion, default_sink, is_ours};
use crate::journal::{NoteKey, Noted};

impl Session<'_> {
    /// Whether the metadata has been bound anew for its values, which come later.
    pub(super) fn is_read_anew(&mut self, now: Instant) -> bool {
        let Some(id) = self.metadata.as_ref().map(|metadata| metadata.id) else { return false };
        if self.hearing.must_read(now) {
            log::debug!("the metadata tells us of no change: reading it anew");
            self.bind_metadata(id);
            // What was heard before holds until the first value comes. Where none does, WirePlumber
            // hangs: what has been written is not done yet, and would only be written again.
            self.reading_anew = true;
        }
        self.reading_anew
    }

    /// The first of the values comes that the metadata was bound anew for.
    pub(super) fn is_answered_anew(&mut self) {
        if std::mem::take(&mut self.reading_anew) {
            self.wishes.default.forget_current();
            self.targets.metadata_is_new();
            // Those that come with it are no news.
            self.syncs.metadata = self.sync();
        }
    }

    /// Where there is a sink, WirePlumber makes one the default within moments of its start. PipeWire
    /// does not tell us so while another client is being told the metadata's values.
    pub(super) fn expect_a_default(&mut self, now: Instant) {
        let is_unknown = self.wishes.default.actual.is_none();
        if is_unknown && self.model.sinks().any(|(_, node)| !is_ours(&node.name)) {
            self.hearing.expects(now);
        }
    }

    /// A run that was to be the default and was killed leaves our name as the configured
    /// default. Without `--promote` we must not become the default by it.
    pub(super) fn take_up_what_was_left_behind(&mut self) {
        let default = &self.wishes.default;
        if self.wishes.promotion == Promotion::Leave
            && default.was_left_behind()
            && let Some(metadata) = &self.metadata
        {
            if default.configured.as_deref().is_some_and(is_ours) {
                let former = default.former_configured().map(default_sink::value_of);
                metadata.set_graph_value(default_sink::CONFIGURED, former.as_deref());
            }
            metadata.set_graph_value(default_sink::FORMER, None);
            self.wishes.default.is_not_left_behind();
            self.wishes.notes.strike(&NoteKey::FormerDefault);
        }
    }

    pub(super) fn promote(&mut self, now: Instant) {
        let (Some(metadata), true) = (&self.metadata, self.is_linked()) else { return };
        if self.wishes.promotion == Promotion::Leave || self.promoting {
            return;
        }
        if self.wishes.notes.note(self.wishes.default.note(), now) == Noted::NotYet {
            return;
        }
        self.promoting = true;
        self.wishes.default.is_not_left_behind();
        let former = self.wishes.default.former_configured().unwrap_or_default();
        metadata.set_graph_value(default_sink::FORMER, Some(&default_sink::value_of(former)));
        let ours = default_sink::value_of(InsertId::Main.node_name());
        metadata.set_graph_value(default_sink::CONFIGURED, Some(&ours));
        self.hearing.expects(now);
    }

    fn is_default(&self) -> bool {
        self.main.is_some()
            && self.wishes.default.actual.as_deref() == Some(InsertId::Main.node_name())
    }

    /// Tells which sink is the default, once the metadata has said so.
    pub(super) fn tell_default(&mut self) {
        if self.metadata.is_some() && !self.is_answered(self.syncs.metadata) {
            return;
        }
        let actual = &self.wishes.default.actual;
        if self.told.default_sink != *actual {
            self.told.default_sink.clone_from(actual);
            self.events.send(GraphEvent::DefaultSink(actual.as_deref().map(capped)));
        }
    }

    pub(super) fn follow_default(&mut self) {
        let is_default = self.is_default();
        if is_default == self.told.is_default {
            return;
        }
        self.told.is_default = is_default;
        let default = &self.wishes.default;
        if is_default {
            let former = default.former().map(str::to_owned);
            self.events.send(GraphEvent::Promoted { former });
        } else if default.actual.is_some() {
            let now_default = default.actual.clone();
            self.events.send(GraphEvent::Demoted { now: now_default });
        } else {
            // WirePlumber is away, and will say who is the default.
            self.told.is_default = true;
        }
    }
}
