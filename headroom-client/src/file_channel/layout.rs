//! Where the files of a channel are, and who may look into them.
//!
//! ```text
//! DIR/backend.jsonl                       what the backend sends, the newest
//! DIR/backend.00000000000000000001.jsonl  what it sent before, by the number of its first message
//! DIR/backend.lock                        held while somebody writes there
//! DIR/backend.cursors/NAME.json           how far the reader NAME has come
//! DIR/frontend...                         the same the other way
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{ChannelError, Side};

/// The files of one direction.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    folder: PathBuf,
    pub(super) from: Side,
}

/// One file of messages, by its identity and not its name, which rotation changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(super) fn of(metadata: &fs::Metadata) -> FileId {
        FileId { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl Layout {
    pub(super) fn new(folder: &Path, from: Side) -> Layout {
        Layout { folder: folder.to_owned(), from }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn named(&self, rest: &str) -> PathBuf {
        self.folder.join(format!("{}{rest}", self.from.as_str()))
    }

    /// What is written now.
    pub(super) fn active(&self) -> PathBuf {
        self.named(".jsonl")
    }

    /// The next one, until it is complete.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.named(".new")
    }

    pub(super) fn rotated(&self, first_seq: u64) -> PathBuf {
        self.named(&format!(".{first_seq:020}.jsonl"))
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.named(".lock")
    }

    pub(super) fn cursors(&self) -> PathBuf {
        self.named(".cursors")
    }

    pub(super) fn cursor(&self, reader: &str) -> PathBuf {
        self.cursors().join(format!("{reader}.json"))
    }

    /// Held by the program that reads under this name.
    pub(super) fn reader_lock(&self, reader: &str) -> PathBuf {
        self.cursors().join(format!("{reader}.lock"))
    }

    /// Whether news of a file of this name in the directory may be news of messages.
    pub(super) fn concerns(&self, name: &[u8]) -> bool {
        name.strip_prefix(self.from.as_str().as_bytes())
            .is_some_and(|rest| rest.ends_with(b".jsonl"))
    }

    /// What was rotated: the number of the first message in it and its file, the oldest first.
    pub(super) fn all_rotated(&self) -> Result<Vec<(u64, PathBuf)>, ChannelError> {
        let prefix = format!("{}.", self.from.as_str());
        let mut found = Vec::new();
        let list = fs::read_dir(&self.folder).map_err(ChannelError::io("reading", &self.folder))?;
        for entry in list {
            let name = entry.map_err(ChannelError::io("reading", &self.folder))?.file_name();
            let digits = name.to_str().and_then(|name| name.strip_prefix(&prefix));
            let digits = digits.and_then(|name| name.strip_suffix(".jsonl"));
            if let Some(first_seq) = digits.and_then(|digits| digits.parse().ok()) {
                found.push((first_seq, self.folder.join(name)));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The readers that are known.
    pub(super) fn readers(&self) -> Result<Vec<String>, ChannelError> {
        let cursors = self.cursors();
        let list = match fs::read_dir(&cursors) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(ChannelError::io("reading", &cursors))?,
        };
        let mut readers = Vec::new();
        for entry in list {
            let name = entry.map_err(ChannelError::io("reading", &cursors))?.file_name();
            readers.extend(
                name.to_str().and_then(|name| name.strip_suffix(".json")).map(str::to_owned),
            );
        }
        Ok(readers)
    }
}

/// Opens a file that only this user may read, and that no link leads elsewhere.
pub(super) fn open_private(path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
    let no_link = rustix::fs::OFlags::NOFOLLOW.bits();
    options.mode(0o600).custom_flags(no_link.cast_signed()).open(path)
}

/// Makes the directory, or looks at who may look into it.
pub(super) fn private_folder(path: &Path) -> Result<(), ChannelError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(source) => {
            return Err(ChannelError::Io { doing: "making", path: path.to_owned(), source });
        }
    }
    let metadata = fs::metadata(path).map_err(ChannelError::io("reading", path))?;
    let user = rustix::process::geteuid().as_raw();
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o777);
    if owner != user {
        return Err(ChannelError::NotOurs { path: path.to_owned(), owner, user });
    }
    if mode & 0o077 != 0 {
        return Err(ChannelError::OpenToOthers { path: path.to_owned(), mode });
    }
    Ok(())
}
