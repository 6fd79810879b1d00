//! The text of what is remembered, in the newest version.

use std::collections::BTreeMap;

use headroom_ipc::SettingValue;
use serde::Serialize;

use super::devices::{ChosenOnText, DefaultDeviceText, DeviceText};
use super::version_1::{AgcText, RouteText};
use super::{END, VERSION};
use crate::remembered::{AgcGain, ChosenOn, Remembered, UserDevice, UserRoute};

/// What a reader of the file sees first.
const HEADER: &str = "# What Headroom remembers. headroomd writes this file whenever something \
                      in it changes.\n\n";

/// The text of a state.
///
/// # Errors
/// A value that TOML has no word for; there is none among what can be set.
pub fn write(remembered: &Remembered) -> Result<String, toml::ser::Error> {
    let Remembered {
        profile,
        chosen_on,
        devices,
        default_device,
        overrides,
        routes,
        bypass,
        agc,
        promote,
        sink,
    } = remembered;
    let agc = agc.map(|AgcGain { gain_db, target_lufs }| AgcText { gain_db, target_lufs });
    let route = |UserRoute { matches, route }: &UserRoute| RouteText {
        matches: matches.clone(),
        route: route.to_string(),
    };
    let device = |UserDevice { matches, profile }: &UserDevice| DeviceText {
        matches: matches.clone(),
        profile: profile.clone(),
    };
    let text = toml::to_string(&StateText {
        version: VERSION,
        profile: profile.as_deref(),
        bypass: *bypass,
        promote: *promote,
        sink: sink.as_deref(),
        chosen_on: chosen_on.as_ref().map(|ChosenOn { node_name, port }| ChosenOnText {
            node_name: node_name.clone(),
            port: port.clone(),
        }),
        default_device: default_device.clone().map(|profile| DefaultDeviceText { profile }),
        devices: devices.iter().map(device).collect(),
        agc,
        overrides,
        routes: routes.iter().map(route).collect(),
    })?;
    Ok(format!("{HEADER}{text}\n{END}\n"))
}

/// The whole file, in the order in which it is written.
#[derive(Serialize)]
struct StateText<'a> {
    version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    bypass: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    promote: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sink: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen_on: Option<ChosenOnText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agc: Option<AgcText>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    overrides: &'a BTreeMap<String, SettingValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<RouteText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_device: Option<DefaultDeviceText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices: Vec<DeviceText>,
}
