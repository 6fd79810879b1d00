//! Whose name it is: a lock beside the socket decides, for as long as the endpoint lives.
//!
//! The lock is released by the kernel however its holder ends. Whoever has it may take a dead
//! socket away; nobody takes away anything else.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    FileType, FlockOperation, Mode, OFlags, RenameFlags, Stat, flock, fstat, openat, renameat,
    renameat_with,
};
use rustix::io::Errno;

use super::error::BindError;
use crate::named_socket::{Directory, hidden, is_own_socket};

/// How many connections the kernel keeps for an endpoint that is busy.
const BACKLOG: i32 = 128;

/// A name that is ours. It goes with this.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    socket: Entry,
    // After the socket: whoever gets the lock next finds none of ours.
    lock: Lock,
}

/// The lock that goes with a name, and the directory that both are in. Its file goes with this.
#[derive(Debug)]
struct Lock {
    directory: Directory,
    file: Entry,
    // Closed last, by which it is released.
    _held: OwnedFd,
}

/// A name in the directory, and what had it when we saw it.
#[derive(Debug)]
struct Entry {
    name: OsString,
    found: Stat,
}

impl Claim {
    /// Listens at a path.
    pub(super) fn listen(path: &Path) -> Result<(Claim, OwnedFd), BindError> {
        let system = |doing| {
            move |error: Errno| BindError::System {
                doing,
                path: path.to_owned(),
                source: error.into(),
            }
        };
        let (directory, name) = Directory::of(path).map_err(system("opening the directory of"))?;
        let lock = match Lock::take(directory, name) {
            Err(Errno::WOULDBLOCK) => return Err(BindError::InUse { path: path.to_owned() }),
            outcome => outcome.map_err(system("locking"))?,
        };
        let directory = &lock.directory;
        // Nobody else makes one of this name while we hold the lock.
        let before = hidden(name, ".new");
        let listen = || directory.listen(&before, BACKLOG);
        let listener = listen().or_else(|error| match directory.look_at(&before) {
            // Its maker was killed over it.
            Ok(Some(left)) if error == Errno::ADDRINUSE && is_own_socket(&left) => {
                directory.unlink(&before).and_then(|()| listen())
            }
            _ => Err(error),
        });
        let listener = listener.map_err(system("listening at"))?;
        let found = directory.look_at(&before).and_then(|found| found.ok_or(Errno::NOENT));
        let named = found.map_err(system("looking at")).and_then(|found| {
            give_name(directory, path, &before, name)?;
            Ok(Entry { name: name.to_owned(), found })
        });
        let socket = named.inspect_err(|_| {
            let _ = directory.unlink(&before);
        })?;
        Ok((Claim { path: path.to_owned(), socket, lock }, listener))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.socket.remove_from(&self.lock.directory);
    }
}

impl Lock {
    /// Takes the lock, or says [`Errno::WOULDBLOCK`].
    fn take(directory: Directory, name: &OsStr) -> Result<Lock, Errno> {
        let name = hidden(name, ".lock");
        loop {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let flags = flags | OFlags::NONBLOCK;
            let held = openat(directory.descriptor(), &name, flags, Mode::RUSR | Mode::WUSR)?;
            flock(&held, FlockOperation::NonBlockingLockExclusive)?;
            let found = fstat(&held)?;
            // Who held it before may have removed it just now; then it excludes nobody.
            if directory.look_at(&name)?.is_some_and(|now| is_same(&now, &found)) {
                return Ok(Lock { directory, file: Entry { name, found }, _held: held });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.file.remove_from(&self.directory);
    }
}

impl Entry {
    /// Removes it. What somebody has put in its place meanwhile is left alone, and so is a file
    /// with something in it, which is no lock of ours.
    fn remove_from(&self, directory: &Directory) {
        if let Ok(Some(now)) = directory.look_at(&self.name)
            && is_same(&now, &self.found)
            && now.st_size == 0
        {
            let _ = directory.unlink(&self.name);
        }
    }
}

/// Gives a socket that listens its name, unless somebody else has that.
fn give_name(
    directory: &Directory,
    path: &Path,
    before: &OsStr,
    name: &OsStr,
) -> Result<(), BindError> {
    let system = |error: Errno| BindError::System {
        doing: "naming the socket",
        path: path.to_owned(),
        source: error.into(),
    };
    let rename = |flags| {
        let at = directory.descriptor();
        match renameat_with(at, before, at, name, flags) {
            // A file system that knows no such thing.
            Err(Errno::INVAL | Errno::NOSYS) => renameat(at, before, at, name),
            outcome => outcome,
        }
    };
    loop {
        let Some(found) = directory.look_at(name).map_err(system)? else {
            match rename(RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => continue,
                outcome => return outcome.map_err(system),
            }
        };
        check_dead(directory, path, name, &found)?;
        // Both change places, so that what was replaced can still be looked at.
        rename(RenameFlags::EXCHANGE).map_err(system)?;
        match directory.look_at(before).map_err(system)? {
            None => return Ok(()),
            Some(replaced) if is_same(&replaced, &found) => {
                return directory.unlink(before).map_err(system);
            }
            // Somebody was faster; it is theirs.
            Some(_) => rename(RenameFlags::EXCHANGE).map_err(system)?,
        }
    }
}

/// What has the name must be a socket of ours that nobody listens at.
fn check_dead(
    directory: &Directory,
    path: &Path,
    name: &OsStr,
    found: &Stat,
) -> Result<(), BindError> {
    let path = path.to_owned();
    if FileType::from_raw_mode(found.st_mode) != FileType::Socket {
        return Err(BindError::NotASocket { path });
    }
    if !is_own_socket(found) {
        let uid = rustix::process::geteuid().as_raw();
        return Err(BindError::NotOurs { path, owner: found.st_uid, uid });
    }
    match directory.connect_now(name) {
        Err(Errno::CONNREFUSED) => Ok(()),
        // Gone just now: the next look will tell.
        Err(Errno::NOENT) => Ok(()),
        _ => Err(BindError::InUse { path }),
    }
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}
