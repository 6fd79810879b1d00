//! A home of its own for `headroom`: its profiles, what is remembered, and no daemon.

#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Folder, Run};

pub(crate) struct Home(Folder);

/// Of the folder that holds it.
pub(crate) const USER: &str = "config/headroom/profiles";
pub(crate) const SYSTEM: &str = "data/headroom/profiles";

impl Home {
    pub(crate) fn new() -> Home {
        Home(Folder::new())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// The user's own profile of this name.
    pub(crate) fn own(&self, name: &str) -> PathBuf {
        self.path(&format!("{USER}/{name}.toml"))
    }

    /// Writes a file, with the folders that lead to it.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, text).expect("written");
        path
    }

    /// Writes a profile of the user's own.
    pub(crate) fn write_own(&self, name: &str, lines: &str) -> PathBuf {
        self.write(&format!("{USER}/{name}.toml"), &profile(name, lines))
    }

    /// An editor that is this script of the shell; `$1` is the file.
    pub(crate) fn editor(&self, script: &str) -> String {
        // Run by its name it could be said to be busy: another thread's child may still have it
        // open for a moment.
        format!("sh -e {}", self.write("editor", script).display())
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.0.command(args);
        command
            .env("HOME", self.path("home"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_DIRS", self.path("data"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("HEADROOM_SOCKET", self.path("control.sock"))
            .env("XDG_RUNTIME_DIR", self.path(""))
            .env("TERM", "xterm")
            .env_remove("VISUAL")
            .env_remove("EDITOR");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command(args))
    }

    /// Runs it, and it must succeed and say nothing else; gives what it printed.
    pub(crate) fn succeed(&self, args: &[&str]) -> String {
        let run = self.run(args);
        assert_eq!((run.code, &run.stderr[..]), (Some(0), ""), "{run}");
        run.stdout
    }

    /// All that is in a folder, sorted, hidden files too.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> =
            entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// The text of a profile: a head and these lines.
pub(crate) fn profile(name: &str, lines: &str) -> String {
    format!("# mine\nname = {name:?}\ndescription = \"d\"\n{lines}\n")
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
