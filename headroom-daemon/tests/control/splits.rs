//! However the bytes of a conversation are cut, it goes the same way.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use headroom_ipc::{
    BypassSet, BypassTo, Ping, SettingAmount, SettingGet, SettingSet, Subscribe, Topic,
    Unsubscribe, Value, encode_raw_request, encode_request,
};

use crate::daemon::Daemon;

/// Requests of every kind of outcome; the last one ends the connection.
fn conversation() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut add = |request: Vec<u8>| bytes.extend_from_slice(&request);
    let topics = vec![Topic::Setting];
    let key = || "agc.target_lufs".to_owned();
    add(encode_request(1, &Ping {}).expect("short"));
    let subscribe = Subscribe { topics: topics.clone(), snapshot: false, max_hz: None };
    add(encode_request(2, &subscribe).expect("short"));
    let amount = SettingAmount::Value((-20.0).into());
    add(encode_request(3, &SettingSet { key: key(), amount }).expect("short"));
    add(encode_raw_request(4, "no.such.op", &Value::Nil).expect("short"));
    add(vec![0, 0, 0, 0]);
    add(encode_request(5, &BypassSet { bypass: BypassTo::On }).expect("short"));
    add(vec![0, 0, 0, 1, 0xc1]);
    add(encode_request(6, &Unsubscribe { topics: Some(topics) }).expect("short"));
    add(encode_request(7, &SettingGet { key: key() }).expect("short"));
    add(vec![0xff, 0xff, 0xff, 0xff]);
    bytes
}

/// Everything that a fresh daemon says to it, `hello` left out.
fn answers(parts: &[&[u8]]) -> Vec<u8> {
    let daemon = Daemon::start();
    let mut stream = UnixStream::connect(&daemon.path).expect("a connection");
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("hello");
    let mut hello = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut hello).expect("hello");
    for part in parts {
        // Once its end has been seen the daemon reads no more.
        let _ = stream.write_all(part);
        std::thread::yield_now();
    }
    let mut said = Vec::new();
    stream.read_to_end(&mut said).expect("the end");
    said
}

#[test]
fn every_split_of_a_conversation_into_two_gives_the_same_answers() {
    let bytes = conversation();
    let whole = answers(&[&bytes]);
    assert!(whole.len() > 1_000, "the conversation says little");
    for at in 1..bytes.len() {
        let (one, two) = bytes.split_at(at);
        assert!(answers(&[one, two]) == whole, "cut after {at} bytes");
    }
}

#[test]
fn a_conversation_in_single_bytes_gives_the_same_answers() {
    let bytes = conversation();
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert!(answers(&single) == answers(&[&bytes]));
}
