//! Wherever a conversation is cut into pieces, the client hears the same.

use std::io::Write;

use headroom_client::ClientError;
use headroom_ipc::*;

use super::peer::{PATIENCE, Peer, beside, bypass, setting};

/// What the daemon says after its greeting: an event, the reply, another event.
fn conversation() -> Vec<u8> {
    let mut state = Mirror::full();
    let first = ServerFrame::event(&state.publish(bypass(true))).unwrap();
    let reply = ServerFrame::reply(Some(1), &setting("agc.target_lufs", -18.0));
    let second = ServerFrame::event(&state.publish(bypass(false))).unwrap();
    [first.bytes(), reply.bytes(), second.bytes()].concat()
}

fn heard(pieces: Vec<Vec<u8>>) -> Result<(Setting, Vec<Event>), ClientError> {
    let (mut client, mut peer) = Peer::pair();
    let daemon = beside(move || {
        for piece in pieces {
            peer.stream.write_all(&piece).unwrap();
            std::thread::yield_now();
        }
        peer
    });
    let setting = client.setting_get("agc.target_lufs")?;
    let mut events = Vec::new();
    while events.len() < 2 {
        events.extend(client.next_event(PATIENCE)?);
    }
    drop(daemon.join().unwrap());
    Ok((setting, events))
}

#[test]
fn every_split_of_a_conversation_is_heard_the_same() {
    let bytes = conversation();
    let whole = heard(vec![bytes.clone()]).unwrap();
    assert_eq!(whole.0.value, (-18.0).into());
    for cut in 1..bytes.len() {
        let (a, b) = bytes.split_at(cut);
        assert_eq!(heard(vec![a.to_vec(), b.to_vec()]).unwrap(), whole, "cut at {cut}");
    }
    let single = bytes.iter().map(|byte| vec![*byte]).collect();
    assert_eq!(heard(single).unwrap(), whole, "byte by byte");
}
