//! hr-accept: greets whoever connects, and starts the two threads of its connection.
//!
//! It sleeps in `accept` and writes `hello` itself, so that a client hears the daemon before
//! any thread has been made for it. Who has been greeted waits in the [`Lobby`] for a moment.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use headroom_ipc::{Address, Code, Error, ServerFrame};
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{MsgFlags, getsockopt, send};
use parking_lot::{Condvar, Mutex};

use super::claim::Listening;
use super::connection::Connection;
use super::lobby::Lobby;
use super::{reader, writer};
use crate::engine::Engine;
use crate::outbox::{Doorbell, QUEUE};

/// A reader decodes requests and does them; a writer copies frames. Only what they touch of it
/// is ever taken from the system. A reader also parses profiles, when it is asked to.
const READER_STACK_BYTES: usize = 512 * 1024;
const WRITER_STACK_BYTES: usize = 64 * 1024;
const ACCEPT_STACK_BYTES: usize = 128 * 1024;

/// At the end, how long a peer may take to read what is queued for it, and how long the threads
/// may take to end after that.
const LAST_WORDS: Duration = Duration::from_millis(500);
const LAST_STEPS: Duration = Duration::from_millis(200);

/// How long to wait before the next `accept` where the system has nothing left to make a
/// connection of, not even the means to refuse one.
const OUT_OF_EVERYTHING: Duration = Duration::from_millis(50);

/// What a server puts up with.
#[derive(Debug, Clone, Copy)]
pub struct ServerSettings {
    /// Connections at a time.
    pub max_connections: u32,
    /// A peer whose socket has taken no byte of a pending write for so long is disconnected.
    pub stalled_after: Duration,
}

impl Default for ServerSettings {
    fn default() -> ServerSettings {
        ServerSettings { max_connections: 256, stalled_after: Duration::from_secs(30) }
    }
}

/// The server, running.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    accept: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    listening: Listening,
    engine: Engine,
    settings: ServerSettings,
    stopping: AtomicBool,
    connections: Mutex<BTreeMap<u64, Arc<Connection>>>,
    /// One of them has gone.
    gone: Condvar,
}

impl Server {
    /// Greets and serves whoever connects from now on.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(
        listening: Listening,
        engine: Engine,
        settings: ServerSettings,
    ) -> io::Result<Server> {
        let shared = Arc::new(Shared {
            listening,
            engine,
            settings,
            stopping: AtomicBool::new(false),
            connections: Mutex::default(),
            gone: Condvar::new(),
        });
        let accept =
            Builder::new().name("hr-accept".into()).stack_size(ACCEPT_STACK_BYTES).spawn({
                let shared = shared.clone();
                move || accept(&shared)
            })?;
        Ok(Server { shared, accept })
    }

    /// Where it listens.
    #[must_use]
    pub fn place(&self) -> &Address {
        self.shared.listening.place()
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.lock().len()
    }

    /// Takes no connection and no request any more, tells subscribers that this is the end, lets
    /// every peer read what is queued for it if it does so at once, and ends all threads.
    pub fn stop(self, reason: &str) {
        let shared = &self.shared;
        shared.stopping.store(true, Ordering::SeqCst);
        shared.listening.unlink();
        shared.listening.wake();
        if self.accept.join().is_err() {
            log::error!("hr-accept has panicked");
        }
        shared.engine.shut_down(reason);
        for connection in shared.connections.lock().values() {
            // Its reader comes to the end of what has arrived, writes what is queued and ends.
            let _ = connection.stream.shutdown(Shutdown::Read);
        }
        if !shared.wait_until_gone(LAST_WORDS) {
            for connection in shared.connections.lock().values() {
                connection.close();
            }
            if !shared.wait_until_gone(LAST_STEPS) {
                log::warn!("{} connections did not end", shared.connections.lock().len());
            }
        }
    }
}

impl Shared {
    fn wait_until_gone(&self, longest: Duration) -> bool {
        let end = Instant::now() + longest;
        let mut connections = self.connections.lock();
        while !connections.is_empty() {
            if self.gone.wait_until(&mut connections, end).timed_out() {
                return connections.is_empty();
            }
        }
        true
    }
}

fn accept(shared: &Arc<Shared>) {
    let mut lobby = Lobby::default();
    let mut number = 0_u64;
    // With every descriptor in use, this one is what a refusal is made with.
    let mut spare = spare();
    loop {
        let woken = lobby.wait(shared.listening.listener());
        for connection in &woken.leaving {
            start(shared, connection);
        }
        if !woken.accept {
            continue;
        }
        let accepted = shared.listening.listener().accept();
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        match accepted {
            Ok((stream, _)) => {
                number += 1;
                if let Some(connection) = greet(shared, stream, number, lobby.len()) {
                    lobby.enter(connection);
                }
            }
            Err(error) => match error.raw_os_error() {
                Some(nix::libc::ECONNABORTED | nix::libc::EINTR) => {}
                Some(nix::libc::EMFILE | nix::libc::ENFILE) if spare.is_some() => {
                    drop(spare.take());
                    if let Ok((stream, _)) = shared.listening.listener().accept() {
                        let text = "headroomd has no file descriptor left: try again later, or \
                                    raise its limit (LimitNOFILE=)";
                        turn_away(&stream, &Error::new(Code::Busy, text));
                    }
                    spare = self::spare();
                }
                _ => {
                    log::error!("accepting a connection: {error}");
                    thread::sleep(OUT_OF_EVERYTHING);
                }
            },
        }
        if spare.is_none() {
            spare = self::spare();
        }
    }
    for connection in lobby.empty() {
        shared.engine.leave(connection.seat);
    }
}

fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Says hello to a new peer, or why not. Its threads come later: the kernel queues the peer
/// behind this thread, and it would read its hello only after they have been made.
fn greet(
    shared: &Arc<Shared>,
    stream: UnixStream,
    number: u64,
    in_lobby: usize,
) -> Option<Arc<Connection>> {
    let ours = nix::unistd::geteuid().as_raw();
    let theirs = getsockopt(&stream, PeerCredentials).map(|peer| peer.uid());
    if !theirs.is_ok_and(|uid| uid == ours || uid == 0) {
        let text = format!("this headroomd serves user {ours} and root only");
        turn_away(&stream, &Error::new(Code::PermissionDenied, text));
        return None;
    }
    let limit = shared.settings.max_connections;
    if shared.connections.lock().len() + in_lobby >= limit as usize {
        let text = format!(
            "there are {limit} connections, and headroomd takes no more: close one, or start it \
             with a larger --max-connections"
        );
        turn_away(&stream, &Error::new(Code::Busy, text).with_limit(limit.into()));
        return None;
    }
    if !say(&stream, shared.engine.hello()) {
        return None;
    }
    let (sender, receiver) = bounded(QUEUE);
    let bell = Arc::new(Doorbell::new());
    let seat = shared.engine.join(sender, bell.clone());
    Some(Arc::new(Connection::new(number, seat, stream, bell, receiver)))
}

/// Starts the threads of a connection that has been greeted, if its peer is still there.
fn start(shared: &Arc<Shared>, connection: &Arc<Connection>) {
    if connection.has_hung_up() {
        shared.engine.leave(connection.seat);
    } else if let Err(error) = serve(shared, connection) {
        shared.engine.leave(connection.seat);
        log::warn!("connection {} is refused: {error}", connection.number);
        let text = format!("headroomd cannot serve another connection now: {error}");
        turn_away(&connection.stream, &Error::new(Code::Busy, text));
    }
}

/// A new socket takes any short message at once.
fn say(stream: &UnixStream, frame: &ServerFrame) -> bool {
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    send(stream.as_raw_fd(), frame.bytes(), flags) == Ok(frame.bytes().len())
}

fn turn_away(stream: &UnixStream, error: &Error) {
    // A peer that has gone already needs no answer.
    let _ = say(stream, &ServerFrame::error(None, error));
    let _ = stream.shutdown(Shutdown::Both);
}

/// Starts the threads of a connection. The reader owns the writer and outlives it.
fn serve(shared: &Arc<Shared>, connection: &Arc<Connection>) -> io::Result<()> {
    let number = connection.number;
    connection.stream.set_write_timeout(Some(shared.settings.stalled_after))?;
    let writer = Builder::new()
        .name(format!("hr-write-{number}"))
        .stack_size(WRITER_STACK_BYTES)
        .spawn({
        let (connection, engine) = (connection.clone(), shared.engine.clone());
        move || {
            if catch_unwind(AssertUnwindSafe(|| writer::run(&connection, &engine))).is_err() {
                connection.close();
            }
        }
    })?;
    connection.bell.has_writer(writer.thread().clone());
    shared.connections.lock().insert(number, connection.clone());
    let reader =
        Builder::new().name(format!("hr-read-{number}")).stack_size(READER_STACK_BYTES).spawn({
            let (shared, connection) = (shared.clone(), connection.clone());
            move || read(&shared, &connection, writer)
        });
    if let Err(error) = reader {
        shared.connections.lock().remove(&number);
        // The writer finds out, and ends unattended.
        connection.end_threads();
        return Err(error);
    }
    Ok(())
}

fn read(shared: &Shared, connection: &Arc<Connection>, writer: JoinHandle<()>) {
    connection.has_reader(thread::current());
    let engine = &shared.engine;
    let ended = catch_unwind(AssertUnwindSafe(|| reader::run(connection, engine)));
    connection.close();
    engine.leave(connection.seat);
    let written = writer.join();
    match ended {
        _ if written.is_err() => log::error!("connection {} has panicked", connection.number),
        Err(_) => log::error!("connection {} has panicked", connection.number),
        Ok(Err(error)) => log::debug!("connection {} has ended: {error}", connection.number),
        Ok(Ok(())) => log::debug!("connection {} has ended", connection.number),
    }
    shared.connections.lock().remove(&connection.number);
    shared.gone.notify_all();
}
