//! Where it listens, and who the daemon is.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use headroom_ipc::{Code, Ping};

use crate::peer::{Message, Peer};
use crate::program::{Program, command, surround, wait_until};

/// Set in a copy of this test program that connects as somebody else.
const ABSTRACT_NAME: &str = "HEADROOM_TEST_ABSTRACT_NAME";

fn connect(name: &str) -> std::io::Result<UnixStream> {
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)
}

#[test]
fn of_two_that_start_at_once_one_wins_and_the_other_says_who() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().expect("a directory");
        let mut both = [0, 1].map(|_| {
            command(folder.path()).stderr(Stdio::piped()).spawn().expect("headroomd starts")
        });
        let mut loser = None;
        wait_until("one to lose", || {
            loser = both.iter_mut().position(|child| child.try_wait().expect("a child").is_some());
            loser.is_some()
        });
        let loser = loser.expect("one has lost");
        let winner = both[1 - loser].id();
        let mut said = String::new();
        let mut stderr = both[loser].stderr.take().expect("piped");
        stderr.read_to_string(&mut said).expect("text");
        assert!(said.contains(&format!("another headroomd is running, pid {winner}")), "{said}");
        assert_eq!(both[loser].wait().expect("a child").code(), Some(1));
        // And the winner serves.
        let socket = folder.path().join("headroom/control.sock");
        wait_until("the winner to listen", || UnixStream::connect(&socket).is_ok());
        let mut peer = Peer::connect(&socket);
        assert_eq!(peer.hello().pid, winner);
        both[1 - loser].kill().expect("it runs");
        both[1 - loser].wait().expect("a child");
    }
}

#[test]
fn one_that_was_killed_is_replaced() {
    let mut program = Program::start(&[]);
    let folder = std::mem::replace(&mut program.folder, tempfile::tempdir().expect("a directory"));
    drop(program);
    let socket = folder.path().join("headroom/control.sock");
    assert!(socket.exists(), "a killed one leaves its socket");
    let mut child = command(folder.path()).spawn().expect("headroomd starts");
    wait_until("it to listen", || UnixStream::connect(&socket).is_ok());
    child.kill().expect("it runs");
    child.wait().expect("a child");
}

#[test]
fn it_serves_at_an_abstract_name_and_to_its_own_user_only() {
    let name = format!("headroom-test-{}", std::process::id());
    let folder = tempfile::tempdir().expect("a directory");
    let address = format!("abstract:{name}");
    let mut child =
        command(folder.path()).args(["--listen", &address]).spawn().expect("headroomd starts");
    wait_until("it to listen", || connect(&name).is_ok());
    let mut peer = Peer::over(connect(&name).expect("it listens"));
    peer.hello();
    peer.call(&Ping {}).expect("served");
    if nix::unistd::geteuid().is_root() {
        // This very program, as nobody, runs the test below alone.
        let refused = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "place::somebody_else_is_refused", "--nocapture"])
            .env(ABSTRACT_NAME, &name)
            .uid(65_534)
            .output();
        // Where this program lies in a directory that is closed to others, it cannot be run.
        match refused {
            Ok(refused) => assert!(refused.status.success(), "{refused:?}"),
            Err(error) => eprintln!("SKIPPED: running as another user: {error}"),
        }
    } else {
        eprintln!("SKIPPED: only root can connect as another user");
    }
    child.kill().expect("it runs");
    child.wait().expect("a child");
}

#[test]
fn somebody_else_is_refused() {
    // Only means something as another user, which the test above makes it.
    let Ok(name) = std::env::var(ABSTRACT_NAME) else { return };
    let mut peer = Peer::over(connect(&name).expect("anyone can connect to an abstract name"));
    match &peer.rest()[..] {
        [Message::Refused(None, error)] => assert_eq!(error.code, Code::PermissionDenied),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_serves_at_a_socket_that_systemd_has_made_and_leaves_it_in_order() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("from-systemd.sock");
    let listener = UnixListener::bind(&path).expect("bound");
    for _ in 0..2 {
        // As systemd does it: the socket is descriptor 3, and the variables name this process.
        let mut shell = Command::new("sh");
        surround(&mut shell, folder.path());
        let script = "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\"";
        let mut child = shell
            .args(["-c", script, env!("CARGO_BIN_EXE_headroomd")])
            .stdin(Stdio::from(OwnedFd::from(listener.try_clone().expect("a second handle"))))
            .spawn()
            .expect("headroomd starts");
        let mut peer = Peer::connect(&path);
        assert_eq!(peer.hello().pid, child.id());
        peer.call(&Ping {}).expect("served");
        assert!(!folder.path().join("headroom").exists(), "it listens here and nowhere else");
        let id = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a process"));
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).expect("it runs");
        assert_eq!(child.wait().expect("a child").code(), Some(0));
        // The socket is systemd's: it stays, and works for the next one.
        assert!(path.exists());
    }
}
