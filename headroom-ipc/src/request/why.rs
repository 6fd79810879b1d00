//! The op that asks why an app sounds as it does.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::args::{Args, text};
use super::{Call, Field, Read};
use crate::cursor::Item;
use crate::{Code, Error, Why};

/// `why`: asks what has decided where an app or a stream goes, and what is done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyCall {
    /// The stream of this number.
    Stream(u64),
    /// Every stream of an app that is called so.
    App(String),
}

impl Serialize for WhyCall {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut args = to.serialize_struct("WhyCall", 1)?;
        match self {
            WhyCall::Stream(id) => args.serialize_field("stream", id)?,
            WhyCall::App(name) => args.serialize_field("app", name)?,
        }
        args.end()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for WhyCall {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WhyCall".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let [app_about, stream_about] = [0, 1].map(|place| WhyCall::FIELDS[place].about);
        schemars::json_schema!({
            "type": "object",
            "properties": {
                "app": { "type": "string", "description": app_about },
                "stream": { "type": "integer", "minimum": 0, "description": stream_about },
            },
            "oneOf": [{ "required": ["app"] }, { "required": ["stream"] }],
        })
    }
}

impl Call for WhyCall {
    const OP: &'static str = "why";
    const FIELDS: &'static [Field] = &[
        Field::optional(
            "app",
            "the name of an app, or a pattern with * and ? (1 to 256 bytes)",
            "every stream of the app: its name, its program or what the sandbox calls it",
        ),
        Field::optional(
            "stream",
            "the id of a stream, an unsigned integer",
            "instead of app: this stream",
        ),
    ];
    type Reply = Why;
}

impl Read for WhyCall {
    fn read(args: &Args<'_>) -> Result<WhyCall, Error> {
        let [app, stream] = args.take();
        let id = stream.optional(|item, _| match item {
            Item::Unsigned(id) => Some(id),
            _ => None,
        })?;
        match (app.optional(|item, _| text(item))?, id) {
            (Some(name), None) => Ok(WhyCall::App(name)),
            (None, Some(id)) => Ok(WhyCall::Stream(id)),
            (Some(_), Some(_)) => {
                let message = "app and stream are both given, but only one of them can be";
                Err(Error::new(Code::InvalidArgs, message).with_field("stream"))
            }
            (None, None) => Err(app.missing()),
        }
    }
}
