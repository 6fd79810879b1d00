//! What the two threads of a connection share: the socket, the queue in front of it, and the
//! baton that says who writes.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;

use crossbeam_channel::Receiver;
use headroom_ipc::ServerFrame;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use parking_lot::Mutex;

use super::unsent::{Patience, Unsent};
use crate::engine::Engine;
use crate::outbox::{Doorbell, QUEUE};
use crate::state::SeatId;

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// For the log and the names of its threads.
    pub(super) number: u64,
    /// Its place in the state.
    pub(super) seat: SeatId,
    pub(super) stream: UnixStream,
    pub(super) bell: Arc<Doorbell>,
    queue: Receiver<ServerFrame>,
    /// Only ever locked by the holder of the baton, so never waited for.
    unsent: Mutex<Unsent>,
    reader: OnceLock<Thread>,
    reader_waits: AtomicBool,
    closed: AtomicBool,
}

/// How far the writing got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// All that was queued is out.
    All,
    /// The peer takes no more just now.
    AsMuchAsFits,
}

impl Connection {
    pub(super) fn new(
        number: u64,
        seat: SeatId,
        stream: UnixStream,
        bell: Arc<Doorbell>,
        queue: Receiver<ServerFrame>,
    ) -> Connection {
        Connection {
            number,
            seat,
            stream,
            bell,
            queue,
            unsent: Mutex::default(),
            reader: OnceLock::new(),
            reader_waits: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// Writes what is queued; the caller has the baton.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(super) fn write(&self, engine: &Engine, patience: Patience) -> io::Result<Written> {
        let mut unsent = self.unsent.lock();
        loop {
            if unsent.fill(|| self.queue.try_recv().ok()) {
                self.tell_reader();
            }
            if unsent.is_empty() {
                // The queue is empty, so there is room to say what did not fit into it.
                if self.bell.owes() && engine.report_losses(self.seat) {
                    continue;
                }
                return Ok(Written::All);
            }
            match unsent.write(&self.stream, patience) {
                Ok(_) => {}
                Err(error)
                    if error.kind() == io::ErrorKind::WouldBlock
                        && patience == Patience::TakesWhatFits =>
                {
                    return Ok(Written::AsMuchAsFits);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The reader writes what is queued as far as it fits, and leaves the rest to the writer:
    /// it must not sleep over one peer while others wait for it to ring their bells.
    pub(super) fn flush(&self, engine: &Engine) -> io::Result<()> {
        if !self.bell.ask_for_reader() {
            return Ok(());
        }
        loop {
            match self.write(engine, Patience::TakesWhatFits)? {
                Written::All if self.bell.let_go() => return Ok(()),
                Written::All => {}
                Written::AsMuchAsFits => {
                    self.bell.pass_to_writer();
                    return Ok(());
                }
            }
        }
    }

    /// The reader sees to it that the next reply has a place. Gives `false` if the connection
    /// has been closed meanwhile.
    pub(super) fn make_room(&self, engine: &Engine) -> io::Result<bool> {
        if self.queue.len() < QUEUE {
            return Ok(true);
        }
        self.flush(engine)?;
        Ok(self.wait(|connection| connection.queue.len() < QUEUE))
    }

    /// The reader sees to it that everything queued is written. Gives `false` if the connection
    /// has been closed meanwhile.
    pub(super) fn empty(&self, engine: &Engine) -> io::Result<bool> {
        self.flush(engine)?;
        Ok(self.wait(|connection| connection.queue.is_empty() && connection.bell.is_free()))
    }

    /// Whether the peer has gone without asking for anything.
    pub(super) fn has_hung_up(&self) -> bool {
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        !matches!(recv(self.stream.as_raw_fd(), &mut [0], flags), Ok(1) | Err(Errno::EAGAIN))
    }

    /// Ends the connection: both threads find out.
    pub(super) fn close(&self) {
        // It may be closed already.
        let _ = self.stream.shutdown(Shutdown::Both);
        self.end_threads();
    }

    /// Ends both threads, if they wait for each other.
    pub(super) fn end_threads(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.bell.wake();
        self.tell_reader();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(super) fn has_reader(&self, reader: Thread) {
        // Set once, by the reader itself before anything else.
        let _ = self.reader.set(reader);
    }

    /// Wakes the reader if it waits for the writer to get on.
    pub(super) fn tell_reader(&self) {
        if self.reader_waits.load(Ordering::SeqCst)
            && let Some(reader) = self.reader.get()
        {
            reader.unpark();
        }
    }

    fn wait(&self, enough: impl Fn(&Connection) -> bool) -> bool {
        if enough(self) {
            return !self.is_closed();
        }
        self.reader_waits.store(true, Ordering::SeqCst);
        while !enough(self) && !self.is_closed() {
            std::thread::park();
        }
        self.reader_waits.store(false, Ordering::SeqCst);
        !self.is_closed()
    }
}
