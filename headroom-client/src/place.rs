//! Where the daemon of this user listens, by the rule of IPC.md over the surroundings of this
//! process.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use headroom_ipc::{Endpoint, Surroundings};

use crate::ClientError;

/// The place where the daemon of this user listens: `$HEADROOM_SOCKET`, else in
/// `$XDG_RUNTIME_DIR`, else in `/run/user/UID`.
///
/// # Errors
/// [`ClientError::NoEndpoint`] where there is none.
pub fn endpoint() -> Result<Endpoint, ClientError> {
    let uid = rustix::process::geteuid().as_raw();
    let surroundings = Surroundings {
        headroom_socket: std::env::var_os("HEADROOM_SOCKET"),
        xdg_runtime_dir: std::env::var_os("XDG_RUNTIME_DIR"),
        uid,
    };
    Ok(Endpoint::find(&surroundings, |path| is_directory_of(path, uid))?)
}

fn is_directory_of(path: &Path, uid: u32) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == uid)
}
