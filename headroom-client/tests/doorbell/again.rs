//! This very program again, with one test alone, where that needs a process of its own: another
//! user, another umask, no descriptors left.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Set in the process that is to do the work.
const INSIDE: &str = "HEADROOM_TEST_INSIDE";

/// Nobody's number.
pub(crate) const NOBODY: u32 = 65_534;

/// The directory that the test outside has made, if this is the process inside.
pub(crate) fn inside() -> Option<std::path::PathBuf> {
    std::env::var_os(INSIDE).map(Into::into)
}

/// Runs a test of this program in a process of its own. It gets a directory by [`inside`].
pub(crate) fn run(test: &str, directory: &Path, user: Option<u32>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(INSIDE, directory);
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    match command.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            let wrong = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}\n{wrong}");
            assert!(said.contains("1 passed"), "there is no test {test}: {said}");
        }
        // Where this program lies in a directory that is closed to others, it cannot be run.
        Err(error) if user.is_some() => eprintln!("SKIPPED: running as another user: {error}"),
        Err(error) => panic!("{error}"),
    }
}
