//! Which profile is in force: a function of the one that the user has chosen, of what is said of
//! devices, and of the device that is heard. Each of the three is kept by itself, so that nothing
//! has to be undone when one of them changes.
//!
//! `ops` changes what is said, `graph_news` which device is heard, and `ops::profile` puts into
//! force what comes out of here. Pure.

use headroom_ipc::{DeviceProfile, HeardDevice, RuleOrigin, UsedBy};
use headroom_profile::{DeviceIdentity, wire};

use super::profiles::{DEFAULT, KnownProfiles};
use crate::store::{ChosenOn, Remembered, UserDevice};

/// What is said of devices by the user, and what is known of the one that is heard.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    /// The newest first.
    pub(crate) of_user: Vec<UserDevice>,
    /// The profile of every other device.
    pub(crate) default_of_user: Option<String>,
    /// The device that was heard when the profile was chosen, as long as no other is.
    pub(crate) chosen_on: Option<ChosenOn>,
    /// The device that is heard, or was heard last.
    heard: Option<HeardDevice>,
}

/// The profile that is to be in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) name: String,
    pub(crate) by: UsedBy,
}

impl Devices {
    pub(super) fn of(remembered: &Remembered) -> Devices {
        Devices {
            of_user: remembered.devices.clone(),
            default_of_user: remembered.default_device.clone(),
            chosen_on: remembered.chosen_on.clone(),
            heard: None,
        }
    }

    /// The device that is heard, or was heard last.
    pub(crate) fn heard(&self) -> Option<&HeardDevice> {
        self.heard.as_ref()
    }

    /// This one is heard now.
    pub(super) fn hear(&mut self, device: HeardDevice) {
        if self.chosen_on.as_ref().is_some_and(|known| *known != key(&device)) {
            self.chosen_on = None;
        }
        self.heard = Some(device);
    }

    /// The user has chosen a profile just now.
    pub(super) fn was_chosen(&mut self) {
        self.chosen_on = self.heard.as_ref().map(key);
    }

    /// What is in force while the user has chosen the profile of this name.
    pub(super) fn verdict(&self, profiles: &KnownProfiles, chosen: &str) -> Verdict {
        let verdict = |name: &str, by| Verdict { name: name.to_owned(), by };
        let without_user = self.without_user(profiles, chosen);
        let with_user = self.of_user_for(profiles, &without_user);
        let is_by_hand = self.chosen_on.is_some() && self.chosen_on == self.heard.as_ref().map(key);
        match with_user {
            Some(_) if is_by_hand && without_user.by == UsedBy::Chosen => {
                verdict(chosen, UsedBy::ByHand)
            }
            Some(of_user) if !is_by_hand => of_user,
            _ => without_user,
        }
    }

    /// What the chosen profile alone would have in force.
    fn without_user(&self, profiles: &KnownProfiles, chosen: &str) -> Verdict {
        let verdict = |name: &str, by| Verdict { name: name.to_owned(), by };
        let Some(profile) = profiles.profile(chosen) else {
            return verdict(DEFAULT, UsedBy::StandIn);
        };
        let Some(heard) = &self.heard else { return verdict(chosen, UsedBy::Chosen) };
        let is_usable = |name: &str| profiles.profile(name).is_some();
        let device = identity(heard);
        let mut entries = profile.devices.iter();
        let entry =
            entries.find(|entry| is_usable(&entry.profile) && entry.matches.is_about(&device));
        if let Some(entry) = entry {
            return verdict(&entry.profile, UsedBy::Device);
        }
        match &profile.default_device {
            Some(default_device) if is_usable(&default_device.profile) => {
                verdict(&default_device.profile, UsedBy::DefaultDevice)
            }
            _ => verdict(chosen, UsedBy::Chosen),
        }
    }

    /// What the user wants on the device that is heard, if that is said. An entry of the chosen
    /// profile is nearer than what the user says of every other device.
    fn of_user_for(&self, profiles: &KnownProfiles, otherwise: &Verdict) -> Option<Verdict> {
        let device = identity(self.heard.as_ref()?);
        let is_usable = |name: &str| profiles.profile(name).is_some();
        let mut entries = self.of_user.iter();
        let entry = entries.find(|entry| {
            is_usable(&entry.profile) && wire::device_match_back(&entry.matches).is_about(&device)
        });
        if let Some(entry) = entry {
            return Some(Verdict { name: entry.profile.clone(), by: UsedBy::Device });
        }
        let default = self.default_of_user.as_ref().filter(|name| is_usable(name))?;
        let by = UsedBy::DefaultDevice;
        (otherwise.by != UsedBy::Device).then(|| Verdict { name: default.clone(), by })
    }

    /// Everything that is said, as clients see it, and the profile of every other device.
    pub(super) fn said(
        &self,
        profiles: &KnownProfiles,
        chosen: &str,
    ) -> (Vec<DeviceProfile>, Option<String>) {
        let of_user = self.of_user.iter().map(|UserDevice { matches, profile }| DeviceProfile {
            matches: matches.clone(),
            profile: profile.clone(),
            origin: RuleOrigin::User,
        });
        let profile = profiles.profile(chosen);
        let of_profile = profile.into_iter().flat_map(|profile| &profile.devices);
        let default = profile.and_then(|profile| profile.default_device.as_ref());
        (
            of_user.chain(of_profile.map(wire::device)).collect(),
            self.default_of_user.clone().or_else(|| Some(default?.profile.clone())),
        )
    }
}

fn key(device: &HeardDevice) -> ChosenOn {
    let port = device.port.as_ref().map(|port| port.name.clone());
    ChosenOn { node_name: device.node_name.clone(), port }
}

fn identity(device: &HeardDevice) -> DeviceIdentity<'_> {
    let port = device.port.as_ref();
    DeviceIdentity {
        node_name: &device.node_name,
        description: device.description.as_deref(),
        port: [
            port.and_then(|port| port.kind.as_deref()),
            port.map(|port| port.name.as_str()),
            port.and_then(|port| port.description.as_deref()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headroom_ipc::{DeviceMatch, Port};
    use headroom_profile::{Folders, Library};

    use super::*;

    /// The shipped profiles, and one that says something of devices.
    fn profiles() -> KnownProfiles {
        let folder = tempfile::tempdir().expect("a directory");
        let text = "name = \"desk\"\ndescription = \"d\"\n\
                    [[devices]]\nmatch = { description = [\"TV*\"] }\nprofile = \"gone\"\n\
                    [[devices]]\nmatch = { description = [\"TV*\"] }\nprofile = \"movie\"\n\
                    [default_device]\nprofile = \"music\"\n";
        std::fs::write(folder.path().join("desk.toml"), text).expect("written");
        let folders = Folders::only(&[folder.path().to_owned()]);
        let library = Library::scan(&folders);
        KnownProfiles::new(Arc::new(folders), library)
    }

    fn heard(name: &str, kind: Option<&str>) -> HeardDevice {
        let port = |kind: &str| Port {
            name: format!("analog-output-{kind}"),
            description: None,
            kind: Some(kind.to_owned()),
        };
        HeardDevice {
            node_name: format!("alsa_output.{name}"),
            description: Some(name.to_owned()),
            port: kind.map(port),
        }
    }

    fn user_device(port: &str, profile: &str) -> UserDevice {
        let matches = DeviceMatch { port: vec![port.to_owned()], ..DeviceMatch::default() };
        UserDevice { matches, profile: profile.to_owned() }
    }

    fn in_force(devices: &Devices, profiles: &KnownProfiles, chosen: &str) -> (String, UsedBy) {
        let Verdict { name, by } = devices.verdict(profiles, chosen);
        (name, by)
    }

    #[test]
    fn what_is_said_of_the_device_that_is_heard_is_in_force() {
        let profiles = profiles();
        let is = |name: &str, by| (name.to_owned(), by);
        let mut devices = Devices {
            of_user: vec![user_device("headphones", "gone"), user_device("head*", "night")],
            ..Devices::default()
        };
        let now = |devices: &Devices, chosen| in_force(devices, &profiles, chosen);
        assert_eq!(now(&devices, "party"), is("party", UsedBy::Chosen), "nothing is heard yet");
        devices.hear(heard("card", Some("speaker")));
        assert_eq!(now(&devices, "party"), is("party", UsedBy::Chosen));
        devices.hear(heard("card", Some("headphones")));
        assert_eq!(now(&devices, "party"), is("night", UsedBy::Device), "the other is not there");
        // Those of the profile come behind, and its own for all others last.
        assert_eq!(now(&devices, "desk"), is("night", UsedBy::Device));
        devices.hear(heard("TV set", None));
        assert_eq!(now(&devices, "desk"), is("movie", UsedBy::Device));
        devices.hear(heard("card", None));
        assert_eq!(now(&devices, "desk"), is("music", UsedBy::DefaultDevice));
        // The user's for all others comes before that, and behind what is said of this one.
        devices.default_of_user = Some("podcast".to_owned());
        assert_eq!(now(&devices, "desk"), is("podcast", UsedBy::DefaultDevice));
        assert_eq!(now(&devices, "party"), is("podcast", UsedBy::DefaultDevice));
        devices.hear(heard("TV set", None));
        assert_eq!(now(&devices, "desk"), is("movie", UsedBy::Device));
        assert_eq!(now(&devices, "nowhere"), is("podcast", UsedBy::DefaultDevice));
        devices.default_of_user = None;
        assert_eq!(now(&devices, "nowhere"), is(DEFAULT, UsedBy::StandIn));
    }

    #[test]
    fn what_is_chosen_by_hand_counts_until_another_device_is_heard() {
        let profiles = profiles();
        let mut devices =
            Devices { of_user: vec![user_device("headphones", "night")], ..Devices::default() };
        let by = |devices: &Devices, chosen| in_force(devices, &profiles, chosen).1;
        devices.hear(heard("card", Some("headphones")));
        devices.was_chosen();
        assert_eq!(in_force(&devices, &profiles, "movie"), ("movie".to_owned(), UsedBy::ByHand));
        // The same one again is no other: PipeWire was started again.
        devices.hear(heard("card", Some("headphones")));
        assert_eq!(by(&devices, "movie"), UsedBy::ByHand);
        // A profile that says something of devices is chosen for what it says.
        assert_eq!(by(&devices, "desk"), UsedBy::DefaultDevice);
        // Another jack of the same card is another device, and then this one is it again.
        devices.hear(heard("card", Some("speaker")));
        assert_eq!(by(&devices, "movie"), UsedBy::Chosen);
        devices.hear(heard("card", Some("headphones")));
        assert_eq!(by(&devices, "movie"), UsedBy::Device);
        // What was chosen on it is known after a restart too, before anything is heard.
        devices.was_chosen();
        let remembered = Remembered {
            devices: devices.of_user.clone(),
            chosen_on: devices.chosen_on.clone(),
            ..Remembered::default()
        };
        let mut again = Devices::of(&remembered);
        assert_eq!(by(&again, "movie"), UsedBy::Chosen);
        again.hear(heard("card", Some("headphones")));
        assert_eq!(by(&again, "movie"), UsedBy::ByHand);
    }
}
