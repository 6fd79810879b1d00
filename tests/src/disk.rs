//! A disk that can be made to hang, or to be slow: for one program, whose syncs, renames and removals in
//! one folder then wait.
//!
//! A few lines of C (`disk/hold.c`) are loaded in front of the C library of that program. What it
//! asks of other folders, and what other programs ask, is done as ever.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::condition::{Deadline, poll};
use crate::graph::Graph;

const HOLD: &str = include_str!("disk/hold.c");

/// One step of writing a file whole or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteStep<'n> {
    /// Any of any file.
    Any,
    /// The sync of the folder, behind the rename that has given a file this name, or the removal that
    /// has taken it.
    Folder(&'n str),
}

/// The disk below one folder, as one program sees it.
#[derive(Debug)]
pub struct Disk {
    watcher: Vec<String>,
    hold: PathBuf,
    trace: PathBuf,
}

impl Disk {
    /// The disk below `folder` of the graph's directory, for a program that is started
    /// [under](Disk::watcher) it.
    ///
    /// # Panics
    ///
    /// Without a C compiler, which building any of this takes too.
    pub fn below(graph: &Graph, folder: &str) -> Self {
        let at = |name: &str| graph.directory().join("tmp").join(name);
        let (source, library) = (at("hold.c"), at("hold.so"));
        let (hold, trace) = (at("hold"), at("hold.trace"));
        std::fs::write(&source, HOLD).expect("the source of the disk is written");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .output()
            .expect("a C compiler runs");
        let complaint = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "compiling hold.c: {complaint}");
        let set = |name: &str, path: &Path| format!("{name}={}", path.display());
        let watcher = vec![
            "env".to_owned(),
            set("LD_PRELOAD", &library),
            // The directory's own path may lead over links.
            format!("HOLD_BELOW=/{folder}"),
            set("HOLD_IF", &hold),
            set("HOLD_TRACE", &trace),
        ];
        Self { watcher, hold, trace }
    }

    /// What to start the program by ([`Graph::headroomd_under`]).
    pub fn watcher(&self) -> Vec<&str> {
        self.watcher.iter().map(String::as_str).collect()
    }

    /// From now on such a step waits.
    pub fn hang(&self, at: WriteStep<'_>) {
        let steps = match at {
            WriteStep::Any => String::new(),
            WriteStep::Folder(name) => format!("folder {name}"),
        };
        self.order(&steps);
    }

    /// From now on each step takes so much longer. There are three to a file that is written.
    pub fn be_slow(&self, by: Duration) {
        self.order(&by.as_millis().to_string());
    }

    fn order(&self, text: &str) {
        // Whole at once: half a name would hold others.
        let new = self.hold.with_extension("new");
        std::fs::write(&new, text)
            .and_then(|()| std::fs::rename(&new, &self.hold))
            .expect("the disk is told so");
    }

    /// What waits is done, and nothing waits from now on.
    pub fn go_on(&self) {
        std::fs::remove_file(&self.hold).expect("the disk hangs, or is slow");
    }

    /// What has been done and what waits, in its order: `done file NAME`, `waits folder NAME`.
    pub fn trace(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.trace).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until a step waits that did not after so many lines of the [trace](Disk::trace).
    ///
    /// # Panics
    ///
    /// When none does by a generous deadline.
    pub fn wait_until_it_hangs(&self, since: usize) {
        let waits = || {
            let trace = self.trace();
            trace.get(since..)?.iter().any(|line| line.starts_with("waits ")).then_some(())
        };
        let hangs = poll(Deadline::generous(), waits);
        assert!(hangs.is_some(), "nothing was written: {:?}", self.trace());
    }
}
