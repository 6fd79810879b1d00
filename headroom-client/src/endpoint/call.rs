//! The caller's side: one command, one answer, one connection.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use headroom_ipc::Deframer;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::error::CallError;
use super::message::{Reply, Unsendable, framed};
use super::{Command, HIGHEST_MAX_BYTES};
use crate::deadline::Deadline;
use crate::named_socket::Directory;

/// One read takes so many bytes at most.
const READ_BYTES: usize = 16 * 1024;

/// Has a command done by the program that listens at a path, and waits so long at most for the
/// answer.
///
/// # Errors
/// [`CallError::NotRunning`] where nobody listens; [`CallError::Refused`] with what the program
/// has against it; and the others.
pub fn call<C: Command>(
    command: &C,
    path: impl AsRef<Path>,
    timeout: Duration,
) -> Result<C::Response, CallError> {
    let message = framed(command, HIGHEST_MAX_BYTES).map_err(|error| match error {
        Unsendable::TooLong(length_bytes) => CallError::TooLong { length_bytes },
        Unsendable::Unwritable(error) => CallError::Unwritable(error),
    })?;
    let path = path.as_ref();
    let deadline = Deadline::within(timeout);
    Calling { path, timeout, deadline, stream: connect(path, timeout, deadline)? }.ask(&message)
}

fn connect(path: &Path, timeout: Duration, deadline: Deadline) -> Result<OwnedFd, CallError> {
    let connected =
        Directory::of(path).and_then(|(directory, name)| directory.connect_by(name, deadline));
    connected.map_err(|error| {
        let path = path.to_owned();
        match error {
            Errno::NOENT | Errno::NOTDIR | Errno::CONNREFUSED => CallError::NotRunning { path },
            Errno::AGAIN => CallError::TimedOut { path, after: timeout },
            error => CallError::Connect { path, source: error.into() },
        }
    })
}

struct Calling<'a> {
    path: &'a Path,
    timeout: Duration,
    deadline: Deadline,
    stream: OwnedFd,
}

impl Calling<'_> {
    fn ask<R: serde::de::DeserializeOwned>(&self, message: &[u8]) -> Result<R, CallError> {
        let mut rest = message;
        while !rest.is_empty() {
            match send(&self.stream, rest, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::AGAIN) => self.wait_for(PollFlags::OUT)?,
                Err(Errno::INTR) => {}
                // It may have said why.
                Err(Errno::PIPE | Errno::CONNRESET) => break,
                Err(error) => return Err(io_error("sending the command", error)),
            }
        }
        self.answer()
    }

    fn answer<R: serde::de::DeserializeOwned>(&self) -> Result<R, CallError> {
        let path = || self.path.to_owned();
        let unreadable = |why: String| CallError::Unreadable { path: path(), why };
        let mut deframer = Deframer::with_max_body_bytes(HIGHEST_MAX_BYTES);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if let Some(body) =
                deframer.next_body().map_err(|error| unreadable(error.to_string()))?
            {
                return match rmp_serde::from_slice(body) {
                    Ok(Reply::Result(response)) => Ok(response),
                    Ok(Reply::Error(error)) => Err(CallError::Refused(error)),
                    Err(error) => Err(unreadable(error.to_string())),
                };
            }
            match recv(&self.stream, &mut buffer[..], RecvFlags::DONTWAIT) {
                Ok((0, _)) | Err(Errno::CONNRESET) => {
                    return Err(CallError::Closed { path: path() });
                }
                // It fits: a whole body would have been given out.
                Ok((count, _)) => {
                    let _ = deframer.push(&buffer[..count]);
                }
                Err(Errno::AGAIN) => self.wait_for(PollFlags::IN)?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(io_error("reading the answer", error)),
            }
        }
    }

    fn wait_for(&self, wanted: PollFlags) -> Result<(), CallError> {
        let ready = self.deadline.wait_for(self.stream.as_fd(), wanted);
        let ready = ready.map_err(|source| CallError::Io { doing: "waiting", source })?;
        if ready.is_empty() {
            return Err(CallError::TimedOut { path: self.path.to_owned(), after: self.timeout });
        }
        Ok(())
    }
}

fn io_error(doing: &'static str, error: Errno) -> CallError {
    CallError::Io { doing, source: error.into() }
}
