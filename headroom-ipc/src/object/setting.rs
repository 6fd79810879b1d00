//! Topic `setting`: every value of the profile in force, overrides on top, and bypass.

use std::fmt;

use serde::de;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::finite;
use crate::word::words;

/// All settings: the state of topic `setting`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Settings {
    /// Whether sound passes Headroom untouched.
    pub bypass: bool,
    /// Every setting, in the order of the sections of a profile.
    pub settings: Vec<Setting>,
}

/// One value of the profile in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Setting {
    /// Its dotted key, such as `agc.target_lufs`. Its last part ends in the unit.
    pub key: String,
    /// The value in force.
    pub value: SettingValue,
    /// The value that the profile has, which comes back when the override is cleared.
    pub profile_value: SettingValue,
    /// Whether the user has changed it at run time.
    pub overridden: bool,
    /// The user's value where it is not in force: it contradicts another setting, and waits until
    /// it no longer does. Optional: absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<SettingValue>,
    /// What it can be.
    pub accepts: Accepts,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingValue {
    /// `true` or `false`.
    Switch(bool),
    /// A number, in the unit of the key.
    Number(f32),
    /// A word.
    Word(String),
}

/// What a setting can be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Accepts {
    /// Of which kind it is.
    pub kind: Kind,
    /// The smallest number; nil where there is none.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub min: Option<f32>,
    /// The largest number; nil where there is none.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub max: Option<f32>,
    /// The words; empty where it takes none.
    pub words: Vec<String>,
    /// The only numbers that it takes; empty where any in the range will do.
    pub numbers: Vec<f32>,
}

words! {
    /// What kind of value a setting takes.
    Kind {
        /// `true` or `false`.
        Switch = "switch",
        /// A number from `min` to `max`.
        Number = "number",
        /// A number from `min` to `max`, or one of `words`.
        NumberOrWord = "number_or_word",
        /// One of `numbers`.
        OneOf = "one_of",
        /// One of `words`.
        Word = "word",
    }
}

impl Accepts {
    /// `true` or `false`.
    #[must_use]
    pub fn switch() -> Accepts {
        Accepts { kind: Kind::Switch, min: None, max: None, words: Vec::new(), numbers: Vec::new() }
    }

    /// A number from `min` to `max`.
    #[must_use]
    pub fn number(min: f32, max: f32) -> Accepts {
        Accepts { kind: Kind::Number, min: Some(min), max: Some(max), ..Accepts::switch() }
    }

    /// A number from `min` to `max`, or one of these words.
    #[must_use]
    pub fn number_or_word(min: f32, max: f32, words: &[&str]) -> Accepts {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        Accepts { kind: Kind::NumberOrWord, words, ..Accepts::number(min, max) }
    }

    /// One of these numbers.
    #[must_use]
    pub fn one_of(numbers: &[f32]) -> Accepts {
        Accepts { kind: Kind::OneOf, numbers: numbers.to_vec(), ..Accepts::switch() }
    }

    /// One of these words.
    #[must_use]
    pub fn word(words: &[&str]) -> Accepts {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        Accepts { kind: Kind::Word, words, ..Accepts::switch() }
    }
}

/// Whether sound passes Headroom untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bypass {
    /// Whether it does.
    pub bypass: bool,
}

/// As a person would write it.
impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingValue::Switch(value) => write!(f, "{value}"),
            SettingValue::Number(number) => write!(f, "{number}"),
            SettingValue::Word(word) => write!(f, "{word:?}"),
        }
    }
}

impl From<bool> for SettingValue {
    fn from(value: bool) -> SettingValue {
        SettingValue::Switch(value)
    }
}

impl From<f32> for SettingValue {
    fn from(number: f32) -> SettingValue {
        SettingValue::Number(number)
    }
}

impl From<&str> for SettingValue {
    fn from(word: &str) -> SettingValue {
        SettingValue::Word(word.to_owned())
    }
}

impl From<SettingValue> for crate::Value {
    fn from(value: SettingValue) -> crate::Value {
        match value {
            SettingValue::Switch(value) => value.into(),
            SettingValue::Number(number) => number.into(),
            SettingValue::Word(word) => crate::Value::Text(word),
        }
    }
}

impl Serialize for SettingValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            SettingValue::Switch(value) => to.serialize_bool(*value),
            SettingValue::Number(number) if number.is_finite() => to.serialize_f32(*number),
            SettingValue::Number(_) => Err(serde::ser::Error::custom("a setting is not finite")),
            SettingValue::Word(word) => to.serialize_str(word),
        }
    }
}

impl<'de> Deserialize<'de> for SettingValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<SettingValue, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = SettingValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, a finite number or a word")
            }

            fn visit_bool<E>(self, value: bool) -> Result<SettingValue, E> {
                Ok(SettingValue::Switch(value))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<SettingValue, E> {
                self.visit_f64(number as f64)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<SettingValue, E> {
                self.visit_f64(number as f64)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<SettingValue, E> {
                let narrowed = number as f32;
                if narrowed.is_finite() {
                    Ok(SettingValue::Number(narrowed))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(number), &self))
                }
            }

            fn visit_str<E>(self, word: &str) -> Result<SettingValue, E> {
                Ok(SettingValue::Word(word.to_owned()))
            }
        }

        from.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SettingValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SettingValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "true, false, a finite number in the unit of the key, or a word",
            "type": ["boolean", "number", "string"],
        })
    }
}
