//! The settings that would be in force if the daemon were started now.

use headroom_client::ipc::{self, Setting, SettingValues};
use headroom_profile::{Levels, SETTINGS};

use super::{DEFAULT, OnDisk};
use crate::failure::Failure;

impl OnDisk {
    /// Every setting: the profile that the daemon would begin with, and on top of it what is
    /// remembered.
    pub(crate) fn settings(&self) -> Result<Vec<Setting>, Failure> {
        let entry = self.entry(self.begins_with())?;
        // What is embedded is good.
        let good = entry.good().or_else(|| self.library().get(DEFAULT)?.good());
        let good = good.ok_or_else(|| Failure::refused("there is no profile that can be used"))?;
        Ok(Levels::new(&good.profile, &self.remembered.overrides).settings())
    }

    /// One setting, in the daemon's words where there is none.
    pub(crate) fn setting(&self, key: &str) -> Result<Setting, Failure> {
        self.settings()?.into_iter().find(|setting| setting.key == key).ok_or_else(|| {
            let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
            Failure::refused(ipc::Error::not_found("key", "setting", key, &known))
        })
    }

    /// The settings of a section, in the daemon's words where there is none.
    pub(crate) fn section(&self, section: Option<&str>) -> Result<SettingValues, Failure> {
        let mut settings = self.settings()?;
        let Some(section) = section else { return Ok(SettingValues { settings }) };
        settings.retain(|setting| is_below(&setting.key, section));
        if settings.is_empty() {
            let mut known: Vec<&str> = SETTINGS
                .iter()
                .filter_map(|setting| Some(setting.key.rsplit_once('.')?.0))
                .collect();
            known.dedup();
            let error = ipc::Error::not_found("section", "section of settings", section, &known);
            return Err(Failure::refused(error));
        }
        Ok(SettingValues { settings })
    }
}

/// Whether a key begins with a section, up to a dot.
pub(crate) fn is_below(key: &str, section: &str) -> bool {
    key.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
}
