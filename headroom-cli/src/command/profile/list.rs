//! `headroom profile list`: every profile, where it comes from, and what is wrong with it.

use std::path::PathBuf;

use headroom_client::ipc::{self, Profiles};

use crate::args::ListArgs;
use crate::daemon;
use crate::failure::Failure;
use crate::on_disk::{self, OnDisk};
use crate::print::{self, InForce, ListedProfile, Paint};

pub(crate) fn run(args: &ListArgs, extra: &[PathBuf]) -> Result<(), Failure> {
    let (profiles, on_disk, in_force) = match daemon::connect_if_running() {
        Some(mut client) => {
            let profiles = client.profile_list()?;
            let on_disk = OnDisk::read_as(&profiles.folders, &[]);
            (profiles, on_disk, InForce::Now)
        }
        None => {
            let on_disk = OnDisk::read_as(&[], extra);
            (read_from(&on_disk), on_disk, InForce::AtTheStart)
        }
    };
    if args.json {
        return print::json(&profiles);
    }
    let listed: Vec<ListedProfile<'_>> =
        profiles.profiles.iter().map(|profile| listed(profile, &on_disk)).collect();
    let text = print::profile_list(&profiles.used, &listed, in_force, Paint::for_stdout());
    print::result(&text)
}

/// What the daemon would have to tell after a start.
fn read_from(on_disk: &OnDisk) -> Profiles {
    Profiles {
        used: on_disk.begins_with().to_owned(),
        profiles: on_disk.library().entries().map(on_disk::about).collect(),
        folders: on_disk.folders().iter().map(|folder| folder.display().to_string()).collect(),
        ..Profiles::default()
    }
}

/// A profile, with what only the files tell of it.
fn listed<'p>(profile: &'p ipc::Profile, on_disk: &OnDisk) -> ListedProfile<'p> {
    let entry = on_disk.library().get(&profile.name);
    // An older daemon does not tell of folders that nobody else knows.
    let known = entry.filter(|entry| on_disk::about(entry).path == profile.path);
    let is_yours = known.is_some_and(|entry| on_disk.is_users(&entry.counts().origin));
    let behind = known.and_then(|entry| entry.versions().iter().rev().nth(1));
    ListedProfile {
        profile,
        is_yours,
        shadows: behind.map(|version| on_disk::place(&version.origin)),
    }
}
