//! Who may look, and which version is spoken.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use headroom_client::{ChannelError, FileChannel, FileChannelOptions};

use crate::place::{Place, numbers};

fn mode(path: &std::path::Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_directory_has_mode_0700_and_every_file_0600() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.short(200), place.frontend());
    for n in 0..10 {
        backend.send_event("n", &n).unwrap();
        frontend.send_request("n", &n).unwrap();
    }
    numbers(&mut frontend);
    numbers(&mut backend);
    assert_eq!(mode(&place.path()), 0o700);
    let mut files = 0;
    let mut folders = vec![place.path()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let is_folder = entry.file_type().unwrap().is_dir();
            let expected = if is_folder { 0o700 } else { 0o600 };
            assert_eq!(mode(&entry.path()), expected, "{}", entry.path().display());
            files += usize::from(!is_folder);
            folders.extend(is_folder.then(|| entry.path()));
        }
    }
    assert!(files > 8, "{files}");
}

#[test]
fn a_directory_that_others_may_look_into_is_refused_and_left_as_it_is() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let error = FileChannel::backend(place.path()).unwrap_err();
    assert!(matches!(error, ChannelError::OpenToOthers { mode: 0o755, .. }), "{error}");
    assert!(error.to_string().contains("chmod 700"), "{error}");
    assert_eq!(mode(&place.path()), 0o755);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_link_in_the_place_of_a_file_leads_nowhere() {
    let place = Place::new();
    drop(place.backend());
    let elsewhere = place.path().with_file_name("elsewhere");
    fs::write(&elsewhere, "mine").unwrap();
    fs::remove_file(place.file("backend.jsonl")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, place.file("backend.jsonl")).unwrap();
    assert!(FileChannel::backend(place.path()).is_err());
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "mine");
}

#[test]
fn an_older_or_newer_version_is_refused_in_either_direction() {
    for (first_line, what) in [
        (r#"{"type":"channel","version":2,"from":"backend","seq":0}"#, "of version 2"),
        (r#"{"type":"channel","version":0,"from":"backend","seq":0}"#, "of version 0"),
        (r#"{"type":"event","seq":1}"#, "no file channel"),
        ("hello", "no file channel"),
    ] {
        let place = Place::new();
        drop(place.backend());
        fs::write(place.file("backend.jsonl"), format!("{first_line}\n")).unwrap();
        for open in [FileChannel::backend, FileChannel::frontend] {
            let error = open(place.path()).unwrap_err();
            assert!(matches!(error, ChannelError::OtherVersion { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains(&format!("backend.jsonl is {what}, but")), "{text}");
        }
        assert_eq!(
            fs::read_to_string(place.file("backend.jsonl")).unwrap(),
            format!("{first_line}\n"),
            "nothing of it is touched"
        );
    }
}

#[test]
fn a_file_of_another_version_that_comes_later_is_refused_too() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.backend(), place.frontend());
    backend.send_event("n", &1).unwrap();
    assert_eq!(numbers(&mut frontend), [1]);
    // As a newer program would rotate.
    fs::rename(place.file("backend.jsonl"), place.file("backend.00000000000000000001.jsonl"))
        .unwrap();
    fs::write(place.file("backend.jsonl"), "{\"type\":\"channel\",\"version\":2,\"seq\":1}\n")
        .unwrap();
    let sent = backend.send_event("n", &2).unwrap_err();
    let read = frontend.recv().unwrap_err();
    for error in [sent, read] {
        assert!(matches!(error, ChannelError::OtherVersion { .. }), "{error}");
    }
}

#[test]
fn a_reader_is_called_what_a_file_can_be_called() {
    let place = Place::new();
    for name in ["", "../x", "a/b", "A", "ü", &"x".repeat(65)] {
        let refused = FileChannelOptions::new().reader(name).frontend(place.path()).unwrap_err();
        assert!(matches!(refused, ChannelError::ReaderName { .. }), "{refused}");
    }
}
