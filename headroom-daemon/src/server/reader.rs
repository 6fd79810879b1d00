//! hr-read-N: takes one request after the other, in the order of the bytes.
//!
//! Requests that have arrived together are done together, and their replies go out in one
//! write. The next request is taken only when its reply has a place, so a client that sends
//! and does not read is stopped by its own socket.

use std::io::{self, Read};

use headroom_ipc::Deframer;

use super::connection::Connection;
use crate::engine::{Done, Engine};

/// Read at a time. It lives on the stack, and an idle connection pays for it.
const READ_BYTES: usize = 2048;

/// Until the peer is done, or the connection is of no use any more. Gives why, where that is
/// worth a line.
pub(super) fn run(connection: &Connection, engine: &Engine) -> io::Result<()> {
    let mut deframer = Deframer::new();
    let mut buffer = [0; READ_BYTES];
    loop {
        let read = match (&connection.stream).read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read == 0 {
            // Half a frame is forgotten; what was asked before is answered.
            return connection.empty(engine).map(drop);
        }
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            rest = &rest[deframer.push(rest)..];
            if !take_requests(&mut deframer, connection, engine)? {
                return Ok(());
            }
        }
        connection.flush(engine)?;
    }
}

/// Does every request that has arrived whole. Not part of the frame that sleeps in `read`: an
/// idle connection keeps the pages of that one only. Gives `false` when the connection is to end.
#[inline(never)]
fn take_requests(
    deframer: &mut Deframer,
    connection: &Connection,
    engine: &Engine,
) -> io::Result<bool> {
    loop {
        if !connection.make_room(engine)? {
            return Ok(false);
        }
        match deframer.next_body() {
            Ok(None) => return Ok(true),
            Ok(Some(body)) => {
                let request = engine.read(body);
                while engine.answer(connection.seat, &request) == Done::NotYet {
                    if !connection.empty(engine)? {
                        return Ok(false);
                    }
                }
            }
            Err(error) => {
                engine.refuse_frame(connection.seat, error);
                return connection.empty(engine).map(|_| false);
            }
        }
    }
}
