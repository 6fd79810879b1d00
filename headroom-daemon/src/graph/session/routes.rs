//! Sends streams where they are to go, and keeps them there.
//!
//! WirePlumber does the moving; it is told by the metadata, and forgets it with its own end. So
//! what is wanted is compared with what the metadata says whenever anything has happened, and only
//! what differs is written: a stream that goes right by itself is never touched.

use std::sync::Arc;
use std::time::Instant;

use super::Session;
use crate::graph::targets::{Around, News, Writes};
use crate::graph::{Aims, Promotion};

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
        // Before sound can flow through us nothing is sent to us; and once we are the default
        // sink, most streams come by themselves.
        let is_early = self.wishes.promotion == Promotion::Promote && !self.told.ready;
        if self.metadata.is_none() || !self.is_linked() || is_early {
            return;
        }
        self.targets.take_up(now);
        let mut all: Vec<(u32, Writes)> = Vec::new();
        for (id, asks_for) in self.census.asks() {
            let Some(node) = self.model.node(id).filter(|node| node.is_stream()) else { continue };
            let aim = self.aims.streams.get(&node.serial).copied();
            let around = Around {
                model: &self.model,
                default_sink: self.wishes.default.actual.as_deref(),
                device: self
                    .device
                    .as_ref()
                    .and_then(|device| Some(self.model.node(device.id)?.name.as_str())),
            };
            let writes = self.targets.writes(id, aim, asks_for, around);
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

    fn write_targets(&self, all: &[(u32, Writes)]) {
        let Some(metadata) = &self.metadata else { return };
        for (id, writes) in all {
            for (key, value) in writes {
                log::debug!("stream {id}: {key} is to be {value:?}");
                metadata.set_value(*id, key, value.as_deref());
            }
        }
    }
}
