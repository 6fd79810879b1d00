//! What it takes while nothing happens.

use std::fs;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use headroom_client::doorbell::{Cause, Doorbell, notify_in};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

use super::{PATIENCE, Session};

#[test]
fn ringing_where_nobody_listens_is_one_look_at_a_directory() {
    let session = Session::new();
    let bells = session.bells();
    let watch: OwnedFd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&watch, &bells, WatchFlags::ALL_EVENTS).unwrap();
    assert_eq!(notify_in(&bells, Cause::Profile), 0);
    let mut buffer = Vec::with_capacity(4096);
    let mut reader = Reader::new(&watch, buffer.spare_capacity_mut());
    let mut seen = Vec::new();
    while let Ok(event) = reader.next() {
        assert_eq!(event.file_name(), None, "nothing in it is touched");
        seen.push(event.events() - ReadFlags::ISDIR);
    }
    // The same event twice in a row is told once.
    assert_eq!(seen, [ReadFlags::OPEN, ReadFlags::ACCESS, ReadFlags::CLOSE_NOWRITE]);
}

#[test]
fn a_listener_that_nobody_rings_is_never_woken_and_has_no_thread() {
    let session = Session::new();
    let threads = |name: &str| {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.filter(|found| found.trim() == name).count()
    };
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let bells = session.bells();
    let listener = std::thread::Builder::new()
        .name("bell-listener".into())
        .spawn(move || {
            let mut bell = Doorbell::bind_in(bells).unwrap();
            sender.send(rustix::thread::gettid().as_raw_nonzero()).unwrap();
            bell.wait(PATIENCE).unwrap()
        })
        .unwrap();
    let id = receiver.recv_timeout(PATIENCE).unwrap();
    let status = || fs::read_to_string(format!("/proc/self/task/{id}/status")).unwrap();
    let field = |name: &str| {
        let status = status();
        status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
    };
    // It may have a little to do yet before it sleeps. Then it must sleep on.
    let end = Instant::now() + PATIENCE;
    loop {
        let before = field("voluntary_ctxt_switches:");
        std::thread::sleep(Duration::from_millis(300));
        if field("State:").starts_with('S') && field("voluntary_ctxt_switches:") == before {
            break;
        }
        assert!(Instant::now() < end, "it is woken for nothing");
    }
    assert_eq!(threads("bell-listener"), 1, "a thread that it had started would be called so too");
    assert_eq!(notify_in(session.bells(), Cause::State), 1);
    assert_eq!(listener.join().unwrap().count(), 1);
}
