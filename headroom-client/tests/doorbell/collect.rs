//! What is cleared away, and what never is.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::time::{Duration, SystemTime};

use headroom_client::doorbell::{Cause, Doorbell, notify_at, notify_in};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use rustix::process::Signal;

use super::again::{self, NOBODY};
use super::program::Listener;
use super::{Session, free_name, names};

/// A socket whose owner has gone.
fn dead(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
}

#[test]
fn a_listener_that_was_killed_is_collected_at_the_next_ring() {
    let session = Session::new();
    let mut living = Doorbell::bind_in(session.bells()).unwrap();
    let mut killed = Listener::begin(&session);
    killed.signal(Signal::KILL);
    killed.child.wait().unwrap();
    assert!(killed.bell.exists());
    assert_eq!(notify_in(session.bells(), Cause::Profile), 1);
    assert!(!killed.bell.exists());
    assert!(living.path().exists() && living.try_take().is_some());
    // And by who rings at that one alone.
    let path = session.bells().join(free_name(1));
    dead(&path);
    assert!(!notify_at(&path, Cause::All));
    assert!(!path.exists());
}

#[test]
fn a_bell_goes_when_it_is_dropped_or_cleaned_up() {
    let session = Session::new();
    let bell = Doorbell::bind_in(session.bells()).unwrap();
    let cleaner = bell.cleaner();
    assert_eq!(names(&session.bells()).len(), 1);
    drop(bell);
    assert!(names(&session.bells()).is_empty());
    cleaner.cleanup();
    let bell = Doorbell::bind_in(session.bells()).unwrap();
    bell.cleanup();
    assert!(names(&session.bells()).is_empty());
    assert_eq!(notify_in(session.bells(), Cause::All), 0);
}

#[test]
fn nothing_else_in_the_directory_is_touched() {
    let session = Session::new();
    let bells = session.bells();
    let outside = session.runtime().join("outside.sock");
    dead(&outside);
    let mut kept: Vec<String> = Vec::new();
    let mut keep = |name: String, make: &dyn Fn(&Path)| {
        make(&bells.join(&name));
        kept.push(name);
    };
    // One that speaks otherwise, and lives.
    let other_kind = std::cell::OnceCell::new();
    keep(free_name(6), &|path| other_kind.set(UnixDatagram::bind(path).unwrap()).unwrap());
    keep(free_name(1), &|path| fs::write(path, "a file").unwrap());
    keep(free_name(2), &|path| symlink(&outside, path).unwrap());
    keep(free_name(3), &|path| fs::create_dir(path).unwrap());
    keep("control.sock".into(), &dead);
    keep("4294967294-1-0000000000000004.sock".into(), &dead);
    // One that is being made just now.
    keep(format!(".{}.new", free_name(5)), &dead);
    if rustix::process::geteuid().is_root() {
        let nobody = Some(NOBODY);
        keep(free_name(7), &|path| {
            dead(path);
            std::os::unix::fs::chown(path, nobody, nobody).unwrap();
        });
    } else {
        eprintln!("SKIPPED: only root can make another user's socket");
    }
    dead(&bells.join(free_name(8)));
    kept.sort();
    assert_eq!(notify_in(&bells, Cause::All), 0);
    assert_eq!(names(&bells), kept, "all but the dead bell");
    for name in &kept {
        assert!(!notify_at(bells.join(name), Cause::All), "{name}");
    }
    assert_eq!(names(&bells), kept);
    assert!(outside.exists());
    assert!(!notify_at(&outside, Cause::All) && outside.exists(), "it is called like no bell");
    drop(other_kind);
}

#[test]
fn a_bell_whose_maker_was_killed_over_it_is_collected_once_it_is_old() {
    let session = Session::new();
    let path = session.bells().join(format!(".{}.new", free_name(1)));
    dead(&path);
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    let seconds = long_ago.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let time = Timespec { tv_sec: seconds.try_into().unwrap(), tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, &path, &times, AtFlags::empty()).unwrap();
    assert_eq!(notify_in(session.bells(), Cause::All), 0);
    assert!(!path.exists());
}

#[test]
fn a_bell_that_is_being_made_is_not_rung_yet() {
    let session = Session::new();
    let listener =
        UnixListener::bind(session.bells().join(format!(".{}.new", free_name(1)))).unwrap();
    listener.set_nonblocking(true).unwrap();
    assert_eq!(notify_in(session.bells(), Cause::All), 0);
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_bell_that_may_not_be_rung_is_left() {
    // Root may everything.
    if rustix::process::geteuid().is_root() && again::inside().is_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        return again::run(
            "collect::a_bell_that_may_not_be_rung_is_left",
            folder.path(),
            Some(NOBODY),
        );
    }
    let folder = again::inside().unwrap_or_else(|| tempfile::tempdir().unwrap().keep());
    let bells = folder.join("bells");
    let bell = Doorbell::bind_in(&bells).unwrap();
    fs::set_permissions(bell.path(), fs::Permissions::from_mode(0o000)).unwrap();
    assert_eq!(notify_in(&bells, Cause::All), 0);
    assert!(bell.path().exists());
    fs::set_permissions(bell.path(), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(notify_in(&bells, Cause::All), 1);
    drop(bell);
    fs::remove_dir(&bells).unwrap();
}

#[test]
fn another_user_neither_rings_nor_collects() {
    if let Some(bells) = again::inside() {
        // As nobody: there is a living bell and a dead one, and both are root's.
        assert_eq!(notify_in(&bells, Cause::All), 0);
        for name in names(&bells) {
            assert!(!notify_at(bells.join(name), Cause::All));
        }
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can ring as another user");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut bell = Doorbell::bind_in(folder.path()).unwrap();
    let nobodys = folder.path().join("65534-1-0000000000000001.sock");
    dead(&nobodys);
    // Even if the directory and the sockets were open to all.
    for path in [folder.path(), bell.path(), &nobodys] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let before = names(folder.path());
    again::run("collect::another_user_neither_rings_nor_collects", folder.path(), Some(NOBODY));
    assert_eq!(names(folder.path()), before);
    assert_eq!(bell.try_take(), None);
}
