//! A listener with a home and a running headroomd.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headroom_client::{Address, Client};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{HEADROOM, Run};
use crate::home::Home;

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Listener {
    pub(crate) home: Home,
    daemon: Option<Child>,
}

impl Listener {
    /// Starts headroomd; nothing where it has not been built, which only somebody's own machine
    /// may get away with.
    pub(crate) fn begin() -> Option<Listener> {
        if !headroomd().is_file() {
            assert!(std::env::var_os("CI").is_none(), "{} is missing", headroomd().display());
            eprintln!("SKIPPED: {} has not been built", headroomd().display());
            return None;
        }
        let mut listener = Listener { home: Home::new(), daemon: None };
        listener.start();
        Some(listener)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.home.command(args)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.home.run(args)
    }

    /// Runs `headroom`, and it must succeed and say nothing else; gives what it printed.
    pub(crate) fn succeed(&self, args: &[&str]) -> String {
        self.home.succeed(args)
    }

    /// Starts headroomd and waits until it serves.
    pub(crate) fn start(&mut self) {
        // The very surroundings that `headroom` has, and no PipeWire.
        let surroundings = self.home.command(&[]);
        let mut command = Command::new(headroomd());
        for (name, value) in surroundings.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let folder = self.home.path("");
        for name in ["LISTEN_PID", "LISTEN_FDS", "NOTIFY_SOCKET", "PIPEWIRE_REMOTE"] {
            command.env_remove(name);
        }
        command.env("XDG_RUNTIME_DIR", &folder).env("PIPEWIRE_RUNTIME_DIR", &folder);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let address = Address::Path(self.home.path("control.sock"));
        let end = Instant::now() + PATIENCE;
        while Client::connect(&address).is_err() {
            assert_eq!(child.try_wait().unwrap(), None, "headroomd has ended");
            assert!(Instant::now() < end, "headroomd does not serve");
            std::thread::sleep(Duration::from_millis(2));
        }
        self.daemon = Some(child);
    }

    /// Ends headroomd as a session does, and waits until it has.
    pub(crate) fn stop(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        let id = Pid::from_child(&daemon);
        kill_process(id, Signal::TERM).unwrap();
        assert!(daemon.wait().unwrap().success());
    }

    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn headroomd() -> PathBuf {
    Path::new(HEADROOM).with_file_name("headroomd")
}
