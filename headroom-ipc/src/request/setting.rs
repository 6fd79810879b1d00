//! The ops about settings, and bypass.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::args::{Args, number, text};
use super::{Call, Field, Read};
use crate::cursor::Item;
use crate::word::words;
use crate::{Bypass, Code, Error, Setting, SettingValue};

/// `setting.get`: asks for one setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingGet {
    /// Its dotted key.
    pub key: String,
}

impl Call for SettingGet {
    const OP: &'static str = "setting.get";
    const FIELDS: &'static [Field] = &[Field::required("key", KEY, "the setting")];
    type Reply = Setting;
}

impl Read for SettingGet {
    fn read(args: &Args<'_>) -> Result<SettingGet, Error> {
        let [key] = args.take();
        Ok(SettingGet { key: key.required(|item, _| text(item))? })
    }
}

/// `setting.list`: asks for all settings, or those of one section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingList {
    /// What their keys begin with, up to a dot: `agc`, or `limiter.soft`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

impl Call for SettingList {
    const OP: &'static str = "setting.list";
    const FIELDS: &'static [Field] =
        &[Field::optional("section", SECTION, "only these; every setting if absent")];
    type Reply = SettingValues;
}

impl Read for SettingList {
    fn read(args: &Args<'_>) -> Result<SettingList, Error> {
        let [section] = args.take();
        Ok(SettingList { section: section.optional(|item, _| text(item))? })
    }
}

/// The result of `setting.list` and `setting.reset`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingValues {
    /// The settings.
    pub settings: Vec<Setting>,
}

/// `setting.set`: overrides a setting. Kept over a profile switch and remembered by the daemon,
/// until it is cleared.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingSet {
    /// Its dotted key.
    pub key: String,
    /// The new value, or by how much to change it.
    pub amount: SettingAmount,
}

/// What to set a setting to: either the argument `value` or the argument `by`.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingAmount {
    /// This value.
    Value(SettingValue),
    /// The present number and this one, at most as far as the setting goes. Two clients that
    /// step at the same time both count.
    By(f32),
}

impl Serialize for SettingSet {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut args = to.serialize_struct("SettingSet", 2)?;
        args.serialize_field("key", &self.key)?;
        match &self.amount {
            SettingAmount::Value(value) => args.serialize_field("value", value)?,
            SettingAmount::By(by) => args.serialize_field("by", &SettingValue::Number(*by))?,
        }
        args.end()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SettingSet {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SettingSet".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<SettingValue>();
        let [key_about, value_about, by_about] =
            [0, 1, 2].map(|place| SettingSet::FIELDS[place].about);
        schemars::json_schema!({
            "type": "object",
            "properties": {
                "key": { "type": "string", "description": key_about },
                "value": { "allOf": [value], "description": value_about },
                "by": { "type": "number", "description": by_about },
            },
            "required": ["key"],
            "oneOf": [{ "required": ["value"] }, { "required": ["by"] }],
        })
    }
}

impl Call for SettingSet {
    const OP: &'static str = "setting.set";
    const FIELDS: &'static [Field] = &[
        Field::required("key", KEY, "the setting"),
        Field::optional(
            "value",
            "true, false, a finite number or a word (1 to 256 bytes)",
            "the new value",
        ),
        Field::optional(
            "by",
            "a finite number",
            "instead of value: what to add to the present one, at most as far as it goes",
        ),
    ];
    type Reply = Setting;
}

impl Read for SettingSet {
    fn read(args: &Args<'_>) -> Result<SettingSet, Error> {
        let [key, value, by] = args.take();
        let key = key.required(|item, _| text(item))?;
        let new_value = value.optional(|item, _| match item {
            Item::Bool(value) => Some(SettingValue::Switch(value)),
            Item::Text(_) => text(item).map(SettingValue::Word),
            other => number(other).map(SettingValue::Number),
        })?;
        let step = by.optional(|item, _| number(item))?;
        let amount = match (new_value, step) {
            (Some(value), None) => SettingAmount::Value(value),
            (None, Some(by)) => SettingAmount::By(by),
            (Some(_), Some(_)) => {
                let message = "value and by are both given, but only one of them can be";
                return Err(Error::new(Code::InvalidArgs, message).with_field("by"));
            }
            (None, None) => return Err(value.missing()),
        };
        Ok(SettingSet { key, amount })
    }
}

/// `setting.clear`: takes one override back, so that the profile's value holds again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingClear {
    /// Its dotted key.
    pub key: String,
}

impl Call for SettingClear {
    const OP: &'static str = "setting.clear";
    const FIELDS: &'static [Field] = &[Field::required("key", KEY, "the setting")];
    type Reply = Setting;
}

impl Read for SettingClear {
    fn read(args: &Args<'_>) -> Result<SettingClear, Error> {
        let [key] = args.take();
        Ok(SettingClear { key: key.required(|item, _| text(item))? })
    }
}

/// `setting.reset`: takes all overrides back, or those of one section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingReset {
    /// What their keys begin with, up to a dot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

impl Call for SettingReset {
    const OP: &'static str = "setting.reset";
    const FIELDS: &'static [Field] =
        &[Field::optional("section", SECTION, "only these; every setting if absent")];
    type Reply = SettingValues;
}

impl Read for SettingReset {
    fn read(args: &Args<'_>) -> Result<SettingReset, Error> {
        let [section] = args.take();
        Ok(SettingReset { section: section.optional(|item, _| text(item))? })
    }
}

/// `bypass.set`: lets the sound pass Headroom untouched, or no longer. It moves no stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BypassSet {
    /// What to set it to.
    pub bypass: BypassTo,
}

words! {
    /// What to set bypass to.
    BypassTo {
        /// The sound passes untouched.
        On = "on",
        /// The sound is processed.
        Off = "off",
        /// The other one of the two.
        Toggle = "toggle",
    }
}

impl Call for BypassSet {
    const OP: &'static str = "bypass.set";
    const FIELDS: &'static [Field] = &[Field::required(
        "bypass",
        "\"on\", \"off\" or \"toggle\"",
        "whether the sound passes Headroom untouched",
    )];
    type Reply = Bypass;
}

impl Read for BypassSet {
    fn read(args: &Args<'_>) -> Result<BypassSet, Error> {
        let [bypass] = args.take();
        let to = bypass.required(|item, _| match item {
            Item::Text(word) => {
                Some(BypassTo::from_word(word)).filter(|to| *to != BypassTo::Unknown)
            }
            _ => None,
        })?;
        Ok(BypassSet { bypass: to })
    }
}

const KEY: &str = "the dotted key of a setting, such as agc.target_lufs (1 to 256 bytes)";
const SECTION: &str = "the beginning of keys up to a dot, such as agc (1 to 256 bytes)";
