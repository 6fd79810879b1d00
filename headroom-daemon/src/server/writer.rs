//! hr-write-N: sleeps until it is given the baton, and then writes until nothing is queued.
//!
//! It alone waits for a slow peer. It asks for nothing and decides nothing.

use std::io;
use std::thread;

use super::connection::Connection;
use super::unsent::Patience;
use crate::engine::Engine;

pub(super) fn run(connection: &Connection, engine: &Engine) {
    while !connection.is_closed() {
        if !connection.bell.is_with_writer() {
            thread::park();
            continue;
        }
        match connection.write(engine, Patience::Waits) {
            Ok(_) => {
                connection.bell.let_go();
                connection.tell_reader();
            }
            Err(error) => {
                if error.kind() == io::ErrorKind::WouldBlock {
                    let waited = connection.stream.write_timeout().ok().flatten();
                    log::warn!(
                        "connection {} is closed: its peer has read nothing for {} ms",
                        connection.number,
                        waited.unwrap_or_default().as_millis()
                    );
                }
                connection.close();
            }
        }
    }
}
