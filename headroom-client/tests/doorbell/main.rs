//! The doorbell between real processes and in one.

#![allow(clippy::unwrap_used, reason = "what goes wrong fails its test")]
#![allow(clippy::print_stderr, reason = "what is skipped is said, and what is measured")]

mod again;
mod coalesce;
mod collect;
mod cost;
mod fan_out;
mod place;
mod program;
mod shortage;

use std::path::{Path, PathBuf};
use std::time::Duration;

/// What takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A runtime directory, and where the bells are in it.
struct Session(tempfile::TempDir);

impl Session {
    fn new() -> Session {
        Session(tempfile::tempdir().unwrap())
    }

    fn runtime(&self) -> &Path {
        self.0.path()
    }

    fn bells(&self) -> PathBuf {
        let bells = self.runtime().join("headroom/bell");
        std::fs::create_dir_all(&bells).unwrap();
        bells
    }
}

/// All that is in a directory, sorted, hidden files too.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A bell's name that nobody has.
fn free_name(nonce: u64) -> String {
    format!("{}-1-{nonce:016x}.sock", rustix::process::geteuid().as_raw())
}
