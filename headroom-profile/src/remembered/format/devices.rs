//! The part of version 1 that is about devices: the profiles that the user has given them, and the
//! device that the profile in force was chosen on. `version_1` hands it what it finds.

use headroom_ipc::DeviceMatch;
use serde::{Deserialize, Serialize};

use super::Read;
use super::version_1::fits_in_a_request;
use crate::patterns::LONGEST_PATTERN_BYTES;
use crate::remembered::{ChosenOn, Remembered, UserDevice};

/// The device that a profile was chosen on, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChosenOnText {
    pub(super) node_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<String>,
}

/// The profile of every other device, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DefaultDeviceText {
    pub(super) profile: String,
}

/// The profile of a device, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceText {
    #[serde(rename = "match")]
    pub(super) matches: DeviceMatch,
    pub(super) profile: String,
}

impl Read {
    pub(super) fn chosen_on(&mut self, device: ChosenOnText) {
        let ChosenOnText { node_name, port } = device;
        let fits = |text: &String| text.len() <= LONGEST_PATTERN_BYTES;
        if fits(&node_name) && port.as_ref().is_none_or(fits) {
            self.remembered.chosen_on = Some(ChosenOn { node_name, port });
        } else {
            self.left_out.push("chosen_on is longer than the name of a device".to_owned());
        }
    }

    pub(super) fn default_device(&mut self, device: DefaultDeviceText) {
        if is_profile_name(&device.profile) {
            self.remembered.default_device = Some(device.profile);
        } else {
            self.left_out.push("default_device is not the name of a profile".to_owned());
        }
    }

    pub(super) fn devices(&mut self, devices: Vec<toml::Value>) {
        for (index, device) in devices.into_iter().enumerate() {
            let what = format!("device {}", index + 1);
            match device.try_into::<DeviceText>() {
                Ok(DeviceText { matches, profile }) => {
                    let device = UserDevice { matches, profile };
                    match self.check_device(&device) {
                        Ok(()) => self.remembered.devices.push(device),
                        Err(why) => self.left_out.push(format!("{what} {why}")),
                    }
                }
                Err(error) => self.leave_out(&what, &error),
            }
        }
    }

    fn check_device(&self, device: &UserDevice) -> Result<(), &'static str> {
        let DeviceMatch { node_name, description, port } = &device.matches;
        let known = &self.remembered.devices;
        if device.matches.is_empty() {
            Err("names no device")
        } else if ![node_name, description, port].into_iter().all(|list| fits_in_a_request(list)) {
            Err("has more or longer patterns than a device can have")
        } else if !is_profile_name(&device.profile) {
            Err("has no name of a profile")
        } else if known.iter().any(|known| known.matches == device.matches) {
            Err("names what another device names")
        } else if !Remembered::has_room_for_device(known, device) {
            Err("is one too many")
        } else {
            Ok(())
        }
    }
}

fn is_profile_name(name: &str) -> bool {
    (1..=LONGEST_PATTERN_BYTES).contains(&name.len()) && !crate::is_path(name)
}
