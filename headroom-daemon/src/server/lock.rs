//! Who the daemon is: whoever holds the `flock` on the file beside the socket.
//!
//! The kernel drops the lock with the process, so that it keeps nobody out for longer. The file
//! stays: to remove it would let two hold locks on two files of one name. It is emptied at the end,
//! so that one that still names a process says that the process was killed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::claim_error::ClaimError;

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(super) struct Lock(Flock<File>);

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.0.set_len(0) {
            log::warn!("emptying the lock: {error}");
        }
    }
}

/// Takes the lock beside the socket, and leaves our process in it.
pub(super) fn lock(socket: &Path) -> Result<Lock, ClaimError> {
    let path = lock_path(socket);
    let system = |doing: &str, source| ClaimError::System {
        doing: format!("{doing} {}", path.display()),
        source,
    };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(&path)
        .map_err(|error| system("opening the lock", error))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            lock.set_len(0)
                .and_then(|()| lock.rewind())
                .and_then(|()| writeln!(lock, "{}", std::process::id()))
                .map_err(|error| system("writing the lock", error))?;
            Ok(Lock(lock))
        }
        Err((file, Errno::EWOULDBLOCK)) => {
            Err(ClaimError::AnotherRuns { pid: pid_in(file), place: socket.display().to_string() })
        }
        Err((_, error)) => Err(system("taking the lock", error.into())),
    }
}

/// The lock beside the socket for as long as nothing may start there; nothing where the directory
/// is missing, because then nobody runs there.
pub(super) fn lock_if_there(socket: &Path) -> Result<Option<Lock>, ClaimError> {
    match socket.parent() {
        Some(directory) if directory.is_dir() => lock(socket).map(Some),
        _ => Ok(None),
    }
}

/// `control.lock` for `control.sock`.
fn lock_path(socket: &Path) -> PathBuf {
    let beside = socket.with_extension("lock");
    if beside == socket { socket.with_extension("lock.lock") } else { beside }
}

/// The process in a lock that another has. It writes it just after it has taken the lock, so
/// that for a moment the number of one before it may stand there, or none.
fn pid_in(mut file: File) -> Option<u32> {
    for _ in 0..20 {
        let mut text = String::new();
        let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
        let pid = read.ok().and_then(|_| text.trim().parse().ok());
        if pid.is_some_and(|pid: u32| Path::new(&format!("/proc/{pid}")).exists()) {
            return pid;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}
