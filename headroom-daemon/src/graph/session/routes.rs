//! Sends streams where they are to go, and keeps them there.
//!
//! WirePlumber does the moving; it is told by the metadata, and forgets it with its own end. So
//! what is wanted is compared with what the metadata says whenever anything has happened, and only
//! what differs is written: a stream that goes right by itself is never touched.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Session;
use crate::graph::filters;
use crate::graph::targets::{Around, Course, News, Wish, Writes, known_wish};
use crate::graph::{Aims, Promotion};
use crate::journal::{FormerTarget, Note, NoteKey, Noted};

/// How long after we could be the default sink streams are left to come by themselves.
const COMING: Duration = Duration::from_secs(2);

impl Session<'_> {
    /// Where streams are to go from now on.
    pub(super) fn set_aims(&mut self, aims: Arc<Aims>) {
        // Those of an earlier connection are about others.
        if aims.session == self.wishes.session {
            self.aims = aims;
        }
    }

    /// What decides how a stream gets to where it is to go.
    pub(super) fn around(&self) -> Around<'_> {
        Around {
            model: &self.model,
            default_sink: self.wishes.default.actual.as_deref(),
            filter: self.filter_for_the_default(),
            device: self.heard_device_name(),
        }
    }

    /// A value of the metadata is about a stream.
    pub(super) fn take_target(
        &mut self,
        id: u32,
        key: Option<&str>,
        value: Option<&str>,
        now: Instant,
    ) {
        let is_listed = self.is_answered(self.syncs.metadata);
        let news = if is_listed { News::Written } else { News::Listed };
        if self.targets.take(id, key, value, news, now) {
            self.census.changed();
        }
    }

    /// Has every stream go where it is to go.
    pub(super) fn keep_routes(&mut self, now: Instant) {
        // Before sound can flow through us nothing is sent to us.
        if self.metadata.is_none() || !self.is_linked() || self.awaits_default(now) {
            return;
        }
        let filter = filters::for_the_default(self.census.heard(), &self.model);
        let mut all: Vec<(u32, Writes)> = Vec::new();
        for (id, asks) in self.census.asks() {
            let Some(node) = self.model.node(id).filter(|node| node.is_stream()) else { continue };
            let aim = self.aims.streams.get(&node.serial).copied();
            let around = Around {
                model: &self.model,
                default_sink: self.wishes.default.actual.as_deref(),
                filter: filter.filter(|_| self.has_smart_filters),
                device: self
                    .device
                    .as_ref()
                    .and_then(|device| Some(self.model.node(device.id)?.name.as_str())),
            };
            let notes = &mut self.wishes.notes;
            if let Some(key) = asks.key
                && self.targets.has_just_come(id)
                && asks.for_sink.is_nothing()
            {
                let noted =
                    notes.journal().streams.get(key).and_then(|noted| noted.sink.as_deref());
                let stored = self.targets.last_wish(key).or_else(|| self.stored.sink(key));
                let is_new = node.serial > self.first_serial;
                if let Some((sink, by)) = known_wish(noted.filter(|_| is_new), stored) {
                    let sink = sink.to_owned();
                    self.targets.remember(id, &sink, by);
                }
            }
            let course = self.targets.course(id, aim, asks, around, now);
            if let Course::To(_) = course
                && !self.targets.is_held(id)
                && let Some(Wish { key, sink }) = self.targets.wish(id)
                && notes.note(Note::Stream(key, FormerTarget { sink: Some(sink) }), now)
                    == Noted::NotYet
            {
                continue;
            }
            let writes = self.targets.writes(id, course, asks, around, now);
            if !writes.is_empty() {
                all.push((id, writes));
            } else if self.targets.has_left_unheard(id, &self.model) {
                self.hearing.expects(now);
            }
        }
        if !all.is_empty() {
            self.write_targets(&all);
            self.hearing.expects(now);
            self.census.changed();
        }
    }

    /// Lets all of them go where they would be without us.
    pub(super) fn let_routes_go(&mut self) {
        let all = self.targets.let_all_go(&self.model);
        self.write_targets(&all);
    }

    /// While we become the default sink, most streams come by themselves.
    fn awaits_default(&mut self, now: Instant) -> bool {
        if self.wishes.sinks.promotion != Promotion::Promote || self.told.ready {
            return false;
        }
        now < *self.coming_until.get_or_insert(now + COMING)
    }

    /// When to ask [`Session::keep_routes`] again.
    pub(super) fn routes_wake(&self, now: Instant) -> Option<Instant> {
        let coming = self.coming_until.filter(|_| !self.told.ready);
        coming.filter(|until| *until > now).into_iter().chain(self.targets.wake(now)).min()
    }

    /// A stream goes, and what the user wants of it stays.
    pub(super) fn stream_goes(&mut self, id: u32) {
        let wish = self.targets.wish(id).filter(|_| self.targets.has_kept(id, &self.model));
        self.targets.removed(id);
        self.strike(wish);
    }

    /// Strikes out what is safe without the journal.
    fn strike(&mut self, wish: Option<Wish>) {
        if let Some(wish) = wish.filter(|wish| self.targets.is_safe(wish, &self.model)) {
            self.wishes.notes.strike(&NoteKey::Stream(wish.key));
        }
    }

    fn write_targets(&mut self, all: &[(u32, Writes)]) {
        for (id, _) in all {
            let wish = self.targets.wish(*id);
            self.strike(wish);
        }
        let Some(metadata) = &self.metadata else { return };
        for (id, writes) in all {
            for (key, value) in writes {
                log::debug!("stream {id}: {key} is to be {value:?}");
                metadata.set_value(*id, key, value.as_deref());
            }
        }
    }
}
