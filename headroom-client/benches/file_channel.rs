//! What a file channel costs: messages a second through one direction, the time from `send` to
//! `recv` with inotify, and what a reader uses that waits for nothing.
//!
//! `cargo bench -p headroom-client --bench file_channel`; with `-- --check` it fails when a figure
//! is off its bar by more than the slack for a noisy machine. Where that machine itself is late, the
//! time may be a multiple of what two processes need that append a bare byte, hear of it by inotify and
//! note how far they are, as a reader must, taken in turns with it. Writer and reader are processes of their own: this program
//! again.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use headroom_client::{FileChannel, Received};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use serde_json::json;

/// What a noisy machine may add before `--check` fails.
const SLACK: f64 = 1.25;
/// How much longer a message may take than a bare byte that is appended, heard of and noted.
const MOST_TIMES_BARE: f64 = 4.0;

const BURST: u64 = 20_000;
const ROUNDS: usize = 5;
const ROUND_TRIPS: u64 = 500;
const IDLE: Duration = Duration::from_secs(3);
const FOREVER: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["reader", directory] => return reader(directory),
        ["echo", directory] => return echo(directory),
        ["idle", directory] => return idle(directory),
        ["bare", directory] => return bare(directory),
        _ => {}
    }
    let check = arguments.iter().any(|argument| argument == "--check");
    println!("{:<58} {:>12} {:>16}", "", "measured", "bar");
    let kept = [throughput(), latency(), at_rest()];
    if kept.iter().all(|kept| *kept) || !check { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Messages a second, from the first `send` until another process has them all.
fn throughput() -> bool {
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let home = tempfile::tempdir().expect("a directory");
            let mut channel = FileChannel::backend(home.path().join("channel")).expect("a channel");
            let mut reader = part("reader", &home.path().join("channel"));
            let begun = Instant::now();
            for n in 0..BURST {
                channel.send_event("level", &json!({"n": n, "level_db": -18.5})).expect("sent");
            }
            reader.said("all");
            BURST as f64 / begun.elapsed().as_secs_f64()
        })
        .collect();
    let rate = median(&mut rates);
    row("small messages through one direction, median", rate, "/s", "at least", 20_000.0)
}

/// From `send` to `recv`: half of a round trip to another process and back.
fn latency() -> bool {
    let home = tempfile::tempdir().expect("a directory");
    let mut channel = FileChannel::frontend(home.path().join("channel")).expect("a channel");
    let _echo = part("echo", &home.path().join("channel"));
    let mut bytes = Bytes::between(home.path(), ["there", "back"]);
    let _bare = part("bare", home.path());
    let half_ms = |begun: Instant| begun.elapsed().as_secs_f64() * 1e3 / 2.0;
    let (mut times, mut bare_times): (Vec<f64>, Vec<f64>) = (0..ROUND_TRIPS)
        .map(|n| {
            let begun = Instant::now();
            let id = channel.send_request("echo", &n).expect("sent");
            channel.wait_response(&id, FOREVER).expect("readable").expect("in time");
            let took = half_ms(begun);
            let begun = Instant::now();
            bytes.append();
            assert!(bytes.wait(), "waited in vain");
            (took, half_ms(begun))
        })
        .unzip();
    let p99 = quantile(&mut times, 0.99);
    let (time, bare) = (median(&mut times), median(&mut bare_times));
    let is_kept = row("from send to receive with inotify, median", time, "ms", "at most", 2.0);
    // For the reader of the table: a busy machine has its say in these.
    println!("{:<58} {p99:>9.3} ms", "the same, 99 of 100");
    let times_bare = time / bare;
    println!("{:<58} {bare:>9.3} ms", "a bare byte, appended, heard of and noted, median");
    println!("{:<58} {times_bare:>9.3}", "the message in times of that");
    is_kept || times_bare <= MOST_TIMES_BARE
}

/// Two files that two processes append bytes to, each hearing of the other's by inotify.
struct Bytes {
    ours: fs::File,
    news: fs::File,
    note: PathBuf,
}

impl Bytes {
    /// The first name is that of the file that is written here.
    fn between(directory: &Path, [ours, theirs]: [&str; 2]) -> Bytes {
        let open = |name: &str| {
            let mut options = fs::File::options();
            options.create(true).append(true).open(directory.join(name)).expect("a file")
        };
        let note = directory.join(format!("{ours}.note"));
        let (ours, _) = (open(ours), open(theirs));
        let news = inotify::init(CreateFlags::CLOEXEC).expect("inotify");
        inotify::add_watch(&news, directory.join(theirs), WatchFlags::MODIFY).expect("a watch");
        Bytes { ours, news: fs::File::from(news), note }
    }

    fn append(&mut self) {
        self.ours.write_all(b"x").expect("written");
    }

    /// Says whether there was a byte before the other can be taken for gone.
    fn wait(&mut self) -> bool {
        let longest = Timespec { tv_sec: FOREVER.as_secs() as i64, tv_nsec: 0 };
        let mut news = [PollFd::new(&self.news, PollFlags::IN)];
        let is_there = poll(&mut news, Some(&longest)).expect("waited") > 0;
        if !is_there || self.news.read(&mut [0; 512]).expect("an event") == 0 {
            return false;
        }
        // Whole or not at all: a reader may be killed at any moment.
        let unfinished = self.note.with_extension("new");
        fs::write(&unfinished, b"1\n").expect("written");
        fs::rename(&unfinished, &self.note).expect("noted");
        true
    }
}

/// What a reader uses in some seconds in which nothing comes.
fn at_rest() -> bool {
    let home = tempfile::tempdir().expect("a directory");
    let mut channel = FileChannel::backend(home.path().join("channel")).expect("a channel");
    channel.send_event("level", &1).expect("sent");
    let reader = part("idle", &home.path().join("channel"));
    // Asleep, and not on its way there.
    let (mut before, begun) = (usage(&reader.child), Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let now = usage(&reader.child);
        if now == before {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not come to rest");
        before = now;
    }
    std::thread::sleep(IDLE);
    let after = usage(&reader.child);
    let cpu_ms = (after.cpu_ns - before.cpu_ns) as f64 / 1e6;
    let wakes = (after.switches - before.switches) as f64;
    let what = format!("CPU of an idle reader in {} s", IDLE.as_secs());
    let cpu = row(&what, cpu_ms, "ms", "at most", 0.0);
    row("wake-ups of it", wakes, "", "at most", 0.0) && cpu
}

fn row(what: &str, measured: f64, unit: &str, way: &str, bar: f64) -> bool {
    let (is_over, is_kept) = match way {
        "at least" => (measured < bar, measured >= bar / SLACK),
        _ => (measured > bar, measured <= bar * SLACK),
    };
    let verdict = if is_over { "  OVER" } else { "" };
    let shown = if measured < 100.0 { format!("{measured:.3}") } else { format!("{measured:.0}") };
    println!("{what:<58} {shown:>9} {unit:<2} {way:>9} {bar} {unit}{verdict}");
    is_kept
}

fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() as f64 * part) as usize).min(values.len() - 1)]
}

/// This program in another of its parts.
struct Part {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

fn part(part: &str, directory: &Path) -> Part {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let mut child =
        command.arg(part).arg(directory).stdout(Stdio::piped()).spawn().expect("it starts");
    let said = BufReader::new(child.stdout.take().expect("piped"));
    let mut part = Part { child, said };
    part.said("ready");
    part
}

impl Part {
    fn said(&mut self, word: &str) {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it speaks");
        assert_eq!(line.trim_end(), word);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn reader(directory: &str) -> ExitCode {
    let mut channel = FileChannel::frontend(directory).expect("a channel");
    assert!(channel.recv().expect("readable").is_empty());
    println!("ready");
    let mut next_seq = 1;
    while next_seq <= BURST {
        assert!(channel.wait(FOREVER).expect("readable"), "waited in vain");
        for received in channel.recv().expect("readable") {
            let Received::Message(message) = received else { panic!("{received:?}") };
            assert_eq!(message.seq, next_seq);
            next_seq += 1;
        }
    }
    println!("all");
    ExitCode::SUCCESS
}

fn echo(directory: &str) -> ExitCode {
    let mut channel = FileChannel::backend(directory).expect("a channel");
    println!("ready");
    let served = channel.poll(FOREVER, |channel, received| {
        if let Received::Message(request) = received {
            channel.send_response(&request.id, &request.payload).expect("sent");
        }
        std::ops::ControlFlow::Continue(())
    });
    served.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn idle(directory: &str) -> ExitCode {
    let mut channel = FileChannel::frontend(directory).expect("a channel");
    assert_eq!(channel.recv().expect("readable").len(), 1);
    println!("ready");
    assert!(!channel.wait(FOREVER).expect("readable"));
    ExitCode::SUCCESS
}

fn bare(directory: &str) -> ExitCode {
    let mut bytes = Bytes::between(Path::new(directory), ["back", "there"]);
    println!("ready");
    while bytes.wait() {
        bytes.append();
    }
    ExitCode::SUCCESS
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Usage {
    cpu_ns: u64,
    switches: u64,
}

fn usage(child: &Child) -> Usage {
    let read =
        |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).expect("it runs");
    let cpu_ns = read("schedstat").split_whitespace().next().and_then(|ns| ns.parse().ok());
    let status = read("status");
    let switches = status
        .lines()
        .filter(|line| line.contains("ctxt_switches:"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .sum();
    Usage { cpu_ns: cpu_ns.expect("a figure"), switches }
}
