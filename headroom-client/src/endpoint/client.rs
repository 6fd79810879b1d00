//! One connection of an endpoint: a command comes in piece by piece, its answer goes out piece by
//! piece, and neither takes for ever.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use headroom_ipc::{Code, Deframer, Error};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// How long a client has for its command, and then for taking its answer: this much, and this
/// much more for each whole MiB that has gone through.
pub const PATIENCE: Duration = Duration::from_secs(2);

const MIB: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: OwnedFd,
    stage: Stage,
    since: Instant,
    moved_bytes: usize,
}

#[derive(Debug)]
enum Stage {
    Command(Deframer),
    Answer(Vec<u8>),
}

/// What has come of a look at a client's command.
#[derive(Debug)]
pub(super) enum Heard {
    /// It is not whole yet.
    Part,
    /// It was whole, or cannot be, and this is the answer: what is wrong with it, or what the
    /// command's own work gave.
    Whole(Result<Vec<u8>, Error>),
    /// The client has gone.
    Gone,
}

/// What has come of writing an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    All,
    Part,
    Gone,
}

impl Client {
    pub(super) fn new(stream: OwnedFd, max_bytes: usize) -> Client {
        let stage = Stage::Command(Deframer::with_max_body_bytes(max_bytes));
        Client { stream, stage, since: Instant::now(), moved_bytes: 0 }
    }

    /// Until when it has time.
    pub(super) fn until(&self) -> Instant {
        let times = 1 + u32::try_from(self.moved_bytes / MIB).unwrap_or(u32::MAX - 1);
        self.since + PATIENCE.saturating_mul(times)
    }

    pub(super) fn is_taking_its_answer(&self) -> bool {
        matches!(self.stage, Stage::Answer(_))
    }

    /// Reads what there is until `end`, and has a whole command answered.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        end: Instant,
        answer: impl FnOnce(&[u8]) -> Result<Vec<u8>, Error>,
    ) -> Heard {
        let Stage::Command(deframer) = &mut self.stage else { return Heard::Part };
        loop {
            let count = match recv(&self.stream, &mut *buffer, RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Heard::Gone,
                Ok((count, _)) => count,
                Err(Errno::AGAIN) => return Heard::Part,
                Err(Errno::INTR) => continue,
                Err(_) => return Heard::Gone,
            };
            self.moved_bytes += count;
            // What does not fit is behind the command, and nobody's.
            let _ = deframer.push(&buffer[..count]);
            match deframer.next_body() {
                Ok(Some(body)) => return Heard::Whole(answer(body)),
                Ok(None) => {}
                Err(error) => {
                    return Heard::Whole(Err(Error::new(Code::InvalidFrame, error.to_string())));
                }
            }
            if Instant::now() >= end {
                return Heard::Part;
            }
        }
    }

    /// From now on it is given this.
    pub(super) fn give(&mut self, answer: Vec<u8>) {
        self.stage = Stage::Answer(answer);
        self.since = Instant::now();
        self.moved_bytes = 0;
    }

    /// Writes what there is room for.
    pub(super) fn write(&mut self) -> Written {
        let Stage::Answer(answer) = &self.stage else { return Written::Part };
        while self.moved_bytes < answer.len() {
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            match send(&self.stream, &answer[self.moved_bytes..], flags) {
                Ok(count) => self.moved_bytes += count,
                Err(Errno::AGAIN) => return Written::Part,
                Err(Errno::INTR) => {}
                Err(_) => return Written::Gone,
            }
        }
        Written::All
    }
}
