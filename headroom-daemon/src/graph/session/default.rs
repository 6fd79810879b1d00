//! The default sink: becomes it where that is wished, gives it back, and says who it is.

use std::time::Instant;

use super::Session;
use crate::graph::default_sink::{self, Devices};
use crate::graph::promoting::Next;
use crate::graph::said::capped;
use crate::graph::{GraphEvent, InsertId, Promotion, SinkWish, is_ours};
use crate::journal::{NoteKey, Noted};

/// The former default has been asked for, or none where there was none.
#[derive(Debug, Clone, Copy)]
pub(super) struct GivingBack;

impl Session<'_> {
    /// Whether the metadata has been bound anew for its values, which come later.
    pub(super) fn is_read_anew(&mut self, now: Instant) -> bool {
        let Some(id) = self.metadata.as_ref().map(|metadata| metadata.id) else { return false };
        if self.hearing.must_read(now) {
            log::debug!("reading the metadata anew");
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

    /// Where there is a sink, WirePlumber makes one the default within moments of its start, and what
    /// we have written of a stream comes back. PipeWire does not tell us so while another client is
    /// being told the metadata's values.
    pub(super) fn expect_a_default(&mut self, now: Instant) {
        let is_unknown = self.wishes.default.actual.is_none();
        if is_unknown && self.model.sinks().any(|(_, node)| !is_ours(&node.name)) {
            self.hearing.expects(now);
        }
        let default = &self.wishes.default;
        let is_owed = self.giving_back.is_some()
            || self.promoting.awaits_an_answer()
            || default.configured.as_deref().is_some_and(|name| {
                default.actual.as_deref() != Some(name) && self.model.sink_named(name).is_some()
            });
        let values = || format!("{:?} {:?}", default.configured, default.actual);
        let values = is_owed.then(values).into_iter().chain(self.targets.unanswered());
        let values = values.reduce(|all, more| format!("{all}, {more}"));
        self.hearing.is_owed(values, now);
    }

    /// What is wanted of the default sink and of the device sink from now on.
    pub(super) fn set_sink_wish(&mut self, wish: SinkWish) {
        let promotes = wish.promotion == Promotion::Promote
            && self.wishes.sinks.promotion != Promotion::Promote;
        // The default as it is now is the one to give back.
        if promotes && self.metadata.is_some() && self.wishes.default.actual.is_some() {
            self.hearing.relied_on(Instant::now());
        }
        self.wishes.sinks = wish;
        if self.sent_by_others.take().is_some() {
            // Who says which device it is to be means it, wherever the master was moved by hand.
            self.pinned = None;
        }
    }

    /// The default sink is who it shall be, as far as that is ours to say.
    pub(super) fn keep_default(&mut self, now: Instant) {
        self.keep_standings(now);
        match self.wishes.sinks.promotion {
            Promotion::Promote => self.promote(now),
            // Also what a run that was killed has left: without the wish we must not become the
            // default by it.
            Promotion::Leave if self.has_default_to_give_back() => {
                self.give_default_back(now);
            }
            Promotion::Leave => {}
        }
    }

    /// Whether the default is ours by our doing, may have been, or was about to be: as long as it is
    /// noted what it was before, the default or a word of ours about it may be there.
    pub(super) fn has_default_to_give_back(&self) -> bool {
        self.wishes.default.was_left_behind()
            || self.promoting.has_a_hand_in_it()
            || self.giving_back.is_some()
            || self.wishes.notes.journal().former_default.is_some()
    }

    fn promote(&mut self, now: Instant) {
        if !self.is_linked() {
            return;
        }
        let default = &self.wishes.default;
        let is_ours = default.configured.as_deref() == Some(InsertId::Main.node_name());
        match self.promoting.next(self.wishes.sinks.asked, is_ours, now) {
            Next::Rest => {}
            Next::Ask => self.ask_for_default(is_ours, now),
            Next::AskAgain => {
                let chosen = default.configured.as_deref();
                log::info!("another default sink was set: {}", chosen.unwrap_or("none"));
                if chosen.is_some() && chosen != self.wishes.sinks.preferred.as_deref() {
                    // Who chooses in the panel of the desktop means what they hear.
                    if self.wishes.sinks.preferred.take().is_some() {
                        self.events.send(GraphEvent::PreferenceOverruled);
                    }
                }
                self.ask_for_default(is_ours, now);
            }
            Next::GiveIn => {
                self.default_is_given_back();
                self.events.send(GraphEvent::PromotionContested);
            }
        }
    }

    fn ask_for_default(&mut self, is_ours: bool, now: Instant) {
        let is_noted = self.wishes.notes.journal().former_default.is_some();
        if is_ours && !is_noted && self.wishes.default.former_configured().is_none() {
            self.stored.former_default().into_iter().for_each(|name| {
                self.wishes.default.came_after(name);
            });
        }
        let Some(metadata) = &self.metadata else { return };
        let default = &self.wishes.default;
        match self.wishes.notes.note(default.note(), now) {
            Noted::NotYet => return,
            Noted::Cannot => return self.refuse_promotion(),
            Noted::Yes if !self.stands_asked_for() => return,
            Noted::Yes => {}
        }
        let former = default.former_configured().unwrap_or_default();
        metadata.set_graph_value(default_sink::FORMER, Some(&default_sink::value_of(former)));
        if !is_ours {
            let ours = default_sink::value_of(InsertId::Main.node_name());
            metadata.set_graph_value(default_sink::CONFIGURED, Some(&ours));
            self.hearing.expects(now);
        }
        self.giving_back = None;
        self.promoting.has_asked(is_ours);
        self.wishes.default.is_not_left_behind();
    }

    /// Without a note nobody could give the default back after a crash: it is left as it is.
    fn refuse_promotion(&mut self) {
        self.wishes.sinks.promotion = Promotion::Leave;
        self.wishes.notes.strike(&NoteKey::FormerDefault);
        self.events.send(GraphEvent::PromotionRefused);
    }

    /// Does the next thing that is missing until the default is the former one again. Gives
    /// whether it is.
    pub(super) fn give_default_back(&mut self, now: Instant) -> bool {
        if !self.stand_as_wished() {
            return false;
        }
        let Some(metadata) = &self.metadata else { return false };
        let default = &self.wishes.default;
        // What we have asked for counts, though nothing was heard of it yet.
        let is_asked_for =
            default.configured.as_deref().is_some_and(is_ours) || self.promoting.awaits_an_answer();
        let is_ours = default.actual.as_deref().is_some_and(is_ours);
        match self.giving_back {
            // Ours is passed over from now on (`standing`), whoever else is there or not.
            None if is_asked_for => {
                let former = default.former_configured().map(default_sink::value_of);
                metadata.set_graph_value(default_sink::CONFIGURED, former.as_deref());
                self.hearing.expects(now);
                self.giving_back = Some(GivingBack);
                self.promoting.lets_go();
                false
            }
            Some(GivingBack) if is_asked_for => false,
            // Nobody else is there.
            Some(GivingBack) if is_ours && Devices::of(&self.model).best().is_some() => false,
            Some(GivingBack) => {
                self.default_is_given_back();
                true
            }
            // What WirePlumber has stored it says before it comes to a default.
            None if default.actual.is_none() => false,
            // Somebody else's default stands.
            None => {
                self.default_is_given_back();
                true
            }
        }
    }

    /// The last words to a WirePlumber that does not answer: it will find them when it goes on. The
    /// note stays for the next start, as nobody knows whether they are ever read.
    pub(super) fn give_default_back_unheard(&mut self) {
        if let (Some(metadata), Some(GivingBack)) = (&self.metadata, self.giving_back) {
            metadata.set_graph_value(default_sink::FORMER, None);
        }
    }

    fn default_is_given_back(&mut self) {
        if let Some(metadata) = &self.metadata {
            metadata.set_graph_value(default_sink::FORMER, None);
        }
        self.giving_back = None;
        self.promoting.lets_go();
        self.wishes.default.is_not_left_behind();
        self.wishes.notes.strike(&NoteKey::FormerDefault);
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
