//! A daemon's server in this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use headroom_daemon::daemon::hello;
use headroom_daemon::engine::Engine;
use headroom_daemon::graph::GraphCommand;
use headroom_daemon::meters::Desk;
use headroom_daemon::server::{Listen, Listening, Server, ServerSettings};
use headroom_daemon::state::{DaemonState, Start};
use headroom_daemon::store::{Remembered, Slot};
use headroom_ipc::Address;
use headroom_profile::{Folders, Library};

use crate::peer::Peer;

/// A server without a graph. It is stopped when it is dropped.
pub(crate) struct Daemon {
    pub(crate) engine: Engine,
    /// What the graph would have been told.
    pub(crate) commands: Receiver<GraphCommand>,
    pub(crate) desk: Arc<Desk>,
    /// What would have been written.
    pub(crate) slot: Arc<Slot>,
    pub(crate) path: PathBuf,
    fault: Arc<AtomicBool>,
    server: Option<Server>,
    _folder: tempfile::TempDir,
}

impl Daemon {
    pub(crate) fn start() -> Daemon {
        Daemon::with(ServerSettings::default())
    }

    pub(crate) fn with(settings: ServerSettings) -> Daemon {
        Daemon::with_profile(settings, "default")
    }

    /// One whose profiles are the program's and those of these folders.
    pub(crate) fn with_folders(folders: Folders, profile: &str) -> Daemon {
        Daemon::make(ServerSettings::default(), folders, profile)
    }

    pub(crate) fn with_profile(settings: ServerSettings, profile: &str) -> Daemon {
        let is_path = headroom_profile::is_path(profile);
        let folders = Folders::default();
        let folders = if is_path { folders.with_file(Path::new(profile)) } else { folders };
        Daemon::make(settings, folders, profile)
    }

    fn make(settings: ServerSettings, folders: Folders, profile: &str) -> Daemon {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("headroom/control.sock");
        let (graph, commands) = bounded(10_000);
        let desk = Arc::new(Desk::default());
        let start = Start {
            hello: hello(&settings),
            library: Library::scan(&folders),
            folders: Arc::new(folders),
            remembered: Remembered { profile: Some(profile.to_owned()), ..Remembered::default() },
            promote: false,
            warnings: Vec::new(),
            at: Instant::now(),
        };
        let slot = Arc::new(Slot::default());
        let fault = Arc::new(AtomicBool::new(false));
        let on_fault = {
            let fault = fault.clone();
            Box::new(move || fault.store(true, Ordering::SeqCst))
        };
        let engine = Engine::new(
            DaemonState::new(start),
            Box::new(graph),
            desk.clone(),
            slot.clone(),
            on_fault,
        );
        let listen = Listen::At(Address::Path(path.clone()));
        let listening = Listening::claim(&listen).expect("a socket");
        let server = Server::start(listening, engine.clone(), settings).expect("a server");
        Daemon { engine, commands, desk, slot, path, fault, server: Some(server), _folder: folder }
    }

    /// A client that has read `hello`.
    pub(crate) fn peer(&self) -> Peer {
        let mut peer = self.stranger();
        peer.hello();
        peer
    }

    /// A client that has read nothing yet.
    pub(crate) fn stranger(&self) -> Peer {
        Peer::connect(&self.path)
    }

    pub(crate) fn connections(&self) -> usize {
        self.server.as_ref().expect("it runs").connections()
    }

    /// Stops it as SIGTERM does.
    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop("SIGTERM");
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
        let fault = self.fault.load(Ordering::SeqCst);
        assert!(!fault || std::thread::panicking(), "a step has panicked");
    }
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
