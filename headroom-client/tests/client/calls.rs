//! Calls, their replies and their errors, one at a time and many at once.

use headroom_client::{Address, Client, ClientError, MAX_OPEN_REQUESTS};
use headroom_ipc::*;

use super::peer::{PATIENCE, Peer, beside, hello, listen, place, setting};

#[test]
fn a_call_gives_the_result_of_its_op_or_the_daemons_own_error() {
    let (mut client, mut peer) = Peer::pair();
    assert_eq!(client.daemon().run_id, "first");
    let daemon = beside(move || {
        peer.answer("setting.get", &setting("agc.target_lufs", -18.0));
        let request = peer.request().unwrap();
        let set = SettingSet { key: "x".into(), amount: SettingAmount::Value(3.0.into()) };
        assert_eq!(request.op, Op::SettingSet(set));
        let error = Error::not_found("key", "setting", "x", &[]);
        peer.send(&ServerFrame::error(request.id, &error));
        peer.answer("bypass.set", &Bypass { bypass: true });
    });
    assert_eq!(client.setting_get("agc.target_lufs").unwrap().value, (-18.0).into());
    let refused = client.setting_set("x", 3.0).unwrap_err();
    assert_eq!(refused.code(), Some(Code::NotFound));
    assert_eq!(refused.to_string(), "there is no setting \"x\"");
    assert!(!refused.is_unreachable());
    assert!(client.bypass_set(BypassTo::Toggle).unwrap().bypass);
    daemon.join().unwrap();
}

#[test]
fn every_typed_call_sends_its_op() {
    let (mut client, mut peer) = Peer::pair();
    let daemon = beside(move || {
        let mut ops = Vec::new();
        while let Some(request) = peer.request() {
            ops.push(request.op.name());
            peer.send(&ServerFrame::error(request.id, &Error::new(Code::Busy, "not now")));
        }
        ops
    });
    let c = &mut client;
    let mut refusals = vec![
        c.hello("test").err(),
        c.ping().err(),
        c.describe().err(),
        c.status().err(),
        c.stream_list().err(),
        c.sink_list().err(),
        c.sink_use(Some("speakers")).err(),
        c.profile_list().err(),
        c.profile_use("night").err(),
        c.profile_show(None).err(),
        c.profile_reload().err(),
        c.device_list().err(),
        c.device_set(None, "night").err(),
        c.device_unset(None).err(),
    ];
    let matches = Match { media_role: vec!["Music".into()], ..Match::default() };
    refusals.extend([
        c.route_list().err(),
        c.route_set(matches.clone(), Route::Bypass).err(),
        c.route_unset(matches).err(),
        c.route_stream(4, Some(Route::Protected)).err(),
        c.why_stream(4).err(),
        c.why_app("mpv").err(),
        c.setting_get("a").err(),
        c.setting_list(Some("agc")).err(),
        c.setting_set("a", true).err(),
        c.setting_clear("a").err(),
        c.setting_reset(None).err(),
        c.bypass_set(BypassTo::On).err(),
        c.promote_set(PromoteTo::On).err(),
        c.subscribe(&[Topic::Meters]).err(),
        c.unsubscribe(&[Topic::Meters]).err(),
        c.snapshot(&[Topic::Sinks]).err(),
    ]);
    for refusal in refusals {
        assert_eq!(refusal.unwrap().code(), Some(Code::Busy));
    }
    drop(client);
    let mut ops = daemon.join().unwrap();
    // `why` is asked in two ways.
    ops.dedup();
    assert_eq!(ops, Op::NAMES);
}

#[test]
fn requests_go_out_without_waiting_and_replies_are_taken_in_any_order() {
    let (mut client, mut peer) = Peer::pair();
    let get =
        |client: &mut Client, n: u32| client.send(&SettingGet { key: format!("key{n}") }).unwrap();
    let mut tickets: Vec<_> = (0..100).map(|n| Some(get(&mut client, n))).collect();
    // Only now does the daemon begin to read.
    let daemon = beside(move || {
        for _ in 0..100 {
            let request = peer.request().unwrap();
            let Op::SettingGet(get) = request.op else { panic!() };
            peer.send(&ServerFrame::reply(request.id, &setting(&get.key, 0.0)));
        }
        peer.answer("ping", &Pong {});
    });
    for n in [99, 0, 50, 49] {
        let ticket = tickets[n].take().unwrap();
        assert_eq!(client.wait(ticket).unwrap().key, format!("key{n}"));
    }
    // The other replies are of no interest any more, and in nobody's way.
    drop(tickets);
    client.ping().unwrap();
    daemon.join().unwrap();
}

#[test]
fn a_daemon_that_reads_only_once_its_replies_are_read_is_no_deadlock() {
    let (mut client, mut peer) = Peer::pair();
    // Far more in both directions than two sockets hold.
    let long = "x".repeat(4000);
    let daemon = beside(move || {
        for _ in 0..1000 {
            let request = peer.request().unwrap();
            let Op::SettingList(list) = request.op else { panic!() };
            let key = list.section.unwrap();
            let settings = vec![setting(&key, 0.0), setting(&long, 0.0)];
            peer.send(&ServerFrame::reply(request.id, &SettingValues { settings }));
        }
    });
    let tickets: Vec<_> = (0..1000)
        .map(|n| client.send(&SettingList { section: Some(format!("{n:0250}")) }).unwrap())
        .collect();
    for (n, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(client.wait(ticket).unwrap().settings[0].key, format!("{n:0250}"));
    }
    daemon.join().unwrap();
}

#[test]
fn only_so_many_requests_are_open_and_dropped_ones_make_room() {
    let (mut client, mut peer) = Peer::pair();
    let daemon = beside(move || {
        while let Some(request) = peer.request() {
            peer.send(&ServerFrame::reply(request.id, &Pong {}));
        }
    });
    let mut tickets: Vec<_> =
        (0..MAX_OPEN_REQUESTS).map(|_| client.send(&Ping {}).unwrap()).collect();
    match client.send(&Ping {}) {
        Err(ClientError::TooManyOpen { requests }) => assert_eq!(requests, MAX_OPEN_REQUESTS),
        other => panic!("{other:?}"),
    }
    let last = tickets.pop().unwrap();
    client.wait(last).unwrap();
    drop(tickets);
    for _ in 0..3 {
        client.ping().unwrap();
    }
    drop(client);
    daemon.join().unwrap();
}

#[test]
fn any_op_can_be_called_by_name() {
    let (mut client, mut peer) = Peer::pair();
    let daemon = beside(move || peer.answer("bypass.set", &Bypass { bypass: false }));
    let args = Value::Map(vec![("bypass".into(), "off".into())]);
    let ticket = client.send_raw("bypass.set", &args).unwrap();
    assert_eq!(client.wait(ticket).unwrap().to_string(), r#"{"bypass":false}"#);
    daemon.join().unwrap();
}

#[test]
fn who_is_not_there_and_who_turns_us_away_is_said() {
    let (_folder, address) = place();
    let absent = Client::connect(&address).unwrap_err();
    assert!(matches!(absent, ClientError::NotRunning { .. }), "{absent}");
    assert!(absent.is_unreachable());

    // A socket that a killed daemon has left behind.
    drop(listen(&address));
    let left = Client::connect(&address).unwrap_err();
    assert!(matches!(left, ClientError::NotRunning { .. }), "{left}");

    let listener = listen(&address);
    let daemon = beside(move || {
        let error = Error::new(Code::Busy, "256 programs are connected").with_limit(256);
        Peer::accept(&listener).send(&ServerFrame::error(None, &error));
        let other = Hello { protocol: 2, ..hello("first") };
        Peer::accept(&listener).send(&ServerFrame::hello(&other));
        drop(Peer::accept(&listener));
    });
    let busy = Client::connect(&address).unwrap_err();
    assert_eq!(busy.code(), Some(Code::Busy));
    let other = Client::connect(&address).unwrap_err();
    assert!(matches!(other, ClientError::OtherProtocol { daemon: 2 }), "{other}");
    let closed = Client::connect(&address).unwrap_err();
    assert!(matches!(closed, ClientError::Closed), "{closed}");
    daemon.join().unwrap();
}

#[test]
fn a_socket_without_a_file_is_reached_by_its_name() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};
    let name = format!("headroom-client-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let daemon = beside(move || {
        let mut peer = Peer::accept(&listener);
        peer.send(&ServerFrame::hello(&hello("first")));
        peer.answer("ping", &Pong {});
    });
    let address = Address::Abstract(name);
    Client::connect_within(&address, PATIENCE).unwrap().ping().unwrap();
    daemon.join().unwrap();
}
