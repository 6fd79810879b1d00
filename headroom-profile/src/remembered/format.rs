//! `state.toml` as text: a version, and what is remembered.
//!
//! Written by us and read leniently, because a person may have had a hand in it and settings may
//! have gone since: what makes no sense costs itself and nothing else. Only a text that is no
//! TOML at all, or of a version that is not known, is refused as a whole.
//!
//! A new version gets a number, a reader of its own, and a file in `tests/data/state` that is
//! never changed again.

mod devices;
mod version_1;
mod write;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

use super::Remembered;
pub use write::write;

/// The longest text that is read. The largest that is written is shorter.
pub const MAX_STATE_BYTES: usize = 1 << 20;
/// What is written.
pub const VERSION: i64 = 1;

/// What it sees last. A file that was cut short, at whatever line, does not have it.
const END: &str = "# end";

/// Why a text is no state at all.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// It cannot be read as TOML.
    #[error("line {line}: {message}")]
    NotToml {
        /// Where.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// Its last line is not the one that is written last.
    #[error("it was cut short: its last line must be {END:?}")]
    CutShort,
    /// It does not say which version it is.
    #[error("it has no version")]
    NoVersion,
    /// A version that this program does not know.
    #[error("it is of version {0}, and this headroomd knows {VERSION} at most")]
    Unknown(i64),
}

/// What was read, and what was left out.
#[derive(Debug, Default, PartialEq)]
pub struct Read {
    /// What makes sense.
    pub remembered: Remembered,
    /// What did not, one sentence each.
    pub left_out: Vec<String>,
}

/// Of each route in a text, the line at which it begins, from 1.
pub(super) fn route_lines(text: &str) -> Vec<usize> {
    // Parsed, for a pattern can have lines that look like anything.
    let Ok(table) = DeTable::parse(text) else { return Vec::new() };
    let Some(DeValue::Array(routes)) = table.get_ref().get("routes").map(Spanned::get_ref) else {
        return Vec::new();
    };
    let line = |route: &Spanned<DeValue<'_>>| {
        text.get(..route.span().start).map_or(0, |before| before.matches('\n').count()) + 1
    };
    routes.iter().map(line).collect()
}

/// What a text remembers.
///
/// # Errors
/// [`FormatError`] when nothing of it can be used.
pub fn read(text: &str) -> Result<Read, FormatError> {
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
        let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
        FormatError::NotToml {
            line: before.matches('\n').count() + 1,
            message: error.message().to_owned(),
        }
    })?;
    match table.remove("version") {
        Some(toml::Value::Integer(VERSION)) if text.trim_end().lines().next_back() != Some(END) => {
            Err(FormatError::CutShort)
        }
        Some(toml::Value::Integer(VERSION)) => Ok(version_1::read(table)),
        Some(toml::Value::Integer(other)) => Err(FormatError::Unknown(other)),
        _ => Err(FormatError::NoVersion),
    }
}

#[cfg(test)]
mod tests {
    use headroom_ipc::{DeviceMatch, Match, Route, SettingValue};

    use super::version_1::LONGEST_PROFILE_BYTES;
    use super::*;
    use crate::patterns::{LONGEST_PATTERN_BYTES, MOST_PATTERNS};
    use crate::remembered::{AgcGain, ChosenOn, UserDevice, UserRoute};

    fn full() -> Remembered {
        let list = |patterns: &[&str]| patterns.iter().map(|text| (*text).to_owned()).collect();
        Remembered {
            profile: Some("night".to_owned()),
            chosen_on: Some(ChosenOn {
                node_name: "alsa_output.usb".to_owned(),
                port: Some("analog-output".to_owned()),
            }),
            devices: vec![
                UserDevice {
                    matches: DeviceMatch {
                        port: list(&["head*", "ü \"*\""]),
                        ..Default::default()
                    },
                    profile: "night".to_owned(),
                },
                UserDevice {
                    matches: DeviceMatch {
                        node_name: list(&["alsa_output.*"]),
                        description: list(&["TV"]),
                        ..DeviceMatch::default()
                    },
                    profile: "movie".to_owned(),
                },
            ],
            default_device: Some("music".to_owned()),
            overrides: [
                ("agc.enabled", SettingValue::from(false)),
                ("agc.target_lufs", SettingValue::from(-16.1)),
                ("compressor.makeup_db", SettingValue::from("auto")),
                ("limiter.oversample", SettingValue::from(16.0)),
            ]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
            routes: vec![
                UserRoute {
                    matches: Match {
                        application_name: list(&["mpv", "ü \"*\" \u{1}"]),
                        ..Match::default()
                    },
                    route: Route::Bypass,
                },
                UserRoute {
                    matches: Match { media_role: list(&["Game"]), ..Match::default() },
                    route: Route::Bus("chat".to_owned()),
                },
            ],
            bypass: true,
            agc: Some(AgcGain { gain_db: 7.3, target_lufs: -16.1 }),
            promote: true,
            sink: Some("alsa \"x\"".to_owned()),
        }
    }

    fn left_out(text: &str) -> Vec<String> {
        let Read { remembered, left_out } =
            read(&format!("version = 1\n{text}\n# end")).expect("read");
        assert_eq!(remembered, Remembered::default(), "{text}");
        left_out
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for remembered in [Remembered::default(), full()] {
            let text = write(&remembered).expect("written");
            let expected = Read { remembered, left_out: Vec::new() };
            assert_eq!(read(&text).expect("read"), expected, "{text}");
        }
    }

    #[test]
    fn a_route_is_found_by_its_line_whatever_its_patterns_look_like() {
        let mut remembered = full();
        let odd = "a\n[[routes]]\n\"\"\" b".to_owned();
        remembered.routes[0].matches.process_binary = vec![odd.clone()];
        remembered.overrides.insert("compressor.makeup_db".to_owned(), odd.as_str().into());
        remembered.devices[0].profile = odd;
        let text = write(&remembered).expect("written");
        let lines: Vec<&str> = text.lines().collect();
        let [first, second] = remembered.route_lines()[..] else { panic!("{text}") };
        assert_eq!([lines[first - 1], lines[second - 1]], ["[[routes]]"; 2]);
        assert!(lines[first..second - 1].iter().any(|line| line.contains("mpv")), "{text}");
        assert!(lines[second..].iter().any(|line| line.contains("Game")), "{text}");
    }

    #[test]
    fn numbers_are_written_as_a_person_would() {
        let text = write(&full()).expect("written");
        assert!(text.contains("\"agc.target_lufs\" = -16.1\n"), "{text}");
        assert!(text.contains("gain_db = 7.3\n"), "{text}");
    }

    #[test]
    fn dotted_keys_are_read_however_they_are_written() {
        let text = "version = 1\n[overrides]\nagc.target_lufs = -20\n[overrides.limiter]\n\
                    hold_ms = 7\n\"soft.enabled\" = true\n# end\n";
        let Read { remembered, left_out } = read(text).expect("read");
        assert_eq!(left_out, [""; 0]);
        let keys: Vec<&str> = remembered.overrides.keys().map(String::as_str).collect();
        assert_eq!(keys, ["agc.target_lufs", "limiter.hold_ms", "limiter.soft.enabled"]);
    }

    #[test]
    fn what_makes_no_sense_costs_itself_alone() {
        let text = "version = 1\nprofile = 7\nbypass = true\n[overrides]\nagc.target_lufs = 3\n\
                    agc.gone = 1\nagc.hold_ms = \"long\"\nagc.attack_ms = 900\n# end\n";
        let Read { remembered, left_out } = read(text).expect("read");
        assert!(remembered.bypass && remembered.profile.is_none());
        let kept = [("agc.attack_ms".to_owned(), SettingValue::from(900.0))];
        assert_eq!(remembered.overrides, kept.into());
        let [gone, hold, target, profile] = &left_out[..] else { panic!("{left_out:?}") };
        assert_eq!(gone, "there is no setting \"agc.gone\"");
        assert_eq!(hold, "agc.hold_ms is \"long\", but must be a number between 0 and 600000");
        assert_eq!(target, "agc.target_lufs is 3, but must be a number between -40 and -8");
        assert!(profile.starts_with("profile: invalid type"), "{profile}");
    }

    #[test]
    fn every_part_says_what_is_wrong_with_it() {
        for (text, said) in [
            ("gone = 1", "\"gone\" is nothing that is remembered"),
            ("profile = \"\"", "profile is not the name"),
            ("bypass = \"yes\"", "bypass: invalid type"),
            ("chosen_on = \"x\"", "chosen_on: invalid type"),
            ("default_device = { profile = \"\" }", "default_device is not the name"),
            ("default_device = { profile = \"a/b\" }", "default_device is not the name"),
            ("devices = [7]", "device 1: invalid type"),
            ("devices = [{ match = {}, profile = \"night\" }]", "device 1 names no device"),
            ("devices = [{ match = { port = [\"x\"] } }]", "device 1: missing field `profile`"),
            (
                "devices = [{ match = { port = [\"x\"] }, profile = \"\" }]",
                "device 1 has no name of a profile",
            ),
            ("promote = 1", "promote: invalid type"),
            ("sink = \"\"", "sink is not the name"),
            ("overrides = 3", "overrides: invalid type"),
            ("agc = { gain_db = nan, target_lufs = -18 }", "agc is NaN dB"),
            ("agc = { gain_db = 99, target_lufs = -18 }", "agc is 99 dB"),
            ("agc = { gain_db = 1, target_lufs = 0 }", "for 0 LUFS"),
            ("agc = { gain_db = 1 }", "agc: missing field `target_lufs`"),
            ("routes = [7]", "route 1: invalid type"),
            ("routes = [{ match = {}, route = \"bypass\" }]", "route 1 names no app"),
            (
                "routes = [{ match = { media_role = [\"x\"] }, route = \"A b\" }]",
                "route 1 goes to \"A b\", but a route is",
            ),
            ("[overrides]\nagc.hold_ms = nan", "agc.hold_ms: "),
            ("[overrides]\nagc.hold_ms = 1979-05-27", "agc.hold_ms is \"1979"),
        ] {
            let told = left_out(text);
            assert!(matches!(&told[..], [one] if one.contains(said)), "{text}: {told:?}");
        }
    }

    #[test]
    fn routes_that_cannot_be_are_left_out_one_by_one() {
        let route = |pattern: &str| {
            format!("[[routes]]\nmatch = {{ media_role = [{pattern:?}] }}\nroute = \"bypass\"\n")
        };
        let long = "x".repeat(LONGEST_PATTERN_BYTES + 1);
        let many: String =
            (0..crate::remembered::MOST_ROUTES).map(|n| route(&n.to_string())).collect();
        let text = format!("version = 1\n{}{}{many}# end\n", route(&long), route("7"));
        let Read { remembered, left_out } = read(&text).expect("read");
        assert_eq!(remembered.routes.len(), crate::remembered::MOST_ROUTES);
        assert_eq!(
            left_out,
            [
                "route 1 has more or longer patterns than a route can have",
                "route 10 names what another route names",
            ]
        );
    }

    #[test]
    fn only_what_is_no_state_at_all_is_refused() {
        let refused = |text: &str| read(text).expect_err("refused").to_string();
        assert_eq!(refused(""), "it has no version");
        assert_eq!(refused("version = \"1\""), "it has no version");
        let newer = "it is of version 2, and this headroomd knows 1 at most";
        assert_eq!(refused("version = 2\nbypass = true"), newer);
        let garbled = refused("version = 1\nbypass = tru");
        assert!(garbled.starts_with("line 2: "), "{garbled}");
        let at_its_start = refused("version = 1\n= 3\n# end\n");
        assert!(at_its_start.starts_with("line 2: "), "{at_its_start}");
    }

    #[test]
    fn a_text_that_was_cut_short_is_refused_wherever_it_was_cut() {
        let text = write(&full()).expect("written");
        // Its last line is whole without the end of that line.
        let whole = text.trim_end().len();
        for end in (0..whole).filter(|end| text.is_char_boundary(*end)) {
            read(&text[..end]).expect_err("cut short");
        }
        assert_eq!(read(&text[..whole]).expect("whole").remembered, full());
    }

    #[test]
    fn the_largest_state_that_there_can_be_is_read_again() {
        let mut remembered = full();
        remembered.profile = Some("\u{1}".repeat(LONGEST_PROFILE_BYTES));
        remembered.routes.clear();
        remembered.devices.clear();
        for number in 0.. {
            let port = vec!["\u{1}".repeat(200), number.to_string()];
            let matches = DeviceMatch { port, ..DeviceMatch::default() };
            let device = UserDevice { matches, profile: "\u{1}".repeat(LONGEST_PATTERN_BYTES) };
            if !Remembered::has_room_for_device(&remembered.devices, &device) {
                break;
            }
            remembered.devices.push(device);
        }
        let mut number = 0;
        loop {
            // The dearest in quotes, and the dearest in escapes.
            let letters = if number % 2 == 0 { "\u{1}".repeat(8) } else { String::new() };
            let pattern = || (0..MOST_PATTERNS).map(|n| format!("{number}-{n}{letters}")).collect();
            let matches = Match {
                process_binary: pattern(),
                application_name: pattern(),
                portal_app_id: pattern(),
                media_role: pattern(),
            };
            let route = UserRoute { matches, route: Route::Bypass };
            if !Remembered::has_room_for(&remembered.routes, &route) {
                break;
            }
            remembered.routes.push(route);
            number += 1;
        }
        let text = write(&remembered).expect("written");
        assert!(text.len() <= MAX_STATE_BYTES, "{} bytes", text.len());
        assert_eq!(read(&text).expect("read").remembered, remembered);
    }
}
