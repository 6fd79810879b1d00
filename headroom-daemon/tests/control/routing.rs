//! Streams and sinks, out of what the graph says of them.

use headroom_daemon::graph::{
    Destination, Facts, FixedBy, GraphCommand, GraphEvent, InsertId, Seen, SinkSeen, StreamSeen,
    Tie,
};
use headroom_daemon::step::Input;
use headroom_ipc::{
    Applied, Code, Match, ProfileUse, Route, RouteList, RouteSet, RouteStream, RouteUnset,
    RoutedBy, RuleOrigin, SinkList, StatusCall, StreamList, Subscribe, Topic,
};

use crate::daemon::Daemon;
use crate::peer::Peer;

fn news(daemon: &Daemon, event: &GraphEvent) {
    daemon.engine.step(Input::Graph(event));
}

/// One stream, which is linked to this sink.
fn census(daemon: &Daemon, sink: &str) {
    census_of(daemon, sink, Tie::None);
}

fn census_of(daemon: &Daemon, sink: &str, tie: Tie) {
    let stream = StreamSeen {
        serial: 90,
        node_name: "mpv".into(),
        app: Facts { application_name: Some("mpv".into()), ..Facts::default() },
        sink: Some(sink.into()),
        playing: true,
        channels: Some(2),
        tie,
        ..StreamSeen::default()
    };
    let sink = SinkSeen { serial: 30, name: "alsa".into(), ..SinkSeen::default() };
    let seen = Seen { session: 3, streams: vec![stream], sinks: vec![sink], ..Seen::default() };
    news(daemon, &GraphEvent::Census(Box::new(seen)));
}

/// Where the graph has been told to send the stream, if it has been told anything of streams; the
/// newest counts.
fn told(daemon: &Daemon) -> Option<Option<Destination>> {
    let route = |command| match command {
        GraphCommand::Route(aims) => Some(aims),
        _ => None,
    };
    let aims = daemon.commands.try_iter().filter_map(route).last()?;
    assert_eq!(aims.session, 3);
    assert!(aims.streams.keys().all(|stream| *stream == 90), "{aims:?}");
    Some(aims.streams.get(&90).map(|aim| aim.to))
}

fn mpv() -> Match {
    Match { application_name: vec!["mp?".into()], ..Match::default() }
}

fn connected() -> Daemon {
    let daemon = Daemon::start();
    news(&daemon, &GraphEvent::Connected { server: "1.4.2".into(), library: "1.4.2".into() });
    daemon
}

fn send(peer: &mut Peer, stream: u64, route: Option<Route>) -> Result<(Route, RoutedBy), Code> {
    let sent = peer.call(&RouteStream { stream, route });
    sent.map(|stream| (stream.route, stream.routed_by)).map_err(|error| error.code)
}

#[test]
fn without_pipewire_there_is_nothing_to_list() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    let refused = [
        peer.call(&StreamList {}).expect_err("no PipeWire"),
        peer.call(&SinkList {}).expect_err("no PipeWire"),
        peer.call(&RouteStream { stream: 1, route: None }).expect_err("no PipeWire"),
    ];
    for error in refused {
        assert_eq!(error.code, Code::Unavailable, "{error}");
    }
}

#[test]
fn a_stream_is_sent_where_it_was_chosen_to_go_until_the_rules_are_to_decide_again() {
    let daemon = connected();
    census(&daemon, "alsa");
    let mut peer = daemon.peer();
    let topics = vec![Topic::Routing, Topic::Sinks];
    let call = Subscribe { topics, snapshot: true, max_hz: None };
    let mut mirror = peer.call(&call).expect("subscribed").snapshot.expect("a snapshot");
    assert_eq!(told(&daemon), Some(Some(Destination::Bus)), "the default route");

    assert_eq!(send(&mut peer, 90, Some(Route::Protected)), Ok((Route::Protected, RoutedBy::Pin)));
    assert_eq!(told(&daemon), Some(Some(Destination::Master)));
    // The graph follows, and says so by itself.
    census(&daemon, InsertId::Master.node_name());
    let streams = peer.call(&StreamList {}).expect("streams").streams;
    assert_eq!(streams[0].sink.as_deref(), Some("headroom.master"));
    assert_eq!((&streams[0].route, streams[0].routed_by), (&Route::Protected, RoutedBy::Pin));
    assert_eq!(told(&daemon), None, "it knows");

    // It outlives rules and profiles.
    let call = RouteSet { matches: mpv(), route: Route::Bypass };
    peer.call(&call).expect("a rule");
    peer.call(&ProfileUse { name: "bypass-all".into() }).expect("used");
    assert_eq!(told(&daemon), None, "nothing new");
    let by_rule = (Route::Bypass, RoutedBy::Rule);
    assert_eq!(send(&mut peer, 90, None), Ok(by_rule));
    assert_eq!(told(&daemon), Some(Some(Destination::Device)));
    let main = Some(Route::Bus("main".into()));
    assert!(send(&mut peer, 90, main).is_ok(), "the bus has a name");
    assert_eq!(told(&daemon), Some(Some(Destination::Bus)));

    assert_eq!(send(&mut peer, 91, Some(Route::Bypass)), Err(Code::NotFound));
    assert_eq!(send(&mut peer, 90, Some(Route::Bus("voice".into()))), Err(Code::NotFound));
    assert_eq!(told(&daemon), None, "what is refused is not done");

    for event in peer.kept() {
        assert_eq!(mirror.apply(&event), Applied::Changed);
    }
    assert_eq!(mirror.routing.expect("it is in it").state.streams, {
        peer.call(&StreamList {}).expect("streams").streams
    });
    assert_eq!(peer.call(&StatusCall {}).expect("status").streams.len(), 1);
}

#[test]
fn a_rule_of_the_user_counts_before_those_of_any_profile_until_it_is_taken_back() {
    let daemon = connected();
    census(&daemon, "alsa");
    let mut peer = daemon.peer();
    let goes = |peer: &mut Peer| {
        let stream = peer.call(&StreamList {}).expect("streams").streams.remove(0);
        (stream.route, stream.routed_by)
    };
    assert_eq!(goes(&mut peer), (Route::Processed, RoutedBy::DefaultRoute));
    let set = |route| RouteSet { matches: mpv(), route };
    let rule = peer.call(&set(Route::Bypass)).expect("a rule");
    assert_eq!((rule.origin, &rule.route), (RuleOrigin::User, &Route::Bypass));
    assert_eq!(goes(&mut peer), (Route::Bypass, RoutedBy::Rule));
    assert_eq!(told(&daemon), Some(Some(Destination::Device)));
    // The same match again is the same rule, and a new one comes before it.
    peer.call(&set(Route::Protected)).expect("changed");
    let all = Match { application_name: vec!["*".into()], ..Match::default() };
    peer.call(&RouteSet { matches: all.clone(), route: Route::Processed }).expect("a rule");
    peer.call(&ProfileUse { name: "gaming".into() }).expect("used");
    let rules = peer.call(&RouteList {}).expect("rules");
    let users = rules.rules.iter().filter(|rule| rule.origin == RuleOrigin::User);
    let users: Vec<_> = users.map(|rule| (&rule.matches, &rule.route)).collect();
    assert_eq!(users, [(&all, &Route::Processed), (&mpv(), &Route::Protected)]);
    assert!(rules.rules[2..].iter().all(|rule| rule.origin == RuleOrigin::Profile));
    assert_eq!(rules.default_route, Route::Bypass);
    assert_eq!(goes(&mut peer), (Route::Processed, RoutedBy::Rule));

    let left = peer.call(&RouteUnset { matches: all.clone() }).expect("gone");
    assert_eq!(left, peer.call(&RouteList {}).expect("rules"));
    assert_eq!(goes(&mut peer), (Route::Protected, RoutedBy::Rule));
    peer.call(&RouteUnset { matches: mpv() }).expect("gone");
    assert_eq!(goes(&mut peer), (Route::Bypass, RoutedBy::DefaultRoute));
    let error = peer.call(&RouteUnset { matches: all }).expect_err("there is none");
    assert_eq!(error.code, Code::NotFound);
    let nowhere = RouteSet { matches: mpv(), route: Route::Bus("voice".into()) };
    assert_eq!(peer.call(&nowhere).expect_err("no such bus").code, Code::NotFound);
}

#[test]
fn rules_have_an_end_and_changing_one_is_always_possible() {
    let daemon = connected();
    let mut peer = daemon.peer();
    let rule = |n: usize, route| {
        let matches = Match { process_binary: vec![format!("app-{n}")], ..Match::default() };
        RouteSet { matches, route }
    };
    for n in 0..256 {
        peer.call(&rule(n, Route::Bypass)).expect("room");
    }
    let error = peer.call(&rule(256, Route::Bypass)).expect_err("no room");
    assert_eq!(error.code, Code::Conflict);
    assert!(error.message.contains("256") && error.message.contains("route.unset"), "{error}");
    peer.call(&rule(0, Route::Protected)).expect("the same rule");
}

#[test]
fn what_says_that_it_is_not_to_be_moved_is_left_alone() {
    let daemon = connected();
    census_of(&daemon, "alsa", Tie::Fixed(FixedBy::DontMove));
    let mut peer = daemon.peer();
    let stream = peer.call(&StreamList {}).expect("streams").streams.remove(0);
    assert_eq!((stream.route, stream.routed_by), (Route::Bypass, RoutedBy::Graph));
    assert_eq!(told(&daemon).flatten(), None);
    assert_eq!(send(&mut peer, 90, Some(Route::Processed)), Err(Code::Conflict));
    assert_eq!(told(&daemon), None);
}

#[test]
fn a_stream_that_its_app_or_the_user_has_put_elsewhere_moves_only_if_the_user_says_so() {
    let daemon = connected();
    census_of(&daemon, "hdmi", Tie::Chosen);
    let mut peer = daemon.peer();
    let goes = |peer: &mut Peer| {
        let stream = peer.call(&StreamList {}).expect("streams").streams.remove(0);
        (stream.route, stream.routed_by)
    };
    assert_eq!(goes(&mut peer), (Route::Bypass, RoutedBy::Graph));
    assert_eq!(told(&daemon).flatten(), None);
    peer.call(&RouteSet { matches: mpv(), route: Route::Processed }).expect("a rule");
    assert_eq!(goes(&mut peer), (Route::Processed, RoutedBy::Rule));
    assert_eq!(told(&daemon), Some(Some(Destination::Bus)));
}
