//! headroomd as a process, in a runtime directory of its own.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::peer::Peer;

/// A running headroomd. It is killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) folder: tempfile::TempDir,
}

/// The program in a directory, not started.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroomd"));
    surround(&mut command, folder);
    command
}

/// Lets a program find its files in this directory, and no PipeWire.
pub(crate) fn surround(command: &mut Command, folder: &Path) {
    command
        .env_remove("HEADROOM_SOCKET")
        .env_remove("LISTEN_PID")
        .env_remove("LISTEN_FDS")
        .env_remove("NOTIFY_SOCKET")
        .env_remove("PIPEWIRE_REMOTE")
        .env("XDG_RUNTIME_DIR", folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_DATA_DIRS", folder.join("data"))
        .env("PIPEWIRE_RUNTIME_DIR", folder)
        .stderr(Stdio::null());
}

impl Program {
    /// Starts it and waits until it can be connected to.
    pub(crate) fn start(arguments: &[&str]) -> Program {
        Program::start_with(arguments, |_| {})
    }

    /// Starts it with more than arguments, and waits until it can be connected to.
    pub(crate) fn start_with(arguments: &[&str], with: impl FnOnce(&mut Command)) -> Program {
        let folder = tempfile::tempdir().expect("a directory");
        let mut command = command(folder.path());
        with(command.args(arguments));
        Program::start_as(folder, &mut command)
    }

    /// Starts it in a directory where one has been before.
    pub(crate) fn start_in(folder: tempfile::TempDir, arguments: &[&str]) -> Program {
        let mut command = command(folder.path());
        Program::start_as(folder, command.args(arguments))
    }

    /// Starts what is to be run in a directory.
    pub(crate) fn start_as(folder: tempfile::TempDir, command: &mut Command) -> Program {
        let child = command.spawn().expect("headroomd starts");
        let program = Program { child, folder };
        wait_until("headroomd to listen", || UnixStream::connect(program.socket()).is_ok());
        program
    }

    /// Ends it with SIGTERM. Gives its directory.
    pub(crate) fn stop(mut self) -> tempfile::TempDir {
        self.terminate();
        assert_eq!(self.wait().code(), Some(0));
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a directory"))
    }

    /// Ends it with SIGKILL. Gives its directory.
    pub(crate) fn kill(mut self) -> tempfile::TempDir {
        self.child.kill().expect("it runs");
        self.wait();
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a directory"))
    }

    /// What it remembers.
    pub(crate) fn state(&self) -> PathBuf {
        state(self.folder.path())
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("headroom/control.sock")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A client that has read `hello`.
    pub(crate) fn peer(&self) -> Peer {
        let mut peer = Peer::connect(&self.socket());
        peer.hello();
        peer
    }

    /// Its threads, and its open files.
    pub(crate) fn held(&self) -> (usize, usize) {
        let count = |what: &str| {
            let path = format!("/proc/{}/{what}", self.id());
            fs::read_dir(path).expect("it runs").count()
        };
        (count("task"), count("fd"))
    }

    pub(crate) fn terminate(&self) {
        let id = i32::try_from(self.id()).expect("a process");
        kill(Pid::from_raw(id), Signal::SIGTERM).expect("it runs");
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_until("headroomd to end", || {
            ended = self.child.try_wait().expect("a child");
            ended.is_some()
        });
        ended.expect("it has ended")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a headroomd in this directory remembers.
pub(crate) fn state(folder: &Path) -> PathBuf {
    folder.join("state/headroom/state.toml")
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
