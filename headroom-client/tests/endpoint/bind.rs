//! Whose name it is.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};

use headroom_client::endpoint::BindError;

use super::again::NOBODY;
use super::*;

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_name_goes_with_the_endpoint_and_nothing_stays_behind() {
    let (folder, path) = place();
    let endpoint = bind(&path);
    assert_eq!(endpoint.path(), path);
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    drop(endpoint);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_live_programs_name_is_not_taken() {
    let (folder, path) = place();
    let mut endpoint = bind(&path);
    let inode = fs::metadata(&path).unwrap().ino();
    for _ in 0..3 {
        let error = Endpoint::<Knob>::bind(&path).unwrap_err();
        assert!(matches!(error, BindError::InUse { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            format!("another program listens at {} already", path.display())
        );
    }
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    let caller = calling(&path, Knob::Turn { by: 1 });
    serve_until(&mut endpoint, &mut Program::default(), caller).unwrap();
    drop(endpoint);

    // Nor that of one which knows nothing of locks, be it ever so busy.
    let other = UnixListener::bind(&path).unwrap();
    rustix::net::listen(&other, 0).unwrap();
    let _queued = UnixStream::connect(&path).unwrap();
    assert!(matches!(Endpoint::<Knob>::bind(&path), Err(BindError::InUse { .. })));
    drop(other);
    fs::remove_file(&path).unwrap();
    let _other_kind = UnixDatagram::bind(&path).unwrap();
    assert!(matches!(Endpoint::<Knob>::bind(&path), Err(BindError::InUse { .. })));
    assert_eq!(names(folder.path()), ["knob.sock"]);
}

#[test]
fn a_dead_socket_is_replaced_and_so_is_what_a_killed_maker_left() {
    let (folder, path) = place();
    drop(UnixListener::bind(&path).unwrap());
    drop(UnixListener::bind(folder.path().join(".knob.sock.new")).unwrap());
    fs::write(folder.path().join(".knob.sock.lock"), "").unwrap();
    let mut endpoint = bind(&path);
    let caller = calling(&path, Knob::Turn { by: 1 });
    serve_until(&mut endpoint, &mut Program::default(), caller).unwrap();
    drop(endpoint);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn nothing_is_deleted_that_is_no_socket() {
    let (folder, path) = place();
    let other = folder.path().join("other");
    fs::write(&other, "a letter").unwrap();
    let makes: [&dyn Fn(); 4] = [
        &|| fs::write(&path, "a letter").unwrap(),
        &|| fs::write(&path, "").unwrap(),
        &|| symlink(&other, &path).unwrap(),
        &|| fs::create_dir(&path).unwrap(),
    ];
    for make in makes {
        make();
        let before = fs::symlink_metadata(&path).unwrap();
        let error = Endpoint::<Knob>::bind(&path).unwrap_err();
        assert!(matches!(error, BindError::NotASocket { .. }), "{error}");
        assert!(error.to_string().contains("is no socket: move it away"), "{error}");
        let after = fs::symlink_metadata(&path).unwrap();
        assert_eq!((after.ino(), after.len()), (before.ino(), before.len()));
        if after.is_dir() { fs::remove_dir(&path) } else { fs::remove_file(&path) }.unwrap();
    }
    // Where the lock or the socket in the making would be.
    for name in [".knob.sock.lock", ".knob.sock.new"] {
        let file = folder.path().join(name);
        fs::write(&file, "a letter").unwrap();
        drop(Endpoint::<Knob>::bind(&path));
        assert_eq!(fs::read_to_string(&file).unwrap(), "a letter");
        fs::remove_file(&file).unwrap();
    }
    // What somebody has put there meanwhile stays when the endpoint goes.
    let endpoint = bind(&path);
    fs::remove_file(&path).unwrap();
    fs::write(&path, "a letter").unwrap();
    drop(endpoint);
    assert_eq!(fs::read_to_string(&path).unwrap(), "a letter");
}

#[test]
fn of_many_that_want_a_dead_sockets_name_at_once_one_gets_it() {
    let (folder, path) = place();
    for _ in 0..20 {
        drop(UnixListener::bind(&path).unwrap());
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Endpoint::<Knob>::bind(&path))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (bound, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(bound.len(), 1);
        for error in refused {
            assert!(matches!(error, Err(BindError::InUse { .. })), "{error:?}");
        }
        drop(bound);
        assert!(names(folder.path()).is_empty());
    }
}

#[test]
fn a_name_can_be_called_from_the_moment_that_it_is_seen_and_only_by_its_user() {
    let Some(folder) = again::inside() else {
        let folder = tempfile::tempdir().unwrap();
        let test =
            "bind::a_name_can_be_called_from_the_moment_that_it_is_seen_and_only_by_its_user";
        return again::run(test, folder.path(), None);
    };
    // What another program might have set.
    rustix::process::umask(rustix::fs::Mode::empty());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            // One call to each: nobody answers, and a queue that is full would keep us.
            let mut called = HashSet::new();
            while !is_over.load(Ordering::Relaxed) {
                for name in names(&folder) {
                    // It may have been renamed just now.
                    let path = folder.join(&name);
                    let Ok(found) = fs::symlink_metadata(&path) else { continue };
                    assert_eq!(found.mode() & 0o777, 0o600, "{name}");
                    if !name.starts_with('.') && !called.contains(&name) {
                        UnixStream::connect(&path).unwrap();
                        called.insert(name);
                    }
                }
            }
            called.len()
        });
        let _living: Vec<_> = (0..100)
            .map(|n| Endpoint::<Knob>::bind(folder.join(format!("{n}.sock"))).unwrap())
            .collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(looking.join().unwrap() > 0);
    });
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o777));
    let path = folder.join("closed.sock");
    let _endpoint = bind(&path);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn another_user_is_refused_whatever_the_mode() {
    if let Some(path) = again::inside() {
        // As nobody.
        let error = call(&Knob::Turn { by: 1 }, path, PATIENCE).unwrap_err();
        assert_eq!(error.to_string(), "this program serves user 0 alone");
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can call as another user");
        return;
    }
    let (folder, path) = place();
    let mut endpoint = bind(&path);
    let mut program = Program::default();
    for open in [folder.path(), &path] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let inside = path.clone();
    let test = "bind::another_user_is_refused_whatever_the_mode";
    let caller =
        std::thread::Builder::new().spawn(move || again::run(test, &inside, Some(NOBODY))).unwrap();
    serve_until(&mut endpoint, &mut program, caller);
    assert_eq!(program.position, 0);

    // And a name of theirs is not taken.
    let theirs = folder.path().join("theirs.sock");
    drop(UnixListener::bind(&theirs).unwrap());
    std::os::unix::fs::chown(&theirs, Some(NOBODY), None).unwrap();
    let error = Endpoint::<Knob>::bind(&theirs).unwrap_err();
    assert!(error.to_string().ends_with("belongs to user 65534, not to user 0"), "{error}");
    assert!(theirs.exists());
}

#[test]
fn a_path_longer_than_the_kernel_takes_is_as_good_as_any() {
    let (folder, _) = place();
    let long = folder.path().join("x".repeat(120)).join("y".repeat(120));
    fs::create_dir_all(&long).unwrap();
    let path = long.join("knob.sock");
    let mut endpoint = bind(&path);
    let caller = calling(&path, Knob::Turn { by: 7 });
    let answer = serve_until(&mut endpoint, &mut Program::default(), caller);
    assert_eq!(answer.unwrap(), Answer::Position(7));
    drop(endpoint);
    assert!(names(&long).is_empty());
}
