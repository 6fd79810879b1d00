//! One child process: started in a group of its own, its output in a log, ended by drop.
//!
//! Services, clients and recorders are all made of these. Nothing here knows what it runs.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::condition::{Deadline, poll};
use crate::environment::Environment;

/// How a process came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It left by itself, with this exit code.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        match status.code() {
            Some(code) => Self::Exited(code),
            None => Self::Killed(status.signal().unwrap_or_default()),
        }
    }
}

/// One thread of a process.
#[derive(Debug, Clone, PartialEq)]
pub struct Thread {
    /// The name that the kernel shows.
    pub name: String,
    /// Time on a processor.
    pub cpu_seconds: f64,
    /// How often it was put on a processor.
    pub wake_ups: u64,
    /// Whether it goes before all that is not (SCHED_FIFO or SCHED_RR).
    pub is_real_time: bool,
}

/// What a process has used so far, as the kernel counts it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Time on a processor, all threads together.
    pub cpu_seconds: f64,
    /// How often one of its threads was put on a processor.
    pub wake_ups: u64,
    /// Memory that is resident now, shared pages included.
    pub resident_bytes: u64,
    /// Memory that is resident now and its own.
    pub private_bytes: u64,
}

/// A running child. Dropping it kills its whole process group.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    command_line: String,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with `arguments`, its output going to the end of `log`.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        environment: &Environment,
        log: &Path,
        urgency: Urgency,
    ) -> io::Result<Self> {
        let command_line = format!("{} {}", program.display(), arguments.join(" "));
        let mut output = File::options().create(true).append(true).open(log)?;
        writeln!(output, "$ {command_line}")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(environment.iter())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0);
        let child = spawn(command, urgency)
            .map_err(|error| io::Error::new(error.kind(), format!("{command_line}: {error}")))?;
        Ok(Self { child, command_line, log: log.to_owned() })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn command_line(&self) -> &str {
        &self.command_line
    }

    pub(crate) fn log(&self) -> String {
        // Not every program prints UTF-8, and a log is only for looking at.
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<Ended> {
        self.child.try_wait().ok().flatten().map(Ended::from)
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(&mut self, deadline: Deadline) -> Option<Ended> {
        poll(deadline, || self.ended())
    }

    /// Sends it a signal, and nothing when it has ended already.
    pub(crate) fn signal(&mut self, signal: i32) {
        if self.ended().is_none() {
            // SAFETY: kill() takes two integers. The child has not been waited for, so its id has
            // not been given to another process.
            unsafe { libc::kill(self.child.id() as i32, signal) };
        }
    }

    /// SIGTERM; `None` when it has not ended by the deadline and had to be killed.
    pub(crate) fn stop(&mut self, deadline: Deadline) -> Option<Ended> {
        self.signal(libc::SIGTERM);
        let ended = self.wait(deadline);
        if ended.is_none() {
            self.kill();
        }
        ended
    }

    /// SIGKILL for the process and everything that it started.
    pub(crate) fn kill(&mut self) {
        if self.ended().is_none() {
            // SAFETY: as in `signal`; the group has the id of its first process, which is the child.
            unsafe { libc::kill(-(self.child.id() as i32), libc::SIGKILL) };
            // It cannot refuse, so this ends.
            let _ = self.child.wait();
        }
    }

    /// Its threads, and what each has used since it started. Fails when it has ended.
    pub(crate) fn threads(&self) -> io::Result<Vec<Thread>> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id()))?;
        tasks.map(|task| Thread::read(&task?.path())).collect()
    }

    /// What all of it has used since it started. Fails when it has ended.
    pub(crate) fn usage(&self) -> io::Result<Usage> {
        let threads = self.threads()?;
        let mut usage = Usage {
            cpu_seconds: threads.iter().map(|thread| thread.cpu_seconds).sum(),
            wake_ups: threads.iter().map(|thread| thread.wake_ups).sum(),
            resident_bytes: 0,
            private_bytes: 0,
        };
        let memory = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.id()))?;
        for line in memory.lines() {
            let mut words = line.split_ascii_whitespace();
            let name = words.next().unwrap_or_default();
            let bytes = words.next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024;
            match name {
                "Rss:" => usage.resident_bytes = bytes,
                "Private_Clean:" | "Private_Dirty:" => usage.private_bytes += bytes,
                _ => {}
            }
        }
        Ok(usage)
    }
}

impl Thread {
    /// Reads `/proc/PID/task/TID`.
    fn read(task: &Path) -> io::Result<Self> {
        let name = std::fs::read_to_string(task.join("comm"))?.trim_end().to_owned();
        // `ns on a processor, ns waiting for one, times put on one`
        let schedstat = std::fs::read_to_string(task.join("schedstat"))?;
        let numbers: Vec<u64> =
            schedstat.split_ascii_whitespace().filter_map(|field| field.parse().ok()).collect();
        let &[on_processor_ns, _waiting_ns, wake_ups] = &numbers[..] else {
            return Err(io::Error::other(format!("schedstat says {schedstat:?}")));
        };
        // Field 41 of stat; the name, field 2, may have spaces and brackets in it.
        let stat = std::fs::read_to_string(task.join("stat"))?;
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let policy = after_name.split_ascii_whitespace().nth(38);
        Ok(Self {
            name,
            cpu_seconds: on_processor_ns as f64 * 1e-9,
            wake_ups,
            is_real_time: policy.is_some_and(|policy| policy == "1" || policy == "2"),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Who goes first on a busy machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// As every program.
    Usual,
    /// In real time, where that is allowed: `pw-cat` reads and `pw-record` writes on a thread of
    /// their own that is not, and a busy machine would put gaps into what is measured.
    Instrument,
}

/// Below the audio threads of PipeWire (83 and up), above all that is not in real time.
const INSTRUMENT_PRIORITY: i32 = 10;

type Request = (Command, SyncSender<io::Result<Child>>);

/// The thread that forks every child, and lives as long as the test process does.
///
/// The kernel sends a child its death signal when the *thread* that forked it ends. A test's own
/// thread would take its children along while another thread still uses them.
static SPAWNER: LazyLock<SyncSender<Request>> = LazyLock::new(|| {
    let (requests, inbox) = sync_channel::<Request>(1);
    let body = move || {
        for (mut command, reply) in inbox {
            // Nobody waits for the reply only when the test has been abandoned.
            let _ = reply.send(command.spawn());
        }
    };
    std::thread::Builder::new()
        .name("hr-spawn".into())
        .spawn(body)
        .expect("a thread that starts processes");
    requests
});

fn spawn(mut command: Command, urgency: Urgency) -> io::Result<Child> {
    let parent = std::process::id();
    // SAFETY: the closure runs between fork and exec and makes only plain system calls (prctl,
    // getppid, sched_setscheduler), which are async-signal-safe. It captures two plain values.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(io::Error::last_os_error());
            }
            // The parent may have died before the request was made.
            if libc::getppid() as u32 != parent {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            if urgency == Urgency::Instrument {
                let priority = libc::sched_param { sched_priority: INSTRUMENT_PRIORITY };
                // Not allowed everywhere, and then it does without.
                libc::sched_setscheduler(0, libc::SCHED_FIFO, &priority);
            }
            Ok(())
        });
    }
    let (reply, answer) = sync_channel(1);
    let gone = || io::Error::other("the thread that starts processes has ended");
    SPAWNER.send((command, reply)).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}
