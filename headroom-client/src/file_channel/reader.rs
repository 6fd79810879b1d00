//! One direction as one reader sees it: every message once, in the order of the numbers.
//!
//! What is behind the reader is told by its cursor alone, and what is gone by the numbers that
//! are missing; names and sizes of files decide nothing.

use std::fs;
use std::io::ErrorKind;

use super::cursor::Cursor;
use super::layout::{Layout, private_folder};
use super::lines::{Found, Lines};
use super::lock::{Lock, LockForLife};
use super::message::{self, Kind, Line, Message};
use super::{ChannelError, Gone, MAX_MESSAGE_BYTES, Received};

#[derive(Debug)]
pub(super) struct Reader {
    layout: Layout,
    name: String,
    lines: Lines,
    cursor: Cursor,
    /// The number of the last line that had one.
    seen_seq: u64,
    /// Read but not taken.
    held: Option<Held>,
    search: Option<Search>,
    /// Held for life: two programs with one cursor would each miss what the other takes.
    _lock: LockForLife,
}

/// What the last line said.
#[derive(Debug)]
enum Held {
    /// A file begins behind this number.
    FileAfter(u64),
    Message(Box<Message>),
    Unreadable(String),
}

/// How far it was looked for a response.
#[derive(Debug)]
struct Search {
    id: String,
    lines: Lines,
    next_seq: u64,
}

impl Reader {
    pub(super) fn open(layout: &Layout, name: &str) -> Result<Reader, ChannelError> {
        private_folder(&layout.cursors())?;
        let lock = Lock::open(&layout.reader_lock(name))?.take_for_life()?;
        let Some(lock) = lock else {
            let path = layout.folder().to_owned();
            return Err(ChannelError::ReaderInUse { reader: name.to_owned(), path });
        };
        let known = Cursor::load(&layout.cursor(name))?;
        let reader = Reader {
            layout: layout.clone(),
            name: name.to_owned(),
            lines: Lines::new(layout.clone()),
            cursor: known.clone().unwrap_or_default(),
            seen_seq: 0,
            held: None,
            search: None,
            _lock: lock,
        };
        if known.is_none() {
            // From now on writers wait for it.
            reader.save()?;
        }
        Ok(reader)
    }

    pub(super) fn save(&self) -> Result<(), ChannelError> {
        self.cursor.save(&self.layout, &self.name)
    }

    /// Passes everything up to this message.
    pub(super) fn pass_to(&mut self, seq: u64) -> Result<(), ChannelError> {
        self.cursor.pass_to(seq);
        self.held = None;
        self.save()
    }

    /// Whether there is something to take.
    pub(super) fn has_more(&mut self) -> Result<bool, ChannelError> {
        loop {
            let is_news = match &self.held {
                None => {
                    self.held = self.read()?;
                    if self.held.is_none() {
                        return Ok(false);
                    }
                    continue;
                }
                Some(Held::Message(message)) => !self.cursor.has_passed(message.seq),
                Some(Held::FileAfter(seq)) => {
                    self.cursor.unread_in(self.cursor.next_seq(), *seq) > 0
                }
                Some(Held::Unreadable(_)) => true,
            };
            if is_news {
                return Ok(true);
            }
            self.held = None;
        }
    }

    /// Takes the next. Only `save` makes that last.
    pub(super) fn take(&mut self) -> Result<Option<Received>, ChannelError> {
        while self.has_more()? {
            match self.held.take() {
                Some(Held::Message(message)) => {
                    // Those in front of it are gone, unless each was taken before.
                    if let Some(gone) = self.pass_gone(message.seq - 1) {
                        self.held = Some(Held::Message(message));
                        return Ok(Some(gone));
                    }
                    self.cursor.pass_to(message.seq);
                    return Ok(Some(Received::Message(*message)));
                }
                Some(Held::FileAfter(seq)) => {
                    if let Some(gone) = self.pass_gone(seq) {
                        return Ok(Some(gone));
                    }
                }
                Some(Held::Unreadable(why)) => {
                    let path = self.lines.path().to_owned();
                    return Ok(Some(Received::Unreadable { path, why }));
                }
                None => {}
            }
        }
        Ok(None)
    }

    /// Passes messages that are no longer there, and says so if some were not read.
    fn pass_gone(&mut self, last_seq: u64) -> Option<Received> {
        let first_seq = self.cursor.next_seq();
        let count = self.cursor.unread_in(first_seq, last_seq);
        self.cursor.pass_to(last_seq);
        (count > 0).then_some(Received::Gone(Gone { first_seq, last_seq, count }))
    }

    /// The next line that may say something to this reader.
    fn read(&mut self) -> Result<Option<Held>, ChannelError> {
        while let Some(found) = self.lines.next(self.cursor.next_seq())? {
            let line = match found {
                Found::FileAfter(seq) => {
                    self.seen_seq = seq;
                    return Ok(Some(Held::FileAfter(seq)));
                }
                // In front of what was read before, so it was told then.
                Found::Overlong if self.seen_seq < self.cursor.seq => continue,
                Found::Overlong => {
                    let why = format!("the line is longer than {MAX_MESSAGE_BYTES} bytes");
                    return Ok(Some(Held::Unreadable(why)));
                }
                Found::Line(line) => line,
            };
            match message::parse(&line, self.layout.from) {
                Ok(Line::Message(message)) if message.seq > 0 => {
                    self.seen_seq = message.seq;
                    return Ok(Some(Held::Message(message)));
                }
                Ok(Line::Message(_)) | Err(_) if self.seen_seq < self.cursor.seq => {}
                Ok(Line::Message(_)) => {
                    return Ok(Some(Held::Unreadable("its seq is 0, but the first is 1".into())));
                }
                // Of a script that has put files together.
                Ok(Line::Header { .. } | Line::OtherVersion(_)) => {}
                Err(why) => return Ok(Some(Held::Unreadable(why))),
            }
        }
        Ok(None)
    }

    /// Takes the response to a request from wherever it stands, if it is there.
    pub(super) fn take_response(&mut self, id: &str) -> Result<Option<Message>, ChannelError> {
        let mut search = match self.search.take() {
            // Further than there, nothing was there the last time.
            Some(search) if search.id == id && search.next_seq > self.cursor.seq => search,
            _ => Search {
                id: id.to_owned(),
                lines: Lines::new(self.layout.clone()),
                next_seq: self.cursor.next_seq(),
            },
        };
        while let Some(found) = search.lines.next(search.next_seq)? {
            let Found::Line(line) = found else { continue };
            let Ok(Line::Message(message)) = message::parse(&line, self.layout.from) else {
                continue;
            };
            search.next_seq = search.next_seq.max(message.seq + 1);
            let is_it = message.kind == Kind::Response && message.reply_to.as_deref() == Some(id);
            if is_it && !self.cursor.has_passed(message.seq) {
                self.cursor.pass_only(message.seq)?;
                self.save()?;
                return Ok(Some(*message));
            }
        }
        self.search = Some(search);
        Ok(None)
    }
}

/// Lets go of a reader that will not come back. Says whether it was known.
pub(super) fn forget(layout: &Layout, name: &str) -> Result<bool, ChannelError> {
    let path = layout.cursor(name);
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(ChannelError::Io { doing: "removing", path, source }),
    }
}
