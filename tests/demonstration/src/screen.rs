//! What the person in front of it sees: steps and progress on stderr, results on stdout.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is where ./try speaks")]

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::interrupt::{Interrupt, Interrupted};

/// How often a question looks up whether a signal has come instead of an answer.
const LOOK_UP: Duration = Duration::from_millis(50);

/// A step that begins.
pub(crate) fn say(line: &str) {
    eprintln!("==> {line}");
}

/// Something to know about the step.
pub(crate) fn note(line: &str) {
    eprintln!("    {line}");
}

/// A result.
pub(crate) fn show(text: &str) {
    print!("{text}");
    // Whoever stopped reading has seen enough.
    let _ = std::io::stdout().flush();
}

/// What went wrong, in a sentence, and what may explain it.
pub(crate) fn complain(sentence: &str, details: &str) {
    eprintln!("\n!!! {sentence}");
    for line in details.lines() {
        eprintln!("    {line}");
    }
}

/// Asks, and takes only a yes for one.
///
/// # Errors
/// [`Interrupted`] when a signal comes instead of an answer.
pub(crate) fn agrees(question: &str, interrupt: &Interrupt) -> Result<bool, Interrupted> {
    eprint!("{question} [y/N] ");
    let (tell, told) = mpsc::sync_channel(1);
    // A thread of its own, since reading a line goes on after a signal as if there had been none.
    let asking = std::thread::Builder::new().name("hr-ask".into()).spawn(move || {
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        let _ = tell.send(read.map(|_| answer));
    });
    if asking.is_err() {
        return Ok(false);
    }
    loop {
        interrupt.check()?;
        match told.recv_timeout(LOOK_UP) {
            Ok(Ok(answer)) => {
                return Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => return Ok(false),
        }
    }
}

/// Whether there is somebody to ask.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// `1:05`.
pub(crate) fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

/// One line for each part, the present one with a bar where that can be seen.
#[derive(Debug)]
pub(crate) struct Progress {
    moves: bool,
    parts: usize,
    total_s: f64,
    done_s: f64,
    done: usize,
    shown: String,
}

impl Progress {
    /// Nothing is done of so many parts of this total length.
    pub(crate) fn new(parts: usize, total_s: f64) -> Progress {
        let moves = std::io::stderr().is_terminal();
        Progress { moves, parts, total_s, done_s: 0.0, done: 0, shown: String::new() }
    }

    /// A part has played for so long.
    pub(crate) fn at(&mut self, title: &str, seconds: f64, length_s: f64) {
        if !self.moves {
            return;
        }
        let line = format!(
            "{}  {}  {} of {}",
            self.head(title),
            bar(seconds / length_s),
            clock(self.done_s + seconds.min(length_s)),
            clock(self.total_s)
        );
        if line != self.shown {
            eprint!("\r{line}\x1b[K");
            self.shown = line;
        }
    }

    /// A part has been played.
    pub(crate) fn finish(&mut self, title: &str, length_s: f64) {
        let start = if self.moves { "\r" } else { "" };
        let end = if self.moves { "\x1b[K" } else { "" };
        eprintln!("{start}{}  {length_s:.0} s{end}", self.head(title));
        self.shown.clear();
        self.done += 1;
        self.done_s += length_s;
    }

    fn head(&self, title: &str) -> String {
        format!("    {}/{} {title:<28}", self.done + 1, self.parts)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if !self.shown.is_empty() {
            eprintln!();
        }
    }
}

fn bar(share: f64) -> String {
    const CELLS: usize = 20;
    let full = (share.clamp(0.0, 1.0) * CELLS as f64).round() as usize;
    format!("[{}{}]", "#".repeat(full), ".".repeat(CELLS - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_at_any_share() {
        assert_eq!(bar(0.0), format!("[{}]", ".".repeat(20)));
        assert_eq!(bar(0.5), "[##########..........]");
        assert_eq!(bar(7.0), format!("[{}]", "#".repeat(20)));
    }

    #[test]
    fn a_clock_carries_over() {
        assert_eq!(clock(59.6), "1:00");
        assert_eq!(clock(-1.0), "0:00");
    }
}
