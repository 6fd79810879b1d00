//! One stay in PipeWire, from the first registry object to the last.
//!
//! Each turn of the loop takes the notices that PipeWire's callbacks left, and then looks at
//! the whole: [`Session::advance`] compares what is with what should be and does the next
//! thing that is missing. Nothing waits for a particular event, so nothing hangs when
//! events come in another order, when WirePlumber restarts or when a device comes back.
//!
//! The loop and the order of things are here. What is done is in the files beside: `heard` takes
//! the notices, `connections` are what it is over, `words` is heard again where PipeWire reads no
//! more of us, `alone` refuses a second headroomd, `inserts` makes the inserts, `layout` anew for
//! other channels, `loose` where nobody links them, `census`, `device`, `default`, `routes`, `volume` and `latency` each follow one
//! thing, `standing` says which of our sinks may be the default, `wake` when the loop turns by
//! itself, `leave` puts everything back, and `restore` what another has left. `wishes` outlives the
//! connection, and `told` is what the outside knows of it.

mod alone;
mod census;
mod connections;
mod default;
mod device;
mod heard;
mod inserts;
mod latency;
mod layout;
mod leave;
mod loose;
mod port;
mod restore;
mod routes;
mod standing;
mod told;
mod volume;
mod wake;
mod wishes;
mod words;

use std::sync::Arc;
use std::time::Instant;

use pipewire as pw;
use pw::loop_::Timeout;
use pw::main_loop::MainLoopRc;
use pw::registry::RegistryRc;

use super::bindings::{self, DeviceBinding, MetadataBinding};
use super::carry::Carry;
use super::hearing::Hearing;
use super::mailbox::Mailbox;
use super::model::Model;
use super::notice::Notices;
use super::promoting::Promoting;
use super::stored::Stored;
use super::targets::Targets;
use super::thread::Events;
use super::turning::Turning;
use super::{Aims, GraphCommand, GraphEvent, InsertId};
use crate::audio::{StageParams, Volume};
use census::Census;
pub(super) use connections::Connections;
use default::GivingBack;
use inserts::Live;
use latency::LOOKS;
use layout::HeardInstead;
use loose::Loose;
pub(super) use restore::Restored;
use told::Told;
pub(super) use wishes::Wishes;
use words::Hearkening;

/// The rate to start from where PipeWire does not say.
const USUAL_RATE_HZ: u32 = 48_000;

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was told to, and the graph is as it was found.
    Stop,
    /// Another headroomd is there.
    Refused,
    /// PipeWire has gone.
    Lost,
}

/// One stay. Fields are dropped in this order: whatever hangs on a connection first.
pub(super) struct Session<'a> {
    main: Option<Live>,
    stereo: Option<Live>,
    master: Option<Live>,
    device: Option<DeviceBinding>,
    metadata: Option<MetadataBinding>,
    /// The metadata has been bound anew, and has not said anything yet.
    reading_anew: bool,
    hearing: Hearing,
    census: Census,
    targets: Targets,
    aims: Arc<Aims>,
    registry_listener: pw::registry::Listener,
    registry: RegistryRc,
    core_listeners: [pw::core::Listener; 2],
    connections: Connections,

    main_loop: &'a MainLoopRc,
    mailbox: &'a Mailbox,
    events: &'a Events,
    wishes: &'a mut Wishes,
    library: &'a str,
    notices: Notices,
    model: Model,
    carry: Carry,
    /// A volume of the bus that its stream could not take yet.
    unwritten: Option<Volume>,
    /// What the device is to be told of the volume.
    turning: Turning,
    rate_hz: u32,
    syncs: Syncs,
    hearkening: Hearkening,
    conflict_since: Option<Instant>,
    /// Since when the device has had other channels than the inserts.
    other_layout_since: Option<Instant>,
    heard_instead: Option<HeardInstead>,
    /// This WirePlumber puts filters in front of devices by itself.
    has_smart_filters: bool,
    loose: Loose,
    /// How far this WirePlumber has made the bus the default.
    promoting: Promoting,
    giving_back: Option<GivingBack>,
    /// The configured default has been passed over, and is to be thought of again.
    to_ask_once_more: bool,
    /// Until when streams are left to come by themselves.
    coming_until: Option<Instant>,
    stored: Stored,
    /// The newest object that was there when we came.
    first_serial: u64,
    leaving: bool,
    pinned: Option<String>,
    /// Where somebody else has sent the master since.
    sent_by_others: Option<String>,
    looks: Vec<Instant>,
    looks_at_quantum: Option<Instant>,
    told: Told,
    ended: Option<Outcome>,
}

/// The questions to PipeWire that are not answered yet.
#[derive(Default)]
struct Syncs {
    listing: Option<i32>,
    metadata: Option<i32>,
    /// Behind the values of the metadata that have come.
    values: Option<i32>,
    /// Asked over the connection of the inserts, as no other is.
    standings: Option<i32>,
    last_done: Option<i32>,
}

impl<'a> Session<'a> {
    /// Runs one stay to its end.
    pub(super) fn run(
        main_loop: &'a MainLoopRc,
        connections: Connections,
        wishes: &'a mut Wishes,
        library: &'a str,
        mailbox: &'a Mailbox,
        events: &'a Events,
    ) -> Outcome {
        let mut session =
            match Session::begin(main_loop, connections, wishes, library, mailbox, events) {
                Ok(session) => session,
                Err(error) => {
                    events
                        .send(GraphEvent::Trouble(format!("PipeWire gives no registry: {error}")));
                    return Outcome::Lost;
                }
            };
        let outcome = loop {
            if let Some(outcome) = session.turn(None) {
                break outcome;
            }
        };
        if outcome == Outcome::Lost && session.told.connected {
            session.events.send(GraphEvent::Lost);
        }
        outcome
    }

    fn begin(
        main_loop: &'a MainLoopRc,
        connections: Connections,
        wishes: &'a mut Wishes,
        library: &'a str,
        mailbox: &'a Mailbox,
        events: &'a Events,
    ) -> Result<Session<'a>, pw::Error> {
        let notices = Notices::default();
        let core_listeners = [
            bindings::listen_to_core(&connections.words, &notices),
            bindings::listen_for_the_end(&connections.sound, &notices),
        ];
        let registry = connections.words.get_registry_rc()?;
        wishes.default.forget_current();
        wishes.notes.leave_volumes_behind();
        wishes.session += 1;
        let mut session = Session {
            main: None,
            stereo: None,
            master: None,
            device: None,
            metadata: None,
            reading_anew: false,
            hearing: Hearing::default(),
            census: Census::default(),
            targets: Targets::default(),
            aims: Arc::default(),
            registry_listener: bindings::listen_to_registry(&registry, &notices),
            registry,
            core_listeners,
            connections,
            main_loop,
            mailbox,
            events,
            wishes,
            library,
            notices,
            model: Model::default(),
            carry: Carry::new(2),
            unwritten: None,
            turning: Turning::default(),
            rate_hz: USUAL_RATE_HZ,
            syncs: Syncs::default(),
            hearkening: Hearkening::Well,
            conflict_since: None,
            other_layout_since: None,
            heard_instead: None,
            has_smart_filters: false,
            loose: Loose::default(),
            promoting: Promoting::default(),
            giving_back: None,
            to_ask_once_more: false,
            coming_until: None,
            stored: Stored::of_user(),
            first_serial: 0,
            leaving: false,
            pinned: None,
            sent_by_others: None,
            looks: Vec::new(),
            looks_at_quantum: None,
            told: Told::default(),
            ended: None,
        };
        session.syncs.listing = session.sync();
        Ok(session)
    }

    /// One turn of the loop: sleep, take what has come, do what follows from it.
    fn turn(&mut self, until: Option<Instant>) -> Option<Outcome> {
        self.settle();
        if self.ended.is_some() {
            return self.ended;
        }
        let wake = self.wake(Instant::now()).into_iter().chain(until).min();
        self.set_at_work(false);
        self.sleep(wake);
        self.set_at_work(true);
        while let Some(command) = self.mailbox.take() {
            match command {
                GraphCommand::Stop if self.leaving => {}
                GraphCommand::Stop => {
                    self.leave();
                    self.ended = Some(Outcome::Stop);
                }
                GraphCommand::SetParams(params) => self.set_params(params),
                GraphCommand::Route(aims) => self.set_aims(aims),
                GraphCommand::Sinks(wish) => self.set_sink_wish(wish),
            }
        }
        self.main_loop.loop_().iterate(Timeout::None);
        self.settle();
        self.ended
    }

    /// Handles notices until there are none.
    fn settle(&mut self) {
        loop {
            while let Some(notice) = self.notices.pop() {
                self.handle(notice);
            }
            self.speak_again();
            let now = Instant::now();
            if self.ended.is_none() && !self.leaving {
                self.advance(now);
            }
            self.follow_sliders();
            self.look(now);
            self.tell_quantum(now);
            self.tell_default();
            self.tell_notes(now);
            self.tell_census(now);
            match self.notices.pop() {
                Some(notice) => self.handle(notice),
                None => return,
            }
        }
    }

    fn set_at_work(&self, at_work: bool) {
        for live in self.lives() {
            live.watch.set_graph_at_work(at_work);
        }
    }

    fn lives(&self) -> impl Iterator<Item = &Live> {
        self.main.iter().chain(&self.stereo).chain(&self.master)
    }

    fn live_mut(&mut self, id: InsertId) -> Option<&mut Live> {
        match id {
            InsertId::Main => self.main.as_mut(),
            InsertId::Stereo => self.stereo.as_mut(),
            InsertId::Master => self.master.as_mut(),
        }
    }

    fn sync(&self) -> Option<i32> {
        self.connections.words.sync(0).ok().map(|seq| seq.seq())
    }

    fn is_answered(&self, sync: Option<i32>) -> bool {
        // A sync that could not be sent is as good as answered: the connection is gone.
        sync.is_none_or(|sync| self.syncs.last_done.is_some_and(|done| done >= sync))
    }

    fn trouble(&self, doing: &str, error: Option<pw::Error>) {
        if let Some(error) = error {
            self.events.send(GraphEvent::Trouble(format!("{doing}: {error}")));
        }
    }

    fn set_params(&mut self, params: headroom_dsp::ChainParams) {
        self.wishes.params = params;
        for bus in self.main.iter_mut().chain(&mut self.stereo) {
            bus.handle.update(|controls| controls.params = StageParams::Bus(params.bus));
        }
        if let Some(master) = &mut self.master {
            master.handle.update(|controls| controls.params = StageParams::Master(params.master));
        }
        let now = Instant::now();
        self.looks = LOOKS.iter().map(|after| now + *after).collect();
    }

    /// Does the next things that are missing.
    fn advance(&mut self, now: Instant) {
        if !self.is_answered(self.syncs.listing) || self.is_refused(now) {
            return;
        }
        if self.metadata.is_none() {
            if !self.told.no_session_manager {
                self.told.no_session_manager = true;
                self.events.send(GraphEvent::WaitingForSessionManager);
            }
            return;
        }
        if !self.is_answered(self.syncs.metadata) {
            return;
        }
        // What has been read is taken up before it is read once more.
        if !self.reading_anew {
            self.targets.take_up(now);
        }
        if self.is_read_anew(now) {
            return;
        }
        self.expect_a_default(now);
        if self.master.is_none() {
            self.make_master(now);
        }
        self.follow_device(now);
        self.fit_device(now);
        self.tie_loose_ends(now);
        self.tell_heard();
        if self.main.is_none() && self.device.is_some() {
            self.make_main();
        }
        if self.stereo.is_none() {
            self.make_stereo();
        }
        self.pin(now);
        self.keep_default(now);
        self.link_volumes(now);
        self.send_volume(now);
        self.follow_default();
        self.tell_ready(now);
        self.keep_routes(now);
    }
}
