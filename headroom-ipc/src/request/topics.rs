//! The ops about topics: to subscribe, and to ask for the state as it is.

use serde::{Deserialize, Serialize};

use super::args::{Arg, Args, number, refuse};
use super::{Call, Field, Read};
use crate::cursor::Item;
use crate::{Error, Mirror, Topic};

/// `subscribe`: asks for the events of topics from now on, and for their state now. Topics that
/// the connection is subscribed to already stay; those named again keep their count of losses.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subscribe {
    /// The topics.
    pub topics: Vec<Topic>,
    /// Whether the reply is to hold the state of the topics. The daemon takes absent for true.
    #[cfg_attr(feature = "schema", schemars(default = "with_snapshot"))]
    pub snapshot: bool,
    /// How often `meters` is to tick at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_hz: Option<f32>,
}

#[cfg(feature = "schema")]
fn with_snapshot() -> bool {
    true
}

impl Call for Subscribe {
    const OP: &'static str = "subscribe";
    const FIELDS: &'static [Field] = &[
        Field::required("topics", TOPICS, "the topics"),
        Field::optional(
            "snapshot",
            "true or false",
            "whether the reply is to hold the state of the topics; true if absent",
        ),
        Field::optional(
            "max_hz",
            "a number between 0.1 and 100",
            "how often meters is to tick at most; as often as they do if absent",
        ),
    ];
    type Reply = Subscribed;
}

impl Read for Subscribe {
    fn read(args: &Args<'_>) -> Result<Subscribe, Error> {
        let [topics, snapshot, max_hz] = args.take();
        Ok(Subscribe {
            topics: read_topics(&topics)?.ok_or_else(|| topics.missing())?,
            snapshot: snapshot
                .optional(|item, _| match item {
                    Item::Bool(value) => Some(value),
                    _ => None,
                })?
                .unwrap_or(true),
            max_hz: max_hz
                .optional(|item, _| number(item).filter(|hz| (0.1..=100.0).contains(hz)))?,
        })
    }
}

/// The result of `subscribe`: the first event of each topic after it is `seq + 1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subscribed {
    /// Every topic that was named, and its last event.
    pub topics: Vec<TopicSeq>,
    /// The state of every topic that was named, unless it was asked to leave it out.
    pub snapshot: Option<Mirror>,
}

/// A topic and the number of its last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TopicSeq {
    /// The topic.
    pub topic: Topic,
    /// The number of its last event, 0 if it has had none.
    pub seq: u64,
}

/// `unsubscribe`: asks for no more events of topics. Losses that were not reported yet are
/// reported before the reply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unsubscribe {
    /// The topics; all of them where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<Topic>>,
}

impl Call for Unsubscribe {
    const OP: &'static str = "unsubscribe";
    const FIELDS: &'static [Field] =
        &[Field::optional("topics", TOPICS, "the topics; every one if absent")];
    type Reply = Unsubscribed;
}

impl Read for Unsubscribe {
    fn read(args: &Args<'_>) -> Result<Unsubscribe, Error> {
        let [topics] = args.take();
        Ok(Unsubscribe { topics: read_topics(&topics)? })
    }
}

/// The result of `unsubscribe`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unsubscribed {
    /// The topics that the connection is still subscribed to.
    pub topics: Vec<Topic>,
}

/// `snapshot`: asks for the state of topics, without subscribing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Snapshot {
    /// The topics; all of them where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<Topic>>,
}

impl Call for Snapshot {
    const OP: &'static str = "snapshot";
    const FIELDS: &'static [Field] =
        &[Field::optional("topics", TOPICS, "the topics; every one if absent")];
    type Reply = Mirror;
}

impl Read for Snapshot {
    fn read(args: &Args<'_>) -> Result<Snapshot, Error> {
        let [topics] = args.take();
        Ok(Snapshot { topics: read_topics(&topics)? })
    }
}

const TOPICS: &str = "a list of 1 to 16 topics";
const MOST_TOPICS: u32 = 16;

/// Every topic once, however often it was named.
fn read_topics(arg: &Arg<'_>) -> Result<Option<Vec<Topic>>, Error> {
    let Some((count, mut cursor)) = arg.optional(|item, cursor| match item {
        Item::List(count @ 1..=MOST_TOPICS) => Some((count, *cursor)),
        _ => None,
    })?
    else {
        return Ok(None);
    };
    let mut topics = Vec::new();
    for _ in 0..count {
        let item = cursor.item()?;
        let Item::Text(word) = item else { return Err(refuse("topics", item, TOPICS)) };
        match Topic::from_word(word) {
            Topic::Unknown => return Err(unknown_topic(word)),
            topic if topics.contains(&topic) => {}
            topic => topics.push(topic),
        }
    }
    Ok(Some(topics))
}

fn unknown_topic(word: &str) -> Error {
    let allowed = Topic::WORDS.join(", ");
    let error =
        Error::invalid_args("topics", crate::cursor::cut(word).as_str(), &format!("of {allowed}"));
    match crate::word::nearest(word, Topic::WORDS) {
        Some(near) => error.with_nearest(near),
        None => error,
    }
}
