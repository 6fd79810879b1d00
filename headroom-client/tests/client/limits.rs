//! A daemon that does not answer, does not stop, or is no daemon.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use headroom_client::{Client, ClientError, MAX_WAITING_EVENTS};
use headroom_ipc::*;

use super::peer::{PATIENCE, Peer, beside, bypass, hello, listen, place};

const SHORT: Duration = Duration::from_millis(60);

fn times_out<T: std::fmt::Debug>(call: impl FnOnce() -> Result<T, ClientError>) {
    let begin = Instant::now();
    let error = call().unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { .. }), "{error}");
    assert!(error.is_unreachable());
    assert!(begin.elapsed() >= SHORT, "{:?}", begin.elapsed());
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
}

#[test]
fn a_late_answer_is_skipped_and_the_next_call_gets_its_own() {
    let (mut client, mut peer) = Peer::pair();
    client.set_timeout(SHORT);
    times_out(|| client.setting_get("slow"));
    client.set_timeout(PATIENCE);
    let daemon = beside(move || {
        let late = peer.request().unwrap();
        peer.send(&ServerFrame::error(late.id, &Error::new(Code::NotFound, "late")));
        peer.answer("ping", &Pong {});
    });
    client.ping().unwrap();
    daemon.join().unwrap();
}

#[test]
fn a_daemon_that_says_nothing_or_half_of_it_is_given_up() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    times_out(|| Client::over(ours, SHORT));

    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let greeting = ServerFrame::hello(&hello("first"));
    theirs.write_all(&greeting.bytes()[..greeting.bytes().len() - 1]).unwrap();
    times_out(|| Client::over(ours, SHORT));

    // One that listens and never accepts: the kernel's queue takes one, and lets others wait.
    let (_folder, address) = place();
    let listener = listen(&address);
    rustix::net::listen(&listener, 0).unwrap();
    let Address::Path(path) = &address else { panic!() };
    let _queued = UnixStream::connect(path).unwrap();
    times_out(|| Client::connect_within(&address, SHORT));
}

#[test]
fn a_daemon_that_takes_nothing_is_given_up() {
    let (mut client, _peer) = Peer::pair();
    client.set_timeout(SHORT);
    let begin = Instant::now();
    let error = loop {
        // Tickets are dropped, but their requests stay open until they are answered.
        match client.send(&SettingGet { key: "k".repeat(250) }) {
            Ok(_) => {}
            Err(error) => break error,
        }
        assert!(begin.elapsed() < PATIENCE);
    };
    assert!(matches!(error, ClientError::TimedOut { .. }), "{error}");
    // Half a message may have gone out.
    let after = client.ping().unwrap_err();
    assert!(matches!(after, ClientError::Closed | ClientError::TimedOut { .. }), "{after}");
}

#[test]
fn what_pours_in_during_a_call_is_kept_within_bounds_and_counted() {
    let (mut client, mut peer) = Peer::pair();
    const TICKS: u64 = 20_000;
    let daemon = beside(move || {
        let mut state = Mirror::full();
        peer.subscribed(&state);
        let ping = peer.request().unwrap();
        for n in 0..TICKS {
            if n % 100 == 0 {
                peer.publish(&mut state, bypass(n % 200 == 0));
            }
            peer.publish(&mut state, MetersChange::Tick(Meters::default()));
        }
        // The daemon too has dropped some, and says so.
        let overflow = Overflow { topic: Topic::Meters, lost: 7, total_lost: 7 };
        peer.send(&ServerFrame::event(&Event::overflow(0, overflow)).unwrap());
        peer.send(&ServerFrame::reply(ping.id, &Pong {}));
        peer.publish(&mut state, bypass(true));
    });
    client.subscribe(&[Topic::Meters, Topic::Setting]).unwrap();
    client.ping().unwrap();
    let (mut ticks, mut changes, mut lost) = (0, 0, [0; TOPICS]);
    let mut waiting = 0;
    while ticks + lost[5] < TICKS + 7 || changes + lost[2] < TICKS / 100 + 1 {
        let event = client.next_event(PATIENCE).unwrap().expect("another event");
        match event.as_overflow() {
            Some(overflow) => lost[overflow.topic.index().unwrap()] += overflow.lost,
            None if event.topic == Topic::Meters => ticks += 1,
            None => changes += 1,
        }
        waiting += 1;
    }
    assert_eq!(ticks + lost[5], TICKS + 7);
    assert_eq!(changes + lost[2], TICKS / 100 + 1);
    assert!(ticks > 0 && lost[5] > 7);
    assert!(waiting <= MAX_WAITING_EVENTS + 3, "{waiting}");
    daemon.join().unwrap();
}

#[test]
fn what_is_no_message_of_a_daemon_ends_the_connection_in_words() {
    for (bytes, words) in [
        (&[0xff, 0xff, 0xff, 0xff][..], "4294967295 bytes was announced"),
        (&[0, 0, 0, 1, 0xc1][..], "the daemon sent no message"),
        (&[0, 0, 0, 2, 0x91, 0xc0][..], "the daemon sent no message"),
    ] {
        let (mut client, mut peer) = Peer::pair();
        peer.stream.write_all(bytes).unwrap();
        let error = client.ping().unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(matches!(client.ping(), Err(ClientError::Closed)));
    }
}

#[test]
fn why_the_daemon_closes_is_heard_even_when_the_write_fails() {
    let (mut client, mut peer) = Peer::pair();
    let error = Error::new(Code::InvalidFrame, "that was no frame");
    peer.send(&ServerFrame::error(None, &error));
    drop(peer);
    let heard = client.ping().unwrap_err();
    assert_eq!(heard.code(), Some(Code::InvalidFrame), "{heard}");
}

#[test]
fn replies_that_nobody_takes_are_held_within_bounds_and_dropping_them_makes_room() {
    let (mut client, mut peer) = Peer::pair();
    let long = "x".repeat(1_000_000);
    let daemon = beside(move || {
        while let Some(request) = peer.request() {
            let result = Value::Text(long.clone());
            let reply = ServerFrame::reply(request.id, &result);
            if peer.stream.write_all(reply.bytes()).is_err() {
                // The client has seen enough.
                break;
            }
        }
    });
    let mut tickets = Vec::new();
    let full = loop {
        let raw = Value::Map(Vec::new());
        match client.send_raw("ping", &raw) {
            Ok(ticket) => tickets.push(ticket),
            Err(error) => break error,
        }
        // The last of them first, so that the others are held.
        if tickets.len() == 100 {
            break client.wait(tickets.pop().unwrap()).unwrap_err();
        }
    };
    assert!(matches!(full, ClientError::TooManyOpen { .. }), "{full}");
    assert!(!full.is_unreachable());
    tickets.truncate(3);
    // The replies to the dropped ones are skipped as they come.
    assert!(client.send_raw("ping", &Value::Map(Vec::new())).is_ok());
    for ticket in tickets {
        assert_eq!(client.wait(ticket).unwrap().as_text().map(str::len), Some(1_000_000));
    }
    drop(client);
    daemon.join().unwrap();
}
