//! Where to listen: what was asked for on the command line, else what systemd has passed on,
//! else the rule that clients follow too ([`Address::find`]).

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use headroom_ipc::{Address, AddressError, Surroundings};

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// At this address.
    At(Address),
    /// At the socket that systemd has made and passed on as the first of its descriptors.
    Inherited,
}

/// The place to listen cannot be made out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// There is none, or it is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// `--listen systemd` without systemd.
    #[error(
        "--listen is systemd, but systemd has passed no socket on to this process (LISTEN_PID and \
         LISTEN_FDS say which): start it by a unit with a socket, or leave --listen out"
    )]
    NothingInherited,
}

/// What the place depends on.
#[derive(Debug, Clone, Default)]
struct Environment {
    surroundings: Surroundings,
    listen_pid: Option<OsString>,
    listen_fds: Option<OsString>,
    pid: u32,
}

const SYSTEMD: &str = "systemd";

impl Listen {
    /// Where `--listen` says, or where its absence leaves it: the socket that systemd passed on
    /// if it did, else the place where clients look.
    ///
    /// # Errors
    /// [`ListenError`], to be shown as it is.
    pub fn find(listen: Option<&OsStr>) -> Result<Listen, ListenError> {
        let uid = nix::unistd::geteuid().as_raw();
        let environment = Environment {
            surroundings: Surroundings {
                headroom_socket: std::env::var_os("HEADROOM_SOCKET"),
                xdg_runtime_dir: std::env::var_os("XDG_RUNTIME_DIR"),
                uid,
            },
            listen_pid: std::env::var_os("LISTEN_PID"),
            listen_fds: std::env::var_os("LISTEN_FDS"),
            pid: std::process::id(),
        };
        environment.find(listen, |path| is_directory_of(path, uid))
    }
}

impl Environment {
    fn find(
        &self,
        listen: Option<&OsStr>,
        is_own: impl FnOnce(&Path) -> bool,
    ) -> Result<Listen, ListenError> {
        match listen {
            Some(word) if word == SYSTEMD && self.has_inherited() => Ok(Listen::Inherited),
            Some(word) if word == SYSTEMD => Err(ListenError::NothingInherited),
            Some(address) => Ok(Listen::At(Address::parse(address)?)),
            None if self.has_inherited() => Ok(Listen::Inherited),
            None => Ok(Listen::At(Address::find(&self.surroundings, is_own)?)),
        }
    }

    /// Whether systemd means us: a child of ours would see the same variables.
    fn has_inherited(&self) -> bool {
        let number = |value: &Option<OsString>| value.as_ref()?.to_str()?.parse::<u32>().ok();
        number(&self.listen_pid) == Some(self.pid)
            && number(&self.listen_fds).is_some_and(|fds| fds >= 1)
    }
}

fn is_directory_of(path: &Path, uid: u32) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(listen: Option<&str>, pid: &str, fds: &str) -> Result<Listen, ListenError> {
        let environment = Environment {
            surroundings: Surroundings {
                headroom_socket: None,
                xdg_runtime_dir: Some("/run/user/7".into()),
                uid: 7,
            },
            listen_pid: Some(pid.into()),
            listen_fds: Some(fds.into()),
            pid: 12,
        };
        environment.find(listen.map(OsStr::new), |_| false)
    }

    #[test]
    fn what_is_asked_for_comes_before_what_is_inherited_and_that_before_the_usual_place() {
        let at = |path: &str| Ok(Listen::At(Address::Path(path.into())));
        assert_eq!(find(Some("/a.sock"), "12", "1"), at("/a.sock"));
        assert_eq!(find(None, "12", "1"), Ok(Listen::Inherited));
        assert_eq!(find(Some("systemd"), "12", "2"), Ok(Listen::Inherited));
        let usual = at("/run/user/7/headroom/control.sock");
        // Meant for another process, and no descriptors at all.
        assert_eq!(find(None, "13", "1"), usual);
        assert_eq!(find(None, "12", "0"), usual);
        assert_eq!(find(None, "", ""), usual);
        assert_eq!(find(Some("systemd"), "13", "1"), Err(ListenError::NothingInherited));
    }

    #[test]
    fn a_place_that_is_none_is_refused_in_words() {
        let error = find(Some("control.sock"), "", "").expect_err("not absolute").to_string();
        assert!(error.contains("must be an absolute path or abstract:NAME"), "{error}");
    }
}
