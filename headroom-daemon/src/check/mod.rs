//! `headroomd --check`: what is there, as JSON on standard output, for `headroom doctor`.
//!
//! It looks where only this program can: at the graph, which the command line does not link, and
//! into the journal. It changes nothing and judges nothing, and may run beside the daemon.

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;

use crate::graph::{self, GraphLook};
use crate::journal;
use crate::store::{StateDirectory, StateFile};

/// All that is printed.
#[derive(Debug, Serialize)]
struct Check {
    /// Ours.
    version: &'static str,
    graph: GraphLook,
    journal: JournalLook,
}

/// What a run before this one has left to be put back.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct JournalLook {
    /// The file; nothing where the environment names no place.
    path: Option<String>,
    /// Whether the default sink is to be put back.
    default_sink: bool,
    /// How many streams are.
    streams: usize,
    /// How many volumes are.
    volumes: usize,
    /// How many of the streams are of apps that do not play now: of these nobody can be told.
    silent_streams: usize,
    /// The sinks that the others are to go back to: each must be there for that.
    stream_sinks: Vec<String>,
    /// The sinks that the volumes are of.
    volume_sinks: Vec<String>,
    /// Why it cannot be read.
    error: Option<String>,
}

/// Looks, and prints what was seen.
#[must_use]
pub fn run() -> ExitCode {
    let graph = graph::look();
    let journal = read_journal(&graph);
    let check = Check { version: env!("CARGO_PKG_VERSION"), graph, journal };
    let printed = serde_json::to_string_pretty(&check)
        .map_err(std::io::Error::other)
        .and_then(|text| writeln!(std::io::stdout(), "{text}"));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Reads the journal without holding its directory, as the daemon may.
fn read_journal(graph: &GraphLook) -> JournalLook {
    let Ok(directory) = StateDirectory::find() else { return JournalLook::default() };
    let path = StateFile::in_directory(directory).journal_path();
    let mut look = JournalLook { path: Some(path.display().to_string()), ..JournalLook::default() };
    let text = match read_file(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return look,
        Err(error) => {
            look.error = Some(error.to_string());
            return look;
        }
    };
    match journal::read(&text) {
        Ok(journal) => {
            look.default_sink = journal.former_default.is_some();
            look.streams = journal.streams.len();
            look.volumes = journal.volumes.len();
            let plays = |key: &str| graph.stream_keys.iter().any(|of_one| of_one == key);
            let (there, silent): (Vec<_>, Vec<_>) =
                journal.streams.into_iter().partition(|(key, _)| plays(key));
            look.silent_streams = silent.len();
            look.stream_sinks = there.into_iter().filter_map(|(_, former)| former.sink).collect();
            look.volume_sinks = journal.volumes.into_keys().collect();
        }
        Err(error) => look.error = Some(error.to_string()),
    }
    look
}

fn read_file(path: &std::path::Path) -> std::io::Result<String> {
    use std::io::Read;
    // A pipe would keep us waiting for somebody who writes.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    let most = journal::MAX_JOURNAL_BYTES as u64 + 1;
    std::fs::File::open(path)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}
