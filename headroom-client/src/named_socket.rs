//! Unix sockets by their names in a directory: made so that nobody else can ever open them, and
//! seen by their final name only once they listen.
//!
//! The kernel takes 107 bytes of a socket's path. A longer one is reached by way of the open
//! directory, `/proc/self/fd/N/NAME`, so that only the name itself is limited. [`doorbell`] and
//! [`endpoint`] make their sockets with this; it knows nothing of what goes over them.
//!
//! [`doorbell`]: crate::doorbell
//! [`endpoint`]: crate::endpoint

use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::deadline::Deadline;

/// A directory that is open, so that what is done in it is done in this very one.
#[derive(Debug)]
pub(crate) struct Directory {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Directory {
    /// To be read, too.
    pub(crate) fn open(path: &Path) -> Result<Directory, Errno> {
        Directory::open_as(path, OFlags::RDONLY)
    }

    /// The directory that a path is in, and its name there. It need not be one that may be read.
    pub(crate) fn of(path: &Path) -> Result<(Directory, &OsStr), Errno> {
        let name = path.file_name().ok_or(Errno::ISDIR)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok((Directory::open_as(parent.unwrap_or(Path::new(".")), OFlags::PATH)?, name))
    }

    fn open_as(path: &Path, how: OFlags) -> Result<Directory, Errno> {
        let flags = how | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Directory { descriptor, path: path.to_owned() })
    }

    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }

    /// What has this name, links not followed; nothing where nothing has.
    pub(crate) fn look_at(&self, name: &OsStr) -> Result<Option<Stat>, Errno> {
        match rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn unlink(&self, name: &OsStr) -> Result<(), Errno> {
        rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty())
    }

    /// A socket that listens, under a name that was free, and is open to this user alone from
    /// the first moment. Nothing of it blocks.
    pub(crate) fn listen(&self, name: &OsStr, backlog: i32) -> Result<OwnedFd, Errno> {
        let socket = socket(SocketFlags::NONBLOCK)?;
        let alone = Mode::RUSR | Mode::WUSR;
        // The mode of the file is made from this when it gets its name, less the umask.
        rustix::fs::fchmod(&socket, alone)?;
        net::bind(&socket, &self.address(name)?)?;
        // A strange umask may have taken from it what we need ourselves.
        rustix::fs::chmodat(&self.descriptor, name, alone, AtFlags::empty())
            .and_then(|()| net::listen(&socket, backlog))
            .inspect_err(|_| {
                let _ = self.unlink(name);
            })?;
        Ok(socket)
    }

    /// Connects to a name without waiting. A full queue is [`Errno::AGAIN`]; a socket whose owner
    /// has gone, [`Errno::CONNREFUSED`].
    pub(crate) fn connect_now(&self, name: &OsStr) -> Result<OwnedFd, Errno> {
        let socket = socket(SocketFlags::NONBLOCK)?;
        connect(&socket, &self.address(name)?)?;
        Ok(socket)
    }

    /// Connects to a name, and waits while the queue is full.
    pub(crate) fn connect_by(&self, name: &OsStr, deadline: Deadline) -> Result<OwnedFd, Errno> {
        connect_by(&self.address(name)?, deadline)
    }

    fn address(&self, name: &OsStr) -> Result<SocketAddrUnix, Errno> {
        match SocketAddrUnix::new(self.path.join(name)) {
            Err(Errno::NAMETOOLONG) => {
                let directory = format!("/proc/self/fd/{}", self.descriptor.as_fd().as_raw_fd());
                SocketAddrUnix::new(Path::new(&directory).join(name))
            }
            address => address,
        }
    }
}

/// Connects, and waits while the queue is full; [`Errno::AGAIN`] at the end of the time.
pub(crate) fn connect_by(address: &SocketAddrUnix, deadline: Deadline) -> Result<OwnedFd, Errno> {
    let socket = socket(SocketFlags::empty())?;
    // The kernel holds a connecting peer to this too. Zero would mean for ever.
    let shortest = std::time::Duration::from_millis(1);
    set_socket_timeout(&socket, Timeout::Send, deadline.left().map(|left| left.max(shortest)))?;
    connect(&socket, address)?;
    Ok(socket)
}

fn socket(flags: SocketFlags) -> Result<OwnedFd, Errno> {
    net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | flags, None)
}

fn connect(socket: &OwnedFd, address: &SocketAddrUnix) -> Result<(), Errno> {
    loop {
        match net::connect(socket, address) {
            Err(Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

/// Makes a directory for this user alone, unless it is there. Says whether it was made.
pub(crate) fn make_directory(path: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether this is a socket of this user's.
pub(crate) fn is_own_socket(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::Socket
        && found.st_uid == rustix::process::geteuid().as_raw()
}

/// Bytes that nobody can guess, as hexadecimal digits.
pub(crate) fn nonce() -> Result<String, Errno> {
    let mut bytes = [0; 8];
    loop {
        match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
            Err(Errno::INTR) => {}
            outcome => return outcome.map(|_| format!("{:016x}", u64::from_be_bytes(bytes))),
        }
    }
}

/// A name in the same directory that begins with a dot, where nobody looks.
pub(crate) fn hidden(name: &OsStr, ending: &str) -> std::ffi::OsString {
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(OsStr::from_bytes(name.as_bytes()));
    hidden.push(ending);
    hidden
}
