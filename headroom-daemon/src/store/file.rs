//! `state.toml` and `journal.toml`: read at the start, written whole or not at all.
//!
//! What cannot be read is set aside under another name, so that nothing is lost by starting
//! without it. hr-store calls [`StateFile::write`] and [`StateFile::write_journal`]; they wait for
//! storage, and nobody else may.

use std::io;
use std::path::PathBuf;

use headroom_profile::remembered::format::{self, MAX_STATE_BYTES, Read};

use super::whole::WholeFile;
use super::{Remembered, StateDirectory};
use crate::journal::{self, Journal, MAX_JOURNAL_BYTES};

const STATE: &str = "state.toml";
const JOURNAL: &str = "journal.toml";

/// The files of the state, in their directory.
#[derive(Debug)]
pub struct StateFile {
    directory: StateDirectory,
    state: WholeFile,
    journal: WholeFile,
}

/// What was found at the start.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// What is remembered; nothing where nothing could be read.
    pub remembered: Remembered,
    /// What the last run has not put back; nothing where it has, or nothing could be read.
    pub journal: Journal,
    /// What the user should know of it.
    pub warnings: Vec<String>,
}

impl StateFile {
    /// The files in a directory.
    #[must_use]
    pub fn in_directory(directory: StateDirectory) -> StateFile {
        let state = WholeFile::named(STATE, MAX_STATE_BYTES);
        let journal = WholeFile::named(JOURNAL, MAX_JOURNAL_BYTES);
        StateFile { directory, state, journal }
    }

    /// The path of what is remembered.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.state.path(&self.directory)
    }

    /// The path of the journal.
    #[must_use]
    pub fn journal_path(&self) -> PathBuf {
        self.journal.path(&self.directory)
    }

    /// Reads what is remembered, and the journal. A file that cannot be used is set aside; nothing
    /// here fails.
    #[must_use]
    pub fn read(&mut self) -> Found {
        let mut found = Found::default();
        if self.enter(&mut found.warnings) {
            self.read_state(&mut found);
            found.journal = self.read_journal(&mut found.warnings);
        }
        found
    }

    /// Reads the journal alone, for who puts back what is in it and remembers nothing.
    #[must_use]
    pub fn read_only_journal(&mut self) -> Found {
        let mut found = Found::default();
        if self.enter(&mut found.warnings) {
            found.journal = self.read_journal(&mut found.warnings);
        }
        found
    }

    /// Holds the directory. Says whether there is something to read in it.
    fn enter(&mut self, warnings: &mut Vec<String>) -> bool {
        match self.directory.enter() {
            Ok(is_there) => is_there,
            Err(error) => {
                self.state.is_left_unread();
                self.journal.is_left_unread();
                let at = self.directory.path().display();
                warnings.push(format!("what is remembered in {at}: {error}"));
                false
            }
        }
    }

    fn read_state(&mut self, found: &mut Found) {
        let path = self.path();
        let read = self.state.read(&self.directory).and_then(|text| {
            text.map(|text| format::read(&text).map_err(io::Error::other)).transpose()
        });
        match read {
            Ok(None) => {}
            Ok(Some(Read { remembered, left_out })) => {
                let warning = |text| format!("{}: {text}: left out", path.display());
                found.remembered = remembered;
                found.warnings.extend(left_out.into_iter().map(warning));
            }
            Err(error) => {
                let kept = self.state.give_up(&self.directory);
                found.warnings.push(format!(
                    "{} cannot be used: {error}: headroomd starts without what it remembered, \
                     and {kept}",
                    path.display()
                ));
            }
        }
    }

    fn read_journal(&mut self, warnings: &mut Vec<String>) -> Journal {
        let read = self.journal.read(&self.directory).and_then(|text| {
            text.map(|text| journal::read(&text).map_err(io::Error::other)).transpose()
        });
        match read {
            Ok(journal) => journal.unwrap_or_default(),
            Err(error) => {
                let kept = self.journal.give_up(&self.directory);
                warnings.push(format!(
                    "{} cannot be used: {error}: what the last run had changed is put back only as \
                     far as the graph itself tells, and {kept}",
                    self.journal_path().display()
                ));
                Journal::default()
            }
        }
    }

    /// Writes what is remembered: after this it is on disk. What was there before stays until then.
    ///
    /// # Errors
    /// Storage is full, read-only, gone or closed to us; the file is as it was.
    pub fn write(&mut self, remembered: &Remembered) -> io::Result<()> {
        let text = format::write(remembered).map_err(io::Error::other)?;
        self.state.write(&mut self.directory, &text)
    }

    /// Writes the journal: after this it is on disk. One with nothing in it is no file.
    ///
    /// # Errors
    /// As [`StateFile::write`].
    pub fn write_journal(&mut self, journal: &Journal) -> io::Result<()> {
        if journal.is_empty() {
            self.journal.remove(&mut self.directory)?;
            // The next one is needed before something else can be done.
            return self.journal.try_out(&mut self.directory);
        }
        let text = journal::write(journal).map_err(io::Error::other)?;
        self.journal.write(&mut self.directory, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
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
        assert_eq!(file(&folder).read(), Found { remembered: night(), ..Found::default() });
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
            let Found { remembered, warnings, .. } = file.read();
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
        fs::write(file.path().with_file_name("state.toml.new"), "version = 1\npro")
            .expect("written");
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
        let Found { remembered, warnings, .. } = second.read();
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
            file.state.is_left_unread();
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

    #[test]
    fn the_journal_is_a_file_of_its_own_while_there_is_something_in_it() {
        let folder = tempfile::tempdir().expect("a directory");
        let mut first = file(&folder);
        first.write_journal(&Journal::default()).expect("nothing to take away");
        assert!(!first.directory.path().exists(), "nothing makes nothing");
        let journal = Journal::of_former_default(Some("headphones"), None);
        first.write_journal(&journal).expect("written");
        first.write(&night()).expect("written");
        assert_eq!(names(&first), ["journal.toml", "state.toml"]);
        assert_eq!(fs::metadata(first.journal_path()).expect("there").mode() & 0o777, 0o600);
        drop(first);
        let found = Found { remembered: night(), journal, warnings: vec![] };
        let mut second = file(&folder);
        assert_eq!(second.read(), found);
        second.write_journal(&Journal::default()).expect("taken away");
        assert_eq!(names(&second), ["state.toml"]);
        fs::write(second.journal_path(), "version = 1\nformer").expect("written");
        let Found { journal, warnings, .. } = second.read_only_journal();
        assert!(journal.is_empty());
        assert!(warnings[0].ends_with("journal.toml.bad-1"), "{warnings:?}");
        assert_eq!(names(&second), ["journal.toml.bad-1", "state.toml"]);
    }
}
