//! The program `headroomd`: reads its arguments and runs the daemon.

use std::process::ExitCode;

use clap::Parser;
use headroom_daemon::args::Args;
use headroom_daemon::daemon;

fn main() -> ExitCode {
    match daemon::run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
