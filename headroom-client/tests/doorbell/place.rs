//! Where bells are, who can open them, and when their names can be seen.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use headroom_client::doorbell::{Cause, Doorbell, notify_in};

use super::program::{Listener, example};
use super::{Session, again, names};

fn mode(path: &std::path::Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn the_bell_is_in_the_runtime_directory_by_user_process_and_nonce_and_open_to_nobody_else() {
    let session = Session::new();
    let (first, second) = (Listener::begin(&session), Listener::begin(&session));
    let bells = session.runtime().join("headroom/bell");
    for listener in [&first, &second] {
        assert_eq!(listener.bell.parent(), Some(&*bells));
        let name = listener.bell.file_name().unwrap().to_str().unwrap();
        let parts: Vec<&str> = name.strip_suffix(".sock").unwrap().split('-').collect();
        let [uid, pid, nonce] = parts[..] else { panic!("{name}") };
        assert_eq!(uid, rustix::process::geteuid().as_raw().to_string());
        assert_eq!(pid, listener.child.id().to_string());
        assert!(nonce.len() == 16 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(mode(&listener.bell), 0o600);
    }
    assert_eq!(names(&bells).len(), 2);
    for directory in [&bells, bells.parent().unwrap()] {
        assert_eq!(mode(directory), 0o700);
    }
}

#[test]
fn a_directory_that_was_open_is_closed_and_one_that_is_none_is_refused() {
    let session = Session::new();
    for directory in [session.bells(), session.runtime().join("headroom")] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let listener = Listener::begin(&session);
    for directory in listener.bell.ancestors().skip(1).take(2) {
        assert_eq!(mode(directory), 0o700);
    }

    let session = Session::new();
    fs::create_dir(session.runtime().join("elsewhere")).unwrap();
    symlink("elsewhere", session.runtime().join("headroom")).unwrap();
    let output = example(session.runtime()).stderr(std::process::Stdio::piped()).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("NotOurs"), "{said}");
    assert!(names(&session.runtime().join("elsewhere")).is_empty());
}

#[test]
fn a_name_can_be_rung_from_the_moment_that_it_is_seen() {
    let session = Session::new();
    let bells = session.bells();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            // One ring to each: nobody collects, and a queue that is full would keep us.
            let mut rung = HashSet::new();
            while !is_over.load(Ordering::Relaxed) {
                for name in names(&bells).into_iter().filter(|name| !name.starts_with('.')) {
                    if !rung.contains(&name) {
                        UnixStream::connect(bells.join(&name)).unwrap();
                        rung.insert(name);
                    }
                }
            }
            rung.len()
        });
        let _living: Vec<Doorbell> = (0..100).map(|_| Doorbell::bind_in(&bells).unwrap()).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(looking.join().unwrap() > 0);
    });
}

#[test]
fn no_umask_opens_it_to_others_for_a_moment_or_closes_it_to_us() {
    let Some(folder) = again::inside() else {
        let folder = tempfile::tempdir().unwrap();
        let test = "place::no_umask_opens_it_to_others_for_a_moment_or_closes_it_to_us";
        return again::run(test, folder.path(), None);
    };
    rustix::process::umask(rustix::fs::Mode::empty());
    let bells = folder.join("bells");
    fs::create_dir(&bells).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for name in names(&bells) {
                    // It may have been renamed just now.
                    let Ok(found) = fs::symlink_metadata(bells.join(name)) else { continue };
                    assert_eq!(found.mode() & 0o777, 0o600);
                }
            }
        });
        for _ in 0..2000 {
            drop(Doorbell::bind_in(&bells).unwrap());
        }
        is_over.store(true, Ordering::Relaxed);
        looking.join().unwrap();
    });
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o777));
    let bell = Doorbell::bind_in(&bells).unwrap();
    assert_eq!(mode(bell.path()), 0o600);
    assert_eq!(notify_in(&bells, Cause::All), 1);
}

#[test]
fn a_path_longer_than_the_kernel_takes_is_as_good_as_any() {
    let session = Session::new();
    let long = session.runtime().join("x".repeat(120)).join("y".repeat(120));
    fs::create_dir_all(&long).unwrap();
    let bells = long.join("bells");
    let mut bell = Doorbell::bind_in(&bells).unwrap();
    assert!(bell.path().as_os_str().len() > 200);
    assert_eq!(notify_in(&bells, Cause::Profile), 1);
    assert!(headroom_client::doorbell::notify_at(bell.path(), Cause::Profile));
    assert_eq!(bell.try_take().unwrap().count(), 2);
    drop(bell);
    assert!(names(&bells).is_empty());
}
