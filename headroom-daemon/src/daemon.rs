//! Puts the daemon together: arguments in, threads up, wait, threads down.

use std::io;
use std::thread::Builder;

use crossbeam_channel::{Receiver, bounded};
use signal_hook::iterator::Handle;

use crate::args::Args;
use crate::graph::{self, GraphCommand, GraphEvent, GraphSettings, Promotion};
use crate::logger;
use crate::report::{Report, Verdict};
use crate::signals::{self, Stop};

/// The most events of the graph that wait for hr-events.
const EVENTS: usize = 256;
/// hr-events formats lines and no more.
const STACK_BYTES: usize = 128 * 1024;

/// Why the daemon did not run, or did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] headroom_profile::LoadError),
    /// The system refused a thread, a pipe or a signal.
    #[error("starting headroomd: {0}")]
    Start(#[from] io::Error),
    /// Another headroomd runs on this PipeWire.
    #[error("headroomd is already running here{}: stop it first", pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// Its process, if PipeWire knows it.
        pid: Option<u32>,
    },
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
    signals::block()?;
    let loaded = headroom_profile::load(&args.profile)?;
    for warning in &loaded.warnings {
        log::warn!("{warning}");
    }
    let settings = GraphSettings {
        params: loaded.profile.chain_params(),
        promotion: if args.promote { Promotion::Promote } else { Promotion::Leave },
    };
    log::info!("headroomd {} with profile {}", env!("CARGO_PKG_VERSION"), args.profile);

    let mut stop = Stop::new()?;
    let ender = stop.ender();
    let (events, inbox) = bounded(EVENTS);
    let graph = graph::spawn(settings, events)?;
    let reporter = Builder::new()
        .name("hr-events".into())
        .stack_size(STACK_BYTES)
        .spawn(move || watch(&inbox, &ender))?;

    if let Some(signal) = stop.wait()? {
        log::info!("{signal}: stopping");
        // It may have ended already, which is what is wanted.
        let _ = graph.commands.send(GraphCommand::Stop);
    }
    let joined = graph.join();
    match reporter.join() {
        Ok(Verdict::Fine) if joined => {
            log::info!("stopped");
            Ok(())
        }
        Ok(Verdict::AlreadyRunning { pid }) => Err(DaemonError::AlreadyRunning { pid }),
        _ => Err(DaemonError::Graph),
    }
}

/// hr-events: says what happens, until hr-graph has ended.
fn watch(inbox: &Receiver<GraphEvent>, ender: &Handle) -> Verdict {
    let mut report = Report::default();
    for event in inbox {
        report.take(event);
    }
    // hr-graph has gone, with or without a signal: main has nothing to wait for.
    ender.close();
    report.verdict()
}
