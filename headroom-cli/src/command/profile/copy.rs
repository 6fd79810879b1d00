//! `headroom profile copy FROM TO`: the same under another name.

use std::path::PathBuf;

use headroom_profile::renamed;

use crate::args::CopyArgs;
use crate::daemon;
use crate::failure::Failure;
use crate::on_disk::{self, OnDisk, text_of, validated};
use crate::print;

pub(crate) fn run(args: &CopyArgs, extra: &[PathBuf]) -> Result<(), Failure> {
    let on_disk = OnDisk::read(extra);
    let path = on_disk.new_file(&args.to)?;
    let text = text_as(&on_disk, &args.from, &args.to)?;
    on_disk::write_own(&path, &text)?;
    daemon::tell_of_files();
    print::result(&format!("made {}\n", path.display()))
}

/// The text of a profile, called otherwise. One that is bad stays where it is.
pub(super) fn text_as(on_disk: &OnDisk, from: &str, to: &str) -> Result<String, Failure> {
    let entry = on_disk.entry(from)?;
    if let Some(fault) = entry.fault() {
        return Err(Failure::refused(fault));
    }
    let text = renamed(&text_of(from, &entry.counts().origin)?, to);
    validated(to, &format!("{to}.toml"), &text).map_err(Failure::refused)?;
    Ok(text)
}
