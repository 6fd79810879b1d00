//! One direction as those who send into it see it: one line at a time under the lock, a new file
//! when one is full, and the old ones gone once everybody has read them.
//!
//! A line is written by one call and counts once its end is there. What a writer that was killed
//! has left of a line is cut off by the next, under the lock; nobody has read it, because readers
//! wait for the end. Nothing is flushed to the device: what was sent outlives every process that
//! ends, but not a machine that loses its power, whose last messages may be gone. They are then
//! told as gone, because no number is given twice.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::cursor::Cursor;
use super::layout::{FileId, Layout, open_private};
use super::lock::Lock;
use super::message::{self, Line, Outgoing};
use super::{ChannelError, FileChannelOptions};

/// One read takes so many bytes.
const READ_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Writer {
    layout: Layout,
    lock: Lock,
    active: Option<Active>,
    segment_bytes: u64,
    limit_bytes: u64,
    patience: Duration,
}

/// The file that is written now, as this writer has seen it last.
#[derive(Debug)]
struct Active {
    file: File,
    id: FileId,
    /// The number in its first line.
    before_seq: u64,
    last_seq: u64,
    /// Where its last whole line ends.
    end: u64,
    /// What is kept in the files before it.
    older_bytes: u64,
}

impl Writer {
    pub(super) fn open(
        layout: Layout,
        options: &FileChannelOptions,
    ) -> Result<Writer, ChannelError> {
        let lock = Lock::open(&layout.lock())?;
        let mut writer = Writer {
            layout,
            lock,
            active: None,
            segment_bytes: options.segment_bytes,
            limit_bytes: options.limit_bytes,
            patience: options.patience,
        };
        // So that a script finds its file, and another version is refused here.
        writer.locked(|writer| writer.catch_up().map(|_| ()))?;
        Ok(writer)
    }

    /// Does something while nobody else writes.
    fn locked<T>(
        &mut self,
        work: impl FnOnce(&mut Unlocked<'_>) -> Result<T, ChannelError>,
    ) -> Result<T, ChannelError> {
        let _held = self.lock.hold(self.patience)?;
        work(&mut Unlocked {
            layout: &self.layout,
            active: &mut self.active,
            segment_bytes: self.segment_bytes,
            limit_bytes: self.limit_bytes,
        })
    }

    /// Sends a message, and gives its id.
    pub(super) fn send<P: Serialize>(
        &mut self,
        message: &Outgoing<'_, P>,
    ) -> Result<String, ChannelError> {
        self.locked(|writer| writer.append(message))
    }

    /// Lets go of every message that there is, read or not. Gives the number of the last.
    pub(super) fn clear(&mut self) -> Result<u64, ChannelError> {
        self.locked(|writer| {
            let last_seq = writer.catch_up()?.last_seq;
            writer.begin(last_seq)?;
            for (_, path) in writer.layout.all_rotated()? {
                fs::remove_file(&path).map_err(ChannelError::io("removing", path))?;
            }
            writer.active()?.older_bytes = 0;
            Ok(last_seq)
        })
    }
}

/// A writer that holds the lock.
struct Unlocked<'a> {
    layout: &'a Layout,
    active: &'a mut Option<Active>,
    segment_bytes: u64,
    limit_bytes: u64,
}

impl Unlocked<'_> {
    fn append<P: Serialize>(&mut self, message: &Outgoing<'_, P>) -> Result<String, ChannelError> {
        let last_seq = self.catch_up()?.last_seq;
        let (line, id) = message.line(self.layout.from, last_seq + 1)?;
        let length = line.len() as u64;
        let (segment_bytes, limit_bytes) = (self.segment_bytes, self.limit_bytes);
        let active = self.active()?;
        let is_full = active.end + length > segment_bytes && last_seq > active.before_seq;
        if is_full || active.older_bytes + active.end + length > limit_bytes {
            let header =
                if is_full { message::header(self.layout.from, last_seq).len() } else { 0 };
            self.make_room(length + header as u64)?;
        }
        if is_full {
            let rotated = self.layout.rotated(self.active()?.before_seq + 1);
            fs::rename(self.layout.active(), &rotated)
                .map_err(ChannelError::io("rotating to", rotated))?;
            self.begin(last_seq)?;
        }
        let path = self.layout.active();
        let active = self.active()?;
        // As a whole or not at all, as far as this process has a say.
        if let Err(source) = (&active.file).write_all(&line) {
            let _ = active.file.set_len(active.end);
            return Err(ChannelError::Io { doing: "writing", path, source });
        }
        active.end += length;
        active.last_seq += 1;
        Ok(id)
    }

    /// Sees what others have written since, cuts off what one of them has left unfinished, and
    /// makes the file where there is none.
    fn catch_up(&mut self) -> Result<&mut Active, ChannelError> {
        let path = self.layout.active();
        let now = match fs::symlink_metadata(&path) {
            Ok(metadata) => Some((FileId::of(&metadata), metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(source) => return Err(ChannelError::Io { doing: "reading", path, source }),
        };
        let seen = self.active.as_ref().map(|active| (active.id, active.end));
        match (now, seen) {
            (Some(now), Some(seen)) if now == seen => {}
            // Longer: there is more. Shorter: somebody has emptied it.
            (Some((id, length)), Some((seen_id, end))) if id == seen_id && length > end => {
                self.scan()?;
            }
            (Some((id, _)), _) => self.open(id)?,
            // A writer was killed while it rotated, or there never was one.
            (None, _) => {
                let last_seq = self.last_known_seq()?;
                self.begin(last_seq)?;
            }
        }
        self.active()
    }

    fn active(&mut self) -> Result<&mut Active, ChannelError> {
        self.active.as_mut().ok_or_else(|| ChannelError::Io {
            doing: "opening",
            path: self.layout.active(),
            source: ErrorKind::NotFound.into(),
        })
    }

    fn open(&mut self, id: FileId) -> Result<(), ChannelError> {
        let path = self.layout.active();
        let file = open_private(&path, OpenOptions::new().read(true).append(true))
            .map_err(ChannelError::io("opening", &path))?;
        let older_bytes = self.older_bytes()?;
        *self.active = Some(Active { file, id, before_seq: 0, last_seq: 0, end: 0, older_bytes });
        self.scan()?;
        if self.active()?.end == 0 {
            // Nothing whole is in it, not even the first line.
            let last_seq = self.last_known_seq()?;
            return self.begin(last_seq);
        }
        // A machine that has lost its power may have lost messages that were read.
        let read = self.farthest_cursor()?;
        let active = self.active()?;
        active.last_seq = active.last_seq.max(read);
        Ok(())
    }

    /// Reads on from the last whole line that is known, to the last that there is.
    fn scan(&mut self) -> Result<(), ChannelError> {
        let (path, from) = (self.layout.active(), self.layout.from);
        let active = self.active()?;
        let mut held: Vec<u8> = Vec::new();
        let mut chunk = vec![0; READ_BYTES];
        loop {
            let at = active.end + held.len() as u64;
            let count =
                active.file.read_at(&mut chunk, at).map_err(ChannelError::io("reading", &path))?;
            if count == 0 {
                break;
            }
            held.extend_from_slice(&chunk[..count]);
            let mut start = 0;
            while let Some(length) = held[start..].iter().position(|byte| *byte == b'\n') {
                let line = &held[start..start + length];
                if active.end == 0 {
                    active.before_seq = first_line(line, from, &path)?;
                    active.last_seq = active.before_seq;
                }
                // A line that is none takes no number; readers say what is wrong with it.
                active.last_seq = active.last_seq.max(message::seq_of(line).unwrap_or(0));
                start += length + 1;
                active.end += length as u64 + 1;
            }
            held.drain(..start);
        }
        if !held.is_empty() {
            active.file.set_len(active.end).map_err(ChannelError::io("repairing", &path))?;
        }
        Ok(())
    }

    /// Puts a new file in the place of the active one, whatever is there.
    fn begin(&mut self, last_seq: u64) -> Result<(), ChannelError> {
        let (path, unfinished) = (self.layout.active(), self.layout.unfinished());
        let header = message::header(self.layout.from, last_seq);
        let mut options = OpenOptions::new();
        // One that was left unfinished is nobody's.
        let _ = fs::remove_file(&unfinished);
        let mut file = open_private(&unfinished, options.read(true).append(true).create_new(true))
            .map_err(ChannelError::io("making", &unfinished))?;
        file.write_all(header.as_bytes()).map_err(ChannelError::io("writing", &unfinished))?;
        fs::rename(&unfinished, &path).map_err(ChannelError::io("making", &path))?;
        let metadata = file.metadata().map_err(ChannelError::io("reading", &path))?;
        *self.active = Some(Active {
            file,
            id: FileId::of(&metadata),
            before_seq: last_seq,
            last_seq,
            end: header.len() as u64,
            older_bytes: self.older_bytes()?,
        });
        Ok(())
    }

    /// What is kept in files that were rotated.
    fn older_bytes(&self) -> Result<u64, ChannelError> {
        self.layout.all_rotated()?.iter().try_fold(0, |sum, (_, path)| Ok(sum + length_of(path)?))
    }

    /// The highest number that was given, where no active file says so.
    fn last_known_seq(&mut self) -> Result<u64, ChannelError> {
        let mut last_seq = self.farthest_cursor()?;
        if let Some((first_seq, path)) = self.layout.all_rotated()?.pop() {
            let bytes = fs::read(&path).map_err(ChannelError::io("reading", path))?;
            let seqs = bytes.split(|byte| *byte == b'\n').filter_map(message::seq_of);
            last_seq = seqs.fold(last_seq.max(first_seq - 1), u64::max);
        }
        Ok(last_seq)
    }

    fn farthest_cursor(&self) -> Result<u64, ChannelError> {
        let cursors = self.cursors()?;
        Ok(cursors.iter().map(|(_, seq)| *seq).max().unwrap_or(0))
    }

    /// Every reader and how far it has come. One whose cursor cannot be read has read nothing.
    fn cursors(&self) -> Result<Vec<(String, u64)>, ChannelError> {
        let readers = self.layout.readers()?.into_iter();
        let seq = |reader: String| match Cursor::load(&self.layout.cursor(&reader)) {
            Ok(cursor) => cursor.map(|cursor| (reader, cursor.seq)),
            Err(_) => Some((reader, 0)),
        };
        Ok(readers.filter_map(seq).collect())
    }

    /// Removes what everybody has read, and with no cursor the oldest, until so many bytes find
    /// room.
    fn make_room(&mut self, length: u64) -> Result<(), ChannelError> {
        let slowest = self.cursors()?.into_iter().min_by_key(|(_, seq)| *seq);
        let before_active = self.active()?.before_seq;
        let mut kept_bytes = self.active()?.end + length;
        let rotated = self.layout.all_rotated()?;
        let ends = rotated.iter().skip(1).map(|(first_seq, _)| first_seq - 1);
        let ends: Vec<u64> = ends.chain([before_active]).collect();
        // From the newest back, so that what finds no room is the oldest.
        let mut drops = false;
        for ((_, path), last_seq) in rotated.iter().zip(ends).rev() {
            let with_it = kept_bytes + length_of(path)?;
            let is_kept = match &slowest {
                Some((_, seq)) => last_seq > *seq,
                None => with_it <= self.limit_bytes,
            };
            drops |= !is_kept;
            if !drops {
                kept_bytes = with_it;
            } else {
                fs::remove_file(path).map_err(ChannelError::io("removing", path))?;
            }
        }
        match slowest {
            Some((reader, seq))
                if kept_bytes > self.limit_bytes && seq < self.active()?.last_seq =>
            {
                let path = self.layout.folder().to_owned();
                let limit_bytes = self.limit_bytes;
                Err(ChannelError::Behind { reader, kept_bytes, limit_bytes, path })
            }
            _ => Ok(()),
        }
    }
}

fn length_of(path: &Path) -> Result<u64, ChannelError> {
    fs::metadata(path).map(|data| data.len()).map_err(ChannelError::io("reading", path))
}

/// The number in the first line of a file.
pub(super) fn first_line(line: &[u8], from: super::Side, path: &Path) -> Result<u64, ChannelError> {
    let other = |found: String| ChannelError::OtherVersion { path: path.to_owned(), found };
    match message::parse(line, from) {
        Ok(Line::Header { seq }) => Ok(seq),
        Ok(Line::OtherVersion(version)) => Err(other(format!("of version {version}"))),
        Ok(Line::Message(_)) | Err(_) => Err(other("no file channel".to_owned())),
    }
}
