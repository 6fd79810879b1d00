//! Which stream goes where, and why.
//!
//! In this order: what was chosen for this very stream, the user's rules, where others want it in
//! PipeWire, the profile's rules, the default route. `census` asks for every stream whenever
//! anything that counts has changed, and hr-graph is told what has come of it. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_ipc::{Route, RoutedBy, Rule, RuleOrigin, RulePlace, Rules, Stream};
use headroom_profile::{Identity, wire};

use super::MAIN_BUS;
use crate::graph::{Aim, Aims, Destination, Tie};

/// Where streams go as people have asked for it.
#[derive(Debug, Default)]
pub(crate) struct Router {
    /// Chosen for single streams, for as long as they live.
    chosen: BTreeMap<u64, Chosen>,
    /// How often that was done, so that each is told from the one before.
    choices: u32,
    /// What holds each stream where it is.
    ties: BTreeMap<u64, Tie>,
    /// The rules, as `route.list` has them: those of the user first.
    rules: Vec<(headroom_profile::Match, Route, RulePlace)>,
    default_route: Route,
    /// The connection of hr-graph to PipeWire that the streams are of.
    session: u32,
    /// What hr-graph was told last.
    told: Arc<Aims>,
}

#[derive(Debug)]
struct Chosen {
    route: Route,
    number: u32,
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

    /// Somebody has chosen a route for this stream, or lets the rules decide again.
    pub(crate) fn choose(&mut self, stream: u64, route: Option<Route>) {
        self.choices = self.choices.wrapping_add(1);
        let number = self.choices;
        match route {
            Some(route) => self.chosen.insert(stream, Chosen { route, number }),
            None => self.chosen.remove(&stream),
        };
    }

    /// Only these streams are there.
    pub(crate) fn keep(&mut self, is_there: impl Fn(u64) -> bool) {
        self.chosen.retain(|stream, _| is_there(*stream));
        self.ties.retain(|stream, _| is_there(*stream));
    }

    /// All streams have gone.
    pub(crate) fn forget(&mut self) {
        self.chosen.clear();
        self.ties.clear();
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
        if tie == Tie::Fixed {
            return left;
        }
        if let Some(chosen) = self.chosen.get(&stream.id) {
            return decision(Some(&chosen.route), RoutedBy::Pin, true);
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
            let chosen = self.chosen.get(&stream.id);
            let asked = chosen.map_or(0, |chosen| chosen.number);
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

/// What a stream says of itself, and the name of the app without what changes in it: some write
/// the title that they play into it, or the number of their process.
struct Names<'s> {
    said: Identity<'s>,
    lasting: Option<Cow<'s, str>>,
}

impl<'s> Names<'s> {
    fn of(stream: &'s Stream) -> Names<'s> {
        let said = Identity {
            process_binary: stream.process_binary.as_deref(),
            application_name: stream.application_name.as_deref(),
            portal_app_id: stream.portal_app_id.as_deref(),
            media_role: stream.media_role.as_deref(),
        };
        let title = stream.media_name.as_deref();
        let lasting = said.application_name.map(|name| lasting(name, title, stream.pid));
        Names { said, lasting }
    }

    fn are_meant_by(&self, matches: &headroom_profile::Match) -> bool {
        let lasting = Identity { application_name: self.lasting.as_deref(), ..self.said };
        matches.is_about(&self.said) || matches.is_about(&lasting)
    }
}

/// The name of an app without the title that it plays and without the number of its process, and
/// without the signs that set them apart.
pub(super) fn lasting<'n>(name: &'n str, title: Option<&str>, pid: Option<u32>) -> Cow<'n, str> {
    let mut rest = Cow::Borrowed(name);
    let title = title.filter(|title| !title.is_empty() && *title != name);
    if let Some(title) = title.filter(|title| name.contains(title)) {
        rest = Cow::Owned(name.replacen(title, "", 1));
    }
    if let Some(pid) = pid.map(|pid| pid.to_string()) {
        let stands_alone = |(at, _): &(usize, &str)| {
            let digit =
                |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric());
            !digit(rest[..*at].chars().next_back()) && !digit(rest[at + pid.len()..].chars().next())
        };
        let at = rest.match_indices(&pid).find(stands_alone).map(|(at, _)| at);
        if let Some(at) = at {
            rest = Cow::Owned(format!("{}{}", &rest[..at], &rest[at + pid.len()..]));
        }
    }
    if rest == name {
        return rest;
    }
    let signs = |letter: char| letter.is_whitespace() || "-–—:|·#()[]".contains(letter);
    let rest = rest.trim_matches(signs).to_owned();
    // A name that is nothing else is a name.
    if rest.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(rest) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_ipc::Match;

    fn stream(app: &str) -> Stream {
        Stream {
            id: 90,
            app: app.into(),
            media_name: Some("So What - Miles Davis".into()),
            process_binary: Some("mpv".into()),
            application_name: Some(app.into()),
            portal_app_id: None,
            media_role: Some("Music".into()),
            pid: Some(4_242),
            route: Route::default(),
            routed_by: RoutedBy::Graph,
            bus: None,
            sink: None,
            contested: false,
            playing: true,
            channels: Some(2),
            rule: None,
            contest: None,
            volume_db: Vec::new(),
            muted: false,
        }
    }

    fn rule(app: &str, route: Route, origin: RuleOrigin) -> Rule {
        let matches = Match { application_name: vec![app.into()], ..Match::default() };
        Rule { matches, route, origin }
    }

    fn router(rules: Vec<Rule>, default_route: Route) -> Router {
        let mut router = Router::default();
        router.set_rules(&Rules { rules, default_route });
        router
    }

    fn decided(router: &Router, stream: &Stream) -> (Option<Route>, RoutedBy) {
        let decision = router.decide(stream);
        (decision.route.cloned(), decision.by)
    }

    #[test]
    fn the_order_is_this_stream_then_the_user_then_the_profile_then_the_default() {
        let user = rule("mpv", Route::Protected, RuleOrigin::User);
        let profile = rule("m*", Route::Bypass, RuleOrigin::Profile);
        let mpv = stream("mpv");
        let mut router = router(vec![user, profile], Route::Processed);
        let other = stream("Firefox");
        let by_default = (Some(Route::Processed), RoutedBy::DefaultRoute);
        assert_eq!(decided(&router, &other), by_default);
        let by_profile = (Some(Route::Bypass), RoutedBy::Rule);
        assert_eq!(decided(&router, &stream("mpd")), by_profile);
        assert_eq!(decided(&router, &mpv), (Some(Route::Protected), RoutedBy::Rule));
        let place =
            |stream: &Stream| router.decide(stream).rule.map(|rule| (rule.origin, rule.number));
        assert_eq!(place(&mpv), Some((RuleOrigin::User, 1)));
        assert_eq!(place(&stream("mpd")), Some((RuleOrigin::Profile, 1)));
        assert_eq!(place(&other), None);
        router.choose(90, Some(Route::Processed));
        assert_eq!(decided(&router, &mpv), (Some(Route::Processed), RoutedBy::Pin));
        router.choose(90, None);
        assert_eq!(decided(&router, &mpv), (Some(Route::Protected), RoutedBy::Rule));
    }

    #[test]
    fn what_holds_a_stream_gives_in_to_what_is_said_of_it_more_plainly() {
        let user = |router: &mut Router| {
            let rules = vec![rule("mpv", Route::Protected, RuleOrigin::User)];
            router.set_rules(&Rules { rules, default_route: Route::Processed });
        };
        let profile = |router: &mut Router| {
            let rules = vec![rule("mpv", Route::Protected, RuleOrigin::Profile)];
            router.set_rules(&Rules { rules, default_route: Route::Processed });
        };
        let chosen = |router: &mut Router| router.choose(90, Some(Route::Protected));
        // Who moves what: the default route, a rule of the profile, one of the user, a choice.
        for (tie, moves) in [
            (Tie::None, [true, true, true, true]),
            (Tie::Filter, [false, true, true, true]),
            (Tie::Chosen, [false, false, true, true]),
            (Tie::Fixed, [false, false, false, false]),
        ] {
            let says: [&dyn Fn(&mut Router); 4] = [&|_| (), &profile, &user, &chosen];
            for (say, moves) in says.into_iter().zip(moves) {
                let mut router = router(Vec::new(), Route::Processed);
                router.set_tie(90, tie);
                say(&mut router);
                let (route, by) = decided(&router, &stream("mpv"));
                assert_eq!(route.is_some(), moves, "{tie:?}");
                assert_eq!(by == RoutedBy::Graph, !moves, "{tie:?}");
            }
        }
    }

    #[test]
    fn a_title_or_a_number_in_a_name_is_no_part_of_the_name() {
        let router = router(vec![rule("mpv", Route::Bypass, RuleOrigin::User)], Route::Processed);
        for name in [
            "mpv",
            "mpv - So What - Miles Davis",
            "So What - Miles Davis \u{2014} mpv",
            "mpv (4242)",
            "mpv[4242]: So What - Miles Davis",
        ] {
            assert_eq!(decided(&router, &stream(name)).1, RoutedBy::Rule, "{name}");
        }
        for name in ["mpv 2", "mpv42424", "mpv - Kind of Blue", "xmpv"] {
            assert_eq!(decided(&router, &stream(name)).1, RoutedBy::DefaultRoute, "{name}");
        }
        // A name that is the title is a name.
        let titled = stream("So What - Miles Davis");
        let rules = vec![rule("So What*", Route::Bypass, RuleOrigin::User)];
        let router = self::router(rules, Route::Processed);
        assert_eq!(decided(&router, &titled).1, RoutedBy::Rule);
    }

    #[test]
    fn the_graph_is_told_once_and_nothing_of_those_that_are_left_alone() {
        let mut router = router(Vec::new(), Route::Bypass);
        router.set_session(1);
        let streams = [stream("mpv")];
        let aims = router.aims(&streams).expect("news");
        assert_eq!((aims.session, aims.streams[&90].to), (1, Destination::Device));
        assert!(router.aims(&streams).is_none(), "nothing new");
        router.set_tie(90, Tie::Fixed);
        assert!(router.aims(&streams).expect("news").streams.is_empty());
        // The same choice again is asked for again.
        router.set_tie(90, Tie::None);
        for _ in 0..2 {
            router.choose(90, Some(Route::Bypass));
            assert!(router.aims(&streams).is_some());
        }
        // Another connection knows none of them.
        router.set_session(2);
        assert!(!router.aims(&streams).expect("news").streams[&90].is_firm);
    }
}
