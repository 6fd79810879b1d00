//! What a file channel is told when it is opened.

use std::path::Path;
use std::time::Duration;

use super::watch::Wanted;
use super::{ChannelError, FileChannel, Side};

/// How a file channel is opened, where the defaults will not do.
///
/// ```
/// use headroom_client::FileChannelOptions;
/// # let home = tempfile::tempdir()?;
/// # let directory = home.path().join("panel");
///
/// // A second front end beside the one that is called `frontend`.
/// let channel = FileChannelOptions::new().reader("clock").frontend(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct FileChannelOptions {
    reader: Option<String>,
    pub(super) segment_bytes: u64,
    pub(super) limit_bytes: u64,
    pub(super) patience: Duration,
    pub(super) interval: Duration,
    pub(super) wanted: Wanted,
}

impl Default for FileChannelOptions {
    fn default() -> FileChannelOptions {
        FileChannelOptions {
            reader: None,
            segment_bytes: 1 << 20,
            limit_bytes: 16 << 20,
            patience: Duration::from_secs(5),
            interval: Duration::from_millis(100),
            wanted: Wanted::Best,
        }
    }
}

impl FileChannelOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> FileChannelOptions {
        FileChannelOptions::default()
    }

    /// What this reader is called: `backend` or `frontend` unless said otherwise. Each of several
    /// programs on one side needs a name of its own, and gets every message.
    #[must_use]
    pub fn reader(mut self, name: &str) -> FileChannelOptions {
        self.reader = Some(name.to_owned());
        self
    }

    /// How long a file gets before the next one begins: 1 MiB unless said otherwise.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> FileChannelOptions {
        self.segment_bytes = bytes;
        self
    }

    /// How much is kept of what this side sends, for readers to come and for those that are
    /// behind: 16 MiB unless said otherwise. At least four files' worth.
    #[must_use]
    pub fn limit_bytes(mut self, bytes: u64) -> FileChannelOptions {
        self.limit_bytes = bytes;
        self
    }

    /// How long it is waited for another writer: 5 s unless said otherwise.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> FileChannelOptions {
        self.patience = patience;
        self
    }

    /// How often the files are looked at where the kernel cannot tell of news: every 100 ms unless
    /// said otherwise.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> FileChannelOptions {
        self.interval = interval;
        self
    }

    /// Looks at the files every `interval` also where the kernel seems to tell of news, for
    /// surroundings in which it does not.
    #[must_use]
    pub fn polling(mut self, interval: Duration) -> FileChannelOptions {
        self.wanted = Wanted::Polling;
        self.interval(interval)
    }

    /// Opens the side that knows and does.
    ///
    /// # Errors
    /// As for [`FileChannel::backend`], and [`ChannelError::ReaderName`].
    pub fn backend(self, directory: impl AsRef<Path>) -> Result<FileChannel, ChannelError> {
        self.open(directory.as_ref(), Side::Backend)
    }

    /// Opens the side that asks and shows.
    ///
    /// # Errors
    /// As for [`FileChannel::backend`], and [`ChannelError::ReaderName`].
    pub fn frontend(self, directory: impl AsRef<Path>) -> Result<FileChannel, ChannelError> {
        self.open(directory.as_ref(), Side::Frontend)
    }

    fn open(mut self, directory: &Path, side: Side) -> Result<FileChannel, ChannelError> {
        if let Some(name) = &self.reader {
            let is_fine = |letter| matches!(letter, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
            if !(1..=64).contains(&name.len()) || !name.bytes().all(is_fine) {
                return Err(ChannelError::ReaderName { name: name.clone() });
            }
        }
        self.limit_bytes = self.limit_bytes.max(self.segment_bytes.saturating_mul(4));
        FileChannel::open(directory, side, self)
    }

    pub(super) fn name_of(&self, side: Side) -> &str {
        self.reader.as_deref().unwrap_or(side.as_str())
    }
}
