//! `headroom bridge stdio`.

use headroom_client::ipc::*;

use crate::listener::Listener;
use crate::running::{Running, at, named, text, value};
use crate::scripted::{Daemon, Peer, hello, state};

/// The frozen bodies of this kind of message, which are one of every message that there is.
fn golden(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../headroom-ipc/tests/data/v1");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut found: Vec<_> = entries
        .filter(|path| name(path).starts_with(kind))
        .map(|path| (name(&path), std::fs::read(&path).unwrap()))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{kind}");
    found
}

fn decoded(body: &[u8]) -> Value {
    rmp_serde::from_slice(body).unwrap()
}

/// A bridge and the daemon that it has reached.
fn connected(daemon: &Daemon) -> (Running, Peer) {
    let listener = daemon.listen();
    let mut bridge = Running::begin(&mut daemon.command(&["bridge", "stdio"]));
    let peer = Peer::greet(&listener, &hello());
    assert_eq!(named(&bridge.value()), "daemon.hello");
    (bridge, peer)
}

#[test]
fn every_request_reply_and_event_of_the_protocol_passes_as_it_is() {
    let daemon = Daemon::new();
    let (mut bridge, mut peer) = connected(&daemon);
    let replies: Vec<_> = [golden("reply."), golden("error.")].concat();
    for (name, request) in golden("request.") {
        bridge.write(&format!("{}\n", serde_json::to_string(&decoded(&request)).unwrap()));
        assert_eq!(decoded(&peer.body().unwrap()), decoded(&request), "{name}");
        peer.send_raw(&decoded(&replies[0].1));
        assert_eq!(bridge.value(), decoded(&replies[0].1));
    }
    for (name, reply) in replies {
        bridge.write("{\"op\": \"ping\"}\n");
        peer.body().unwrap();
        peer.send_raw(&decoded(&reply));
        assert_eq!(bridge.value(), decoded(&reply), "{name}");
    }
    for (name, event) in golden("event.") {
        peer.send_raw(&decoded(&event));
        assert_eq!(bridge.value(), decoded(&event), "{name}");
    }
    // What a newer daemon may send, too.
    let later = value(r#"{"topic": "later", "event": "x", "seq": 1, "data": {"y": [1, -2, 0.5]}}"#);
    peer.send_raw(&later);
    assert_eq!(bridge.value(), later);
}

#[test]
fn a_bad_line_is_answered_and_the_next_one_is_good() {
    let Some(listener) = Listener::begin() else { return };
    let mut bridge = Running::begin(&mut listener.command(&["bridge", "stdio"]));
    assert_eq!(named(&bridge.value()), "daemon.hello");
    let (long, deep) = ("x".repeat(5 << 20), "[".repeat(1_000));
    // Within a line, but more than a message can hold.
    let too_much = format!("{{\"id\": 9, \"op\": \"{}\"}}", "x".repeat(2 << 20));
    let cases = [
        ("nonsense", Value::Nil, "INVALID_MESSAGE", "line 1 is no JSON: expected"),
        ("{\"id\": 7, \"op\": ", Value::Nil, "INVALID_MESSAGE", "line 3 is no JSON: EOF"),
        ("[1]", Value::Nil, "INVALID_MESSAGE", "the body is a list of 1, but must be a map"),
        ("\"ping\"", Value::Nil, "INVALID_MESSAGE", "but must be a map"),
        ("{\"id\": 8, \"op\": \"pnig\"}", 8.into(), "UNKNOWN_OP", "did you mean \"ping\"?"),
        ("{\"id\": -8, \"op\": \"ping\"}", Value::Nil, "INVALID_MESSAGE", "id is -8"),
        (&deep, Value::Nil, "INVALID_MESSAGE", "line 13 is no JSON: recursion limit"),
        (&long, Value::Nil, "INVALID_MESSAGE", "line 15 is longer than 4194304 bytes"),
        (
            &too_much,
            9.into(),
            "INVALID_MESSAGE",
            "the message takes 2097165 bytes, but the longest is 1048576",
        ),
    ];
    for (line, id, code, words) in cases {
        bridge.write(&format!("{line}\n{{\"id\": 1, \"op\": \"ping\"}}\n"));
        let refused = bridge.value();
        let message = text(&refused, "error.message");
        assert!(message.contains(words), "{words:?} is not in {message:?}");
        assert_eq!((at(&refused, "id"), text(&refused, "error.code")), (&id, code));
        assert_eq!(bridge.value(), value(r#"{"id": 1, "result": {}}"#));
    }
    // People press Enter, and Windows is not far.
    bridge.write("\n  \n{\"id\": 2, \"op\": \"ping\"}\r\n");
    assert_eq!(bridge.value(), value(r#"{"id": 2, "result": {}}"#));
}

#[test]
fn it_ends_with_its_input_once_every_request_has_its_reply() {
    let Some(listener) = Listener::begin() else { return };
    let mut bridge = Running::begin(&mut listener.command(&["bridge", "stdio"]));
    for id in 0..500 {
        bridge.write(&format!("{{\"id\": {id}, \"op\": \"describe\"}}\n"));
    }
    bridge.write("{\"id\": 500, \"op\": \"ping\"}");
    bridge.end_input();
    assert_eq!(named(&bridge.value()), "daemon.hello");
    for id in 0..=500 {
        assert_eq!(at(&bridge.value(), "id"), &id.into());
    }
    assert_eq!(bridge.line(), None);
    assert!(bridge.ended().success());
}

#[test]
fn it_ends_when_nobody_reads_it_any_more() {
    let daemon = Daemon::new();
    let listener = daemon.listen();
    let mut bridge = Running::unread(&mut daemon.command(&["bridge", "stdio"]));
    let peer = Peer::greet(&listener, &hello());
    drop(bridge.child.stdout.take());
    assert!(bridge.ended().success());
    drop(peer);
}

#[test]
fn without_a_daemon_every_request_is_refused_until_one_is_there() {
    let daemon = Daemon::new();
    let mut bridge = Running::begin(&mut daemon.command(&["bridge", "stdio"]));
    let disconnected = bridge.value();
    assert_eq!(named(&disconnected), "bridge.disconnected");
    let why = text(&disconnected, "data.message").to_owned();
    assert!(why.starts_with("headroomd is not running: nobody listens at "), "{why}");
    for id in 1..4 {
        bridge.write(&format!("{{\"id\": {id}, \"op\": \"status\"}}\n"));
        let refused = bridge.value();
        assert_eq!((at(&refused, "id"), text(&refused, "error.code")), (&id.into(), "UNAVAILABLE"));
        assert_eq!(text(&refused, "error.message"), why);
    }
    let listener = daemon.listen();
    let mut peer = Peer::greet(&listener, &hello());
    assert_eq!(named(&bridge.value()), "daemon.hello", "and nothing was told twice");
    bridge.write("{\"id\": 4, \"op\": \"ping\"}\n");
    peer.answer("ping", &Pong {});
    assert_eq!(bridge.value(), value(r#"{"id": 4, "result": {}}"#));
}

#[test]
fn when_the_daemon_goes_open_requests_are_answered_and_topics_are_asked_for_again() {
    let daemon = Daemon::new();
    let (mut bridge, mut peer) = connected(&daemon);
    let mut state = state();
    let args = r#"{"topics": ["setting", "meters"], "max_hz": 4}"#;
    bridge.write(&format!("{{\"id\": 1, \"op\": \"subscribe\", \"args\": {args}}}\n"));
    peer.subscribed(&state);
    assert_eq!(at(&bridge.value(), "id"), &1.into());
    peer.publish(&mut state, SettingChange::BypassChanged(Bypass { bypass: true }));
    assert_eq!(named(&bridge.value()), "setting.bypass_changed");
    bridge.write("{\"id\": 2, \"op\": \"ping\"}\n{\"op\": \"status\"}\n");
    assert_eq!(peer.request().unwrap().op.name(), "ping");
    assert_eq!(peer.request().unwrap().op.name(), "status");

    let listener = daemon.listen();
    drop(peer);
    for id in [Value::from(2), Value::Nil] {
        let refused = bridge.value();
        assert_eq!((at(&refused, "id"), text(&refused, "error.code")), (&id, "UNAVAILABLE"));
        let message = text(&refused, "error.message");
        assert!(message.ends_with("before it answered: it may have done this or not"), "{message}");
    }
    let told = bridge.value();
    assert_eq!(named(&told), "bridge.disconnected");
    assert_eq!(text(&told, "data.message"), "headroomd has closed the connection");

    // Another run, with another state.
    let mut peer = Peer::greet(&listener, &Hello { run_id: "second".into(), ..hello() });
    let mut state = Mirror::full();
    let asked = peer.subscribed(&state);
    assert_eq!((asked.topics, asked.max_hz), (vec![Topic::Setting, Topic::Meters], Some(4.0)));
    assert_eq!(text(&bridge.value(), "data.run_id"), "second");
    let again = bridge.value();
    assert_eq!(named(&again), "bridge.resubscribed");
    assert_eq!(at(&again, "data.snapshot.setting.state.bypass"), &false.into());
    peer.publish(&mut state, SettingChange::BypassChanged(Bypass { bypass: true }));
    assert_eq!(named(&bridge.value()), "setting.bypass_changed");

    // What was given up is not asked for again.
    bridge.write("{\"id\": 3, \"op\": \"unsubscribe\", \"args\": {\"topics\": [\"meters\"]}}\n");
    peer.answer("unsubscribe", &Unsubscribed { topics: vec![Topic::Setting] });
    assert_eq!(at(&bridge.value(), "id"), &3.into());
    let listener = daemon.listen();
    drop(peer);
    assert_eq!(named(&bridge.value()), "bridge.disconnected");
    let mut peer = Peer::greet(&listener, &hello());
    assert_eq!(peer.subscribed(&state).topics, [Topic::Setting]);
}

#[test]
fn a_daemon_of_another_version_or_that_refuses_is_none_and_says_why() {
    let daemon = Daemon::new();
    let listener = daemon.listen();
    let mut bridge = Running::begin(&mut daemon.command(&["bridge", "stdio"]));
    drop(Peer::greet(&listener, &Hello { protocol: 9, ..hello() }));
    let told = bridge.value();
    assert_eq!(named(&told), "bridge.disconnected");
    assert!(text(&told, "data.message").contains("speaks version 9"), "{told}");
    let busy = Error::new(Code::Busy, "256 connections are open, and that is the limit");
    let mut stream = listener.accept().unwrap().0;
    std::io::Write::write_all(&mut stream, ServerFrame::error(None, &busy).bytes()).unwrap();
    bridge.write("{\"id\": 1, \"op\": \"ping\"}\n");
    // Passed on before it was refused, or refused before it was passed on; told once.
    let refused = bridge.value();
    assert_eq!(text(&refused, "error.code"), "UNAVAILABLE");
    assert!(text(&refused, "error.message").starts_with("256 connections"), "{refused}");
    drop(stream);
    let _peer = Peer::greet(&listener, &hello());
    assert_eq!(named(&bridge.value()), "daemon.hello");
}
