//! What changing profiles does to the sound, on the real programs and a real private PipeWire:
//! the clicks of switching, and the time from a saved file to the sound that it asks for.
//!
//! `cargo bench -p headroom-tests --bench profiles`; with `-- --check` it fails when a figure is
//! over its bar. Words behind `--` choose rows: `switching`, `reloading`, and for
//! `switching` a rate in Hz. Every generation of PipeWire that this machine has plays side by side.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints")]

mod circuit;
mod reloading;
mod stage;
mod switching;
mod verdict;

use std::process::ExitCode;

use headroom_tests::Generation;

use verdict::Verdict;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    let rows: Vec<&str> =
        words.iter().copied().filter(|word| word.parse::<u32>().is_err()).collect();
    let rates: Vec<u32> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let wanted = |row: &str| rows.is_empty() || rows.contains(&row);
    let verdict = Verdict::default();
    for generation in Generation::all() {
        println!("{generation}");
    }
    if wanted("switching") {
        for rate_hz in switching::RATES_HZ {
            if rates.is_empty() || rates.contains(&rate_hz) {
                switching::run(rate_hz, &verdict);
            }
        }
    }
    if wanted("reloading") {
        reloading::run(&verdict);
    }
    let check = arguments.iter().any(|argument| argument == "--check");
    if verdict.is_kept() || !check { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
