//! `contrib/examples`: the clients in Python and in shell, as they stand, over the real bridges and
//! the real headroomd.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::harness::HEADROOM;
use crate::listener::Listener;
use crate::running::{PATIENCE, Running};

/// An example that runs, with all that it has started.
struct Example(Running);

impl Example {
    fn begin(listener: &Listener, name: &str, args: &[&Path]) -> Example {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../contrib/examples");
        let program = Path::new(folder).join(name);
        let lines = std::fs::read_to_string(&program).unwrap().lines().count();
        assert!(lines <= 33, "{name} has {lines} lines, which is no small client");
        let mut command = Command::new(program);
        for (name, value) in listener.command(&[]).get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        // It runs `headroom` by its name.
        let beside = Path::new(HEADROOM).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> =
            std::iter::once(beside).chain(std::env::split_paths(&path)).collect();
        command.env("PATH", std::env::join_paths(folders).unwrap()).args(args).process_group(0);
        Example(Running::begin(&mut command))
    }

    fn says(&mut self, line: &str) {
        assert_eq!(self.0.line().as_deref(), Some(line));
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0.child), Signal::KILL);
    }
}

/// What each of them shows, through a restart of the daemon.
fn shows_what_happens(listener: &mut Listener, mut examples: Vec<Example>) {
    for example in &mut examples {
        example.says("profile default");
        example.says("bypass is off");
    }
    for to in ["on", "off"] {
        listener.succeed(&["bypass", to]);
        examples.iter_mut().for_each(|example| example.says(&format!("bypass is {to}")));
    }
    listener.restart();
    examples.iter_mut().for_each(|example| example.says("bypass is off"));
    listener.succeed(&["bypass", "on"]);
    examples.iter_mut().for_each(|example| example.says("bypass is on"));
}

#[test]
fn the_clients_over_stdio_show_what_happens() {
    let Some(mut listener) = Listener::begin() else { return };
    let examples = ["stdio.py", "stdio.sh"].map(|name| Example::begin(&listener, name, &[]));
    shows_what_happens(&mut listener, examples.into());
}

#[test]
fn the_clients_over_files_show_what_happens() {
    let Some(mut listener) = Listener::begin() else { return };
    let directories = ["of-python", "of-shell"].map(|name| listener.home.path(name));
    let _bridges = directories.each_ref().map(|directory| {
        let args = ["bridge", "files", directory.to_str().unwrap()];
        let bridge = Running::begin(&mut listener.command(&args));
        // It has made the files, and is connected.
        let told = directory.join("backend.jsonl");
        let end = Instant::now() + PATIENCE;
        while !std::fs::read_to_string(&told).is_ok_and(|text| text.contains("daemon.hello")) {
            assert!(Instant::now() < end, "no bridge");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        bridge
    });
    let examples = [("files.py", &directories[0]), ("files.sh", &directories[1])]
        .map(|(name, directory)| Example::begin(&listener, name, &[directory]));
    shows_what_happens(&mut listener, examples.into());
}
