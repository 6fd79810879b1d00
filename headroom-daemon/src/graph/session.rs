//! One connection to PipeWire, from the first registry object to the last.
//!
//! Each turn of the loop takes the notices that PipeWire's callbacks left, and then looks at
//! the whole: [`Session::advance`] compares what is with what should be and does the next
//! thing that is missing. Nothing waits for a particular event, so nothing hangs when
//! events come in another order, when WirePlumber restarts or when a device comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pipewire as pw;
use pw::core::CoreRc;
use pw::loop_::Timeout;
use pw::main_loop::MainLoopRc;
use pw::registry::RegistryRc;

use super::bindings::{self, DeviceBinding, MetadataBinding};
use super::carry::{Carry, Write};
use super::channels::Channels;
use super::default_sink::{self, DefaultSink};
use super::event::DeviceSink;
use super::hearing::Hearing;
use super::mailbox::Mailbox;
use super::model::{Global, Model};
use super::notice::{Notice, Notices, Side, StreamNotice};
use super::pods::{Latency, LatencyOf};
use super::streams::{MAX_FRAMES, Names, Streams};
use super::thread::Events;
use super::{GraphCommand, GraphEvent, GraphSettings, InsertId, Promotion, is_ours};
use crate::audio::{Controls, Insert, InsertHandle, StageParams, Volume, Watch};

/// How long a headroomd that is being killed may leave its nodes behind.
const LEAVING: Duration = Duration::from_secs(2);
/// How long after sound begins the rate and the latency are looked at.
const LOOKS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(500)];
/// The rate to start from where PipeWire does not say.
const USUAL_RATE_HZ: u32 = 48_000;

/// What is wanted of every session, and what one leaves to the next.
pub(super) struct Wishes {
    pub(super) params: headroom_dsp::ChainParams,
    promotion: Promotion,
    pub(super) default: DefaultSink,
    main_watch: Option<Arc<Watch>>,
}

impl Wishes {
    pub(super) fn new(settings: GraphSettings) -> Wishes {
        Wishes {
            params: settings.params,
            promotion: settings.promotion,
            default: DefaultSink::default(),
            main_watch: None,
        }
    }
}

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

/// An insert in the graph.
pub(super) struct Live {
    pub(super) streams: Streams,
    handle: InsertHandle,
    watch: Arc<Watch>,
    channels: usize,
    volume: Volume,
    running: bool,
    has_node: bool,
    /// Latency behind us and before us, as it was last heard, and as it was last passed on.
    heard: [Latency; 2],
    passed_on: [Option<Latency>; 2],
}

/// Whether a latency is passed on again that was passed on before.
///
/// PipeWire 1.x forgets it when it sets the ports of a stream up anew, and then says so with
/// the same event with which it answers to being told: answering that would go on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Known,
    Nothing,
}

/// What has been told to the outside, so that it is told once.
#[derive(Default)]
struct Told {
    connected: bool,
    no_session_manager: bool,
    no_device: bool,
    ready: bool,
    is_default: bool,
    latency: Option<(u32, u32)>,
}

/// One connection. Fields are dropped in this order: whatever hangs on the connection first.
pub(super) struct Session<'a> {
    pub(super) main: Option<Live>,
    pub(super) master: Option<Live>,
    device: Option<DeviceBinding>,
    pub(super) metadata: Option<MetadataBinding>,
    hearing: Hearing,
    _registry_listener: pw::registry::Listener,
    registry: RegistryRc,
    _core_listener: pw::core::Listener,
    core: CoreRc,

    main_loop: &'a MainLoopRc,
    mailbox: &'a Mailbox,
    events: &'a Events,
    pub(super) wishes: &'a mut Wishes,
    library: &'a str,
    notices: Notices,
    model: Model,
    pub(super) carry: Carry,
    /// A volume of the bus that its stream could not take yet.
    unwritten: Option<Volume>,
    rate_hz: u32,
    syncs: Syncs,
    conflict_since: Option<Instant>,
    /// Whether this WirePlumber has been asked to make the bus the default.
    pub(super) promoting: bool,
    pub(super) leaving: bool,
    pinned: Option<String>,
    looks: Vec<Instant>,
    told: Told,
    ended: Option<Outcome>,
}

/// The questions to PipeWire that are not answered yet.
#[derive(Default)]
struct Syncs {
    listing: Option<i32>,
    metadata: Option<i32>,
    last_done: Option<i32>,
}

impl<'a> Session<'a> {
    /// Runs one connection to its end.
    pub(super) fn run(
        main_loop: &'a MainLoopRc,
        core: &CoreRc,
        wishes: &'a mut Wishes,
        library: &'a str,
        mailbox: &'a Mailbox,
        events: &'a Events,
    ) -> Outcome {
        let notices = Notices::default();
        let core_listener = bindings::listen_to_core(core, &notices);
        let registry = match core.get_registry_rc() {
            Ok(registry) => registry,
            Err(error) => {
                events.send(GraphEvent::Trouble(format!("PipeWire gives no registry: {error}")));
                return Outcome::Lost;
            }
        };
        wishes.default.forget_current();
        let mut session = Session {
            main: None,
            master: None,
            device: None,
            metadata: None,
            hearing: Hearing::default(),
            _registry_listener: bindings::listen_to_registry(&registry, &notices),
            registry,
            _core_listener: core_listener,
            core: core.clone(),
            main_loop,
            mailbox,
            events,
            wishes,
            library,
            notices,
            model: Model::default(),
            carry: Carry::new(2),
            unwritten: None,
            rate_hz: USUAL_RATE_HZ,
            syncs: Syncs::default(),
            conflict_since: None,
            promoting: false,
            leaving: false,
            pinned: None,
            looks: Vec::new(),
            told: Told::default(),
            ended: None,
        };
        session.syncs.listing = session.sync();
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

    /// One turn of the loop: sleep, take what has come, do what follows from it.
    pub(super) fn turn(&mut self, until: Option<Instant>) -> Option<Outcome> {
        self.settle();
        if self.ended.is_some() {
            return self.ended;
        }
        let wakes =
            self.looks.iter().copied().chain(self.conflict_end()).chain(self.hearing.wake());
        let wake = wakes.chain(until).min();
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
            let now = Instant::now();
            if self.ended.is_none() && !self.leaving {
                self.advance(now);
            }
            self.look(now);
            match self.notices.pop() {
                Some(notice) => self.handle(notice),
                None => return,
            }
        }
    }

    /// Sleeps until PipeWire or the mailbox has something, or until `wake`. Without a wake
    /// time it sleeps for good: nothing here ticks.
    fn sleep(&self, wake: Option<Instant>) {
        let timeout = match wake {
            None => PollTimeout::NONE,
            Some(wake) => {
                // Rounded up, else the last millisecond is spent turning.
                let left = wake.saturating_duration_since(Instant::now());
                PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX)
            }
        };
        let mut on = [
            PollFd::new(self.main_loop.loop_().fd(), PollFlags::POLLIN),
            PollFd::new(self.mailbox.bell(), PollFlags::POLLIN),
        ];
        // A signal that ends the sleep early does no harm.
        let _ = poll(&mut on, timeout);
    }

    fn set_at_work(&self, at_work: bool) {
        for live in self.lives() {
            live.watch.set_graph_at_work(at_work);
        }
    }

    pub(super) fn lives(&self) -> impl Iterator<Item = &Live> {
        self.main.iter().chain(&self.master)
    }

    fn live_mut(&mut self, id: InsertId) -> Option<&mut Live> {
        match id {
            InsertId::Main => self.main.as_mut(),
            InsertId::Master => self.master.as_mut(),
        }
    }

    pub(super) fn sync(&self) -> Option<i32> {
        self.core.sync(0).ok().map(|seq| seq.seq())
    }

    pub(super) fn is_answered(&self, sync: Option<i32>) -> bool {
        // A sync that could not be sent is as good as answered: the connection is gone.
        sync.is_none_or(|sync| self.syncs.last_done.is_some_and(|done| done >= sync))
    }

    fn handle(&mut self, notice: Notice) {
        let now = Instant::now();
        match notice {
            Notice::Core { version, rate_hz } => {
                self.rate_hz = rate_hz.unwrap_or(self.rate_hz);
                if !self.told.connected {
                    self.told.connected = true;
                    let library = self.library.to_owned();
                    self.events.send(GraphEvent::Connected { server: version, library });
                }
            }
            Notice::Done(seq) => self.syncs.last_done = Some(seq),
            Notice::Lost => self.ended = self.ended.or(Some(Outcome::Lost)),
            Notice::Added(id, Global::DefaultMetadata) => self.bind_metadata(id),
            Notice::Added(id, global) => {
                if matches!(global, Global::Node(_) | Global::Link(_)) {
                    self.hearing.graph_changed(now);
                }
                self.model.add(id, global);
            }
            Notice::Removed(id) => {
                self.hearing.graph_changed(now);
                self.removed(id);
            }
            Notice::Metadata { subject, key, value } => {
                if self.is_answered(self.syncs.metadata) {
                    self.hearing.heard();
                }
                // A whole subject cleared, or another's stream, is not ours to follow.
                if let (0, Some(key)) = (subject, key) {
                    self.wishes.default.takes(&key, value.as_deref(), is_ours);
                }
            }
            Notice::DeviceVolume(report) => {
                if let Some(device) = &mut self.device {
                    device.channels = report.channels.map(|(_, count)| count).or(device.channels);
                    let known = self.carry.device().copied().unwrap_or(Volume::FULL);
                    let channels = self.main.as_ref().map_or(2, |main| main.channels);
                    let volume = fit(report.on(known), device.channels, channels);
                    if !report.is_empty() {
                        let write = self.carry.device_reports(volume, now);
                        self.carry_out(write);
                    }
                }
            }
            Notice::DeviceIsOfCard { card, device } => {
                let bound = self
                    .device
                    .as_mut()
                    .map(|binding| binding.is_of_card(&self.registry, card, device, &self.notices));
                self.trouble("listening to the sound card", bound.transpose().err());
            }
            Notice::Route(route) => {
                if let Some(device) = &mut self.device {
                    device.has_route(route);
                }
            }
            Notice::Stream(id, side, notice) => self.handle_stream(id, side, notice, now),
        }
    }

    fn handle_stream(&mut self, id: InsertId, side: Side, notice: StreamNotice, now: Instant) {
        let events = self.events;
        let Some(live) = self.live_mut(id) else { return };
        match notice {
            StreamNotice::Volume(report) if side == Side::Capture => {
                let volume = report.on(live.volume);
                if volume == live.volume {
                    return;
                }
                live.volume = volume;
                let channels = live.channels;
                events.send(GraphEvent::Volume { insert: id, volume, channels });
                if id == InsertId::Main {
                    let write = self.carry.bus_reports(volume, now);
                    self.carry_out(write);
                }
                self.set_volumes();
            }
            StreamNotice::Volume(_) => {}
            StreamNotice::Latency(of, latency) => {
                // Only what comes from the other side of the sound is news to pass on.
                match (side, of) {
                    (Side::Playback, LatencyOf::Downstream) => live.heard[0] = latency,
                    (Side::Capture, LatencyOf::Upstream) => live.heard[1] = latency,
                    _ => return,
                }
                live.pass_latency_on(Repeat::Nothing);
            }
            StreamNotice::Paused | StreamNotice::Streaming | StreamNotice::Format => {
                if side == Side::Capture && !matches!(notice, StreamNotice::Format) {
                    let running = matches!(notice, StreamNotice::Streaming);
                    if running != live.running {
                        live.running = running;
                        events.send(GraphEvent::Running { insert: id, running });
                    }
                }
                live.has_node = true;
                live.pass_latency_on(Repeat::Known);
                if let (InsertId::Main, Some(volume)) = (id, self.unwritten.take()) {
                    self.carry_out(Some(Write::Bus(volume)));
                }
                // The rate is known to the audio thread alone, once it has run.
                self.looks = LOOKS.iter().map(|after| now + *after).collect();
            }
            StreamNotice::Failed(error) => {
                let name = id.node_name();
                events.send(GraphEvent::Trouble(format!("{name} has failed: {error}")));
                self.ended = self.ended.or(Some(Outcome::Lost));
            }
        }
    }

    fn removed(&mut self, id: u32) {
        self.model.remove(id);
        if self.metadata.as_ref().is_some_and(|metadata| metadata.id == id) {
            // WirePlumber has gone; the next one starts from what it stored.
            self.metadata = None;
            self.hearing = Hearing::default();
            self.wishes.default.forget_current();
            self.promoting = false;
            self.pinned = None;
        }
        if self.device.as_ref().is_some_and(|device| device.id == id) {
            self.device = None;
            self.carry.forget_device();
            self.set_volumes();
        }
    }

    fn bind_metadata(&mut self, id: u32) {
        match MetadataBinding::new(&self.registry, id, &self.notices) {
            Ok(metadata) => {
                self.metadata = Some(metadata);
                self.syncs.metadata = self.sync();
                self.told.no_session_manager = false;
            }
            Err(error) => self.trouble("listening to the metadata", Some(error)),
        }
    }

    fn trouble(&self, doing: &str, error: Option<pw::Error>) {
        if let Some(error) = error {
            self.events.send(GraphEvent::Trouble(format!("{doing}: {error}")));
        }
    }

    fn set_params(&mut self, params: headroom_dsp::ChainParams) {
        self.wishes.params = params;
        if let Some(main) = &mut self.main {
            main.handle.update(|controls| controls.params = StageParams::Bus(params.bus));
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
        if !self.is_answered(self.syncs.metadata) || self.is_read_anew(now) {
            return;
        }
        self.take_up_what_was_left_behind();
        if self.master.is_none() {
            self.make_master(now);
        }
        self.follow_device(now);
        if self.main.is_none() && self.device.is_some() {
            self.make_main();
        }
        self.pin(now);
        self.promote(now);
        self.link_volumes(now);
        self.follow_default();
        self.tell_ready(now);
    }

    /// Whether the metadata has been bound anew for its values, which come later.
    fn is_read_anew(&mut self, now: Instant) -> bool {
        let Some(id) = self.metadata.as_ref().map(|metadata| metadata.id) else { return false };
        let must_read = self.hearing.must_read(now);
        if must_read {
            log::debug!("the metadata tells us of no change: reading it anew");
            self.wishes.default.forget_current();
            self.bind_metadata(id);
        }
        must_read
    }

    /// Whether another headroomd has our names. One that is just being killed is waited for;
    /// of two that start at once the later one yields.
    fn is_refused(&mut self, now: Instant) -> bool {
        let mine: Vec<u32> = self.lives().filter_map(|live| live.streams.sink_id()).collect();
        if mine.len() < self.lives().count() {
            return false;
        }
        let my_serial =
            mine.iter().filter_map(|id| self.model.node(*id)).map(|node| node.serial).min();
        let other = self.model.nodes().find(|(id, node)| {
            is_ours(&node.name)
                && !mine.contains(id)
                && my_serial.is_none_or(|serial| node.serial < serial)
        });
        let Some((_, other)) = other else {
            self.conflict_since = None;
            return false;
        };
        let since = *self.conflict_since.get_or_insert(now);
        if now.duration_since(since) >= LEAVING {
            let pid = self.model.pid_of(other);
            self.events.send(GraphEvent::AlreadyRunning { pid });
            self.ended = Some(Outcome::Refused);
        }
        true
    }

    fn conflict_end(&self) -> Option<Instant> {
        Some(self.conflict_since? + LEAVING)
    }

    /// A run that was to be the default and was killed leaves our name as the configured
    /// default. Without `--promote` we must not become the default by it.
    fn take_up_what_was_left_behind(&mut self) {
        let default = &self.wishes.default;
        if self.wishes.promotion == Promotion::Leave
            && default.was_left_behind()
            && let Some(metadata) = &self.metadata
        {
            if default.configured.as_deref().is_some_and(is_ours) {
                let former = default.former_configured().map(default_sink::value_of);
                metadata.set_graph_value(default_sink::CONFIGURED, former.as_deref());
            }
            metadata.set_graph_value(default_sink::FORMER, None);
            self.wishes.default.takes(default_sink::FORMER, None, is_ours);
        }
    }

    fn make_master(&mut self, now: Instant) {
        let device = self
            .wishes
            .default
            .wanted_device(is_ours)
            .and_then(|name| Some((name.to_owned(), self.model.sink_named(name)?)));
        let Some((name, id)) = device else {
            if self.model.sinks().any(|(_, node)| !is_ours(&node.name)) {
                // WirePlumber chooses one as the default within moments, and says so.
                self.hearing.expects(now);
            } else {
                self.tell_no_device();
            }
            return;
        };
        let ports = self.model.sink_channels(id);
        if ports.is_empty() {
            return;
        }
        let channels = Channels::of_sink(&ports);
        self.carry = Carry::new(channels.count());
        let names = Names {
            node: InsertId::Master.node_name(),
            description: "Headroom master",
            media: "Headroom master",
        };
        let params = StageParams::Master(self.wishes.params.master);
        let watch = Arc::new(Watch::new(self.rate_hz));
        self.master = self.make(InsertId::Master, &names, &channels, &name, params, watch);
        self.pinned = Some(name);
    }

    fn make_main(&mut self) {
        let Some(master) = &self.master else { return };
        let sink = master.streams.sink_id();
        let ports = sink.map(|id| self.model.sink_channels(id)).unwrap_or_default();
        if ports.is_empty() {
            return;
        }
        let channels = Channels::of_sink(&ports);
        let names =
            Names { node: InsertId::Main.node_name(), description: "Headroom", media: "Headroom" };
        let params = StageParams::Bus(self.wishes.params.bus);
        let watch = self.wishes.main_watch.clone();
        let watch = watch.unwrap_or_else(|| Arc::new(Watch::new(self.rate_hz)));
        self.wishes.main_watch = Some(watch.clone());
        let target = InsertId::Master.node_name();
        self.main = self.make(InsertId::Main, &names, &channels, target, params, watch);
    }

    fn make(
        &mut self,
        id: InsertId,
        names: &Names,
        channels: &Channels,
        target: &str,
        params: StageParams,
        watch: Arc<Watch>,
    ) -> Option<Live> {
        let volume = Volume::FULL;
        let controls = Controls { params, volume, out_gains: volume.gains() };
        let made = Insert::prepare(channels.layout, MAX_FRAMES, controls, watch.clone())
            .map_err(|error| error.to_string())
            .and_then(|(insert, handle, meters)| {
                Streams::connect(&self.core, id, names, channels, target, insert, &self.notices)
                    .map(|streams| (streams, handle, meters))
                    .map_err(|error| error.to_string())
            });
        match made {
            Ok((streams, handle, meters)) => {
                let count = channels.count();
                self.events.send(GraphEvent::InsertMade { insert: id, channels: count, meters });
                Some(Live {
                    streams,
                    handle,
                    watch,
                    channels: count,
                    volume,
                    running: false,
                    has_node: false,
                    heard: Default::default(),
                    passed_on: Default::default(),
                })
            }
            Err(error) => {
                let text = format!("making {}: {error}", names.node);
                self.events.send(GraphEvent::Trouble(text));
                self.ended = Some(Outcome::Lost);
                None
            }
        }
    }

    /// The sink that the master plays to, as it is linked.
    fn heard_device(&self) -> Option<u32> {
        let output = self.master.as_ref()?.streams.output_id()?;
        self.model
            .linked_from(output)
            .find(|id| self.model.node(*id).is_some_and(|node| !is_ours(&node.name)))
    }

    fn follow_device(&mut self, _now: Instant) {
        let Some(id) = self.heard_device() else { return };
        if self.device.as_ref().is_some_and(|device| device.id == id) {
            return;
        }
        let Some(node) = self.model.node(id) else { return };
        let device = DeviceSink { name: node.name.clone(), description: node.description.clone() };
        self.carry.forget_device();
        match DeviceBinding::new(&self.registry, id, &self.notices) {
            Ok(binding) => {
                self.device = Some(binding);
                self.told.no_device = false;
                self.events.send(GraphEvent::DeviceSink(device));
            }
            Err(error) => self.trouble("listening to the device sink", Some(error)),
        }
        self.set_volumes();
    }

    fn tell_no_device(&mut self) {
        if !self.told.no_device {
            self.told.no_device = true;
            self.events.send(GraphEvent::NoDeviceSink);
        }
    }

    /// Sends the master to the device sink that is wanted, where that is another one now.
    fn pin(&mut self, now: Instant) {
        let (Some(metadata), Some(master)) = (&self.metadata, &self.master) else { return };
        let Some(wanted) = self.wishes.default.wanted_device(is_ours) else { return };
        // A device that is away keeps its place: WirePlumber goes elsewhere meanwhile, and
        // comes back to it.
        if self.pinned.as_deref() == Some(wanted) || self.model.sink_named(wanted).is_none() {
            return;
        }
        let Some(output) = master.streams.output_id() else { return };
        metadata.set_target(output, wanted);
        self.hearing.expects(now);
        self.pinned = Some(wanted.to_owned());
    }

    fn promote(&mut self, now: Instant) {
        let (Some(metadata), true) = (&self.metadata, self.is_linked()) else { return };
        if self.wishes.promotion == Promotion::Leave || self.promoting {
            return;
        }
        self.promoting = true;
        let former = self.wishes.default.former_configured().unwrap_or_default();
        metadata.set_graph_value(default_sink::FORMER, Some(&default_sink::value_of(former)));
        let ours = default_sink::value_of(InsertId::Main.node_name());
        metadata.set_graph_value(default_sink::CONFIGURED, Some(&ours));
        self.hearing.expects(now);
    }

    fn is_default(&self) -> bool {
        self.main.is_some()
            && self.wishes.default.actual.as_deref() == Some(InsertId::Main.node_name())
    }

    /// Makes the volume of the bus and the device's one, once sound can flow between them.
    ///
    /// Not before: what WirePlumber remembers of the bus comes ahead of the links that it makes,
    /// and must not be taken for the listener's wish.
    fn link_volumes(&mut self, now: Instant) {
        if !self.carry.is_linked() && self.is_linked() {
            let write = self.carry.link(now);
            self.carry_out(write);
        }
    }

    fn follow_default(&mut self) {
        let is_default = self.is_default();
        if is_default == self.told.is_default {
            return;
        }
        self.told.is_default = is_default;
        let default = &self.wishes.default;
        if is_default {
            let former = default.former().map(str::to_owned);
            self.events.send(GraphEvent::Promoted { former });
        } else if default.actual.is_some() {
            let now_default = default.actual.clone();
            self.events.send(GraphEvent::Demoted { now: now_default });
        } else {
            // WirePlumber is away, and will say who is the default.
            self.told.is_default = true;
        }
    }

    fn carry_out(&mut self, write: Option<Write>) {
        let channels = self.main.as_ref().map_or(2, |main| main.channels);
        match write {
            Some(Write::Bus(volume)) => {
                let Some(main) = &mut self.main else { return };
                if main.streams.set_volume(&volume, channels) {
                    // It holds from here on, and a stream is not told what it has done itself.
                    main.volume = volume;
                    let insert = InsertId::Main;
                    self.events.send(GraphEvent::Volume { insert, volume, channels });
                    let _ = self.carry.bus_reports(volume, Instant::now());
                } else {
                    self.unwritten = Some(volume);
                }
            }
            Some(Write::Device(volume)) => {
                if let Some(device) = &self.device {
                    let count = device.channels.unwrap_or(channels);
                    device.set_volume(&fit(volume, Some(channels), count), count);
                }
            }
            None => {}
        }
        self.set_volumes();
    }

    /// Tells the inserts what to take off and what to put on.
    fn set_volumes(&mut self) {
        if let Some(main) = &mut self.main {
            let gains = self.carry.out_gains(&main.volume);
            let volume = main.volume;
            main.handle.update(|controls| {
                controls.volume = volume;
                controls.out_gains = gains;
            });
        }
        if let Some(master) = &mut self.master {
            let volume = master.volume;
            master.handle.update(|controls| {
                controls.volume = volume;
                controls.out_gains = volume.gains();
            });
        }
    }

    fn is_linked(&self) -> bool {
        let linked = |from: &Live, to: Option<u32>| {
            let (Some(from), Some(to)) = (from.streams.output_id(), to) else { return false };
            self.model.linked_from(from).filter(|id| *id == to).count() > 0
        };
        let (Some(main), Some(master)) = (&self.main, &self.master) else { return false };
        linked(main, master.streams.sink_id()) && self.heard_device().is_some()
    }

    fn tell_ready(&mut self, now: Instant) {
        let wants_default = self.wishes.promotion == Promotion::Promote;
        if !self.told.ready && self.is_linked() && (!wants_default || self.told.is_default) {
            self.told.ready = true;
            // The ports that the links end at are there to stay.
            self.looks.push(now);
            self.look(now);
            self.events.send(GraphEvent::Ready);
        }
    }

    /// Looks at what only the audio thread knows: the rate and what the latency is at it.
    fn look(&mut self, now: Instant) {
        let due = self.looks.iter().any(|at| *at <= now);
        self.looks.retain(|at| *at > now);
        if !due {
            return;
        }
        for live in self.main.iter_mut().chain(&mut self.master) {
            live.pass_latency_on(Repeat::Known);
        }
        let frames = self.lives().map(|live| live.watch.latency_frames()).sum();
        let rate_hz = self.master.as_ref().map_or(self.rate_hz, |master| master.watch.rate_hz());
        if self.told.latency != Some((frames, rate_hz)) {
            self.told.latency = Some((frames, rate_hz));
            self.events.send(GraphEvent::Latency { frames, rate_hz });
        }
    }
}

impl Live {
    /// Passes latencies on with our own on top.
    fn pass_latency_on(&mut self, repeat: Repeat) {
        if !self.has_node {
            return;
        }
        let own = self.watch.latency_frames();
        for (index, of) in [LatencyOf::Downstream, LatencyOf::Upstream].into_iter().enumerate() {
            let latency = self.heard[index].plus_frames(own);
            if repeat == Repeat::Known || self.passed_on[index] != Some(latency) {
                self.passed_on[index] = Some(latency);
                self.streams.report_latency(of, latency);
            }
        }
    }
}

/// A volume of `from` channels on `to` channels: where the counts differ, that of the
/// loudest channel on all.
fn fit(volume: Volume, from: Option<usize>, to: usize) -> Volume {
    let Some(from) = from.filter(|from| *from != to) else { return volume };
    let loudest = volume.channels.iter().take(from).fold(0.0_f32, |loudest, v| loudest.max(*v));
    Volume { channels: [loudest; headroom_dsp::MAX_CHANNELS], ..volume }
}
