//! What of the state outlives the daemon, and whether hr-store is to be told of it.

use headroom_ipc::SettingValue;

use super::Model;
use crate::store::{AgcGain, Remembered};

/// A gain of the AGC that is nearer to the remembered one is as good as that.
const WORTH_REMEMBERING_DB: f32 = 0.5;

impl Model {
    /// What is to be remembered, if it is other than what hr-store has been told.
    pub(crate) fn newly_remembered(&mut self) -> Option<Remembered> {
        let known = &self.remembered;
        // Compared in place: this is asked after every step, and hardly ever answered.
        let is_known = known.profile == self.chosen_profile
            && known.chosen_on == self.devices.chosen_on
            && known.devices == self.devices.of_user
            && known.default_device == self.devices.default_of_user
            && self.levels.overrides().eq(known.overrides.iter().map(|(k, v)| (k.as_str(), v)))
            && known.routes == self.user_routes
            && known.bypass == self.settings().bypass
            && known.agc == self.agc
            && known.promote == self.promote_chosen
            && known.sink == self.sink_wish.preferred;
        if is_known {
            return None;
        }
        let owned = |(key, value): (&str, &SettingValue)| (key.to_owned(), value.clone());
        self.remembered = Remembered {
            profile: self.chosen_profile.clone(),
            chosen_on: self.devices.chosen_on.clone(),
            devices: self.devices.of_user.clone(),
            default_device: self.devices.default_of_user.clone(),
            overrides: self.levels.overrides().map(owned).collect(),
            routes: self.user_routes.clone(),
            bypass: self.settings().bypass,
            agc: self.agc,
            promote: self.promote_chosen,
            sink: self.sink_wish.preferred.clone(),
        };
        Some(self.remembered.clone())
    }

    /// What hr-store has been told, which is what its file says or will say.
    pub(crate) fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// The AGC has settled: that is worth remembering where it differs from what is.
    pub(crate) fn agc_settled(&mut self, gain_db: f32) {
        let target_lufs = self.levels.agc_target_lufs();
        let is_known = self.agc.is_some_and(|known| {
            (known.for_target(target_lufs) - gain_db).abs() < WORTH_REMEMBERING_DB
        });
        if !is_known {
            // For the eyes of whoever looks into the file.
            let gain_db = (gain_db * 100.0).round() / 100.0;
            self.agc = Some(AgcGain { gain_db, target_lufs });
        }
    }
}
