//! Makes the inserts: the master once there is a device sink to play to, with its channels, the
//! main bus once there is a master, and where these have more than two channels a bus for streams
//! that have no more.

use std::sync::Arc;
use std::time::Instant;

use super::{Outcome, Session};
use crate::audio::{Beginning, Controls, Insert, InsertHandle, Slider, StageParams, Volume, Watch};
use crate::graph::carry::Carry;
use crate::graph::channels::Channels;
use crate::graph::pods::Latency;
use crate::graph::standing::Standing;
use crate::graph::streams::{MAX_FRAMES, Names, Streams, Way};
use crate::graph::{GraphEvent, InsertId, is_ours};

/// An insert in the graph.
pub(super) struct Live {
    pub(super) insert: InsertId,
    pub(super) standing: Standing,
    pub(super) streams: Streams,
    pub(super) handle: InsertHandle,
    pub(super) watch: Arc<Watch>,
    /// How many channels come in.
    pub(super) channels: usize,
    /// The channels that go out.
    pub(super) output: Channels,
    pub(super) volume: Volume,
    pub(super) running: bool,
    pub(super) has_node: bool,
    /// PipeWire or WirePlumber has told one of its streams of an error.
    pub(super) has_failed: bool,
    /// Latency behind us and before us, as it was last heard, and as it was last passed on.
    pub(super) heard: [Latency; 2],
    pub(super) passed_on: [Option<Latency>; 2],
}

impl Session<'_> {
    pub(super) fn make_master(&mut self, now: Instant) {
        let device = self
            .wanted_sink()
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
        let ports = self.channels_for(&name, id);
        if ports.is_empty() {
            return;
        }
        let channels = Channels::of_sink(&ports);
        self.carry = Carry::new(channels.count());
        let names = Names {
            node: InsertId::Master.node_name(),
            description: "Headroom master",
            media: "Headroom master",
            standing: self.standing_of(InsertId::Master),
        };
        let params = StageParams::Master(self.wishes.params.master);
        let watch = Arc::new(Watch::new(self.rate_hz));
        let way = Way { input: &channels, output: &channels, target: &name };
        self.master = self.make(InsertId::Master, &names, way, params, watch);
        (self.pinned, self.sent_by_others) = (Some(name), None);
    }

    pub(super) fn make_main(&mut self) {
        let Some(master) = &self.master else { return };
        let sink = master.streams.sink_id();
        let ports = sink.map(|id| self.model.sink_channels(id)).unwrap_or_default();
        if ports.is_empty() {
            return;
        }
        let channels = Channels::of_sink(&ports);
        let names = Names {
            node: InsertId::Main.node_name(),
            description: "Headroom",
            media: "Headroom",
            standing: self.standing_of(InsertId::Main),
        };
        let params = StageParams::Bus(self.wishes.params.bus);
        // One watch for all main buses of this process: the next starts from the last's gain.
        let watch = self.wishes.main_watch.get_or_insert_with(|| {
            let watch = Watch::new(self.rate_hz);
            watch.set_agc_gain(self.wishes.agc_gain);
            Arc::new(watch)
        });
        let watch = watch.clone();
        let target = InsertId::Master.node_name();
        let way = Way { input: &channels, output: &channels, target };
        self.main = self.make(InsertId::Main, &names, way, params, watch);
    }

    /// The bus for streams of one or two channels in front of more.
    ///
    /// PipeWire 0.3.65 fills the centre of a sink that has one with what is left and right in the
    /// stream, in the stream's own process, where nobody can undo it. In front of two channels it
    /// has nothing to fill; and those two we put to their places ourselves.
    pub(super) fn make_stereo(&mut self) {
        let Some(main) = &self.main else { return };
        if main.output.count() <= 2 {
            return;
        }
        let (input, output) = (Channels::stereo(), main.output.clone());
        if input.places_in(&output).is_none() {
            return;
        }
        let names = Names {
            node: InsertId::Stereo.node_name(),
            description: "Headroom (stereo)",
            media: "Headroom (stereo)",
            standing: self.standing_of(InsertId::Stereo),
        };
        let params = StageParams::Bus(self.wishes.params.bus);
        let watch = self.wishes.stereo_watch.get_or_insert_with(|| {
            let watch = Watch::new(self.rate_hz);
            watch.set_agc_gain(self.wishes.agc_gain);
            Arc::new(watch)
        });
        let watch = watch.clone();
        let way = Way { input: &input, output: &output, target: InsertId::Master.node_name() };
        self.stereo = self.make(InsertId::Stereo, &names, way, params, watch);
    }

    fn make(
        &mut self,
        id: InsertId,
        names: &Names,
        way: Way<'_>,
        params: StageParams,
        watch: Arc<Watch>,
    ) -> Option<Live> {
        let volume = Volume::FULL;
        let controls = Controls {
            params,
            volume,
            out_gains: volume.gains(),
            slider: Slider::FULL,
            beginning: self.beginning(),
        };
        let made = Insert::prepare(way.input.layout, MAX_FRAMES, controls, watch.clone())
            .map_err(|error| error.to_string())
            .and_then(|(insert, handle, meters)| {
                Streams::connect(&self.connections.sound, id, names, way, insert, &self.notices)
                    .map(|streams| (streams, handle, meters))
                    .map_err(|error| error.to_string())
            });
        match made {
            Ok((streams, handle, meters)) => {
                let count = way.input.count();
                self.events.send(GraphEvent::InsertMade { insert: id, channels: count, meters });
                Some(Live {
                    insert: id,
                    standing: names.standing,
                    streams,
                    handle,
                    watch,
                    channels: count,
                    output: way.output.clone(),
                    volume,
                    running: false,
                    has_node: false,
                    has_failed: false,
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
    /// What was heard before this daemon was there goes on as loud as it was.
    fn beginning(&self) -> Beginning {
        // Later the sound was ours before: after the end of PipeWire, or for another device.
        let is_first = self.wishes.session == 1 && !self.told.ready;
        let heard = &self.census.heard().nodes;
        let plays = |id: &u32| heard.get(id).is_some_and(|said| said.running);
        if is_first && self.streams_before_us().any(|id| plays(&id)) {
            Beginning::AtUnity
        } else {
            Beginning::AtGain
        }
    }

    fn streams_before_us(&self) -> impl Iterator<Item = u32> {
        let before = self.model.streams().filter(|(_, node)| node.serial <= self.first_serial);
        before.map(|(id, _)| id)
    }

    /// Has the buses begin as they were left, once nothing is there any more that was heard before.
    pub(super) fn forget_what_was_before(&mut self) {
        if self.streams_before_us().next().is_none() {
            for bus in self.main.iter_mut().chain(&mut self.stereo) {
                bus.handle.update(|controls| controls.beginning = Beginning::AtGain);
            }
        }
    }
}
