//! The example as it stands: a listener in a process of its own, and a ringer.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::{Session, names};

/// A listener that ends with the test.
pub(crate) struct Listener {
    pub(crate) child: Child,
    pub(crate) lines: std::io::Lines<BufReader<ChildStdout>>,
    pub(crate) bell: PathBuf,
}

pub(crate) fn example(runtime: &Path) -> Command {
    // target/debug/deps/doorbell-... beside target/debug/examples/doorbell
    let this = std::env::current_exe().unwrap();
    let mut command = Command::new(this.ancestors().nth(2).unwrap().join("examples/doorbell"));
    command.env("XDG_RUNTIME_DIR", runtime).stdout(Stdio::piped());
    command
}

impl Listener {
    pub(crate) fn begin(session: &Session) -> Listener {
        let mut child = example(session.runtime()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let bell = PathBuf::from(first.strip_prefix("listening at ").unwrap());
        Listener { child, lines, bell }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Stops it, and waits until it has.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        let stopped = waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED).unwrap();
        assert!(stopped.unwrap().1.stopped());
    }

    pub(crate) fn next_line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ring(session: &Session, word: &str) -> String {
    let output = example(session.runtime()).args(["ring", word]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_example_hears_each_cause_that_another_process_rings_for() {
    let session = Session::new();
    assert_eq!(ring(&session, "profile"), "0 listeners took it\n", "and none is normal");
    assert!(names(session.runtime()).is_empty(), "ringing makes nothing");
    let mut listener = Listener::begin(&session);
    for word in ["profile", "state", "all"] {
        assert_eq!(ring(&session, word), "1 listeners took it\n");
        assert_eq!(listener.next_line(), format!("rung 1 times: {word}"));
    }
}

#[test]
fn a_signal_handler_removes_the_bell_and_the_signal_then_does_its_own() {
    use std::os::unix::process::ExitStatusExt;
    let session = Session::new();
    for signal in [Signal::TERM, Signal::INT] {
        let mut listener = Listener::begin(&session);
        assert!(listener.bell.exists());
        listener.signal(signal);
        let status = listener.child.wait().unwrap();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
        assert!(!listener.bell.exists());
    }
}

#[test]
fn without_a_runtime_directory_there_is_no_bell_and_nobody_to_ring() {
    let session = Session::new();
    let absent = session.runtime().join("absent");
    let output = example(&absent).output().unwrap();
    assert!(!output.status.success());
    assert!(!absent.exists());
    let output = example(&absent).arg("ring").output().unwrap();
    assert_eq!(output.stdout, b"0 listeners took it\n");

    let uid = rustix::process::geteuid().as_raw();
    if Path::new(&format!("/run/user/{uid}")).exists() {
        eprintln!("SKIPPED: this user has a session, so its bells are there");
        return;
    }
    // And nowhere else, where others could write.
    let mut nowhere = example(&absent);
    let output = nowhere.env_remove("XDG_RUNTIME_DIR").stderr(Stdio::piped()).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("NoRuntimeDir"), "{said}");
}
