//! The life of hr-graph: connect, run a session, and start again when PipeWire does.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::Sender;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pipewire as pw;
use pw::context::ContextRc;
use pw::main_loop::MainLoopRc;
use pw::properties::properties;

use super::mailbox::{Commands, Mailbox, mailbox};
use super::session::{Connections, Outcome, Restored, Session, Wishes};
use super::{GraphCommand, GraphEvent, GraphSettings, Promotion, SinkWish, library};
use crate::journal::{Journal, JournalSlot};

/// PipeWire makes its contexts and callbacks on this stack, and no more.
const STACK_BYTES: usize = 512 * 1024;
/// How long to wait for PipeWire before looking again: at first, and at most. It is to be found within
/// two seconds of its return, and to connect takes a part of them.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How much hr-graph goes before ordinary work, as PipeWire and WirePlumber do.
const NICE: i32 = -11;

/// The most events of a session that nobody listens to; there are fewer.
const UNREAD: usize = 64;
/// What can be said later is not said while more than this is waiting to be read.
const MOST_WAITING: usize = 8;

/// hr-graph, running.
#[derive(Debug)]
pub struct GraphThread {
    /// Where its commands go.
    pub commands: Commands,
    handle: JoinHandle<()>,
}

impl GraphThread {
    /// Waits for hr-graph to end, which it does after [`GraphCommand::Stop`] or when it was
    /// refused. Gives `false` if it panicked.
    #[must_use]
    pub fn join(self) -> bool {
        self.handle.join().is_ok()
    }
}

/// Starts hr-graph. It says what happens through `events`, and never waits for a reader.
///
/// # Errors
/// When the system refuses a thread or a socket pair.
pub fn spawn(settings: GraphSettings, events: Sender<GraphEvent>) -> io::Result<GraphThread> {
    let (commands, mailbox) = mailbox()?;
    let handle = Builder::new()
        .name("hr-graph".into())
        .stack_size(STACK_BYTES)
        .spawn(move || run(settings, &mailbox, &Events::new(events)))?;
    Ok(GraphThread { commands, handle })
}

/// Events out: never blocks, and counts what a reader was too slow for.
pub(super) struct Events(Sender<GraphEvent>);

impl Events {
    fn new(sender: Sender<GraphEvent>) -> Events {
        Events(sender)
    }

    pub(super) fn send(&self, event: GraphEvent) {
        if let Err(error) = self.0.try_send(event)
            && error.is_full()
        {
            log::warn!("an event of the graph was lost: its reader is too slow");
        }
    }

    /// For what is large and can be said later: gives `false` while much is waiting.
    pub(super) fn offer(&self, event: GraphEvent) -> bool {
        if self.0.len() >= MOST_WAITING {
            return false;
        }
        self.send(event);
        true
    }
}

/// Has the kernel run this thread before ordinary work. While a stream is linked anew it is silent,
/// and PipeWire, WirePlumber and we each have to answer several times until it is not: with four
/// compilers beside us, five quanta of silence were heard where one is due.
fn go_first() {
    // SAFETY: takes and gives plain numbers. 0 is the calling thread.
    let refused = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) } != 0;
    if refused {
        // Without the right to, a busy machine may be heard when a stream is moved.
        log::debug!("hr-graph has no priority of {NICE}: {}", io::Error::last_os_error());
    }
}

/// How putting back what a killed headroomd has left went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutBack {
    /// All is back that somebody is there to be told of.
    Done,
    /// PipeWire is not there: what it knew has gone with it.
    NoPipeWire,
    /// WirePlumber is not there, or does not answer.
    NoSessionManager,
    /// A headroomd lives on this graph; nothing was touched.
    IsAlive,
}

/// Puts back what a killed headroomd has left, on this thread and within seconds. What has been put
/// back is struck out of the journal that `notes` then holds.
///
/// # Errors
/// PipeWire's library does not start.
pub fn put_back(journal: Journal, notes: Arc<JournalSlot>) -> Result<PutBack, String> {
    let text = |error: pw::Error| format!("PipeWire's library does not start: {error}");
    let (_commands, mailbox) = mailbox().map_err(|error| error.to_string())?;
    // Nobody reads them: what happens is said at the end.
    let (sender, _inbox) = crossbeam_channel::bounded(UNREAD);
    let events = Events::new(sender);
    let main_loop = MainLoopRc::new(None).map_err(text)?;
    let properties = properties! { *pw::keys::APP_NAME => "Headroom", "module.rt" => "false" };
    let context = ContextRc::new(&main_loop, Some(properties)).map_err(text)?;
    let Ok(connections) = Connections::open(&context) else { return Ok(PutBack::NoPipeWire) };
    let mut wishes = Wishes::new(GraphSettings {
        params: headroom_dsp::ChainParams::default(),
        sink_wish: SinkWish { promotion: Promotion::Leave, preferred: None, asked: 0 },
        agc_gain_db: None,
        journal,
        notes,
    });
    Ok(match Session::restore(&main_loop, connections, &mut wishes, &mailbox, &events) {
        Restored::Done => PutBack::Done,
        Restored::NoSessionManager => PutBack::NoSessionManager,
        Restored::IsAlive => PutBack::IsAlive,
        Restored::Lost => PutBack::NoPipeWire,
    })
}

fn run(settings: GraphSettings, mailbox: &Mailbox, events: &Events) {
    go_first();
    if let Err(error) = live(settings, mailbox, events) {
        events.send(GraphEvent::Trouble(format!("PipeWire's library does not start: {error}")));
    }
    events.send(GraphEvent::Stopped);
}

fn live(settings: GraphSettings, mailbox: &Mailbox, events: &Events) -> Result<(), pw::Error> {
    let library = library::version();
    let main_loop = MainLoopRc::new(None)?;
    // Made on this thread: the data thread inherits its flush-to-zero from the thread that
    // makes the context.
    let mut context_properties = properties! {
        "cpu.zero.denormals" => "true",
        *pw::keys::APP_NAME => "Headroom",
        *pw::keys::APP_ICON_NAME => "audio-volume-high",
        "application.version" => env!("CARGO_PKG_VERSION"),
        // What session managers need of the library, and we do not; from 1.x on it can be left
        // out, which saves a third of a MiB.
        "module.session-manager" => "false",
        "module.client-device" => "false",
    };
    if library::needs_client_rt_conf(&library) {
        context_properties.insert("config.name", "client-rt.conf");
    }
    let context = ContextRc::new(&main_loop, Some(context_properties))?;

    let mut wishes = Wishes::new(settings);
    let mut wait = FIRST_WAIT;
    let mut told = false;
    loop {
        match Connections::open(&context) {
            Ok(connections) => {
                wait = FIRST_WAIT;
                told = false;
                match Session::run(&main_loop, connections, &mut wishes, &library, mailbox, events)
                {
                    Outcome::Stop | Outcome::Refused => return Ok(()),
                    Outcome::Lost => {}
                }
            }
            Err(_) if !told => {
                events.send(GraphEvent::WaitingForPipeWire);
                told = true;
            }
            Err(_) => {}
        }
        sleep(mailbox, wait);
        wait = (wait * 2).min(LONGEST_WAIT);
        while let Some(command) = mailbox.take() {
            match command {
                GraphCommand::Stop => return Ok(()),
                GraphCommand::SetParams(params) => wishes.params = params,
                // There are no streams, and none of those that were will be again.
                GraphCommand::Route(_) => {}
                GraphCommand::Sinks(wish) => wishes.sinks = wish,
            }
        }
    }
}

/// Sleeps until a command comes, at most so long.
fn sleep(mailbox: &Mailbox, longest: Duration) {
    let timeout = PollTimeout::try_from(longest).unwrap_or(PollTimeout::ZERO);
    // A signal that ends the sleep early does no harm.
    let _ = poll(&mut [PollFd::new(mailbox.bell(), PollFlags::POLLIN)], timeout);
}
