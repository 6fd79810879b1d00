//! `headroom daemon`: becomes headroomd, the one beside this program or the first in PATH.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::DaemonArgs;
use crate::failure::Failure;

const DAEMON: &str = "headroomd";

pub(crate) fn run(args: &DaemonArgs) -> Result<(), Failure> {
    let program = program();
    // Only returns when it could not.
    let error = Command::new(&program).args(&args.args).exec();
    if error.kind() == io::ErrorKind::NotFound {
        return Err(Failure::refused(format!("there is no {DAEMON} beside headroom or in PATH"))
            .with_hint("install Headroom as a whole, or build it with: cargo build --release"));
    }
    Err(Failure::refused(format!("starting {}: {error}", program.to_string_lossy())))
}

/// What to call: the one beside this program, or a name to look for in PATH.
pub(crate) fn program() -> OsString {
    let beside = std::env::current_exe().ok().and_then(|program| beside(&program));
    beside.map_or_else(|| OsString::from(DAEMON), OsString::from)
}

/// The daemon in the folder that this program is in, with its own links followed.
fn beside(program: &Path) -> Option<PathBuf> {
    let candidate = program.parent()?.join(DAEMON);
    candidate.is_file().then_some(candidate)
}
