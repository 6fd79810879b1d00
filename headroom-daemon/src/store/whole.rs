//! One file in the directory of the state: read as a whole, written whole or not at all.
//!
//! A write goes to another file, is synced, renamed over the old one, and the directory synced.
//! What cannot be used is set aside under another name, so that nothing is lost by going on
//! without it. Knows nothing of what is in the files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::StateDirectory;

/// How many files of a name that were set aside are kept.
const MOST_BAD: usize = 5;

/// A file by its name. Whoever holds the directory is the only one to write it.
#[derive(Debug)]
pub(super) struct WholeFile {
    name: &'static str,
    most_bytes: usize,
    /// What is there was not read, and could not be set aside yet.
    is_unread: bool,
}

impl WholeFile {
    /// The file of this name, of so many bytes at most.
    pub(super) const fn named(name: &'static str, most_bytes: usize) -> WholeFile {
        WholeFile { name, most_bytes, is_unread: false }
    }

    pub(super) fn path(&self, directory: &StateDirectory) -> PathBuf {
        directory.path().join(self.name)
    }

    /// What is being written. There is one at most: whoever holds the directory replaces it.
    fn new_path(&self, directory: &StateDirectory) -> PathBuf {
        directory.path().join(format!("{}.new", self.name))
    }

    /// What is there could not even be looked at: it is set aside before it is replaced.
    pub(super) fn is_left_unread(&mut self) {
        self.is_unread = true;
    }

    /// Its text; nothing if there is no such file.
    pub(super) fn read(&self, directory: &StateDirectory) -> io::Result<Option<String>> {
        // A pipe would keep us waiting for somebody who writes.
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NONBLOCK)
            .open(self.path(directory));
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut bytes = Vec::new();
        file.take(self.most_bytes as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > self.most_bytes {
            return Err(io::Error::other(format!("it is larger than {} bytes", self.most_bytes)));
        }
        let no_text = |_| io::Error::other("it is not UTF-8 text");
        String::from_utf8(bytes).map(Some).map_err(no_text)
    }

    /// Sets aside what cannot be used, and says what has become of it.
    pub(super) fn give_up(&mut self, directory: &StateDirectory) -> String {
        match self.set_aside(directory) {
            Ok(bad) => format!("it is kept as {}", bad.display()),
            Err(error) => {
                self.is_unread = true;
                format!("it cannot be set aside: {error}")
            }
        }
    }

    /// Writes it: after this it is on disk. What was there before stays until then.
    pub(super) fn write(&mut self, directory: &mut StateDirectory, text: &str) -> io::Result<()> {
        if text.len() > self.most_bytes {
            let text = format!("{} bytes are more than {}", text.len(), self.most_bytes);
            return Err(io::Error::other(text));
        }
        directory.make()?;
        self.make_way(directory)?;
        let new = self.new_path(directory);
        let written = write_new(&new, text).and_then(|()| fs::rename(&new, self.path(directory)));
        if written.is_err() {
            // Nobody needs half of it, and a full disk needs the room.
            let _ = fs::remove_file(&new);
        }
        written?;
        directory.sync()
    }

    /// Takes it away: after this there is none on disk.
    pub(super) fn remove(&mut self, directory: &mut StateDirectory) -> io::Result<()> {
        if !directory.enter()? {
            return Ok(());
        }
        self.make_way(directory)?;
        match fs::remove_file(self.path(directory)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => directory.sync(),
        }
    }

    /// Whether it could be written, if that were needed now. Where there is no directory yet, nobody
    /// has been there.
    ///
    /// # Errors
    /// As [`WholeFile::write`].
    pub(super) fn try_out(&self, directory: &mut StateDirectory) -> io::Result<()> {
        if !directory.enter()? {
            return Ok(());
        }
        let new = self.new_path(directory);
        write_new(&new, "")?;
        fs::remove_file(&new)
    }

    fn make_way(&mut self, directory: &StateDirectory) -> io::Result<()> {
        if self.is_unread {
            match self.set_aside(directory) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.is_unread = false,
            }
        }
        Ok(())
    }

    /// Gives the file another name. Only the newest of those are kept.
    fn set_aside(&self, directory: &StateDirectory) -> io::Result<PathBuf> {
        let bad = format!("{}.bad-", self.name);
        let mut numbers: Vec<u64> = fs::read_dir(directory.path())?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix(&bad)?.parse().ok())
            .collect();
        numbers.sort_unstable();
        let number = numbers.last().map_or(1, |last| last.saturating_add(1));
        let bad = |number| directory.path().join(format!("{bad}{number}"));
        fs::rename(self.path(directory), bad(number))?;
        let too_many = (numbers.len() + 1).saturating_sub(MOST_BAD);
        for old in &numbers[..too_many] {
            // One that stays is in nobody's way.
            let _ = fs::remove_file(bad(*old));
        }
        Ok(bad(number))
    }
}

/// A file of this text, on disk.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
