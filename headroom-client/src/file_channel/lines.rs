//! A place among the files of one direction, and the lines from there on.
//!
//! It reads whole lines only, and it follows rotation: a file keeps its identity when it gets
//! another name, and is never written to after that, so that at its end the next one goes on.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::layout::{FileId, Layout, open_private};
use super::writer::first_line;
use super::{ChannelError, MAX_MESSAGE_BYTES};

/// One read takes so many bytes, unless a line is longer.
const READ_BYTES: usize = 64 * 1024;

/// A place among the lines.
#[derive(Debug)]
pub(super) struct Lines {
    layout: Layout,
    open: Option<OpenFile>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    id: FileId,
    path: PathBuf,
    /// Where the next line begins.
    at: u64,
    /// The bytes of the buffer from there on that are not given yet.
    buffered: std::ops::Range<usize>,
    /// Within a line that is longer than any message, which is skipped to its end.
    in_overlong: bool,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The file begins; the number in front of its first message.
    FileAfter(u64),
    Line(Vec<u8>),
    /// One that is over the limit.
    Overlong,
}

impl Lines {
    pub(super) fn new(layout: Layout) -> Lines {
        Lines { layout, open: None, buffer: Vec::new() }
    }

    /// The file that the last line was in.
    pub(super) fn path(&self) -> &Path {
        self.open.as_ref().map_or_else(|| self.layout.folder(), |open| &open.path)
    }

    /// The next line, or none while there is none. `next_seq` is the number that is looked for.
    pub(super) fn next(&mut self, next_seq: u64) -> Result<Option<Found>, ChannelError> {
        loop {
            if self.open.is_none() && !self.begin(next_seq)? {
                return Ok(None);
            }
            if let Some(found) = self.line()? {
                return Ok(Some(found));
            }
            if self.is_active()? {
                return Ok(None);
            }
            // It was rotated: written to for the last time before that, but perhaps after we looked.
            if let Some(found) = self.line()? {
                return Ok(Some(found));
            }
            if !self.follow(next_seq)? {
                return Ok(None);
            }
        }
    }

    /// The next line of this file.
    fn line(&mut self) -> Result<Option<Found>, ChannelError> {
        let Some(open) = &mut self.open else { return Ok(None) };
        let mut wanted = READ_BYTES;
        loop {
            let bytes = &self.buffer[open.buffered.clone()];
            if let Some(length) = bytes.iter().position(|byte| *byte == b'\n') {
                let begins = open.at == 0;
                let line = bytes[..length].to_vec();
                open.buffered.start += length + 1;
                open.at += length as u64 + 1;
                if begins {
                    let before = first_line(&line, self.layout.from, &open.path)?;
                    return Ok(Some(Found::FileAfter(before)));
                }
                if std::mem::take(&mut open.in_overlong) {
                    return Ok(Some(Found::Overlong));
                }
                return Ok(Some(Found::Line(line)));
            }
            if bytes.len() >= MAX_MESSAGE_BYTES {
                open.at += bytes.len() as u64;
                open.buffered = 0..0;
                open.in_overlong = true;
                wanted = READ_BYTES;
            }
            // From the beginning of the line each time: what there was of it may have been the
            // rest of a writer that was killed, and another line may stand there now.
            if open.buffered.len() == wanted {
                wanted *= 2;
            }
            self.buffer.resize(wanted, 0);
            let count = read_full(&open.file, &mut self.buffer, open.at)
                .map_err(ChannelError::io("reading", &open.path))?;
            open.buffered = 0..count;
            if count < wanted && !self.buffer[..count].contains(&b'\n') {
                // The end of the line is not there yet.
                open.buffered = 0..0;
                return Ok(None);
            }
        }
    }

    /// Whether this file is the one that is written to.
    fn is_active(&self) -> Result<bool, ChannelError> {
        let path = self.layout.active();
        match std::fs::symlink_metadata(&path) {
            Ok(metadata) => {
                Ok(self.open.as_ref().is_some_and(|open| open.id == FileId::of(&metadata)))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(source) => Err(ChannelError::Io { doing: "reading", path, source }),
        }
    }

    /// Opens the file with this number, or the first behind it. Says whether there is one.
    fn begin(&mut self, next_seq: u64) -> Result<bool, ChannelError> {
        loop {
            let active = self.layout.active();
            let newest = OpenFile::open(&active)?;
            // After the active one, so that none is between the two.
            let rotated = self.layout.all_rotated()?;
            if let Some(mut newest) = newest {
                let mut buffer = vec![0; 256];
                let count = read_full(&newest.file, &mut buffer, 0)
                    .map_err(ChannelError::io("reading", &active))?;
                let end = buffer[..count].iter().position(|byte| *byte == b'\n');
                let before = match end {
                    Some(end) => Some(first_line(&buffer[..end], self.layout.from, &active)?),
                    None if count < buffer.len() => None,
                    None => Some(first_line(&[], self.layout.from, &active)?),
                };
                if rotated.is_empty() || before.is_some_and(|before| before < next_seq) {
                    newest.path = active;
                    self.open = Some(newest);
                    return Ok(true);
                }
            }
            let place = rotated.partition_point(|(first_seq, _)| *first_seq <= next_seq);
            let Some((_, path)) = rotated.get(place.saturating_sub(1)) else { return Ok(false) };
            self.open = OpenFile::open(path)?;
            if self.open.is_some() {
                return Ok(true);
            }
            // A writer has just removed it: look again.
        }
    }

    /// Goes to the file behind this one, which was rotated. Says whether there is one.
    fn follow(&mut self, next_seq: u64) -> Result<bool, ChannelError> {
        let Some(here) = self.open.as_ref().map(|open| open.id) else { return Ok(false) };
        loop {
            let rotated = self.layout.all_rotated()?.into_iter().map(|(_, path)| path);
            let mut files = rotated.chain([self.layout.active()]);
            let is_here = |path: &PathBuf| {
                std::fs::symlink_metadata(path).is_ok_and(|data| FileId::of(&data) == here)
            };
            let was_found = files.any(|path| is_here(&path));
            let Some(next) = files.next() else {
                if was_found {
                    // It is the active one again, which it never becomes; or was until now.
                    return Ok(false);
                }
                // Everybody has read it, or it was cleared.
                self.open = None;
                return self.begin(next_seq);
            };
            match OpenFile::open(&next)? {
                Some(open) => {
                    self.open = Some(open);
                    return Ok(true);
                }
                // Between its rotation and the next file.
                None if next == self.layout.active() => return Ok(false),
                // Removed just now: look again.
                None => {}
            }
        }
    }
}

impl OpenFile {
    fn open(path: &Path) -> Result<Option<OpenFile>, ChannelError> {
        let opened = open_private(path, OpenOptions::new().read(true));
        let file = match opened {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(ChannelError::io("opening", path))?,
        };
        let metadata = file.metadata().map_err(ChannelError::io("reading", path))?;
        let id = FileId::of(&metadata);
        let path = path.to_owned();
        Ok(Some(OpenFile { file, id, path, at: 0, buffered: 0..0, in_overlong: false }))
    }
}

/// Reads until the buffer is full or the file ends.
fn read_full(file: &File, buffer: &mut [u8], at: u64) -> std::io::Result<usize> {
    let mut count = 0;
    while count < buffer.len() {
        match file.read_at(&mut buffer[count..], at + count as u64) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}
