//! `device.*`: which profile is in force on which device.

use headroom_ipc::{Code, DeviceSet, DeviceUnset, Devices, Error};

use super::profile;
use crate::state::{Effects, Model};
use crate::store::{MOST_DEVICE_BYTES, MOST_DEVICES, Remembered, UserDevice};

pub(crate) fn list(model: &Model) -> Devices {
    let verdict = model.to_use();
    let state = model.profile_state();
    // The one that was heard last is none that is heard.
    let is_heard = model.sinks().device.device_sink.is_some();
    Devices {
        devices: state.devices.clone(),
        default_profile: state.default_profile.clone(),
        heard: model.devices.heard().filter(|_| is_heard).cloned(),
        chosen: model.chosen().to_owned(),
        used: verdict.name,
        used_by: verdict.by,
    }
}

pub(crate) fn set(
    model: &mut Model,
    call: &DeviceSet,
    effects: &mut Effects,
) -> Result<Devices, Error> {
    let DeviceSet { matches, name: profile } = call.clone();
    profile::usable(model, &profile)?;
    let devices = &mut model.devices;
    match matches {
        None => devices.default_of_user = Some(profile),
        Some(matches) => {
            let known = devices.of_user.iter_mut().find(|known| known.matches == matches);
            if let Some(known) = known {
                known.profile = profile;
            } else {
                let new = UserDevice { matches, profile };
                if !Remembered::has_room_for_device(&devices.of_user, &new) {
                    return Err(no_room());
                }
                devices.of_user.insert(0, new);
            }
        }
    }
    // Whoever says so now means the device that is heard too.
    devices.chosen_on = None;
    profile::follow(model, effects);
    Ok(list(model))
}

pub(crate) fn unset(
    model: &mut Model,
    call: &DeviceUnset,
    effects: &mut Effects,
) -> Result<Devices, Error> {
    let devices = &mut model.devices;
    let had_one = match &call.matches {
        None => devices.default_of_user.take().is_some(),
        Some(matches) => {
            let before = devices.of_user.len();
            devices.of_user.retain(|known| known.matches != *matches);
            devices.of_user.len() < before
        }
    };
    if !had_one {
        let text = "nothing was said of these devices: \"device.list\" lists what was";
        return Err(Error::new(Code::NotFound, text).with_field("match"));
    }
    profile::follow(model, effects);
    Ok(list(model))
}

fn no_room() -> Error {
    let text = format!(
        "no more than {MOST_DEVICES} devices with {MOST_DEVICE_BYTES} bytes of patterns and names \
         are kept: remove some with \"device.unset\", or write patterns that match more"
    );
    Error::new(Code::Conflict, text).with_field("match")
}
