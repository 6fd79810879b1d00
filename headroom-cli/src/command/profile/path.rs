//! `headroom profile path [NAME]`: where profiles are.

use std::path::{Path, PathBuf};

use headroom_profile::Origin;

use crate::args::PathArgs;
use crate::failure::Failure;
use crate::on_disk::OnDisk;
use crate::print;

pub(crate) fn run(args: &PathArgs, extra: &[PathBuf]) -> Result<(), Failure> {
    let on_disk = OnDisk::read(extra);
    let line = |path: &Path| format!("{}\n", path.display());
    if args.all {
        return print::result(&on_disk.folders().iter().map(|path| line(path)).collect::<String>());
    }
    let Some(name) = &args.name else {
        return print::result(&line(on_disk.user_folder()?));
    };
    match &on_disk.entry(name)?.counts().origin {
        Origin::File(path) => print::result(&line(path)),
        Origin::Embedded => {
            Err(Failure::refused(format!("{name} is part of Headroom, not a file"))
                .with_hint(format!("headroom profile edit {name} makes one of your own")))
        }
    }
}
