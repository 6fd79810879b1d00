//! Lines: what a message and the first line of a file look like as JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ChannelError, MAX_MESSAGE_BYTES, Side, VERSION};

/// A message as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its number among the messages of its direction, from 1. The order is theirs.
    pub seq: u64,
    /// What a response names in `reply_to`: unique in the channel.
    pub id: String,
    /// When it was sent, in milliseconds since 1970 by the sender's clock; 0 where it does not
    /// say. Clocks jump: nothing is ordered by it.
    pub time_ms: u64,
    /// What it is.
    pub kind: Kind,
    /// The `id` of the request that a response answers.
    pub reply_to: Option<String>,
    /// What is asked, or what has happened.
    pub method: Option<String>,
    /// What it says; null where it says nothing.
    pub payload: Value,
    /// Why a request was refused, in a response that says so.
    pub error: Option<Value>,
}

impl Message {
    /// Roughly how much memory it takes.
    pub(super) fn weight_bytes(&self) -> usize {
        let mut bytes = size_of::<Message>();
        let mut values = vec![&self.payload];
        values.extend(&self.error);
        while let Some(value) = values.pop() {
            bytes += size_of::<Value>();
            match value {
                Value::String(text) => bytes += text.len(),
                Value::Array(items) => values.extend(items),
                Value::Object(fields) => {
                    bytes += fields.keys().map(String::len).sum::<usize>();
                    values.extend(fields.values());
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        bytes
    }
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It wants a response.
    Request,
    /// It is one.
    Response,
    /// It tells something.
    Event,
    /// What this version does not know. To be skipped.
    #[serde(other)]
    Unknown,
}

/// What is sent, but for what the writer adds.
#[derive(Serialize)]
pub(super) struct Outgoing<'a, P: Serialize> {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reply_to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<&'a P>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a P>,
}

#[derive(Serialize)]
struct Stamped<'a, P: Serialize> {
    seq: u64,
    id: &'a str,
    time_ms: u64,
    #[serde(flatten)]
    message: &'a Outgoing<'a, P>,
}

impl<P: Serialize> Outgoing<'_, P> {
    /// The line of the message, with its end, and its id.
    pub(super) fn line(&self, from: Side, seq: u64) -> Result<(Vec<u8>, String), ChannelError> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time_ms = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        let id = id(from, seq);
        let stamped = Stamped { seq, id: &id, time_ms, message: self };
        let mut line = serde_json::to_vec(&stamped).map_err(ChannelError::Payload)?;
        line.push(b'\n');
        if line.len() > MAX_MESSAGE_BYTES {
            return Err(ChannelError::TooLong { bytes: line.len() });
        }
        Ok((line, id))
    }
}

fn id(from: Side, seq: u64) -> String {
    format!("{}-{seq}", from.as_str())
}

/// The first line of a file, with its end. `seq` is that of the message in front of the file's
/// first, so that the number behind that of the last line is always the next one.
pub(super) fn header(from: Side, seq: u64) -> String {
    format!(
        "{{\"type\":\"channel\",\"version\":{VERSION},\"from\":\"{}\",\"seq\":{seq}}}\n",
        from.as_str()
    )
}

/// A line as it was read.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// The first of a file, in this version.
    Header {
        seq: u64,
    },
    /// The first of a file, in another version.
    OtherVersion(u64),
    Message(Box<Message>),
}

/// Every field that a line can have; what else it has is skipped.
#[derive(Deserialize)]
struct Fields {
    seq: u64,
    #[serde(rename = "type")]
    kind: String,
    version: Option<u64>,
    id: Option<String>,
    #[serde(default)]
    time_ms: u64,
    reply_to: Option<String>,
    method: Option<String>,
    #[serde(default)]
    payload: Value,
    error: Option<Value>,
}

/// Only what a writer looks for.
#[derive(Deserialize)]
struct Seq {
    seq: u64,
}

/// The number of a line, if it has one.
pub(super) fn seq_of(line: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Seq>(line).ok().map(|line| line.seq)
}

/// Reads a line without its end. An older version than this is one without a number.
pub(super) fn parse(line: &[u8], from: Side) -> Result<Line, String> {
    let fields: Fields = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if fields.kind == "channel" {
        return Ok(match fields.version {
            Some(VERSION) => Line::Header { seq: fields.seq },
            other => Line::OtherVersion(other.unwrap_or(0)),
        });
    }
    let kind = match fields.kind.as_str() {
        "request" => Kind::Request,
        "response" => Kind::Response,
        "event" => Kind::Event,
        _ => Kind::Unknown,
    };
    Ok(Line::Message(Box::new(Message {
        seq: fields.seq,
        // A script need not think of one.
        id: fields.id.unwrap_or_else(|| id(from, fields.seq)),
        time_ms: fields.time_ms,
        kind,
        reply_to: fields.reply_to,
        method: fields.method,
        payload: fields.payload,
        error: fields.error,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_reads_as_it_was_written_and_a_script_may_leave_out_what_it_can() {
        let payload = json!({"key": "agc.target_lufs", "value": -18.0});
        let sent = Outgoing {
            kind: Kind::Request,
            reply_to: None,
            method: Some("setting.set"),
            payload: Some(&payload),
            error: None,
        };
        let (line, id) = sent.line(Side::Frontend, 7).unwrap();
        let text = String::from_utf8(line.clone()).unwrap();
        assert_eq!(text.find('\n'), Some(text.len() - 1), "one line");
        let Line::Message(read) = parse(&line[..line.len() - 1], Side::Frontend).unwrap() else {
            panic!("{text}")
        };
        assert_eq!((read.seq, read.id.as_str()), (7, id.as_str()));
        assert_eq!((read.kind, read.method.as_deref()), (Kind::Request, Some("setting.set")));
        assert_eq!((read.payload, read.error, read.reply_to), (payload, None, None));
        assert!(read.time_ms > 1_600_000_000_000);

        let short = br#"{"seq":8,"type":"request","method":"ping","new":1}"#;
        let Line::Message(read) = parse(short, Side::Frontend).unwrap() else { panic!() };
        assert_eq!((read.id.as_str(), read.payload), ("frontend-8", Value::Null));
        let unknown = br#"{"seq":8,"type":"later"}"#;
        let Line::Message(read) = parse(unknown, Side::Frontend).unwrap() else { panic!() };
        assert_eq!(read.kind, Kind::Unknown);
    }

    #[test]
    fn the_first_line_says_the_version_and_the_number_before() {
        let header = header(Side::Backend, 41);
        assert_eq!(
            parse(header.trim_end().as_bytes(), Side::Backend),
            Ok(Line::Header { seq: 41 })
        );
        assert_eq!(seq_of(header.trim_end().as_bytes()), Some(41));
        let later = br#"{"type":"channel","version":2,"seq":0}"#;
        assert_eq!(parse(later, Side::Backend), Ok(Line::OtherVersion(2)));
        assert!(parse(br#"{"type":"event"}"#, Side::Backend).unwrap_err().contains("seq"));
    }
}
