//! The settings in force: those of a profile, with what the user has changed on top.
//!
//! A pure function of the two, so that the same profile and the same overrides always sound the
//! same, whatever was done in between. An override that contradicts the rest is set aside, never
//! dropped. The daemon steers by it; the command line shows with it what the daemon would do.

use std::collections::BTreeMap;

use headroom_dsp::ChainParams;
use headroom_ipc as ipc;

use crate::conflict::Conflict;
use crate::profile::Profile;
use crate::setting::{SETTINGS, Setting};
use crate::wire;

type Overrides = BTreeMap<&'static str, ipc::SettingValue>;

/// A profile in force and its overrides.
#[derive(Debug)]
pub struct Levels {
    profile: Profile,
    overrides: Overrides,
    in_force: Profile,
    /// The overrides that contradict the rest, and how.
    set_aside: BTreeMap<&'static str, Conflict>,
}

/// Why a setting cannot be set.
#[derive(Debug)]
pub enum NotSet {
    /// It takes no such value.
    NotAllowed,
    /// It would contradict another.
    Conflict(Conflict),
}

impl Levels {
    /// A profile with overrides that were set before. What is no setting is left out.
    pub fn new(profile: &Profile, overrides: &BTreeMap<String, ipc::SettingValue>) -> Levels {
        let known = |(key, value): (&String, &ipc::SettingValue)| {
            let setting = Setting::find(key)?;
            setting.allows(wire::value_back(value)).then(|| (setting.key, value.clone()))
        };
        let overrides = overrides.iter().filter_map(known).collect();
        let profile = settings_of(profile);
        let (in_force, set_aside) = put_together(&profile, &overrides);
        Levels { profile, overrides, in_force, set_aside }
    }

    /// What the user has changed, by key.
    pub fn overrides(&self) -> impl Iterator<Item = (&str, &ipc::SettingValue)> {
        self.overrides.iter().map(|(key, value)| (*key, value))
    }

    /// The override of a setting, if there is one.
    pub fn override_of(&self, key: &str) -> Option<&ipc::SettingValue> {
        self.overrides.get(key)
    }

    /// The overrides that are not in force, and what they contradict.
    pub fn set_aside(&self) -> &BTreeMap<&'static str, Conflict> {
        &self.set_aside
    }

    /// Puts another profile in force. Overrides stay on top.
    pub fn use_profile(&mut self, profile: &Profile) {
        self.profile = settings_of(profile);
        (self.in_force, self.set_aside) = put_together(&self.profile, &self.overrides);
    }

    /// Overrides a setting.
    ///
    /// # Errors
    /// [`NotSet`], and everything is as it was.
    pub fn set(
        &mut self,
        setting: &'static Setting,
        value: ipc::SettingValue,
    ) -> Result<(), NotSet> {
        let mut trial = self.in_force.clone();
        setting.put(&mut trial, wire::value_back(&value)).map_err(|_| NotSet::NotAllowed)?;
        let mut overrides = self.overrides.clone();
        overrides.insert(setting.key, value);
        let (in_force, mut set_aside) = put_together(&self.profile, &overrides);
        // Nor may it push out another.
        let is_new = |key: &&'static str| *key == setting.key || !self.set_aside.contains_key(key);
        if let Some(refused) = set_aside.keys().copied().find(|key| is_new(key))
            && let Some(conflict) = set_aside.remove(refused)
        {
            return Err(NotSet::Conflict(conflict));
        }
        (self.overrides, self.in_force, self.set_aside) = (overrides, in_force, set_aside);
        Ok(())
    }

    /// Takes overrides back. Says whether there were any.
    pub fn clear(&mut self, is_meant: impl Fn(&str) -> bool) -> bool {
        let before = self.overrides.len();
        self.overrides.retain(|key, _| !is_meant(key));
        (self.in_force, self.set_aside) = put_together(&self.profile, &self.overrides);
        self.overrides.len() < before
    }

    /// How often meters tick.
    pub fn publish_hz(&self) -> f32 {
        self.in_force.meters.publish_hz
    }

    /// What the AGC steers to.
    pub fn agc_target_lufs(&self) -> f32 {
        self.in_force.agc.target_lufs
    }

    /// What the chain is told.
    pub fn chain_params(&self, bypass: bool) -> ChainParams {
        let mut params = self.in_force.chain_params();
        params.bus.bypass = bypass;
        params.master.bypass = bypass;
        params
    }

    /// Every setting as clients see it.
    pub fn settings(&self) -> Vec<ipc::Setting> {
        SETTINGS.iter().map(|setting| self.setting(setting)).collect()
    }

    /// One setting as clients see it.
    pub fn setting(&self, setting: &Setting) -> ipc::Setting {
        let is_set_aside = self.set_aside.contains_key(setting.key);
        ipc::Setting {
            key: setting.key.to_owned(),
            value: wire::value(setting.value(&self.in_force)),
            profile_value: wire::value(setting.value(&self.profile)),
            overridden: self.overrides.contains_key(setting.key),
            set_aside: self.override_of(setting.key).cloned().filter(|_| is_set_aside),
            accepts: wire::accepts(setting.kind),
        }
    }

    /// Every setting of a profile, and as it would be in force with that profile.
    pub fn values_with(&self, profile: &Profile) -> Vec<ipc::ProfileValue> {
        let profile = settings_of(profile);
        let (in_force, _) = put_together(&profile, &self.overrides);
        let value = |setting: &Setting| ipc::ProfileValue {
            key: setting.key.to_owned(),
            value: wire::value(setting.value(&profile)),
            effective: Some(wire::value(setting.value(&in_force))),
        };
        SETTINGS.iter().map(value).collect()
    }
}

/// A profile without what is no setting, so that copies of it are cheap.
fn settings_of(profile: &Profile) -> Profile {
    Profile {
        name: String::new(),
        description: String::new(),
        agc: profile.agc,
        compressor: profile.compressor,
        limiter: profile.limiter,
        meters: profile.meters,
        rules: Vec::new(),
        default_route: crate::DefaultRoute::default(),
        devices: Vec::new(),
        default_device: None,
        per_app: None,
    }
}

/// The overrides on top of a profile, as many as go together. Those of the limiter come first:
/// between a ceiling and a target, the one that protects the ears counts.
fn put_together(
    profile: &Profile,
    overrides: &Overrides,
) -> (Profile, BTreeMap<&'static str, Conflict>) {
    let mut in_force = profile.clone();
    let overridden = |setting: &'static Setting| Some((setting, overrides.get(setting.key)?));
    let mut left: Vec<_> = SETTINGS.iter().rev().filter_map(overridden).collect();
    loop {
        let mut set_aside = BTreeMap::new();
        let before = left.len();
        // One may have to wait for another: a low ceiling for a low target.
        left.retain(|(setting, value)| {
            let mut with = in_force.clone();
            // It was allowed when it was set, and what is allowed depends on no profile.
            let put = setting.put(&mut with, wire::value_back(value));
            debug_assert_eq!(put, Ok(()));
            match with.conflict() {
                Some(conflict) => {
                    set_aside.insert(setting.key, conflict);
                    true
                }
                None => {
                    in_force = with;
                    false
                }
            }
        });
        if left.len() == before {
            return (in_force, set_aside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(lines: &str) -> Profile {
        let text = format!("name = \"p\"\ndescription = \"d\"\n{lines}");
        Profile::parse("p.toml", &text).expect("a profile").profile
    }

    fn set(levels: &mut Levels, key: &str, number: f32) -> Result<(), String> {
        let setting = Setting::find(key).expect("a setting");
        levels.set(setting, number.into()).map_err(|error| match error {
            NotSet::NotAllowed => "not allowed".to_owned(),
            NotSet::Conflict(conflict) => conflict.to_string(),
        })
    }

    fn waiting(levels: &Levels) -> Vec<&'static str> {
        levels.set_aside().keys().copied().collect()
    }

    #[test]
    fn an_override_that_contradicts_a_new_profile_waits_until_it_no_longer_does() {
        let mut levels = Levels::new(&profile(""), &BTreeMap::new());
        set(&mut levels, "agc.target_lufs", -8.0).expect("room enough");
        levels.use_profile(&profile("limiter.ceiling_dbtp = -6\n"));
        assert_eq!(waiting(&levels), ["agc.target_lufs"]);
        assert_eq!(levels.agc_target_lufs(), -18.0);
        let shown = levels.setting(Setting::find("agc.target_lufs").expect("one"));
        assert_eq!((shown.overridden, shown.set_aside), (true, Some((-8.0).into())));
        // Another setting makes room for it.
        set(&mut levels, "limiter.ceiling_dbtp", -3.0).expect("fine");
        assert_eq!(waiting(&levels), [""; 0]);
        assert_eq!(levels.agc_target_lufs(), -8.0);
        levels.clear(|key| key == "limiter.ceiling_dbtp");
        assert_eq!(waiting(&levels), ["agc.target_lufs"]);
        levels.use_profile(&profile(""));
        assert_eq!((waiting(&levels), levels.agc_target_lufs()), (vec![], -8.0));
    }

    #[test]
    fn what_would_contradict_is_refused_and_pushes_nothing_out() {
        let mut levels = Levels::new(&profile("agc.target_lufs = -30\n"), &BTreeMap::new());
        set(&mut levels, "agc.target_lufs", -18.0).expect("fine");
        // It would go with the profile's own target.
        let told = set(&mut levels, "limiter.ceiling_dbtp", -20.0).expect_err("a conflict");
        assert!(told.contains("agc.target_lufs is -18 and limiter.ceiling_dbtp is -20"), "{told}");
        assert_eq!((waiting(&levels), levels.agc_target_lufs()), (vec![], -18.0));
        assert!(levels.override_of("limiter.ceiling_dbtp").is_none());
        levels.clear(|_| true);
        set(&mut levels, "limiter.ceiling_dbtp", -20.0).expect("fine now");
    }

    #[test]
    fn between_a_ceiling_and_a_target_the_ceiling_counts() {
        let off = profile("agc.enabled = false\n");
        let mut levels = Levels::new(&off, &BTreeMap::new());
        set(&mut levels, "agc.target_lufs", -10.0).expect("nothing to contradict");
        set(&mut levels, "limiter.ceiling_dbtp", -12.0).expect("nothing to contradict");
        levels.use_profile(&profile(""));
        assert_eq!(waiting(&levels), ["agc.target_lufs"]);
        assert_eq!(levels.chain_params(false).master.limiter.ceiling, headroom_dsp::Db(-12.0));
        // And the same whatever came before.
        let overrides = levels.overrides().map(|(k, v)| (k.to_owned(), v.clone())).collect();
        assert_eq!(waiting(&Levels::new(&profile(""), &overrides)), ["agc.target_lufs"]);
    }
}
