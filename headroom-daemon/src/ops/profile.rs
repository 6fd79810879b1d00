//! `profile.*`, and what follows when the files of profiles change: which settings are in force.

use headroom_ipc::{
    Code, Error, Profile, ProfileChange, ProfileDetail, ProfileShow, ProfileUse, Profiles,
    Reloaded, SettingChange,
};
use headroom_profile::Library;
use log::Level;

use super::setting;
use crate::state::{Effects, Model, News, Stillness};

/// Failures that are told one by one; more than these are told by one list of all profiles.
const MOST_FAILURES: usize = 8;

pub(crate) fn use_it(
    model: &mut Model,
    call: &ProfileUse,
    effects: &mut Effects,
) -> Result<Profile, Error> {
    let profile = usable(model, &call.name)?.clone();
    model.choose(&call.name);
    follow(model, effects);
    Ok(profile)
}

/// Another profile may be the one to be in force, because another was chosen, another device is
/// heard, or another thing is said of devices: puts it in force.
pub(crate) fn follow(model: &mut Model, effects: &mut Effects) {
    let used = model.to_use().name;
    if used != model.profile_state().used
        && let Some(about) = model.profiles.about(&used).cloned()
    {
        effects.said.push((Level::Info, format!("profile {used} is in force")));
        model.publish(ProfileChange::Used(about), effects);
        put_in_force(model, &used, Told::All, effects);
    }
    let profiles = model.profiles_with(&used);
    if profiles != *model.profile_state() {
        model.publish(ProfileChange::Reloaded(profiles), effects);
    }
    model.review_warnings(effects);
}

pub(crate) fn show(model: &Model, call: &ProfileShow) -> Result<ProfileDetail, Error> {
    let name = call.name.as_deref().unwrap_or(&model.profile_state().used);
    usable(model, name)?;
    model.profiles.detail(name, &model.levels).ok_or_else(|| unknown(model, name))
}

/// The second half of `profile.reload`: the folders have been scanned.
pub(crate) fn reloaded(model: &mut Model, library: Library, effects: &mut Effects) -> Reloaded {
    let News { reloaded, removed, .. } = scanned(model, library, Stillness::AtRest, effects);
    let Profiles { used, profiles, .. } = model.profile_state().clone();
    // Also what could not be read the last time: whoever asks wants to know.
    let failed = model.profiles.at_fault().map(|(name, _)| name.to_owned()).collect();
    Reloaded { used, profiles, reloaded, failed, removed }
}

/// The folders have been scanned: takes over what has changed, and nothing else.
pub(crate) fn scanned(
    model: &mut Model,
    library: Library,
    stillness: Stillness,
    effects: &mut Effects,
) -> News {
    let used_before = model.profile_state().used.clone();
    let place =
        |model: &Model, name: &str| model.profiles.good(name).map(|good| good.origin.clone());
    let place_before = place(model, &used_before);
    let content_before = model.profiles.profile(&used_before).cloned();
    let news = model.profiles.take(library, stillness);
    let used = model.to_use().name;
    note_losses(model, &news, &used_before, &used);

    let failed: Vec<Profile> =
        news.failed.iter().filter_map(|name| model.profiles.about(name)).cloned().collect();
    for profile in &failed {
        let message = profile.fault.as_ref().map_or("", |fault| fault.message.as_str());
        effects.said.push((Level::Warn, message.to_owned()));
    }
    if failed.len() <= MOST_FAILURES {
        for profile in failed {
            model.publish(ProfileChange::Failed(profile), effects);
        }
    }
    let profiles = model.profiles_with(&used);
    // Also where only a setting is another, which the list does not show.
    let any = !news.reloaded.is_empty() || !news.removed.is_empty();
    if any || profiles != *model.profile_state() {
        model.publish(ProfileChange::Reloaded(profiles), effects);
    }
    if used != used_before || place(model, &used) != place_before {
        effects.said.push((Level::Info, format!("profile {used} is in force")));
        if let Some(about) = model.profiles.about(&used).cloned() {
            model.publish(ProfileChange::Used(about), effects);
        }
    }
    if used != used_before || model.profiles.profile(&used) != content_before.as_ref() {
        put_in_force(model, &used, Told::Changes, effects);
    }
    model.review_warnings(effects);
    news
}

/// Remembers for the warnings that the file of the profile in force has gone.
fn note_losses(model: &mut Model, news: &News, used_before: &str, used: &str) {
    if let Some(lost) = news.lost.iter().find(|lost| lost.name == used_before) {
        model.lost = Some(lost.clone());
    }
    let is_back = model.lost.as_ref().is_some_and(|lost| {
        let path = model.profiles.about(used).and_then(|about| about.path.clone());
        path == Some(lost.file.display().to_string())
    });
    if is_back {
        model.lost = None;
    }
}

/// Which settings clients are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    All,
    Changes,
}

/// The settings and rules of a profile, and the graph is told, as far as they are others.
fn put_in_force(model: &mut Model, name: &str, told: Told, effects: &mut Effects) {
    let bypass = model.settings().bypass;
    let before = model.levels.chain_params(bypass);
    model.use_levels_of(name);
    match told {
        Told::All => model.publish(SettingChange::Replaced(model.settings_now()), effects),
        Told::Changes => {
            setting::tell_changes(model, effects);
        }
    }
    model.rules_have_changed(effects);
    if model.levels.chain_params(bypass) != before {
        setting::tell_graph(model, effects);
    }
}

/// A profile that can be put in force.
pub(super) fn usable<'m>(model: &'m Model, name: &str) -> Result<&'m Profile, Error> {
    let profile = model.profiles.about(name).ok_or_else(|| unknown(model, name))?;
    match &profile.fault {
        Some(fault) if model.profiles.profile(name).is_none() => {
            let text = format!("the profile {name:?} could never be read: {}", fault.message);
            Err(Error::new(Code::Conflict, text).with_field("name").with_value(name))
        }
        _ => Ok(profile),
    }
}

fn unknown(model: &Model, name: &str) -> Error {
    Error::not_found("name", "profile", name, &model.profiles.names())
}
