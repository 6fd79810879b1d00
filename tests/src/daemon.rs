//! `headroomd` on a private graph: start, stop, kill, and what it logs and uses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::condition::Deadline;
use crate::process::{Ended, Process, Thread, Usage};
use crate::site::Site;

/// A running `headroomd`. It is killed when it is dropped.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    site: Arc<Site>,
}

impl Daemon {
    pub(crate) fn start(site: Arc<Site>, watcher: &[&str], arguments: &[&str]) -> Self {
        let headroomd = program("headroomd");
        let mut words = Vec::new();
        let mut start = headroomd.clone();
        if let Some((watcher, options)) = watcher.split_first() {
            start = site.program(watcher);
            words.extend(options.iter().map(ToString::to_string));
            words.push(headroomd.display().to_string());
        }
        words.extend(arguments.iter().map(ToString::to_string));
        let log = format!("headroomd-{}", site.next_number());
        let process = site.start(&log, &start, &words);
        Self { process, site }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Everything that it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until a line of its log contains `text`, and returns that line.
    ///
    /// # Panics
    ///
    /// When none does by a generous deadline, or when it has ended without one.
    pub fn wait_for_log(&mut self, text: &str) -> String {
        let what = format!("headroomd to log {text:?}");
        let (site, process) = (self.site.clone(), &mut self.process);
        site.wait_until(&what, || {
            let ended = process.ended();
            let log = process.log();
            let line = log.lines().skip(1).find(|line| line.contains(text)).map(str::to_owned);
            if let (None, Some(ended)) = (&line, ended) {
                panic!("headroomd ended with {ended:?} before it logged {text:?}:\n{log}");
            }
            line
        })
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<Ended> {
        self.process.ended()
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> Ended {
        let (site, process) = (self.site.clone(), &mut self.process);
        site.wait_until("headroomd to end", || process.ended())
    }

    /// Ends it with SIGTERM.
    ///
    /// # Panics
    ///
    /// When it has not ended by a generous deadline.
    pub fn stop(mut self) -> Ended {
        let ended = self.process.stop(Deadline::generous());
        ended.unwrap_or_else(|| panic!("headroomd ignored SIGTERM\n{}", self.site.report()))
    }

    /// Ends it with SIGKILL. Returns at once when it has ended.
    pub fn kill(mut self) {
        self.process.kill();
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: i32) {
        self.process.signal(signal);
    }

    /// Its threads, and what each has used so far.
    pub fn threads(&self) -> Vec<Thread> {
        self.process
            .threads()
            .unwrap_or_else(|error| panic!("headroomd: {error}\n{}", self.site.report()))
    }

    /// What it has used so far.
    pub fn usage(&self) -> Usage {
        self.process
            .usage()
            .unwrap_or_else(|error| panic!("headroomd: {error}\n{}", self.site.report()))
    }
}

/// A program of this workspace: from `HEADROOM_BIN_DIR`, else from where this test was built.
///
/// # Panics
///
/// When it has not been built.
pub fn program(name: &str) -> PathBuf {
    let directory = match std::env::var_os("HEADROOM_BIN_DIR") {
        Some(directory) => PathBuf::from(directory),
        // target/PROFILE/deps/TEST -> target/PROFILE
        None => {
            let test = std::env::current_exe().expect("the path of this program");
            let directory = test.parent().unwrap_or(Path::new("/"));
            let deps = directory.file_name().is_some_and(|name| name == "deps");
            if deps { directory.join("..") } else { directory.to_owned() }
        }
    };
    let program = directory.join(name);
    assert!(
        program.is_file(),
        "{} has not been built: cargo build -p headroom-daemon -p headroom-cli, or run ./test, or \
         set HEADROOM_BIN_DIR",
        program.display()
    );
    program
}
