//! Greetings, requests, refusals.

use headroom_ipc::{
    Code, Describe, HelloCall, MAX_BODY_BYTES, PROTOCOL, Ping, StatusCall, encode_raw_request,
};

use crate::daemon::Daemon;
use crate::peer::Message;

fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short");
    [&length.to_be_bytes(), body].concat()
}

#[test]
fn the_daemon_speaks_first_and_answers_what_is_asked() {
    let daemon = Daemon::start();
    let mut peer = daemon.stranger();
    let hello = peer.hello();
    assert_eq!((hello.daemon.as_str(), hello.protocol), ("headroomd", PROTOCOL));
    assert_eq!(hello.pid, std::process::id());
    assert_eq!((hello.limits.queue_messages, hello.limits.queue_meters), (64, 47));
    assert_eq!(peer.call(&HelloCall::default()).expect("done"), hello);
    peer.call(&Ping {}).expect("done");
    let described = peer.call(&Describe {}).expect("done");
    assert!(described.ops.iter().any(|op| op.op == "describe"));
    let status = peer.call(&StatusCall {}).expect("done");
    assert_eq!((status.profile.as_str(), status.run_id), ("default", hello.run_id));
    assert!(!status.graph.pipewire_connected);
}

#[test]
fn a_bad_request_costs_itself_and_says_what_is_wrong() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    let mut refused = |bytes: &[u8], code: Code, words: &str| {
        peer.write(bytes);
        match peer.message() {
            Some(Message::Refused(_, error)) => {
                assert_eq!(error.code, code, "{error}");
                assert!(error.message.contains(words), "{error}");
            }
            other => panic!("{other:?}"),
        }
        peer.call(&Ping {}).expect("the connection stays");
    };
    refused(&framed(&[]), Code::InvalidMessage, "the body is empty");
    refused(&framed(b"\xc1"), Code::InvalidMessage, "");
    let nil = headroom_ipc::Value::Nil;
    let misspelt = encode_raw_request(9, "statsu", &nil).expect("short");
    refused(&misspelt, Code::UnknownOp, "did you mean \"status\"?");
    let args = headroom_ipc::Value::Map(vec![("key".into(), "agc.target".into())]);
    let unknown = encode_raw_request(9, "setting.get", &args).expect("short");
    refused(&unknown, Code::NotFound, "did you mean");
}

#[test]
fn a_length_over_the_limit_is_answered_and_ends_the_connection() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    let id = peer.send(&Ping {});
    peer.write(&u32::try_from(MAX_BODY_BYTES + 1).expect("fits").to_be_bytes());
    peer.reply::<Ping>(id).expect("what was asked before is answered");
    match &peer.rest()[..] {
        [Message::Refused(None, error)] => assert_eq!(error.code, Code::InvalidFrame),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_peer_that_has_said_all_gets_all_its_replies() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    let ids: Vec<u64> = (0..500).map(|_| peer.send(&Ping {})).collect();
    peer.stream.shutdown(std::net::Shutdown::Write).expect("shut down");
    for id in ids {
        peer.reply::<Ping>(id).expect("done");
    }
    assert_eq!(peer.message(), None);
}
