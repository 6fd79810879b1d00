//! A subscription through losses, restarts and absences of the daemon.

use std::time::{Duration, Instant};

use headroom_client::{ClientError, Subscription, Update};
use headroom_ipc::*;

use super::peer::{PATIENCE, Peer, beside, bypass, hello, listen, place, setting};

fn next(subscription: &mut Subscription) -> Update {
    subscription.next_within(PATIENCE).expect("an update")
}

fn event_of(update: Update) -> Event {
    match update {
        Update::Event(event) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_mirror_is_the_daemons_state_after_every_event() {
    let (_folder, address) = place();
    let listener = listen(&address);
    let daemon = beside(move || {
        let mut state = Mirror::full();
        let _ = state.publish(bypass(true));
        let mut peer = Peer::accept(&listener);
        peer.send(&ServerFrame::hello(&hello("first")));
        peer.subscribed(&state);
        for n in 0..200 {
            peer.publish(
                &mut state,
                SettingChange::Changed(setting(&format!("k{}", n % 7), n as f32)),
            );
        }
        (state, peer)
    });
    let mut subscription = Subscription::to(&address, &[Topic::Setting]);
    assert!(matches!(next(&mut subscription), Update::Connected { is_restarted: false, .. }));
    assert!(subscription.is_connected());
    let before = subscription.mirror().clone();
    assert!(before.setting.as_ref().unwrap().state.bypass);
    let mut copy = before;
    for _ in 0..200 {
        let event = event_of(next(&mut subscription));
        assert_eq!(copy.apply(&event), Applied::Changed);
        assert_eq!(subscription.mirror(), &copy);
    }
    let (state, _peer) = daemon.join().unwrap();
    assert_eq!(subscription.mirror(), &state.replicate(&[Topic::Setting]));
    assert!(subscription.next_within(Duration::ZERO).is_none());
}

/// The daemon drops events of a topic of state, tells it or not, and is asked for a snapshot.
fn lose(is_told: bool) {
    let (_folder, address) = place();
    let listener = listen(&address);
    let daemon = beside(move || {
        let mut state = Mirror::full();
        let mut peer = Peer::accept(&listener);
        peer.send(&ServerFrame::hello(&hello("first")));
        peer.subscribed(&state);
        peer.publish(&mut state, bypass(true));
        for n in 0..5 {
            let _ = state.publish(SettingChange::Changed(setting("lost", n as f32)));
        }
        if is_told {
            let overflow = Overflow { topic: Topic::Setting, lost: 5, total_lost: 5 };
            let note = Event::overflow(state.seq(Topic::Daemon).unwrap(), overflow);
            peer.send(&ServerFrame::event(&note).unwrap());
        } else {
            peer.publish(&mut state, bypass(false));
        }
        let request = peer.request().unwrap();
        assert_eq!(request.op, Snapshot { topics: Some(vec![Topic::Setting]) }.into());
        // Two more on the way: one that the snapshot has, and one that it has not.
        peer.publish(&mut state, SettingChange::Changed(setting("held", 1.0)));
        peer.send(&ServerFrame::reply(request.id, &state.replicate(&[Topic::Setting])));
        peer.publish(&mut state, SettingChange::Changed(setting("held", 2.0)));
        (state, peer)
    });
    let mut subscription = Subscription::to(&address, &[Topic::Setting, Topic::Meters]);
    assert!(matches!(next(&mut subscription), Update::Connected { .. }));
    assert_eq!(event_of(next(&mut subscription)).change, bypass(true).into());
    let note = event_of(next(&mut subscription));
    assert_eq!(note.as_overflow().is_some(), is_told);
    match next(&mut subscription) {
        Update::Resynchronised(topics) => assert_eq!(topics, [Topic::Setting]),
        other => panic!("{other:?}"),
    }
    let state = |subscription: &Subscription| {
        subscription.mirror().setting.as_ref().unwrap().state.settings.clone()
    };
    assert_eq!(state(&subscription), [setting("lost", 4.0), setting("held", 1.0)]);
    assert_eq!(event_of(next(&mut subscription)).seq, if is_told { 7 } else { 8 });
    let _ = event_of(next(&mut subscription));
    assert_eq!(state(&subscription), [setting("lost", 4.0), setting("held", 2.0)]);
    let (daemons, _peer) = daemon.join().unwrap();
    assert_eq!(subscription.mirror().setting, daemons.setting);
}

#[test]
fn after_a_loss_that_is_told_it_takes_a_snapshot_and_goes_on() {
    lose(true);
}

#[test]
fn after_a_hole_in_the_numbers_it_takes_a_snapshot_and_goes_on() {
    lose(false);
}

#[test]
fn a_loss_of_meters_is_told_and_asks_for_nothing() {
    let (_folder, address) = place();
    let listener = listen(&address);
    let daemon = beside(move || {
        let mut state = Mirror::full();
        let mut peer = Peer::accept(&listener);
        peer.send(&ServerFrame::hello(&hello("first")));
        peer.subscribed(&state);
        let overflow = Overflow { topic: Topic::Meters, lost: 436, total_lost: 436 };
        peer.send(&ServerFrame::event(&Event::overflow(1, overflow)).unwrap());
        let _ = state.publish(MetersChange::Tick(Meters::default()));
        peer.publish(&mut state, MetersChange::Tick(Meters::default()));
        peer.request()
    });
    let mut subscription = Subscription::to(&address, &[Topic::Meters]).with_max_hz(30.0);
    assert!(matches!(next(&mut subscription), Update::Connected { .. }));
    assert_eq!(event_of(next(&mut subscription)).as_overflow().unwrap().lost, 436);
    assert_eq!(event_of(next(&mut subscription)).seq, 2);
    assert_eq!(subscription.mirror().seq(Topic::Meters), Some(2));
    drop(subscription);
    assert_eq!(daemon.join().unwrap(), None);
}

#[test]
fn it_waits_for_a_daemon_that_is_not_there_and_notices_another_run() {
    let (_folder, address) = place();
    let mut subscription = Subscription::to(&address, &[Topic::Setting]).with_timeout(PATIENCE);
    match next(&mut subscription) {
        Update::Disconnected(ClientError::NotRunning { .. }) => {}
        other => panic!("{other:?}"),
    }
    // It says so once.
    assert!(subscription.next_within(Duration::from_millis(300)).is_none());
    assert!(!subscription.is_connected());

    let there = address.clone();
    let daemon = beside(move || {
        let listener = listen(&there);
        for (run, on) in [("first", true), ("first", false), ("second", true)] {
            let mut state = Mirror::full();
            let _ = state.publish(bypass(on));
            let mut peer = Peer::accept(&listener);
            peer.send(&ServerFrame::hello(&hello(run)));
            peer.subscribed(&state);
            let reason = "SIGTERM".to_owned();
            if run == "second" {
                // The new run counts anew.
                peer.publish(&mut state, bypass(false));
                peer.publish(&mut state, DaemonChange::Shutdown(Shutdown { reason }));
            }
        }
    });
    let mut restarts = Vec::new();
    for on in [true, false, true] {
        match next(&mut subscription) {
            Update::Connected { is_restarted, .. } => restarts.push(is_restarted),
            other => panic!("{other:?}"),
        }
        assert_eq!(subscription.mirror().setting.as_ref().unwrap().state.bypass, on);
        if restarts.len() < 3 {
            match next(&mut subscription) {
                Update::Disconnected(ClientError::Closed) => {}
                other => panic!("{other:?}"),
            }
            // What was known stays, until there is something newer.
            assert!(subscription.mirror().setting.is_some());
        }
    }
    assert_eq!(restarts, [false, false, true]);
    let event = event_of(next(&mut subscription));
    assert_eq!((event.seq, event.change), (2, bypass(false).into()));
    let last = event_of(next(&mut subscription));
    assert_eq!(last.change.event(), "shutdown");
    assert!(matches!(next(&mut subscription), Update::Disconnected(ClientError::Closed)));
    daemon.join().unwrap();
}

#[test]
fn a_daemon_that_turns_it_away_is_tried_again_and_not_in_a_loop() {
    let (_folder, address) = place();
    let listener = listen(&address);
    let daemon = beside(move || {
        let error = Error::new(Code::Busy, "256 programs are connected").with_limit(256);
        let begin = Instant::now();
        for _ in 0..4 {
            Peer::accept(&listener).send(&ServerFrame::error(None, &error));
        }
        let took = begin.elapsed();
        let mut peer = Peer::accept(&listener);
        peer.send(&ServerFrame::hello(&hello("first")));
        peer.subscribed(&Mirror::full());
        (took, peer)
    });
    let mut subscription = Subscription::to(&address, &[Topic::Setting]);
    match next(&mut subscription) {
        Update::Disconnected(error) => assert_eq!(error.code(), Some(Code::Busy)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(next(&mut subscription), Update::Connected { .. }));
    let (took, _peer) = daemon.join().unwrap();
    // 50, 100 and 200 ms.
    assert!(took >= Duration::from_millis(350), "{took:?}");
}
