//! Bridges whose other end does not read: nothing grows, nothing is lost in silence, and a reply
//! comes all the same.

use std::collections::BTreeSet;
use std::fs;

use headroom_client::ipc::*;
use headroom_client::{Address, Client, FileChannel};
use serde_json::json;

use crate::listener::Listener;
use crate::running::{PATIENCE, Running, at, named, next};
use crate::scripted::{Daemon, Peer, hello};

fn resident_kib(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn number(value: &Value) -> u64 {
    match value {
        Value::Unsigned(number) => *number,
        other => panic!("{other} is no number"),
    }
}

#[test]
fn what_a_slow_reader_of_stdio_loses_is_counted_and_told_by_the_daemon() {
    const CHANGES: u64 = 20_000;
    let Some(listener) = Listener::begin() else { return };
    let mut bridge = Running::unread(&mut listener.command(&["bridge", "stdio"]));
    bridge.write("{\"id\": 1, \"op\": \"subscribe\", \"args\": {\"topics\": [\"setting\"]}}\n");
    let mut client = Client::connect(&Address::Path(listener.home.path("control.sock"))).unwrap();
    for round in 0..CHANGES / 500 {
        let tickets: Vec<_> = (0..500)
            .map(|n| {
                let bypass = if (round * 500 + n) % 2 == 0 { BypassTo::On } else { BypassTo::Off };
                client.send(&BypassSet { bypass }).unwrap()
            })
            .collect();
        tickets.into_iter().for_each(|ticket| assert!(client.wait(ticket).is_ok()));
    }

    bridge.read();
    bridge.write("{\"id\": 2, \"op\": \"unsubscribe\"}\n");
    let (mut seen, mut told, mut total, mut first) = (0, 0, 0, None);
    let mut last = 0;
    loop {
        let line = bridge.value();
        if line.field("topic").is_none() {
            match at(&line, "id") {
                Value::Unsigned(1) => {
                    let Value::List(topics) = at(&line, "result.topics") else { panic!("{line}") };
                    first = Some(number(at(&topics[0], "seq")));
                }
                _ => break,
            }
        } else if named(&line) == "daemon.overflow" {
            told += number(at(&line, "data.lost"));
            total = number(at(&line, "data.total_lost"));
        } else if named(&line) == "setting.bypass_changed" {
            seen += 1;
            let seq = number(at(&line, "seq"));
            assert!(seq > last, "in order");
            last = seq;
        }
    }
    assert!(told > 0, "the bridge holds whatever comes");
    assert_eq!(total, told);
    // What was published before the subscription was in force is not for this subscriber.
    let published = CHANGES - first.unwrap();
    assert_eq!(seen + told, published, "delivered and told lost is what was published");
}

#[test]
fn what_a_front_end_that_does_not_read_loses_is_counted_and_told() {
    const EVENTS: u64 = 400;
    let daemon = Daemon::new();
    let listener = daemon.listen();
    let home = crate::harness::Folder::new();
    let directory = home.path("panel");
    let mut panel = FileChannel::frontend(&directory).unwrap();
    let mut bridge =
        Running::begin(&mut daemon.command(&["bridge", "files", directory.to_str().unwrap()]));
    let mut peer = Peer::greet(&listener, &hello());
    assert_eq!(next(&mut panel).method.as_deref(), Some("bridge.started"));
    assert_eq!(next(&mut panel).method.as_deref(), Some("daemon.hello"));
    let id = panel.send_request("subscribe", &json!({"topics": ["setting"]})).unwrap();
    peer.subscribed(&crate::scripted::state());
    panel.wait_response(&id, PATIENCE).unwrap().unwrap();

    // 40 MB; 16 MiB are kept for a front end that is known.
    let text: String = "x".repeat(100_000);
    let event = |seq: u64| {
        Value::Map(vec![
            ("topic".into(), "setting".into()),
            ("event".into(), "later".into()),
            ("seq".into(), seq.into()),
            ("data".into(), text.as_str().into()),
        ])
    };
    let send = |peer: &mut Peer, seq: u64| {
        if seq == EVENTS / 2 {
            let overflow = Overflow { topic: Topic::Setting, lost: 7, total_lost: 7 };
            peer.send(&ServerFrame::event(&Event::overflow(3, overflow)).unwrap());
        }
        peer.send_raw(&event(seq));
    };
    for seq in 1..=EVENTS {
        send(&mut peer, seq);
    }
    // A reply that cannot be carried now is kept.
    let id = panel.send_request("ping", &json!({})).unwrap();
    peer.answer("ping", &Pong {});
    assert!(resident_kib(bridge.child.id()) < 40 << 10, "{}", resident_kib(bridge.child.id()));
    let files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
    let kept_bytes: u64 = files.filter(fs::Metadata::is_file).map(|file| file.len()).sum();
    assert!(kept_bytes < 17 << 20, "{kept_bytes}");

    let (mut seen, mut told, mut total) = (BTreeSet::new(), 0, 0);
    let mut is_answered = false;
    while !(is_answered && seen.len() as u64 + told == EVENTS + 7) {
        let message = next(&mut panel);
        if message.reply_to.as_deref() == Some(&id) {
            is_answered = true;
        } else if message.method.as_deref() == Some("daemon.overflow") {
            let data = &message.payload["data"];
            assert_eq!(data["topic"], json!("setting"));
            told += data["lost"].as_u64().unwrap();
            total = data["total_lost"].as_u64().unwrap();
        } else {
            assert_eq!(message.method.as_deref(), Some("setting.later"));
            assert!(seen.insert(message.payload["seq"].as_u64().unwrap()), "told twice");
        }
    }
    assert_eq!(total, told);
    assert!(seen.len() > 100 && told > 107, "{} seen, {told} lost", seen.len());
    // And it goes on.
    peer.send_raw(&event(EVENTS + 1));
    assert_eq!(next(&mut panel).payload["seq"], json!(EVENTS + 1));
    bridge.end_input();
}
