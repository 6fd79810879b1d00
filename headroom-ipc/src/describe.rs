//! The protocol about itself: the result of `describe`, from the very tables that requests are
//! read with.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::request::*;
use crate::request::{Call, for_each_op};
use crate::{Change, Code, Op, PROTOCOL, Topic};

/// The ops, topics and error codes that there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Description {
    /// The version of the protocol.
    pub protocol: u32,
    /// Every op.
    pub ops: Vec<OpDescription>,
    /// Every topic.
    pub topics: Vec<TopicDescription>,
    /// Every error code.
    pub codes: Vec<Text>,
}

type Text = Cow<'static, str>;

/// An op and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpDescription {
    /// Its name.
    pub op: Text,
    /// What it takes.
    pub args: Vec<ArgDescription>,
}

/// An argument of an op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArgDescription {
    /// Its name.
    pub name: Text,
    /// Whether the op cannot do without.
    pub required: bool,
    /// What it must be.
    pub allowed: Text,
    /// What it does.
    pub about: Text,
}

/// A topic and its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TopicDescription {
    /// Its name.
    pub topic: Text,
    /// The names of its events.
    pub events: Vec<Text>,
}

impl Description {
    /// What this version of the protocol has.
    #[must_use]
    pub fn of_protocol() -> Description {
        let texts = |words: &'static [&'static str]| words.iter().map(|w| Text::from(*w)).collect();
        Description {
            protocol: PROTOCOL,
            ops: Op::NAMES
                .iter()
                .zip(fields_of_ops())
                .map(|(op, fields)| OpDescription {
                    op: Text::from(*op),
                    args: fields.iter().map(ArgDescription::from).collect(),
                })
                .collect(),
            topics: Topic::ALL
                .iter()
                .map(|topic| TopicDescription {
                    topic: topic.as_str().into(),
                    events: texts(Change::events_of(*topic)),
                })
                .collect(),
            codes: texts(Code::WORDS),
        }
    }
}

impl From<&Field> for ArgDescription {
    fn from(field: &Field) -> ArgDescription {
        ArgDescription {
            name: field.name.into(),
            required: field.required,
            allowed: field.allowed.into(),
            about: field.about.into(),
        }
    }
}

fn fields_of_ops() -> Vec<&'static [Field]> {
    macro_rules! fields {
        ($( $variant:ident = $op:literal, )+) => { vec![ $( <$variant as Call>::FIELDS, )+ ] };
    }
    for_each_op!(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_every_op_topic_and_code() {
        let description = Description::of_protocol();
        assert_eq!(description.ops.len(), Op::NAMES.len());
        assert!(description.topics.iter().all(|topic| !topic.events.is_empty()));
        assert_eq!(description.codes.len(), Code::ALL.len());
        let set = description.ops.iter().find(|op| op.op == "setting.set").unwrap();
        let names: Vec<&str> = set.args.iter().map(|arg| &*arg.name).collect();
        assert_eq!(names, ["key", "value", "by"]);
    }
}
