//! Where streams are sent: by others, by the app itself, and by us.
//!
//! WirePlumber links a stream to what the metadata says of it, else to what the app asks for, else
//! to the default sink. Whoever wants a stream elsewhere writes into the same place, so what
//! others had written is kept here and put back when we let the stream go; and who writes there
//! again and again after us wins, because two that move one stream are worse than either.
//!
//! `session` says what the metadata says and writes what comes out of here. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::model::Model;
use super::said::{Wanted, capped};
use super::{Aim, Destination, InsertId, is_ours};

/// Key of where a stream is to go: a serial, or the name of a sink.
pub(super) const OBJECT: &str = "target.object";
/// The older key, which WirePlumber 0.4 writes: an id.
const NODE: &str = "target.node";
/// Key under which we leave what others had said of a stream before us, for ourselves after a
/// crash. Others pass over it.
const FORMER: &str = "headroom.former.target";
/// Value for no sink in particular.
const NOWHERE: &str = "-1";

/// How often a stream that others move is moved back within [`MEMORY`].
const MOST_TRIES: usize = 3;
const MEMORY: Duration = Duration::from_secs(10);
/// For so long after its start, what is written of a stream is what WirePlumber remembers of it.
const YOUNG: Duration = Duration::from_secs(1);
/// The most writes of ours for one stream that have not come back yet.
const MOST_PENDING: usize = 8;

/// Every stream of an app, by the id of its node.
#[derive(Debug, Default)]
pub(super) struct Targets {
    streams: BTreeMap<u32, Target>,
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

#[derive(Debug)]
struct Target {
    since: Instant,
    /// What others say.
    theirs: Wanted,
    /// The value of [`OBJECT`], as it was last heard.
    object: Option<String>,
    /// The value of [`FORMER`], as it was last heard or written.
    former: Option<String>,
    /// What we have written last, while it holds.
    ours: Option<String>,
    /// What we have written and not heard yet.
    pending: Vec<Option<String>>,
    /// What the metadata must have said when it was bound anew, if nobody else had written.
    expected: Option<String>,
    /// Whether it was linked to where we have sent it.
    has_arrived: bool,
    /// The aim that `tries` and `is_contested` are about.
    aim: Option<Aim>,
    tries: Vec<Instant>,
    is_contested: bool,
}

/// What to write about a stream, in this order.
pub(super) type Writes = Vec<(&'static str, Option<String>)>;

/// What must be known of the graph to send a stream somewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'g> {
    /// Every sink that there is.
    pub(super) model: &'g Model,
    /// The default sink.
    pub(super) default_sink: Option<&'g str>,
    /// The device sink that is heard.
    pub(super) device: Option<&'g str>,
}

/// The value that a stream is to have.
#[derive(Debug, PartialEq, Eq)]
enum Key<'g> {
    /// That of others, or none: it goes there by itself.
    Theirs,
    /// The name of this sink.
    Name(&'g str),
    /// There is nowhere to send it yet.
    Wait,
}

impl Targets {
    /// A stream is there.
    pub(super) fn added(&mut self, id: u32, now: Instant) {
        self.streams.insert(
            id,
            Target {
                since: now,
                theirs: Wanted::default(),
                object: None,
                former: None,
                ours: None,
                pending: Vec::new(),
                expected: None,
                has_arrived: false,
                aim: None,
                tries: Vec::new(),
                is_contested: false,
            },
        );
    }

    /// A node has gone, and its id may be given to another.
    pub(super) fn removed(&mut self, id: u32) {
        self.streams.remove(&id);
    }

    /// The metadata has gone, and all that it said.
    pub(super) fn metadata_has_gone(&mut self) {
        for target in self.streams.values_mut() {
            (target.ours, target.expected) = (None, None);
            // That who keeps it starts again is nobody's move.
            target.tries.clear();
            target.forget();
        }
    }

    /// The metadata has been bound, perhaps anew, and says what it holds from the beginning.
    pub(super) fn metadata_is_new(&mut self) {
        self.is_new = true;
        for target in self.streams.values_mut() {
            target.expected = target.ours.take();
            target.forget();
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
        let Some(target) = self.streams.get_mut(&id) else { return false };
        let value = value.map(capped);
        let before = (target.theirs.clone(), target.is_contested);
        match key {
            Some(OBJECT) => target.take_object(value, news, now),
            Some(NODE) => target.theirs.node = value,
            Some(FORMER) => target.former = value,
            Some(_) => {}
            None => {
                target.theirs.node = None;
                target.former = None;
                target.take_object(None, news, now);
            }
        }
        before != (target.theirs.clone(), target.is_contested)
    }

    /// What the metadata said when it was bound is all there: what a run before us left behind is
    /// ours again, with what others had said before it, and what others have written while we
    /// heard nothing is theirs.
    pub(super) fn take_up(&mut self, now: Instant) {
        if !std::mem::take(&mut self.is_new) {
            return;
        }
        for target in self.streams.values_mut() {
            let expected = target.expected.take();
            let Some(former) = &target.former else { continue };
            if expected.is_some() && expected != target.object {
                target.theirs.object.clone_from(&target.object);
                target.was_moved(now);
            } else {
                target.theirs = read_former(former);
                target.ours = Some(target.object.clone().unwrap_or_default());
            }
        }
    }

    /// Whether a stream that was where we had sent it has gone from there though nothing was heard
    /// of it: then perhaps nothing is heard at all.
    pub(super) fn has_left_unheard(&mut self, id: u32, model: &Model) -> bool {
        let Some(target) = self.streams.get_mut(&id) else { return false };
        let Some(sink) = target.ours.as_deref().and_then(|name| model.sink_named(name)) else {
            target.has_arrived = false;
            return false;
        };
        let mut linked = model.linked_from(id).peekable();
        let is_linked = linked.peek().is_some();
        let is_there = linked.any(|to| to == sink);
        let has_left = target.has_arrived && is_linked && !is_there && target.pending.is_empty();
        target.has_arrived = is_there || (target.has_arrived && !has_left);
        has_left
    }

    /// Whether others move the stream away from where it is to go, and we have given in.
    pub(super) fn is_contested(&self, id: u32) -> bool {
        self.streams.get(&id).is_some_and(|target| target.is_contested)
    }

    /// The sink that others want the stream to go to, if it is there.
    pub(super) fn wanted_sink<'g>(
        &self,
        id: u32,
        asks_for: &Wanted,
        model: &'g Model,
    ) -> Option<&'g str> {
        let theirs = &self.streams.get(&id)?.theirs;
        let said = [&theirs.object, &theirs.node].into_iter().any(Option::is_some);
        wanted_sink(if said { theirs } else { asks_for }, model)
    }

    /// What to write so that the stream goes where it is to go; without an aim, where it would go
    /// without us.
    pub(super) fn writes(
        &mut self,
        id: u32,
        aim: Option<Aim>,
        asks_for: &Wanted,
        around: Around<'_>,
    ) -> Writes {
        let wanted = self.wanted_sink(id, asks_for, around.model);
        let Some(target) = self.streams.get_mut(&id) else { return Writes::new() };
        if target.aim != aim {
            target.aim = aim;
            target.tries.clear();
            target.is_contested = false;
        }
        let holds = |aim: &Aim| !target.is_contested && (aim.is_firm || !is_chosen(wanted, around));
        let key = match aim.filter(holds) {
            Some(aim) => key(aim.to, wanted, around),
            None => Key::Theirs,
        };
        match key {
            Key::Theirs => target.let_go(around.model),
            Key::Name(name) => target.hold(name),
            Key::Wait => Writes::new(),
        }
    }

    /// What to write so that all streams go where they would go without us.
    pub(super) fn let_all_go(&mut self, model: &Model) -> Vec<(u32, Writes)> {
        self.streams.iter_mut().map(|(id, target)| (*id, target.let_go(model))).collect()
    }
}

impl Target {
    fn take_object(&mut self, value: Option<String>, news: News, now: Instant) {
        self.object.clone_from(&value);
        if let Some(own) = self.pending.iter().position(|written| *written == value) {
            self.pending.drain(..=own);
            return;
        }
        // Whoever says what we say moves it nowhere; it may be what we had written twice.
        if value.is_some() && value == self.ours {
            return;
        }
        self.theirs.object = value;
        // Whatever of ours is still under way came before theirs.
        self.pending.clear();
        self.ours = None;
        if news == News::Written {
            self.was_moved(now);
        }
    }

    fn forget(&mut self) {
        self.theirs = Wanted::default();
        (self.object, self.former) = (None, None);
        self.pending.clear();
        self.has_arrived = false;
    }

    /// Somebody else has said where it is to go.
    fn was_moved(&mut self, now: Instant) {
        if self.aim.is_none() || now < self.since + YOUNG {
            return;
        }
        self.tries.retain(|tried| now < *tried + MEMORY);
        if self.tries.len() >= MOST_TRIES {
            self.is_contested = true;
        } else {
            self.tries.push(now);
        }
    }

    /// What the metadata will say of the stream once all of ours has come.
    fn in_force(&self) -> Option<&str> {
        self.pending.last().unwrap_or(&self.object).as_deref()
    }

    fn hold(&mut self, name: &str) -> Writes {
        let mut writes = Writes::new();
        if self.ours.as_deref() == Some(name) && self.in_force() == Some(name) {
            return writes;
        }
        // Nobody does what we write (WirePlumber hangs, perhaps): what is to be by then is written then.
        if self.pending.len() >= MOST_PENDING {
            return writes;
        }
        let former = former_of(&self.theirs);
        if self.former.as_ref() != Some(&former) {
            writes.push((FORMER, Some(former.clone())));
            self.former = Some(former);
        }
        if self.in_force() != Some(name) {
            self.write_object(Some(name.to_owned()), &mut writes);
        }
        if self.ours.as_deref() != Some(name) {
            // Where it was sent before says nothing of where it is sent now.
            self.has_arrived = false;
        }
        self.ours = Some(name.to_owned());
        writes
    }

    fn let_go(&mut self, model: &Model) -> Writes {
        let mut writes = Writes::new();
        if self.ours.take().is_some() {
            // What WirePlumber remembers of the stream on disk went when we wrote. It remembers
            // again what it is told by serial in this key, and not what only stands in the other.
            let serial = || {
                let sink = model.sink_named(wanted_sink(&self.theirs, model)?)?;
                Some(model.node(sink)?.serial.to_string())
            };
            let value = match &self.theirs {
                Wanted { object: Some(object), .. } => Some(object.clone()),
                Wanted { object: None, node: Some(_) } => serial(),
                Wanted { object: None, node: None } => None,
            };
            if self.in_force() != value.as_deref() {
                self.write_object(value.clone(), &mut writes);
            }
            self.theirs.object = value;
        }
        if self.former.take().is_some() {
            writes.push((FORMER, None));
        }
        writes
    }

    fn write_object(&mut self, value: Option<String>, writes: &mut Writes) {
        if self.pending.len() >= MOST_PENDING {
            self.pending.remove(0);
        }
        self.pending.push(value.clone());
        writes.push((OBJECT, value));
    }
}

/// Whether others want a stream at another sink than the one that it would be heard from anyway.
pub(super) fn is_chosen(wanted: Option<&str>, around: Around<'_>) -> bool {
    wanted.is_some() && wanted != around.device && wanted != around.default_sink
}

/// What a stream that others want at this sink needs, to go there.
fn key<'g>(to: Destination, wanted: Option<&str>, around: Around<'g>) -> Key<'g> {
    // Where it goes while we say nothing.
    let Some(by_itself) = wanted.or(around.default_sink) else { return Key::Wait };
    let insert = match to {
        Destination::Bus => InsertId::Main,
        Destination::Master => InsertId::Master,
        Destination::Device if !is_ours(by_itself) => return Key::Theirs,
        Destination::Device => return around.device.map_or(Key::Wait, Key::Name),
    };
    let name = insert.node_name();
    match around.model.sink_named(name) {
        _ if by_itself == name => Key::Theirs,
        Some(_) => Key::Name(name),
        None => Key::Wait,
    }
}

/// The sink that is meant, if it is there.
fn wanted_sink<'g>(wanted: &Wanted, model: &'g Model) -> Option<&'g str> {
    let Wanted { object, node } = wanted;
    let (value, is_serial) = match (object, node) {
        (Some(object), _) => (object, true),
        (None, Some(node)) => (node, false),
        (None, None) => return None,
    };
    if value == NOWHERE {
        return None;
    }
    let number: Option<u64> = value.parse().ok();
    let mut sinks = model.sinks();
    let found = sinks.find(|(id, node)| match number {
        Some(number) if is_serial => node.serial == number,
        Some(number) => u64::from(*id) == number,
        None => node.name == *value,
    });
    found.map(|(_, node)| node.name.as_str())
}

fn former_of(theirs: &Wanted) -> String {
    serde_json::json!({ "object": theirs.object, "node": theirs.node }).to_string()
}

fn read_former(value: &str) -> Wanted {
    let value: serde_json::Value = serde_json::from_str(value).unwrap_or_default();
    let text = |key| value.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    Wanted { object: text("object"), node: text("node") }
}

#[cfg(test)]
mod tests;
