//! One headroomd to a graph: whoever finds another one there yields.

use std::time::{Duration, Instant};

use super::{Outcome, Session};
use crate::graph::{GraphEvent, is_ours};

/// How long a headroomd that is being killed may leave its nodes behind.
const LEAVING: Duration = Duration::from_secs(2);

impl Session<'_> {
    /// Whether another headroomd has our names. One that is just being killed is waited for;
    /// of two that start at once the later one yields.
    pub(super) fn is_refused(&mut self, now: Instant) -> bool {
        let mine: Vec<u32> = self.lives().filter_map(|live| live.streams.sink_id()).collect();
        if mine.len() < self.lives().count() {
            return false;
        }
        let my_serial =
            mine.iter().filter_map(|id| self.model.node(*id)).map(|node| node.serial).min();
        let other = self.model.nodes().find(|(id, node)| {
            is_ours(&node.name)
                && !mine.contains(id)
                // What this one has taken out PipeWire may not have removed yet.
                && self.model.pid_of(node) != Some(std::process::id())
                && my_serial.is_none_or(|serial| node.serial < serial)
        });
        let Some((_, other)) = other else {
            self.conflict_since = None;
            return false;
        };
        let since = *self.conflict_since.get_or_insert(now);
        if now.duration_since(since) >= LEAVING {
            let pid = self.model.pid_of(other);
            self.events.send(GraphEvent::AlreadyRunning { pid });
            self.ended = Some(Outcome::Refused);
        }
        true
    }

    pub(super) fn conflict_end(&self) -> Option<Instant> {
        Some(self.conflict_since? + LEAVING)
    }
}
