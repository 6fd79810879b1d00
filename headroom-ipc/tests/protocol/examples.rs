//! Every example of IPC.md is read and written as it stands.
//!
//! What the word behind `json` in a fence means:
//!
//! - `request`: the daemon reads it, and what it has read is written and read as the same;
//! - `reply OP`: a client reads it as the reply to OP, and it is written as the same;
//! - `error`: the same for a refusal;
//! - `event`: the same for an event or `hello`;
//! - `refused`: two messages, a request and what the daemon answers it with, to the letter.
//!
//! A `hex` block holds the bytes of the message before it, with its length in front.

use std::collections::BTreeMap;

use headroom_ipc::*;

/// The document.
pub(crate) const TEXT: &str = include_str!("../../../IPC.md");

/// A fenced block: what stands behind the fence, what is in it, and its line.
struct Block {
    kind: String,
    text: String,
    line: usize,
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (n, line) in TEXT.lines().enumerate() {
        match (line.strip_prefix("```"), inside) {
            (Some(kind), false) => {
                blocks.push(Block { kind: kind.into(), text: String::new(), line: n + 1 });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => {
                let block = blocks.last_mut().expect("a block is open");
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!inside, "a block is not closed");
    blocks
}

fn values(block: &Block) -> Vec<Value> {
    serde_json::Deserializer::from_str(&block.text)
        .into_iter()
        .map(|value| value.unwrap_or_else(|why| panic!("IPC.md:{}: {why}", block.line)))
        .collect()
}

fn pack(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("MessagePack")
}

pub(crate) fn unpack(body: &[u8]) -> Value {
    rmp_serde::from_slice(body).expect("MessagePack")
}

/// What comes out when a message of the daemon is read and written again.
fn again(block: &Block, body: &[u8]) -> Value {
    let fail = |why: &dyn std::fmt::Display| panic!("IPC.md:{}: {why}", block.line);
    let frame = match ServerMessage::decode(body) {
        Ok(ServerMessage::Hello(hello)) => ServerFrame::hello(&hello),
        Ok(ServerMessage::Event(event)) => {
            let unknown = matches!(event.change, Change::Unknown { .. });
            assert!(!unknown, "IPC.md:{}: there is no such event", block.line);
            ServerFrame::event(&event).unwrap_or_else(|why| fail(&why))
        }
        Ok(ServerMessage::Reply { id, answer: Answer::Refused(error) }) => {
            assert_ne!(error.code, Code::Unknown, "IPC.md:{}", block.line);
            ServerFrame::error(id, &error)
        }
        Ok(ServerMessage::Reply { id, answer }) => {
            let op = block.kind.strip_prefix("json reply ").unwrap_or_default();
            rewrite_reply(op, id, answer).unwrap_or_else(|why| fail(&why))
        }
        other => fail(&format!("{other:?}")),
    };
    unpack(frame.body())
}

fn rewrite_reply(op: &str, id: Option<u64>, answer: Answer<'_>) -> Result<ServerFrame, String> {
    fn of<C: Call>(id: Option<u64>, answer: Answer<'_>) -> Result<ServerFrame, String> {
        let result = answer.result::<C::Reply>().map_err(|why| why.to_string())?;
        Ok(ServerFrame::reply(id, &result.map_err(|why| why.to_string())?))
    }
    match op {
        "bypass.set" => of::<BypassSet>(id, answer),
        "subscribe" => of::<Subscribe>(id, answer),
        "unsubscribe" => of::<Unsubscribe>(id, answer),
        "snapshot" => of::<Snapshot>(id, answer),
        "ping" => of::<Ping>(id, answer),
        "status" => of::<StatusCall>(id, answer),
        "profile.use" => of::<ProfileUse>(id, answer),
        "profile.reload" => of::<ProfileReload>(id, answer),
        "device.list" => of::<DeviceList>(id, answer),
        "why" => of::<WhyCall>(id, answer),
        "route.set" => of::<RouteSet>(id, answer),
        "setting.set" => of::<SettingSet>(id, answer),
        other => Err(format!("add the reply to {other:?} to this test")),
    }
}

#[test]
fn every_example_is_read_and_written_as_it_stands() {
    let mut seen = BTreeMap::new();
    let mut before: Option<Value> = None;
    for block in blocks() {
        *seen.entry(block.kind.split(' ').nth(1).unwrap_or("hex").to_owned()).or_insert(0) += 1;
        let at = format!("IPC.md:{}", block.line);
        match block.kind.as_str() {
            "json request" => {
                let [value] = &values(&block)[..] else { panic!("{at}: not one message") };
                let request = decode_request(&pack(value)).unwrap_or_else(|why| {
                    panic!("{at}: {}", why.error);
                });
                let message = request.op.encode(request.id.unwrap_or(0)).expect("short");
                let again = decode_request(&message[PREFIX_BYTES..]).expect("what was written");
                assert_eq!(again.op, request.op, "{at}");
                before = Some(value.clone());
            }
            "json refused" => {
                let [request, reply] = &values(&block)[..] else { panic!("{at}: not two") };
                let rejection = decode_request(&pack(request)).expect_err(&at);
                let answered = ServerFrame::error(rejection.id, &rejection.error);
                assert_eq!(&unpack(answered.body()), reply, "{at}");
            }
            "hex" => {
                let bytes: Vec<u8> = block
                    .text
                    .split_whitespace()
                    .map(|byte| u8::from_str_radix(byte, 16).expect("a byte"))
                    .collect();
                let mut deframer = Deframer::new();
                assert_eq!(deframer.push(&bytes), bytes.len());
                let body = deframer.next_body().expect("a length").expect("a whole body");
                assert_eq!(Some(unpack(body)), before, "{at}");
                assert_eq!(deframer.pending_bytes(), 0, "{at}");
            }
            "json event" | "json error" => before = Some(rewritten(&block)),
            kind if kind.starts_with("json reply ") => before = Some(rewritten(&block)),
            "text" => {}
            other => panic!("{at}: nothing checks {other:?}"),
        }
    }
    for kind in ["request", "reply", "error", "event", "refused", "hex"] {
        assert!(seen.contains_key(kind), "IPC.md has no example of {kind}: {seen:?}");
    }
}

/// A message of the daemon, which is written as it was read.
fn rewritten(block: &Block) -> Value {
    let [value] = &values(block)[..] else { panic!("IPC.md:{}: not one message", block.line) };
    assert_eq!(&again(block, &pack(value)), value, "IPC.md:{}", block.line);
    value.clone()
}
