//! Where the state lies: `headroom` in `$XDG_STATE_HOME`, for this user and one daemon alone.

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use headroom_profile::remembered::state_folder;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// There is no place for a state.
#[derive(Debug, thiserror::Error)]
#[error(
    "neither XDG_STATE_HOME nor HOME is an absolute path: nothing is remembered (set one of them)"
)]
pub struct NoDirectory;

/// The directory of the state. It is made when something is first written, and held from the
/// first time that it is there.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    held: Option<Held>,
}

/// The open directory, and with it the right to write there.
#[derive(Debug)]
enum Held {
    Locked(Flock<File>),
    /// Where directories cannot be locked the lock beside the socket must do.
    Unlocked(File),
}

impl StateDirectory {
    /// The directory of this user.
    ///
    /// # Errors
    /// [`NoDirectory`] when the environment names no place.
    pub fn find() -> Result<StateDirectory, NoDirectory> {
        StateDirectory::find_in(|name| env::var_os(name))
    }

    fn find_in(variable: impl Fn(&str) -> Option<OsString>) -> Result<StateDirectory, NoDirectory> {
        state_folder(variable).map(StateDirectory::at).ok_or(NoDirectory)
    }

    /// A directory by its path.
    #[must_use]
    pub fn at(path: PathBuf) -> StateDirectory {
        StateDirectory { path, held: None }
    }

    /// Where it is, or is to be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Holds it if it is there. Gives whether it is.
    ///
    /// # Errors
    /// It cannot be opened, belongs to somebody else, or another daemon holds it.
    pub(super) fn enter(&mut self) -> io::Result<bool> {
        if self.held.is_some() {
            return Ok(true);
        }
        match File::open(&self.path) {
            Ok(directory) => {
                self.held = Some(hold(directory)?);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Holds it, and makes it first where it is missing.
    pub(super) fn make(&mut self) -> io::Result<()> {
        // One that was removed under us is another one now.
        if self.held.is_some() && !self.path.is_dir() {
            self.held = None;
        }
        if !self.enter()? {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
            self.enter()?;
        }
        Ok(())
    }

    /// What names lead to is on disk when this returns.
    pub(super) fn sync(&self) -> io::Result<()> {
        let directory: &File = match &self.held {
            Some(Held::Locked(directory)) => directory,
            Some(Held::Unlocked(directory)) => directory,
            None => return Ok(()),
        };
        match directory.sync_all() {
            // Some network file systems have no such thing.
            Err(error) if error.raw_os_error() == Some(Errno::EINVAL as i32) => Ok(()),
            synced => synced,
        }
    }
}

/// Closes a directory to others, and makes it ours among all daemons.
fn hold(directory: File) -> io::Result<Held> {
    let found = directory.metadata()?;
    let uid = nix::unistd::geteuid().as_raw();
    if !found.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory));
    }
    if found.uid() != uid {
        let text = format!("it belongs to user {}, and headroomd runs as {uid}", found.uid());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    if found.mode() & 0o077 != 0 {
        // What is there can be read all the same, as on a disk that is mounted read-only.
        if let Err(error) = directory.set_permissions(fs::Permissions::from_mode(0o700)) {
            log::warn!("closing the directory of the state to other users: {error}");
        }
    }
    match Flock::lock(directory, FlockArg::LockExclusiveNonblock) {
        Ok(locked) => Ok(Held::Locked(locked)),
        Err((_, Errno::EWOULDBLOCK)) => Err(io::Error::other("another headroomd remembers there")),
        Err((directory, _)) => Ok(Held::Unlocked(directory)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;

    use nix::fcntl::OFlag;

    use super::*;

    #[test]
    fn it_is_where_the_environment_says() {
        let at = |pairs: &[(&str, &str)]| {
            let value = |name: &str| pairs.iter().find(|(known, _)| *known == name);
            StateDirectory::find_in(|name| value(name).map(|(_, value)| OsString::from(value)))
                .map(|found| found.path().to_owned())
        };
        let both = [("XDG_STATE_HOME", "/s"), ("HOME", "/h")];
        assert_eq!(at(&both).expect("a place"), Path::new("/s/headroom"));
        let relative = [("XDG_STATE_HOME", "s"), ("HOME", "/h")];
        let home = Path::new("/h/.local/state/headroom");
        assert_eq!(at(&relative).expect("a place"), home);
        assert_eq!(at(&[("HOME", "/h")]).expect("a place"), home);
        assert!(at(&[("HOME", "h")]).is_err() && at(&[]).is_err());
    }

    #[test]
    fn it_is_made_when_it_is_needed_for_one_daemon_and_its_user_alone() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("a/b/headroom");
        let mut first = StateDirectory::at(path.clone());
        assert!(!first.enter().expect("nothing there is fine"));
        assert!(!folder.path().join("a").exists(), "looking makes nothing");
        first.make().expect("made");
        let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        let error = StateDirectory::at(path.clone()).enter().expect_err("held").to_string();
        assert!(error.contains("another headroomd"), "{error}");
        drop(first);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
        assert!(StateDirectory::at(path.clone()).enter().expect("free again"));
        assert_eq!(mode(&path), 0o700, "closed to others");
    }

    #[test]
    fn one_that_cannot_be_closed_to_others_is_held_as_it_is() {
        let folder = tempfile::tempdir().expect("a directory");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("set");
        // What was opened for its path alone cannot be changed, as if it were on a read-only disk.
        let flags = OFlag::O_PATH.bits();
        let opened = File::options().read(true).custom_flags(flags).open(folder.path());
        let directory = opened.expect("it is there");
        directory.set_permissions(fs::Permissions::from_mode(0o700)).expect_err("refused");
        hold(directory).expect("held");
    }

    #[test]
    fn one_that_was_removed_is_made_anew() {
        let folder = tempfile::tempdir().expect("a directory");
        let mut directory = StateDirectory::at(folder.path().join("headroom"));
        for _ in 0..2 {
            directory.make().expect("made");
            fs::remove_dir(directory.path()).expect("removed");
        }
    }
}
