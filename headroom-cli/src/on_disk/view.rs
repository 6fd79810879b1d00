//! Profiles of the files as the daemon would tell of them, so that there is one way to show them.

use headroom_client::ipc;
use headroom_profile::{Entry, LoadError, Loaded, Origin, SETTINGS, wire};

/// What a profile is and where it comes from.
pub(crate) fn about(entry: &Entry) -> ipc::Profile {
    let fault = entry.fault().map(fault);
    // What is told is what could be used: the file at fault has nothing to tell.
    let good = entry.good();
    let origin = good.map_or(&entry.counts().origin, |loaded| &loaded.origin);
    let description = good.map(|loaded| loaded.profile.description.clone());
    let warnings = good.map(|loaded| loaded.warnings.iter().map(ToString::to_string).collect());
    ipc::Profile {
        name: entry.name().to_owned(),
        description: description.unwrap_or_default(),
        origin: match origin {
            Origin::Embedded => ipc::ProfileOrigin::Embedded,
            Origin::File(_) => ipc::ProfileOrigin::File,
        },
        path: match origin {
            Origin::Embedded => None,
            Origin::File(path) => Some(path.display().to_string()),
        },
        warnings: warnings.unwrap_or_default(),
        fault,
    }
}

/// All that a profile says, the values that would be in force left aside.
pub(crate) fn detail(entry: &Entry, loaded: &Loaded) -> ipc::ProfileDetail {
    let profile = &loaded.profile;
    let value = |setting: &headroom_profile::Setting| ipc::ProfileValue {
        key: setting.key.to_owned(),
        value: wire::value(setting.value(profile)),
        effective: None,
    };
    ipc::ProfileDetail {
        profile: about(entry),
        settings: SETTINGS.iter().map(value).collect(),
        rules: profile.rules.iter().map(wire::rule).collect(),
        default_route: wire::route(&profile.default_route.route),
    }
}

fn fault(error: &LoadError) -> ipc::ProfileFault {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    ipc::ProfileFault {
        message: error.to_string(),
        line: error.place().map(|place| number(place.line)),
        column: error.place().map(|place| number(place.column)),
    }
}
