//! `headroom profile export NAME [FILE]`: the text of a profile.

use std::path::{Path, PathBuf};

use crate::args::ExportArgs;
use crate::failure::Failure;
use crate::on_disk::{self, OnDisk, text_of};
use crate::print;

pub(crate) fn run(args: &ExportArgs, extra: &[PathBuf]) -> Result<(), Failure> {
    let on_disk = OnDisk::read(extra);
    let entry = on_disk.entry(&args.name)?;
    let text = text_of(entry.name(), &entry.counts().origin)?;
    if let Some(fault) = entry.fault() {
        print::warning_line(&fault.to_string());
    }
    let file = match args.file.as_deref() {
        None => return print::result(&text),
        Some(file) if file == Path::new("-") => return print::result(&text),
        Some(file) if file.is_dir() => file.join(format!("{}.toml", entry.name())),
        Some(file) => file.to_owned(),
    };
    if file.exists() && !args.force {
        return Err(Failure::refused(format!("{} is there already", file.display()))
            .with_hint("--force replaces it"));
    }
    on_disk::write(&file, &text)?;
    print::result(&format!("wrote {}\n", file.display()))
}
