//! Puts the daemon together: arguments in, threads up, wait, threads down.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use headroom_ipc::{Hello, Limits, MAX_BODY_BYTES, PROTOCOL, about};
use headroom_profile::Folders;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use signal_hook::iterator::Handle;

use crate::args::Args;
use crate::engine::{Engine, GraphEdge};
use crate::graph::{self, Commands, GraphCommand, GraphEvent, GraphSettings};
use crate::journal::JournalSlot;
use crate::logger;
use crate::meters::{Desk, MeterThread};
use crate::outbox::{METERS_IN_QUEUE, QUEUE};
use crate::report::{Report, Verdict};
use crate::restore;
use crate::server::{ClaimError, Listen, ListenError, Listening, Server, ServerSettings};
use crate::service_manager;
use crate::signals::{self, Stop};
use crate::spare_memory;
use crate::start::{self, Beginning};
use crate::state::DaemonState;
use crate::step::Input;
use crate::store::{Slot, StateFile, StoreThread};
use crate::watch::WatchThread;

/// The most events of the graph that wait for hr-events.
const EVENTS: usize = 256;
/// hr-events formats lines, and takes the steps that follow from the graph's news.
const STACK_BYTES: usize = 128 * 1024;
/// Descriptors for everything that is no connection.
const OTHER_DESCRIPTORS: u64 = 128;
/// Until so long after the signal the last write is waited for. A clean exit takes less than a second
/// also where storage hangs; what the kernel itself cannot interrupt keeps a process longer.
const LEAVES_WITHIN: Duration = Duration::from_millis(600);

/// Why the daemon did not run, or did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] headroom_profile::LoadError),
    /// There is no place to listen at.
    #[error(transparent)]
    Address(#[from] ListenError),
    /// The place to listen at cannot be had.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// Something of what a killed headroomd has left could not be put back.
    #[error(transparent)]
    Restore(#[from] restore::RestoreError),
    /// The system refused a thread, a pipe or a signal.
    #[error("starting headroomd: {0}")]
    Start(#[from] io::Error),
    /// Another headroomd runs on this PipeWire.
    #[error("headroomd is already running here{}: stop it first", pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// Its process, if PipeWire knows it.
        pid: Option<u32>,
    },
    /// A step has panicked.
    #[error("headroomd has found a fault in itself, and ends; the lines above say where")]
    Fault,
    /// hr-graph ended by itself.
    #[error("the connection to the sound has ended by itself; the lines above say why")]
    Graph,
}

/// Runs the daemon until SIGTERM or SIGINT.
///
/// Must be called before any other thread exists: it blocks both signals in this thread, and
/// every thread made later inherits that.
///
/// # Errors
/// [`DaemonError`]: nothing has been changed in the graph, or all of it has been put back.
pub fn run(args: &Args) -> Result<(), DaemonError> {
    logger::install(args.log_level);
    if args.restore {
        return Ok(restore::run(&Listen::find(args.listen.as_deref())?)?);
    }
    if args.forget {
        return Ok(restore::forget(&Listen::find(args.listen.as_deref())?)?);
    }
    signals::block()?;
    spare_memory::keep_little();
    let folders = Folders::find(&args.profile_dir);
    let asked_for = |name: &String| start::asked_for(name, &folders);
    let asked_for = args.profile.as_ref().map(asked_for).transpose()?;
    // Whoever has the place is the daemon: nothing in the graph is touched before that.
    let listening = Listening::claim(&Listen::find(args.listen.as_deref())?)?;
    allow_descriptors(args.max_connections);
    let limits = ServerSettings { max_connections: args.max_connections, ..Default::default() };
    let Beginning { start, file, slot, journal } =
        start::begin(hello(&limits), folders, asked_for, args.promote);
    let folders = start.folders.clone();
    let state = DaemonState::new(start);
    let state = match &file {
        Some(file) => state.remembering_in(file.path()),
        None => state,
    };
    let (version, used) = (env!("CARGO_PKG_VERSION"), state.used_profile());
    log::info!("headroomd {version} with profile {used}");
    for warning in state.warnings().iter().filter(|warning| warning.about != about::STATE) {
        log::warn!("{}", warning.message);
    }
    let notes = Arc::new(match &file {
        Some(_) => JournalSlot::default(),
        None => JournalSlot::without_storage(),
    });
    notes.try_out(journal.clone());
    let settings = GraphSettings {
        params: state.chain_params(),
        sink_wish: state.sink_wish(),
        agc_gain_db: state.agc_gain_db(),
        journal,
        notes: notes.clone(),
    };

    let mut stop = Stop::new()?;
    let ender = stop.ender();
    let (events, inbox) = bounded(EVENTS);
    let graph = graph::spawn(settings, events)?;
    let commands = graph.commands.clone();
    notes.answers_ring(move || commands.ring());
    let desk = Arc::new(Desk::default());
    let on_fault = {
        let ender = ender.clone();
        move || ender.close()
    };
    let engine = Engine::new(
        state,
        Box::new(graph.commands.clone()),
        desk.clone(),
        slot.clone(),
        Box::new(on_fault),
    );
    let profiles = WatchThread::spawn(folders, engine.clone())?;
    let store = file.map(|file| spawn_store(slot, notes, file, engine.clone())).transpose()?;
    let meters = MeterThread::spawn(desk.clone(), engine.clone())?;
    let reporter = Builder::new().name("hr-events".into()).stack_size(STACK_BYTES).spawn({
        let engine = engine.clone();
        move || watch(&inbox, &engine, &desk, &ender)
    })?;
    let server = Server::start(listening, engine.clone(), limits)?;
    log::info!("listening at {}", server.place());
    service_manager::ready();

    let signal = stop.wait()?;
    if let Some(signal) = signal {
        log::info!("{signal}: stopping");
    }
    let end = Instant::now() + LEAVES_WITHIN;
    service_manager::stopping();
    // The graph is put back while clients read their last words. It may have ended already,
    // which is what is wanted.
    let _ = graph.commands.send(GraphCommand::Stop);
    server.stop(signal.unwrap_or("the connection to the sound has ended"));
    meters.stop();
    profiles.stop();
    let joined = graph.join();
    let verdict = reporter.join();
    // Nothing changes any more.
    if let Some(store) = store {
        store.stop(end);
    }
    if engine.is_at_fault() {
        return Err(DaemonError::Fault);
    }
    match verdict {
        Ok(Verdict::Fine) if joined && signal.is_some() => {
            log::info!("stopped");
            Ok(())
        }
        Ok(Verdict::AlreadyRunning { pid }) => Err(DaemonError::AlreadyRunning { pid }),
        _ => Err(DaemonError::Graph),
    }
}

/// Starts hr-store, which says in the log and to clients when it cannot write.
fn spawn_store(
    slot: Arc<Slot>,
    notes: Arc<JournalSlot>,
    file: StateFile,
    engine: Engine,
) -> io::Result<StoreThread> {
    StoreThread::spawn(slot, notes, file, move |failed| {
        match failed {
            Some(why) => log::warn!("{why}"),
            None => log::info!("what is remembered can be written again"),
        }
        engine.step(Input::Stored(failed));
    })
}

impl GraphEdge for Commands {
    fn queue(&self, command: GraphCommand) {
        // The step only says what is wanted now, for which there is always room; if hr-graph has
        // ended, so does the daemon.
        if let Err(error) = Commands::queue(self, command) {
            log::debug!("a command to the graph is lost: {error}");
        }
    }

    fn ring(&self) {
        Commands::ring(self);
    }
}

/// What this daemon says of itself before anything is asked.
#[must_use]
pub fn hello(limits: &ServerSettings) -> Hello {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Hello {
        daemon: "headroomd".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL,
        // Keys of hashers are random, and others in every process.
        run_id: format!("{:016x}", RandomState::new().build_hasher().finish()),
        pid: std::process::id(),
        limits: Limits {
            max_body_bytes: count(MAX_BODY_BYTES),
            max_connections: limits.max_connections,
            queue_messages: count(QUEUE),
            queue_meters: count(METERS_IN_QUEUE),
            stalled_after_ms: u32::try_from(limits.stalled_after.as_millis()).unwrap_or(u32::MAX),
        },
    }
}

/// hr-events: says what happens and lets the state know, until hr-graph has ended.
fn watch(inbox: &Receiver<GraphEvent>, engine: &Engine, desk: &Desk, ender: &Handle) -> Verdict {
    let mut report = Report::default();
    for event in inbox {
        report.take(&event);
        engine.step(Input::Graph(&event));
        if let GraphEvent::InsertMade { insert, meters, .. } = event {
            desk.put(insert, meters);
        }
    }
    // hr-graph has gone, with or without a signal: main has nothing to wait for.
    ender.close();
    report.verdict()
}

/// Raises the limit on descriptors, as far as the system lets us, where connections need more.
fn allow_descriptors(connections: u32) {
    let needed = u64::from(connections) + OTHER_DESCRIPTORS;
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        if soft < needed {
            setrlimit(Resource::RLIMIT_NOFILE, needed.min(hard), hard)?;
        }
        Ok(hard)
    });
    match raised {
        Ok(hard) if hard < needed => log::warn!(
            "the system allows {hard} open files, which is too few for {connections} connections: \
             raise it (LimitNOFILE=) or lower --max-connections"
        ),
        Ok(_) => {}
        Err(error) => log::warn!("raising the limit on open files: {error}"),
    }
}
