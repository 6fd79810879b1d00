//! What the control plane costs, each figure beside its reference, measured in turn in one run.
//!
//! `cargo bench -p headroom-daemon --bench control`; with `-- --check` it fails when a figure is
//! over its bar by more than the slack for a noisy machine. The daemon is the real program,
//! without PipeWire; the raw echo server, the bare threads and the server that ticks are this
//! program again, as processes of their own. Round trips are measured on one core. Words behind `--` choose rows: `ping`, `connect`,
//! `burst`, `broadcast`, `memory`, `stuck`, `status`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints")]

mod broadcast;
mod client;
mod memory;
mod process;
mod program;
mod round_trip;
mod served;
mod stuck;
mod table;

use std::process::ExitCode;

use table::Table;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // The parts of this program that are processes of their own.
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["echo", path] => return process::echo(path),
        ["threads", count] => return process::bare_threads(count),
        ["tick", path] => return served::tick(path),
        _ => {}
    }
    let words: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    let wanted = |row: &str| words.is_empty() || words.contains(&row);
    let mut table = Table::default();
    if wanted("ping") {
        process::on_one_core(|| round_trip::ping(&mut table));
    }
    if wanted("connect") {
        process::on_one_core(|| round_trip::connect(&mut table));
    }
    if wanted("burst") {
        round_trip::burst(&mut table);
    }
    if wanted("broadcast") {
        broadcast::run(&mut table);
    }
    if wanted("memory") {
        memory::run(&mut table);
    }
    if wanted("status") {
        program::status(&mut table);
    }
    if wanted("stuck") {
        stuck::run(&mut table);
    }
    let check = arguments.iter().any(|argument| argument == "--check");
    if table.is_kept() || !check { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
