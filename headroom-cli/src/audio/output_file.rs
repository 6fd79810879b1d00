//! An output file that appears whole or not at all.
//!
//! It is written without a name (`O_TMPFILE`), so that not even SIGKILL or a crash leaves half
//! of it behind, and is given its name when it is finished. Where the file system knows no
//! files without a name it has a temporary one beside the destination, which every other end
//! of the run removes.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::WriteError;

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct OutputFile {
    shown: PathBuf,
    destination: PathBuf,
    state: State,
}

#[derive(Debug)]
enum State {
    Unnamed(File),
    Named(tempfile::NamedTempFile),
}

impl OutputFile {
    /// Begins the file that will stand at `path`. What stands there now stays until
    /// [`OutputFile::finish`].
    ///
    /// # Errors
    /// Where something stands that is no regular file, where it is one of `inputs` under
    /// whatever name, or where no file can be made.
    pub(crate) fn create(path: &Path, inputs: &[&Path]) -> Result<OutputFile, WriteError> {
        let create_error = |source| WriteError::Create { path: path.to_owned(), source };
        let present = fs::metadata(path).ok();
        if let Some(metadata) = &present {
            for input in inputs {
                if fs::metadata(input).is_ok_and(|input| is_same(&input, metadata)) {
                    return Err(WriteError::IsTheInput { path: path.to_owned() });
                }
            }
            if !metadata.is_file() {
                return Err(WriteError::NotAFile { path: path.to_owned() });
            }
        }
        // Through a link the file behind it is replaced, and the link stays.
        let destination = match present {
            Some(_) => fs::canonicalize(path).map_err(create_error)?,
            None => path.to_owned(),
        };
        // In the system's own words.
        fs::metadata(folder_of(&destination)).map_err(create_error)?;
        let state = State::begin(folder_of(&destination))
            .map_err(|error| create_error(without_its_name(error)))?;
        if let Some(metadata) = present {
            state.file().set_permissions(metadata.permissions()).map_err(create_error)?;
        }
        Ok(OutputFile { shown: path.to_owned(), destination, state })
    }

    /// As the user named it.
    pub(crate) fn path(&self) -> &Path {
        &self.shown
    }

    pub(crate) fn file(&self) -> &File {
        self.state.file()
    }

    /// Gives the file its name, in place of what stood there.
    pub(crate) fn finish(self) -> Result<(), WriteError> {
        let shown = self.shown;
        let result = match self.state {
            State::Unnamed(file) => name_and_move(&file, &self.destination),
            State::Named(file) => {
                file.persist(&self.destination).map(drop).map_err(|error| error.error)
            }
        };
        result.map_err(|source| WriteError::Write { path: shown, source })
    }
}

impl State {
    fn begin(folder: &Path) -> io::Result<State> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let for_all = Mode::from_raw_mode(0o666);
        if let Ok(fd) = rustix::fs::openat(CWD, folder, flags, for_all) {
            let file = File::from(fd);
            // Its name is given through /proc, so that must be there.
            if fs::symlink_metadata(fd_path(&file)).is_ok() {
                return Ok(State::Unnamed(file));
            }
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY_PREFIX).suffix(TEMPORARY_SUFFIX);
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
        builder.tempfile_in(folder).map(State::Named)
    }

    fn file(&self) -> &File {
        match self {
            State::Unnamed(file) => file,
            State::Named(file) => file.as_file(),
        }
    }
}

const TEMPORARY_PREFIX: &str = ".headroom-";
const TEMPORARY_SUFFIX: &str = ".part";

fn is_same(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn fd_path(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// A file without a name cannot replace another in one step: it is named beside it first.
fn name_and_move(file: &File, destination: &Path) -> io::Result<()> {
    let reserve = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY_PREFIX).suffix(TEMPORARY_SUFFIX);
        builder.make_in(folder_of(destination), |name| {
            rustix::fs::linkat(CWD, fd_path(file), CWD, name, AtFlags::SYMLINK_FOLLOW)
                .map_err(io::Error::from)
        })
    };
    reserve()?.into_temp_path().persist(destination).map_err(|error| error.error)
}

/// What the system said, without the name of a file that nobody has asked for.
fn without_its_name(error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() { error } else { io::Error::from(error.kind()) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> =
            entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_seen_until_it_is_finished() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.wav");
        fs::write(&path, "before").expect("written");
        let output = OutputFile::create(&path, &[]).expect("created");
        output.file().write_all(b"after").expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"before");
        output.finish().expect("finished");
        assert_eq!(fs::read(&path).expect("read"), b"after");
        assert_eq!(names_in(folder.path()), ["out.wav"]);
    }

    #[test]
    fn nothing_is_left_when_it_is_not_finished() {
        let folder = tempfile::tempdir().expect("a folder");
        let output = OutputFile::create(&folder.path().join("out.wav"), &[]).expect("created");
        output.file().write_all(b"half").expect("written");
        drop(output);
        assert_eq!(names_in(folder.path()), [""; 0]);
    }

    #[test]
    fn a_link_stays_and_the_file_behind_it_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("real.wav"), folder.path().join("link.wav"));
        fs::write(&path, "before").expect("written");
        std::os::unix::fs::symlink("real.wav", &link).expect("linked");
        let output = OutputFile::create(&link, &[]).expect("created");
        output.file().write_all(b"after").expect("written");
        output.finish().expect("finished");
        assert_eq!(fs::read(&path).expect("read"), b"after");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    }

    #[test]
    fn the_input_is_refused_under_any_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("in.wav");
        fs::write(&input, "sound").expect("written");
        let (soft, hard) = (folder.path().join("soft.wav"), folder.path().join("hard.wav"));
        std::os::unix::fs::symlink(&input, &soft).expect("linked");
        fs::hard_link(&input, &hard).expect("linked");
        let spelt = folder.path().join(".").join("in.wav");
        for path in [&input, &soft, &hard, &spelt] {
            let error = OutputFile::create(path, &[&input]).expect_err("refused");
            assert!(matches!(error, WriteError::IsTheInput { .. }), "{error}");
        }
    }
}
