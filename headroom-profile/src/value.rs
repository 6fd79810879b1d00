//! One setting of a profile as a value by itself, for whoever shows or changes single settings.
//!
//! The daemon lists settings with it and puts overrides on top of a profile. A file is read
//! with lenience, because it may be old; what is set here was just typed, so it is taken as it
//! is or not at all.

use crate::profile::{Detector, Link, Makeup, Profile};
use crate::setting::{Given, Setting, Slot, Taken};

/// The value of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// `true` or `false`.
    Switch(bool),
    /// A number, in the unit of the key.
    Number(f32),
    /// A word.
    Word(&'a str),
}

/// A value that a setting cannot have; [`Setting::allowed`] says which it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{key} cannot have this value")]
pub struct NotAllowed {
    /// The key of the setting.
    pub key: &'static str,
}

impl Setting {
    /// The value that a profile has here.
    #[must_use]
    pub fn value(&self, profile: &Profile) -> Value<'static> {
        match (self.slot)(&mut profile.sections()) {
            Slot::Switch(slot) => Value::Switch(*slot),
            Slot::Number(slot) => Value::Number(*slot),
            Slot::Makeup(Makeup::Auto(_)) => Value::Word("auto"),
            Slot::Makeup(Makeup::Fixed(db)) => Value::Number(*db),
            Slot::Oversample(slot) => Value::Number(f32::from(u8::from(*slot))),
            Slot::Detector(Detector::Peak) => Value::Word("peak"),
            Slot::Detector(Detector::Rms) => Value::Word("rms"),
            Slot::Link(Link::Stereo) => Value::Word("stereo"),
            Slot::Link(Link::DualMono) => Value::Word("dual-mono"),
        }
    }

    /// Whether this value can stand here, whatever else a profile says.
    #[must_use]
    pub fn allows(&self, value: Value<'_>) -> bool {
        let mut blank = Profile {
            name: String::new(),
            description: String::new(),
            agc: Default::default(),
            compressor: Default::default(),
            limiter: Default::default(),
            meters: Default::default(),
            rules: Vec::new(),
            default_route: Default::default(),
            devices: Vec::new(),
            default_device: None,
            per_app: None,
        };
        self.put(&mut blank, value).is_ok()
    }

    /// Puts a value into a profile.
    ///
    /// # Errors
    /// [`NotAllowed`] for a value of another kind or out of range; the profile is as it was.
    pub fn put(&self, profile: &mut Profile, value: Value<'_>) -> Result<(), NotAllowed> {
        let given = match value {
            Value::Switch(value) => Given::Switch(value),
            Value::Number(number) => Given::Number(number.into()),
            Value::Word(word) => Given::Word(word),
        };
        let mut changed = profile.sections();
        if self.take(&mut changed, &given) != Ok(Taken::Exactly) {
            return Err(NotAllowed { key: self.key });
        }
        profile.agc = changed.agc;
        profile.compressor = changed.compressor;
        profile.limiter = changed.limiter;
        profile.meters = changed.meters;
        Ok(())
    }
}

impl Profile {
    /// The sections alone, which are what settings are about. Copies no text and no rule.
    fn sections(&self) -> Profile {
        Profile {
            name: String::new(),
            description: String::new(),
            agc: self.agc,
            compressor: self.compressor,
            limiter: self.limiter,
            meters: self.meters,
            rules: Vec::new(),
            default_route: Default::default(),
            devices: Vec::new(),
            default_device: None,
            per_app: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, SETTINGS};

    fn default() -> Profile {
        crate::load("default").expect("the default profile").profile
    }

    #[test]
    fn every_setting_can_be_read_and_put_back() {
        for setting in SETTINGS {
            let mut profile = default();
            let value = setting.value(&profile);
            setting.put(&mut profile, value).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(profile, default(), "{}", setting.key);
        }
    }

    #[test]
    fn every_setting_can_be_given_every_value_at_the_ends_of_its_range() {
        for setting in SETTINGS {
            let ends: Vec<Value<'_>> = match setting.kind {
                Kind::Switch => vec![Value::Switch(true), Value::Switch(false)],
                Kind::Number(min, max) => vec![Value::Number(min), Value::Number(max)],
                Kind::NumberOrAuto(min, max) => {
                    vec![Value::Number(min), Value::Number(max), Value::Word("auto")]
                }
                Kind::OneOf(numbers) => {
                    numbers.iter().map(|number| Value::Number(f32::from(*number))).collect()
                }
                Kind::Word(words) => words.iter().map(|word| Value::Word(word)).collect(),
            };
            let mut profile = default();
            for value in ends {
                setting.put(&mut profile, value).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(setting.value(&profile), value, "{}", setting.key);
            }
        }
    }

    #[test]
    fn what_is_out_of_range_or_of_another_kind_changes_nothing() {
        for (key, value) in [
            ("limiter.ceiling_dbtp", Value::Number(0.1)),
            ("limiter.ceiling_dbtp", Value::Number(f32::NEG_INFINITY)),
            ("limiter.ceiling_dbtp", Value::Number(f32::NAN)),
            ("limiter.ceiling_dbtp", Value::Word("auto")),
            ("limiter.oversample", Value::Number(5.0)),
            ("limiter.link", Value::Word("Stereo")),
            ("agc.enabled", Value::Number(1.0)),
            ("compressor.makeup_db", Value::Word("automatic")),
        ] {
            let setting = Setting::find(key).expect("a setting");
            let mut profile = default();
            assert_eq!(setting.put(&mut profile, value), Err(NotAllowed { key }), "{value:?}");
            assert_eq!(profile, default());
        }
    }
}
