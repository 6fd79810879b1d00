//! A bridge that has nothing to carry does nothing.

use std::fs;
use std::time::{Duration, Instant};

use headroom_client::FileChannel;
use headroom_client::ipc::Pong;
use serde_json::json;

use crate::running::{PATIENCE, Running, at, next};
use crate::scripted::{Daemon, Peer, hello};

/// How often a process has slept, and been woken.
fn sleeps(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What its threads have used, in nanoseconds.
fn cpu_ns(id: u32) -> u64 {
    let schedstat = fs::read_to_string(format!("/proc/{id}/schedstat")).unwrap();
    schedstat.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn both_bridges_sleep_for_good_once_they_have_nothing_to_carry() {
    let daemon = Daemon::new();
    let listener = daemon.listen();
    let mut stdio = Running::begin(&mut daemon.command(&["bridge", "stdio"]));
    let mut first = Peer::greet(&listener, &hello());
    stdio.value();
    stdio.write("{\"id\": 1, \"op\": \"ping\"}\n");
    first.answer("ping", &Pong {});
    assert_eq!(at(&stdio.value(), "id"), &1.into());

    let home = crate::harness::Folder::new();
    let directory = home.path("panel");
    let mut panel = FileChannel::frontend(&directory).unwrap();
    let files =
        Running::begin(&mut daemon.command(&["bridge", "files", directory.to_str().unwrap()]));
    let mut second = Peer::greet(&listener, &hello());
    let id = panel.send_request("ping", &json!({})).unwrap();
    second.answer("ping", &Pong {});
    panel.wait_response(&id, PATIENCE).unwrap().unwrap();
    next(&mut panel);

    let used =
        || [&stdio, &files].map(|bridge| (sleeps(bridge.child.id()), cpu_ns(bridge.child.id())));
    // On a busy machine it takes a while until they sleep.
    let end = Instant::now() + PATIENCE;
    loop {
        let before = used();
        std::thread::sleep(Duration::from_millis(700));
        let after = used();
        if before == after {
            return;
        }
        assert!(Instant::now() < end, "they do not come to rest: {before:?} {after:?}");
    }
}
