//! The server inside this program, where the daemon has no way to make it do something.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use headroom_daemon::daemon::hello;
use headroom_daemon::engine::Engine;
use headroom_daemon::meters::Desk;
use headroom_daemon::server::{Listen, Listening, Server, ServerSettings};
use headroom_daemon::state::{DaemonState, Start};
use headroom_daemon::step::Input;
use headroom_ipc::{Address, BusMeters, MasterMeters, Meters};

/// A server at a path, and its engine.
pub(crate) fn serve(path: &Path, max_connections: u32) -> (Server, Engine) {
    let settings = ServerSettings { max_connections, ..Default::default() };
    let start = Start {
        hello: hello(&settings),
        folders: Default::default(),
        library: headroom_profile::Library::scan(&Default::default()),
        remembered: Default::default(),
        promote: false,
        warnings: Vec::new(),
        at: Instant::now(),
    };
    let (graph, _) = bounded(1);
    let state = DaemonState::new(start);
    let fault = || std::process::abort();
    let desk = Arc::new(Desk::default());
    let engine = Engine::new(state, Box::new(graph), desk, Arc::default(), Box::new(fault));
    let listen = Listen::At(Address::Path(path.to_owned()));
    let listening = Listening::claim(&listen).expect("a socket");
    (Server::start(listening, engine.clone(), settings).expect("a server"), engine)
}

/// Serves, and ticks at 30 Hz for ever.
pub(crate) fn tick(path: &str) -> ExitCode {
    let (_server, engine) = serve(Path::new(path), 256);
    let meters = meters();
    let mut next = Instant::now();
    loop {
        next += Duration::from_secs(1) / 30;
        thread::sleep(next.saturating_duration_since(Instant::now()));
        engine.step(Input::Meters(meters.clone()));
    }
}

/// A tick as it is while something plays.
pub(crate) fn meters() -> Meters {
    let bus = BusMeters {
        bus: "main".into(),
        input_momentary_lufs: Some(-23.4),
        input_short_term_lufs: Some(-22.9),
        agc_gain_db: Some(4.7),
        guard_reduction_db: Some(0.0),
        compressor_reduction_db: Some(1.3),
    };
    let master = MasterMeters {
        output_momentary_lufs: Some(-18.2),
        output_short_term_lufs: Some(-18.0),
        output_integrated_lufs: Some(-18.1),
        sample_peak_dbfs: Some(-3.2),
        limiter_reduction_db: Some(0.4),
    };
    Meters { buses: vec![bus], master: Some(master) }
}
