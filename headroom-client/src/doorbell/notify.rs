//! The ringer's side: one look at a directory, and one connection to each bell in it.
//!
//! Nothing here waits for a listener. A connection to a Unix socket is made by the kernel alone,
//! at once or not at all, whether the listener runs, is busy or is stopped; so one after the other
//! is as good as all at once, and none is held up by another.

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{RawDir, Stat};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use super::name::{self, Kind};
use super::place;
use super::ring::Cause;
use crate::deadline::Deadline;
use crate::named_socket::{Directory, is_own_socket};

/// How long a ringer that is itself short of descriptors or memory goes on trying, for all
/// listeners together.
const FAN_OUT: Duration = Duration::from_millis(50);

/// The pause before it tries again.
const PAUSE: Duration = Duration::from_millis(5);

/// So many bells are rung at most.
const MAX_BELLS: usize = 4096;

/// One read of the directory takes so much: some hundred bells.
const READ_BYTES: usize = 8192;

/// Whoever makes a bell has named it long before this.
const MAKING: Duration = Duration::from_secs(60);

/// Rings every bell of this user, and says how many listeners took it; 0 is as good as any. It
/// never fails and never waits for a listener.
///
/// A listener whose queue is full does not count. It will hear that it is full, and look at
/// everything. A bell that nobody listens to any more is removed.
pub fn notify(cause: Cause) -> usize {
    place::existing_directory().map_or(0, |directory| notify_in(directory, cause))
}

/// The same for the bells in a directory, made with [`Doorbell::bind_in`](super::Doorbell::bind_in).
pub fn notify_in(directory: impl AsRef<Path>, cause: Cause) -> usize {
    let deadline = Deadline::within(FAN_OUT);
    let Ok((directory, mut bells)) = persist(deadline, || look_into(directory.as_ref())) else {
        return 0;
    };
    let mut took = 0;
    loop {
        bells.retain(|name| match ring(&directory, name, cause) {
            Outcome::Took => {
                took += 1;
                false
            }
            Outcome::Lost => false,
            Outcome::NotYet => true,
        });
        if bells.is_empty() || deadline.is_over() {
            return took;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Rings one bell, and says whether its listener took it.
pub fn notify_at(path: impl AsRef<Path>, cause: Cause) -> bool {
    let path = path.as_ref();
    let deadline = Deadline::within(FAN_OUT);
    let Ok((directory, name)) = persist(deadline, || Directory::of(path)) else { return false };
    loop {
        match ring(&directory, name, cause) {
            Outcome::Took => return true,
            Outcome::NotYet if !deadline.is_over() => std::thread::sleep(PAUSE),
            Outcome::NotYet | Outcome::Lost => return false,
        }
    }
}

enum Outcome {
    Took,
    /// There is no listener, or it has no room.
    Lost,
    /// This process is short of something just now.
    NotYet,
}

fn ring(directory: &Directory, name: &OsStr, cause: Cause) -> Outcome {
    let kind = name::kind(name, rustix::process::geteuid().as_raw());
    let found = match directory.look_at(name) {
        Ok(Some(found)) if is_own_socket(&found) => found,
        _ => return Outcome::Lost,
    };
    // To connect to one that is being made would ring it, and nobody has asked for it yet.
    if kind == Kind::NotYet && !is_old(&found) {
        return Outcome::Lost;
    }
    match directory.connect_now(name) {
        // A new connection has room for a word. One that is closed again at once was heard.
        Ok(bell) => match send(&bell, line(cause), SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => Outcome::Took,
            Err(_) => Outcome::Lost,
        },
        // Nobody listens: its owner has gone. This alone is reason to remove it.
        Err(Errno::CONNREFUSED) if kind != Kind::Foreign => {
            let _ = directory.unlink(name);
            Outcome::Lost
        }
        Err(error) if is_shortage(error) => Outcome::NotYet,
        Err(_) => Outcome::Lost,
    }
}

fn line(cause: Cause) -> &'static [u8] {
    match cause {
        Cause::Profile => b"profile\n",
        Cause::State => b"state\n",
        Cause::All => b"all\n",
    }
}

/// Whether nobody can still be making it.
fn is_old(found: &Stat) -> bool {
    let made = u64::try_from(found.st_mtime).unwrap_or(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.as_secs().saturating_sub(made) > MAKING.as_secs()
}

/// Opens a directory, and gives the bells in it: one look, however many there are.
fn look_into(path: &Path) -> Result<(Directory, Vec<OsString>), Errno> {
    let directory = Directory::open(path)?;
    let uid = rustix::process::geteuid().as_raw();
    let mut bells = Vec::new();
    let mut buffer = Vec::with_capacity(READ_BYTES);
    let mut entries = RawDir::new(directory.descriptor(), buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name::kind(as_os_str(name), uid) != Kind::Foreign {
            bells.push(as_os_str(name).to_owned());
            if bells.len() == MAX_BELLS {
                break;
            }
        }
    }
    Ok((directory, bells))
}

fn as_os_str(name: &CStr) -> &OsStr {
    OsStr::from_bytes(name.to_bytes())
}

/// Tries again while this process is short of something.
fn persist<T>(deadline: Deadline, mut step: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match step() {
            Err(error) if is_shortage(error) && !deadline.is_over() => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
}

fn is_shortage(error: Errno) -> bool {
    matches!(error, Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS)
}
