//! The examples of BRIDGES.md are what the programs read and write.

use std::fs;

use headroom_client::ipc::{ServerMessage, Value, decode_request};
use headroom_client::{FileChannel, Kind, Message, Received};

use crate::running::value;

/// The lines of the examples of this kind.
fn examples(kind: &str) -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../BRIDGES.md");
    let page = fs::read_to_string(page).unwrap();
    let begin = format!("```json {kind}\n");
    let blocks = page.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines: Vec<String> = blocks.flat_map(str::lines).map(str::to_owned).collect();
    assert!(!lines.is_empty(), "{kind}");
    lines
}

fn body(json: &str) -> Vec<u8> {
    value(json).encode().unwrap()[headroom_client::ipc::PREFIX_BYTES..].to_vec()
}

#[test]
fn requests_and_replies_are_those_of_the_protocol() {
    for line in examples("request") {
        decode_request(&body(&line)).unwrap_or_else(|why| panic!("{line}: {}", why.error));
    }
    for line in examples("reply") {
        let body = body(&line);
        let message = ServerMessage::decode(&body).unwrap();
        assert!(matches!(message, ServerMessage::Reply { id: Some(1), .. }), "{line}");
    }
    for line in examples("event") {
        // A client that does not know bridges skips it.
        assert_eq!(ServerMessage::decode(&body(&line)).unwrap(), ServerMessage::Unknown, "{line}");
    }
}

/// What a reader makes of these lines in the place of what a side has sent.
fn read(side: &str, lines: &[String]) -> Vec<Message> {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("panel");
    let mut channel = match side {
        "backend" => FileChannel::frontend(&directory),
        _ => FileChannel::backend(&directory),
    }
    .unwrap();
    let path = directory.join(format!("{side}.jsonl"));
    let first = fs::read_to_string(&path).unwrap();
    assert_eq!(first.replace("frontend", "backend").trim_end(), examples("first")[0]);
    fs::write(&path, first + &lines.join("\n") + "\n").unwrap();
    let messages = channel.recv().unwrap().into_iter().map(|received| match received {
        Received::Message(message) => message,
        other => panic!("{other:?}"),
    });
    messages.collect()
}

#[test]
fn the_lines_of_a_channel_are_messages() {
    let asked = read("frontend", &examples("frontend"));
    let ids: Vec<&str> = asked.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids, ["frontend-1", "mine", "frontend-3"]);
    assert!(asked.iter().all(|message| message.kind == Kind::Request && message.method.is_some()));
    let told = read("backend", &examples("backend"));
    assert_eq!(told.len(), examples("backend").len());
    for message in told {
        match message.kind {
            Kind::Response => assert!(ids.contains(&message.reply_to.as_deref().unwrap())),
            Kind::Event => {
                let event: Value = serde_json::from_value(message.payload).unwrap();
                assert_eq!(message.method, Some(crate::running::named(&event)));
            }
            other => panic!("{other:?}"),
        }
    }
}
