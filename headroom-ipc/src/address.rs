//! Where the daemon listens, as a rule over what the caller found in its surroundings.
//!
//! The daemon and every client follow the same rule, so it stands here, between them; reading
//! the environment and looking at directories is the caller's business.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// A place to listen at or to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A socket in the file system.
    Path(PathBuf),
    /// A socket with a name but no file, in the kernel's abstract space. Written
    /// `abstract:NAME`.
    Abstract(String),
}

/// What the rule looks at.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `$HEADROOM_SOCKET`.
    pub headroom_socket: Option<OsString>,
    /// `$XDG_RUNTIME_DIR`.
    pub xdg_runtime_dir: Option<OsString>,
    /// The user's number.
    pub uid: u32,
}

/// There is no place that the daemon could be at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither variable is set, and there is no runtime directory of the user.
    #[error(
        "there is no place for the socket: XDG_RUNTIME_DIR is not set and {} is no directory of \
         user {uid} (set HEADROOM_SOCKET to a path, or log in with a session)",
        runtime.display()
    )]
    NoRuntimeDir {
        /// The directory that was looked at.
        runtime: PathBuf,
        /// The user.
        uid: u32,
    },
    /// The address is neither an absolute path nor `abstract:NAME`.
    #[error("the socket is {address:?}, but must be an absolute path or abstract:NAME")]
    NoAddress {
        /// What was given.
        address: String,
    },
    /// The address is longer than the kernel takes.
    #[error(
        "the socket {address:?} takes {length_bytes} bytes, but the kernel takes \
         {MAX_ADDRESS_BYTES} (set HEADROOM_SOCKET to a shorter path)"
    )]
    TooLong {
        /// What was given.
        address: String,
        /// How long it is.
        length_bytes: usize,
    },
}

/// The longest address of a Unix socket: `sun_path` and its terminating zero, or the zero that
/// an abstract name begins with.
pub const MAX_ADDRESS_BYTES: usize = 107;

const ABSTRACT: &str = "abstract:";
const IN_RUNTIME_DIR: &str = "headroom/control.sock";

impl Surroundings {
    /// The user's directory for what lives as long as the session: `$XDG_RUNTIME_DIR`, else
    /// `/run/user/UID` where `is_own` finds that it is a directory of the user.
    ///
    /// # Errors
    /// [`AddressError::NoRuntimeDir`].
    pub fn runtime_dir(&self, is_own: impl FnOnce(&Path) -> bool) -> Result<PathBuf, AddressError> {
        let runtime = set(&self.xdg_runtime_dir).map(PathBuf::from);
        if let Some(runtime) = runtime.filter(|path| path.is_absolute()) {
            return Ok(runtime);
        }
        let uid = self.uid;
        let runtime = PathBuf::from(format!("/run/user/{uid}"));
        if is_own(&runtime) {
            Ok(runtime)
        } else {
            Err(AddressError::NoRuntimeDir { runtime, uid })
        }
    }
}

/// A variable that is empty counts as not set.
fn set(value: &Option<OsString>) -> Option<OsString> {
    value.clone().filter(|value| !value.is_empty())
}

impl Address {
    /// The rule: `$HEADROOM_SOCKET`, else `$XDG_RUNTIME_DIR/headroom/control.sock`, else
    /// `/run/user/UID/headroom/control.sock` where `is_own` finds that `/run/user/UID` is a
    /// directory of the user. A variable that is empty counts as not set, and so does an
    /// `$XDG_RUNTIME_DIR` that is not absolute.
    ///
    /// # Errors
    /// [`AddressError`], to be shown as it is. There is no other place to try: a directory that
    /// others can write to is none.
    pub fn find(
        surroundings: &Surroundings,
        is_own: impl FnOnce(&Path) -> bool,
    ) -> Result<Address, AddressError> {
        if let Some(address) = set(&surroundings.headroom_socket) {
            return Address::parse(&address);
        }
        let runtime = surroundings.runtime_dir(is_own)?;
        Address::parse(runtime.join(IN_RUNTIME_DIR).as_os_str())
    }

    /// Reads an address as a person writes it: an absolute path, or `abstract:NAME`.
    ///
    /// # Errors
    /// [`AddressError::NoAddress`] and [`AddressError::TooLong`].
    pub fn parse(address: &OsStr) -> Result<Address, AddressError> {
        let shown = || address.to_string_lossy().into_owned();
        let abstract_name = address.to_str().and_then(|text| text.strip_prefix(ABSTRACT));
        let (address, length_bytes) = match abstract_name {
            Some(name) if !name.is_empty() => (Address::Abstract(name.to_owned()), name.len()),
            None if Path::new(address).is_absolute() => {
                (Address::Path(PathBuf::from(address)), address.len())
            }
            _ => return Err(AddressError::NoAddress { address: shown() }),
        };
        if length_bytes > MAX_ADDRESS_BYTES {
            return Err(AddressError::TooLong { address: shown(), length_bytes });
        }
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Path(path) => path.display().fmt(f),
            Address::Abstract(name) => write!(f, "{ABSTRACT}{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(socket: &str, runtime: &str, own: &str) -> Result<String, String> {
        let surroundings = Surroundings {
            headroom_socket: Some(socket.into()),
            xdg_runtime_dir: Some(runtime.into()),
            uid: 1000,
        };
        Address::find(&surroundings, |path| path == Path::new(own))
            .map(|address| address.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_socket_is_where_it_is_said_else_in_the_runtime_directory_and_never_elsewhere() {
        for (socket, runtime, own, place) in [
            ("/a/b.sock", "/run/user/7", "", "/a/b.sock"),
            ("abstract:me", "/run/user/7", "", "abstract:me"),
            ("", "/run/user/7", "", "/run/user/7/headroom/control.sock"),
            ("", "", "/run/user/1000", "/run/user/1000/headroom/control.sock"),
            ("", "relative", "/run/user/1000", "/run/user/1000/headroom/control.sock"),
        ] {
            assert_eq!(find(socket, runtime, own).as_deref(), Ok(place));
        }
        let error = find("", "", "").unwrap_err();
        assert!(error.contains("/run/user/1000 is no directory of user 1000"), "{error}");
    }

    #[test]
    fn an_address_that_the_kernel_does_not_take_is_refused_in_words() {
        for bad in ["a.sock", "abstract:", "./x"] {
            let error = find(bad, "", "").unwrap_err();
            assert!(error.contains("must be an absolute path or abstract:NAME"), "{error}");
        }
        let longest = format!("/{}", "x".repeat(MAX_ADDRESS_BYTES - 1));
        assert_eq!(find(&longest, "", ""), Ok(longest.clone()));
        let error = find(&format!("{longest}x"), "", "").unwrap_err();
        assert!(error.contains("takes 108 bytes, but the kernel takes 107"), "{error}");
        let longest = format!("abstract:{}", "x".repeat(MAX_ADDRESS_BYTES));
        assert_eq!(find(&longest, "", ""), Ok(longest.clone()));
    }
}
