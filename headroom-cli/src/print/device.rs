//! Which profile each device gets, for people.

use std::fmt::Write;

use headroom_client::ipc::{DeviceMatch, Devices, HeardDevice, RuleOrigin, UsedBy};

use super::Paint;
use super::text::{COLUMNS, column, plain, wrapped};

const PROFILE: usize = 16;
const HEADS: usize = 9;

/// What is heard, and what is said of devices.
pub(crate) fn devices(devices: &Devices, paint: Paint) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let value = wrapped(value, COLUMNS - HEADS, HEADS);
        let _ = writeln!(text, "{}{value}", paint.dim(format!("{name:HEADS$}")));
    };
    match &devices.heard {
        Some(heard) => {
            line("Heard", heard.description.as_deref().unwrap_or(&heard.node_name));
            line("Node", &heard.node_name);
            line("Port", &port(heard));
        }
        None => line("Heard", "no device"),
    }
    line("Profile", &in_force(devices));
    text.push('\n');
    if devices.devices.is_empty() && devices.default_profile.is_none() {
        let none = "No device has a profile of its own; headroom device set gives one.";
        let _ = writeln!(text, "{}", paint.dim(none));
        return text;
    }
    let _ = writeln!(text, "{}", paint.dim("The first that matches what is heard counts:"));
    for device in &devices.devices {
        let origin = match device.origin {
            RuleOrigin::User => "yours",
            _ => "of the profile",
        };
        let line = format!("{} ({origin})", meant(&device.matches));
        let line = wrapped(&line, COLUMNS - PROFILE - 2, PROFILE + 2);
        let _ = writeln!(text, "{}  {line}", column(&device.profile, PROFILE));
    }
    let (others, note) = match &devices.default_profile {
        Some(name) => (name, ""),
        None => (&devices.chosen, " (the profile that was used last)"),
    };
    let _ = writeln!(text, "{}  every other device{note}", column(others, PROFILE));
    text
}

/// Which profile is in force now, as a line of its own.
pub(crate) fn now_in_force(devices: &Devices) -> String {
    format!("in force now: {}\n", in_force(devices))
}

/// Which devices are meant, as it is typed.
pub(crate) fn meant_device(matches: Option<&DeviceMatch>) -> String {
    matches.map_or_else(|| "every other device".to_owned(), meant)
}

fn meant(matches: &DeviceMatch) -> String {
    let lists =
        [("port", &matches.port), ("node", &matches.node_name), ("name", &matches.description)];
    let named = lists.into_iter().filter(|(_, patterns)| !patterns.is_empty());
    let named = named.map(|(name, patterns)| format!("{name} {}", patterns.join(" or ")));
    plain(&named.collect::<Vec<_>>().join(", "))
}

fn in_force(devices: &Devices) -> String {
    let why = match devices.used_by {
        UsedBy::Chosen => "as you chose",
        UsedBy::ByHand => "as you chose, until another device is heard",
        UsedBy::Device => "the profile of this device",
        UsedBy::DefaultDevice => "the profile of every other device",
        UsedBy::StandIn => "in place of the one that you chose, which cannot be used",
        _ => "for a reason that this program does not know",
    };
    format!("{}, {why}", plain(&devices.used))
}

/// By every name, as any of them can be typed.
fn port(heard: &HeardDevice) -> String {
    let Some(port) = &heard.port else { return "-".to_owned() };
    let names = [port.kind.as_deref(), Some(port.name.as_str()), port.description.as_deref()];
    names.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
