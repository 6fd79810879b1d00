//! `headroom bridge stdio`: JSON lines in, JSON lines out.
//!
//! One thread, which sleeps until one of the three ends has something. When nobody reads its
//! output it stops reading the daemon, whose own queue then drops, counts and reports what does
//! not fit, as for every slow client.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use headroom_client::ipc::{Address, Code, Value};
use headroom_client::{ClientError, DEFAULT_TIMEOUT};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::input::{Input, InputLine, MAX_LINE_BYTES};
use super::link::{Link, Said};
use super::notice::refusal;
use crate::failure::Failure;

/// One read takes so many bytes.
const READ_BYTES: usize = 64 * 1024;

/// A write of so many bytes does not block where the kernel says that there is room (`PIPE_BUF`).
const WRITE_BYTES: usize = 4096;

/// While so many bytes wait to be read by the other end, nothing more is asked or taken.
const MAX_UNREAD_BYTES: usize = 256 * 1024;

pub(crate) fn stdio(address: Address) -> Result<(), Failure> {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    Stdio {
        link: Link::new(address),
        stdin: stdin.as_fd(),
        stdout: stdout.as_fd(),
        input: Input::default(),
        ends_at: None,
        line: 0,
        unread: Vec::new(),
    }
    .run()
}

struct Stdio<'a> {
    link: Link<()>,
    stdin: BorrowedFd<'a>,
    stdout: BorrowedFd<'a>,
    input: Input,
    /// The input has ended; until then the last replies are waited for.
    ends_at: Option<Instant>,
    line: u64,
    /// What the other end has not taken.
    unread: Vec<u8>,
}

/// What is worth doing now.
#[derive(Default)]
struct Ready {
    stdin: bool,
    daemon: bool,
    stdout: bool,
    reader_has_gone: bool,
}

impl Stdio<'_> {
    fn run(mut self) -> Result<(), Failure> {
        let mut said = Vec::new();
        loop {
            self.link.connect(&mut said);
            self.say(&mut said)?;
            self.ask(&mut said)?;
            if self.ends_at.is_some() && self.link.is_quiet() && self.unread.is_empty() {
                return Ok(());
            }
            let ready = self.wait()?;
            if ready.reader_has_gone || (ready.stdout && !self.write()?) {
                return Ok(());
            }
            if ready.stdin {
                self.read()?;
            }
            self.link.step(ready.daemon, &mut said);
            self.say(&mut said)?;
            if self.ends_at.is_some_and(|at| at <= Instant::now()) && !self.link.is_quiet() {
                let what = "the last requests";
                return Err(ClientError::TimedOut { what, after: DEFAULT_TIMEOUT }.into());
            }
        }
    }

    fn has_room(&self) -> bool {
        self.unread.len() < MAX_UNREAD_BYTES
    }

    /// Passes on the lines that were read, as far as there is room for what comes of them.
    fn ask(&mut self, said: &mut Vec<Said<()>>) -> Result<(), Failure> {
        while self.link.has_room() && self.has_room() {
            let Some(line) = self.input.next(self.ends_at.is_some()) else { break };
            self.line += 1;
            let refused = match line {
                InputLine::Line(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
                InputLine::Line(line) => match serde_json::from_slice::<Value>(&line) {
                    Ok(request) => {
                        self.link.request(&request, (), said);
                        None
                    }
                    Err(error) => Some(format!("is no JSON: {error}")),
                },
                InputLine::Overlong => {
                    Some(format!("is longer than {MAX_LINE_BYTES} bytes, which is the limit"))
                }
            };
            if let Some(why) = refused {
                let why = format!("line {} {why}", self.line);
                said.push(Said::Reply((), refusal(Value::Nil, Code::InvalidMessage, &why)));
            }
            self.say(said)?;
        }
        Ok(())
    }

    /// Queues what is to be said, one line each.
    fn say(&mut self, said: &mut Vec<Said<()>>) -> Result<(), Failure> {
        for Said::Reply((), message) | Said::Event(message) in said.drain(..) {
            serde_json::to_writer(&mut self.unread, &message)
                .map_err(|error| Failure::refused(format!("making JSON: {error}")))?;
            self.unread.push(b'\n');
        }
        Ok(())
    }

    fn wait(&self) -> Result<Ready, Failure> {
        let has_room = self.has_room();
        let wants = |wanted: bool, flags| if wanted { flags } else { PollFlags::empty() };
        let to_write = wants(!self.unread.is_empty(), PollFlags::OUT);
        let mut files = vec![PollFd::from_borrowed_fd(self.stdout, to_write)];
        if let Some((daemon, is_unsent)) = self.link.descriptor() {
            let flags = wants(has_room, PollFlags::IN) | wants(is_unsent, PollFlags::OUT);
            // One that nothing is wanted of would still tell of its end, again and again.
            if !flags.is_empty() {
                files.push(PollFd::from_borrowed_fd(daemon, flags));
            }
        }
        let daemon_at = (files.len() > 1).then_some(1);
        let mut stdin_at = None;
        if self.ends_at.is_none() && has_room && self.link.has_room() {
            stdin_at = Some(files.len());
            files.push(PollFd::from_borrowed_fd(self.stdin, PollFlags::IN));
        }
        let ends = self.ends_at.into_iter().chain(self.link.next_attempt()).min();
        let left = ends.map(|at| timespec(at.saturating_duration_since(Instant::now())));
        match poll(&mut files, left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Failure::refused(format!("waiting: {error}"))),
        }
        let told = |at: Option<usize>| at.map_or(PollFlags::empty(), |at| files[at].revents());
        let stdout = told(Some(0));
        Ok(Ready {
            stdin: !told(stdin_at).is_empty(),
            daemon: told(daemon_at).intersects(!PollFlags::OUT),
            stdout: stdout.contains(PollFlags::OUT),
            reader_has_gone: stdout.intersects(PollFlags::ERR | PollFlags::NVAL),
        })
    }

    fn read(&mut self) -> Result<(), Failure> {
        let mut buffer = vec![0; READ_BYTES];
        match rustix::io::read(self.stdin, &mut buffer[..]) {
            Ok(0) => self.ends_at = Some(Instant::now() + DEFAULT_TIMEOUT),
            Ok(count) => self.input.push(&buffer[..count]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(Failure::refused(format!("reading stdin: {error}"))),
        }
        Ok(())
    }

    /// Writes as much as surely goes out at once. Says whether somebody still reads.
    fn write(&mut self) -> Result<bool, Failure> {
        let part = &self.unread[..self.unread.len().min(WRITE_BYTES)];
        match rustix::io::write(self.stdout, part).map_err(io::Error::from) {
            Ok(count) => {
                self.unread.drain(..count);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) =>
            {
                Ok(true)
            }
            Err(error) => Err(Failure::refused(format!("writing to stdout: {error}"))),
        }
    }
}

pub(super) fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}
