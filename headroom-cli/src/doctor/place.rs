//! Where the daemon listens: the runtime directory, the socket in it and the lock beside it.
//!
//! headroomd keeps a lock for as long as it lives and empties it when it ends as it should, so that a
//! lock that nobody holds and that still names a process was left by a crash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use headroom_client::ipc::Address;
use headroom_client::{daemon_address, runtime_dir};
use rustix::fs::{FlockOperation, OFlags, flock};

use super::{Finding, Fix, Sights};

/// The most of a lock that is read: a process has fewer digits.
const LONGEST_LOCK: u64 = 64;

/// Where the daemon is, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) directory: Directory,
    /// The socket, where it is one in the file system.
    socket: Option<(PathBuf, Socket)>,
    lock: Option<(PathBuf, Lock)>,
    /// There is no address, and why.
    error: Option<String>,
}

/// The runtime directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Directory {
    Good(PathBuf),
    Missing(PathBuf),
    /// It is there, and no good.
    Bad(PathBuf, String),
    /// Nothing says where it is.
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Socket {
    Absent,
    Listens,
    /// Nobody listens at it any more.
    Stale,
    /// Something else has its name.
    InTheWay,
    Fails(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Lock {
    Absent,
    Held(Option<u32>),
    /// Nobody holds it, and it was left as it should be.
    Free,
    /// Nobody holds it, and its process was killed.
    Stale,
    /// Something else has its name.
    InTheWay,
    Fails(String),
}

impl Place {
    pub(super) fn look() -> Place {
        let address = daemon_address();
        let error = address.as_ref().err().map(ToString::to_string);
        let path = match address {
            Ok(Address::Path(path)) => Some(path),
            Ok(Address::Abstract(_)) | Err(_) => None,
        };
        Place {
            directory: look_at_directory(),
            socket: path.as_ref().map(|path| (path.clone(), look_at_socket(path))),
            lock: path.map(|path| path.with_extension("lock")).map(|path| {
                let lock = look_at_lock(&path);
                (path, lock)
            }),
            error,
        }
    }

    /// Whether a daemon lives, listening or not.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.lock, Some((_, Lock::Held(_))))
    }

    /// Makes the runtime directory as the system would.
    pub(super) fn make_directory(&self) -> Result<String, String> {
        let Directory::Missing(path) = &self.directory else { return Err(String::new()) };
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new()
            .mode(0o700)
            .create(path)
            .map(|()| format!("made {}", path.display()))
            .map_err(|error| format!("making {}: {error}", path.display()))
    }

    /// Takes away what nobody holds. Each is looked at once more under the lock, so that no daemon
    /// that starts meanwhile loses anything.
    pub(super) fn clear(&self) -> Result<String, String> {
        let mut done = Vec::new();
        let held = match &self.lock {
            Some((path, Lock::InTheWay)) => {
                remove(path)?;
                done.push(format!("removed {}", path.display()));
                None
            }
            Some((path, Lock::Stale | Lock::Free)) => Some((path, hold(path)?)),
            _ => None,
        };
        if let Some((path, Socket::Stale)) = &self.socket
            && look_at_socket(path) == Socket::Stale
        {
            remove(path)?;
            done.push(format!("removed {}", path.display()));
        }
        if let Some((path, file)) = held.filter(|_| matches!(self.lock, Some((_, Lock::Stale)))) {
            file.set_len(0).map_err(|error| format!("emptying {}: {error}", path.display()))?;
            done.push(format!("emptied {}", path.display()));
        }
        Ok(done.join(", "))
    }
}

const LOG_IN: &str = "log out and in again, or set XDG_RUNTIME_DIR to a directory of yours";

pub(super) fn judge(sights: &Sights, findings: &mut Vec<Finding>) {
    const DIRECTORY: &str = "runtime directory";
    let place = &sights.place;
    let means = "PipeWire and headroomd have their sockets there, and cannot be reached without it";
    findings.push(match &place.directory {
        Directory::Good(path) => Finding::fine(DIRECTORY, path.display().to_string()),
        Directory::Missing(path) => {
            let found = format!("{} is not there", path.display());
            Finding::fixed_by(Fix::Directory, DIRECTORY, found, means)
        }
        Directory::Bad(path, why) => {
            Finding::trouble(DIRECTORY, format!("{} {why}", path.display()), means, LOG_IN)
        }
        Directory::Unknown(why) => Finding::trouble(DIRECTORY, why.clone(), means, LOG_IN),
    });
    if let Some(error) = place.error.as_ref().filter(|_| is_good(&place.directory)) {
        let (means, mend) = ("headroomd cannot be reached", "unset HEADROOM_SOCKET");
        findings.push(Finding::trouble("socket", error.clone(), means, mend));
    }
    if let Some((path, socket)) = &place.socket {
        judge_socket(path, socket, findings);
    }
    if let Some((path, lock)) = &place.lock {
        judge_lock(path, lock, matches!(place.socket, Some((_, Socket::Listens))), findings);
    }
}

fn is_good(directory: &Directory) -> bool {
    matches!(directory, Directory::Good(_))
}

fn judge_socket(path: &Path, socket: &Socket, findings: &mut Vec<Finding>) {
    const CHECK: &str = "socket";
    let path = path.display();
    findings.push(match socket {
        Socket::Absent => return,
        Socket::Listens => Finding::fine(CHECK, path.to_string()),
        Socket::Stale => {
            let means = "a headroomd was killed; the next one takes its place by itself";
            Finding::fixed_by(Fix::Place, CHECK, format!("nobody listens at {path}"), means)
        }
        Socket::InTheWay => {
            let means = "headroomd cannot start while something else has its name";
            Finding::trouble(CHECK, format!("{path} is no socket"), means, format!("rm -r {path}"))
        }
        Socket::Fails(why) => {
            let (found, means) = (format!("{path}: {why}"), "headroomd cannot be reached");
            Finding::trouble(CHECK, found, means, format!("ls -l {path} (is it yours?)"))
        }
    });
}

fn judge_lock(path: &Path, lock: &Lock, is_listened_at: bool, findings: &mut Vec<Finding>) {
    const CHECK: &str = "lock";
    let path = path.display();
    findings.push(match lock {
        Lock::Absent | Lock::Free => return,
        Lock::Held(_) if is_listened_at => return,
        Lock::Held(pid) => {
            let who = pid.map(|pid| format!("process {pid}")).unwrap_or("a process".to_owned());
            let means = "a headroomd is there that nobody can reach, and another cannot start";
            let mend =
                pid.map_or(format!("fuser -v {path} (shows it)"), |pid| format!("kill {pid}"));
            let found = format!("{who} holds {path}, but does not listen");
            Finding::trouble(CHECK, found, means, mend)
        }
        Lock::Stale => {
            let means = "a headroomd was killed; the next one takes its place by itself";
            let found = format!("{path} names a process that is gone");
            Finding::fixed_by(Fix::Place, CHECK, found, means)
        }
        Lock::InTheWay => {
            let means = "headroomd cannot start while something else has the name of its lock";
            Finding::fixed_by(Fix::Place, CHECK, format!("{path} is no file"), means)
        }
        Lock::Fails(why) => {
            let found = format!("{path}: {why}");
            Finding::trouble(CHECK, found, "headroomd cannot start", format!("rm {path}"))
        }
    });
}

fn look_at_directory() -> Directory {
    let path = match runtime_dir() {
        Ok(path) => path,
        Err(error) => return Directory::Unknown(error.to_string()),
    };
    let found = match fs::metadata(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Directory::Missing(path),
        Err(error) => return Directory::Bad(path, format!("cannot be looked at: {error}")),
    };
    let uid = rustix::process::geteuid().as_raw();
    let why = if !found.is_dir() {
        "is no directory".to_owned()
    } else if found.uid() != uid {
        format!("belongs to user {}, not to user {uid}", found.uid())
    } else if found.mode() & 0o022 != 0 {
        "can be written to by others".to_owned()
    } else {
        return Directory::Good(path);
    };
    Directory::Bad(path, why)
}

fn look_at_socket(path: &Path) -> Socket {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Socket::Absent,
        Err(error) if error.kind() == ErrorKind::NotADirectory => return Socket::Absent,
        Err(error) => return Socket::Fails(error.to_string()),
        Ok(found) if !found.file_type().is_socket() => return Socket::InTheWay,
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Socket::Listens,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Socket::Stale,
        Err(error) => Socket::Fails(error.to_string()),
    }
}

fn look_at_lock(path: &Path) -> Lock {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Lock::Absent,
        Err(error) if error.kind() == ErrorKind::NotADirectory => return Lock::Absent,
        Err(error) => return Lock::Fails(error.to_string()),
        Ok(found) if !found.is_file() => return Lock::InTheWay,
        Ok(_) => {}
    }
    let mut file = match open(path) {
        Ok(file) => file,
        Err(error) => return Lock::Fails(error.to_string()),
    };
    let mut text = String::new();
    let read = (&mut file).take(LONGEST_LOCK).read_to_string(&mut text);
    // Shared, so that a daemon that starts just now is kept from nothing but this moment.
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => Lock::Held(text.trim().parse().ok()),
        Err(error) => Lock::Fails(error.to_string()),
        Ok(()) if read.is_ok() && text.is_empty() => Lock::Free,
        Ok(()) => Lock::Stale,
    }
}

/// Not through a link, and without waiting for anybody.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(path)
}

fn hold(path: &Path) -> Result<File, String> {
    let shown = path.display();
    let file = open(path).map_err(|error| format!("opening {shown}: {error}"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(error) => Err(format!("a headroomd has started meanwhile ({shown}: {error})")),
    }
}

fn remove(path: &Path) -> Result<(), String> {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    // Of a directory only an empty one.
    let removed = if is_directory { fs::remove_dir(path) } else { fs::remove_file(path) };
    removed.map_err(|error| format!("removing {}: {error}", path.display()))
}
