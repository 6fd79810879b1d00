//! Everything that is shown: results on stdout, everything else on stderr.

#![allow(clippy::print_stderr, reason = "this is where the command line speaks")]

mod device;
mod doctor;
mod event;
mod paint;
mod profile;
mod progress;
mod report;
mod ring;
mod route;
mod setting;
mod sink;
mod status;
mod table;
mod text;
mod verb;
mod verdict;
mod why;

use std::io::{self, Write};

pub(crate) use device::{devices, meant_device, now_in_force};
pub(crate) use doctor::doctor;
pub(crate) use event::event_line;
pub(crate) use paint::Paint;
pub(crate) use profile::{
    InForce, ListedProfile, profile_detail, profile_in_force, profile_list,
    profile_of_device_instead, reloaded,
};
pub(crate) use progress::Progress;
pub(crate) use report::{FileReport, RenderReport};
pub(crate) use ring::{RingEvent, ring_line};
pub(crate) use route::{goes, meant, routes};
pub(crate) use setting::{
    End, Reach, adjusted, key_and_value, setting_line, settings_table, taken_back,
};
pub(crate) use sink::{is_ours, promotion, sinks, wished_sink};
pub(crate) use status::status;
pub(crate) use table::{analysis_table, duration_text, summary};
pub(crate) use verb::{in_verbs, refusal};
pub(crate) use verdict::ProfileVerdict;
pub(crate) use why::why;

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

/// What happens beside the results.
pub(crate) fn note_line(note: &str) {
    eprintln!("headroom: {note}");
}

/// A result. Whoever reads only the first lines of it has all that he wants.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    part(text).map(|_| ())
}

/// Whether somebody still reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Reads,
    HasGone,
}

/// A part of a result that goes on.
pub(crate) fn part(text: &str) -> Result<Reader, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::Reads),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::HasGone),
        Err(error) => Err(Failure::refused(format!("writing to stdout: {error}"))),
    }
}

/// A result as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(no_json)?;
    result(&(text + "\n"))
}

/// A part of a result as JSON, in one line.
pub(crate) fn json_line(value: &impl serde::Serialize) -> Result<Reader, Failure> {
    let text = serde_json::to_string(value).map_err(no_json)?;
    part(&(text + "\n"))
}

fn no_json(error: serde_json::Error) -> Failure {
    Failure::refused(format!("making JSON: {error}"))
}
