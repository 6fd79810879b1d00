//! From the text of a file to a checked profile.
//!
//! Walks the tables, gives every value to the setting of its key, and leaves rules, devices
//! and the per-app part to their own files.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::devices;
use crate::per_app;
use crate::place::{Place, Problem, ProfileError, Warning};
use crate::profile::Profile;
use crate::rules;
use crate::setting::{SETTINGS, Setting, Taken};
use crate::table::{self, Findings};

/// The keys that stand beside the sections.
const TOP_LEVEL: &[&str] =
    &["name", "description", "rules", "default_route", "devices", "default_device", "per_app"];

/// A profile whose every value is in range, and what was read otherwise than it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The profile.
    pub profile: Profile,
    /// What was read otherwise than written, in the order of the file.
    pub warnings: Vec<Warning>,
}

impl Profile {
    /// Reads and checks the text of a profile file. `file_name` is shown in errors, and its
    /// stem must be the profile's name.
    ///
    /// # Errors
    /// The first thing in the text that is wrong, with its place and what is allowed there.
    pub fn parse(file_name: &str, text: &str) -> Result<Checked, ProfileError> {
        Profile::parse_as(&stem_of(file_name), file_name, text)
    }

    /// The same of a text that is not in the file of its name, or not yet: it must be called
    /// `name`. `shown` stands in errors.
    ///
    /// # Errors
    /// As for [`Profile::parse`].
    pub fn parse_as(name: &str, shown: &str, text: &str) -> Result<Checked, ProfileError> {
        let document = DeTable::parse(text).map_err(|e| syntax_error(shown, text, &e))?;
        let mut findings = Findings::of(shown, text);
        let profile = read_document(document.get_ref(), name, &mut findings);
        findings.verdict().map(|warnings| Checked { profile, warnings })
    }
}

fn syntax_error(file: &str, text: &str, error: &toml::de::Error) -> ProfileError {
    let at = error.span().unwrap_or(text.len()..text.len());
    let offending = match text.get(at.clone()) {
        Some("\n" | "\r\n" | "") | None => "the end of the line".to_owned(),
        Some(_) => Findings::of(file, text).quote(&at),
    };
    // Only the parser's first line: the rest draws the place that is told before it.
    let message = error.message().lines().next().unwrap_or_default().to_owned();
    ProfileError {
        place: Place::of(file, text, at.start),
        problem: Box::new(Problem::Syntax { offending, message }),
    }
}

fn read_document(document: &DeTable<'_>, stem: &str, findings: &mut Findings<'_>) -> Profile {
    let mut profile = Profile {
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
    let mut named = false;
    let mut described = false;
    let mut places = Places::new();
    for (key, value) in document.iter() {
        match key.get_ref().as_ref() {
            "name" => {
                named = true;
                if let Some(name) = table::expect_text(value, "name", findings) {
                    profile.name = name.to_owned();
                    check_name(name, value, stem, findings);
                }
            }
            "description" => {
                described = true;
                if let Some(text) = table::expect_text(value, "description", findings) {
                    profile.description = text.to_owned();
                }
            }
            "rules" => profile.rules = rules::read_rules(value, findings),
            "default_route" => profile.default_route = rules::read_default_route(value, findings),
            "devices" => profile.devices = devices::read_devices(value, findings),
            "default_device" => {
                profile.default_device = devices::read_default_device(value, findings);
            }
            "per_app" => profile.per_app = per_app::read(value, findings),
            section => {
                let written = Written { path: section, key, value };
                read_setting_or_section(&mut profile, &written, &mut places, findings);
            }
        }
    }
    if let Some(conflict) = profile.conflict() {
        // With one of them at its default, the other is the one to point at.
        let written = |key: &&str| places.iter().find(|(known, _)| known == key);
        let at = conflict.keys.iter().find_map(|key| Some(written(key)?.1.clone()));
        findings.error(&at.unwrap_or(0..0), Problem::Conflict(conflict));
    }
    let missing = |key: &str, allowed: String| Problem::Missing { key: key.to_owned(), allowed };
    if !named {
        findings.error_of_the_whole(missing("name", format!("write name = {stem:?} at the top")));
    }
    if !described {
        let example = "write description = \"one line that says what it is for\" at the top";
        findings.error_of_the_whole(missing("description", example.to_owned()));
    }
    profile
}

fn stem_of(file: &str) -> String {
    let stem = std::path::Path::new(file).file_stem();
    stem.map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn check_name(name: &str, value: &Spanned<DeValue<'_>>, stem: &str, findings: &mut Findings<'_>) {
    if name != stem {
        let offending = findings.quote(&value.span());
        findings
            .error(&value.span(), Problem::NameIsNotTheFile { offending, stem: stem.to_owned() });
    }
}

/// Where the settings of a file have their values.
type Places = Vec<(&'static str, Range<usize>)>;

/// A key of a file with what stands behind it.
struct Written<'d, 'i> {
    /// The key with the tables it stands in.
    path: &'d str,
    key: &'d Spanned<Cow<'i, str>>,
    value: &'d Spanned<DeValue<'i>>,
}

/// One key at any depth: a setting takes its value, a section is walked, the rest is unknown.
fn read_setting_or_section(
    profile: &mut Profile,
    written: &Written<'_, '_>,
    places: &mut Places,
    findings: &mut Findings<'_>,
) {
    let Written { path, key, value } = *written;
    if let Some(setting) = Setting::find(path) {
        places.push((setting.key, value.span()));
        read_setting(profile, setting, value, findings);
        return;
    }
    if !is_section(path) {
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let allowed = keys_of(parent);
        findings.unknown_key(&key.span(), path.to_owned(), &allowed);
        return;
    }
    let Some(section) = table::expect_table(value, path, findings) else { return };
    if path == "limiter.soft" {
        // The table's presence turns the tier on; its own `enabled` has the last word.
        profile.limiter.soft.enabled = true;
    }
    for (key, value) in section.iter() {
        let path = format!("{path}.{}", key.get_ref());
        let written = Written { path: &path, key, value };
        read_setting_or_section(profile, &written, places, findings);
    }
}

fn read_setting(
    profile: &mut Profile,
    setting: &Setting,
    value: &Spanned<DeValue<'_>>,
    findings: &mut Findings<'_>,
) {
    let at = value.span();
    let given = table::given(value.get_ref());
    match setting.take(profile, &given) {
        Ok(Taken::Exactly) => {}
        Ok(Taken::As(number)) => {
            let message = format!(
                "is {}, read as {number}: must be {}",
                findings.quote(&at),
                setting.allowed()
            );
            findings.warning(&at, setting.key, message);
        }
        Err(_) => {
            let problem = Problem::NotAllowed {
                key: setting.key.to_owned(),
                offending: findings.quote(&at),
                allowed: setting.allowed(),
                nearest: setting.nearest(&given).map(str::to_owned),
            };
            findings.error(&at, problem);
        }
    }
}

fn is_section(path: &str) -> bool {
    SETTINGS.iter().any(|setting| is_below(setting.key, path))
}

fn is_below(key: &str, path: &str) -> bool {
    key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
}

/// The keys that a table may have, in the order of the settings.
fn keys_of(parent: &str) -> Vec<&'static str> {
    let mut keys: Vec<&'static str> = if parent.is_empty() { TOP_LEVEL.into() } else { Vec::new() };
    for setting in SETTINGS {
        let rest = match parent {
            "" => Some(setting.key),
            _ if is_below(setting.key, parent) => setting.key.get(parent.len() + 1..),
            _ => None,
        };
        let child = rest.and_then(|rest| rest.split('.').next());
        if let Some(child) = child.filter(|child| !keys.contains(child)) {
            keys.push(child);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_table_are_told_from_the_settings() {
        assert_eq!(keys_of("meters"), ["publish_hz"]);
        assert!(keys_of("limiter").contains(&"soft"));
        assert_eq!(keys_of("").last(), Some(&"meters"));
        assert!(is_section("limiter.soft") && !is_section("limiter.so"));
    }
}
