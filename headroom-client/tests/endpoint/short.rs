//! No descriptor left for a client.

use std::fs::File;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;

#[test]
fn clients_wait_while_there_is_no_descriptor_and_the_loop_is_not_kept_busy() {
    let Some(folder) = again::inside() else {
        let folder = tempfile::tempdir().unwrap();
        let test = "short::clients_wait_while_there_is_no_descriptor_and_the_loop_is_not_kept_busy";
        return again::run(test, folder.path(), None);
    };
    let path = folder.join("knob.sock");
    let mut endpoint = bind(&path);
    let mut program = Program::default();
    let caller = sends(&path, &message(&Knob::Turn { by: 1 }));
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum }).unwrap();
    let taken: Vec<File> = std::iter::from_fn(|| File::open("/").ok()).collect();
    assert_eq!(endpoint.poll(&mut program), Served::default());
    // One look in a tenth of a second, and not one after the other.
    let begin = Instant::now();
    let mut looks = 0;
    while begin.elapsed() < Duration::from_millis(250) {
        let mut descriptors = [rustix::event::PollFd::new(&endpoint, rustix::event::PollFlags::IN)];
        let timeout = rustix::event::Timespec { tv_sec: 0, tv_nsec: 250_000_000 };
        if rustix::event::poll(&mut descriptors, Some(&timeout)).unwrap() == 1 {
            let _ = endpoint.poll(&mut program);
            looks += 1;
        }
    }
    assert!(looks < 20, "{looks}");
    drop(taken);
    serve_while(&mut endpoint, &mut program, |served| served.answered == 0);
    assert!(heard(&caller).contains("Position"));
}
