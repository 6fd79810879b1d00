//! Many rings are one.

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use headroom_client::doorbell::{Cause, Doorbell, MAX_WAITING_RINGS, notify_at, notify_in};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{PATIENCE, Session};

/// Whether an event loop would be told that there is something.
fn is_readable(bell: &Doorbell) -> bool {
    let mut descriptors = [PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN)];
    poll(&mut descriptors, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 1
}

#[test]
fn a_thousand_rings_while_the_listener_is_busy_are_one_with_a_count_and_the_causes() {
    let session = Session::new();
    let mut bell = Doorbell::bind_in(session.bells()).unwrap();
    assert!(!is_readable(&bell) && bell.try_take().is_none());
    for round in 0..1000 {
        let cause = if round == 500 { Cause::State } else { Cause::Profile };
        assert_eq!(notify_in(session.bells(), cause), 1);
    }
    assert!(is_readable(&bell));
    let ring = bell.try_take().unwrap();
    assert_eq!(ring.count(), 1000);
    assert_eq!(ring.causes().collect::<Vec<_>>(), [Cause::Profile, Cause::State]);
    assert!(!ring.is_crowded());
    assert!(!is_readable(&bell) && bell.try_take().is_none(), "that was all");
}

#[test]
fn what_the_queue_has_no_room_for_makes_it_a_ring_about_everything() {
    let session = Session::new();
    let mut bell = Doorbell::bind_in(session.bells()).unwrap();
    let took = (0..MAX_WAITING_RINGS + 100).map(|_| notify_in(session.bells(), Cause::State)).sum();
    assert!((MAX_WAITING_RINGS..MAX_WAITING_RINGS + 100).contains(&took), "{took}");
    let begin = Instant::now();
    assert!(!notify_at(bell.path(), Cause::Profile), "there was no room for this one");
    assert!(begin.elapsed() < PATIENCE);
    assert!(bell.path().exists(), "a full queue is no reason to remove a bell");
    let ring = bell.try_take().unwrap();
    assert_eq!(ring.count(), took);
    assert!(ring.is_crowded());
    assert!(ring.is_about(Cause::Profile), "what got lost is heard");
    assert!(notify_at(bell.path(), Cause::Profile));
    assert_eq!(bell.try_take().unwrap().causes().collect::<Vec<_>>(), [Cause::Profile]);
}

#[test]
fn waiting_ends_with_a_ring_or_with_the_time() {
    let session = Session::new();
    let mut bell = Doorbell::bind_in(session.bells()).unwrap();
    let begin = Instant::now();
    assert_eq!(bell.wait(Duration::from_millis(30)), None);
    assert!(begin.elapsed() >= Duration::from_millis(30));
    let path = bell.path().to_owned();
    let ringer = std::thread::Builder::new().spawn(move || notify_at(path, Cause::All)).unwrap();
    let ring = bell.wait(PATIENCE).unwrap();
    assert_eq!((ring.count(), ring.causes().collect::<Vec<_>>()), (1, vec![Cause::All]));
    assert!(ringer.join().unwrap());
}

#[test]
fn a_ringer_that_says_late_or_never_what_for_is_heard_once_and_holds_nothing_up() {
    let session = Session::new();
    let mut bell = Doorbell::bind_in(session.bells()).unwrap();
    let connect = |bell: &Doorbell| UnixStream::connect(bell.path()).unwrap();
    // It has connected, and the kernel took the processor from it.
    let mut late = connect(&bell);
    assert_eq!(bell.try_take(), None);
    assert!(!is_readable(&bell), "an event loop may sleep meanwhile");
    assert!(notify_at(bell.path(), Cause::Profile));
    assert_eq!(bell.try_take().unwrap().count(), 1);
    late.write_all(b"state\n").unwrap();
    assert!(is_readable(&bell));
    let ring = bell.try_take().unwrap();
    assert_eq!((ring.count(), ring.causes().collect::<Vec<_>>()), (1, vec![Cause::State]));

    // One that goes without a word, and one with a word of another version.
    drop(connect(&bell));
    assert_eq!(bell.try_take().unwrap().causes().collect::<Vec<_>>(), [Cause::All]);
    connect(&bell).write_all(b"rules\n").unwrap();
    assert_eq!(bell.try_take().unwrap().causes().collect::<Vec<_>>(), [Cause::All]);

    // However many say nothing, few of them take a descriptor.
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let silent: Vec<UnixStream> = (0..100).map(|_| connect(&bell)).collect();
    let before = open();
    assert_eq!(bell.try_take().unwrap().count(), 84);
    // Other tests of this process open some too.
    assert!(open() < before + 60, "{before}");
    assert!(notify_at(bell.path(), Cause::Profile));
    assert_eq!(bell.try_take().unwrap().count(), 1);
    drop(silent);
    assert_eq!(bell.try_take().unwrap().count(), 16);
}
