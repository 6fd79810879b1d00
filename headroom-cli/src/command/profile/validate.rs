//! `headroom profile validate FILE|NAME...`: whether files can be used, and what is wrong with them.

use std::path::{Path, PathBuf};

use headroom_profile::{Origin, Profile, is_path, name_in};

use crate::args::ValidateArgs;
use crate::failure::Failure;
use crate::on_disk::{OnDisk, read_text};
use crate::print::{self, ProfileVerdict};

pub(crate) fn run(args: &ValidateArgs, extra: &[PathBuf]) -> Result<(), Failure> {
    let mut verdicts = Vec::new();
    for typed in &args.files {
        let file = &meant(typed, extra)?;
        let verdict = match read_text(file) {
            Ok((text, shown)) => judge(file, shown, &text),
            Err(failure) => {
                let message = failure.line().unwrap_or_default().to_owned();
                ProfileVerdict::unreadable(file.display().to_string(), message)
            }
        };
        if !args.json {
            tell(&verdict)?;
        }
        verdicts.push(verdict);
    }
    if args.json {
        print::json(&verdicts)?;
    }
    if verdicts.iter().all(|verdict| verdict.valid) { Ok(()) } else { Err(Failure::told()) }
}

/// The file that was typed, or that of the profile whose name was.
fn meant(typed: &Path, extra: &[PathBuf]) -> Result<PathBuf, Failure> {
    let name = typed.to_str().filter(|typed| !is_path(typed) && *typed != "-");
    let Some(name) = name.filter(|_| !typed.exists()) else { return Ok(typed.to_owned()) };
    let on_disk = OnDisk::read(extra);
    match &on_disk.entry(name)?.counts().origin {
        Origin::File(path) => Ok(path.clone()),
        Origin::Embedded => {
            Err(Failure::refused(format!("{name} is part of Headroom, and can be used"))
                .with_hint(format!("headroom profile edit {name} makes one of your own")))
        }
    }
}

fn judge(file: &Path, shown: String, text: &str) -> ProfileVerdict {
    // What comes in by a pipe has no file whose name it could have.
    let checked = if file.as_os_str() == "-" {
        Profile::parse_as(&name_in(text).unwrap_or_default(), &shown, text)
    } else {
        Profile::parse(&shown, text)
    };
    ProfileVerdict::of(shown, checked)
}

fn tell(verdict: &ProfileVerdict) -> Result<(), Failure> {
    let file = &verdict.file;
    for warning in &verdict.warnings {
        print::warning_line(&warning.shown(file));
    }
    match (&verdict.fault, verdict.warnings.len()) {
        (Some(fault), _) => {
            print::failure(&Failure::refused(&fault.message));
            Ok(())
        }
        (None, 0) => print::result(&format!("{file}: valid\n")),
        (None, 1) => print::result(&format!("{file}: valid, with a warning\n")),
        (None, many) => print::result(&format!("{file}: valid, with {many} warnings\n")),
    }
}
