//! What a service manager sees of the program.

use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::Duration;

use crate::program::Program;

#[test]
fn a_service_manager_is_told_when_clients_can_connect_and_when_it_stops() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = folder.path().join("notify");
    let manager = UnixDatagram::bind(&place).expect("a socket");
    manager.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
    let told = || {
        let mut text = [0; 256];
        let length = manager.recv(&mut text).expect("a word of headroomd");
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    };
    let mut program = Program::start_with(&[], |command| {
        command.env("NOTIFY_SOCKET", &place);
    });
    assert_eq!(told(), "READY=1");
    UnixStream::connect(program.socket()).expect("who is ready can be connected to");
    program.terminate();
    assert_eq!(told(), "STOPPING=1");
    assert!(program.wait().success());
}

#[test]
fn a_service_manager_that_has_gone_costs_a_warning_at_most() {
    let folder = tempfile::tempdir().expect("a directory");
    let nowhere = folder.path().join("nobody");
    let program = Program::start_with(&[], |command| {
        command.env("NOTIFY_SOCKET", &nowhere);
    });
    drop(program.peer());
}
