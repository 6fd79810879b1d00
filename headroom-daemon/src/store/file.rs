//! `state.toml`: read at the start, written whole or not at all.
//!
//! What cannot be read is set aside under another name, so that nothing is lost by starting
//! without it. hr-store calls [`StateFile::write`]; it waits for storage, and nobody else may.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use headroom_profile::remembered::format::{self, MAX_STATE_BYTES, Read};

use super::{Remembered, StateDirectory};

const NAME: &str = "state.toml";
/// What is being written. There is one at most: whoever holds the directory replaces it.
const NEW: &str = "state.toml.new";
const BAD: &str = "state.toml.bad-";
/// How many files that were set aside are kept.
const MOST_BAD: usize = 5;

/// The file of the state, in its directory.
#[derive(Debug)]
pub struct StateFile {
    directory: StateDirectory,
    /// What is there was not read, and could not be set aside yet.
    is_unread: bool,
}

/// What was found at the start.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// What is remembered; nothing where nothing could be read.
    pub remembered: Remembered,
    /// What the user should know of it.
    pub warnings: Vec<String>,
}

impl StateFile {
    /// The file in a directory.
    #[must_use]
    pub fn in_directory(directory: StateDirectory) -> StateFile {
        StateFile { directory, is_unread: false }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(NAME)
    }

    /// Reads what is remembered. A file that cannot be used is set aside; nothing here fails.
    #[must_use]
    pub fn read(&mut self) -> Found {
        let path = self.path();
        match self.directory.enter() {
            Ok(true) => {}
            Ok(false) => return Found::default(),
            Err(error) => {
                self.is_unread = true;
                let at = self.directory.path().display();
                return Found::warning(format!("what is remembered in {at}: {error}"));
            }
        }
        let read = read_text(&path).and_then(|text| {
            text.map(|text| format::read(&text).map_err(io::Error::other)).transpose()
        });
        match read {
            Ok(None) => Found::default(),
            Ok(Some(Read { remembered, left_out })) => {
                let warnings = left_out.into_iter();
                let warning = |text| format!("{}: {text}: left out", path.display());
                Found { remembered, warnings: warnings.map(warning).collect() }
            }
            Err(error) => {
                let kept = match self.set_aside() {
                    Ok(bad) => format!("it is kept as {}", bad.display()),
                    Err(error) => {
                        self.is_unread = true;
                        format!("it cannot be set aside: {error}")
                    }
                };
                Found::warning(format!(
                    "{} cannot be used: {error}: headroomd starts without what it remembered, \
                     and {kept}",
                    path.display()
                ))
            }
        }
    }

    /// Writes it: after this it is on disk. What was there before stays until then.
    ///
    /// # Errors
    /// Storage is full, read-only, gone or closed to us; the file is as it was.
    pub fn write(&mut self, remembered: &Remembered) -> io::Result<()> {
        let text = format::write(remembered).map_err(io::Error::other)?;
        if text.len() > MAX_STATE_BYTES {
            let text = format!("{} bytes are more than {MAX_STATE_BYTES}", text.len());
            return Err(io::Error::other(text));
        }
        self.directory.make()?;
        if self.is_unread {
            match self.set_aside() {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.is_unread = false,
            }
        }
        let new = self.directory.path().join(NEW);
        let written = write_new(&new, &text).and_then(|()| fs::rename(&new, self.path()));
        if written.is_err() {
            // Nobody needs half of it, and a full disk needs the room.
            let _ = fs::remove_file(&new);
        }
        written?;
        self.directory.sync()
    }

    /// Gives the file another name. Only the newest of those are kept.
    fn set_aside(&self) -> io::Result<PathBuf> {
        let directory = self.directory.path();
        let mut numbers: Vec<u64> = fs::read_dir(directory)?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix(BAD)?.parse().ok())
            .collect();
        numbers.sort_unstable();
        let number = numbers.last().map_or(1, |last| last.saturating_add(1));
        let bad = |number| directory.join(format!("{BAD}{number}"));
        fs::rename(self.path(), bad(number))?;
        let too_many = (numbers.len() + 1).saturating_sub(MOST_BAD);
        for old in &numbers[..too_many] {
            // One that stays is in nobody's way.
            let _ = fs::remove_file(bad(*old));
        }
        Ok(bad(number))
    }
}

impl Found {
    fn warning(text: String) -> Found {
        Found { remembered: Remembered::default(), warnings: vec![text] }
    }
}

/// The text of a file; nothing if there is none.
fn read_text(path: &Path) -> io::Result<Option<String>> {
    // A pipe would keep us waiting for somebody who writes.
    let opened = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_STATE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_STATE_BYTES {
        return Err(io::Error::other(format!("it is larger than {MAX_STATE_BYTES} bytes")));
    }
    let no_text = |_| io::Error::other("it is not UTF-8 text");
    String::from_utf8(bytes).map(Some).map_err(no_text)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    fn file(folder: &tempfile::TempDir) -> StateFile {
        StateFile::in_directory(StateDirectory::at(folder.path().join("headroom")))
    }

    fn night() -> Remembered {
        Remembered { profile: Some("night".to_owned()), ..Remembered::default() }
    }

    fn names(file: &StateFile) -> Vec<String> {
        let entries = fs::read_dir(file.directory.path()).expect("readable");
        let name = |entry: io::Result<fs::DirEntry>| {
            entry.expect("an entry").file_name().into_string().expect("text")
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn it_is_written_whole_for_its_user_alone_and_read_again() {
        let folder = tempfile::tempdir().expect("a directory");
        let mut first = file(&folder);
        assert_eq!(first.read(), Found::default(), "nothing there is no warning");
        assert!(!first.directory.path().exists(), "reading makes nothing");
        for _ in 0..2 {
            first.write(&night()).expect("written");
        }
        assert_eq!(names(&first), ["state.toml"]);
        assert_eq!(fs::metadata(first.path()).expect("there").mode() & 0o777, 0o600);
        drop(first);
        assert_eq!(file(&folder).read(), Found { remembered: night(), warnings: vec![] });
    }

    #[test]
    fn what_cannot_be_used_is_set_aside_and_the_newest_few_are_kept() {
        let folder = tempfile::tempdir().expect("a directory");
        let mut file = file(&folder);
        file.write(&night()).expect("written");
        let whole = fs::read(file.path()).expect("readable");
        let truncated = &whole[..whole.len() - 3];
        let newer = b"version = 9\n".as_slice();
        let large = vec![b'#'; MAX_STATE_BYTES + 1];
        let bad = [b"".as_slice(), b"\xff", truncated, b"]", newer, &large, b"x = 1"];
        for (number, text) in (1..).zip(bad) {
            fs::write(file.path(), text).expect("written");
            let Found { remembered, warnings } = file.read();
            assert_eq!(remembered, Remembered::default());
            let [warning] = &warnings[..] else { panic!("{warnings:?}") };
            let kept = format!("state.toml.bad-{number}");
            assert!(warning.contains("state.toml cannot be used: "), "{warning}");
            assert!(warning.ends_with(&kept), "{warning}");
            let aside = file.path().with_file_name(kept);
            assert_eq!(fs::read(aside).expect("kept"), text);
            assert_eq!(file.read(), Found::default(), "it is told once");
        }
        let kept = [3, 4, 5, 6, 7].map(|number| format!("state.toml.bad-{number}"));
        assert_eq!(names(&file), kept);
    }

    #[test]
    fn what_is_no_file_is_set_aside_and_nobody_waits_for_it() {
        let folder = tempfile::tempdir().expect("a directory");
        let mut file = file(&folder);
        fs::create_dir_all(file.path()).expect("a directory in its place");
        assert!(file.read().warnings[0].contains("no regular file"));
        nix::unistd::mkfifo(&file.path(), nix::sys::stat::Mode::S_IRUSR).expect("a pipe");
        assert!(file.read().warnings[0].contains("no regular file"));
        file.write(&night()).expect("written");
        assert_eq!(file.read().remembered, night());
    }

    #[test]
    fn half_a_file_that_a_killed_one_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().expect("a directory");
        let mut file = file(&folder);
        file.write(&night()).expect("written");
        fs::write(file.path().with_file_name(NEW), "version = 1\npro").expect("written");
        assert_eq!(file.read().remembered, night());
        file.write(&Remembered::default()).expect("written");
        assert_eq!(names(&file), ["state.toml"]);
    }

    #[test]
    fn one_that_is_held_by_another_daemon_is_neither_read_nor_written() {
        let folder = tempfile::tempdir().expect("a directory");
        let mut first = file(&folder);
        first.write(&night()).expect("written");
        let mut second = file(&folder);
        let Found { remembered, warnings } = second.read();
        assert_eq!(remembered, Remembered::default());
        assert!(warnings[0].contains("another headroomd"), "{warnings:?}");
        second.write(&Remembered::default()).expect_err("held");
        assert_eq!(first.read().remembered, night());
        // What it has not read it does not write over either.
        drop(first);
        second.write(&Remembered::default()).expect("free");
        assert_eq!(names(&second), ["state.toml", "state.toml.bad-1"]);
    }

    #[test]
    fn a_directory_that_cannot_be_had_is_an_error_until_it_can() {
        let folder = tempfile::tempdir().expect("a directory");
        let mut file = file(&folder);
        // Not even root can make a directory in a file.
        fs::write(file.directory.path(), "in the way").expect("written");
        assert!(!file.read().warnings.is_empty());
        file.write(&night()).expect_err("no directory");
        fs::remove_file(file.directory.path()).expect("removed");
        file.write(&night()).expect("written");
        assert_eq!(file.read().remembered, night());
    }

    #[test]
    fn a_bad_one_that_could_not_be_set_aside_is_before_it_is_replaced() {
        if nix::unistd::geteuid().is_root() {
            // Root may write anywhere; `is_unread` is what the read would have left.
            let folder = tempfile::tempdir().expect("a directory");
            let mut file = file(&folder);
            file.write(&night()).expect("written");
            fs::write(file.path(), "]").expect("written");
            file.is_unread = true;
            file.write(&night()).expect("written");
            assert_eq!(names(&file), ["state.toml", "state.toml.bad-1"]);
            return;
        }
        let folder = tempfile::tempdir().expect("a directory");
        let mut file = file(&folder);
        file.write(&night()).expect("written");
        fs::write(file.path(), "]").expect("written");
        let mode = |bits| {
            let bits = fs::Permissions::from_mode(bits);
            fs::set_permissions(folder.path().join("headroom"), bits).expect("set");
        };
        mode(0o500);
        assert!(file.read().warnings[0].contains("cannot be set aside"));
        file.write(&night()).expect_err("read-only");
        mode(0o700);
        file.write(&night()).expect("written");
        assert_eq!(names(&file), ["state.toml", "state.toml.bad-1"]);
    }
}
