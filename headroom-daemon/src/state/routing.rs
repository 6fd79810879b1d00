//! Which stream goes where, and why.
//!
//! In this order: what was chosen for this very stream, the user's rules, where others want it in
//! PipeWire, the profile's rules, the default route. `census` asks for every stream whenever
//! anything that counts has changed, and hr-graph is told what has come of it. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headroom_ipc::{Route, RoutedBy, Rule, RuleOrigin, RulePlace, Rules, Stream};
use headroom_profile::wire;

use super::MAIN_BUS;
use super::identity::{Names, Who};
use crate::graph::{Aim, Aims, Destination, Tie};

/// Where streams go as people have asked for it.
#[derive(Debug, Default)]
pub(crate) struct Router {
    /// Chosen for single streams, for as long as they live.
    chosen: BTreeMap<u64, Route>,
    /// The number of the last time that somebody asked for a stream's route.
    asked: BTreeMap<u64, u32>,
    /// How often that was done, so that each is told from the one before.
    times: u32,
    /// What was chosen for streams that went with PipeWire, until they come again.
    awaited: Vec<(Who, Route)>,
    /// What holds each stream where it is.
    ties: BTreeMap<u64, Tie>,
    /// Streams that are not linked to where they were sent, whatever was tried.
    astray: BTreeSet<u64>,
    /// The rules, as `route.list` has them: those of the user first.
    rules: Vec<(headroom_profile::Match, Route, RulePlace)>,
    default_route: Route,
    /// The connection of hr-graph to PipeWire that the streams are of.
    session: u32,
    /// What hr-graph was told last.
    told: Arc<Aims>,
}

/// What has come of all that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision<'r> {
    /// Where it is to go; nothing if it is left where it is.
    pub(crate) route: Option<&'r Route>,
    /// What has decided.
    pub(crate) by: RoutedBy,
    /// The rule that has, if it was one.
    pub(crate) rule: Option<RulePlace>,
    /// Whether it holds also where others want the stream at another sink.
    is_firm: bool,
}

impl Router {
    /// These rules count from now on.
    pub(crate) fn set_rules(&mut self, rules: &Rules) {
        let (mut of_user, mut of_profile) = (0, 0);
        let rule = |rule: &Rule| {
            let count =
                if rule.origin == RuleOrigin::User { &mut of_user } else { &mut of_profile };
            *count += 1;
            let place = RulePlace { origin: rule.origin, number: *count };
            (wire::match_back(&rule.matches), rule.route.clone(), place)
        };
        self.rules = rules.rules.iter().map(rule).collect();
        self.default_route = rules.default_route.clone();
    }

    /// The streams of this connection are known from now on; of others nothing is.
    pub(crate) fn set_session(&mut self, session: u32) {
        if self.session != session {
            self.forget();
            self.session = session;
        }
    }

    /// A stream is held by this.
    pub(crate) fn set_tie(&mut self, stream: u64, tie: Tie) {
        self.ties.insert(stream, tie);
    }

    /// What holds a stream where it is.
    pub(crate) fn tie(&self, stream: u64) -> Tie {
        self.ties.get(&stream).copied().unwrap_or_default()
    }

    /// These streams are not linked to where they were sent. Gives whether that is news.
    pub(crate) fn set_astray(&mut self, streams: BTreeSet<u64>) -> bool {
        let is_news = self.astray != streams;
        self.astray = streams;
        is_news
    }

    /// Whether a stream is not linked to where it was sent.
    pub(crate) fn is_astray(&self, stream: u64) -> bool {
        self.astray.contains(&stream)
    }

    /// Somebody has chosen a route for this stream, or lets the rules decide again.
    pub(crate) fn choose(&mut self, stream: u64, route: Option<Route>) {
        self.asks_again(stream);
        match route {
            Some(route) => self.chosen.insert(stream, route),
            None => self.chosen.remove(&stream),
        };
    }

    /// Somebody asks for the route of this stream, be it the same as before.
    fn asks_again(&mut self, stream: u64) {
        self.times = self.times.wrapping_add(1);
        self.asked.insert(stream, self.times);
    }

    /// Somebody asks for the route of all streams that this is about, and that rules decide for.
    pub(crate) fn ask_again(&mut self, streams: &[Stream], matches: &headroom_ipc::Match) {
        let matches = wire::match_back(matches);
        for stream in streams {
            let is_chosen = self.chosen.contains_key(&stream.id);
            if !is_chosen && Names::of(stream).are_meant_by(&matches) {
                self.asks_again(stream.id);
            }
        }
    }

    /// Only these streams are there.
    pub(crate) fn keep(&mut self, is_there: impl Fn(u64) -> bool) {
        self.chosen.retain(|stream, _| is_there(*stream));
        self.asked.retain(|stream, _| is_there(*stream));
        self.ties.retain(|stream, _| is_there(*stream));
    }

    /// All streams have gone, with PipeWire. What was chosen for one of them counts for it again
    /// when it comes back, if there is no doubt that it is the same.
    pub(crate) fn await_again(&mut self, streams: &[Stream]) {
        let all: Vec<Who> = streams.iter().filter_map(Who::of).collect();
        let is_one = |who: &Who| all.iter().filter(|other| *other == who).count() == 1;
        let awaited = streams.iter().filter_map(|stream| {
            let (who, route) = (Who::of(stream)?, self.chosen.get(&stream.id)?);
            is_one(&who).then(|| (who, route.clone()))
        });
        let awaited = awaited.collect::<Vec<_>>();
        // A connection that is lost before anybody has come back says nothing of them.
        if !streams.is_empty() {
            self.awaited = awaited;
        }
        self.forget();
    }

    /// A stream has come. Takes up what was chosen for it before PipeWire went.
    pub(crate) fn has_come(&mut self, stream: &Stream) {
        let Some(who) = Who::of(stream).filter(|_| !self.awaited.is_empty()) else { return };
        if let Some(at) = self.awaited.iter().position(|(awaited, _)| *awaited == who) {
            let (_, route) = self.awaited.swap_remove(at);
            self.choose(stream.id, Some(route));
        }
    }

    fn forget(&mut self) {
        self.chosen.clear();
        self.asked.clear();
        self.ties.clear();
        self.astray.clear();
    }

    /// Where a stream is to go.
    pub(crate) fn decide(&self, stream: &Stream) -> Decision<'_> {
        let decision = |route, by, is_firm| Decision { route, by, rule: None, is_firm };
        let by_rule = |route, place, is_firm| Decision {
            rule: Some(place),
            ..decision(Some(route), RoutedBy::Rule, is_firm)
        };
        let left = decision(None, RoutedBy::Graph, false);
        let tie = self.tie(stream.id);
        if matches!(tie, Tie::Fixed(_)) {
            return left;
        }
        if let Some(chosen) = self.chosen.get(&stream.id) {
            return decision(Some(chosen), RoutedBy::Pin, true);
        }
        let names = Names::of(stream);
        let mut rules = self.rules.iter().filter(|(matches, ..)| names.are_meant_by(matches));
        match rules.next() {
            // The user's come before these.
            Some((_, route, at)) if at.origin == RuleOrigin::User => by_rule(route, *at, true),
            _ if tie == Tie::Chosen => left,
            Some((_, route, at)) => by_rule(route, *at, false),
            None if tie == Tie::Filter => left,
            None => decision(Some(&self.default_route), RoutedBy::DefaultRoute, false),
        }
    }

    /// What hr-graph is to be told, if it is other than what it was told last.
    pub(crate) fn aims(&mut self, streams: &[Stream]) -> Option<Arc<Aims>> {
        let aim = |stream: &Stream| {
            let decision = self.decide(stream);
            let to = destination(decision.route?);
            let asked = self.asked.get(&stream.id).copied().unwrap_or(0);
            Some((stream.id, Aim { to, is_firm: decision.is_firm, asked }))
        };
        let streams = streams.iter().filter_map(aim).collect();
        let aims = Aims { session: self.session, streams };
        if *self.told == aims {
            return None;
        }
        self.told = Arc::new(aims);
        Some(self.told.clone())
    }
}

/// The place that a route leads to. A bus that is not there (yet) is the main one.
fn destination(route: &Route) -> Destination {
    match route {
        Route::Processed | Route::Bus(_) => Destination::Bus,
        Route::Protected => Destination::Master,
        Route::Bypass => Destination::Device,
    }
}

/// Whether there is such a route.
pub(crate) fn is_known(route: &Route) -> bool {
    !matches!(route, Route::Bus(name) if name != MAIN_BUS)
}

#[cfg(test)]
mod tests;
