//! What the outside has been told of this connection, so that each thing is told once.

use std::time::Instant;

use super::Session;
use crate::graph::{GraphEvent, Heard, Promotion};
use crate::spare_memory;

/// What has been told to the outside, so that it is told once.
#[derive(Default)]
pub(super) struct Told {
    pub(super) connected: bool,
    pub(super) no_session_manager: bool,
    pub(super) no_device: bool,
    pub(super) ready: bool,
    pub(super) is_default: bool,
    pub(super) latency: Option<(u32, u32)>,
    pub(super) quantum_frames: Option<u32>,
    pub(super) default_sink: Option<String>,
    pub(super) heard: Option<Heard>,
    pub(super) unnoted: bool,
}

impl Session<'_> {
    /// Strikes out what is over, and tells that changes wait for storage, or no longer.
    pub(super) fn tell_notes(&mut self, now: Instant) {
        self.end_change(now);
        let is_late = self.wishes.notes.is_late(now);
        if self.told.unnoted != is_late {
            self.told.unnoted = is_late;
            self.events.send(GraphEvent::Unnoted(is_late));
        }
    }

    /// When to ask [`Session::tell_notes`] again.
    pub(super) fn notes_wake(&self) -> Option<Instant> {
        let late = self.wishes.notes.is_late_from().filter(|_| !self.told.unnoted);
        late.into_iter().chain(self.turning.wake()).min()
    }

    pub(super) fn tell_ready(&mut self, now: Instant) {
        let wants_default = self.wishes.sinks.promotion == Promotion::Promote;
        // Storage that hangs holds up the promotion, and not those who wait for us.
        let is_default = self.told.is_default || self.wishes.notes.is_late(now);
        if self.told.ready || !self.is_linked() || (wants_default && !is_default) {
            return;
        }
        // Whoever waits for it may ask for any sink that is there.
        self.census.told_at = None;
        self.tell_census(now);
        if !self.census.is_whole() {
            return;
        }
        self.told.ready = true;
        // The ports that the links end at are there to stay.
        self.looks.push(now);
        self.look(now);
        self.events.send(GraphEvent::Ready);
        spare_memory::give_back_the_start();
    }
}
