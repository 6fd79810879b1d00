//! The state of the daemon: what is so, and who is to be told.
//!
//! [`Model`] is what is so, [`broadcaster`] is who is told when it changes. `step` is what
//! happens to both, `ops` what a request does; the [`Engine`](crate::engine::Engine) holds the
//! lock around all of it. Nothing here does I/O, asks a clock or knows a thread.

mod broadcaster;
pub(crate) mod census;
pub(crate) mod devices;
pub(crate) mod graph_news;
pub(crate) mod identity;
mod model;
mod profiles;
pub(crate) mod routing;
mod warnings;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::Sender;
use headroom_dsp::ChainParams;
use headroom_ipc::{Change, Event, Hello, ServerFrame, Topic, Warning};
use headroom_profile::{Folders, wire};

use broadcaster::Broadcaster;
pub use broadcaster::SeatId;
pub use model::{Gains, Start};
pub(crate) use model::{MAIN_BUS, Model, bus_name};
pub(crate) use profiles::News;
pub use profiles::Stillness;

use crate::graph::{GraphCommand, SinkWish};
use crate::meters::Pace;
use crate::outbox::Doorbell;
use crate::store::Remembered;

/// What follows from a step, in order.
#[derive(Debug, Default)]
pub struct Effects {
    /// What has changed.
    pub events: Vec<Event>,
    /// The reply to the request that this step was about. It comes after the events: what it
    /// says is so.
    pub reply: Option<(SeatId, ServerFrame)>,
    /// What the graph is to do.
    pub commands: Vec<GraphCommand>,
    /// What is to be remembered, where that has changed.
    pub remember: Option<Remembered>,
    /// What the log is to say, once the lock has been dropped.
    pub said: Vec<(log::Level, String)>,
    /// Nothing has been done, because there is no room yet for what must be said before the
    /// reply.
    pub not_yet: bool,
}

/// The state. See the module.
#[derive(Debug)]
pub struct DaemonState {
    pub(crate) model: Model,
    broadcaster: Broadcaster,
    /// Nothing is published any more, and every request is refused.
    pub(crate) stopping: bool,
}

impl DaemonState {
    /// The state at the start, before anything has happened.
    #[must_use]
    pub fn new(start: Start) -> DaemonState {
        DaemonState {
            model: Model::new(start),
            broadcaster: Broadcaster::default(),
            stopping: false,
        }
    }

    /// The same, and what is remembered is in this file.
    #[must_use]
    pub fn remembering_in(mut self, file: PathBuf) -> DaemonState {
        self.model.state_file = Some(file);
        self
    }

    /// What the daemon says of itself.
    #[must_use]
    pub fn hello(&self) -> &Hello {
        self.model.hello()
    }

    /// What the graph starts with.
    #[must_use]
    pub fn chain_params(&self) -> ChainParams {
        self.model.levels.chain_params(self.model.settings().bypass)
    }

    /// What the graph starts with: what is wanted of the default sink and of the device sink.
    #[must_use]
    pub fn sink_wish(&self) -> SinkWish {
        self.model.sink_wish.clone()
    }

    /// The gain that the AGC of the main bus starts from: as far as what is in force lets it have
    /// one.
    #[must_use]
    pub fn agc_gain_db(&self) -> Option<f32> {
        let may = self.chain_params().bus.agc;
        let gain_db = self.model.agc?.for_target(may.target.0);
        may.enabled.then(|| gain_db.clamp(-may.max_cut.0, may.max_boost.0))
    }

    /// Queues what a step gave, in order, and adds the bells of those who are to write.
    pub(crate) fn send(&mut self, effects: Effects, now: Instant, bells: &mut Vec<Arc<Doorbell>>) {
        let from = effects.reply.as_ref().map(|(seat, _)| *seat);
        for event in &effects.events {
            // A loss is said with the number that the last event of the topic had before it.
            let seq = self.daemon_seq();
            self.broadcaster.publish(event, from, seq, now, bells);
        }
        if let Some((seat, frame)) = effects.reply {
            self.broadcaster.answer(seat, frame);
        }
    }

    pub(crate) fn join(&mut self, queue: Sender<ServerFrame>, bell: Arc<Doorbell>) -> SeatId {
        self.broadcaster.join(queue, bell)
    }

    pub(crate) fn leave(&mut self, seat: SeatId) {
        self.broadcaster.leave(seat);
    }

    /// How often to look at the meters: not at all while nobody wants to see them, or nothing
    /// plays.
    pub(crate) fn pace(&self) -> Pace {
        let running = &self.model.running;
        let ticks_hz = if running.is_empty() || self.stopping {
            0.0
        } else {
            self.model.levels.publish_hz().min(self.broadcaster.wanted_hz())
        };
        Pace { ticks_hz, levels: running.iter().any(|insert| insert.is_bus()) }
    }

    /// Where profiles are, for reading them again.
    pub(crate) fn folders(&self) -> Arc<Folders> {
        self.model.profiles.folders().clone()
    }

    /// The name of the profile in force.
    #[must_use]
    pub fn used_profile(&self) -> &str {
        &self.model.profile_state().used
    }

    /// What a person should know about.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.model.daemon().warnings
    }

    /// Says what a connection has lost, as far as there is room.
    pub(crate) fn report_losses(&mut self, seat: SeatId) -> bool {
        let seq = self.daemon_seq();
        self.broadcaster.report_losses(seat, seq)
    }

    pub(crate) fn subscribe(&mut self, seat: SeatId, topics: &[Topic], max_hz: Option<f32>) {
        self.broadcaster.subscribe(seat, topics, max_hz);
    }

    /// Gives the topics that are left, or nothing if losses have to be said first and there is
    /// no room for that.
    pub(crate) fn unsubscribe(&mut self, seat: SeatId, topics: &[Topic]) -> Option<Vec<Topic>> {
        let seq = self.daemon_seq();
        self.broadcaster.unsubscribe(seat, topics, seq)
    }

    pub(crate) fn publish(&mut self, change: impl Into<Change>, effects: &mut Effects) {
        self.model.publish(change, effects);
    }

    fn daemon_seq(&self) -> u64 {
        self.model.mirror.seq(Topic::Daemon).unwrap_or(0)
    }
}
