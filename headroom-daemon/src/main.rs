//! The program `headroomd`: reads its arguments and runs the daemon.

use std::process::ExitCode;

use clap::Parser;
use headroom_daemon::args::Args;
use headroom_daemon::{check, daemon};

fn main() -> ExitCode {
    let args = Args::parse();
    if args.check {
        return check::run();
    }
    match daemon::run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
