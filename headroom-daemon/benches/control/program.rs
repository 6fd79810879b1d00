//! `headroom status` as a whole process.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::process::Process;
use crate::table::{Table, quantile};

const ROW: &str = "headroom status as a whole process, p50";

pub(crate) fn status(table: &mut Table) {
    let Some(headroom) = headroom() else {
        table.missing(ROW, "build it first: cargo build --release -p headroom-cli");
        return;
    };
    let daemon = Process::daemon(&[]);
    let mut took = Vec::new();
    for _ in 0..60 {
        let begun = Instant::now();
        let status = Command::new(&headroom)
            .arg("status")
            .env("HEADROOM_SOCKET", &daemon.socket)
            .env("XDG_RUNTIME_DIR", daemon.folder())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        if !status.is_ok_and(|status| status.success()) {
            table.missing(ROW, "it failed");
            return;
        }
    }
    table.figure(ROW, quantile(&mut took, 0.5), "ms", 10.0);
}

/// The program beside headroomd.
fn headroom() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_BIN_EXE_headroomd")).with_file_name("headroom");
    beside.is_file().then_some(beside)
}
