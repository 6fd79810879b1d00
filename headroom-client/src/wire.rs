//! The socket: connecting, writing and reading, each with a time limit.
//!
//! It is non-blocking underneath and waits in `poll`, so that a write can be interrupted by what
//! arrives: a client that only wrote, facing a daemon that only writes, would wait for ever.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use headroom_ipc::{Deframer, Endpoint};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{self, AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use crate::ClientError;

/// Until when something may take; none for as long as it likes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Deadline = Deadline(None);

    pub(crate) fn within(time: Duration) -> Deadline {
        // A time that no clock can hold is as good as for ever.
        Deadline(Instant::now().checked_add(time))
    }

    /// What is left of it; none where it never ends.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()))
    }
}

/// One read takes so many bytes at most.
const READ_BYTES: usize = 16 * 1024;

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: UnixStream,
    pub(crate) deframer: Deframer,
    buffer: Box<[u8]>,
}

/// What became of a wait for the socket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// There is something to read, or the other end has gone, which reading will tell.
    ToRead,
    /// There is room to write, and nothing to read.
    ToWrite,
    /// The time is over.
    No,
}

impl Wire {
    pub(crate) fn over(stream: UnixStream) -> Result<Wire, ClientError> {
        stream.set_nonblocking(true).map_err(io_error("setting up the socket"))?;
        let buffer = vec![0; READ_BYTES].into_boxed_slice();
        Ok(Wire { stream, deframer: Deframer::new(), buffer })
    }

    pub(crate) fn connect(endpoint: &Endpoint, timeout: Duration) -> Result<Wire, ClientError> {
        let connect = || -> Result<UnixStream, Errno> {
            let socket = net::socket_with(
                AddressFamily::UNIX,
                SocketType::STREAM,
                SocketFlags::CLOEXEC,
                None,
            )?;
            // The kernel holds a connecting peer to this too, while the daemon's queue of
            // connections is full. Zero would mean for ever.
            let at_most = timeout.max(Duration::from_millis(1));
            set_socket_timeout(&socket, Timeout::Send, Some(at_most))?;
            let address = match endpoint {
                Endpoint::Path(path) => SocketAddrUnix::new(path)?,
                Endpoint::Abstract(name) => SocketAddrUnix::new_abstract_name(name.as_bytes())?,
            };
            loop {
                match net::connect(&socket, &address) {
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error),
                    Ok(()) => return Ok(UnixStream::from(socket)),
                }
            }
        };
        match connect() {
            Ok(stream) => Wire::over(stream),
            Err(Errno::NOENT | Errno::CONNREFUSED) => {
                Err(ClientError::NotRunning { endpoint: endpoint.clone() })
            }
            Err(Errno::AGAIN) => Err(ClientError::TimedOut { what: "the door", after: timeout }),
            Err(error) => {
                Err(ClientError::Connect { endpoint: endpoint.clone(), source: error.into() })
            }
        }
    }

    /// Waits until there is something to read, or room to write if that is wanted.
    pub(crate) fn ready(&self, to_write: bool, deadline: Deadline) -> Result<Ready, ClientError> {
        let wanted = if to_write { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        loop {
            let left = deadline.left().map(timespec);
            let mut sockets = [PollFd::from_borrowed_fd(self.stream.as_fd(), wanted)];
            match poll(&mut sockets, left.as_ref()) {
                Err(Errno::INTR) => {}
                Err(error) => {
                    return Err(ClientError::Io { doing: "waiting", source: error.into() });
                }
                Ok(0) => return Ok(Ready::No),
                Ok(_) if sockets[0].revents() == PollFlags::OUT => return Ok(Ready::ToWrite),
                Ok(_) => return Ok(Ready::ToRead),
            }
        }
    }

    /// Writes as much as there is room for just now, perhaps nothing.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize, ClientError> {
        loop {
            // A daemon that has gone is an error here and no signal to the whole program.
            match net::send(&self.stream, bytes, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(0),
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(ClientError::Closed),
                Err(error) => {
                    return Err(ClientError::Io { doing: "writing", source: error.into() });
                }
                Ok(written) => return Ok(written),
            }
        }
    }

    /// Reads what there is just now, and hands every whole body to `take`. Gives how many bytes
    /// there were.
    pub(crate) fn read(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), ClientError>,
    ) -> Result<usize, ClientError> {
        let count = loop {
            match (&self.stream).read(&mut self.buffer) {
                Ok(0) => return Err(ClientError::Closed),
                Ok(count) => break count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(ClientError::Closed);
                }
                Err(error) => return Err(ClientError::Io { doing: "reading", source: error }),
            }
        };
        let mut rest = &self.buffer[..count];
        while !rest.is_empty() {
            let taken = self.deframer.push(rest);
            rest = &rest[taken..];
            while let Some(body) = self.deframer.next_body()? {
                take(body)?;
            }
        }
        Ok(count)
    }
}

/// A time as the kernel takes it.
pub(crate) fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}

fn io_error(doing: &'static str) -> impl Fn(io::Error) -> ClientError {
    move |source| ClientError::Io { doing, source }
}
