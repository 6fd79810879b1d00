//! A client of few words: writes requests, reads messages, and lets nothing pass unseen.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use headroom_ipc::{Answer, Call, Deframer, Error, Event, Hello, ServerMessage, encode_request};

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(60);

/// One end of a connection.
pub(crate) struct Peer {
    pub(crate) stream: UnixStream,
    deframer: Deframer,
    /// Events that came while something else was waited for.
    events: VecDeque<Event>,
    next_id: u64,
}

/// A message, owned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    Hello(Box<Hello>),
    Result(Option<u64>, Vec<u8>),
    Refused(Option<u64>, Error),
    Event(Box<Event>),
}

impl Peer {
    pub(crate) fn connect(path: &Path) -> Peer {
        Peer::over(UnixStream::connect(path).expect("a connection"))
    }

    pub(crate) fn over(stream: UnixStream) -> Peer {
        stream.set_read_timeout(Some(LONG)).expect("set");
        Peer { stream, deframer: Deframer::new(), events: VecDeque::new(), next_id: 1 }
    }

    pub(crate) fn hello(&mut self) -> Hello {
        match self.message() {
            Some(Message::Hello(hello)) => *hello,
            other => panic!("not hello: {other:?}"),
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("written");
    }

    /// Sends a request and gives its id.
    pub(crate) fn send<C: Call>(&mut self, call: &C) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.write(&encode_request(id, call).expect("short"));
        id
    }

    /// Sends a request and waits for its reply, keeping the events that come before it.
    pub(crate) fn call<C: Call>(&mut self, call: &C) -> Result<C::Reply, Error> {
        let id = self.send(call);
        self.reply::<C>(id)
    }

    /// Waits for the reply to a request, keeping the events that come before it.
    pub(crate) fn reply<C: Call>(&mut self, id: u64) -> Result<C::Reply, Error> {
        loop {
            match self.message().expect("the connection stays") {
                Message::Result(Some(got), bytes) if got == id => {
                    return Ok(Answer::Done(&bytes)
                        .result::<C::Reply>()
                        .expect("read")
                        .expect("done"));
                }
                Message::Refused(Some(got), error) if got == id => return Err(error),
                Message::Event(event) => self.events.push_back(*event),
                other => panic!("not the reply {id}: {other:?}"),
            }
        }
    }

    /// The next event, kept or to come.
    pub(crate) fn event(&mut self) -> Event {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        match self.message().expect("the connection stays") {
            Message::Event(event) => *event,
            other => panic!("not an event: {other:?}"),
        }
    }

    /// The events that came while something else was waited for.
    #[allow(dead_code, reason = "two test programs share this file, and one needs less of it")]
    pub(crate) fn kept(&mut self) -> Vec<Event> {
        self.events.drain(..).collect()
    }

    /// The next message; nothing at the end of the connection.
    pub(crate) fn message(&mut self) -> Option<Message> {
        loop {
            if let Some(body) = self.deframer.next_body().expect("whole frames") {
                return Some(match ServerMessage::decode(body).expect("a message") {
                    ServerMessage::Hello(hello) => Message::Hello(Box::new(hello)),
                    ServerMessage::Reply { id, answer: Answer::Done(bytes) } => {
                        Message::Result(id, bytes.to_vec())
                    }
                    ServerMessage::Reply { id, answer: Answer::Refused(error) } => {
                        Message::Refused(id, error)
                    }
                    ServerMessage::Event(event) => Message::Event(Box::new(event)),
                    ServerMessage::Unknown => panic!("the daemon sends nothing unknown"),
                });
            }
            let mut buffer = [0; 16_384];
            let read = match self.stream.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
                Err(error) => panic!("reading: {error}"),
            };
            if read == 0 {
                assert_eq!(self.deframer.pending_bytes(), 0, "the connection ended in a message");
                return None;
            }
            let mut rest = &buffer[..read];
            while !rest.is_empty() {
                rest = &rest[self.deframer.push(rest)..];
            }
        }
    }

    /// Reads to the end of the connection, which must come.
    pub(crate) fn rest(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.message() {
            messages.push(message);
        }
        messages
    }
}
