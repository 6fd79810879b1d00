//! Subscriptions: state and events without a gap, losses counted to the last one.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use headroom_daemon::graph::{GraphEvent, InsertId};
use headroom_daemon::server::ServerSettings;
use headroom_daemon::step::Input;
use headroom_ipc::{
    Applied, BypassSet, BypassTo, Change, DaemonChange, Event, Meters, Overflow, Ping, Snapshot,
    Subscribe, Topic, Unsubscribe, encode_request,
};

use crate::daemon::{Daemon, wait_until};
use crate::peer::Peer;

fn subscribe(peer: &mut Peer, topics: &[Topic], max_hz: Option<f32>) {
    let call = Subscribe { topics: topics.to_vec(), snapshot: false, max_hz };
    peer.call(&call).expect("subscribed");
}

fn tick(daemon: &Daemon) {
    daemon.engine.step(Input::Meters(Meters::default()));
}

fn overflow(event: &Event) -> Option<&Overflow> {
    match &event.change {
        Change::Daemon(DaemonChange::Overflow(overflow)) => Some(overflow),
        _ => None,
    }
}

#[test]
fn the_state_and_the_first_event_after_it_belong_together() {
    let daemon = Daemon::start();
    let mut writer = daemon.peer();
    let toggling = std::thread::Builder::new()
        .spawn(move || {
            for _ in 0..2_000 {
                writer.call(&BypassSet { bypass: BypassTo::Toggle }).expect("done");
            }
        })
        .expect("a thread");
    'connections: while !toggling.is_finished() {
        let mut peer = daemon.peer();
        let call = Subscribe { topics: vec![Topic::Setting], snapshot: true, max_hz: None };
        let mut mirror = peer.call(&call).expect("subscribed").snapshot.expect("a snapshot");
        for _ in 0..5 {
            // The last ones may come too late for any event.
            let id = peer.send(&Ping {});
            peer.reply::<Ping>(id).expect("done");
            for event in peer.kept() {
                // On a busy machine this peer may be too slow: that is said before the hole.
                match mirror.apply(&event) {
                    Applied::Changed => {}
                    Applied::Lost(_) => continue 'connections,
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    toggling.join().expect("no panic");
}

#[test]
fn a_meters_only_subscriber_that_pauses_learns_the_exact_number_it_lost() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    subscribe(&mut peer, &[Topic::Meters], None);
    // A large message fills the socket, so that the queue fills behind it.
    let meters = {
        let bus = headroom_ipc::BusMeters {
            bus: "x".repeat(5_000),
            input_momentary_lufs: None,
            input_short_term_lufs: None,
            agc_gain_db: None,
            guard_reduction_db: None,
            compressor_reduction_db: None,
        };
        Meters { buses: vec![bus], master: None }
    };
    for _ in 0..500 {
        daemon.engine.step(Input::Meters(meters.clone()));
    }
    // It has not read, so there is a loss. Nothing more is published: the rest must come by
    // itself.
    let (mut delivered, mut lost, mut last_seq) = (0_u64, 0, 0);
    while delivered + lost < 500 {
        let event = peer.event();
        match overflow(&event) {
            Some(overflow) => {
                assert_eq!(overflow.topic, Topic::Meters);
                lost += overflow.lost;
                assert_eq!(overflow.total_lost, lost);
            }
            None => {
                assert!(event.seq > last_seq);
                last_seq = event.seq;
                delivered += 1;
            }
        }
    }
    assert_eq!(delivered + lost, 500);
    assert!(lost > 300, "only {lost} were lost: the pause was none");
    // And that was all.
    peer.call(&Ping {}).expect("done");
    assert_eq!(peer.kept(), []);
}

#[test]
fn what_is_delivered_and_what_is_reported_lost_are_what_was_published() {
    let daemon = Daemon::start();
    let mut slow = daemon.peer();
    subscribe(&mut slow, &[Topic::Meters, Topic::Setting], None);
    let mut writer = daemon.peer();
    let mut published = [0_u64; 2];
    let mut got = [0_u64; 2];
    let mut reported = [0_u64; 2];
    let place = |topic| usize::from(topic == Topic::Setting);
    let mut take = |event: Event, got: &mut [u64; 2]| match overflow(&event) {
        Some(overflow) => reported[place(overflow.topic)] += overflow.lost,
        None => got[place(event.topic)] += 1,
    };
    for round in 0..30 {
        for _ in 0..200 {
            tick(&daemon);
            published[0] += 1;
            writer.call(&BypassSet { bypass: BypassTo::Toggle }).expect("done");
            published[1] += 1;
        }
        // Reads a little and pauses again.
        for _ in 0..round {
            take(slow.event(), &mut got);
        }
    }
    // Losses that were not reported are, before the reply.
    let id = slow.send(&Unsubscribe { topics: None });
    let left = slow.reply::<Unsubscribe>(id).expect("done");
    assert_eq!(left.topics, []);
    for event in slow.kept() {
        take(event, &mut got);
    }
    assert_eq!([got[0] + reported[0], got[1] + reported[1]], published);
    tick(&daemon);
    slow.call(&Ping {}).expect("done");
    assert_eq!(slow.kept(), [], "after the reply none comes");
}

#[test]
fn one_stuck_subscriber_costs_the_others_nothing() {
    let daemon = Daemon::start();
    let mut stuck = daemon.peer();
    subscribe(&mut stuck, &[Topic::Setting, Topic::Meters], None);
    let mut others: Vec<Peer> = (0..5).map(|_| daemon.peer()).collect();
    for other in &mut others {
        subscribe(other, &[Topic::Setting], None);
    }
    let mut writer = daemon.peer();
    for round in 1..=3_000_u64 {
        writer.call(&BypassSet { bypass: BypassTo::Toggle }).expect("done");
        for other in &mut others {
            let event = other.event();
            assert_eq!((event.topic, event.seq), (Topic::Setting, round));
        }
    }
    // It is still there, and learns what it missed.
    let (mut delivered, mut lost) = (0, 0);
    while delivered + lost < 3_000 {
        match overflow(&stuck.event()) {
            Some(overflow) => lost += overflow.lost,
            None => delivered += 1,
        }
    }
    assert_eq!(delivered + lost, 3_000);
    assert!(lost > 0, "it was not stuck");
}

#[test]
fn max_hz_thins_the_meters_of_who_asks_for_it_and_that_is_no_loss() {
    let daemon = Daemon::start();
    let (mut thin, mut all) = (daemon.peer(), daemon.peer());
    subscribe(&mut thin, &[Topic::Meters], Some(0.1));
    subscribe(&mut all, &[Topic::Meters], None);
    for _ in 0..20 {
        tick(&daemon);
    }
    assert_eq!(thin.event().seq, 1);
    thin.call(&Ping {}).expect("done");
    assert_eq!(thin.kept(), []);
    for seq in 1..=20 {
        assert_eq!(all.event().seq, seq);
    }
}

#[test]
fn a_peer_that_takes_nothing_is_disconnected_and_the_others_stay() {
    let settings =
        ServerSettings { stalled_after: Duration::from_millis(200), ..Default::default() };
    let daemon = Daemon::with(settings);
    let mut stuck = daemon.peer();
    let mut other = daemon.peer();
    // Snapshots are large, and nobody reads them.
    let request = encode_request(1, &Snapshot { topics: None }).expect("short");
    let sent = (0..500).take_while(|_| stuck.stream.write_all(&request).is_ok()).count();
    wait_until("the stuck one to be disconnected", || daemon.connections() == 1);
    other.call(&Ping {}).expect("the other stays");
    // What the socket had taken can still be read, then comes the end, in the midst of it.
    let mut taken = Vec::new();
    if let Err(error) = stuck.stream.read_to_end(&mut taken) {
        // What we had sent and it had not read.
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    assert!(taken.len() < sent * 5_000, "{} bytes of {sent} snapshots", taken.len());
}

#[test]
fn meters_are_looked_at_while_somebody_wants_them_and_something_plays() {
    let daemon = Daemon::start();
    let running = |running| {
        let event = GraphEvent::Running { insert: InsertId::Main, running };
        daemon.engine.step(Input::Graph(&event));
    };
    assert_eq!(daemon.desk.pace().ticks_hz, 0.0);
    let mut peer = daemon.peer();
    subscribe(&mut peer, &[Topic::Meters], None);
    assert_eq!(daemon.desk.pace().ticks_hz, 0.0, "nothing plays");
    running(true);
    assert_eq!(daemon.desk.pace().ticks_hz, 20.0, "as the profile says");
    subscribe(&mut peer, &[Topic::Meters], Some(5.0));
    assert_eq!(daemon.desk.pace().ticks_hz, 5.0, "nobody wants more");
    running(false);
    assert_eq!(daemon.desk.pace().ticks_hz, 0.0);
    running(true);
    drop(peer);
    wait_until("nobody to look", || daemon.desk.pace().ticks_hz == 0.0);
}
