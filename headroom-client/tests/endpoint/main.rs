//! An endpoint in this process, and clients that are honest, slow, or hostile.

#![allow(clippy::unwrap_used, reason = "what goes wrong fails its test")]
#![allow(clippy::print_stderr, reason = "what is skipped is said, and what is measured")]

#[path = "../doorbell/again.rs"]
mod again;
mod bind;
mod calls;
mod hammered;
mod program;
mod rest;
mod short;
mod slow;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use headroom_client::endpoint::{CallError, Command, Endpoint, Served, call};
use serde::{Deserialize, Serialize};

/// What takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Serialize, Deserialize)]
enum Knob {
    Turn { by: i64 },
    Echo(String),
    Long(usize),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Answer {
    Position(i64),
    Text(String),
}

/// What commands are done to.
#[derive(Debug, Default)]
struct Program<'a> {
    position: i64,
    /// A context may borrow.
    name: &'a str,
}

impl Command for Knob {
    type Response = Answer;
    type Context<'a> = Program<'a>;

    fn process(self, program: &mut Program<'_>) -> Answer {
        match self {
            Knob::Turn { by } => {
                program.position += by;
                Answer::Position(program.position)
            }
            Knob::Echo(text) => Answer::Text(format!("{}{text}", program.name)),
            Knob::Long(length) => Answer::Text("x".repeat(length)),
        }
    }
}

/// A directory for a socket, which vanishes with it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("knob.sock");
    (folder, path)
}

fn bind(path: &Path) -> Endpoint<Knob> {
    Endpoint::bind(path).unwrap()
}

/// Calls from another thread.
fn calling(path: &Path, command: Knob) -> JoinHandle<Result<Answer, CallError>> {
    let path = path.to_owned();
    std::thread::Builder::new().spawn(move || call(&command, path, PATIENCE)).unwrap()
}

/// Serves until this thread has ended, as a loop of 60 Hz does or faster.
fn serve_until<T>(
    endpoint: &mut Endpoint<Knob>,
    program: &mut Program<'_>,
    thread: JoinHandle<T>,
) -> T {
    let end = Instant::now() + PATIENCE;
    while !thread.is_finished() {
        let _ = endpoint.poll_timeout(program, Duration::from_millis(5));
        assert!(Instant::now() < end);
    }
    thread.join().unwrap()
}

/// Serves until this is so, and gives the last that was served.
fn serve_while(
    endpoint: &mut Endpoint<Knob>,
    program: &mut Program<'_>,
    mut is_not_yet: impl FnMut(Served) -> bool,
) -> Served {
    let end = Instant::now() + PATIENCE;
    loop {
        let served = endpoint.poll(program);
        if !is_not_yet(served) {
            return served;
        }
        assert!(Instant::now() < end, "{served:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A client that sends these bytes, and no more.
fn sends(path: &Path, bytes: &[u8]) -> UnixStream {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// All that comes until the connection is closed.
fn heard(mut stream: &UnixStream) -> String {
    let mut bytes = Vec::new();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A command as it goes over the socket.
fn message(command: &Knob) -> Vec<u8> {
    let body = rmp_serde::to_vec_named(command).unwrap();
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], &body].concat()
}
