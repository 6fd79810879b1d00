//! Where bells are: a directory of this user, closed to others.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use headroom_ipc::AddressError;

use crate::address::runtime_dir;
use crate::named_socket::make_directory;

/// Why there is no bell.
#[derive(Debug, thiserror::Error)]
pub enum DoorbellError {
    /// This user has no directory for what lives as long as the session.
    #[error(
        "there is no place for a bell: XDG_RUNTIME_DIR is not set and {} is no directory of user \
         {uid} (log in with a session)",
        runtime.display()
    )]
    NoRuntimeDir {
        /// The directory that was looked at.
        runtime: PathBuf,
        /// The user.
        uid: u32,
    },
    /// The directory is somebody else's, or no directory.
    #[error("{} is no directory of user {uid}: move it away", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// The user.
        uid: u32,
    },
    /// The system says no.
    #[error("{doing} {}: {source}", path.display())]
    System {
        /// What was done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl DoorbellError {
    pub(super) fn system(
        doing: &'static str,
        path: &Path,
        source: impl Into<io::Error>,
    ) -> DoorbellError {
        DoorbellError::System { doing, path: path.to_owned(), source: source.into() }
    }
}

/// Where this user's bells are, made if need be and closed to others.
pub(super) fn own_directory() -> Result<PathBuf, DoorbellError> {
    let runtime = runtime_dir().map_err(|error| match error {
        AddressError::NoRuntimeDir { runtime, uid } => DoorbellError::NoRuntimeDir { runtime, uid },
        other => DoorbellError::system("finding", Path::new(""), io::Error::other(other)),
    })?;
    let headroom = runtime.join("headroom");
    closed_to_others(&headroom)?;
    let bells = headroom.join("bell");
    closed_to_others(&bells)?;
    Ok(bells)
}

/// Where this user's bells are, if there is such a place.
pub(super) fn existing_directory() -> Option<PathBuf> {
    Some(runtime_dir().ok()?.join("headroom/bell"))
}

fn closed_to_others(path: &Path) -> Result<(), DoorbellError> {
    let system = |doing, source| DoorbellError::system(doing, path, source);
    make_directory(path).map_err(|error| system("making", error))?;
    let found = path.symlink_metadata().map_err(|error| system("looking at", error))?;
    let uid = rustix::process::geteuid().as_raw();
    if !found.is_dir() || found.uid() != uid {
        return Err(DoorbellError::NotOurs { path: path.to_owned(), uid });
    }
    if found.mode() & 0o777 != 0o700 {
        let alone = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(path, alone)
            .map_err(|error| system("closing to others", error))?;
    }
    Ok(())
}
