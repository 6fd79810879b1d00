//! The reader of version 1. It takes part by part, and leaves out what makes no sense with a
//! sentence that says why.

use headroom_ipc::{Match, Route, SettingValue};
use serde::{Deserialize, Serialize};
use toml::Table;

use super::Read;
use super::devices::{ChosenOnText, DefaultDeviceText};
use crate::patterns::{LONGEST_PATTERN_BYTES, MOST_PATTERNS};
use crate::remembered::{AgcGain, Remembered, UserRoute};
use crate::setting::Setting;
use crate::wire;

/// Longer paths than this do not exist.
pub(super) const LONGEST_PROFILE_BYTES: usize = 4_096;
/// A request can name no longer one.
const LONGEST_SINK_BYTES: usize = 256;
/// No AGC goes further.
const LARGEST_GAIN_DB: f32 = 60.0;

/// The gain of the AGC, as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct AgcText {
    pub(super) gain_db: f32,
    pub(super) target_lufs: f32,
}

/// A route of the user's, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteText {
    #[serde(rename = "match")]
    pub(super) matches: Match,
    pub(super) route: String,
}

/// What a table of version 1 remembers, without its version.
pub(super) fn read(table: Table) -> Read {
    let mut read = Read::default();
    for (key, value) in table {
        let known = match key.as_str() {
            "profile" => value.try_into().map(|profile: String| read.profile(profile)),
            "chosen_on" => value.try_into().map(|device: ChosenOnText| read.chosen_on(device)),
            "default_device" => {
                value.try_into().map(|device: DefaultDeviceText| read.default_device(device))
            }
            "devices" => value.try_into().map(|devices: Vec<toml::Value>| read.devices(devices)),
            "bypass" => value.try_into().map(|bypass| read.remembered.bypass = bypass),
            "promote" => value.try_into().map(|promote| read.remembered.promote = promote),
            "sink" => value.try_into().map(|sink: String| read.sink(sink)),
            "agc" => value.try_into().map(|agc: AgcText| read.agc(&agc)),
            "overrides" => value.try_into().map(|table: Table| read.overrides("", table)),
            "routes" => value.try_into().map(|routes: Vec<toml::Value>| read.routes(routes)),
            _ => {
                read.left_out.push(format!("{key:?} is nothing that is remembered"));
                continue;
            }
        };
        if let Err(error) = known {
            read.leave_out(&key, &error);
        }
    }
    read
}

impl Read {
    pub(super) fn leave_out(&mut self, what: &str, error: &toml::de::Error) {
        self.left_out.push(format!("{what}: {}", error.message()));
    }

    fn profile(&mut self, profile: String) {
        if profile.is_empty() || profile.len() > LONGEST_PROFILE_BYTES {
            self.left_out.push("profile is not the name or the file of a profile".to_owned());
        } else {
            self.remembered.profile = Some(profile);
        }
    }

    fn sink(&mut self, sink: String) {
        if sink.is_empty() || sink.len() > LONGEST_SINK_BYTES {
            self.left_out.push("sink is not the name of a sink".to_owned());
        } else {
            self.remembered.sink = Some(sink);
        }
    }

    fn agc(&mut self, agc: &AgcText) {
        let AgcText { gain_db, target_lufs } = *agc;
        if gain_db.abs() <= LARGEST_GAIN_DB && is_allowed("agc.target_lufs", &target_lufs.into()) {
            self.remembered.agc = Some(AgcGain { gain_db, target_lufs });
        } else {
            let text = format!("agc is {gain_db} dB for {target_lufs} LUFS, which no AGC gives");
            self.left_out.push(text);
        }
    }

    /// Dotted keys are read however they are written: as one, or as tables in tables.
    fn overrides(&mut self, prefix: &str, table: Table) {
        for (key, value) in table {
            let key = format!("{prefix}{key}");
            if let toml::Value::Table(table) = value {
                self.overrides(&format!("{key}."), table);
                continue;
            }
            match value.try_into::<SettingValue>() {
                Ok(value) if is_allowed(&key, &value) => {
                    self.remembered.overrides.insert(key, value);
                }
                Ok(value) => self.left_out.push(match Setting::find(&key) {
                    Some(setting) => format!("{key} is {value}, but must be {}", setting.allowed()),
                    None => format!("there is no setting {key:?}"),
                }),
                Err(error) => self.leave_out(&key, &error),
            }
        }
    }

    fn routes(&mut self, routes: Vec<toml::Value>) {
        for (index, route) in routes.into_iter().enumerate() {
            let what = format!("route {}", index + 1);
            match route.try_into::<RouteText>() {
                Ok(RouteText { matches, route: word }) => {
                    let route = Route::from_word(&word)
                        .map_err(|error| format!("goes to {word:?}, but {error}"))
                        .map(|route| UserRoute { matches, route })
                        .and_then(|route| {
                            self.check(&route).map_err(str::to_owned).map(|()| route)
                        });
                    match route {
                        Ok(route) => self.remembered.routes.push(route),
                        Err(why) => self.left_out.push(format!("{what} {why}")),
                    }
                }
                Err(error) => self.leave_out(&what, &error),
            }
        }
    }

    fn check(&self, route: &UserRoute) -> Result<(), &'static str> {
        let Match { process_binary, application_name, portal_app_id, media_role } = &route.matches;
        let lists = [process_binary, application_name, portal_app_id, media_role];
        let known = &self.remembered.routes;
        if route.matches.is_empty() {
            Err("names no app")
        } else if !lists.into_iter().all(|list| fits_in_a_request(list)) {
            Err("has more or longer patterns than a route can have")
        } else if known.iter().any(|known| known.matches == route.matches) {
            Err("names what another route names")
        } else if !Remembered::has_room_for(known, route) {
            Err("is one too many")
        } else {
            Ok(())
        }
    }
}

/// Whether a list of patterns is no more than a request can give.
pub(super) fn fits_in_a_request(list: &[String]) -> bool {
    list.len() <= MOST_PATTERNS && list.iter().all(|text| text.len() <= LONGEST_PATTERN_BYTES)
}

/// Whether a setting can have this value, whatever the profile.
fn is_allowed(key: &str, value: &SettingValue) -> bool {
    Setting::find(key).is_some_and(|setting| setting.allows(wire::value_back(value)))
}
