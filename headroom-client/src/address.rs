//! Where the daemon of this user listens, by the rule of IPC.md over the surroundings of this
//! process.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use headroom_ipc::{Address, AddressError, Surroundings};

use crate::ClientError;

/// The place where the daemon of this user listens: `$HEADROOM_SOCKET`, else in
/// `$XDG_RUNTIME_DIR`, else in `/run/user/UID`.
///
/// # Errors
/// [`ClientError::NoAddress`] where there is none.
pub fn daemon_address() -> Result<Address, ClientError> {
    let surroundings = surroundings();
    Ok(Address::find(&surroundings, |path| is_directory_of(path, surroundings.uid))?)
}

/// The user's directory for what lives as long as the session: `$XDG_RUNTIME_DIR`, else
/// `/run/user/UID`. Headroom's sockets are in `headroom` there.
///
/// # Errors
/// [`AddressError::NoRuntimeDir`].
pub fn runtime_dir() -> Result<PathBuf, AddressError> {
    let surroundings = surroundings();
    surroundings.runtime_dir(|path| is_directory_of(path, surroundings.uid))
}

fn surroundings() -> Surroundings {
    Surroundings {
        headroom_socket: std::env::var_os("HEADROOM_SOCKET"),
        xdg_runtime_dir: std::env::var_os("XDG_RUNTIME_DIR"),
        uid: rustix::process::geteuid().as_raw(),
    }
}

fn is_directory_of(path: &Path, uid: u32) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == uid)
}
