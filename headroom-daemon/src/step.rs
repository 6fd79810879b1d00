//! The only place where policy lives: what has happened goes in, what follows comes out.
//!
//! It does no I/O, asks no clock and knows no thread, so that a test gives inputs and looks at
//! effects. The [`Engine`](crate::engine::Engine) calls it under the lock, and carries the
//! effects to their edges.

use std::time::Instant;

use headroom_ipc::{DaemonChange, Meters, MetersChange, Op, ServerFrame, Shutdown};

use crate::graph::GraphEvent;
use crate::ops::{self, Context};
use crate::state::{DaemonState, Effects, ReadAgain, SeatId, graph_news};

/// Something that has happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A client asks for something.
    Request {
        /// Who.
        seat: SeatId,
        /// What the reply is to carry.
        id: Option<u64>,
        /// What.
        op: &'a Op,
    },
    /// A client has asked for something that needs no state; its reply takes its turn.
    Answered {
        /// Who.
        seat: SeatId,
        /// The reply.
        frame: ServerFrame,
    },
    /// The files of profiles have been read again, because a client asked for it.
    ProfilesRead {
        /// Who.
        seat: SeatId,
        /// What the reply is to carry.
        id: Option<u64>,
        /// What was found.
        read: Vec<ReadAgain>,
    },
    /// hr-graph has news.
    Graph(&'a GraphEvent),
    /// hr-meters has looked at the meters.
    Meters(Meters),
    /// The daemon ends.
    Stop {
        /// Why, in words.
        reason: &'a str,
    },
}

impl DaemonState {
    /// One step; `now` is when.
    pub fn step(&mut self, input: Input<'_>, now: Instant) -> Effects {
        let mut effects = Effects::default();
        match input {
            Input::Answered { seat, frame } => effects.reply = Some((seat, frame)),
            Input::Request { seat, id, .. } | Input::ProfilesRead { seat, id, .. }
                if self.stopping =>
            {
                effects.reply = Some((seat, ServerFrame::error(id, &ops::stopping())));
            }
            Input::Request { seat, id, op } => {
                let context = Context { seat, now };
                if let Some(reply) = ops::answer(self, &context, id, op, &mut effects) {
                    effects.reply = Some((seat, reply));
                } else {
                    effects = Effects { not_yet: true, ..Effects::default() };
                }
            }
            Input::ProfilesRead { seat, id, read } => {
                let profiles = ops::profile::reloaded(&mut self.model, read, &mut effects);
                effects.reply = Some((seat, ServerFrame::reply(id, &profiles)));
            }
            _ if self.stopping => {}
            Input::Graph(event) => graph_news::take(&mut self.model, event, &mut effects),
            Input::Meters(meters) => {
                self.publish(MetersChange::Tick(meters), &mut effects);
            }
            Input::Stop { reason } => {
                self.stopping = true;
                let reason = reason.to_owned();
                self.publish(DaemonChange::Shutdown(Shutdown { reason }), &mut effects);
            }
        }
        effects
    }
}
