//! Who the daemon is, and its listening socket.
//!
//! An `flock` on the file beside the socket (`control.lock`) is held for life: whoever has it
//! is the daemon, and may replace the socket that a killed one left. The socket has its mode
//! before it has a name (`fchmod` before `bind`), and its name only once it listens: it is bound
//! under a name that nobody looks for and then renamed.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use headroom_ipc::Address;
use nix::errno::Errno;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{
    AddressFamily, Backlog, Shutdown, SockFlag, SockType, UnixAddr, bind, getsockopt, listen,
    shutdown, socket,
};
use nix::sys::stat::{Mode, fchmod};

use super::address::Listen;
use super::claim_error::ClaimError;
use super::lock::{Lock, lock, lock_if_there};

/// The first descriptor that systemd passes on.
const FIRST_INHERITED: i32 = 3;

/// A socket that listens, ours until this is dropped: then its name goes, and the lock after it.
#[derive(Debug)]
pub struct Listening {
    listener: UnixListener,
    place: Address,
    name: Name,
    _lock: Option<Lock>,
}

/// What becomes of the socket at the end.
#[derive(Debug)]
enum Name {
    /// A file of ours, to be removed.
    File(PathBuf),
    /// Nothing in the file system.
    Abstract,
    /// systemd's: it stays, and must go on working for the next start.
    Inherited,
}

impl Listening {
    /// Becomes the daemon of this place.
    ///
    /// # Errors
    /// [`ClaimError`]: nothing has been changed, except that the directory may have been made.
    pub fn claim(listen: &Listen) -> Result<Listening, ClaimError> {
        match listen {
            Listen::At(Address::Path(path)) => Listening::at_path(path),
            Listen::At(Address::Abstract(name)) => Listening::at_abstract(name),
            Listen::Inherited => Listening::inherited(),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn place(&self) -> &Address {
        &self.place
    }

    pub(super) fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// Ends an `accept` that sleeps, and every one after it.
    pub(super) fn wake(&self) {
        let woken = match (&self.name, &self.place) {
            // systemd holds the same socket: to shut it down would be for good. A connection
            // wakes it as well.
            (Name::Inherited, Address::Path(path)) => UnixStream::connect(path).map(drop),
            (Name::Inherited, Address::Abstract(name)) => SocketAddr::from_abstract_name(name)
                .and_then(|a| UnixStream::connect_addr(&a))
                .map(drop),
            _ => shutdown(self.listener.as_raw_fd(), Shutdown::Both).map_err(io::Error::from),
        };
        if let Err(error) = woken {
            log::warn!("waking the accept thread: {error}");
        }
    }

    /// Takes the name away, so that nobody connects any more.
    pub(super) fn unlink(&self) {
        if let Name::File(path) = &self.name
            && let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            log::warn!("removing {}: {error}", path.display());
        }
    }

    fn at_path(path: &Path) -> Result<Listening, ClaimError> {
        let directory = path.parent().unwrap_or(Path::new("/"));
        make_directory(directory)?;
        let lock = lock(path)?;
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(ClaimError::InTheWay { path: path.to_owned() });
            }
            _ => {}
        }
        let hidden = hidden_name(path);
        // A killed one may have left it; the lock says that nobody uses it.
        let _ = fs::remove_file(&hidden);
        let address = UnixAddr::new(&hidden).map_err(|error| refused("naming", &hidden, error))?;
        let listener = listen_at(&address, &path.display().to_string())?;
        if let Err(source) = fs::rename(&hidden, path) {
            let _ = fs::remove_file(&hidden);
            let doing = format!("naming the socket {}", path.display());
            return Err(ClaimError::System { doing, source });
        }
        Ok(Listening {
            listener,
            place: Address::Path(path.to_owned()),
            name: Name::File(path.to_owned()),
            _lock: Some(lock),
        })
    }

    /// The kernel lets one at a time have an abstract name, so that it is the lock as well.
    fn at_abstract(name: &str) -> Result<Listening, ClaimError> {
        let place = Address::Abstract(name.to_owned());
        let address = UnixAddr::new_abstract(name.as_bytes())
            .map_err(|error| refused("naming", Path::new(name), error))?;
        let listener = match listen_at(&address, &place.to_string()) {
            Ok(listener) => listener,
            Err(ClaimError::System { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
                return Err(ClaimError::AnotherRuns {
                    pid: pid_behind(name),
                    place: place.to_string(),
                });
            }
            Err(error) => return Err(error),
        };
        Ok(Listening { listener, place, name: Name::Abstract, _lock: None })
    }

    fn inherited() -> Result<Listening, ClaimError> {
        let doing = "listening at the socket that systemd has passed on";
        let refused = |source| ClaimError::System { doing: doing.to_owned(), source };
        // SAFETY: systemd has opened this descriptor for this process, as LISTEN_PID and
        // LISTEN_FDS said, and nothing else takes it: this is called once, by main.
        let fd = unsafe { OwnedFd::from_raw_fd(FIRST_INHERITED) };
        nix::fcntl::fcntl(&fd, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))
            .map_err(|error| refused(error.into()))?;
        let listener = UnixListener::from(fd);
        let address = listener.local_addr().map_err(refused)?;
        let (place, lock) = match (address.as_pathname(), address.as_abstract_name()) {
            (Some(path), _) => (Address::Path(path.to_owned()), Some(lock(path)?)),
            (_, Some(name)) => {
                (Address::Abstract(String::from_utf8_lossy(name).into_owned()), None)
            }
            _ => return Err(refused(io::Error::other("it has no name"))),
        };
        Ok(Listening { listener, place, name: Name::Inherited, _lock: lock })
    }
}

/// Held while nobody may become the daemon of a place, and nobody is.
#[derive(Debug)]
pub struct Vacant {
    _lock: Option<Lock>,
}

impl Vacant {
    /// Makes sure of it.
    ///
    /// # Errors
    /// [`ClaimError::AnotherRuns`] when somebody is.
    pub fn claim(listen: &Listen) -> Result<Vacant, ClaimError> {
        let lock = match listen {
            Listen::At(Address::Path(path)) => lock_if_there(path)?,
            Listen::At(Address::Abstract(name)) => {
                let pid = pid_behind(name);
                let is_there = SocketAddr::from_abstract_name(name)
                    .is_ok_and(|address| UnixStream::connect_addr(&address).is_ok());
                if is_there {
                    let place = Address::Abstract(name.clone()).to_string();
                    return Err(ClaimError::AnotherRuns { pid, place });
                }
                None
            }
            // Nobody but the daemon of a unit is given its socket.
            Listen::Inherited => None,
        };
        Ok(Vacant { _lock: lock })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // The lock is a field, and goes after this: nobody else can have made the name anew.
        self.unlink();
    }
}

fn refused(doing: &str, path: &Path, error: Errno) -> ClaimError {
    ClaimError::System {
        doing: format!("{doing} the socket {}", path.display()),
        source: error.into(),
    }
}

/// Makes the directory of the socket for this user alone. One that is there keeps what its
/// owner gave it, unless it is the one that we make ourselves.
fn make_directory(directory: &Path) -> Result<(), ClaimError> {
    let system = |doing: &str, source| ClaimError::System {
        doing: format!("{doing} {}", directory.display()),
        source,
    };
    match DirBuilder::new().mode(0o700).create(directory) {
        // The umask can only have taken from it.
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::metadata(directory).map_err(|e| system("looking at", e))?;
            let uid = nix::unistd::geteuid().as_raw();
            if !directory.ends_with("headroom") {
                return Ok(());
            }
            if found.uid() != uid {
                let path = directory.to_owned();
                return Err(ClaimError::NotOurs { path, owner: found.uid(), uid });
            }
            if found.mode() & 0o077 != 0 {
                let alone = fs::Permissions::from_mode(0o700);
                fs::set_permissions(directory, alone)
                    .map_err(|e| system("closing to others", e))?;
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(ClaimError::NoDirectory { path: directory.to_owned() })
        }
        Err(source) => Err(system("making the directory", source)),
    }
}

/// The process that listens at an abstract name.
fn pid_behind(name: &str) -> Option<u32> {
    let address = SocketAddr::from_abstract_name(name).ok()?;
    let stream = UnixStream::connect_addr(&address).ok()?;
    u32::try_from(getsockopt(&stream, PeerCredentials).ok()?.pid()).ok()
}

/// A listening socket for this user alone.
fn listen_at(address: &UnixAddr, shown: &str) -> Result<UnixListener, ClaimError> {
    let system = |doing: &str, error: Errno| ClaimError::System {
        doing: format!("{doing} the socket {shown}"),
        source: error.into(),
    };
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
        .map_err(|error| system("making", error))?;
    // The mode of the file is made from this when it gets its name, less the umask.
    fchmod(&socket, Mode::S_IRUSR | Mode::S_IWUSR)
        .map_err(|error| system("closing to others", error))?;
    bind(socket.as_raw_fd(), address).map_err(|error| system("naming", error))?;
    listen(&socket, Backlog::MAXCONN).map_err(|error| system("listening at", error))?;
    Ok(UnixListener::from(socket))
}

/// A name of the same length beside it that nobody looks for.
fn hidden_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut letters = name.chars();
    let first = letters.next();
    let hidden = if first == Some('.') { '~' } else { '.' };
    path.with_file_name(format!("{hidden}{}", letters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &Path) -> Result<Listening, ClaimError> {
        Listening::claim(&Listen::At(Address::Path(path.to_owned())))
    }

    #[test]
    fn the_socket_and_its_directory_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("headroom/control.sock");
        let listening = at(&path).expect("claimed");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o7777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().expect("a directory")), 0o700);
        assert_eq!(mode(&path.with_extension("lock")), 0o600);
        UnixStream::connect(&path).expect("it listens");
        let names = || {
            let entries = fs::read_dir(path.parent().expect("a directory")).expect("readable");
            let mut names: Vec<_> =
                entries.map(|entry| entry.expect("an entry").file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(), ["control.lock", "control.sock"]);
        drop(listening);
        assert_eq!(names(), ["control.lock"]);
    }

    #[test]
    fn the_socket_is_closed_to_others_from_its_first_instant() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("x.sock");
        let address = UnixAddr::new(&path).expect("an address");
        let _listener = listen_at(&address, "x").expect("listening");
        // The very file that bind made, without a rename or a chmod after it.
        assert_eq!(fs::metadata(&path).expect("it is there").mode() & 0o777, 0o600);
    }

    #[test]
    fn one_directory_that_was_open_to_others_is_closed() {
        let folder = tempfile::tempdir().expect("a directory");
        let directory = folder.path().join("headroom");
        DirBuilder::new().mode(0o755).create(&directory).expect("made");
        let _listening = at(&directory.join("control.sock")).expect("claimed");
        assert_eq!(fs::metadata(&directory).expect("there").mode() & 0o777, 0o700);
    }

    #[test]
    fn a_second_one_is_told_who_the_first_is_and_a_dead_one_is_replaced() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("control.sock");
        let first = at(&path).expect("claimed");
        let error = at(&path).expect_err("taken").to_string();
        let running = format!("another headroomd is running, pid {}", std::process::id());
        assert!(error.starts_with(&running), "{error}");
        UnixStream::connect(&path).expect("the first still listens");
        drop(first);
        // What a killed one leaves: a socket that nobody listens at, and a lock file.
        drop(UnixListener::bind(&path).expect("bound"));
        let _second = at(&path).expect("claimed");
        UnixStream::connect(&path).expect("it listens");
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("control.sock");
        fs::write(&path, "mine").expect("written");
        assert!(matches!(at(&path), Err(ClaimError::InTheWay { .. })));
        assert_eq!(fs::read_to_string(&path).expect("still there"), "mine");
    }

    #[test]
    fn a_runtime_directory_that_is_not_there_is_said_to_be_missing() {
        let folder = tempfile::tempdir().expect("a directory");
        let error = at(&folder.path().join("gone/headroom/control.sock")).expect_err("no place");
        assert!(error.to_string().contains("set XDG_RUNTIME_DIR"), "{error}");
    }

    #[test]
    fn a_socket_that_is_called_like_a_lock_has_a_lock_of_its_own() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("odd.lock");
        let _listening = at(&path).expect("claimed");
        UnixStream::connect(&path).expect("it listens");
    }

    #[test]
    fn an_abstract_name_is_had_by_one_and_says_whose_it_is() {
        let name = format!("headroom-claim-{}", std::process::id());
        let listen = Listen::At(Address::Abstract(name.clone()));
        let first = Listening::claim(&listen).expect("claimed");
        match Listening::claim(&listen) {
            Err(ClaimError::AnotherRuns { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(first);
        Listening::claim(&listen).expect("free again");
    }

    #[test]
    fn an_accept_that_sleeps_is_woken() {
        let folder = tempfile::tempdir().expect("a directory");
        let listening = at(&folder.path().join("x.sock")).expect("claimed");
        listening.wake();
        listening.listener().accept().expect_err("it has ended");
    }
}
