//! A file as the decoders read it, and whether it has its end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

use super::m4a::{self, Outline};
use super::ogg;

/// What a file says of its own end.
#[derive(Debug)]
pub(super) enum Ends {
    /// Nothing that can be looked up: it is a pipe.
    Unknown,
    /// Whether an Ogg file's last page is marked as the last; any other file passes.
    Marked(bool),
    /// An M4A file.
    M4a(Outline),
}

impl Ends {
    /// Looks at a regular file, and leaves it at its start.
    pub(super) fn read(mut file: &File) -> io::Result<Ends> {
        let ends = match m4a::read_outline(&mut file)? {
            Some(outline) => Ends::M4a(outline),
            None => Ends::Marked(ogg::has_its_end(&mut file)?),
        };
        file.seek(SeekFrom::Start(0))?;
        Ok(ends)
    }

    /// Whether a file of this length has the end that it says it has.
    pub(super) fn are_whole(&self, file_bytes: u64) -> bool {
        match self {
            Ends::Unknown => true,
            Ends::Marked(marked) => *marked,
            Ends::M4a(outline) => outline.told_bytes <= file_bytes,
        }
    }

    /// How long the decoder is told that the file is. The one for M4A refuses an atom that
    /// reaches over the end, and with it all that is there of it.
    pub(super) fn told(&self, file_bytes: Option<u64>) -> Option<u64> {
        match self {
            Ends::M4a(outline) => file_bytes.map(|bytes| bytes.max(outline.told_bytes)),
            _ => file_bytes,
        }
    }
}

/// A file for the decoders.
#[derive(Debug)]
pub(super) struct SoundFile {
    pub(super) file: File,
    /// How long it is; `None` for a pipe, in which there is no seeking either.
    pub(super) bytes: Option<u64>,
}

impl Read for SoundFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Seek for SoundFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // The end is where it should be, which in a file that was cut off lies further on.
        let to = match (to, self.bytes) {
            (SeekFrom::End(offset), Some(bytes)) => {
                SeekFrom::Start(bytes.saturating_add_signed(offset))
            }
            (to, _) => to,
        };
        self.file.seek(to)
    }
}

impl MediaSource for SoundFile {
    fn is_seekable(&self) -> bool {
        self.bytes.is_some()
    }

    fn byte_len(&self) -> Option<u64> {
        self.bytes
    }
}
