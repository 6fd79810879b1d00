//! No descriptor left: in the ringer, and in the listener.

use std::fs::File;
use std::time::{Duration, Instant};

use headroom_client::doorbell::{Cause, Doorbell, notify_at, notify_in};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::again;

/// Leaves this process no descriptor.
fn exhaust() -> Vec<File> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum }).unwrap();
    std::iter::from_fn(|| File::open("/").ok()).collect()
}

#[test]
fn a_ringer_without_descriptors_gives_up_in_time_and_removes_no_bell() {
    let Some(folder) = again::inside() else {
        let folder = tempfile::tempdir().unwrap();
        let test = "shortage::a_ringer_without_descriptors_gives_up_in_time_and_removes_no_bell";
        return again::run(test, folder.path(), None);
    };
    let bells = folder.join("bells");
    let mut bell = Doorbell::bind_in(&bells).unwrap();
    let mut taken = exhaust();
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let begin = Instant::now();
        assert_eq!(notify_in(&bells, Cause::All), 0);
        assert!(!notify_at(bell.path(), Cause::All));
        assert!(begin.elapsed() >= Duration::from_millis(50), "it tries for a while");
        best = best.min(begin.elapsed());
    }
    assert!(best < Duration::from_millis(200), "{best:?}");
    // Enough to look, not to connect: the same.
    taken.pop();
    assert_eq!(notify_in(&bells, Cause::All), 0);
    assert!(bell.path().exists());
    // What another thread gives back in time is enough.
    let giving = std::thread::Builder::new()
        .spawn(move || {
            std::thread::sleep(Duration::from_millis(10));
            taken.truncate(10);
            taken
        })
        .unwrap();
    let begin = Instant::now();
    let took = notify_in(&bells, Cause::Profile);
    assert!(took == 1 || begin.elapsed() > Duration::from_millis(50), "{took}");
    drop(giving.join().unwrap());
    while notify_in(&bells, Cause::Profile) == 0 {}
    assert!(bell.try_take().unwrap().count() >= 1);
}

#[test]
fn a_listener_without_descriptors_hears_and_its_event_loop_sleeps_again() {
    let Some(folder) = again::inside() else {
        let folder = tempfile::tempdir().unwrap();
        let test = "shortage::a_listener_without_descriptors_hears_and_its_event_loop_sleeps_again";
        return again::run(test, folder.path(), None);
    };
    let bells = folder.join("bells");
    let mut bell = Doorbell::bind_in(&bells).unwrap();
    for _ in 0..3 {
        assert_eq!(notify_in(&bells, Cause::State), 1);
    }
    let taken = exhaust();
    let ring = bell.try_take().unwrap();
    assert_eq!((ring.count(), ring.causes().collect::<Vec<_>>()), (3, vec![Cause::State]));
    assert_eq!(bell.wait(Duration::from_millis(1)), None, "nothing is left in the queue");
    drop(taken);
}
