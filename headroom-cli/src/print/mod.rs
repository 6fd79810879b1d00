//! Everything that is shown: results on stdout, everything else on stderr.

#![allow(clippy::print_stderr, reason = "this is where the command line speaks")]

mod progress;
mod report;
mod table;

use std::io::{self, Write};

pub(crate) use progress::Progress;
pub(crate) use report::{FileReport, RenderReport};
pub(crate) use table::{analysis_table, duration_text, summary};

use crate::failure::Failure;

/// What went wrong, and what to do about it.
pub(crate) fn failure(failure: &Failure) {
    if let Some(line) = failure.line() {
        eprintln!("headroom: {line}");
    }
    if let Some(hint) = failure.hint() {
        eprintln!("hint: {hint}");
    }
}

/// What was done otherwise than asked.
pub(crate) fn warning_line(warning: &str) {
    eprintln!("headroom: warning: {warning}");
}

/// A result. Whoever reads only the first lines of it has all that he wants.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::refused(format!("writing to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// A result as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::refused(format!("making JSON: {error}")))?;
    result(&(text + "\n"))
}
