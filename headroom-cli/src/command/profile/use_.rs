//! `headroom profile use NAME`: puts a profile in force.

use headroom_client::ipc::{Code, ProfileList, ProfileUse, UsedBy};
use headroom_client::{Client, daemon_address};

use crate::args::UseArgs;
use crate::failure::Failure;
use crate::print::{self, Paint};

pub(crate) fn run(args: &UseArgs) -> Result<(), Failure> {
    let mut client = Client::connect(&daemon_address()?)?;
    // Both at once, so that hardly anybody can come in between.
    let before = client.send(&ProfileList {})?;
    let used = client.send(&ProfileUse { name: args.name.clone() })?;
    let before = client.wait(before)?;
    let profile = client.wait(used).map_err(|error| {
        let is_unknown = error.code() == Some(Code::NotFound);
        let failure = Failure::of_profile(error);
        match args.name.as_str() {
            name if is_unknown && headroom_profile::is_path(name) => {
                failure.with_hint(format!("take the file in first: headroom profile import {name}"))
            }
            _ => failure,
        }
    })?;
    if args.json {
        return print::json(&profile);
    }
    let settings = client.setting_list(None)?;
    // An older daemon knows nothing of devices.
    let devices = client.device_list().ok();
    let already = before.used == profile.name;
    let paint = Paint::for_stdout();
    let text = match devices.as_ref().filter(|devices| devices.used != profile.name) {
        Some(devices) => print::profile_of_device_instead(&profile, devices, paint),
        None => print::profile_in_force(&profile, already, &settings.settings, paint),
    };
    print::result(&text)?;
    match devices {
        Some(devices) if devices.used_by == UsedBy::ByHand => {
            let note =
                "until another device is heard: then what `headroom device list` shows counts\n";
            print::result(note)
        }
        _ => Ok(()),
    }
}
