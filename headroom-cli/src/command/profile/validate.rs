//! `headroom profile validate FILE...`: whether files can be used, and what is wrong with them.

use std::path::Path;

use headroom_profile::{Profile, name_in};

use crate::args::ValidateArgs;
use crate::failure::Failure;
use crate::on_disk::read_text;
use crate::print::{self, ProfileVerdict};

pub(crate) fn run(args: &ValidateArgs) -> Result<(), Failure> {
    let mut verdicts = Vec::new();
    for file in &args.files {
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
