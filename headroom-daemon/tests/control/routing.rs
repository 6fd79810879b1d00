//! Streams and sinks, out of what the graph says of them.

use headroom_daemon::graph::{
    Destination, Facts, GraphCommand, GraphEvent, InsertId, Seen, SinkSeen, StreamSeen,
};
use headroom_daemon::step::Input;
use headroom_ipc::{
    Applied, Code, Match, Route, RouteSet, RouteStream, RouteUnset, RoutedBy, SinkList, StatusCall,
    StreamList, Subscribe, Topic,
};

use crate::daemon::Daemon;
use crate::peer::Peer;

fn news(daemon: &Daemon, event: &GraphEvent) {
    daemon.engine.step(Input::Graph(event));
}

/// One stream, which is linked to this sink.
fn census(daemon: &Daemon, sink: &str) {
    let stream = StreamSeen {
        serial: 90,
        node_name: "mpv".into(),
        app: Facts { application_name: Some("mpv".into()), ..Facts::default() },
        sink: Some(sink.into()),
        playing: true,
        channels: Some(2),
    };
    let sink = SinkSeen { serial: 30, name: "alsa".into(), ..SinkSeen::default() };
    let seen = Seen { streams: vec![stream], sinks: vec![sink], ..Seen::default() };
    news(daemon, &GraphEvent::Census(Box::new(seen)));
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
fn a_stream_is_sent_and_stays_sent_until_the_desktop_is_to_decide_again() {
    let daemon = connected();
    census(&daemon, "alsa");
    let mut peer = daemon.peer();
    let topics = vec![Topic::Routing, Topic::Sinks];
    let call = Subscribe { topics, snapshot: true, max_hz: None };
    let mut mirror = peer.call(&call).expect("subscribed").snapshot.expect("a snapshot");
    let told = || daemon.commands.try_recv().ok();

    assert_eq!(send(&mut peer, 90, Some(Route::Protected)), Ok((Route::Protected, RoutedBy::Pin)));
    match told() {
        Some(GraphCommand::SendStream { serial: 90, to: Some(Destination::Master) }) => {}
        other => panic!("{other:?}"),
    }
    // The graph follows, and says so by itself.
    census(&daemon, InsertId::Master.node_name());
    let streams = peer.call(&StreamList {}).expect("streams").streams;
    assert_eq!(streams[0].sink.as_deref(), Some("headroom.master"));
    assert_eq!((&streams[0].route, streams[0].routed_by), (&Route::Protected, RoutedBy::Pin));

    assert_eq!(send(&mut peer, 90, None), Ok((Route::Protected, RoutedBy::Graph)));
    assert!(matches!(told(), Some(GraphCommand::SendStream { serial: 90, to: None })));
    let main = Some(Route::Bus("main".into()));
    assert!(send(&mut peer, 90, main).is_ok(), "the bus has a name");
    assert!(told().is_some());

    assert_eq!(send(&mut peer, 91, Some(Route::Bypass)), Err(Code::NotFound));
    assert_eq!(send(&mut peer, 90, Some(Route::Bus("voice".into()))), Err(Code::NotFound));
    assert!(told().is_none(), "what is refused is not done");

    for event in peer.kept() {
        assert_eq!(mirror.apply(&event), Applied::Changed);
    }
    assert_eq!(mirror.routing.expect("it is in it").state.streams, {
        peer.call(&StreamList {}).expect("streams").streams
    });
    assert_eq!(peer.call(&StatusCall {}).expect("status").streams.len(), 1);
}

#[test]
fn a_rule_is_refused_as_long_as_nothing_would_apply_it() {
    let daemon = connected();
    let mut peer = daemon.peer();
    let matches = Match { process_binary: vec!["mpv".into()], ..Match::default() };
    let call = RouteSet { matches: matches.clone(), route: Route::Bypass };
    let error = peer.call(&call).expect_err("no rules");
    assert_eq!(error.code, Code::Unavailable);
    assert!(error.message.contains("route.stream"), "{error}");
    let error = peer.call(&RouteUnset { matches }).expect_err("there is none");
    assert_eq!(error.code, Code::NotFound);
}

#[test]
fn a_graph_that_does_not_listen_is_said_to_be_busy() {
    let daemon = connected();
    census(&daemon, "alsa");
    let mut peer = daemon.peer();
    let mut refused = None;
    for _ in 0..20_000 {
        if let Err(code) = send(&mut peer, 90, Some(Route::Bypass)) {
            refused = Some(code);
            break;
        }
    }
    assert_eq!(refused, Some(Code::Busy));
    let taken = daemon.commands.try_iter().count();
    assert!(taken > 0);
    assert!(send(&mut peer, 90, Some(Route::Bypass)).is_ok(), "and then listens again");
}
