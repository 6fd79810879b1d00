//! What it takes while nobody calls.

use std::fs;
use std::time::{Duration, Instant};

use super::*;

#[test]
fn an_endpoint_that_nobody_calls_is_never_woken_also_not_after_a_call() {
    let (_folder, path) = place();
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let bound = path.clone();
    let server = std::thread::Builder::new()
        .spawn(move || {
            let mut endpoint = bind(&bound);
            let mut program = Program::default();
            sender.send(rustix::thread::gettid()).unwrap();
            while program.position < 3 {
                let _ = endpoint.poll_timeout(&mut program, PATIENCE);
            }
        })
        .unwrap();
    let id = receiver.recv_timeout(PATIENCE).unwrap().as_raw_nonzero();
    let field = |name: &str| {
        let status = fs::read_to_string(format!("/proc/self/task/{id}/status")).unwrap();
        status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
    };
    for _ in 0..2 {
        call(&Knob::Turn { by: 1 }, &path, PATIENCE).unwrap();
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
    }
    call(&Knob::Turn { by: 1 }, &path, PATIENCE).unwrap();
    server.join().unwrap();
}
