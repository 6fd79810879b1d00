//! Frozen bytes of every message of version 1. The files in `tests/data/v1` are only ever added:
//! what was sent once must be read for as long as the version stands.
//!
//! `HEADROOM_ADD_GOLDEN=1 cargo test -p headroom-ipc --test protocol` adds the files of new
//! messages; it never changes one that is there.

use super::{objects, specimens};
use std::fs;
use std::path::PathBuf;

use headroom_ipc::{Answer, Applied, Change, Code, Mirror, ServerMessage, SinkKind, Topic, Value};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/v1"))
}

fn value(body: &[u8]) -> Value {
    rmp_serde::from_slice(body).expect("MessagePack")
}

fn body(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("MessagePack")
}

#[test]
fn every_message_is_read_from_its_frozen_bytes() {
    for specimen in specimens::all() {
        let path = folder().join(format!("{}.msgpack", specimen.name));
        if !path.exists() && std::env::var_os("HEADROOM_ADD_GOLDEN").is_some() {
            fs::write(&path, &specimen.body).expect("writing a golden file");
        }
        let frozen = fs::read(&path).unwrap_or_else(|error| {
            panic!(
                "{}: {error}; a new message needs its frozen bytes: \
                 HEADROOM_ADD_GOLDEN=1 cargo test -p headroom-ipc --test protocol",
                path.display()
            )
        });
        (specimen.check)(&frozen).unwrap_or_else(|why| panic!("{}: {why}", specimen.name));
        (specimen.check)(&specimen.body).unwrap_or_else(|why| panic!("{}: {why}", specimen.name));
        assert_eq!(value(&frozen), value(&specimen.body), "{}", specimen.name);
    }
}

#[test]
fn no_frozen_message_is_forgotten() {
    let known: Vec<String> = specimens::all().into_iter().map(|specimen| specimen.name).collect();
    for entry in fs::read_dir(folder()).expect("the golden files") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        assert!(known.contains(&name), "{name} is frozen, but nothing reads it");
    }
}

/// The value with a field that no version knows in every map of it.
fn with_more_fields(value: &Value) -> Value {
    match value {
        Value::Map(fields) => {
            let later = Value::Map(vec![("x".into(), Value::List(vec![Value::Nil]))]);
            let mut more = vec![("added_later".to_owned(), later)];
            more.extend(fields.iter().map(|(key, value)| (key.clone(), with_more_fields(value))));
            Value::Map(more)
        }
        Value::List(items) => Value::List(items.iter().map(with_more_fields).collect()),
        other => other.clone(),
    }
}

#[test]
fn a_client_survives_fields_that_it_does_not_know_anywhere() {
    for specimen in specimens::all() {
        if specimen.name.starts_with("request.") {
            continue;
        }
        // The value of a setting and the details' value are the only free ones; no map there.
        let more = body(&with_more_fields(&value(&specimen.body)));
        (specimen.check)(&more).unwrap_or_else(|why| panic!("{}: {why}", specimen.name));
    }
}

#[test]
fn the_daemon_refuses_by_name_a_field_that_it_does_not_know() {
    for specimen in specimens::all() {
        if specimen.name.starts_with("request.") {
            let more = body(&with_more_fields(&value(&specimen.body)));
            let rejection = headroom_ipc::decode_request(&more).expect_err(&specimen.name);
            assert!(rejection.error.message.contains("added_later"), "{}", rejection.error);
            assert_eq!(rejection.id, Some(41), "{}", specimen.name);
        }
    }
}

fn json(text: &str) -> Vec<u8> {
    body(&serde_json::from_str(text).expect("JSON"))
}

#[test]
fn an_unknown_topic_and_an_unknown_kind_of_message_are_skipped() {
    for text in [
        r#"{"topic":"buses","event":"bus_changed","seq":3,"data":{"name":"voice"}}"#,
        r#"{"topic":"buses","event":"hello","data":[]}"#,
        r#"{"progress":{"of":3}}"#,
        r#"{"id":3}"#,
        r#"{}"#,
    ] {
        assert_eq!(ServerMessage::decode(&json(text)).ok(), Some(ServerMessage::Unknown), "{text}");
    }
}

#[test]
fn an_unknown_event_of_a_known_topic_counts_but_changes_nothing() {
    let body = json(r#"{"topic":"sinks","event":"port_changed","seq":10,"data":{"port":"hdmi"}}"#);
    let Ok(ServerMessage::Event(event)) = ServerMessage::decode(&body) else { panic!("no event") };
    let data = Value::Map(vec![("port".into(), Value::Text("hdmi".into()))]);
    let unknown = Change::Unknown { topic: Topic::Sinks, event: "port_changed".into(), data };
    assert_eq!(event.change, unknown);
    let mut mirror = objects::mirror();
    let before = mirror.clone();
    assert_eq!(mirror.apply(&event), Applied::Skipped);
    assert_eq!(mirror.seq(Topic::Sinks), Some(10));
    let states = |mirror: &Mirror| mirror.sinks.as_ref().map(|tracked| tracked.state.clone());
    assert_eq!(states(&mirror), states(&before));
}

#[test]
fn an_unknown_code_and_unknown_words_are_kept_as_unknown() {
    let body = json(r#"{"id":3,"error":{"code":"TIRED","message":"not now","details":{"of":1}}}"#);
    let Ok(ServerMessage::Reply { answer: Answer::Refused(error), .. }) =
        ServerMessage::decode(&body)
    else {
        panic!("no error")
    };
    assert_eq!((error.code, error.message.as_str()), (Code::Unknown, "not now"));

    let mut later = objects::sink();
    later.kind = SinkKind::Unknown;
    let text = serde_json::to_string(&later).expect("JSON").replace("\"unknown\"", "\"hologram\"");
    let event = format!(r#"{{"topic":"sinks","event":"sink_changed","seq":4,"data":{text}}}"#);
    let Ok(ServerMessage::Event(event)) = ServerMessage::decode(&json(&event)) else {
        panic!("no event")
    };
    assert_eq!(event.change, headroom_ipc::SinksChange::SinkChanged(later).into());
}

#[test]
fn what_is_not_finite_is_sent_as_nil() {
    let mut meters = objects::meters();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        meters.buses[0].input_momentary_lufs = Some(bad);
        let change = headroom_ipc::MetersChange::Tick(meters.clone()).into();
        let event = headroom_ipc::Event { topic: Topic::Meters, seq: 1, change };
        let frame = headroom_ipc::ServerFrame::event(&event).expect("an event");
        let sent = value(frame.body());
        let buses = sent.field("data").and_then(|data| data.field("buses"));
        let Some(Value::List(buses)) = buses else { panic!("{sent}") };
        assert_eq!(buses[0].field("input_momentary_lufs"), Some(&Value::Nil));
    }
}
