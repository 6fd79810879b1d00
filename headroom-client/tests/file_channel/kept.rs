//! What rotation keeps, what it drops, and who is told.

use headroom_client::{ChannelError, FileChannelOptions, Gone, Received};
use serde_json::json;

use crate::place::{Place, all, message, numbers};

/// About 100 bytes each.
fn send(channel: &mut headroom_client::FileChannel, n: u64) -> Result<String, ChannelError> {
    channel.send_event("n", &json!(n))
}

#[test]
fn rotation_drops_what_every_known_reader_has_passed_and_nothing_else() {
    let place = Place::new();
    let mut backend = place.short(1_000);
    let (mut fast, mut slow) = (place.frontend(), place.reader("slow"));
    assert_eq!((numbers(&mut fast).len(), numbers(&mut slow).len()), (0, 0));
    for n in 0..60 {
        send(&mut backend, n).unwrap();
        assert_eq!(numbers(&mut fast), [n]);
    }
    let files = place.files();
    assert!(files.len() > 3, "{files:?}");
    assert!(files.iter().all(|(_, bytes)| *bytes <= 1_000), "{files:?}");
    for n in 0..60 {
        assert_eq!(message(slow.recv_one().unwrap().unwrap()).payload, json!(n));
    }
    for n in 60..80 {
        send(&mut backend, n).unwrap();
        assert_eq!((numbers(&mut fast), numbers(&mut slow)), (vec![n], vec![n]));
    }
    assert!(place.files().len() <= 2, "{:?}", place.files());
}

#[test]
fn with_no_reader_yet_the_oldest_goes_and_a_late_reader_is_told() {
    let place = Place::new();
    let mut backend = place.short(1_000);
    for n in 1..=500 {
        send(&mut backend, n).unwrap();
        let kept_bytes: u64 = place.files().iter().map(|(_, bytes)| bytes).sum();
        assert!(kept_bytes <= 8_000, "{kept_bytes}");
    }
    let mut late = place.frontend();
    let mut got = all(&mut late).into_iter();
    let Some(Received::Gone(gone)) = got.next() else { panic!() };
    assert_eq!(gone, Gone { first_seq: 1, last_seq: gone.count, count: gone.count });
    assert!(gone.count > 300 && gone.count < 490, "{gone:?}");
    let kept: Vec<u64> = got.map(|received| message(received).seq).collect();
    assert!(kept.iter().copied().eq(gone.count + 1..=500), "the rest, whole and in order");
    // It is told once.
    drop(late);
    assert_eq!(all(&mut place.frontend()), []);
}

#[test]
fn a_known_reader_that_is_left_behind_is_an_error_of_the_sender_and_no_loss() {
    let place = Place::new();
    let mut backend = place.short(1_000);
    let mut slow = place.reader("slow");
    assert!(numbers(&mut slow).is_empty());
    drop(slow);
    let mut sent = 0;
    let error = loop {
        match send(&mut backend, sent) {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    let ChannelError::Behind { reader, kept_bytes, limit_bytes, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((reader.as_str(), *limit_bytes), ("slow", 8_000));
    assert!(*kept_bytes > 8_000 && *kept_bytes < 8_200, "{error}");
    let bytes: u64 = place.files().iter().map(|(_, bytes)| bytes).sum();
    assert!(bytes <= 8_000, "{bytes}");
    assert!(error.to_string().starts_with("the reader \"slow\" has left "), "{error}");
    assert!(send(&mut backend, sent).is_err(), "and again");
    assert_eq!(sent, numbers(&mut place.reader("slow")).len() as u64, "all that was sent is there");
    // It has read: on it goes, with the next number.
    assert_eq!(send(&mut backend, sent).unwrap(), format!("backend-{}", sent + 1));
    assert_eq!(numbers(&mut place.reader("slow")), [sent]);
}

#[test]
fn sixteen_mib_are_kept_for_a_reader_by_default() {
    let place = Place::new();
    let mut backend = place.backend();
    assert!(numbers(&mut place.reader("slow")).is_empty());
    let payload = "x".repeat(64 * 1024);
    while backend.send_event("n", &payload).is_ok() {}
    let bytes: u64 = place.files().iter().map(|(_, bytes)| bytes).sum();
    let limit = 16 << 20;
    assert!((limit - 65 * 1024..=limit).contains(&bytes), "{bytes}");
}

#[test]
fn a_reader_that_is_forgotten_keeps_nobody_waiting() {
    let place = Place::new();
    let mut backend = place.short(1_000);
    assert!(numbers(&mut place.reader("gone")).is_empty());
    while send(&mut backend, 0).is_ok() {}
    assert!(!backend.forget_reader("unknown").unwrap());
    assert!(backend.forget_reader("gone").unwrap());
    for n in 0..100 {
        send(&mut backend, n).unwrap();
    }
}

#[test]
fn one_who_only_sends_is_no_reader() {
    let place = Place::new();
    let mut frontend = place.frontend();
    frontend.send_request("n", &1).unwrap();
    let mut backend = place.short(1_000);
    for n in 0..500 {
        send(&mut backend, n).unwrap();
    }
}

#[test]
fn a_message_over_the_limit_is_refused_and_one_longer_than_a_file_is_not() {
    let place = Place::new();
    let mut backend = place.short(1_000);
    let mut frontend = place.frontend();
    let error = backend.send_event("n", &"x".repeat(4 << 20)).unwrap_err();
    assert!(matches!(error, ChannelError::TooLong { bytes } if bytes > 4 << 20), "{error}");
    for length in [10, 200_000, 20, 3_000] {
        let text = "x".repeat(length);
        // It would be over the limit of what is kept, if it waited.
        let mut large = FileChannelOptions::new().backend(place.path()).unwrap();
        large.send_event("n", &text).unwrap();
        let received = message(frontend.recv_one().unwrap().unwrap());
        assert_eq!(received.payload.as_str().unwrap().len(), length);
    }
    assert_eq!(backend.send_event("n", &1).unwrap(), "backend-5");
}

#[test]
fn a_reader_follows_over_every_rotation_while_it_waits_at_the_end() {
    let place = Place::new();
    let mut backend = place.short(400);
    let mut frontend = place.frontend();
    for n in 0..300 {
        send(&mut backend, n).unwrap();
        if n % 7 == 0 {
            let first = message(frontend.recv_one().unwrap().unwrap());
            assert_eq!(first.payload, json!(n - n.min(6)));
            assert_eq!(numbers(&mut frontend), (n - n.min(6) + 1..=n).collect::<Vec<_>>());
        }
    }
}
