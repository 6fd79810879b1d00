//! What the daemon puts up with, and what happens past it.

use std::io::Write;

use headroom_daemon::server::ServerSettings;
use headroom_ipc::{Code, Ping, Snapshot, Subscribe, Topic, encode_request};

use crate::daemon::{Daemon, wait_until};
use crate::peer::{Message, Peer};

#[test]
fn a_flood_past_the_limit_leaves_the_first_connections_served() {
    let daemon = Daemon::with(ServerSettings { max_connections: 8, ..Default::default() });
    let mut first: Vec<Peer> = (0..8).map(|_| daemon.peer()).collect();
    for _ in 0..200 {
        let mut late = daemon.stranger();
        match &late.rest()[..] {
            [Message::Refused(None, error)] => {
                assert_eq!(error.code, Code::Busy);
                assert_eq!(error.details.as_ref().and_then(|details| details.limit), Some(8));
            }
            other => panic!("{other:?}"),
        }
    }
    for peer in &mut first {
        peer.call(&Ping {}).expect("served");
    }
    // A place that becomes free is given out again.
    first.pop();
    wait_until("a free place", || daemon.connections() == 7);
    daemon.peer().call(&Ping {}).expect("served");
}

#[test]
fn half_a_frame_pins_nothing_but_its_own_threads() {
    let daemon = Daemon::start();
    let mut halves: Vec<Peer> = (0..20).map(|_| daemon.peer()).collect();
    for half in &mut halves {
        half.write(&[0, 0, 1, 0, 0x83]);
    }
    daemon.peer().call(&Ping {}).expect("served");
    drop(halves);
    wait_until("all to have gone", || daemon.connections() <= 1);
}

#[test]
fn who_sends_and_does_not_read_is_stopped_by_its_own_socket_and_loses_no_reply() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    let request = encode_request(7, &Snapshot { topics: None }).expect("short");
    let mut writing = peer.stream.try_clone().expect("a second handle");
    let sending = std::thread::Builder::new()
        .spawn(move || {
            for _ in 0..3_000 {
                writing.write_all(&request).expect("taken");
            }
        })
        .expect("a thread");
    // It cannot be taken whole while nobody reads.
    daemon.peer().call(&Ping {}).expect("served");
    for _ in 0..3_000 {
        assert!(matches!(peer.message(), Some(Message::Result(Some(7), _))));
    }
    sending.join().expect("all of it was taken");
}

#[test]
fn replies_find_room_beside_any_number_of_events() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    let call = Subscribe { topics: vec![Topic::Meters], snapshot: true, max_hz: None };
    peer.call(&call).expect("subscribed");
    let engine = daemon.engine.clone();
    let ticking = std::thread::Builder::new()
        .spawn(move || {
            for _ in 0..20_000 {
                let meters = headroom_ipc::Meters::default();
                engine.step(headroom_daemon::step::Input::Meters(meters));
            }
        })
        .expect("a thread");
    while !ticking.is_finished() {
        let ids: Vec<u64> = (0..100).map(|_| peer.send(&Ping {})).collect();
        for id in ids {
            peer.reply::<Ping>(id).expect("in order");
        }
        peer.kept();
    }
    ticking.join().expect("no panic");
}
