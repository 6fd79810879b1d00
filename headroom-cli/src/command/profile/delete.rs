//! `headroom profile delete NAME`: removes a profile of the user's own.

use std::fs;
use std::path::PathBuf;

use headroom_profile::{Entry, Origin};

use crate::args::DeleteArgs;
use crate::ask::{self, Otherwise};
use crate::daemon;
use crate::failure::Failure;
use crate::on_disk::{DEFAULT, OnDisk, place};
use crate::print;

pub(crate) fn run(args: &DeleteArgs, extra: &[PathBuf]) -> Result<(), Failure> {
    let on_disk = OnDisk::read(extra);
    let name = &args.name;
    let entry = on_disk.entry(name)?;
    let Some(own) = entry.versions().iter().find(|version| on_disk.is_users(&version.origin))
    else {
        let counts = place(&entry.counts().origin);
        return Err(Failure::refused(format!("{name} is not yours to delete: {counts}")));
    };
    let Origin::File(path) = &own.origin else { return Ok(()) };
    let used = match daemon::connect_if_running() {
        Some(mut client) => client.profile_list()?.used,
        None => on_disk.begins_with().to_owned(),
    };
    if !args.yes {
        if !ask::is_possible() {
            return Err(Failure::refused(format!("{} was not deleted", path.display()))
                .with_hint("nobody is there to be asked: --yes deletes it"));
        }
        let question = format!("Delete {}?", path.display());
        if !ask::yes(&question, Otherwise::No).map_err(asking)? {
            return Err(Failure::refused(format!("{} was not deleted", path.display())));
        }
    }
    fs::remove_file(path)
        .map_err(|error| Failure::refused(format!("deleting {}: {error}", path.display())))?;
    daemon::tell_of_files();
    let next = whats_next(&on_disk, entry, used == *name);
    print::result(&format!("deleted {}\n{next}", path.display()))
}

/// What takes its place.
fn whats_next(on_disk: &OnDisk, entry: &Entry, is_used: bool) -> String {
    let name = entry.name();
    let mut others = entry.versions().iter().rev();
    let next = others.find(|version| !on_disk.is_users(&version.origin));
    match next.map(|version| &version.origin) {
        Some(Origin::Embedded) => format!("the {name} that is part of Headroom takes its place\n"),
        Some(Origin::File(path)) => format!("{} takes its place\n", path.display()),
        None if is_used => format!("it was in force: {DEFAULT} takes its place\n"),
        None => format!("there is no profile {name} any more\n"),
    }
}

pub(super) fn asking(error: std::io::Error) -> Failure {
    Failure::refused(format!("asking: {error}"))
}
