//! Settings for people: one in a line, many in a table.

use std::fmt::Write;

use headroom_client::ipc::{Accepts, Kind, ProfileValue, Setting, SettingValue};
use headroom_profile::wire;

use super::Paint;
use super::text::{column, plain};

const KEY: usize = 32;
const VALUE: usize = 11;

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All the way.
    Whole,
    /// Not all of it.
    Short,
    /// It stays where it was.
    Nowhere,
}

/// What a step ended at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// The limit of the setting itself.
    Limit,
    /// Another setting, which this is said of it in few words.
    Other(String),
}

/// A setting as it is, and as the profile has it where that is hidden by it.
pub(crate) fn setting_line(setting: &Setting, paint: Paint) -> String {
    format!("{}\n", as_it_is(setting, paint))
}

/// A setting after a step.
pub(crate) fn adjusted(
    before: &Setting,
    now: &Setting,
    reach: Reach,
    end: &End,
    paint: Paint,
) -> String {
    let limit = match end {
        End::Limit => format!("its limit ({})", range(&now.accepts)),
        End::Other(why) => format!("the limit that another setting makes: {why}"),
    };
    let value = paint.bold(amount(&now.key, &now.value));
    let key = plain(&now.key);
    match reach {
        Reach::Whole => {
            format!("{key} = {value} (before: {})\n", amount(&before.key, &before.value))
        }
        Reach::Short => format!(
            "{key} = {value} (before: {}): stopped at {limit}\n",
            amount(&before.key, &before.value)
        ),
        Reach::Nowhere => format!("{key} = {value} as before: at {limit}\n"),
    }
}

/// A setting whose override has been taken back.
pub(crate) fn taken_back(setting: &Setting, paint: Paint) -> String {
    let value = paint.bold(amount(&setting.key, &setting.value));
    format!("{} = {value}, as the profile has it\n", plain(&setting.key))
}

/// Settings, one a line.
pub(crate) fn settings_table(settings: &[Setting], paint: Paint) -> String {
    let rows = settings.iter().map(|setting| Row {
        key: &setting.key,
        first: amount(&setting.key, &setting.value),
        second: setting.overridden.then(|| amount(&setting.key, &setting.profile_value)),
        range: range(&setting.accepts),
    });
    let mut text = table(["Value", "Profile"], rows, paint);
    let waiting = |setting: &Setting| {
        Some(format!(
            "{} = {}",
            plain(&setting.key),
            amount(&setting.key, setting.set_aside.as_ref()?)
        ))
    };
    let waiting: Vec<String> = settings.iter().filter_map(waiting).collect();
    if !waiting.is_empty() {
        let _ = write!(
            text,
            "\nNot in force, as it contradicts another setting (headroom status says which):\n"
        );
        for line in waiting {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// The values of a profile, one a line, and what would be in force where that is another.
pub(super) fn values_table(values: &[ProfileValue], paint: Paint) -> String {
    let rows = values.iter().map(|value| Row {
        key: &value.key,
        first: amount(&value.key, &value.value),
        second: value
            .effective
            .as_ref()
            .filter(|effective| **effective != value.value)
            .map(|effective| amount(&value.key, effective)),
        range: headroom_profile::Setting::find(&value.key)
            .map(|setting| range(&wire::accepts(setting.kind)))
            .unwrap_or_default(),
    });
    table(["Profile", "You set"], rows, paint)
}

struct Row<'a> {
    key: &'a str,
    first: String,
    /// Where there is something else than the first, it matters.
    second: Option<String>,
    range: String,
}

/// Rows, with a line between sections.
fn table<'a>(heads: [&str; 2], rows: impl Iterator<Item = Row<'a>>, paint: Paint) -> String {
    let line = |key: &str, first: &str, second: &str, range: &str| {
        let (key, first) = (column(key, KEY), column(first, VALUE));
        let line = format!("{key}  {first}  {}  {range}", column(second, VALUE));
        line.trim_end().to_owned()
    };
    let mut text = paint.dim(line("Setting", heads[0], heads[1], "Can be"));
    text.push('\n');
    let mut section = None;
    for Row { key, first, second, range } in rows {
        let this = key.split('.').next();
        if section.is_some_and(|section| section != this) {
            text.push('\n');
        }
        section = Some(this);
        let shown = line(key, &first, second.as_deref().unwrap_or_default(), &range);
        let shown = if second.is_some() { paint.bold(shown) } else { shown };
        let _ = writeln!(text, "{shown}");
    }
    text
}

/// The same without the end of the line.
pub(super) fn as_it_is(setting: &Setting, paint: Paint) -> String {
    let Setting { key, value, profile_value, overridden, set_aside, .. } = setting;
    let hidden = match set_aside {
        Some(wanted) => format!(
            " (you set {}: not in force, as it contradicts another setting)",
            amount(key, wanted)
        ),
        None if *overridden => format!(" (profile: {})", amount(key, profile_value)),
        None => String::new(),
    };
    format!("{} = {}{hidden}", plain(key), paint.bold(amount(key, value)))
}

/// A key and its value, with its unit.
pub(crate) fn key_and_value(key: &str, value: &SettingValue) -> String {
    format!("{} is {}", plain(key), amount(key, value))
}

/// A value with its unit, which the end of its key tells.
pub(super) fn amount(key: &str, value: &SettingValue) -> String {
    match value {
        SettingValue::Switch(value) => value.to_string(),
        SettingValue::Word(word) => plain(word),
        SettingValue::Number(number) => format!("{number}{}", unit(key)),
    }
}

fn unit(key: &str) -> &'static str {
    const UNITS: &[(&str, &str)] = &[
        ("_db_per_s", " dB/s"),
        ("_lufs", " LUFS"),
        ("_dbtp", " dBTP"),
        ("_db", " dB"),
        ("_ms", " ms"),
        ("_hz", " Hz"),
    ];
    UNITS.iter().find(|(ending, _)| key.ends_with(ending)).map_or("", |(_, unit)| unit)
}

/// What a setting can be, in few words.
fn range(accepts: &Accepts) -> String {
    let mut choices: Vec<String> = accepts.words.iter().map(|word| plain(word)).collect();
    choices.extend(accepts.numbers.iter().map(f32::to_string));
    if accepts.kind == Kind::Switch {
        choices.extend(["true".to_owned(), "false".to_owned()]);
    }
    if let (Some(min), Some(max)) = (accepts.min, accepts.max) {
        choices.push(format!("{min} to {max}"));
    }
    choices.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::text::COLUMNS;
    use headroom_profile::SETTINGS;

    #[test]
    fn every_key_with_a_unit_is_shown_with_it_and_fits_its_column() {
        for setting in SETTINGS {
            let key = setting.key;
            assert!(key.len() <= KEY, "{key}");
            let has_unit = !["ratio", "oversample"].iter().any(|plain| key.ends_with(plain));
            if let headroom_profile::Kind::Number(min, max) = setting.kind {
                assert_eq!(!unit(key).is_empty(), has_unit, "{key}");
                for number in [min, max] {
                    let shown = amount(key, &number.into());
                    assert!(shown.len() <= VALUE, "{key} {shown}");
                }
            }
        }
        assert_eq!(amount("agc.rise_db_per_s", &3.0.into()), "3 dB/s");
        let ranges = SETTINGS.iter().map(|setting| range(&wire::accepts(setting.kind)).len());
        assert!(KEY + 2 * VALUE + 3 * 2 + ranges.max().expect("settings") <= COLUMNS);
    }
}
