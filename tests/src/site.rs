//! The ground that everything of one graph stands on: its directory, its environment, its tools.
//!
//! Shared by the graph and by every client, recorder and daemon on it, so that each of them can look
//! at the graph and can say, when a wait fails, what every program had to tell.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::condition::{Deadline, GENEROUS, poll};
use crate::dump::Dump;
use crate::environment::Environment;
use crate::generation::{Generation, find_program};
use crate::process::{Process, Urgency};

/// How many lines of each log a failed wait shows.
const LOG_TAIL_LINES: usize = 15;

#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) generation: &'static Generation,
    pub(crate) environment: Environment,
    directory: TempDir,
    started: AtomicU32,
}

/// Keeps the directory of a graph whose test fails, and says where.
const KEEP: &str = "HEADROOM_KEEP";

impl Drop for Site {
    #[allow(clippy::print_stdout, reason = "a test says where its logs are")]
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os(KEEP).is_some() {
            self.directory.disable_cleanup(true);
            println!("kept: {}", self.directory().display());
        }
    }
}

impl Site {
    pub(crate) fn new(generation: &'static Generation) -> Self {
        // A socket's path may have 107 bytes, and a nested TMPDIR can use most of them up.
        let directory = tempfile::Builder::new()
            .prefix("hr-")
            .tempdir()
            .unwrap_or_else(|error| panic!("a directory for the graph: {error}"));
        let environment = Environment::of(generation, directory.path());
        Self { generation, environment, directory, started: AtomicU32::new(0) }
    }

    /// The session of whoever runs this: only logs and sound files lie in a directory of ours.
    pub(crate) fn of_this_session(generation: &'static Generation) -> Self {
        let mut site = Self::new(generation);
        site.environment = Environment::inherited();
        // What a listener's own headroomd remembers is not ours to read or to change.
        let state = site.directory().join("state");
        site.environment.set("XDG_STATE_HOME", state);
        for below in ["log", "audio"] {
            std::fs::create_dir_all(site.directory().join(below))
                .unwrap_or_else(|error| panic!("a directory for {below}: {error}"));
        }
        site
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A number that no other program of this graph has.
    pub(crate) fn next_number(&self) -> u32 {
        self.started.fetch_add(1, Ordering::Relaxed)
    }

    /// Starts a program of the generation (or of the system). `name` is its log's name.
    pub(crate) fn start(&self, name: &str, program: &Path, arguments: &[String]) -> Process {
        self.start_at(Urgency::Usual, name, program, arguments)
    }

    /// Starts an instrument: a player or a recorder, which must not be what a gap comes from.
    pub(crate) fn start_instrument(
        &self,
        name: &str,
        program: &str,
        arguments: &[String],
    ) -> Process {
        self.start_at(Urgency::Instrument, name, &self.program(program), arguments)
    }

    fn start_at(
        &self,
        urgency: Urgency,
        name: &str,
        program: &Path,
        arguments: &[String],
    ) -> Process {
        let log = self.directory().join("log").join(name);
        Process::start(program, arguments, &self.environment, &log, urgency)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        find_program(self.generation, name)
    }

    /// Runs a tool to its end and returns what it printed; `Err` is what it complained about.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        // Where the server hangs, its tools would too.
        let output = Command::new("timeout")
            .args(["-s", "KILL", "15"])
            .arg(self.program(program))
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter())
            .output()
            .map_err(|error| format!("{program}: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            let complaint = String::from_utf8_lossy(&output.stderr);
            let words = arguments.join(" ");
            Err(format!("{program} {words}: {} {}", output.status, complaint.trim()))
        }
    }

    /// The state of the graph; `None` while PipeWire does not answer.
    pub(crate) fn dump(&self) -> Option<Dump> {
        Dump::parse(&self.run("pw-dump", &[]).ok()?)
    }

    /// Looks at the graph until `condition` gives a value.
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        mut condition: impl FnMut(&Dump) -> Option<T>,
    ) -> T {
        let mut last = None;
        let found = poll(Deadline::after(GENEROUS), || {
            let dump = self.dump();
            let found = dump.as_ref().and_then(&mut condition);
            last = dump.or(last.take());
            if found.is_none() {
                // A look costs a process and wakes the very thing that is looked at.
                std::thread::sleep(Duration::from_millis(20));
            }
            found
        });
        found.unwrap_or_else(|| {
            let graph = last.map_or_else(|| "PipeWire never answered".into(), |d| picture(&d));
            panic!("waited in vain for {what}\n{graph}\n{}", self.report())
        })
    }

    /// Waits for something that is not in the graph.
    pub(crate) fn wait_until<T>(&self, what: &str, condition: impl FnMut() -> Option<T>) -> T {
        poll(Deadline::after(GENEROUS), condition)
            .unwrap_or_else(|| panic!("waited in vain for {what}\n{}", self.report()))
    }

    /// The end of every program's log.
    pub(crate) fn report(&self) -> String {
        let mut report = format!("on {}", self.generation);
        let mut logs: Vec<PathBuf> = std::fs::read_dir(self.directory().join("log"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        logs.sort();
        for path in logs {
            let text =
                String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let _ = write!(report, "\n--- {name}");
            let lines: Vec<&str> = text.lines().collect();
            // The first line is the command line.
            let tail = lines.len().saturating_sub(LOG_TAIL_LINES).max(1);
            for line in lines.iter().take(1).chain(lines.iter().skip(tail)) {
                let _ = write!(report, "\n{line}");
            }
        }
        report
    }
}

/// The nodes of a graph and where each goes, for the eye.
pub(crate) fn picture(dump: &Dump) -> String {
    let mut picture = String::from("--- graph");
    for node in &dump.nodes {
        let _ = write!(
            picture,
            "\n{:4} {:9} {:20} {} -> {:?}",
            node.id,
            node.state,
            node.media_class,
            node.name,
            dump.targets_of(&node.name)
        );
        for link in dump.links.iter().filter(|link| link.from == node.id) {
            let _ = write!(picture, " {}", link.state);
        }
    }
    for entry in dump.metadata.get("default").into_iter().flatten() {
        let _ = write!(picture, "\n     {}: {} = {}", entry.subject, entry.key, entry.value);
    }
    picture
}
