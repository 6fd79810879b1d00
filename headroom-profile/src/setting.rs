//! Every setting of a profile in one table: its dotted key, what may stand there, and the
//! value it fills. Reading a file walks this table; so does whatever sets one value later.

use crate::profile::{Detector, Link, Makeup, Oversample, Profile};
use crate::spelling::nearest;

/// One value of a profile.
#[derive(Debug)]
pub struct Setting {
    /// Its dotted key, such as `agc.target_lufs`.
    pub key: &'static str,
    /// What may stand there.
    pub kind: Kind,
    pub(crate) slot: for<'p> fn(&'p mut Profile) -> Slot<'p>,
}

/// What may stand in a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Switch,
    /// A number from the first to the second.
    Number(f32, f32),
    /// A number from the first to the second, or the word "auto".
    NumberOrAuto(f32, f32),
    /// One of these numbers.
    OneOf(&'static [u8]),
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A value as a file or a person gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given<'a> {
    Switch(bool),
    Number(f64),
    Word(&'a str),
    /// A date, an array or a table: nothing that a setting can be.
    Other,
}

/// How a value was taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Taken {
    Exactly,
    /// It was outside of what is allowed, and this was put in its place.
    As(f32),
}

/// The value cannot be taken: wrong type, not a number, or not one of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

pub(crate) enum Slot<'p> {
    Switch(&'p mut bool),
    Number(&'p mut f32),
    Makeup(&'p mut Makeup),
    Oversample(&'p mut Oversample),
    Detector(&'p mut Detector),
    Link(&'p mut Link),
}

impl Setting {
    /// The setting with this dotted key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// What may stand there, in words.
    #[must_use]
    pub fn allowed(&self) -> String {
        match self.kind {
            Kind::Switch => "true or false".to_owned(),
            Kind::Number(min, max) => format!("a number between {min} and {max}"),
            Kind::NumberOrAuto(min, max) => {
                format!("\"auto\" or a number between {min} and {max}")
            }
            Kind::OneOf(numbers) => {
                let list: Vec<String> = numbers.iter().map(u8::to_string).collect();
                format!("one of {}", list.join(", "))
            }
            Kind::Word(words) => {
                let list: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
                format!("one of {}", list.join(", "))
            }
        }
    }

    /// The allowed word that is spelt most like the one given.
    pub(crate) fn nearest(&self, given: &Given<'_>) -> Option<&'static str> {
        match (self.kind, given) {
            (Kind::Word(words), Given::Word(word)) => nearest(word, words),
            (Kind::NumberOrAuto(..), Given::Word(word)) => nearest(word, &["auto"]),
            _ => None,
        }
    }

    /// Puts a value into a profile, clamped to what is allowed.
    pub(crate) fn take(&self, profile: &mut Profile, given: &Given<'_>) -> Result<Taken, Refused> {
        match ((self.slot)(profile), self.kind, given) {
            (Slot::Switch(slot), _, Given::Switch(value)) => {
                *slot = *value;
                Ok(Taken::Exactly)
            }
            (Slot::Number(slot), Kind::Number(min, max), Given::Number(value)) => {
                let (number, taken) = clamp(*value, min, max)?;
                *slot = number;
                Ok(taken)
            }
            (Slot::Makeup(slot), _, Given::Word("auto")) => {
                *slot = Makeup::AUTO;
                Ok(Taken::Exactly)
            }
            (Slot::Makeup(slot), Kind::NumberOrAuto(min, max), Given::Number(value)) => {
                let (number, taken) = clamp(*value, min, max)?;
                *slot = Makeup::Fixed(number);
                Ok(taken)
            }
            (Slot::Oversample(slot), _, Given::Number(value)) => {
                if value.is_nan() {
                    return Err(Refused);
                }
                // Never coarser than asked for, where there is something finer.
                let choices = [Oversample::X4, Oversample::X8, Oversample::X16];
                let chosen = choices
                    .into_iter()
                    .find(|choice| f64::from(u8::from(*choice)) >= *value)
                    .unwrap_or(Oversample::X16);
                *slot = chosen;
                let points = f32::from(u8::from(chosen));
                let exact = f64::from(points) == *value;
                Ok(if exact { Taken::Exactly } else { Taken::As(points) })
            }
            (Slot::Detector(slot), _, Given::Word(word)) => {
                *slot = match *word {
                    "peak" => Detector::Peak,
                    "rms" => Detector::Rms,
                    _ => return Err(Refused),
                };
                Ok(Taken::Exactly)
            }
            (Slot::Link(slot), _, Given::Word(word)) => {
                *slot = match *word {
                    "stereo" => Link::Stereo,
                    "dual-mono" => Link::DualMono,
                    _ => return Err(Refused),
                };
                Ok(Taken::Exactly)
            }
            _ => Err(Refused),
        }
    }
}

fn clamp(value: f64, min: f32, max: f32) -> Result<(f32, Taken), Refused> {
    if value.is_nan() {
        return Err(Refused);
    }
    let clamped = (value as f32).clamp(min, max);
    let inside = (f64::from(min)..=f64::from(max)).contains(&value);
    // A number that is inside but for its rounding to f32 is inside.
    Ok((
        clamped,
        if inside || value as f32 == clamped { Taken::Exactly } else { Taken::As(clamped) },
    ))
}

/// Every setting, in the order of the sections.
///
/// The ranges are wide enough for any profile in use, and bound what the processors behind
/// them have to allocate and compute.
pub const SETTINGS: &[Setting] = &[
    switch("agc.enabled", |p| Slot::Switch(&mut p.agc.enabled)),
    number("agc.target_lufs", -40.0, -8.0, |p| Slot::Number(&mut p.agc.target_lufs)),
    number("agc.attack_ms", 50.0, 60_000.0, |p| Slot::Number(&mut p.agc.attack_ms)),
    number("agc.release_ms", 50.0, 60_000.0, |p| Slot::Number(&mut p.agc.release_ms)),
    number("agc.silence_threshold_lufs", -70.0, -20.0, |p| {
        Slot::Number(&mut p.agc.silence_threshold_lufs)
    }),
    number("agc.max_boost_db", 0.0, 30.0, |p| Slot::Number(&mut p.agc.max_boost_db)),
    number("agc.max_cut_db", 0.0, 60.0, |p| Slot::Number(&mut p.agc.max_cut_db)),
    number("agc.hold_ms", 0.0, 600_000.0, |p| Slot::Number(&mut p.agc.hold_ms)),
    number("agc.return_db_per_s", 0.0, 20.0, |p| Slot::Number(&mut p.agc.return_db_per_s)),
    number("agc.rise_db_per_s", 0.1, 60.0, |p| Slot::Number(&mut p.agc.rise_db_per_s)),
    number("agc.fall_db_per_s", 0.1, 60.0, |p| Slot::Number(&mut p.agc.fall_db_per_s)),
    switch("compressor.enabled", |p| Slot::Switch(&mut p.compressor.enabled)),
    word("compressor.detector", &["peak", "rms"], |p| Slot::Detector(&mut p.compressor.detector)),
    number("compressor.threshold_db", -80.0, 0.0, |p| Slot::Number(&mut p.compressor.threshold_db)),
    number("compressor.ratio", 1.0, 100.0, |p| Slot::Number(&mut p.compressor.ratio)),
    number("compressor.knee_db", 0.0, 40.0, |p| Slot::Number(&mut p.compressor.knee_db)),
    number("compressor.attack_ms", 0.1, 1_000.0, |p| Slot::Number(&mut p.compressor.attack_ms)),
    number("compressor.release_ms", 1.0, 5_000.0, |p| Slot::Number(&mut p.compressor.release_ms)),
    Setting {
        key: "compressor.makeup_db",
        kind: Kind::NumberOrAuto(-24.0, 40.0),
        slot: |p| Slot::Makeup(&mut p.compressor.makeup_db),
    },
    number("compressor.rms_window_ms", 0.1, 500.0, |p| {
        Slot::Number(&mut p.compressor.rms_window_ms)
    }),
    number("limiter.ceiling_dbtp", -24.0, 0.0, |p| Slot::Number(&mut p.limiter.ceiling_dbtp)),
    number("limiter.lookahead_ms", 0.5, 10.0, |p| Slot::Number(&mut p.limiter.lookahead_ms)),
    number("limiter.release_ms", 1.0, 5_000.0, |p| Slot::Number(&mut p.limiter.release_ms)),
    number("limiter.hold_ms", 0.0, 1_000.0, |p| Slot::Number(&mut p.limiter.hold_ms)),
    Setting {
        key: "limiter.oversample",
        kind: Kind::OneOf(&[4, 8, 16]),
        slot: |p| Slot::Oversample(&mut p.limiter.oversample),
    },
    word("limiter.link", &["stereo", "dual-mono"], |p| Slot::Link(&mut p.limiter.link)),
    switch("limiter.soft.enabled", |p| Slot::Switch(&mut p.limiter.soft.enabled)),
    number("limiter.soft.max_psr_db", 3.0, 40.0, |p| Slot::Number(&mut p.limiter.soft.max_psr_db)),
    number("limiter.soft.static_ceiling_dbtp", -40.0, 0.0, |p| {
        Slot::Number(&mut p.limiter.soft.static_ceiling_dbtp)
    }),
    number("limiter.soft.attack_ms", 0.1, 1_000.0, |p| Slot::Number(&mut p.limiter.soft.attack_ms)),
    number("limiter.soft.release_ms", 1.0, 5_000.0, |p| {
        Slot::Number(&mut p.limiter.soft.release_ms)
    }),
    number("meters.publish_hz", 0.0, 60.0, |p| Slot::Number(&mut p.meters.publish_hz)),
];

const fn switch(key: &'static str, slot: for<'p> fn(&'p mut Profile) -> Slot<'p>) -> Setting {
    Setting { key, kind: Kind::Switch, slot }
}

const fn number(
    key: &'static str,
    min: f32,
    max: f32,
    slot: for<'p> fn(&'p mut Profile) -> Slot<'p>,
) -> Setting {
    Setting { key, kind: Kind::Number(min, max), slot }
}

const fn word(
    key: &'static str,
    words: &'static [&'static str],
    slot: for<'p> fn(&'p mut Profile) -> Slot<'p>,
) -> Setting {
    Setting { key, kind: Kind::Word(words), slot }
}
