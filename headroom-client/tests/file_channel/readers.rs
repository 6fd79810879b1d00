//! What a reader gets, and what stays for later.

use std::time::Duration;

use headroom_client::{Kind, Received};
use serde_json::{Value, json};

use crate::place::{Place, all, message, numbers, payloads};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn each_kind_of_message_arrives_with_all_that_it_says() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.backend(), place.frontend());
    let asked = frontend.send_request("setting.get", &json!({"key": "a.b"})).unwrap();
    let request = message(backend.recv_one().unwrap().unwrap());
    assert_eq!((request.seq, &request.id, request.kind), (1, &asked, Kind::Request));
    assert_eq!(request.method.as_deref(), Some("setting.get"));
    assert_eq!(request.payload, json!({"key": "a.b"}));
    assert!(request.time_ms > 1_600_000_000_000);

    let answered = backend.send_response(&asked, &json!("line one\nline two")).unwrap();
    backend.send_error(&asked, &json!({"code": "NOT_FOUND"})).unwrap();
    backend.send_event("setting.changed", &json!([1, -0.5, null])).unwrap();
    let got: Vec<_> = all(&mut frontend).into_iter().map(message).collect();
    assert_eq!(got.iter().map(|message| message.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((&got[0].id, got[0].kind), (&answered, Kind::Response));
    assert_eq!(got[0].reply_to.as_ref(), Some(&asked));
    assert_eq!((&got[0].payload, &got[0].error), (&json!("line one\nline two"), &None));
    assert_eq!((got[1].kind, got[1].reply_to.as_ref()), (Kind::Response, Some(&asked)));
    assert_eq!(
        (&got[1].payload, &got[1].error),
        (&Value::Null, &Some(json!({"code": "NOT_FOUND"})))
    );
    assert_eq!((got[2].kind, got[2].method.as_deref()), (Kind::Event, Some("setting.changed")));
    assert_eq!((&got[2].payload, &got[2].reply_to), (&json!([1, -0.5, null]), &None));
    assert!(got.iter().all(|message| message.id != asked), "ids are unique in the channel");
}

#[test]
fn a_burst_of_10_000_arrives_whole_and_in_order_also_within_one_millisecond() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.backend(), place.frontend());
    for n in 0..10_000 {
        backend.send_event("n", &n).unwrap();
    }
    let got: Vec<_> = all(&mut frontend).into_iter().map(message).collect();
    assert!(got.iter().map(|message| message.payload.as_u64().unwrap()).eq(0..10_000));
    assert!(got.iter().map(|message| message.seq).eq(1..=10_000));
    let mut times: Vec<u64> = got.iter().map(|message| message.time_ms).collect();
    times.dedup();
    assert!(times.len() < 10_000, "none of them were sent in one millisecond");
    let mut ids: Vec<&String> = got.iter().map(|message| &message.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10_000);
}

#[test]
fn recv_one_and_wait_response_leave_the_others_in_place_for_good() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.backend(), place.frontend());
    let (first, second) = ("frontend-1", "frontend-2");
    for n in 1..=3 {
        backend.send_event("n", &n).unwrap();
    }
    backend.send_response(first, &json!("first")).unwrap();
    backend.send_event("n", &5).unwrap();
    backend.send_response(second, &json!("second")).unwrap();
    assert_eq!(message(frontend.recv_one().unwrap().unwrap()).payload, json!(1));
    let response = frontend.wait_response(second, PATIENCE).unwrap().unwrap();
    assert_eq!(response.payload, json!("second"));
    let response = frontend.wait_response(first, PATIENCE).unwrap().unwrap();
    assert_eq!(response.payload, json!("first"));
    assert_eq!(frontend.wait_response(first, Duration::ZERO).unwrap(), None, "it is taken");
    // Over the end of the process too.
    drop(frontend);
    let mut frontend = place.frontend();
    assert_eq!(frontend.wait_response(second, Duration::ZERO).unwrap(), None);
    backend.send_event("n", &7).unwrap();
    assert_eq!(payloads(&mut frontend), [json!(2), json!(3), json!(5), json!(7)]);
    assert_eq!(all(&mut frontend), []);
}

#[test]
fn a_channel_that_is_opened_again_goes_on_where_it_was() {
    let place = Place::new();
    let mut expected = 0;
    for round in 0..6 {
        let (mut backend, mut frontend) = (place.short(300), place.frontend());
        for n in 0..10 {
            let id = backend.send_event("n", &(round * 10 + n)).unwrap();
            assert_eq!(id, format!("backend-{}", round * 10 + n + 1));
        }
        // Half of them now, the rest after the next opening.
        for _ in 0..5 + 5 * u64::from(round > 0) {
            let received = message(frontend.recv_one().unwrap().unwrap());
            assert_eq!(received.payload, json!(expected));
            expected += 1;
        }
    }
    assert_eq!(numbers(&mut place.frontend()), [55, 56, 57, 58, 59]);
    assert!(place.files().len() > 1, "it was rotated meanwhile");
}

#[test]
fn every_reader_gets_every_message_and_one_name_has_one_reader() {
    let place = Place::new();
    let mut backend = place.backend();
    let (mut frontend, mut clock) = (place.frontend(), place.reader("clock"));
    backend.send_event("n", &1).unwrap();
    assert_eq!((numbers(&mut frontend), numbers(&mut clock)), (vec![1], vec![1]));
    let refused = place.reader("clock").recv().unwrap_err().to_string();
    assert!(refused.starts_with("another program reads as \"clock\" in "), "{refused}");
    assert!(place.reader("clock").send_event("n", &1).is_ok(), "sending takes no name");
    drop(clock);
    backend.send_event("n", &2).unwrap();
    assert_eq!(numbers(&mut place.reader("clock")), [2]);
}

#[test]
fn clear_takes_everything_away_and_says_so_to_the_others() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.short(600), place.frontend());
    let mut clock = place.reader("clock");
    for n in 1..=20 {
        backend.send_event("n", &n).unwrap();
        frontend.send_request("n", &n).unwrap();
    }
    assert_eq!(message(clock.recv_one().unwrap().unwrap()).payload, json!(1));
    assert_eq!(message(backend.recv_one().unwrap().unwrap()).payload, json!(1));
    frontend.clear().unwrap();
    assert_eq!(all(&mut frontend), []);
    // What is open may still have some of them at hand.
    drop((backend, clock));
    let (mut backend, mut clock) = (place.short(600), place.reader("clock"));
    let gone = |received: &[Received]| match received {
        [Received::Gone(gone)] => (gone.first_seq, gone.last_seq, gone.count),
        other => panic!("{other:?}"),
    };
    assert_eq!(gone(&all(&mut clock)), (2, 20, 19));
    assert_eq!(gone(&all(&mut backend)), (2, 20, 19));
    // And on it goes, with the next number.
    assert_eq!(backend.send_event("n", &21).unwrap(), "backend-21");
    assert_eq!(frontend.send_request("n", &21).unwrap(), "frontend-21");
    assert_eq!((numbers(&mut frontend), numbers(&mut clock)), (vec![21], vec![21]));
    assert_eq!(numbers(&mut backend), [21]);
    assert_eq!(place.files().len(), 1);
}
