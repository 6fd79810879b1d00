//! What has to hold between the settings of a profile, beside the range of each.
//!
//! Reading a file makes an error of it, with its place; the daemon refuses a setting that would
//! break it, and leaves an override aside that contradicts the profile it lies on.

use std::fmt;

use crate::profile::Profile;

/// How far the target stays under the ceiling. Programme has peaks: with less room than this
/// the limiter works all the time, and the loudness never gets to the target.
const ROOM_FOR_PEAKS_DB: f32 = 3.0;
/// What is nearer than this is the same, whatever `f32` has made of it.
const ROUNDING: f64 = 0.0005;
/// How far a step stays away from what a value must be less, or more, than.
const STEP_BEFORE: f32 = 0.1;

const TARGET: &str = "agc.target_lufs";
const CEILING: &str = "limiter.ceiling_dbtp";
const SILENCE: &str = "agc.silence_threshold_lufs";
const ENABLED: &str = "agc.enabled";

/// Two settings, each in its range, that contradict each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The settings.
    pub keys: [&'static str; 2],
    /// Their values.
    pub values: [f32; 2],
    /// What would have to hold.
    rule: &'static str,
    /// What each would have to be, as the other is.
    ways_out: [String; 2],
    /// The nearest value of each that would do.
    nearest: [f32; 2],
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([first, second], [is, other_is]) = (self.keys, self.values);
        let [way, other_way] = &self.ways_out;
        write!(
            f,
            "{first} is {is} and {second} is {other_is}, but while {ENABLED} is true {}: make \
             {first} {way}, or {second} {other_way}",
            self.rule
        )
    }
}

impl Conflict {
    /// Whether this setting is part of it.
    #[must_use]
    pub fn is_about(&self, key: &str) -> bool {
        key == ENABLED || self.keys.contains(&key)
    }

    /// What would have to hold, as a clause.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }

    /// The setting that stands against this one.
    #[must_use]
    pub fn against(&self, key: &str) -> Option<&'static str> {
        let this = self.keys.iter().position(|known| *known == key)?;
        Some(self.keys[1 - this])
    }

    /// The nearest value that this setting could have, as the other one is.
    #[must_use]
    pub fn nearest(&self, key: &str) -> Option<f32> {
        let this = self.keys.iter().position(|known| *known == key)?;
        Some(self.nearest[this])
    }
}

impl Profile {
    /// The first contradiction between its settings. A profile that was read from a text has
    /// none; one that settings were put into may.
    #[must_use]
    pub fn conflict(&self) -> Option<Conflict> {
        if !self.agc.enabled {
            return None;
        }
        let (target, ceiling) = (self.agc.target_lufs, self.limiter.ceiling_dbtp);
        let silence = self.agc.silence_threshold_lufs;
        if over(target, ceiling - ROOM_FOR_PEAKS_DB) >= ROUNDING {
            return Some(Conflict {
                keys: [TARGET, CEILING],
                values: [target, ceiling],
                rule: "the target must be at least 3 below the ceiling",
                ways_out: [
                    format!("{} or less", tidy(ceiling - ROOM_FOR_PEAKS_DB)),
                    format!("{} or more", tidy(target + ROOM_FOR_PEAKS_DB)),
                ],
                nearest: [ceiling - ROOM_FOR_PEAKS_DB, target + ROOM_FOR_PEAKS_DB]
                    .map(|number| tidy(number) as f32),
            });
        }
        if over(silence, target) > -ROUNDING {
            return Some(Conflict {
                keys: [SILENCE, TARGET],
                values: [silence, target],
                rule: "what counts as silence must be below the target",
                ways_out: [
                    format!("less than {}", tidy(target)),
                    format!("more than {}", tidy(silence)),
                ],
                nearest: [target - STEP_BEFORE, silence + STEP_BEFORE]
                    .map(|number| tidy(number) as f32),
            });
        }
        None
    }
}

fn over(value: f32, limit: f32) -> f64 {
    f64::from(value) - f64::from(limit)
}

/// A number without what `f32` has added to it.
fn tidy(number: f32) -> f64 {
    (f64::from(number) * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use crate::{Setting, Value};

    /// What is said of the default profile with these values in it.
    fn said(values: &[(&str, Value<'_>)]) -> Option<String> {
        let mut profile = crate::load("default").expect("the default profile").profile;
        for (key, value) in values {
            let setting = Setting::find(key).expect("a setting");
            setting.put(&mut profile, *value).expect("in its range");
        }
        profile.conflict().map(|conflict| conflict.to_string())
    }

    #[test]
    fn the_target_leaves_room_for_peaks_below_the_ceiling() {
        let with = |target: f32, ceiling: f32| {
            said(&[
                ("agc.target_lufs", Value::Number(target)),
                ("limiter.ceiling_dbtp", Value::Number(ceiling)),
            ])
        };
        assert_eq!(
            with(-8.0, -6.1).as_deref(),
            Some(
                "agc.target_lufs is -8 and limiter.ceiling_dbtp is -6.1, but while agc.enabled is \
                 true the target must be at least 3 below the ceiling: make agc.target_lufs -9.1 \
                 or less, or limiter.ceiling_dbtp -5 or more"
            )
        );
        // At the limit is allowed, also where binary fractions say otherwise.
        for ceiling_tenths in -240..=-52_i16 {
            let ceiling = f32::from(ceiling_tenths) / 10.0;
            let target = f32::from(ceiling_tenths - 30) / 10.0;
            assert_eq!(with(target, ceiling), None, "{target} {ceiling}");
            assert!(with(target + 0.1, ceiling).is_some(), "{target} {ceiling}");
        }
    }

    #[test]
    fn silence_is_below_the_target() {
        let with = |silence: f32, target: f32| {
            said(&[
                ("agc.silence_threshold_lufs", Value::Number(silence)),
                ("agc.target_lufs", Value::Number(target)),
            ])
        };
        let told = with(-30.0, -30.0).expect("a conflict");
        assert!(told.contains("make agc.silence_threshold_lufs less than -30"), "{told}");
        assert_eq!(with(-30.1, -30.0), None);
    }

    #[test]
    fn without_the_agc_there_is_no_target_to_contradict() {
        let off = ("agc.enabled", Value::Switch(false));
        let low = ("limiter.ceiling_dbtp", Value::Number(-24.0));
        assert!(said(&[low]).is_some());
        assert_eq!(said(&[low, off]), None);
    }
}
