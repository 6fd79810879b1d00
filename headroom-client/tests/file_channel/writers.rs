//! Several writers, and locks.

use std::fs;
use std::time::Duration;

use headroom_client::{ChannelError, FileChannelOptions};
use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use crate::place::{Place, all, message};

#[test]
fn writers_of_one_direction_are_serialised_and_each_keeps_its_order() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 1_000;
    let place = Place::new();
    let mut frontend = place.frontend();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            // Each with files of its own, as if it were another process.
            let options = FileChannelOptions::new().segment_bytes(20_000).limit_bytes(10 << 20);
            let mut backend = options.backend(place.path()).unwrap();
            scope.spawn(move || {
                for n in 0..EACH {
                    backend.send_event("n", &json!([writer, n])).unwrap();
                }
            });
        }
        let mut expected = [0; WRITERS as usize];
        let mut next_seq = 1;
        while next_seq <= WRITERS * EACH {
            assert!(frontend.wait(Duration::from_secs(20)).unwrap(), "at {next_seq}");
            for message in all(&mut frontend).into_iter().map(message) {
                assert_eq!(message.seq, next_seq);
                next_seq += 1;
                let [writer, n] = [0, 1].map(|place| message.payload[place].as_u64().unwrap());
                assert_eq!(n, expected[writer as usize]);
                expected[writer as usize] += 1;
            }
        }
    });
}

#[test]
fn a_writer_that_keeps_the_lock_is_an_error_and_one_that_is_gone_keeps_nothing() {
    let place = Place::new();
    let options = FileChannelOptions::new().patience(Duration::from_millis(30));
    let mut backend = options.backend(place.path()).unwrap();
    let holder = fs::File::open(place.file("backend.lock")).unwrap();
    flock(&holder, FlockOperation::LockExclusive).unwrap();
    let error = backend.send_event("n", &1).unwrap_err();
    assert!(matches!(error, ChannelError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("backend.lock has been locked"), "{error}");
    drop(holder);
    assert_eq!(backend.send_event("n", &1).unwrap(), "backend-1");
}
