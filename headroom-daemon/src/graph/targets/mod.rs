//! Where streams are sent by the metadata, and who sends them.
//!
//! A stream goes to what `target.object` of the `default` metadata says, else to what the app asks
//! for, else to the default sink. Whoever wants a stream elsewhere writes into the same place, so
//! what others had written is kept here and put back when we let the stream go; and who writes
//! there again and again after us wins, because two that move one stream are worse than either.
//!
//! `session::routes` says what the metadata and the links say, and writes what comes out of here.
//! [`target`] is the book of one stream, [`former`] what stands in the metadata of it for the next
//! run, [`course`] what a stream needs to get somewhere, [`contest`] how often it was moved away,
//! [`wish`] where the user wants it. Pure.

mod contest;
mod course;
mod entry;
mod former;
mod target;
mod wish;

use std::collections::BTreeMap;
use std::time::Instant;

use super::model::Model;
use super::said::Wanted;
use super::{Aim, Destination, InsertId};
pub use contest::{Contest, MovedBy};
pub(super) use course::{Around, Course, is_chosen, sink_said};
use course::{course, wanted_sink};
use target::Target;
pub(super) use wish::{Wish, known_wish};

/// Key of where a stream is to go: a serial, or the name of a sink.
pub(super) const OBJECT: &str = "target.object";
/// The older key, an id or a name, which counts where the other is not there. We write what the
/// user wants there: see [`wish`].
const NODE: &str = "target.node";
/// Key under which we leave what others had said of a stream before us, for ourselves after a
/// crash. Others pass over it.
const FORMER: &str = "headroom.former.target";

/// Of how many streams that have gone we remember what the user wanted.
const MOST_GONE: usize = 64;

/// Every stream of an app, by the id of its node.
#[derive(Debug, Default)]
pub(super) struct Targets {
    streams: BTreeMap<u32, Target>,
    /// The sink that the user wanted streams at that have gone, by what WirePlumber remembers them
    /// under: it takes a second to have that on disk.
    gone: BTreeMap<String, String>,
    /// The metadata has been bound, and what a run before us left in it is still to be taken up.
    is_new: bool,
}

/// How a value of the metadata has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It has been there when the metadata was bound.
    Listed,
    /// Somebody has written it just now.
    Written,
}

/// What to write about a stream, in this order.
pub(super) type Writes = Vec<(&'static str, Option<String>)>;

/// What a stream asks for by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asks<'g> {
    /// The sink.
    pub(super) for_sink: &'g Wanted,
    /// Whether it has ports, so that it can be linked.
    pub(super) has_ports: bool,
    /// What WirePlumber remembers it under.
    pub(super) key: Option<&'g str>,
    /// How many channels it has, once that is known.
    pub(super) channels: Option<u32>,
    /// Whether it is not to be moved.
    pub(super) is_fixed: bool,
}

impl Targets {
    /// A stream is there.
    pub(super) fn added(&mut self, id: u32, now: Instant) {
        self.streams.insert(id, Target::new(now));
    }

    /// A node has gone, and its id may be given to another.
    pub(super) fn removed(&mut self, id: u32) {
        let Some(target) = self.streams.remove(&id) else { return };
        let Some(key) = target.key() else { return };
        match target.wished_sink() {
            Some(sink) => {
                if self.gone.len() >= MOST_GONE {
                    self.gone.pop_first();
                }
                self.gone.insert(key.to_owned(), sink.to_owned());
            }
            None => drop(self.gone.remove(key)),
        }
    }

    /// What of all that we have written has not come back yet, if anything: PipeWire tells nobody
    /// of what changes while another client is being told all values.
    pub(super) fn unanswered(&self) -> Option<String> {
        let unanswered = self
            .streams
            .iter()
            .filter_map(|(id, target)| target.unanswered().map(|value| format!("{id} {value}")));
        let all = unanswered.collect::<Vec<_>>();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// Whether we say where a stream goes.
    pub(super) fn is_held(&self, id: u32) -> bool {
        self.streams.get(&id).is_some_and(Target::is_held)
    }

    /// The metadata has gone, and all that it said.
    pub(super) fn metadata_has_gone(&mut self) {
        for target in self.streams.values_mut() {
            target.metadata_has_gone();
        }
    }

    /// The metadata has been bound, perhaps anew, and says what it holds from the beginning.
    pub(super) fn metadata_is_new(&mut self) {
        self.is_new = true;
        for target in self.streams.values_mut() {
            target.metadata_is_new();
        }
    }

    /// Takes a value of the metadata; without a key, all of this stream are cleared. Gives whether
    /// it is news of where others want a stream.
    pub(super) fn take(
        &mut self,
        id: u32,
        key: Option<&str>,
        value: Option<&str>,
        news: News,
        now: Instant,
    ) -> bool {
        self.streams.get_mut(&id).is_some_and(|target| target.take(key, value, news, now))
    }

    /// What the metadata said when it was bound is all there: what a run before us left behind is
    /// ours again, with what others had said before it; and what others have written while we
    /// heard nothing is theirs.
    pub(super) fn take_up(&mut self, now: Instant) {
        if std::mem::take(&mut self.is_new) {
            for target in self.streams.values_mut() {
                target.take_up(now);
            }
        }
    }

    /// Whether a stream that was where we had sent it has gone from there though nothing was heard
    /// of it: then perhaps nothing is heard at all.
    pub(super) fn has_left_unheard(&mut self, id: u32, model: &Model) -> bool {
        self.streams.get_mut(&id).is_some_and(|target| target.has_left_unheard(id, model))
    }

    /// Who moves the stream away from where it is to go, if we have given in.
    pub(super) fn contest(
        &self,
        id: u32,
        asks_for: &Wanted,
        around: Around<'_>,
    ) -> Option<Contest> {
        let wanted = self.wanted_sink(id, asks_for, around.model);
        let of_app = wanted_sink(asks_for, around.model);
        self.streams.get(&id)?.contested_by(wanted, of_app)
    }

    /// Whether the stream is not where it is sent, whatever was tried.
    pub(super) fn is_astray(&self, id: u32) -> bool {
        self.streams.get(&id).is_some_and(Target::is_astray)
    }

    /// The sink that others want the stream to go to, if it is there.
    pub(super) fn wanted_sink<'g>(
        &self,
        id: u32,
        asks_for: &Wanted,
        model: &'g Model,
    ) -> Option<&'g str> {
        let target = self.streams.get(&id)?;
        let theirs = target.theirs();
        if theirs.is_nothing() && asks_for.is_nothing() {
            let sink = target.remembered().and_then(|sink| model.sink_named(sink))?;
            return model.node(sink).map(|node| node.name.as_str());
        }
        wanted_sink(if theirs.is_nothing() { asks_for } else { theirs }, model)
    }

    /// What a stream needs to go where it is to go; without an aim, where it would go without us.
    pub(super) fn course<'g>(
        &mut self,
        id: u32,
        aim: Option<Aim>,
        asks: Asks<'_>,
        around: Around<'g>,
        now: Instant,
    ) -> Course<'g> {
        if let Some(target) = self.streams.get_mut(&id) {
            target.is_about(id, asks.key, around.model, now);
        }
        let wanted = self.wanted_sink(id, asks.for_sink, around.model);
        let Some(target) = self.streams.get_mut(&id) else { return Course::Wait };
        target.aims_at(aim);
        let holds =
            |aim: &Aim| target.may_be_moved() && (aim.is_firm || !is_chosen(wanted, around));
        // Who wants it at our bus means the bus that its channels are for.
        let is_at_bus = wanted == Some(InsertId::Main.node_name());
        let is_moved_on = is_at_bus && target.may_be_moved() && !asks.is_fixed;
        let to = aim.filter(holds).map(|aim| aim.to);
        let course = match to.or(is_moved_on.then_some(Destination::Bus)) {
            Some(to) => course(to, wanted, asks.channels, around),
            None => Course::ByItself,
        };
        let Course::To(name) = course else { return course };
        // Where it goes by itself it is sent only if it does not arrive.
        let is_expected = wanted.or(around.usual_sink()) == Some(name);
        match is_expected && !target.stays_away(id, name, asks.has_ports, around.model, now) {
            true => Course::ByItself,
            false => course,
        }
    }

    /// What to write for that.
    pub(super) fn writes(
        &mut self,
        id: u32,
        course: Course<'_>,
        asks: Asks<'_>,
        around: Around<'_>,
        now: Instant,
    ) -> Writes {
        let model = around.model;
        let of_others = self.wish_of_others(id, asks.key, model);
        let Some(target) = self.streams.get_mut(&id) else { return Writes::new() };
        let mut writes = match course {
            Course::Wait => return Writes::new(),
            Course::ByItself => target.let_go(id, model),
            Course::To(name) => target.hold(id, name, of_others, model, now),
        };
        if writes.is_empty() {
            writes = target.say_again(id, of_others, model);
        }
        if let (true, Course::To(name)) = (writes.is_empty(), course) {
            // Let go it would go there again, and WirePlumber thinks that it is there.
            let aside = around.device.filter(|_| around.usual_sink() == Some(name));
            writes = target.insist(id, asks.has_ports, aside, model, now);
        }
        writes
    }

    /// When to ask [`Targets::writes`] again: the next moment after `now`, for what is due has been
    /// asked.
    pub(super) fn wake(&self, now: Instant) -> Option<Instant> {
        self.streams.values().flat_map(Target::wakes).filter(|at| *at > now).min()
    }

    /// What to write so that all streams go where they would go without us.
    pub(super) fn let_all_go(&mut self, model: &Model) -> Vec<(u32, Writes)> {
        self.streams.iter_mut().map(|(id, target)| (*id, target.let_go(*id, model))).collect()
    }
}

#[cfg(test)]
mod tests;
