//! A message of the daemon as bytes, shared by all who get it.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::event::Envelope;
use crate::framing::framed;
use crate::{Code, Error, Event, Hello, PREFIX_BYTES, Topic};

/// A message of the daemon: encoded once, shared by however many connections it goes to.
/// Cloning it copies no bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerFrame {
    bytes: Arc<[u8]>,
    topic: Option<Topic>,
}

#[derive(Serialize)]
struct Success<'a, R: Serialize> {
    id: Option<u64>,
    result: &'a R,
}

#[derive(Serialize)]
struct Failure<'a> {
    id: Option<u64>,
    error: &'a Error,
}

impl ServerFrame {
    /// The answer to a request that was done. One that would be too long to send becomes an
    /// `INTERNAL` error, so that every request has its reply.
    #[must_use]
    pub fn reply<R: Serialize>(id: Option<u64>, result: &R) -> ServerFrame {
        match encode(&Success { id, result }) {
            Ok(bytes) => ServerFrame { bytes, topic: None },
            Err(why) => ServerFrame::error(
                id,
                &Error::new(Code::Internal, format!("the result cannot be sent: {why}")),
            ),
        }
    }

    /// The answer to a request that was not done.
    #[must_use]
    pub fn error(id: Option<u64>, error: &Error) -> ServerFrame {
        let bytes = encode(&Failure { id, error }).unwrap_or_else(|why| {
            // Only a message of a megabyte does that; its beginning is of no use either.
            let short = Error::new(error.code, format!("the error cannot be sent: {why}"));
            encode(&Failure { id, error: &short }).unwrap_or_else(|_| Arc::from([]))
        });
        ServerFrame { bytes, topic: None }
    }

    /// The first message on a connection.
    #[must_use]
    pub fn hello(hello: &Hello) -> ServerFrame {
        let message = Envelope { topic: Topic::Daemon, event: "hello", seq: None, data: hello };
        let bytes = encode(&message).unwrap_or_else(|_| Arc::from([]));
        ServerFrame { bytes, topic: None }
    }

    /// An event.
    ///
    /// # Errors
    /// An `INTERNAL` error that says why the event cannot be sent: it is over
    /// [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES), or a setting in it is not finite.
    pub fn event(event: &Event) -> Result<ServerFrame, Error> {
        match encode(event) {
            Ok(bytes) => Ok(ServerFrame { bytes, topic: Some(event.topic) }),
            Err(why) => Err(Error::new(Code::Internal, why)),
        }
    }

    /// What goes on the wire: the length and the body.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body alone.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.bytes.get(PREFIX_BYTES..).unwrap_or_default()
    }

    /// The topic that it is an event of; none for replies and `hello`.
    #[must_use]
    pub fn topic(&self) -> Option<Topic> {
        self.topic
    }
}

fn encode(message: &impl Serialize) -> Result<Arc<[u8]>, String> {
    let mut problem = None;
    let bytes = framed(|out| problem = rmp_serde::encode::write_named(out, message).err())
        .map_err(|why| why.to_string())?;
    match problem {
        None => Ok(bytes.into()),
        Some(why) => Err(why.to_string()),
    }
}

impl fmt::Debug for ServerFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match rmp_serde::from_slice::<crate::Value>(self.body()) {
            Ok(value) => write!(f, "ServerFrame({value})"),
            Err(_) => write!(f, "ServerFrame({} bytes)", self.bytes.len()),
        }
    }
}
