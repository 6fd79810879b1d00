//! What a script sees and may do: lines.

use std::fs;
use std::io::Write;

use headroom_client::{Kind, Received};
use serde_json::{Value, json};

use crate::place::{Place, all, message, numbers};

fn append(place: &Place, file: &str, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(place.file(file)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn every_line_is_json_and_the_number_behind_the_last_is_always_the_next() {
    let place = Place::new();
    let mut backend = place.short(300);
    for n in 1..=20 {
        backend.send_event("n", &n).unwrap();
        let text = fs::read_to_string(place.file("backend.jsonl")).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["type"], &lines[0]["version"]), (&json!("channel"), &json!(1)));
        assert_eq!(lines.last().unwrap()["seq"], json!(n));
    }
    for name in ["backend.jsonl", "frontend.jsonl"] {
        let text = fs::read_to_string(place.file(name)).unwrap();
        assert!(text.ends_with('\n'), "both are there from the start");
    }
}

#[test]
fn a_script_takes_part_by_appending_a_line_and_both_go_on_from_there() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.backend(), place.frontend());
    frontend.send_request("first", &Value::Null).unwrap();
    append(&place, "frontend.jsonl", "{\"seq\":2,\"type\":\"request\",\"method\":\"ping\"}\n");
    assert_eq!(frontend.send_request("third", &Value::Null).unwrap(), "frontend-3");
    let got: Vec<_> = all(&mut backend).into_iter().map(message).collect();
    let methods: Vec<&str> = got.iter().filter_map(|message| message.method.as_deref()).collect();
    assert_eq!(methods, ["first", "ping", "third"]);
    assert_eq!((got[1].id.as_str(), got[1].kind), ("frontend-2", Kind::Request));
}

#[test]
fn order_is_that_of_the_numbers_whatever_the_clock_says() {
    let place = Place::new();
    let mut backend = place.backend();
    for (seq, time_ms) in [(1, 5_000), (2, 4_000), (3, 0), (4, 9_000), (5, 9_000)] {
        append(
            &place,
            "frontend.jsonl",
            &format!(
                "{{\"seq\":{seq},\"time_ms\":{time_ms},\"type\":\"event\",\"payload\":{seq}}}\n"
            ),
        );
    }
    assert_eq!(numbers(&mut backend), [1, 2, 3, 4, 5]);
}

#[test]
fn a_line_that_is_no_message_costs_only_itself() {
    let place = Place::new();
    let mut backend = place.backend();
    append(&place, "frontend.jsonl", "{\"seq\":1,\"type\":\"event\",\"payload\":1}\n");
    append(&place, "frontend.jsonl", "not JSON\n\n{\"type\":\"event\"}\n");
    append(&place, "frontend.jsonl", &format!("\"{}\"\n", "x".repeat(9 << 20)));
    append(&place, "frontend.jsonl", "{\"seq\":2,\"type\":\"event\",\"payload\":2}\n");
    let got = all(&mut backend);
    assert_eq!(got.len(), 6, "{got:?}");
    assert_eq!(message(got[0].clone()).payload, json!(1));
    let words = ["expected", "EOF", "missing field `seq`", "longer than 4194304 bytes"];
    for (received, word) in got[1..5].iter().zip(words) {
        let Received::Unreadable { path, why } = received else { panic!("{received:?}") };
        assert_eq!(*path, place.file("frontend.jsonl"));
        assert!(why.contains(word), "{why:?} has no {word:?}");
    }
    assert_eq!(message(got[5].clone()).payload, json!(2));
    // And a writer knows the number all the same.
    assert_eq!(place.frontend().send_request("n", &3).unwrap(), "frontend-3");
    assert_eq!(numbers(&mut backend), [3]);
    drop(backend);
    assert_eq!(all(&mut place.backend()), [], "what was told is not told again");
}

#[test]
fn a_cursor_that_cannot_be_read_is_an_error_and_no_replay() {
    let place = Place::new();
    let mut backend = place.backend();
    backend.send_event("n", &1).unwrap();
    assert_eq!(numbers(&mut place.frontend()), [1]);
    let cursor = place.file("backend.cursors/frontend.json");
    fs::write(&cursor, "half").unwrap();
    let error = place.frontend().recv().unwrap_err().to_string();
    assert!(error.contains("frontend.json is no cursor"), "{error}");
    fs::write(&cursor, "{\"seq\": 0}").unwrap();
    assert_eq!(numbers(&mut place.frontend()), [1], "a script may write one");
}
