//! The names of bells: `UID-PID-NONCE.sock`. Whatever is called otherwise is none of ours.

use std::ffi::{OsStr, OsString};

use rustix::io::Errno;

use crate::named_socket::{hidden, nonce};

const ENDING: &str = ".sock";
const NOT_YET: &str = ".new";

/// The length of the nonce, in hexadecimal digits.
const NONCE_DIGITS: usize = 16;

/// A new name: nobody else has it, not even a process of the same number in another sandbox.
pub(super) fn new() -> Result<OsString, Errno> {
    let uid = rustix::process::geteuid().as_raw();
    Ok(format!("{uid}-{}-{}{ENDING}", std::process::id(), nonce()?).into())
}

/// Where the bell of this name is made.
pub(super) fn before(name: &OsStr) -> OsString {
    hidden(name, NOT_YET)
}

/// What a name in the directory of bells stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bell of this user's.
    Bell,
    /// One that is being made, or whose maker was killed over it.
    NotYet,
    /// Somebody else's, or no bell at all.
    Foreign,
}

pub(super) fn kind(name: &OsStr, uid: u32) -> Kind {
    let Some(name) = name.to_str() else { return Kind::Foreign };
    let (name, kind) = match name.strip_prefix('.').and_then(|name| name.strip_suffix(NOT_YET)) {
        Some(name) => (name, Kind::NotYet),
        None => (name, Kind::Bell),
    };
    let parts = name.strip_suffix(ENDING).map(|stem| stem.split('-').collect::<Vec<_>>());
    let Some(&[owner, pid, nonce]) = parts.as_deref() else { return Kind::Foreign };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_nonce =
        nonce.len() == NONCE_DIGITS && nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
    if owner == uid.to_string() && is_number(pid) && is_nonce { kind } else { Kind::Foreign }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bell_of_this_user_is_called_like_one() {
        let of = |name: &str| kind(OsStr::new(name), 1000);
        assert_eq!(of("1000-42-0123456789abcdef.sock"), Kind::Bell);
        assert_eq!(of(".1000-42-0123456789abcdef.sock.new"), Kind::NotYet);
        for other in [
            "1001-42-0123456789abcdef.sock",
            "1000-42-0123456789abcdef",
            "1000-42-0123456789abcde.sock",
            "1000-42-0123456789abcdeg.sock",
            "1000--0123456789abcdef.sock",
            "1000-42-x-0123456789abcdef.sock",
            "1000-42-0123456789abcdef.sock.new",
            ".1000-42-0123456789abcdef.sock",
            "01000-42-0123456789abcdef.sock",
            "control.sock",
            "",
        ] {
            assert_eq!(of(other), Kind::Foreign, "{other}");
        }
    }

    #[test]
    fn a_new_name_is_a_bells_and_another_every_time() {
        let uid = rustix::process::geteuid().as_raw();
        let (first, second) = (new().unwrap(), new().unwrap());
        assert_ne!(first, second);
        assert_eq!(kind(&first, uid), Kind::Bell);
        assert_eq!(kind(&before(&first), uid), Kind::NotYet);
    }
}
