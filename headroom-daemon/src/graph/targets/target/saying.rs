//! What is written of one stream: to send it somewhere, to insist on it, and to let it go.

use std::time::Instant;

use super::{ARRIVAL, ASTRAY, LINKING, STEP_BACK, Target};
use crate::graph::model::Model;
use crate::graph::said::Wanted;
use crate::graph::targets::contest::MovedBy;
use crate::graph::targets::course::wanted_sink;
use crate::graph::targets::former::Former;
use crate::graph::targets::{FORMER, NODE, OBJECT, Writes};

impl Target {
    /// What to write so that it goes to this sink. `of_others` is the sink that the user wants
    /// others at that are remembered under the same key.
    pub(in crate::graph::targets) fn hold(
        &mut self,
        id: u32,
        name: &str,
        of_others: Option<u32>,
        model: &Model,
        now: Instant,
    ) -> Writes {
        let mut writes = Writes::new();
        if self.steps_back.is_some_and(|until| now < until) {
            return writes;
        }
        self.steps_back = None;
        // Nobody does what we write (WirePlumber hangs, perhaps): what is to be by then is written
        // then.
        if self.object.is_full() {
            return writes;
        }
        let is_move = self.object.in_force() != Some(name);
        let wished = self.wished_sink();
        let wish = wished.and_then(|sink| model.sink_named(sink)).or(of_others);
        let shadow = match wish {
            Some(sink) => Some(sink.to_string()),
            // Its sink is away, and it is remembered as long as nothing is written.
            None if wished.is_some() && !is_move => self.shadow.clone(),
            None => None,
        };
        let former = Former::of(&self.theirs, name, shadow.as_deref()).to_value();
        if self.former.as_ref() != Some(&former) {
            writes.push((FORMER, Some(former.clone())));
            self.former = Some(former);
        }
        self.object.write(OBJECT, Some(name), &mut writes);
        if is_move || shadow != self.shadow {
            match &shadow {
                Some(sink) => self.node.write_anew(NODE, sink, &mut writes),
                None => self.node.write(NODE, self.theirs.node.as_deref(), &mut writes),
            }
            self.shadow = shadow;
            self.is_unheard |= wish.is_some_and(|sink| !is_known(id, sink, model));
        }
        if self.ours.as_deref() != Some(name) {
            // Where it was sent before says nothing of where it is sent now.
            self.has_arrived = false;
            (self.due, self.is_astray) = (None, false);
            self.ours = Some(name.to_owned());
        }
        writes
    }

    /// Whether it has not come to the sink of this name, where it goes by itself, in the time that it
    /// may take.
    pub(in crate::graph::targets) fn stays_away(
        &mut self,
        id: u32,
        name: &str,
        has_ports: bool,
        model: &Model,
        now: Instant,
    ) -> bool {
        let is_linked = model.linked_from(id).next().is_some();
        let sink = model.sink_named(name);
        let is_there = sink.is_none() || model.linked_from(id).any(|to| Some(to) == sink);
        if is_there || !(has_ports || is_linked) {
            self.awaited_by = None;
            return false;
        }
        let patience = if is_linked { ARRIVAL } else { LINKING };
        now >= *self.awaited_by.get_or_insert(now + patience)
    }

    /// What to write because it is not linked to where the metadata says that it goes. In between it
    /// is sent to the sink `aside`, or let go.
    pub(in crate::graph::targets) fn insist(
        &mut self,
        id: u32,
        has_ports: bool,
        aside: Option<&str>,
        model: &Model,
        now: Instant,
    ) -> Writes {
        let mut writes = Writes::new();
        let name = self.ours.as_deref().unwrap_or_default();
        let sink = model.sink_named(name);
        if sink.is_none() || model.linked_from(id).any(|to| Some(to) == sink) {
            (self.due, self.is_astray) = (None, false);
            return writes;
        }
        // While WirePlumber has not said back what we wrote, it does nothing else either.
        let is_told = self.object.is_settled() && self.object.value().as_deref() == Some(name);
        let is_linked = model.linked_from(id).next().is_some();
        if !is_told || !(has_ports || is_linked) {
            self.due = None;
            return writes;
        }
        let patience = match is_linked {
            true => ARRIVAL,
            false if self.is_astray => ASTRAY,
            false => LINKING,
        };
        if now < *self.due.get_or_insert(now + patience) {
            return writes;
        }
        self.due = None;
        if !self.tries.count(now) {
            self.object.write(OBJECT, aside, &mut writes);
            self.steps_back = Some(now + STEP_BACK);
            return writes;
        }
        match model.sink_that_is_linked(id) {
            Some((link, sink)) => {
                let who = model.client_name(link.client);
                self.tries.give_in(MovedBy::Links, who.map(str::to_owned), Some(sink.to_owned()));
                self.let_go(id, model)
            }
            None => {
                self.is_astray = true;
                self.due = Some(now + ASTRAY);
                writes
            }
        }
    }

    /// When to ask again whether it has arrived.
    pub(in crate::graph::targets) fn wakes(&self) -> impl Iterator<Item = Instant> {
        let times = [self.due, self.steps_back, self.awaited_by, self.awaits_word()];
        times.into_iter().flatten()
    }

    /// What to write so that it goes where it would go without us.
    pub(in crate::graph::targets) fn let_go(&mut self, id: u32, model: &Model) -> Writes {
        let mut writes = Writes::new();
        (self.due, self.is_astray, self.steps_back) = (None, false, None);
        let is_held = self.ours.take().is_some();
        let wished = self.wished_sink().and_then(|sink| model.sink_named(sink));
        let meant = wished.or_else(|| model.sink_named(wanted_sink(&self.theirs, model)?));
        let serial = || Some(model.node(meant?)?.serial.to_string());
        let is_to_be_said = self.is_to_be_said && self.remembered.is_some() && wished.is_some();
        if is_held || (self.theirs.is_nothing() && is_to_be_said) {
            // WirePlumber remembers what it is told by serial under this key: with that, what it
            // has forgotten when we wrote is there again.
            let value = match &self.theirs {
                Wanted { object: Some(object), .. } if self.wished.is_none() => {
                    Some(object.clone())
                }
                Wanted { object, .. } => serial().or(object.clone()),
            };
            if self.shadow.take().is_some() {
                self.node.write(NODE, self.theirs.node.as_deref(), &mut writes);
            }
            self.object.write(OBJECT, value.as_deref(), &mut writes);
            if value.is_some() {
                self.is_unheard |= meant.is_some_and(|sink| !is_known(id, sink, model));
                self.remembered = None;
            }
            self.theirs.object = value;
        } else if self.shadow.take().is_some() {
            // Others have moved it and that is remembered; so is what stands here.
            let value = wished.map(|id| id.to_string()).or(self.theirs.node.clone());
            self.node.write(NODE, value.as_deref(), &mut writes);
            self.theirs.node = value;
        }
        if self.former.take().is_some() {
            writes.push((FORMER, None));
        }
        writes
    }

    /// What to write so that WirePlumber remembers what it has perhaps not heard.
    pub(in crate::graph::targets) fn say_again(
        &mut self,
        id: u32,
        of_others: Option<u32>,
        model: &Model,
    ) -> Writes {
        let mut writes = Writes::new();
        let wished = self.wished_sink().and_then(|sink| model.sink_named(sink));
        let sink = wished.or(of_others.filter(|_| self.is_held()));
        if let Some(sink) = sink.filter(|sink| self.is_unheard && is_known(id, *sink, model)) {
            let sink = sink.to_string();
            self.is_unheard = false;
            self.node.write_anew(NODE, &sink, &mut writes);
            let said = if self.is_held() { &mut self.shadow } else { &mut self.theirs.node };
            *said = Some(sink);
        }
        writes
    }
}

/// Whether WirePlumber knows both by now: it has linked the stream, and has given the sink its ports.
/// What is said before that moves the stream all the same, and is not remembered.
fn is_known(stream: u32, sink: u32, model: &Model) -> bool {
    model.linked_from(stream).next().is_some() && model.has_ports(sink)
}
