//! `[[devices]]` and `[default_device]`: which profile is in force on which device.
//!
//! Read and checked here, and asked which devices they are about; whether there is such a profile,
//! and when it is put in force, is the daemon's business.

use serde::Serialize;
use toml::Spanned;
use toml::de::DeValue;

use crate::patterns::{self, LONGEST_PATTERN_BYTES, one_matches};
use crate::place::Line;
use crate::rules::missing;
use crate::table::{self, Findings};

/// What a device must be called for an entry to match: one of the patterns of every list that is
/// not empty. A pattern is exact, or a glob where it holds `*` or `?`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeviceMatch {
    /// The name of its node, such as `alsa_output.usb-*`.
    pub node_name: Vec<String>,
    /// What people call it.
    pub description: Vec<String>,
    /// The jack that the sound goes to: its kind, such as `headphones`, its name, or what people
    /// call it.
    pub port: Vec<String>,
}

/// What a device says of itself, as far as it is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceIdentity<'s> {
    /// The name of its node.
    pub node_name: &'s str,
    /// What people call it.
    pub description: Option<&'s str>,
    /// The kind, the name and the description of the jack that the sound goes to.
    pub port: [Option<&'s str>; 3],
}

impl DeviceMatch {
    /// Whether no list has a pattern, so that nothing can match.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.node_name.is_empty() && self.description.is_empty() && self.port.is_empty()
    }

    /// Whether it is about a device that says this of itself: one pattern of every list that is
    /// not empty matches, and there is such a list.
    #[must_use]
    pub fn is_about(&self, device: &DeviceIdentity<'_>) -> bool {
        let named = |patterns: &[String], said: &[Option<&str>]| {
            patterns.is_empty() || one_matches(patterns, said.iter().flatten().copied())
        };
        !self.is_empty()
            && named(&self.node_name, &[Some(device.node_name)])
            && named(&self.description, &[device.description])
            && named(&self.port, &device.port)
    }
}

/// One of `[[devices]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceProfile {
    /// Which devices.
    #[serde(rename = "match")]
    pub matches: DeviceMatch,
    /// The name of the profile that is in force on them.
    pub profile: String,
    /// Where it begins.
    #[serde(skip)]
    pub line: Line,
}

/// `[default_device]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefaultDevice {
    /// The name of the profile that is in force on a device that no entry matches.
    pub profile: String,
    /// Where the file says so.
    #[serde(skip)]
    pub line: Line,
}

pub(crate) fn read_devices(
    value: &Spanned<DeValue<'_>>,
    findings: &mut Findings<'_>,
) -> Vec<DeviceProfile> {
    let mut devices = Vec::new();
    for (table, at) in table::expect_tables(value, "devices", findings) {
        let mut matches = None;
        let mut profile = None;
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "match" => matches = Some(read_match(value, findings)),
                "profile" => profile = Some(read_name(value, "devices.profile", findings)),
                other => {
                    let key_path = format!("devices.{other}");
                    findings.unknown_key(&key.span(), key_path, &["match", "profile"]);
                }
            }
        }
        if matches.is_none() {
            let example = "write match = { port = [\"headphones\"] }";
            missing(findings, &at, "devices.match", example);
        }
        if profile.is_none() {
            missing(findings, &at, "devices.profile", "write profile = \"night\" or another name");
        }
        if let (Some(matches), Some(Some(profile))) = (matches, profile) {
            devices.push(DeviceProfile { matches, profile, line: findings.line(&at) });
        }
    }
    devices
}

pub(crate) fn read_default_device(
    value: &Spanned<DeValue<'_>>,
    findings: &mut Findings<'_>,
) -> Option<DefaultDevice> {
    let table = table::expect_table(value, "default_device", findings)?;
    let mut default_device = None;
    for (key, value) in table.iter() {
        if key.get_ref() == "profile" {
            let line = findings.line(&value.span());
            default_device = read_name(value, "default_device.profile", findings)
                .map(|profile| DefaultDevice { profile, line });
        } else {
            let key_path = format!("default_device.{}", key.get_ref());
            findings.unknown_key(&key.span(), key_path, &["profile"]);
        }
    }
    default_device
}

/// The name of a profile. Whether there is one is another question: its file may come later.
fn read_name(
    value: &Spanned<DeValue<'_>>,
    key: &str,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let name = table::expect_text(value, key, findings)?;
    if name.len() > LONGEST_PATTERN_BYTES || crate::is_path(name) {
        let allowed =
            format!("the name of a profile: no file, and at most {LONGEST_PATTERN_BYTES} bytes");
        findings.not_allowed(&value.span(), key, allowed);
        return None;
    }
    Some(name.to_owned())
}

fn read_match(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> DeviceMatch {
    const KEY: &str = "devices.match";
    let mut matches = DeviceMatch::default();
    let Some(table) = table::expect_table(value, KEY, findings) else { return matches };
    let lists = [
        ("node_name", &mut matches.node_name),
        ("description", &mut matches.description),
        ("port", &mut matches.port),
    ];
    let are_lists = patterns::read_lists(table, KEY, lists, "headphones\", \"usb*", findings);
    if matches.is_empty() && are_lists {
        let message = "names nothing, so this entry is never used ([default_device] is for all \
                       others)";
        findings.warning(&value.span(), KEY, message.to_owned());
    }
    matches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    fn profile(lines: &str) -> Result<crate::Checked, crate::ProfileError> {
        Profile::parse("p.toml", &format!("name = \"p\"\ndescription = \"d\"\n{lines}"))
    }

    #[test]
    fn one_pattern_of_every_list_must_match() {
        let list = |patterns: &[&str]| patterns.iter().map(|text| (*text).to_owned()).collect();
        let matches = DeviceMatch {
            node_name: list(&["alsa_output.*", "bluez_output.*"]),
            port: list(&["headphones", "Head*"]),
            ..DeviceMatch::default()
        };
        let said = |node_name, port: [Option<&'static str>; 3]| DeviceIdentity {
            node_name,
            description: Some("Built-in Audio"),
            port,
        };
        let card = "alsa_output.pci-0000_00_1f.3.analog-stereo";
        let headphones = [Some("headphones"), Some("analog-output-headphones"), Some("Headphones")];
        assert!(matches.is_about(&said(card, headphones)));
        assert!(matches.is_about(&said(card, [None, Some("x"), Some("Headset")])), "by any name");
        assert!(!matches.is_about(&said(card, [Some("speaker"), Some("analog-output"), None])));
        assert!(!matches.is_about(&said(card, [None; 3])), "what is not said matches nothing");
        assert!(!matches.is_about(&said("null", headphones)));
        let any = DeviceMatch { description: list(&["*"]), ..DeviceMatch::default() };
        assert!(any.is_about(&said("null", [None; 3])));
        assert!(!any.is_about(&DeviceIdentity { description: None, ..said("null", [None; 3]) }));
        assert!(!DeviceMatch::default().is_about(&said(card, headphones)), "it names nothing");
    }

    #[test]
    fn the_tables_are_read_with_their_lines() {
        let text = "[[devices]]\nmatch = { port = [\"headphones\"] }\nprofile = \"night\"\n\
                    [[devices]]\nprofile = \"movie\"\nmatch.description = [\"TV*\"]\n\
                    [default_device]\nprofile = \"music\"\n";
        let read = profile(text).expect("a profile");
        assert_eq!(read.warnings, []);
        let entries: Vec<(&str, usize)> = read
            .profile
            .devices
            .iter()
            .map(|entry| (entry.profile.as_str(), entry.line.0))
            .collect();
        assert_eq!(entries, [("night", 3), ("movie", 6)]);
        let default_device = read.profile.default_device.expect("one");
        assert_eq!((default_device.profile.as_str(), default_device.line.0), ("music", 10));
        assert_eq!(profile("").expect("a profile").profile.devices, []);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_what_is_right() {
        for (lines, said) in [
            ("[[device]]\n", "p.toml:3:3: unknown key `device` (did you mean `devices`?)"),
            ("[[devices]]\nprofile = \"night\"\n", "p.toml:3:1: devices.match is missing"),
            (
                "[[devices]]\nmatch = { port = [\"x\"] }\n",
                "devices.profile is missing: write profile = \"night\"",
            ),
            (
                "[[devices]]\nmatch = { prot = [\"x\"] }\nprofile = \"night\"\n",
                "p.toml:4:11: unknown key `devices.match.prot` (did you mean `port`?)",
            ),
            (
                "[[devices]]\nmatch = { port = \"x\" }\nprofile = \"night\"\n",
                "devices.match.port is \"x\", but must be a list of texts, such as \
                 port = [\"headphones\", \"usb*\"]",
            ),
            (
                "[[devices]]\nmatch = { port = [\"x\"] }\nprofile = \"a/night.toml\"\n",
                "p.toml:5:11: devices.profile is \"a/night.toml\", but must be the name of a profile",
            ),
            ("devices = 3\n", "devices is 3, but must be tables headed [[devices]]"),
            ("[default_device]\nroute = \"bypass\"\n", "unknown key `default_device.route`"),
            ("[default_device]\nprofile = 3\n", "default_device.profile is 3"),
        ] {
            let told = profile(lines).expect_err(lines).to_string();
            assert!(told.contains(said), "{lines}: {told}");
        }
        let never = profile("[[devices]]\nmatch = {}\nprofile = \"night\"\n").expect("a profile");
        assert!(never.warnings[0].message.contains("never used ([default_device]"), "{never:?}");
    }
}
