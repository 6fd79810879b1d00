//! Which of our sinks WirePlumber may make the default: the main bus while that is wished, and who
//! the listener has asked for.

use std::time::Instant;

use super::Session;
use super::inserts::Live;
use crate::graph::default_sink;
use crate::graph::standing::Standing;
use crate::graph::{InsertId, Promotion};

impl Session<'_> {
    /// How a sink of ours is to stand.
    pub(super) fn standing_of(&self, insert: InsertId) -> Standing {
        let default = &self.wishes.default;
        // WirePlumber may remember it, and come to it before we have asked.
        let is_noted = self.promoting.has_a_hand_in_it() || self.wishes.notes.has_former_default();
        let is_wished = insert == InsertId::Main
            && self.wishes.sinks.promotion == Promotion::Promote
            && is_noted
            && !self.promoting.has_given_in();
        // Who chooses it in the panel of the desktop has it; what is being given back is no choice.
        let is_chosen = default.configured.as_deref() == Some(insert.node_name())
            && !default.was_left_behind()
            && self.giving_back.is_none()
            && !self.promoting.has_a_hand_in_it();
        match is_wished || is_chosen {
            true if !self.leaving => Standing::AskedFor,
            _ => Standing::Unasked,
        }
    }

    /// Has all of them stand as they are to.
    pub(super) fn keep_standings(&mut self, now: Instant) {
        for insert in InsertId::ALL {
            let standing = self.standing_of(insert);
            let Some(live) = self.live_mut(insert) else { continue };
            if live.standing == standing || live.streams.sink_id().is_none() {
                continue;
            }
            if live.streams.set_standing(standing) {
                // What is said of the default goes another way, and must not come first.
                self.syncs.standings = self.connections.sound.sync(0).ok().map(|asked| asked.seq());
                // Of the others it says nothing how they stand.
                if self.wishes.default.configured.as_deref() == Some(insert.node_name()) {
                    self.to_ask_once_more = standing == Standing::AskedFor;
                }
            }
            // What cannot be done now cannot be done by trying again at every turn.
            if let Some(live) = self.live_mut(insert) {
                live.standing = standing;
            }
        }
        self.ask_once_more(now);
    }

    /// Whether PipeWire knows that the main bus is asked for.
    pub(super) fn stands_asked_for(&self) -> bool {
        let is_asked_for = |main: &Live| main.standing == Standing::AskedFor;
        self.stand_as_wished() && self.main.as_ref().is_some_and(is_asked_for)
    }

    /// Whether PipeWire knows how they stand. Who leaves does not wait for ever: they go anyway.
    pub(super) fn stand_as_wished(&self) -> bool {
        self.leaving || self.syncs.standings.is_none()
    }

    /// PipeWire has answered on the connection of the inserts.
    pub(super) fn standings_are_known(&mut self, answered: i32) {
        if self.syncs.standings.is_some_and(|asked| answered >= asked) {
            self.syncs.standings = None;
        }
    }

    /// WirePlumber has passed over a sink that was asked for because it stood low, and does not think
    /// of it again by itself.
    fn ask_once_more(&mut self, now: Instant) {
        if !self.to_ask_once_more || !self.stand_as_wished() {
            return;
        }
        self.to_ask_once_more = false;
        if let (Some(metadata), Some(value)) =
            (&self.metadata, self.wishes.default.asked_for_once_more())
        {
            metadata.set_graph_value(default_sink::CONFIGURED, Some(&value));
            self.hearing.expects(now);
        }
    }
}
