//! `profile.*`: which settings are in force.

use headroom_ipc::{
    Error, Profile, ProfileChange, ProfileDetail, ProfileShow, ProfileUse, Profiles, SettingChange,
};

use super::setting;
use crate::state::{Effects, Model, ReadAgain};

pub(crate) fn use_it(
    model: &mut Model,
    call: &ProfileUse,
    effects: &mut Effects,
) -> Result<Profile, Error> {
    let profile = model.profiles.about(&call.name).ok_or_else(|| unknown(model, &call.name))?;
    let profile = profile.clone();
    model.chosen_profile = Some(call.name.clone());
    if call.name != model.profile_state().used {
        model.publish(ProfileChange::Used(profile.clone()), effects);
        put_in_force(model, &call.name, effects);
    }
    Ok(profile)
}

pub(crate) fn show(model: &Model, call: &ProfileShow) -> Result<ProfileDetail, Error> {
    let name = call.name.as_deref().unwrap_or(&model.profile_state().used);
    model.profiles.detail(name).ok_or_else(|| unknown(model, name))
}

/// The second half of `profile.reload`: the files have been read.
pub(crate) fn reloaded(model: &mut Model, read: Vec<ReadAgain>, effects: &mut Effects) -> Profiles {
    let used = model.profile_state().used.clone();
    let before = model.profiles.detail(&used);
    for read in read {
        model.profiles.take(read);
    }
    let profiles = Profiles { used: used.clone(), profiles: model.profiles.all() };
    model.publish(ProfileChange::Reloaded(profiles.clone()), effects);
    let after = model.profiles.detail(&used);
    if let Some(after) = after
        && before.is_none_or(|before| {
            before.settings != after.settings
                || before.rules != after.rules
                || before.default_route != after.default_route
        })
    {
        model.publish(ProfileChange::Used(after.profile), effects);
        put_in_force(model, &used, effects);
    }
    profiles
}

/// The settings and rules of a profile, and the graph is told.
fn put_in_force(model: &mut Model, name: &str, effects: &mut Effects) {
    model.use_levels_of(name);
    model.publish(SettingChange::Replaced(model.settings_now()), effects);
    model.rules_have_changed(effects);
    setting::tell_graph(model, effects);
}

fn unknown(model: &Model, name: &str) -> Error {
    Error::not_found("name", "profile", name, &model.profiles.names())
}
