//! Profiles of the files as the daemon would tell of them, so that there is one way to show them.

use headroom_client::ipc;
use headroom_profile::{Entry, Levels, LoadError, Loaded, Origin, wire};

use super::OnDisk;

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

impl OnDisk {
    /// All that a profile says, and the values that would be in force with it.
    pub(crate) fn detail(&self, entry: &Entry, loaded: &Loaded) -> ipc::ProfileDetail {
        let profile = &loaded.profile;
        let levels = Levels::new(profile, &self.remembered.overrides);
        ipc::ProfileDetail {
            profile: about(entry),
            settings: levels.values_with(profile),
            rules: profile.rules.iter().map(wire::rule).collect(),
            default_route: wire::route(&profile.default_route.route),
        }
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
