//! A connection that passes messages on without knowing them: what a bridge to another transport
//! stands on.
//!
//! It keeps to nothing but the frames: what ids, ops and events mean is between the daemon and
//! whoever is at the other end of the bridge. It never waits but for connecting, so that one
//! thread can serve it beside other things.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use headroom_ipc::{Address, TooLong, Value};

use crate::ClientError;
use crate::wire::Wire;

/// A connection to the daemon, of which nothing is known yet, not even that it greets.
///
/// ```no_run
/// use std::time::Duration;
/// use headroom_client::{Relay, daemon_address};
/// # let request: headroom_client::ipc::Value = headroom_client::ipc::Value::Nil;
///
/// let mut relay = Relay::connect(&daemon_address()?, Duration::from_secs(1))?;
/// relay.send(&request)?;
/// // Whenever its descriptor can be read:
/// relay.receive(|message| println!("{message}"))?;
/// # Ok::<(), headroom_client::ClientError>(())
/// ```
#[derive(Debug)]
pub struct Relay {
    wire: Wire,
    unsent: VecDeque<u8>,
}

impl Relay {
    /// Connects.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] where nobody listens, and the others.
    pub fn connect(address: &Address, timeout: Duration) -> Result<Relay, ClientError> {
        Ok(Relay { wire: Wire::connect(address, timeout)?, unsent: VecDeque::new() })
    }

    /// Sends a message, or as much of it as there is room for; [`flush`](Relay::flush) sends the
    /// rest.
    ///
    /// # Errors
    /// [`ClientError::TooLong`] with nothing sent, and those of the connection.
    pub fn send(&mut self, message: &Value) -> Result<(), ClientError> {
        let bytes = message.encode().map_err(|why: TooLong| ClientError::TooLong(why))?;
        self.unsent.extend(bytes);
        self.flush()
    }

    /// Sends what is left, as far as there is room for it.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn flush(&mut self) -> Result<(), ClientError> {
        while !self.unsent.is_empty() {
            let written = self.wire.write(self.unsent.as_slices().0)?;
            if written == 0 {
                break;
            }
            self.unsent.drain(..written);
        }
        Ok(())
    }

    /// How much waits to be sent. Whoever sends more without looking here makes it grow.
    #[must_use]
    pub fn unsent_bytes(&self) -> usize {
        self.unsent.len()
    }

    /// Reads once what has come, and hands over every whole message.
    ///
    /// # Errors
    /// [`ClientError::Closed`] when the daemon has gone, and the others; the connection is of no
    /// use after any of them.
    pub fn receive(&mut self, mut take: impl FnMut(Value)) -> Result<(), ClientError> {
        self.wire.read(|body| {
            take(Value::decode(body)?);
            Ok(())
        })?;
        Ok(())
    }
}

impl AsFd for Relay {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wire.descriptor()
    }
}
