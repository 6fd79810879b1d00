//! A file channel: messages between two sides that share nothing but a directory.
//!
//! For front ends that can only read and write files: sandboxed panels, scripts of OBS, widgets
//! in JavaScript, machines that share a directory. One side is the *backend*, which knows and
//! does; the other is the *frontend*, which asks and shows. `headroom bridge files` is a backend.
//!
//! ```
//! use headroom_client::{FileChannel, Kind, Received};
//! use serde_json::json;
//! # let home = tempfile::tempdir()?;
//! # let directory = home.path().join("panel");
//!
//! let mut panel = FileChannel::frontend(&directory)?;
//! let mut service = FileChannel::backend(&directory)?; // in another program
//!
//! let id = panel.send_request("double", &json!({"number": 21}))?;
//! for received in service.recv()? {
//!     if let Received::Message(request) = received
//!         && request.kind == Kind::Request
//!     {
//!         let number = request.payload["number"].as_i64().unwrap_or_default();
//!         service.send_event("busy", &json!(true))?;
//!         service.send_response(&request.id, &json!(number * 2))?;
//!     }
//! }
//! let response = panel.wait_response(&id, std::time::Duration::from_secs(5))?.expect("in time");
//! assert_eq!(response.payload, json!(42));
//! // What was in front of the response is still there.
//! let Some(Received::Message(event)) = panel.recv_one()? else { panic!() };
//! assert_eq!(event.method.as_deref(), Some("busy"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Each direction is one file of JSON lines, `backend.jsonl` and `frontend.jsonl` by who writes
//! it, so that a script can follow it with a line reader; BRIDGES.md says what a script must know
//! to take part. When the file is full (1 MiB by default) it gets the number of its first message
//! into its name and a new one begins.
//!
//! - **Order** is that of the numbers that messages get under the writers' lock, never of clocks.
//! - **Nothing is lost, doubled or replayed.** What `send_...` has returned for is in the file,
//!   also when this process is killed the moment after. Each reader has a cursor in a file of its
//!   own, moved before a message is handed over; a channel that is opened again goes on there.
//! - **Nothing grows without bound.** What every known reader has read is removed with the next
//!   rotation. Where nobody has read yet, the oldest goes. Where a known reader has left 16 MiB
//!   (by default) unread, sending fails with [`ChannelError::Behind`] until it reads or is
//!   [forgotten](FileChannel::forget_reader).
//! - **A reader that starts late** gets what is still there, and [`Received::Gone`] for what is not.
//! - **Waiting** costs nothing where inotify works; elsewhere (network shares, sandboxes) the
//!   files are looked at [every 100 ms](FileChannelOptions::interval).
//!
//! The directory has mode 0700 and the files 0600. Nothing is flushed to the device: what was sent
//! outlives any process, but a machine that loses its power may lose the last of it, which is then
//! told as gone.

mod cursor;
mod error;
mod layout;
mod lines;
mod lock;
mod message;
mod options;
mod reader;
mod received;
mod watch;
mod writer;

use std::ops::ControlFlow;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

pub use error::ChannelError;
use layout::Layout;
use message::Outgoing;
pub use message::{Kind, Message};
pub use options::FileChannelOptions;
use reader::Reader;
pub use received::{Gone, Received};
use watch::Watch;
use writer::Writer;

use crate::deadline::Deadline;

/// The version of the files. Another one is refused.
pub const VERSION: u64 = 1;

/// A message is at most so long as a line, with its end.
pub const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// One [`recv`](FileChannel::recv) gives so many at most.
pub const MAX_BATCH: usize = 1024;

/// And stops behind the message that makes it so many bytes of payload and more, roughly.
const MAX_BATCH_BYTES: usize = 4 << 20;

/// So many messages can be taken at most from behind unread ones, by
/// [`wait_response`](FileChannel::wait_response).
pub const MAX_AHEAD: usize = 4096;

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It knows and does.
    Backend,
    /// It asks and shows.
    Frontend,
}

impl Side {
    /// As in the names of files and readers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Side::Backend => "backend",
            Side::Frontend => "frontend",
        }
    }

    const fn other(self) -> Side {
        match self {
            Side::Backend => Side::Frontend,
            Side::Frontend => Side::Backend,
        }
    }
}

/// One side of a file channel. The other is another one, in the same process or in any.
#[derive(Debug)]
pub struct FileChannel {
    side: Side,
    writer: Writer,
    incoming: Layout,
    options: FileChannelOptions,
    /// From the first read on: who only sends keeps nobody waiting.
    reader: Option<Reader>,
    watch: Option<Watch>,
}

impl FileChannel {
    /// The side that knows and does. Makes the directory if it is not there.
    ///
    /// # Errors
    /// [`ChannelError::OtherVersion`], [`ChannelError::OpenToOthers`], [`ChannelError::NotOurs`],
    /// and those of the files.
    pub fn backend(directory: impl AsRef<Path>) -> Result<FileChannel, ChannelError> {
        FileChannelOptions::new().backend(directory)
    }

    /// The side that asks and shows. Makes the directory if it is not there.
    ///
    /// # Errors
    /// As for [`backend`](FileChannel::backend).
    pub fn frontend(directory: impl AsRef<Path>) -> Result<FileChannel, ChannelError> {
        FileChannelOptions::new().frontend(directory)
    }

    fn open(
        directory: &Path,
        side: Side,
        options: FileChannelOptions,
    ) -> Result<FileChannel, ChannelError> {
        layout::private_folder(directory)?;
        let writer = Writer::open(Layout::new(directory, side), &options)?;
        let incoming = Layout::new(directory, side.other());
        // So that each side finds both files, and another version of either is refused.
        drop(Writer::open(incoming.clone(), &options)?);
        Ok(FileChannel { side, writer, incoming, options, reader: None, watch: None })
    }

    /// Which side this is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Asks something. Gives the id that its response will name.
    ///
    /// # Errors
    /// [`ChannelError::Behind`], [`ChannelError::TooLong`], [`ChannelError::Locked`], and those
    /// of the files. Nothing was sent then.
    pub fn send_request(
        &mut self,
        method: &str,
        payload: &impl Serialize,
    ) -> Result<String, ChannelError> {
        let (reply_to, method) = (None, Some(method));
        let payload = Some(payload);
        self.send(&Outgoing { kind: Kind::Request, reply_to, method, payload, error: None })
    }

    /// Answers a request. Gives the id of the response.
    ///
    /// # Errors
    /// As for [`send_request`](FileChannel::send_request).
    pub fn send_response(
        &mut self,
        reply_to: &str,
        payload: &impl Serialize,
    ) -> Result<String, ChannelError> {
        let (reply_to, payload) = (Some(reply_to), Some(payload));
        self.send(&Outgoing { kind: Kind::Response, reply_to, method: None, payload, error: None })
    }

    /// Refuses a request, with what the other side is to know of it. Gives the id of the response.
    ///
    /// # Errors
    /// As for [`send_request`](FileChannel::send_request).
    pub fn send_error(
        &mut self,
        reply_to: &str,
        error: &impl Serialize,
    ) -> Result<String, ChannelError> {
        let (reply_to, error) = (Some(reply_to), Some(error));
        self.send(&Outgoing { kind: Kind::Response, reply_to, method: None, payload: None, error })
    }

    /// Tells something. Gives the id of the event.
    ///
    /// # Errors
    /// As for [`send_request`](FileChannel::send_request).
    pub fn send_event(
        &mut self,
        method: &str,
        payload: &impl Serialize,
    ) -> Result<String, ChannelError> {
        let (reply_to, method) = (None, Some(method));
        let payload = Some(payload);
        self.send(&Outgoing { kind: Kind::Event, reply_to, method, payload, error: None })
    }

    fn send<P: Serialize>(&mut self, message: &Outgoing<'_, P>) -> Result<String, ChannelError> {
        self.writer.send(message)
    }

    /// Everything that has come, or the first [`MAX_BATCH`] of it; nothing where nothing has. Does
    /// not wait.
    ///
    /// # Errors
    /// [`ChannelError::ReaderInUse`], [`ChannelError::Cursor`], [`ChannelError::OtherVersion`],
    /// and those of the files.
    pub fn recv(&mut self) -> Result<Vec<Received>, ChannelError> {
        self.hear();
        let reader = self.reader()?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < MAX_BATCH && bytes < MAX_BATCH_BYTES {
            let Some(received) = reader.take()? else { break };
            bytes += received.weight_bytes();
            batch.push(received);
        }
        if !batch.is_empty() {
            reader.save()?;
        }
        Ok(batch)
    }

    /// The next that has come, if one has; what is behind it stays. Does not wait.
    ///
    /// # Errors
    /// As for [`recv`](FileChannel::recv).
    pub fn recv_one(&mut self) -> Result<Option<Received>, ChannelError> {
        self.hear();
        let reader = self.reader()?;
        let received = reader.take()?;
        if received.is_some() {
            reader.save()?;
        }
        Ok(received)
    }

    /// Waits until something has come. Says whether something has.
    ///
    /// # Errors
    /// As for [`recv`](FileChannel::recv).
    pub fn wait(&mut self, timeout: Duration) -> Result<bool, ChannelError> {
        let deadline = Deadline::within(timeout);
        self.wait_for(deadline, self.options.interval, |reader| {
            Ok(reader.has_more()?.then_some(()))
        })
        .map(|come| come.is_some())
    }

    /// Waits for the response to a request, and takes it from wherever it stands; all others stay,
    /// in their order. None where the time is over.
    ///
    /// # Errors
    /// As for [`recv`](FileChannel::recv), and [`ChannelError::TooFarAhead`].
    pub fn wait_response(
        &mut self,
        id: &str,
        timeout: Duration,
    ) -> Result<Option<Message>, ChannelError> {
        let deadline = Deadline::within(timeout);
        self.wait_for(deadline, self.options.interval, |reader| reader.take_response(id))
    }

    /// Hands over everything that comes, one by one, until the callback breaks. Where the kernel
    /// cannot tell of news, it looks for them once every `interval`.
    ///
    /// # Errors
    /// As for [`recv`](FileChannel::recv).
    pub fn poll(
        &mut self,
        interval: Duration,
        mut callback: impl FnMut(&mut FileChannel, Received) -> ControlFlow<()>,
    ) -> Result<(), ChannelError> {
        loop {
            // One by one, so that what the callback does not come to stays.
            while let Some(received) = self.recv_one()? {
                if callback(self, received).is_break() {
                    return Ok(());
                }
            }
            self.wait_for(Deadline::NEVER, interval, |reader| {
                Ok(reader.has_more()?.then_some(()))
            })?;
        }
    }

    /// Lets go of every message that there is, both ways, read or not. This reader goes on with
    /// what comes after; others are told that the messages are gone.
    ///
    /// # Errors
    /// [`ChannelError::Locked`], and those of the files.
    pub fn clear(&mut self) -> Result<(), ChannelError> {
        self.writer.clear()?;
        let last_seq = Writer::open(self.incoming.clone(), &self.options)?.clear()?;
        self.reader()?.pass_to(last_seq)
    }

    /// Lets go of a reader of what this side sends, by its name, so that nothing is kept for it any
    /// longer. If it comes back it is a new one. Says whether it was known.
    ///
    /// # Errors
    /// Those of the files.
    pub fn forget_reader(&mut self, name: &str) -> Result<bool, ChannelError> {
        reader::forget(&Layout::new(self.incoming.folder(), self.side), name)
    }

    /// What becomes readable when something may have come, for an event loop that then calls
    /// [`recv`](FileChannel::recv) or [`recv_one`](FileChannel::recv_one) until it gives nothing. None where the kernel cannot tell:
    /// look again every now and then.
    ///
    /// # Errors
    /// As for [`recv`](FileChannel::recv).
    pub fn descriptor(&mut self) -> Result<Option<BorrowedFd<'_>>, ChannelError> {
        self.reader()?;
        Ok(self.watch().descriptor())
    }

    fn wait_for<T>(
        &mut self,
        deadline: Deadline,
        interval: Duration,
        mut look: impl FnMut(&mut Reader) -> Result<Option<T>, ChannelError>,
    ) -> Result<Option<T>, ChannelError> {
        loop {
            // Watched before it is looked, so that nothing comes in between.
            self.watch();
            if let Some(found) = look(self.reader()?)? {
                return Ok(Some(found));
            }
            if deadline.left().is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            let incoming = self.incoming.clone();
            self.watch().wait(&incoming, interval, deadline)?;
        }
    }

    /// Takes the news before it looks, so that none of later ones is taken with them.
    fn hear(&self) {
        if let Some(watch) = &self.watch {
            watch.drain(&self.incoming);
        }
    }

    fn watch(&mut self) -> &Watch {
        let (incoming, wanted) = (&self.incoming, self.options.wanted);
        self.watch.get_or_insert_with(|| Watch::begin(incoming, wanted))
    }

    fn reader(&mut self) -> Result<&mut Reader, ChannelError> {
        let opened = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.incoming, self.options.name_of(self.side))?,
        };
        Ok(self.reader.insert(opened))
    }
}
