//! The ops about the device sink and the default sink.

use serde::Serialize;

use super::args::{Args, text};
use super::{Call, Field, Read};
use crate::cursor::Item;
use crate::word::words;
use crate::{Device, Error};

/// `sink.use`: has everything end up at this sink whenever it is there, or follows the user's
/// default again. It is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SinkUse {
    /// The name of the sink; absent, the user's default is followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
}

impl Call for SinkUse {
    const OP: &'static str = "sink.use";
    const FIELDS: &'static [Field] = &[Field::optional(
        "sink",
        "the name of a sink that is not Headroom's (1 to 256 bytes)",
        "where everything is to end up whenever it is there; absent, the user's default is followed",
    )];
    type Reply = Device;
}

impl Read for SinkUse {
    fn read(args: &Args<'_>) -> Result<SinkUse, Error> {
        let [sink] = args.take();
        Ok(SinkUse { sink: sink.optional(|item, _| text(item))? })
    }
}

/// `promote.set`: makes the main bus the user's default sink, or gives the default back. It is
/// kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PromoteSet {
    /// What is wanted.
    pub promote: PromoteTo,
}

words! {
    /// What to set promotion to.
    PromoteTo {
        /// The main bus becomes the default sink.
        On = "on",
        /// The user's own default is put back.
        Off = "off",
        /// The other one of the two.
        Toggle = "toggle",
    }
}

impl Call for PromoteSet {
    const OP: &'static str = "promote.set";
    const FIELDS: &'static [Field] = &[Field::required(
        "promote",
        "\"on\", \"off\" or \"toggle\"",
        "whether the main bus is the default sink",
    )];
    type Reply = Device;
}

impl Read for PromoteSet {
    fn read(args: &Args<'_>) -> Result<PromoteSet, Error> {
        let [promote] = args.take();
        let to = promote.required(|item, _| match item {
            Item::Text(word) => {
                Some(PromoteTo::from_word(word)).filter(|to| *to != PromoteTo::Unknown)
            }
            _ => None,
        })?;
        Ok(PromoteSet { promote: to })
    }
}
