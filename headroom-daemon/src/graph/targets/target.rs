//! The book of one stream: what the metadata says of it, what others want and what we have written.

use std::time::{Duration, Instant};

use super::contest::{Contest, MovedBy, Tries};
use super::course::wanted_sink;
use super::entry::Entry;
use super::former::Former;
use super::wish::By;
use super::{FORMER, NODE, News, OBJECT, Writes};
use crate::graph::model::Model;
use crate::graph::said::Wanted;
use crate::graph::{Aim, is_ours};

/// For so long after its start, what is written of a stream is what WirePlumber remembers of it.
pub(super) const YOUNG: Duration = Duration::from_secs(1);
/// How long a stream may take to be linked to where the metadata says that it goes, before it is
/// said again.
pub(super) const ARRIVAL: Duration = Duration::from_secs(2);
/// The same for one that is linked to nothing at all: WirePlumber loses a stream now and then whose
/// ports it makes anew for a sink of other channels.
pub(super) const LINKING: Duration = Duration::from_secs(1);
/// How long a stream is let go in between: WirePlumber takes what is written within moments for one
/// word, and does not look whether a stream is linked to where it has been.
pub(super) const STEP_BACK: Duration = Duration::from_millis(300);
/// The longest value of others that is kept whole: what is put back must be what it was.
const LONGEST_VALUE_BYTES: usize = 4096;

#[derive(Debug)]
pub(super) struct Target {
    since: Instant,
    /// What WirePlumber remembers it under.
    key: Option<String>,
    /// What others say.
    theirs: Wanted,
    /// The sink that they mean, also while it is away.
    wished: Option<Wished>,
    /// The sink that the user wants though nobody says so in the metadata.
    remembered: Option<String>,
    /// Whether nobody but us will say so.
    is_to_be_said: bool,
    /// Whether WirePlumber has perhaps not heard what the user wants: see [`is_known`].
    is_unheard: bool,
    /// Whether WirePlumber will say so itself, or will not: it may be told not to.
    is_awaited: bool,
    /// Whether it is where the stream goes without us, and not only what must not be forgotten.
    counts: bool,
    object: Entry,
    node: Entry,
    /// The value of [`FORMER`], as it was last heard or written.
    former: Option<String>,
    /// The sink that we have sent it to, while it is ours to say.
    ours: Option<String>,
    /// What we have written under [`NODE`].
    shadow: Option<String>,
    /// What the metadata must have said when it was bound anew, if nobody else had written.
    expected: Option<String>,
    /// Whether it was linked to where we have sent it.
    has_arrived: bool,
    /// When it is to be there.
    due: Option<Instant>,
    is_astray: bool,
    /// Until when it is let go, to be sent there again.
    steps_back: Option<Instant>,
    tries: Tries,
    has_been_seen: bool,
}

#[derive(Debug)]
struct Wished {
    theirs: Wanted,
    sink: String,
}

impl Target {
    pub(super) fn new(now: Instant) -> Target {
        Target {
            since: now,
            key: None,
            theirs: Wanted::default(),
            wished: None,
            remembered: None,
            is_to_be_said: false,
            is_unheard: false,
            is_awaited: false,
            counts: false,
            object: Entry::default(),
            node: Entry::default(),
            former: None,
            ours: None,
            shadow: None,
            expected: None,
            has_arrived: false,
            due: None,
            is_astray: false,
            steps_back: None,
            tries: Tries::default(),
            has_been_seen: false,
        }
    }

    pub(super) fn theirs(&self) -> &Wanted {
        &self.theirs
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    pub(super) fn wished_sink(&self) -> Option<&str> {
        self.wished
            .as_ref()
            .map(|wished| &wished.sink)
            .or(self.remembered.as_ref())
            .map(String::as_str)
    }

    /// Whether what the user wants has been told to WirePlumber behind what we have said.
    pub(super) fn has_kept(&self, model: &Model) -> bool {
        let wish = self.wished_sink().and_then(|sink| model.sink_named(sink));
        let said = self.shadow.as_ref().and_then(|id| id.parse().ok());
        !self.is_unheard && (!self.is_held() || (wish.is_some() && wish == said))
    }

    /// Whether a write may make WirePlumber forget what the user wants of streams of its key.
    pub(super) fn is_at_risk(&self) -> bool {
        self.is_held() || self.is_unheard
    }

    /// What to write so that WirePlumber remembers what it has perhaps not heard.
    pub(super) fn say_again(&mut self, id: u32, of_others: Option<u32>, model: &Model) -> Writes {
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

    /// The sink that nobody says though the stream goes there without us.
    pub(super) fn remembered(&self) -> Option<&str> {
        self.remembered.as_deref().filter(|_| self.counts)
    }

    /// Until when WirePlumber will have said what it remembers, if nobody has yet.
    fn awaits_word(&self) -> Option<Instant> {
        let is_awaited = self.is_awaited && self.remembered.is_some() && !self.is_held();
        is_awaited.then(|| self.since + YOUNG)
    }

    /// Whether WirePlumber has done what it remembers is seen by the links where it is not heard.
    fn awaits_no_more(&mut self, id: u32, model: &Model) {
        let Some(sink) = self.remembered.as_deref().and_then(|sink| model.sink_named(sink)) else {
            return;
        };
        let mut linked = model.linked_from(id).peekable();
        if linked.peek().is_some() {
            self.is_awaited = false;
            self.counts = linked.any(|to| to == sink);
        }
    }

    pub(super) fn is_held(&self) -> bool {
        self.ours.is_some()
    }

    pub(super) fn is_astray(&self) -> bool {
        self.is_astray
    }

    pub(super) fn has_just_come(&self) -> bool {
        !self.has_been_seen && self.theirs.is_nothing()
    }

    pub(super) fn remember(&mut self, sink: &str, by: By) {
        if !is_ours(sink) {
            self.remembered = Some(sink.to_owned());
            self.is_to_be_said = by == By::Us;
            self.is_unheard = by == By::Us;
            self.is_awaited = by == By::WirePlumber;
            self.counts = true;
        }
    }

    /// Who it is, and which sink others mean.
    pub(super) fn is_about(&mut self, id: u32, key: Option<&str>, model: &Model, now: Instant) {
        self.has_been_seen = true;
        if self.awaits_word().is_some_and(|until| until <= now) {
            self.awaits_no_more(id, model);
        }
        if self.key.as_deref() != key {
            self.key = key.map(str::to_owned);
        }
        // What is written as a name, WirePlumber does not remember.
        let number = self.theirs.object.as_ref().or(self.theirs.node.as_ref());
        let is_kept = number.is_some_and(|value| value.parse::<u32>().is_ok());
        match wanted_sink(&self.theirs, model).filter(|sink| is_kept && !is_ours(sink)) {
            Some(sink) => {
                let (theirs, sink) = (self.theirs.clone(), sink.to_owned());
                self.wished = Some(Wished { theirs, sink });
                self.remembered = None;
            }
            None if self.wished.as_ref().is_some_and(|wished| wished.theirs != self.theirs) => {
                self.wished = None;
            }
            None => {}
        }
    }

    /// What it is about from now on.
    pub(super) fn aims_at(&mut self, aim: Option<Aim>) {
        if self.tries.aim(aim) {
            (self.due, self.is_astray) = (None, false);
        }
    }

    pub(super) fn may_be_moved(&self) -> bool {
        !self.tries.has_given_in()
    }

    pub(super) fn contested_by(
        &self,
        wanted: Option<&str>,
        of_app: Option<&str>,
    ) -> Option<Contest> {
        self.tries.contest(wanted, of_app)
    }

    pub(super) fn take(
        &mut self,
        key: Option<&str>,
        value: Option<&str>,
        news: News,
        now: Instant,
    ) -> bool {
        let value = value.filter(|value| value.len() <= LONGEST_VALUE_BYTES || key == Some(FORMER));
        let before = (self.theirs.clone(), self.tries.has_given_in());
        match key {
            Some(OBJECT) => self.take_object(value, news, now),
            Some(NODE) => self.take_node(value),
            Some(FORMER) => self.former = value.map(str::to_owned),
            Some(_) => {}
            None => {
                self.former = None;
                self.take_node(None);
                self.take_object(None, news, now);
            }
        }
        before != (self.theirs.clone(), self.tries.has_given_in())
    }

    fn take_object(&mut self, value: Option<&str>, news: News, now: Instant) {
        // Whoever says what we say moves it nowhere; it may be what we had written twice.
        if self.object.takes(value) || (value.is_some() && value == self.ours.as_deref()) {
            return;
        }
        self.theirs.object = value.map(str::to_owned);
        // What is read anew may be ours as before.
        if news == News::Written || self.expected.as_deref() != value {
            (self.remembered, self.is_unheard) = (None, false);
        }
        // What of ours is still under way comes after theirs and counts; else theirs does.
        if self.object.is_settled() {
            self.ours = None;
        }
        if news == News::Written {
            self.was_moved(now);
        }
    }

    fn take_node(&mut self, value: Option<&str>) {
        if !self.node.takes(value) {
            self.theirs.node = value.map(str::to_owned);
            self.shadow = None;
        }
    }

    /// Somebody else has said where it is to go.
    fn was_moved(&mut self, now: Instant) {
        if self.tries.has_aim() && now >= self.since + YOUNG && self.tries.count(now) {
            self.tries.give_in(MovedBy::Metadata, None, None);
        }
    }

    pub(super) fn metadata_has_gone(&mut self) {
        // The next WirePlumber says what it remembers only while that sink is there.
        self.remembered = self.wished_sink().map(str::to_owned);
        (self.is_to_be_said, self.is_awaited, self.counts) = (false, false, true);
        (self.wished, self.ours, self.expected) = (None, None, None);
        self.tries.forget();
        self.forget();
    }

    pub(super) fn metadata_is_new(&mut self) {
        self.expected = self.ours.take();
        self.forget();
    }

    fn forget(&mut self) {
        self.theirs = Wanted::default();
        (self.object, self.node) = (Entry::default(), Entry::default());
        (self.former, self.shadow) = (None, None);
        self.has_arrived = false;
        (self.due, self.is_astray, self.steps_back) = (None, false, None);
    }

    pub(super) fn take_up(&mut self, now: Instant) {
        let expected = self.expected.take();
        let Some(former) = &self.former else { return };
        let Former { object, node, ours, shadow } = Former::from_value(former);
        if shadow.is_some() && *self.node.value() == shadow {
            (self.theirs.node, self.shadow) = (node, shadow);
        }
        let is_ours = match expected.as_ref().or(ours.as_ref()) {
            Some(ours) => self.object.value().as_ref() == Some(ours),
            // Left by a run that did not write down what it had written.
            None => true,
        };
        if is_ours {
            self.theirs.object = object;
            self.ours = Some(self.object.value().clone().unwrap_or_default());
        } else if expected.is_some() {
            self.was_moved(now);
        }
    }

    pub(super) fn has_left_unheard(&mut self, id: u32, model: &Model) -> bool {
        let Some(sink) = self.ours.as_deref().and_then(|name| model.sink_named(name)) else {
            self.has_arrived = false;
            return false;
        };
        let mut linked = model.linked_from(id).peekable();
        let is_linked = linked.peek().is_some();
        let is_there = linked.any(|to| to == sink);
        let is_told = self.object.is_settled() && *self.object.value() == self.ours;
        let has_left = self.has_arrived && is_linked && !is_there && is_told;
        self.has_arrived = is_there || (self.has_arrived && !has_left);
        has_left
    }

    /// What to write so that it goes to this sink. `of_others` is the sink that the user wants
    /// others at that are remembered under the same key.
    pub(super) fn hold(
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

    /// What to write because it is not linked to where the metadata says that it goes.
    pub(super) fn insist(
        &mut self,
        id: u32,
        has_ports: bool,
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
        if !is_told || !has_ports || self.is_astray {
            self.due = None;
            return writes;
        }
        let is_linked = model.linked_from(id).next().is_some();
        let due = *self.due.get_or_insert(now + if is_linked { ARRIVAL } else { LINKING });
        if now < due {
            return writes;
        }
        self.due = None;
        if !self.tries.count(now) {
            self.object.write(OBJECT, None, &mut writes);
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
                writes
            }
        }
    }

    /// When to ask again whether it has arrived.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.due.into_iter().chain(self.steps_back).chain(self.awaits_word()).min()
    }

    /// What to write so that it goes where it would go without us.
    pub(super) fn let_go(&mut self, id: u32, model: &Model) -> Writes {
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
}

/// Whether WirePlumber knows both by now: it has linked the stream, and has given the sink its ports.
/// What is said before that moves the stream all the same, and is not remembered.
fn is_known(stream: u32, sink: u32, model: &Model) -> bool {
    model.linked_from(stream).next().is_some() && model.has_ports(sink)
}
