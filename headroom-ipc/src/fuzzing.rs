//! What the fuzz targets run: each takes any bytes and panics if a promise is broken.
//!
//! They are here and not in `fuzz/`, so that the crate's own tests run the very same functions
//! over a corpus and over generated inputs. No program calls them.

use crate::{
    Applied, Code, Deframer, Event, FrameError, MAX_BODY_BYTES, Mirror, PREFIX_BYTES, ServerFrame,
    ServerMessage, decode_request,
};

/// A stream of bytes gives the same bodies however it is cut, and none is over the limit. The
/// first byte says how to cut.
pub fn deframe(data: &[u8]) {
    let Some((&cut, stream)) = data.split_first() else { return };
    let whole = bodies(stream, stream.len().max(1));
    let pieces = bodies(stream, usize::from(cut).max(1));
    assert_eq!(whole, pieces, "the bodies depend on how the stream is cut");
    let (bodies, end) = whole;
    let taken: usize = bodies.iter().map(|body| PREFIX_BYTES + body.len()).sum();
    assert!(taken <= stream.len(), "there is more in the bodies than in the stream");
    assert!(bodies.iter().all(|body| body.len() <= MAX_BODY_BYTES));
    if let Err(FrameError::TooLong { length_bytes, .. }) = end {
        assert!(length_bytes as usize > MAX_BODY_BYTES);
    }
}

fn bodies(stream: &[u8], piece_bytes: usize) -> (Vec<Vec<u8>>, Result<(), FrameError>) {
    let mut deframer = Deframer::new();
    let mut bodies = Vec::new();
    for piece in stream.chunks(piece_bytes) {
        let mut rest = piece;
        while !rest.is_empty() {
            let taken = deframer.push(rest);
            assert!(taken > 0, "there is no room though every body was taken");
            rest = &rest[taken..];
            loop {
                match deframer.next_body() {
                    Ok(Some(body)) => bodies.push(body.to_vec()),
                    Ok(None) => break,
                    Err(error) => return (bodies, Err(error)),
                }
            }
        }
    }
    (bodies, Ok(()))
}

/// Any body is a request or refused with a reply that a client can read; a request that was
/// read can be written and is read as the same again.
pub fn request(data: &[u8]) {
    match decode_request(data) {
        Ok(request) => {
            let id = request.id.unwrap_or(7);
            let message = request.op.encode(id).expect("what was read is short enough");
            let again = decode_request(&message[PREFIX_BYTES..]).expect("what was written");
            assert_eq!(again.op, request.op);
            assert_eq!(again.id, Some(id));
        }
        Err(rejection) => {
            let code = rejection.error.code;
            assert!(
                [Code::InvalidMessage, Code::UnknownOp, Code::InvalidArgs].contains(&code),
                "{code} for a body"
            );
            assert!(rejection.error.message.len() < 1000, "the error quotes too much");
            let frame = ServerFrame::error(rejection.id, &rejection.error);
            let Ok(ServerMessage::Reply { id, answer }) = ServerMessage::decode(frame.body())
            else {
                panic!("{frame:?} is no reply")
            };
            assert_eq!(id, rejection.id);
            assert_eq!(answer, crate::Answer::Refused(rejection.error));
        }
    }
}

/// Any body is a message of a daemon, unknown, or refused; an event that was read can be
/// written and is read as the same again, and a mirror takes it in whatever state it is.
pub fn event(data: &[u8]) {
    let Ok(message) = ServerMessage::decode(data) else { return };
    let ServerMessage::Event(event) = message else { return };
    apply_any(&event, &mut Mirror::full());
    if matches!(event.change, crate::Change::Unknown { .. }) {
        return;
    }
    let frame = ServerFrame::event(&event).expect("what was read is short enough");
    assert_eq!(ServerMessage::decode(frame.body()).ok(), Some(ServerMessage::Event(event)));
}

/// Any body is a snapshot or refused; one that was read is written and read as the same again,
/// and takes the events that follow it.
pub fn snapshot(data: &[u8]) {
    let Ok(snapshot) = crate::server::read::<Mirror>(data) else { return };
    let frame = ServerFrame::reply(Some(1), &snapshot);
    let Ok(ServerMessage::Reply { answer, .. }) = ServerMessage::decode(frame.body()) else {
        panic!("{frame:?} is no reply")
    };
    assert_eq!(answer.result::<Mirror>().ok(), Some(Ok(snapshot.clone())));

    let mut mirror = Mirror::default();
    mirror.merge(snapshot.clone());
    assert_eq!(mirror, snapshot, "an empty mirror becomes the snapshot");
    mirror.merge(snapshot.clone());
    assert_eq!(mirror, snapshot, "a snapshot twice is a snapshot once");
    assert_eq!(snapshot.replicate(&snapshot.topics()), snapshot);
}

fn apply_any(event: &Event, mirror: &mut Mirror) {
    let before = mirror.seq(event.topic);
    match mirror.apply(event) {
        Applied::Changed => assert_eq!(mirror.seq(event.topic), Some(event.seq)),
        Applied::Gap { expected, .. } => {
            assert!(event.seq > expected, "no gap");
            assert_eq!(mirror.seq(event.topic), before, "a gap changes nothing");
        }
        Applied::Stale | Applied::Untracked | Applied::Skipped | Applied::Lost(_) => {}
    }
}
