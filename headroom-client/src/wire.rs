//! The socket: connecting, writing and reading, each with a time limit.
//!
//! It is non-blocking underneath and waits in `poll`, so that a write can be interrupted by what
//! arrives: a client that only wrote, facing a daemon that only writes, would wait for ever.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use headroom_ipc::{Address, Deframer};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{self, SendFlags, SocketAddrUnix};

use crate::ClientError;
use crate::deadline::Deadline;
use crate::named_socket::connect_by;

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

    pub(crate) fn connect(address: &Address, timeout: Duration) -> Result<Wire, ClientError> {
        let connect = || -> Result<UnixStream, Errno> {
            let address = match address {
                Address::Path(path) => SocketAddrUnix::new(path)?,
                Address::Abstract(name) => SocketAddrUnix::new_abstract_name(name.as_bytes())?,
            };
            connect_by(&address, Deadline::within(timeout)).map(UnixStream::from)
        };
        match connect() {
            Ok(stream) => Wire::over(stream),
            Err(Errno::NOENT | Errno::CONNREFUSED) => {
                Err(ClientError::NotRunning { address: address.clone() })
            }
            Err(Errno::AGAIN) => Err(ClientError::TimedOut { what: "the door", after: timeout }),
            Err(error) => {
                Err(ClientError::Connect { address: address.clone(), source: error.into() })
            }
        }
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Waits until there is something to read, or room to write if that is wanted.
    pub(crate) fn ready(&self, to_write: bool, deadline: Deadline) -> Result<Ready, ClientError> {
        let wanted = if to_write { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let io_error = |source| ClientError::Io { doing: "waiting", source };
        let ready = deadline.wait_for(self.stream.as_fd(), wanted).map_err(io_error)?;
        Ok(match ready {
            PollFlags::OUT => Ready::ToWrite,
            _ if ready.is_empty() => Ready::No,
            _ => Ready::ToRead,
        })
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

fn io_error(doing: &'static str) -> impl Fn(io::Error) -> ClientError {
    move |source| ClientError::Io { doing, source }
}
