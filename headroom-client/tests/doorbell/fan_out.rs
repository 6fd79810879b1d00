//! One ring for all, and nobody is held up.

use std::time::{Duration, Instant};

use headroom_client::doorbell::{Cause, Doorbell, MAX_WAITING_RINGS, notify_at, notify_in};
use rustix::process::Signal;

use super::Session;
use super::program::Listener;

/// What a machine with other work to do is forgiven: the best of so many counts.
const ROUNDS: usize = 5;

#[test]
fn fifty_listeners_with_one_of_them_stopped_are_rung_in_under_100_ms_and_none_is_lost() {
    let session = Session::new();
    let mut bells: Vec<Doorbell> =
        (0..49).map(|_| Doorbell::bind_in(session.bells()).unwrap()).collect();
    let mut stopped = Listener::begin(&session);
    stopped.stop();
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        assert_eq!(notify_in(session.bells(), Cause::Profile), 50);
        best = best.min(begin.elapsed());
        for bell in &mut bells {
            let ring = bell.try_take().unwrap();
            assert_eq!(
                (ring.count(), ring.causes().collect::<Vec<_>>()),
                (1, vec![Cause::Profile])
            );
        }
    }
    eprintln!("50 listeners, one stopped: {} us", best.as_micros());
    assert!(best < Duration::from_millis(100), "{best:?}");
    stopped.signal(Signal::CONT);
    assert_eq!(stopped.next_line(), format!("rung {ROUNDS} times: profile"));
}

#[test]
fn a_listener_that_is_stopped_and_has_no_room_holds_nobody_up_and_keeps_its_bell() {
    let session = Session::new();
    let mut stopped = Listener::begin(&session);
    stopped.stop();
    while notify_at(&stopped.bell, Cause::State) {}
    let mut bells: Vec<Doorbell> =
        (0..9).map(|_| Doorbell::bind_in(session.bells()).unwrap()).collect();
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        assert_eq!(notify_in(session.bells(), Cause::Profile), 9);
        best = best.min(begin.elapsed());
        assert!(bells.iter_mut().all(|bell| bell.try_take().is_some()));
    }
    // Not even the 50 ms that a ringer in need may take.
    assert!(best < Duration::from_millis(50), "{best:?}");
    assert!(stopped.bell.exists());
    stopped.signal(Signal::CONT);
    let heard = stopped.next_line();
    let count: usize = heard.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(count >= MAX_WAITING_RINGS, "{heard}");
    assert!(heard.ends_with("all"), "{heard}");
}
