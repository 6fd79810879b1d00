//! What profiles and overrides give a person reason to know about.
//!
//! Worked out anew from the state whenever it may have changed, so that a warning lasts exactly
//! as long as its reason.

use headroom_ipc::about::{
    DEVICES, PER_APP, PROFILE_PREFIX, PROFILES, SETTING_PREFIX, STREAMS, WATCH,
};
use headroom_ipc::{Daemon, Profiles};

use super::Model;

/// Warnings of each kind, so that one kind cannot drown the others.
const MOST_OF_A_KIND: usize = 4;

/// A warning: what about, and what.
type Said = (String, String);

/// Puts the warnings of this file into the daemon's as they are now. Those that are there already
/// keep their place.
pub(super) fn review(model: &Model, daemon: &mut Daemon) {
    let said = all(model);
    daemon.warnings.retain(|warning| {
        let is_so =
            |(about, message): &Said| *about == warning.about && *message == warning.message;
        !is_ours(&warning.about) || said.iter().any(is_so)
    });
    for (about, message) in &said {
        if !daemon.warnings.iter().any(|warning| warning.about == *about) {
            model.warn(daemon, about, message);
        }
    }
}

fn is_ours(about: &str) -> bool {
    about.starts_with(PROFILE_PREFIX)
        || about.starts_with(SETTING_PREFIX)
        || [PROFILES, WATCH, PER_APP, STREAMS, DEVICES].contains(&about)
}

fn all(model: &Model) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    of_choice(model, &mut said);
    of_devices(model, &mut said);
    of_faults(model, &mut said);
    of_profile_in_force(model, &mut said);
    of_folders(model, &mut said);
    of_overrides(model, &mut said);
    of_streams(model, &mut said);
    said
}

/// Something else is in force than what was chosen.
fn of_choice(model: &Model, said: &mut Vec<Said>) {
    let (chosen, verdict) = (model.chosen(), model.to_use());
    let used = verdict.name;
    // What a device has in force is in force because somebody has asked for it.
    let is_missed = model.profiles.profile(chosen).is_none();
    if is_missed {
        let why = match model.profiles.about(chosen).and_then(|about| about.fault.as_ref()) {
            Some(fault) => fault.message.clone(),
            None => format!("there is no profile {chosen:?}"),
        };
        let text = format!(
            "{why}: {used} is in force in its place, until it can be used or another is put in force"
        );
        said.push((format!("profile.{chosen}"), text));
    } else if let Some(lost) = &model.lost
        && lost.name == used
    {
        let file = lost.file.display();
        let now = match model.profiles.about(&used).and_then(|about| about.path.as_deref()) {
            Some(path) => format!("that in {path}"),
            None => "the one that is part of the program".to_owned(),
        };
        said.push((format!("profile.{used}"), format!("{file} has gone: {now} is in force")));
    }
}

/// Devices that were given a profile that cannot be used.
fn of_devices(model: &Model, said: &mut Vec<Said>) {
    let Profiles { devices, default_profile, .. } = model.profile_state();
    let names = devices.iter().map(|device| &device.profile).chain(default_profile);
    if let Some(name) = names.into_iter().find(|name| model.profiles.profile(name).is_none()) {
        let text = format!(
            "there is no profile {name:?} that can be used, which a device has been given: it is \
             passed over (device.list shows which)"
        );
        said.push((DEVICES.to_owned(), text));
    }
}

/// Files that cannot be used as they are now, the one in force first.
fn of_faults(model: &Model, said: &mut Vec<Said>) {
    let used = model.to_use().name;
    let mut faults: Vec<_> = model
        .profiles
        .at_fault()
        .filter(|(name, _)| said.iter().all(|(about, _)| *about != format!("profile.{name}")))
        .collect();
    faults.sort_by_key(|(name, _)| *name != used);
    for (name, fault) in faults.iter().take(MOST_OF_A_KIND) {
        let kept = match model.profiles.profile(name) {
            Some(_) => ": the last good version is kept",
            None => ": it cannot be put in force",
        };
        said.push((format!("profile.{name}"), format!("{}{kept}", fault.message)));
    }
    if let Some(more) = faults.len().checked_sub(MOST_OF_A_KIND).filter(|more| *more > 0) {
        let text =
            format!("{more} more profiles cannot be used as they are: profile.list says why");
        said.push((PROFILES.to_owned(), text));
    }
}

/// What of the profile in force is not as its file has it.
fn of_profile_in_force(model: &Model, said: &mut Vec<Said>) {
    let used = model.to_use().name;
    let Some(good) = model.profiles.good(&used) else { return };
    let about = format!("profile.{used}");
    if let Some((first, others)) = good.warnings.split_first()
        && said.iter().all(|(known, _)| *known != about)
    {
        let text = match others.len() {
            0 => first.to_string(),
            more => format!("{first} (and {more} more: profile.show has them)"),
        };
        said.push((about, text));
    }
    if good.profile.per_app.as_ref().is_some_and(|per_app| per_app.enabled) {
        let text = "the profile in force levels apps one by one (per_app), which this headroomd \
                    does not do yet: they are levelled together";
        said.push((PER_APP.to_owned(), text.to_owned()));
    }
}

fn of_folders(model: &Model, said: &mut Vec<Said>) {
    if let Some((first, others)) = model.profiles.folder_warnings().split_first()
        && said.iter().all(|(about, _)| about != PROFILES)
    {
        let text = match others.len() {
            0 => first.to_string(),
            more => format!("{first} (and {more} more)"),
        };
        said.push((PROFILES.to_owned(), text));
    }
    if let Some(why) = &model.blind {
        said.push((WATCH.to_owned(), why.clone()));
    }
}

/// Streams that nobody links to where they are sent.
fn of_streams(model: &Model, said: &mut Vec<Said>) {
    let streams = model.routing().streams.iter();
    let astray: Vec<_> = streams.filter(|stream| model.router.is_astray(stream.id)).collect();
    let Some(stream) = astray.first() else { return };
    let others = match astray.len() - 1 {
        0 => String::new(),
        others => format!(" (and {others} more)"),
    };
    let text = format!(
        "{}{others} is sent to {:?}, and WirePlumber links it to nothing: it is sent there anew when \
         you ask for it with \"route.stream\" or \"route.set\"",
        stream.app,
        stream.route.as_str()
    );
    said.push((STREAMS.to_owned(), text));
}

/// Overrides that are not in force.
fn of_overrides(model: &Model, said: &mut Vec<Said>) {
    for (key, conflict) in model.levels.set_aside().iter().take(MOST_OF_A_KIND) {
        let Some(value) = model.levels.override_of(key) else { continue };
        let text = format!("your {key} = {value} is set aside with this profile: {conflict}");
        said.push((format!("setting.{key}"), text));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use headroom_ipc::about::{CROWD_OF_SINKS, CROWD_OF_STREAMS};
    use headroom_ipc::{Op, ProfileUse};

    use super::*;
    use crate::daemon::hello;
    use crate::graph::{Crowd, GraphEvent, Seen, StreamSeen};
    use crate::server::ServerSettings;
    use crate::state::{DaemonState, Start};
    use crate::step::Input;

    fn state() -> DaemonState {
        DaemonState::new(Start {
            hello: hello(&ServerSettings::default()),
            folders: Default::default(),
            library: headroom_profile::Library::scan(&Default::default()),
            remembered: Default::default(),
            promote: false,
            warnings: Vec::new(),
            at: Instant::now(),
        })
    }

    /// What is warned of once this is seen.
    fn warned(state: &mut DaemonState, is_astray: bool, is_crowded: bool) -> Vec<String> {
        let stream = StreamSeen { serial: 90, channels: Some(2), is_astray, ..Default::default() };
        let crowd = Crowd { streams: is_crowded, sinks: is_crowded };
        let seen = Seen { streams: vec![stream], crowd, ..Seen::default() };
        let _ = state.step(Input::Graph(&GraphEvent::Census(Box::new(seen))), Instant::now());
        abouts(state)
    }

    fn abouts(state: &DaemonState) -> Vec<String> {
        let mut abouts: Vec<_> = state.warnings().iter().map(|it| it.about.clone()).collect();
        abouts.sort();
        abouts
    }

    #[test]
    fn a_stream_that_is_linked_to_nothing_is_warned_of_as_long_as_it_is() {
        let mut state = state();
        assert_eq!(warned(&mut state, true, false), [STREAMS]);
        assert_eq!(warned(&mut state, true, false), [STREAMS], "a second picture");
        assert_eq!(warned(&mut state, false, false), [""; 0]);
    }

    #[test]
    fn a_crowd_is_warned_of_beside_a_stray_and_through_every_review() {
        let mut state = state();
        let crowd = [CROWD_OF_SINKS, CROWD_OF_STREAMS];
        assert_eq!(warned(&mut state, false, true), crowd);
        let (sender, _receiver) = crossbeam_channel::bounded(64);
        let seat = state.join(sender, Default::default());
        let op = Op::ProfileUse(ProfileUse { name: "transparent".into() });
        let _ = state.step(Input::Request { seat, id: None, op: &op }, Instant::now());
        assert_eq!(abouts(&state), crowd, "after a review");
        assert_eq!(warned(&mut state, true, true), [CROWD_OF_SINKS, CROWD_OF_STREAMS, STREAMS]);
        assert_eq!(warned(&mut state, true, false), [STREAMS]);
        assert_eq!(warned(&mut state, false, false), [""; 0]);
    }
}
