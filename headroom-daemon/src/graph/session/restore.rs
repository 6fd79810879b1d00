//! Putting back what a headroomd that was killed has left, without becoming one: no sink is made,
//! nothing is moved that was not moved by us, and then we are gone.
//!
//! `headroomd --restore` runs it. The next start of headroomd does the same by the way, in
//! `default`, `routes` and `volume`.

use std::time::{Duration, Instant};

use pipewire::main_loop::MainLoopRc;

use super::{Connections, Session, Wishes};
use crate::graph::bindings::DeviceBinding;
use crate::graph::mailbox::Mailbox;
use crate::graph::thread::Events;
use crate::graph::{is_ours, session_manager, targets};
use crate::journal::NoteKey;

/// How long all of it may take. Two of them are for a headroomd that is just being killed.
const LONGEST: Duration = Duration::from_secs(4);
/// How long a device may take to say what its volume is.
const VOLUME: Duration = Duration::from_millis(500);

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph) enum Restored {
    /// As far as there is somebody to tell it to. The journal has what is left.
    Done,
    /// WirePlumber is not there, or does not answer.
    NoSessionManager,
    /// A headroomd lives on this graph; nothing was touched.
    IsAlive,
    /// PipeWire has gone.
    Lost,
}

impl<'a> Session<'a> {
    /// Puts back what can be.
    pub(in crate::graph) fn restore(
        main_loop: &'a MainLoopRc,
        connections: Connections,
        wishes: &'a mut Wishes,
        mailbox: &'a Mailbox,
        events: &'a Events,
    ) -> Restored {
        let Ok(mut session) = Session::begin(main_loop, connections, wishes, "", mailbox, events)
        else {
            return Restored::Lost;
        };
        session.leaving = true;
        session.put_back(Instant::now() + LONGEST)
    }

    fn put_back(&mut self, end: Instant) -> Restored {
        self.wait(end, |session| session.is_answered(session.syncs.listing));
        let ours =
            |session: &Session<'_>| session.model.nodes().any(|(_, node)| is_ours(&node.name));
        self.wait(end, |session| !ours(session));
        if self.ended.is_some() {
            return Restored::Lost;
        }
        if ours(self) {
            return Restored::IsAlive;
        }
        if self.metadata.is_none() && session_manager::is_stopped(self.model.pids()) {
            return Restored::NoSessionManager;
        }
        self.wait(end, |session| session.metadata.is_some());
        self.wait(end, |session| session.is_answered(session.syncs.metadata));
        if self.metadata.is_none() || !self.is_answered(self.syncs.metadata) {
            return Restored::NoSessionManager;
        }
        let mut is_back = true;
        if self.wishes.default.was_left_behind() {
            loop {
                is_back = self.give_default_back(Instant::now());
                // Who has left PipeWire while it hung may have left nobody to be told of changes.
                let _ = self.is_read_anew(Instant::now());
                let until = self.hearing.wake().map_or(end, |wake| wake.min(end));
                if is_back || Instant::now() >= end || self.turn(Some(until)).is_some() {
                    break;
                }
            }
        }
        self.wishes.notes.hold();
        self.targets.take_up(Instant::now());
        self.let_routes_go();
        let listened = self.sync();
        self.wait(end, |session| session.is_answered(listened));
        self.store_targets_again();
        self.finish_volumes(end);
        self.is_heard(end);
        match (is_back, self.ended) {
            (_, Some(_)) => Restored::Lost,
            (true, None) => Restored::Done,
            (false, None) => Restored::NoSessionManager,
        }
    }

    /// Has WirePlumber remember again where streams went before us. It only remembers it of a
    /// stream that is there; the others stay in the journal until they are.
    fn store_targets_again(&mut self) {
        let Some(metadata) = &self.metadata else { return };
        let mut done: Vec<String> = Vec::new();
        for (id, key) in self.census.keys() {
            let Some(former) = self.wishes.notes.journal().streams.get(key) else { continue };
            let sink = former.sink.as_deref().and_then(|name| self.model.sink_named(name));
            match (&former.sink, sink.and_then(|sink| self.model.node(sink))) {
                (Some(_), Some(sink)) => {
                    metadata.set_value(id, targets::OBJECT, Some(&sink.serial.to_string()));
                    done.push(key.to_owned());
                }
                (None, _) => done.push(key.to_owned()),
                // Its sink is away.
                (Some(_), None) => {}
            }
        }
        for key in done {
            self.wishes.notes.strike(&NoteKey::Stream(key));
        }
    }

    fn finish_volumes(&mut self, end: Instant) {
        let sinks: Vec<String> = self.wishes.notes.journal().volumes.keys().cloned().collect();
        for id in sinks.iter().filter_map(|name| self.model.sink_named(name)).collect::<Vec<_>>() {
            self.carry.forget_device();
            match DeviceBinding::new(&self.registry, id, &self.notices) {
                Ok(device) => self.device = Some(device),
                Err(error) => {
                    self.trouble("listening to a device", Some(error));
                    continue;
                }
            }
            self.wait(end.min(Instant::now() + VOLUME), |session| session.carry.device().is_some());
            // How its card is told comes right behind.
            let card = self.sync();
            self.wait(end, |session| session.is_answered(card));
            self.finish_volume();
        }
        self.device = None;
    }
}
