//! `headroom profile import FILE`: takes a file into the user's folder of profiles.

use std::fs;
use std::path::{Path, PathBuf};

use headroom_profile::{check_name, name_in, renamed};

use crate::args::ImportArgs;
use crate::daemon;
use crate::failure::Failure;
use crate::on_disk::{self, OnDisk, read_text, unread, validated};
use crate::print;

pub(crate) fn run(args: &ImportArgs, extra: &[PathBuf]) -> Result<(), Failure> {
    let (text, shown) = read_text(&args.file)?;
    let (name, text) = match &args.name {
        Some(name) => (name.clone(), renamed(&text, name)),
        None => (name_in(&text).unwrap_or_else(|| stem(&args.file)), text),
    };
    // What is wrong in the text is said first: without a name it may be just that.
    validated(&name, &shown, &text).map_err(Failure::refused)?;
    check_name(&name).map_err(|error| match args.name {
        Some(_) => Failure::usage(error),
        None => {
            Failure::refused(format!("{shown}: {error}")).with_hint("--name calls it otherwise")
        }
    })?;
    let on_disk = OnDisk::read(extra);
    let path = on_disk.user_file(&name)?;
    if let Some(file) = on_disk.counts_before_own(&name) {
        let file = file.display();
        return Err(Failure::refused(format!(
            "there is a profile {name} that counts before those in your folder: {file}"
        ))
        .with_hint(format!(
            "headroom profile edit {name} changes it, --name calls this one otherwise"
        )));
    }
    if let Some(place) = on_disk.taken(&name).filter(|_| !args.force) {
        return Err(Failure::refused(format!("there is a profile {name} already: {place}"))
            .with_hint("--force puts this one in its place, --name calls this one otherwise"));
    }
    if !args.force && fs::symlink_metadata(&path).is_ok() {
        return Err(unread(&path).with_hint("--force replaces it, --name calls this one otherwise"));
    }
    on_disk::write_own(&path, &text)?;
    daemon::tell_of_files();
    print::result(&format!("imported {name}: {}\n", path.display()))
}

/// What it could be called, where it does not say.
fn stem(file: &Path) -> String {
    let stem = file.file_stem().filter(|stem| *stem != "-");
    stem.map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
