//! A message of the daemon as a client reads it: what is not known is skipped.

use serde::de::DeserializeOwned;

use crate::cursor::{Broken, Cursor, Item};
use crate::{Change, Error, Event, Hello, Topic};

/// How deep values may be nested. The protocol's own go to 6.
const MAX_DEPTH: usize = 64;

/// A message of the daemon.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "events are what most messages are")]
pub enum ServerMessage<'b> {
    /// The first message on a connection.
    Hello(Hello),
    /// The answer to the request with this id; nil where the daemon could not read one.
    Reply {
        /// The request's id.
        id: Option<u64>,
        /// What it says.
        answer: Answer<'b>,
    },
    /// Something has changed. An event of a known topic that this version does not know is here
    /// too, because it counts in its topic.
    Event(Event),
    /// A topic, or a kind of message, that this version does not know. To be skipped.
    Unknown,
}

/// What a reply says.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer<'b> {
    /// The result, as MessagePack; [`Answer::result`] reads it.
    Done(&'b [u8]),
    /// It was refused.
    Refused(Error),
}

/// What came is not what a daemon of this protocol sends.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It is not MessagePack, or not a map with text keys.
    #[error("the daemon sent no message: {0}")]
    NoMessage(String),
    /// A part of it is not what it should be.
    #[error("the daemon sent {part} that cannot be read: {why}")]
    Part {
        /// Which.
        part: String,
        /// What is wrong.
        why: String,
    },
}

impl From<Broken> for DecodeError {
    fn from(broken: Broken) -> DecodeError {
        DecodeError::NoMessage(broken.to_string())
    }
}

impl Answer<'_> {
    /// The result, or the error.
    ///
    /// # Errors
    /// The outer one where the result is not what the op gives; the inner one is the daemon's.
    pub fn result<R: DeserializeOwned>(self) -> Result<Result<R, Error>, DecodeError> {
        match self {
            Answer::Done(bytes) => match read(bytes) {
                Ok(result) => Ok(Ok(result)),
                Err(why) => Err(part("a result", &why)),
            },
            Answer::Refused(error) => Ok(Err(error)),
        }
    }
}

impl<'b> ServerMessage<'b> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError`] for what no daemon of this protocol sends. The connection is of no use
    /// after it.
    pub fn decode(body: &'b [u8]) -> Result<ServerMessage<'b>, DecodeError> {
        let found = Found::scan(body)?;
        if let Some(topic) = found.topic {
            return event(topic, &found);
        }
        let id = || match found.id.map(|bytes| Cursor::new(bytes).item()).transpose()? {
            None | Some(Item::Nil) => Ok(None),
            Some(Item::Unsigned(id)) => Ok(Some(id)),
            Some(other) => Err(DecodeError::Part {
                part: "a reply".to_owned(),
                why: format!("its id is {other}, but must be an unsigned integer or nil"),
            }),
        };
        Ok(match (found.error, found.result) {
            (Some(bytes), _) => {
                let error = read(bytes).map_err(|why| part("an error", &why))?;
                ServerMessage::Reply { id: id()?, answer: Answer::Refused(error) }
            }
            (None, Some(bytes)) => ServerMessage::Reply { id: id()?, answer: Answer::Done(bytes) },
            (None, None) => ServerMessage::Unknown,
        })
    }
}

fn event<'b>(topic: &str, found: &Found<'b>) -> Result<ServerMessage<'b>, DecodeError> {
    let known = Topic::from_word(topic);
    let (Some(name), true) = (found.event, known != Topic::Unknown) else {
        return Ok(ServerMessage::Unknown);
    };
    let data = found.data.unwrap_or(&[NIL]);
    let unreadable = |why: rmp_serde::decode::Error| part(&format!("{topic} {name}"), &why);
    if known == Topic::Daemon && name == "hello" {
        return read(data).map(ServerMessage::Hello).map_err(unreadable);
    }
    let Some(seq) = found.seq else { return Ok(ServerMessage::Unknown) };
    let change = Change::decode(known, name, data).map_err(unreadable)?;
    Ok(ServerMessage::Event(Event { topic: known, seq, change }))
}

const NIL: u8 = 0xc0;

fn part(part: &str, why: &rmp_serde::decode::Error) -> DecodeError {
    DecodeError::Part { part: part.to_owned(), why: why.to_string() }
}

/// Reads one value.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, rmp_serde::decode::Error> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(MAX_DEPTH);
    T::deserialize(&mut deserializer)
}

/// Where the parts of a message are.
#[derive(Default)]
struct Found<'b> {
    id: Option<&'b [u8]>,
    result: Option<&'b [u8]>,
    error: Option<&'b [u8]>,
    topic: Option<&'b str>,
    event: Option<&'b str>,
    seq: Option<u64>,
    data: Option<&'b [u8]>,
}

impl<'b> Found<'b> {
    fn scan(body: &'b [u8]) -> Result<Found<'b>, DecodeError> {
        let mut found = Found::default();
        let mut cursor = Cursor::new(body);
        let count = match cursor.item()? {
            Item::Map(count) => count,
            other => return Err(DecodeError::NoMessage(format!("{other} is no map"))),
        };
        for _ in 0..count {
            let key = Cursor::new(cursor.skip()?).item()?;
            let value = cursor.skip()?;
            let scalar = Cursor::new(value).item()?;
            match (key, scalar) {
                (Item::Text("id"), _) => found.id = Some(value),
                (Item::Text("result"), _) => found.result = Some(value),
                (Item::Text("error"), _) => found.error = Some(value),
                (Item::Text("topic"), Item::Text(topic)) => found.topic = Some(topic),
                (Item::Text("event"), Item::Text(event)) => found.event = Some(event),
                (Item::Text("seq"), Item::Unsigned(seq)) => found.seq = Some(seq),
                (Item::Text("data"), _) => found.data = Some(value),
                _ => {}
            }
        }
        Ok(found)
    }
}
