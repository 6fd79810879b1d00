//! `headroom`: the command line of Headroom.
//!
//! What was typed becomes [`args::Args`], each verb has its file under `command`, and what
//! goes wrong comes back here as a [`failure::Failure`]: one line on stderr, at most one hint, and an
//! exit code.

#![forbid(unsafe_code)]

mod args;
mod ask;
mod audio;
mod bridge;
mod command;
mod daemon;
mod doctor;
mod editor;
mod failure;
mod interrupt;
mod offline;
mod on_disk;
mod plot;
mod print;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let outcome = match args.command {
        args::Command::Status(args) => command::status::run(&args),
        args::Command::Why(args) => command::why::run(&args),
        args::Command::Watch(args) => command::watch::run(&args),
        args::Command::Bypass(args) => command::bypass::run(&args),
        args::Command::Route(args) => command::route::run(&args),
        args::Command::Set(args) => command::set::run(&args),
        args::Command::Adjust(args) => command::adjust::run(&args),
        args::Command::Get(args) => command::get::run(&args),
        args::Command::Settings(args) => command::settings::run(&args),
        args::Command::Unset(args) => command::unset::run(&args),
        args::Command::Profile(args) => command::profile::run(&args),
        args::Command::Bridge(args) => command::bridge::run(&args),
        args::Command::Device(args) => command::device::run(&args),
        args::Command::Sink(args) => command::sink::run(&args),
        args::Command::Promote(args) => command::promote::run(&args),
        args::Command::Call(args) => command::call::run(&args),
        args::Command::Doctor(args) => command::doctor::run(&args),
        args::Command::Daemon(args) => command::daemon::run(&args),
        args::Command::Render(args) => command::render::run(&args),
        args::Command::Analyze(args) => command::analyze::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::failure(&failure);
            failure.exit_code()
        }
    }
}
