//! Processes: the daemon, and what stands beside it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// A process that is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) socket: PathBuf,
    folder: tempfile::TempDir,
}

impl Process {
    /// headroomd, without PipeWire.
    pub(crate) fn daemon(arguments: &[&str]) -> Process {
        Process::start("headroom/control.sock", |_, folder| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_headroomd"));
            command
                .env_remove("HEADROOM_SOCKET")
                .env("XDG_RUNTIME_DIR", folder)
                .env("XDG_STATE_HOME", folder.join("state"))
                .env("PIPEWIRE_RUNTIME_DIR", folder)
                .args(arguments);
            command
        })
    }

    /// This program in another of its parts, which is given a socket.
    pub(crate) fn part(part: &str) -> Process {
        Process::start("part.sock", |socket, _| {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.arg(part).arg(socket);
            command
        })
    }

    fn start(name: &str, command: impl FnOnce(&Path, &Path) -> Command) -> Process {
        let folder = tempfile::tempdir().expect("a directory");
        let socket = folder.path().join(name);
        let child = command(&socket, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let process = Process { child, socket, folder };
        wait_until(|| UnixStream::connect(&process.socket).is_ok());
        process
    }

    /// Its runtime directory, for other programs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn resident_kib(&self) -> f64 {
        resident_kib(self.child.id())
    }

    pub(crate) fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs").count()
    }

    /// What all its threads have used so far, in seconds.
    pub(crate) fn cpu_s(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs");
        let ns: u64 = tasks
            .filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
            .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
            .sum();
        ns as f64 / 1e9
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process has in memory of its own.
pub(crate) fn resident_kib(id: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).expect("it runs");
    let line = text.lines().find(|line| line.starts_with("Rss:")).expect("a figure");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Does something on one core, with all threads and processes that it starts.
///
/// A message to another core wakes it from its sleep, which takes five times as long as all the
/// rest. Which core a thread is put on is the system's choice, so that without this a round trip
/// would be compared by chance.
pub(crate) fn on_one_core<T>(work: impl FnOnce() -> T) -> T {
    let this_thread = Pid::from_raw(0);
    let all = sched_getaffinity(this_thread).expect("the cores");
    let first = (0..CpuSet::count()).find(|core| all.is_set(*core).unwrap_or(false));
    let mut one = CpuSet::new();
    one.set(first.expect("a core")).expect("one of them");
    sched_setaffinity(this_thread, &one).expect("one core");
    let done = work();
    sched_setaffinity(this_thread, &all).expect("all cores");
    done
}

pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The raw echo server: a thread per connection that reads what has come and writes it back. It
/// knows no frames and so no protocol: whatever a server does more than this is its own cost.
pub(crate) fn echo(path: &str) -> ExitCode {
    let listener = UnixListener::bind(path).expect("bound");
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        thread::Builder::new()
            .spawn(move || {
                let mut buffer = [0; 2_048];
                let mut held = 0;
                while let Ok(read @ 1..) = stream.read(&mut buffer[held..]) {
                    held += read;
                    let mut start = 0;
                    // The same frames: one read may bring many, each is written by itself.
                    while let Some(prefix) = buffer[start..held].first_chunk::<4>() {
                        let length = 4 + u32::from_be_bytes(*prefix) as usize;
                        if held - start < length {
                            break;
                        }
                        if stream.write_all(&buffer[start..start + length]).is_err() {
                            return;
                        }
                        start += length;
                    }
                    buffer.copy_within(start..held, 0);
                    held -= start;
                }
            })
            .expect("a thread");
    }
    ExitCode::SUCCESS
}

/// So many threads that sleep, and nothing else. Says so, and ends with its input.
pub(crate) fn bare_threads(count: &str) -> ExitCode {
    let count: usize = count.parse().expect("a number");
    for _ in 0..count {
        thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(|| {
                loop {
                    thread::park();
                }
            })
            .expect("a thread");
    }
    println!("started");
    let _ = std::io::stdin().read(&mut [0]);
    ExitCode::SUCCESS
}
