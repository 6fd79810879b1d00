//! The settings in force: those of a profile, with what the user has changed on top.

use std::collections::BTreeMap;

use headroom_dsp::ChainParams;
use headroom_ipc as ipc;
use headroom_profile::{NotAllowed, Profile, SETTINGS, Setting};

use super::wire;

/// A profile in force and its overrides.
#[derive(Debug)]
pub(crate) struct Levels {
    profile: Profile,
    overrides: BTreeMap<&'static str, ipc::SettingValue>,
    in_force: Profile,
}

impl Levels {
    /// A profile with overrides that were set before. What is no setting is left out.
    pub(super) fn new(profile: Profile, overrides: &BTreeMap<String, ipc::SettingValue>) -> Levels {
        let known = |(key, value): (&String, &ipc::SettingValue)| {
            let setting = Setting::find(key)?;
            setting.allows(wire::value_back(value)).then(|| (setting.key, value.clone()))
        };
        let overrides = overrides.iter().filter_map(known).collect();
        let mut levels = Levels { in_force: profile.clone(), profile, overrides };
        levels.put_together();
        levels
    }

    /// What the user has changed, by key.
    pub(super) fn overrides(&self) -> impl Iterator<Item = (&str, &ipc::SettingValue)> {
        self.overrides.iter().map(|(key, value)| (*key, value))
    }

    /// Puts another profile in force. Overrides stay on top.
    pub(super) fn use_profile(&mut self, profile: Profile) {
        self.profile = profile;
        self.put_together();
    }

    /// Overrides a setting.
    pub(crate) fn set(
        &mut self,
        setting: &'static Setting,
        value: ipc::SettingValue,
    ) -> Result<(), NotAllowed> {
        setting.put(&mut self.in_force, wire::value_back(&value))?;
        self.overrides.insert(setting.key, value);
        Ok(())
    }

    /// Takes overrides back. Says whether there were any.
    pub(crate) fn clear(&mut self, is_meant: impl Fn(&str) -> bool) -> bool {
        let before = self.overrides.len();
        self.overrides.retain(|key, _| !is_meant(key));
        self.put_together();
        self.overrides.len() < before
    }

    /// How often meters tick.
    pub(crate) fn publish_hz(&self) -> f32 {
        self.in_force.meters.publish_hz
    }

    /// What the AGC steers to.
    pub(crate) fn agc_target_lufs(&self) -> f32 {
        self.in_force.agc.target_lufs
    }

    /// What the chain is told.
    pub(crate) fn chain_params(&self, bypass: bool) -> ChainParams {
        let mut params = self.in_force.chain_params();
        params.bus.bypass = bypass;
        params.master.bypass = bypass;
        params
    }

    /// Every setting as clients see it.
    pub(super) fn settings(&self) -> Vec<ipc::Setting> {
        SETTINGS.iter().map(|setting| self.setting(setting)).collect()
    }

    /// One setting as clients see it.
    pub(crate) fn setting(&self, setting: &Setting) -> ipc::Setting {
        ipc::Setting {
            key: setting.key.to_owned(),
            value: wire::value(setting.value(&self.in_force)),
            profile_value: wire::value(setting.value(&self.profile)),
            overridden: self.overrides.contains_key(setting.key),
            accepts: wire::accepts(setting.kind),
        }
    }

    fn put_together(&mut self) {
        self.in_force = self.profile.clone();
        for setting in SETTINGS {
            if let Some(value) = self.overrides.get(setting.key) {
                // It was allowed when it was set, and what is allowed depends on no profile.
                let put = setting.put(&mut self.in_force, wire::value_back(value));
                debug_assert_eq!(put, Ok(()));
            }
        }
    }
}
