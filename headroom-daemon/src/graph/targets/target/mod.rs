//! The book of one stream: what the metadata says of it, what others want and what we have written.
//!
//! [`saying`] is what is written next.

mod saying;

use std::time::{Duration, Instant};

use super::contest::{Contest, MovedBy, Tries};
use super::course::wanted_sink;
use super::entry::Entry;
use super::former::Former;
use super::wish::By;
use super::{FORMER, NODE, News, OBJECT};
use crate::graph::model::Model;
use crate::graph::said::Wanted;
use crate::graph::{Aim, is_ours};

/// For so long after its start, what is written of a stream is what WirePlumber remembers of it.
pub(in crate::graph::targets) const YOUNG: Duration = Duration::from_secs(1);
/// How long a stream may take to be linked to where the metadata says that it goes, before it is
/// said again.
pub(in crate::graph::targets) const ARRIVAL: Duration = Duration::from_secs(2);
/// The same for one that is linked to nothing at all: WirePlumber loses a stream now and then whose
/// ports it makes anew for a sink of other channels.
pub(in crate::graph::targets) const LINKING: Duration = Duration::from_secs(1);
/// How long after that was in vain it is tried once more, and ever again: nobody hears it.
pub(in crate::graph::targets) const ASTRAY: Duration = Duration::from_secs(30);
/// How long a stream is let go in between: WirePlumber takes what is written within moments for one
/// word, and does not look whether a stream is linked to where it has been.
pub(in crate::graph::targets) const STEP_BACK: Duration = Duration::from_millis(300);
/// The longest value of others that is kept whole: what is put back must be what it was.
const LONGEST_VALUE_BYTES: usize = 4096;

#[derive(Debug)]
pub(in crate::graph::targets) struct Target {
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
    awaited: Awaited,
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
    /// When it is to be where it goes by itself.
    awaited_by: Option<Instant>,
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

/// What will show whether WirePlumber does what it remembers: it may be told not to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Nothing,
    /// Its word, for a while.
    Word,
    /// Its link, where no word was heard.
    Link,
}

#[derive(Debug)]
struct Wished {
    theirs: Wanted,
    sink: String,
}

impl Target {
    pub(in crate::graph::targets) fn new(now: Instant) -> Target {
        Target {
            since: now,
            key: None,
            theirs: Wanted::default(),
            wished: None,
            remembered: None,
            is_to_be_said: false,
            is_unheard: false,
            awaited: Awaited::Nothing,
            counts: false,
            object: Entry::default(),
            node: Entry::default(),
            former: None,
            ours: None,
            shadow: None,
            expected: None,
            awaited_by: None,
            has_arrived: false,
            due: None,
            is_astray: false,
            steps_back: None,
            tries: Tries::default(),
            has_been_seen: false,
        }
    }

    pub(in crate::graph::targets) fn theirs(&self) -> &Wanted {
        &self.theirs
    }

    pub(in crate::graph::targets) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    pub(in crate::graph::targets) fn wished_sink(&self) -> Option<&str> {
        self.wished
            .as_ref()
            .map(|wished| &wished.sink)
            .or(self.remembered.as_ref())
            .map(String::as_str)
    }

    /// Whether what the user wants has been told to WirePlumber behind what we have said.
    pub(in crate::graph::targets) fn has_kept(&self, model: &Model) -> bool {
        let wish = self.wished_sink().and_then(|sink| model.sink_named(sink));
        let said = self.shadow.as_ref().and_then(|id| id.parse().ok());
        !self.is_unheard && (!self.is_held() || (wish.is_some() && wish == said))
    }

    /// Whether a write may make WirePlumber forget what the user wants of streams of its key.
    pub(in crate::graph::targets) fn is_at_risk(&self) -> bool {
        self.is_held() || self.is_unheard
    }

    /// The sink that nobody says though the stream goes there without us.
    pub(in crate::graph::targets) fn remembered(&self) -> Option<&str> {
        self.remembered.as_deref().filter(|_| self.counts)
    }

    /// Until when WirePlumber will have said what it remembers, if nobody has yet.
    fn awaits_word(&self) -> Option<Instant> {
        let is_awaited = self.awaited == Awaited::Word && self.remembered.is_some();
        (is_awaited && !self.is_held()).then(|| self.since + YOUNG)
    }

    /// Whether WirePlumber has done what it remembers is seen by the links where it is not heard.
    fn looks_at_links(&mut self, id: u32, model: &Model) {
        let Some(sink) = self.remembered.as_deref().and_then(|sink| model.sink_named(sink)) else {
            return;
        };
        let mut linked = model.linked_from(id).peekable();
        self.awaited = match linked.peek() {
            Some(_) => Awaited::Nothing,
            None => Awaited::Link,
        };
        if self.awaited == Awaited::Nothing {
            self.counts = linked.any(|to| to == sink);
        }
    }

    /// Where it is to go by what we have written, while that has not come back.
    pub(in crate::graph::targets) fn unanswered(&self) -> Option<&str> {
        (!self.object.is_settled()).then(|| self.object.in_force().unwrap_or("nowhere"))
    }

    pub(in crate::graph::targets) fn is_held(&self) -> bool {
        self.ours.is_some()
    }

    pub(in crate::graph::targets) fn is_astray(&self) -> bool {
        self.is_astray
    }

    pub(in crate::graph::targets) fn has_just_come(&self) -> bool {
        !self.has_been_seen && self.theirs.is_nothing()
    }

    pub(in crate::graph::targets) fn remember(&mut self, sink: &str, by: By) {
        if !is_ours(sink) {
            self.remembered = Some(sink.to_owned());
            self.is_to_be_said = by == By::Us;
            self.is_unheard = by == By::Us;
            self.awaited = match by {
                By::Us => Awaited::Nothing,
                By::WirePlumber => Awaited::Word,
            };
            self.counts = true;
        }
    }

    /// Who it is, and which sink others mean.
    pub(in crate::graph::targets) fn is_about(
        &mut self,
        id: u32,
        key: Option<&str>,
        model: &Model,
        now: Instant,
    ) {
        self.has_been_seen = true;
        let is_late = self.awaits_word().is_some_and(|until| until <= now);
        if is_late || (self.awaited == Awaited::Link && !self.is_held()) {
            self.looks_at_links(id, model);
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
    pub(in crate::graph::targets) fn aims_at(&mut self, aim: Option<Aim>) {
        if self.tries.aim(aim) {
            (self.due, self.awaited_by, self.is_astray) = (None, None, false);
        }
    }

    pub(in crate::graph::targets) fn may_be_moved(&self) -> bool {
        !self.tries.has_given_in()
    }

    pub(in crate::graph::targets) fn contested_by(
        &self,
        wanted: Option<&str>,
        of_app: Option<&str>,
    ) -> Option<Contest> {
        self.tries.contest(wanted, of_app)
    }

    pub(in crate::graph::targets) fn take(
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

    pub(in crate::graph::targets) fn metadata_has_gone(&mut self) {
        // The next WirePlumber says what it remembers only while that sink is there.
        self.remembered = self.wished_sink().map(str::to_owned);
        (self.is_to_be_said, self.counts) = (false, true);
        self.awaited = Awaited::Nothing;
        (self.wished, self.ours, self.expected) = (None, None, None);
        self.tries.forget();
        self.forget_values();
        self.has_arrived = false;
        (self.due, self.awaited_by, self.steps_back) = (None, None, None);
        self.is_astray = false;
    }

    pub(in crate::graph::targets) fn metadata_is_new(&mut self) {
        // Read once more before it was taken up, it is what it was to be. The links are what they were,
        // and so is what is waited for: it may be read five times a second.
        self.expected = self.ours.take().or(self.expected.take());
        self.forget_values();
    }

    fn forget_values(&mut self) {
        self.theirs = Wanted::default();
        (self.object, self.node) = (Entry::default(), Entry::default());
        (self.former, self.shadow) = (None, None);
    }

    pub(in crate::graph::targets) fn take_up(&mut self, now: Instant) {
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

    pub(in crate::graph::targets) fn has_left_unheard(&mut self, id: u32, model: &Model) -> bool {
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
}
