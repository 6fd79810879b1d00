//! The state, and the edges that it is carried to.
//!
//! Whatever happens comes in here: a request from a reader, news from hr-graph, a tick from
//! hr-meters. It takes the lock for one step, queues what follows from it in order under the
//! lock, drops the lock, and only then wakes whoever has something in a queue.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crossbeam_channel::Sender;
use headroom_ipc::{Error, FrameError, Op, ServerFrame, decode_request};
use headroom_profile::Library;
use parking_lot::{Mutex, MutexGuard};

use crate::graph::GraphCommand;
use crate::meters::Desk;
use crate::ops;
use crate::outbox::Doorbell;
use crate::state::{DaemonState, Effects, SeatId, Stillness};
use crate::step::Input;
use crate::store::Slot;

/// Where commands to the graph go: hr-graph, or something that stands for it in a test.
pub trait GraphEdge: Send + Sync {
    /// Queues a command. Never blocks and makes no system call. Only the engine queues, under its
    /// lock.
    fn queue(&self, command: GraphCommand);
    /// Wakes the graph. Called after the lock has been dropped.
    fn ring(&self);
}

/// A plain queue stands for the graph where there is none.
impl GraphEdge for Sender<GraphCommand> {
    fn queue(&self, command: GraphCommand) {
        // With nobody at the other end there is nothing to tell.
        let _ = self.try_send(command);
    }

    fn ring(&self) {}
}

/// The state behind its lock, and the edges. Clones share both.
#[derive(Clone)]
pub struct Engine {
    state: Arc<Mutex<DaemonState>>,
    edges: Arc<Edges>,
}

struct Edges {
    graph: Box<dyn GraphEdge>,
    meters: Arc<Desk>,
    store: Arc<Slot>,
    /// The first message on every connection, encoded once.
    hello: ServerFrame,
    /// Called when a step has panicked: what it left behind cannot be trusted.
    on_fault: Box<dyn Fn() + Send + Sync>,
    at_fault: AtomicBool,
    /// Held from the first look at the disk until the state knows of it, so that an older look
    /// never comes after a newer one.
    scanning: Mutex<()>,
}

/// A request as it was read: what is asked, or what is wrong with it.
#[derive(Debug)]
pub struct Asked {
    id: Option<u64>,
    what: What,
}

#[derive(Debug)]
enum What {
    /// It needs the state.
    Op(Op),
    /// Its reply is here already.
    Answered(ServerFrame),
}

/// Whether a request has been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Done {
    /// Its reply is queued.
    Now,
    /// More has to be said before its reply than there is room for: write what is queued, and
    /// ask again.
    NotYet,
}

/// Bells to ring and lines to log once the lock has been dropped.
#[derive(Debug, Default)]
#[must_use = "what has been queued is not written until they are rung"]
pub struct Rings {
    bells: Vec<Arc<Doorbell>>,
    graph: bool,
    pace: bool,
    store: bool,
    said: Vec<(log::Level, String)>,
}

impl Engine {
    /// Puts the state between its edges. `on_fault` is called if a step panics, which must end
    /// the daemon.
    #[must_use]
    pub fn new(
        state: DaemonState,
        graph: Box<dyn GraphEdge>,
        meters: Arc<Desk>,
        store: Arc<Slot>,
        on_fault: Box<dyn Fn() + Send + Sync>,
    ) -> Engine {
        let hello = ServerFrame::hello(state.hello());
        let edges = Edges {
            graph,
            meters,
            store,
            hello,
            on_fault,
            at_fault: AtomicBool::new(false),
            scanning: Mutex::new(()),
        };
        Engine { state: Arc::new(Mutex::new(state)), edges: Arc::new(edges) }
    }

    /// The first message on every connection.
    #[must_use]
    pub fn hello(&self) -> &ServerFrame {
        &self.edges.hello
    }

    /// Whether a step has panicked, so that nothing is done any more.
    #[must_use]
    pub fn is_at_fault(&self) -> bool {
        self.edges.at_fault.load(Ordering::SeqCst)
    }

    /// One step: whatever has happened, and all that follows from it.
    pub fn step(&self, input: Input<'_>) {
        let (rings, _) = self.step_quietly(input);
        self.ring(&rings);
    }

    /// One step whose bells the caller rings with [`Engine::ring`]. What has happened under the
    /// lock is over when this returns.
    pub fn step_quietly(&self, input: Input<'_>) -> (Rings, Done) {
        let Some(mut state) = self.lock() else { return (Rings::default(), Done::Now) };
        let effects = state.step(input, Instant::now());
        self.carry(&mut state, effects)
    }

    /// Rings the bells of a step.
    pub fn ring(&self, rings: &Rings) {
        for bell in &rings.bells {
            bell.ring();
        }
        if rings.graph {
            self.edges.graph.ring();
        }
        if rings.pace {
            self.edges.meters.wake();
        }
        if rings.store {
            self.edges.store.ring();
        }
        for (level, text) in &rings.said {
            log::log!(*level, "{text}");
        }
    }

    /// Gives a connection its place.
    pub(crate) fn join(&self, queue: Sender<ServerFrame>, bell: Arc<Doorbell>) -> SeatId {
        self.state.lock().join(queue, bell)
    }

    /// Takes it back. Nothing is queued for it any more.
    pub(crate) fn leave(&self, seat: SeatId) {
        let mut rings = Rings::default();
        {
            let mut state = self.state.lock();
            state.leave(seat);
            rings.pace = self.edges.meters.set_pace(state.pace());
        }
        self.ring(&rings);
    }

    /// Reads a request, and answers what needs no state.
    pub(crate) fn read(&self, body: &[u8]) -> Asked {
        match decode_request(body) {
            Ok(request) => {
                let answered = ops::answer_without_state(request.id, &request.op);
                let what = answered.map_or(What::Op(request.op), What::Answered);
                Asked { id: request.id, what }
            }
            Err(rejection) => {
                let frame = ServerFrame::error(rejection.id, &rejection.error);
                Asked { id: rejection.id, what: What::Answered(frame) }
            }
        }
    }

    /// Does a request and queues its reply, for which the caller has made room.
    pub(crate) fn answer(&self, seat: SeatId, asked: &Asked) -> Done {
        if let What::Op(Op::ProfileReload(_)) = &asked.what {
            return self.reload_profiles(seat, asked.id);
        }
        if let What::Op(Op::StatusCall(_)) = &asked.what {
            // Which says what gain each stream gets now.
            self.step(Input::Measured(self.edges.meters.gains()));
        }
        if let What::Op(Op::WhyCall(_)) = &asked.what {
            self.step(Input::Measured(self.edges.meters.gains()));
            self.step(Input::Looked(self.edges.meters.now()));
        }
        let input = match &asked.what {
            What::Op(op) => Input::Request { seat, id: asked.id, op },
            What::Answered(frame) => Input::Answered { seat, frame: frame.clone() },
        };
        let (rings, done) = self.step_quietly(input);
        self.ring(&rings);
        done
    }

    /// Files are read without the lock; what was found is a step of its own.
    fn reload_profiles(&self, seat: SeatId, id: Option<u64>) -> Done {
        let _turn = self.edges.scanning.lock();
        let library = self.scan();
        let (rings, done) = self.step_quietly(Input::ProfilesRead { seat, id, library });
        self.ring(&rings);
        done
    }

    /// Scans the folders of profiles, because something has changed there. `blind` is why changes
    /// may not be seen from now on; `stillness` is asked once all has been read, and given back.
    pub(crate) fn scan_profiles(
        &self,
        blind: Option<&str>,
        stillness: impl FnOnce() -> Stillness,
    ) -> Stillness {
        let _turn = self.edges.scanning.lock();
        let library = self.scan();
        let stillness = stillness();
        self.step(Input::ProfilesScanned { library, blind, stillness });
        stillness
    }

    fn scan(&self) -> Library {
        let folders = self.state.lock().folders();
        Library::scan(&folders)
    }

    /// Says what is wrong with a stream of bytes that cannot be cut into messages.
    pub(crate) fn refuse_frame(&self, seat: SeatId, error: FrameError) {
        let frame = ServerFrame::error(None, &Error::from(error));
        self.step(Input::Answered { seat, frame });
    }

    /// The queue of a connection is empty: says what did not fit into it. Gives whether anything
    /// has been queued.
    pub(crate) fn report_losses(&self, seat: SeatId) -> bool {
        self.lock().is_some_and(|mut state| state.report_losses(seat))
    }

    /// Tells subscribers that this is the end. Nothing is published after it, and every request
    /// is refused.
    pub(crate) fn shut_down(&self, reason: &str) {
        self.step(Input::Stop { reason });
    }

    fn carry(&self, state: &mut DaemonState, mut effects: Effects) -> (Rings, Done) {
        let mut rings = Rings {
            bells: Vec::new(),
            graph: !effects.commands.is_empty(),
            pace: self.edges.meters.set_pace(state.pace()),
            store: effects.remember.is_some(),
            said: std::mem::take(&mut effects.said),
        };
        if let Some(remembered) = effects.remember.take() {
            self.edges.store.put(remembered);
        }
        for command in effects.commands.drain(..) {
            self.edges.graph.queue(command);
        }
        let done = if effects.not_yet { Done::NotYet } else { Done::Now };
        state.send(effects, Instant::now(), &mut rings.bells);
        (rings, done)
    }

    /// The state, unless a step has left it halfway.
    fn lock(&self) -> Option<Locked<'_>> {
        let state = self.state.lock();
        (!self.edges.at_fault.load(Ordering::SeqCst)).then(|| Locked {
            state,
            edges: &self.edges,
            was_panicking: std::thread::panicking(),
        })
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// The lock, which notices a panic.
struct Locked<'a> {
    state: MutexGuard<'a, DaemonState>,
    edges: &'a Edges,
    was_panicking: bool,
}

impl std::ops::Deref for Locked<'_> {
    type Target = DaemonState;

    fn deref(&self) -> &DaemonState {
        &self.state
    }
}

impl std::ops::DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut DaemonState {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.was_panicking {
            self.edges.at_fault.store(true, Ordering::SeqCst);
            (self.edges.on_fault)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::hello;
    use crate::server::ServerSettings;
    use crate::state::Start;
    use headroom_ipc::Ping;

    /// A graph that panics when it is told something, which is under the lock.
    struct Broken;

    impl GraphEdge for Broken {
        fn queue(&self, _: GraphCommand) {
            panic!("on purpose");
        }

        fn ring(&self) {}
    }

    #[test]
    fn a_panic_under_the_lock_is_told_once_and_nothing_is_done_after_it() {
        let start = Start {
            hello: hello(&ServerSettings::default()),
            folders: Arc::default(),
            library: Library::scan(&Default::default()),
            remembered: Default::default(),
            promote: false,
            warnings: Vec::new(),
            at: Instant::now(),
        };
        let told = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let on_fault = {
            let told = told.clone();
            Box::new(move || {
                told.fetch_add(1, Ordering::SeqCst);
            })
        };
        let desk = Arc::new(Desk::default());
        let engine =
            Engine::new(DaemonState::new(start), Box::new(Broken), desk, Arc::default(), on_fault);
        let (sender, receiver) = crossbeam_channel::bounded(crate::outbox::QUEUE);
        let seat = engine.join(sender, Arc::new(Doorbell::new()));
        let toggle = |engine: &Engine| {
            let call = headroom_ipc::BypassSet { bypass: headroom_ipc::BypassTo::Toggle };
            let bytes = headroom_ipc::encode_request(1, &call).expect("short");
            let asked = engine.read(&bytes[headroom_ipc::PREFIX_BYTES..]);
            let _ = engine.answer(seat, &asked);
        };
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| toggle(&engine)));
        assert!(caught.is_err());
        assert!(engine.is_at_fault());
        toggle(&engine);
        let ping = headroom_ipc::encode_request(2, &Ping {}).expect("short");
        let _ = engine.answer(seat, &engine.read(&ping[headroom_ipc::PREFIX_BYTES..]));
        assert!(receiver.is_empty(), "nothing comes of a state that cannot be trusted");
        assert_eq!(told.load(Ordering::SeqCst), 1);
    }
}
