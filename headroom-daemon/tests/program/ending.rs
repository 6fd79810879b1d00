//! The end: SIGTERM in the midst of everything.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use headroom_ipc::{BypassSet, BypassTo, Change, DaemonChange, Subscribe, Topic};

use crate::peer::Message;
use crate::program::{Program, wait_until};

#[test]
fn a_sigterm_during_a_burst_ends_it_within_a_second_with_all_said() {
    let mut program = Program::start(&[]);
    let mut readers: Vec<_> = (0..4).map(|_| program.peer()).collect();
    for reader in &mut readers {
        let topics = vec![Topic::Setting, Topic::Daemon];
        reader.call(&Subscribe { topics, snapshot: false, max_hz: None }).expect("subscribed");
    }
    // One that never reads must not hold it up.
    let mut stuck = program.peer();
    let topics = vec![Topic::Setting];
    stuck.call(&Subscribe { topics, snapshot: false, max_hz: None }).expect("subscribed");
    let done: [Arc<AtomicU64>; 3] = std::array::from_fn(|_| Arc::default());
    let bursts: Vec<_> = done
        .iter()
        .map(|done| {
            let mut peer = program.peer();
            let done = done.clone();
            thread::Builder::new()
                .spawn(move || {
                    // Until the daemon has gone.
                    loop {
                        let request = headroom_ipc::encode_request(
                            1,
                            &BypassSet { bypass: BypassTo::Toggle },
                        );
                        let request = request.expect("short");
                        if std::io::Write::write_all(&mut peer.stream, &request).is_err() {
                            break;
                        }
                        match peer.message() {
                            Some(Message::Result(..)) => {
                                done.fetch_add(1, Ordering::SeqCst);
                            }
                            // Asked after the end, or after its last word.
                            Some(Message::Refused(..)) | None => break,
                            other => panic!("{other:?}"),
                        }
                    }
                    // What is left are whole messages: `rest` would say otherwise.
                    peer.rest();
                })
                .expect("a thread")
        })
        .collect();
    // The burst is under way.
    for reader in &mut readers {
        for _ in 0..200 {
            reader.event();
        }
    }
    wait_until("everybody to be at it", || done.iter().all(|done| done.load(Ordering::SeqCst) > 0));
    let reading: Vec<_> = readers
        .into_iter()
        .map(|mut reader| thread::Builder::new().spawn(move || reader.rest()).expect("a thread"))
        .collect();
    let begun = Instant::now();
    program.terminate();
    assert_eq!(program.wait().code(), Some(0));
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "it took {took:?}");
    assert!(!program.socket().exists(), "the socket is still there");
    assert!(UnixStream::connect(program.socket()).is_err());
    for burst in bursts {
        burst.join().expect("whole messages to the end");
    }
    for reader in reading {
        let messages = reader.join().expect("whole messages to the end");
        let Some(Message::Event(last)) = messages.last() else { panic!("{messages:?}") };
        let Change::Daemon(DaemonChange::Shutdown(shutdown)) = &last.change else {
            panic!("not the last word: {last:?}")
        };
        assert_eq!(shutdown.reason, "SIGTERM");
    }
}
