//! However the bytes of a conversation are cut, it goes the same way; and whatever is in them, each
//! message has its reply.

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

/// Always the same, as a test should be.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// A request with a few of its bytes changed, cut off or doubled; its length is right.
fn damaged(dice: &mut Dice, requests: &[Vec<u8>]) -> Vec<u8> {
    let mut body = requests[dice.below(requests.len())][4..].to_vec();
    for _ in 0..dice.below(4) {
        let at = dice.below(body.len().max(1));
        match dice.below(4) {
            0 => body.truncate(at),
            1 => body.insert(at.min(body.len()), dice.below(256) as u8),
            2 if !body.is_empty() => body.extend_from_within(at..),
            _ if !body.is_empty() => body[at] = dice.below(256) as u8,
            _ => {}
        }
    }
    let length = u32::try_from(body.len()).expect("short");
    [&length.to_be_bytes()[..], &body].concat()
}

#[test]
fn every_message_has_exactly_one_reply_whatever_is_in_it() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    let mut dice = Dice(0x5eed_cafe_f00d_1234);
    let requests: Vec<Vec<u8>> = headroom_ipc::Op::NAMES
        .iter()
        .map(|op| {
            let args = Value::Map(vec![
                ("key".into(), "agc.target_lufs".into()),
                ("value".into(), (-20.0_f32).into()),
                ("topics".into(), Value::List(vec!["setting".into()])),
            ]);
            encode_raw_request(7, op, &args).expect("short")
        })
        .chain([
            encode_request(8, &Ping {}).expect("short"),
            encode_request(9, &BypassSet { bypass: BypassTo::Toggle }).expect("short"),
            encode_request(10, &SettingGet { key: "limiter.link".into() }).expect("short"),
        ])
        .collect();
    let (mut done, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let message = damaged(&mut dice, &requests);
        peer.write(&message);
        loop {
            match peer.message().expect("the connection stays") {
                crate::peer::Message::Result(..) => done += 1,
                crate::peer::Message::Refused(..) => refused += 1,
                crate::peer::Message::Event(_) => continue,
                other => panic!("{other:?}"),
            }
            break;
        }
    }
    // And no reply is left over.
    let id = peer.send(&Ping {});
    peer.reply::<Ping>(id).expect("the next reply is that of the next request");
    assert!(done > 100 && refused > 1_000, "{done} done, {refused} refused");
}
