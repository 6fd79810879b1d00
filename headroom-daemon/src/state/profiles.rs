//! The profiles that there are: those of the program, and the file that the daemon was started
//! with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use headroom_ipc as ipc;
use headroom_profile::{LoadError, Loaded, Origin, Profile, SETTINGS, embedded};

use super::wire;

/// Every profile, by name.
#[derive(Debug)]
pub(crate) struct KnownProfiles {
    known: BTreeMap<String, Known>,
}

/// A profile as it was last good.
#[derive(Debug)]
struct Known {
    about: ipc::Profile,
    profile: Profile,
    file: Option<PathBuf>,
}

/// What came of reading the file of a profile again.
#[derive(Debug)]
pub struct ReadAgain {
    /// The profile.
    pub name: String,
    /// What is in its file now.
    pub loaded: Result<Loaded, LoadError>,
}

impl KnownProfiles {
    /// Those of the program, and this one.
    pub(super) fn with(used: &Loaded) -> KnownProfiles {
        let mut profiles = KnownProfiles { known: BTreeMap::new() };
        for (name, _) in embedded() {
            match headroom_profile::load(name) {
                Ok(loaded) => profiles.put(&loaded),
                Err(error) => log::error!("the profile {name} of this program: {error}"),
            }
        }
        profiles.put(used);
        profiles
    }

    pub(crate) fn profile(&self, name: &str) -> Option<&Profile> {
        self.known.get(name).map(|known| &known.profile)
    }

    /// What clients see of one.
    pub(crate) fn about(&self, name: &str) -> Option<&ipc::Profile> {
        self.known.get(name).map(|known| &known.about)
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.known.keys().map(String::as_str).collect()
    }

    /// What clients see of all, sorted by name.
    pub(crate) fn all(&self) -> Vec<ipc::Profile> {
        self.known.values().map(|known| known.about.clone()).collect()
    }

    /// The profiles that are files, for reading them again.
    pub(crate) fn files(&self) -> Vec<(String, PathBuf)> {
        let file = |(name, known): (&String, &Known)| Some((name.clone(), known.file.clone()?));
        self.known.iter().filter_map(file).collect()
    }

    /// Takes what was read again: a good one is taken over, a bad one keeps what was last good
    /// and says why.
    pub(crate) fn take(&mut self, read: ReadAgain) {
        match read.loaded {
            Ok(loaded) if loaded.profile.name == read.name => self.put(&loaded),
            Ok(loaded) => {
                // Its name stands in the file, and has been changed: another profile now.
                let message = format!("its file holds the profile {:?} now", loaded.profile.name);
                self.fault(&read.name, ipc::ProfileFault { message, line: None, column: None });
                self.put(&loaded);
            }
            Err(error) => self.fault(&read.name, fault(&error)),
        }
    }

    /// A profile with all that it says.
    pub(crate) fn detail(&self, name: &str) -> Option<ipc::ProfileDetail> {
        let Known { about, profile, .. } = self.known.get(name)?;
        Some(ipc::ProfileDetail {
            profile: about.clone(),
            settings: SETTINGS
                .iter()
                .map(|setting| ipc::ProfileValue {
                    key: setting.key.to_owned(),
                    value: wire::value(setting.value(profile)),
                    effective: None,
                })
                .collect(),
            rules: profile.rules.iter().map(wire::rule).collect(),
            default_route: wire::route(&profile.default_route.route),
        })
    }

    fn put(&mut self, loaded: &Loaded) {
        let (origin, file) = match &loaded.origin {
            Origin::Embedded => (ipc::ProfileOrigin::Embedded, None),
            Origin::File(path) => (ipc::ProfileOrigin::File, Some(path.clone())),
        };
        let Profile { name, description, .. } = &loaded.profile;
        let about = ipc::Profile {
            name: name.clone(),
            description: description.clone(),
            origin,
            path: file.as_ref().map(|path| path.display().to_string()),
            warnings: loaded.warnings.iter().map(ToString::to_string).collect(),
            fault: None,
        };
        let known = Known { about, profile: loaded.profile.clone(), file };
        self.known.insert(name.clone(), known);
    }

    fn fault(&mut self, name: &str, fault: ipc::ProfileFault) {
        if let Some(known) = self.known.get_mut(name) {
            known.about.fault = Some(fault);
        }
    }
}

fn fault(error: &LoadError) -> ipc::ProfileFault {
    let place = match error {
        LoadError::Profile(error) => Some(&error.place),
        _ => None,
    };
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    ipc::ProfileFault {
        message: error.to_string(),
        line: place.map(|place| number(place.line)),
        column: place.map(|place| number(place.column)),
    }
}
