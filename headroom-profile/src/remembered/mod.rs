//! What is remembered, as plain data: the state makes it and takes it, the file holds it.
//!
//! The daemon writes the file and reads it at its start; the command line reads it where no
//! daemon runs. Nothing here does I/O.

pub mod format;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use headroom_ipc::{DeviceMatch, Match, Route, SettingValue};

/// The most routes of the user that are remembered.
pub const MOST_ROUTES: usize = 256;
/// The most bytes that the patterns of all routes have together.
pub const MOST_ROUTE_BYTES: usize = 128 * 1024;

/// The most devices that the user has given a profile.
pub const MOST_DEVICES: usize = 128;
/// The most bytes that their patterns and the names of their profiles have together.
pub const MOST_DEVICE_BYTES: usize = 32 * 1024;

/// The folder of `state.toml`: `headroom` in `$XDG_STATE_HOME`, or where that is without it. There
/// is none where `variable`, which looks into the environment, knows no absolute path.
pub fn state_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // Paths that are not absolute count as not set, as the XDG specification has it.
    let absolute =
        |name| variable(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    Some(state?.join("headroom"))
}

/// Everything that outlives the daemon.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remembered {
    /// The profile that the user has chosen: its name, or the absolute path of its file; nothing
    /// while none was chosen. It is kept while there is no such profile.
    pub profile: Option<String>,
    /// The device that was heard when it was chosen: there it counts before what is said of devices.
    pub chosen_on: Option<ChosenOn>,
    /// The profiles of devices, as the user has said.
    pub devices: Vec<UserDevice>,
    /// The profile of every other device, if the user has said so.
    pub default_device: Option<String>,
    /// What the user has changed on top of the profile, by dotted key.
    pub overrides: BTreeMap<String, SettingValue>,
    /// Where apps go by the user's choice.
    pub routes: Vec<UserRoute>,
    /// Whether everything passes through untouched.
    pub bypass: bool,
    /// The gain that the AGC of the main bus had settled at.
    pub agc: Option<AgcGain>,
    /// Whether the main bus is to be the default sink.
    pub promote: bool,
    /// The sink that everything is to end up at whenever it is there; nothing while the user's
    /// default is followed.
    pub sink: Option<String>,
}

/// A route that the user has chosen for an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRoute {
    /// Which streams.
    pub matches: Match,
    /// Where they go.
    pub route: Route,
}

/// The profile of devices, as the user has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDevice {
    /// Which devices.
    pub matches: DeviceMatch,
    /// The name of the profile that is in force on them.
    pub profile: String,
}

/// A device, as far as it must be known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenOn {
    /// The name of its node.
    pub node_name: String,
    /// The name of the jack that the sound went to, if it said so.
    pub port: Option<String>,
}

/// A gain that was right, and for what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgcGain {
    /// The gain.
    pub gain_db: f32,
    /// The target that it brought the programme to.
    pub target_lufs: f32,
}

impl Remembered {
    /// Whether this route can be remembered beside those that are.
    #[must_use]
    pub fn has_room_for(routes: &[UserRoute], route: &UserRoute) -> bool {
        let bytes: usize = routes.iter().chain([route]).map(UserRoute::bytes).sum();
        routes.len() < MOST_ROUTES && bytes <= MOST_ROUTE_BYTES
    }
}

impl Remembered {
    /// Of each route, the line of the file at which it begins, from 1.
    #[must_use]
    pub fn route_lines(&self) -> Vec<usize> {
        format::write(self).map(|text| format::route_lines(&text)).unwrap_or_default()
    }

    /// Whether this can be remembered of devices beside what is.
    #[must_use]
    pub fn has_room_for_device(devices: &[UserDevice], device: &UserDevice) -> bool {
        let bytes: usize = devices.iter().chain([device]).map(UserDevice::bytes).sum();
        devices.len() < MOST_DEVICES && bytes <= MOST_DEVICE_BYTES
    }
}

impl UserDevice {
    /// How long its patterns and the name of its profile are.
    fn bytes(&self) -> usize {
        let DeviceMatch { node_name, description, port } = &self.matches;
        let patterns = [node_name, description, port].into_iter().flatten();
        patterns.map(String::len).sum::<usize>() + self.profile.len()
    }
}

impl UserRoute {
    /// How long its patterns are.
    fn bytes(&self) -> usize {
        let Match { process_binary, application_name, portal_app_id, media_role } = &self.matches;
        [process_binary, application_name, portal_app_id, media_role]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum()
    }
}

impl AgcGain {
    /// The gain that the same programme needs for another target.
    #[must_use]
    pub fn for_target(self, target_lufs: f32) -> f32 {
        self.gain_db + target_lufs - self.target_lufs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_target_needs_another_gain() {
        let gain = AgcGain { gain_db: 10.0, target_lufs: -18.0 };
        assert_eq!(gain.for_target(-18.0), 10.0);
        assert_eq!(gain.for_target(-24.0), 4.0);
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let route = |bytes: usize| UserRoute {
            matches: Match { application_name: vec!["x".repeat(bytes)], ..Match::default() },
            route: Route::Bypass,
        };
        let many = vec![route(1); MOST_ROUTES];
        assert!(Remembered::has_room_for(&many[1..], &route(1)));
        assert!(!Remembered::has_room_for(&many, &route(1)));
        let long = [route(MOST_ROUTE_BYTES - 1)];
        assert!(Remembered::has_room_for(&long, &route(1)));
        assert!(!Remembered::has_room_for(&long, &route(2)));
    }
}
