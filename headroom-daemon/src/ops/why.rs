//! `why`: what has decided where an app goes, and what is done to it now.
//!
//! Everything it says is in the state already; here it is put together for the one who asks.

use std::cell::OnceCell;

use headroom_ipc::{
    Chain, Code, Decided, Decider, Error, Fold, Match, OwnVolume, Route, RoutedBy, Rule,
    RuleOrigin, Stream, StreamWhy, Why, WhyCall,
};
use headroom_profile::{Line, Origin, glob_matches};

use super::need_pipewire;
use crate::graph::{FixedBy, InsertId, Tie};
use crate::state::{Model, bus_name, identity, routing};

/// What fits in a message, however long the names of all of them are.
const MOST_STREAMS: usize = 64;

/// The lines of the user's rules in the file that remembers them: counted once for all streams.
type Lines = OnceCell<Vec<usize>>;

pub(crate) fn why(model: &Model, call: &WhyCall) -> Result<Why, Error> {
    need_pipewire(model)?;
    let lines = Lines::new();
    let is_meant = |stream: &&Stream| match call {
        WhyCall::Stream(id) => stream.id == *id,
        WhyCall::App(name) => names(stream).any(|said| is_called(name, said)),
    };
    let meant: Vec<&Stream> = model.routing().streams.iter().filter(is_meant).collect();
    if meant.is_empty() {
        return match call {
            WhyCall::Stream(id) => Err(no_stream(*id)),
            WhyCall::App(name) => expected(model, &lines, name),
        };
    }
    let told = meant.iter().take(MOST_STREAMS);
    Ok(Why {
        streams: told.map(|stream| of_stream(model, &lines, stream)).collect(),
        more: u32::try_from(meant.len().saturating_sub(MOST_STREAMS)).unwrap_or(u32::MAX),
        expected: None,
    })
}

/// What an app is called by those who ask for it.
fn names(stream: &Stream) -> impl Iterator<Item = &str> {
    let said = [&stream.application_name, &stream.process_binary, &stream.portal_app_id];
    [stream.app.as_str()].into_iter().chain(said.into_iter().flatten().map(String::as_str))
}

/// Whether somebody who types this means that, however it is written.
fn is_called(typed: &str, said: &str) -> bool {
    glob_matches(&typed.to_lowercase(), &said.to_lowercase())
}

fn no_stream(id: u64) -> Error {
    let text = format!("there is no stream {id}: \"stream.list\" lists them");
    Error::new(Code::NotFound, text).with_field("stream").with_value(id)
}

fn of_stream(model: &Model, lines: &Lines, stream: &Stream) -> StreamWhy {
    StreamWhy {
        stream: stream.clone(),
        decided: decided(model, lines, stream),
        chain: chain(model, stream),
        notes: notes(model, stream),
    }
}

fn decided(model: &Model, lines: &Lines, stream: &Stream) -> Decided {
    let route = Some(stream.route.clone());
    match stream.routed_by {
        RoutedBy::Pin => by_nobody(Decider::Pin, route, "it was chosen for this stream alone"),
        RoutedBy::Rule => {
            let rules = model.routing().rules.rules.iter().enumerate();
            let mut matching = rules
                .filter_map(|(n, rule)| Some((n, rule, identity::matched(stream, &rule.matches)?)));
            match matching.next() {
                Some((n, rule, matched)) => {
                    by_rule(model, lines, n, rule, matched, "it is the first rule that matches")
                }
                None => by_default(model),
            }
        }
        RoutedBy::DefaultRoute => by_default(model),
        _ => left_alone(model, stream),
    }
}

fn by_nobody(by: Decider, route: Option<Route>, because: &str) -> Decided {
    Decided {
        by,
        route,
        matched: None,
        profile: None,
        path: None,
        line: None,
        because: because.to_owned(),
    }
}

fn left_alone(model: &Model, stream: &Stream) -> Decided {
    let sink = stream.sink.as_deref().unwrap_or("another sink");
    let (by, because) = match model.router.tie(stream.id) {
        Tie::Chosen => (
            Decider::ChosenElsewhere,
            format!("the app, the user or the desktop has put it at {sink}, which no rule changes"),
        ),
        Tie::Filter => (
            Decider::Filter,
            "it is the output of a filter and not of an app, and no rule names it".to_owned(),
        ),
        Tie::Fixed(by) => (Decider::NotMovable, fixed(by).to_owned()),
        // Between two looks at the graph.
        Tie::None => (Decider::NotMovable, "it is left where it is".to_owned()),
    };
    by_nobody(by, None, &because)
}

fn fixed(by: FixedBy) -> &'static str {
    match by {
        FixedBy::DontMove => "its property node.dont-move says that it is not to be moved",
        FixedBy::DontReconnect => {
            "its property node.dont-reconnect says that it is not to be moved"
        }
        FixedBy::OwnLinks => "it has no property node.autoconnect: its app links it by itself",
    }
}

/// The rule with this number among all of them.
fn by_rule(
    model: &Model,
    lines: &Lines,
    n: usize,
    rule: &Rule,
    matched: Match,
    because: &str,
) -> Decided {
    let (route, matched) = (Some(rule.route.clone()), Some(matched));
    if rule.origin == RuleOrigin::User {
        let path = model.state_file().map(|path| path.display().to_string());
        let lines = path.as_ref().map(|_| lines.get_or_init(|| model.remembered().route_lines()));
        let line = lines.and_then(|lines| u32::try_from(*lines.get(n)?).ok());
        let decided = by_nobody(Decider::UserRule, route, because);
        return Decided { matched, path, line, ..decided };
    }
    let used = &model.profile_state().used;
    let rules = model.profiles.profile(used).map(|profile| &profile.rules);
    let line = rules.and_then(|rules| rules.get(n.checked_sub(model.user_routes.len())?));
    let decided = by_nobody(Decider::ProfileRule, route, because);
    Decided { matched, ..in_profile(model, decided, line.map(|rule| rule.line)) }
}

fn by_default(model: &Model) -> Decided {
    let used = &model.profile_state().used;
    let default = model.profiles.profile(used).map(|profile| &profile.default_route);
    let route = Some(model.routing().rules.default_route.clone());
    let decided = by_nobody(Decider::DefaultRoute, route, "no rule matches it");
    in_profile(model, decided, default.and_then(|default| default.line))
}

fn in_profile(model: &Model, decided: Decided, line: Option<Line>) -> Decided {
    let used = &model.profile_state().used;
    let path = model.profiles.good(used).and_then(|good| match &good.origin {
        Origin::File(path) => Some(path.display().to_string()),
        Origin::Embedded => None,
    });
    let line = line.and_then(|Line(line)| u32::try_from(line).ok());
    Decided { profile: Some(used.clone()), path, line, ..decided }
}

/// What would decide where an app of this name goes.
fn expected(model: &Model, lines: &Lines, name: &str) -> Result<Why, Error> {
    let rules = &model.routing().rules.rules;
    for (n, rule) in rules.iter().enumerate() {
        let Some((matched, asks_for_more)) = names_it(&rule.matches, name) else { continue };
        let because = if asks_for_more {
            "it is the first rule that names it, but the rule asks for more than the name"
        } else {
            "it is the first rule that names it"
        };
        let expected = Some(by_rule(model, lines, n, rule, matched, because));
        return Ok(Why { expected, ..Why::default() });
    }
    let apps = model.routing().streams.iter().flat_map(names);
    let of_rules = rules.iter().flat_map(|rule| patterns(&rule.matches)).map(String::as_str);
    let mut known: Vec<&str> = Vec::new();
    for name in apps.chain(of_rules).filter(|name| !name.contains(['*', '?'])) {
        // What differs in its capitals alone is named by the name that it shows.
        if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            known.push(name);
        }
    }
    let mut error = Error::not_found("app", "stream of an app", name, &known);
    let Decided { route, profile, path, line, .. } = by_default(model);
    let shipped = if path.is_none() { "shipped " } else { "" };
    let place = match (path, line) {
        (Some(path), Some(line)) => format!(", {path}:{line}"),
        (Some(path), None) => format!(", {path}"),
        (None, Some(line)) => format!(", line {line}"),
        (None, None) => String::new(),
    };
    error.message += &format!(
        " (no rule names it: an app like that is {}, by the default route of the {shipped}profile {}{place})",
        route.unwrap_or_default(),
        profile.unwrap_or_default(),
    );
    Err(error)
}

fn patterns(matches: &Match) -> impl Iterator<Item = &String> {
    let Match { process_binary, application_name, portal_app_id, .. } = matches;
    [process_binary, application_name, portal_app_id].into_iter().flatten()
}

/// Of each list that asks for a name, the pattern that is about this one, and whether the rule asks
/// for more than that.
fn names_it(matches: &Match, name: &str) -> Option<(Match, bool)> {
    let first = |patterns: &[String]| -> Vec<String> {
        let is_about = |pattern: &&String| is_called(pattern, name);
        patterns.iter().find(is_about).cloned().into_iter().collect()
    };
    let matched = Match {
        process_binary: first(&matches.process_binary),
        application_name: first(&matches.application_name),
        portal_app_id: first(&matches.portal_app_id),
        media_role: Vec::new(),
    };
    let asked = |matches: &Match| {
        let Match { process_binary, application_name, portal_app_id, media_role } = matches;
        [process_binary, application_name, portal_app_id, media_role].map(|list| !list.is_empty())
    };
    let asks_for_more = asked(matches) != asked(&matched);
    (!matched.is_empty()).then_some((matched, asks_for_more))
}

/// The streams that go to the same sink of ours and play.
fn beside(model: &Model, stream: &Stream) -> u32 {
    let others = model
        .routing()
        .streams
        .iter()
        .filter(|other| other.id != stream.id && other.playing && other.sink == stream.sink);
    u32::try_from(others.count()).unwrap_or(u32::MAX).saturating_add(1)
}

fn chain(model: &Model, stream: &Stream) -> Option<Chain> {
    let sink = stream.sink.as_deref()?;
    let name = bus_name(InsertId::of_node(sink)?);
    if model.running.is_empty() {
        return None;
    }
    let bus = model.measured.buses.iter().find(|bus| Some(bus.bus.as_str()) == name);
    let master = model.measured.master.as_ref();
    let device = &model.sinks().device;
    Some(Chain {
        bus: name.map(str::to_owned),
        streams: beside(model, stream),
        input_lufs: bus.and_then(|bus| bus.input_short_term_lufs),
        output_lufs: master.and_then(|master| master.output_short_term_lufs),
        gain_db: model.gain_db(stream),
        agc_gain_db: bus.and_then(|bus| bus.agc_gain_db),
        guard_reduction_db: bus.and_then(|bus| bus.guard_reduction_db),
        compressor_reduction_db: bus.and_then(|bus| bus.compressor_reduction_db),
        compressor_makeup_db: bus.map(|_| model.makeup().0),
        limiter_reduction_db: master.and_then(|master| master.limiter_reduction_db),
        latency_frames: device.latency_frames,
        latency_ms: device.latency_ms,
    })
}

/// What somebody who asks why should know beside.
fn notes(model: &Model, stream: &Stream) -> Vec<String> {
    let mut notes = Vec::new();
    let sink = stream.sink.as_deref();
    let is_ours = sink.and_then(InsertId::of_node).is_some();
    if stream.contested {
        notes.push(
            "something else moves it back again and again: it is left where that puts it, until \
             its route is another or route.stream asks for it anew"
                .to_owned(),
        );
    }
    if let Route::Bus(bus) = &stream.route
        && !routing::is_known(&stream.route)
    {
        notes.push(format!("there is no bus {bus:?}: it goes through the main one"));
    }
    match sink {
        None => notes.push("it is linked to no sink now".to_owned()),
        Some(_) if !stream.playing => notes.push("it is silent now".to_owned()),
        Some(_) => {}
    }
    if is_ours && model.settings().bypass {
        notes.push("bypass is on: the sound passes untouched".to_owned());
    }
    let count = beside(model, stream);
    if stream.bus.is_some() && stream.playing && count > 1 {
        notes.push(format!(
            "{count} streams share the bus, which levels them together: what is measured is that \
             of all of them"
        ));
    }
    if stream.own_volume == Some(OwnVolume::Approximate) {
        notes.push(
            "the volume of the app itself is approximate while several play: it holds between \
             them, and the bus makes up for what they have in common"
                .to_owned(),
        );
    }
    if let Some(Fold { from, to }) = stream.folded {
        notes.push(format!("its {from} channels are folded into {to}, for there are no more"));
    }
    notes
}
