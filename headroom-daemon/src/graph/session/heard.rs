//! What PipeWire says: every notice changes what the session knows of the graph, and no more.

use std::time::Instant;

use super::latency::{LOOKS, Repeat};
use super::loose::Loose;
use super::volume::fit;
use super::words::Hearkening;
use super::{Outcome, Session};
use crate::audio::Volume;
use crate::graph::bindings::{GRAPH, MetadataBinding};
use crate::graph::carry::Write;
use crate::graph::hearing::Hearing;
use crate::graph::model::Global;
use crate::graph::notice::{Notice, Side, StreamNotice};
use crate::graph::pods::LatencyOf;
use crate::graph::{GraphEvent, InsertId, is_ours, session_manager};
use crate::spare_memory;

impl Session<'_> {
    pub(super) fn handle(&mut self, notice: Notice) {
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
            Notice::Done(seq) => {
                self.syncs.last_done = Some(seq);
                self.is_listed_again();
            }
            Notice::InsertsDone(seq) => self.standings_are_known(seq),
            Notice::Lost => self.ended = self.ended.or(Some(Outcome::Lost)),
            // It will be told of again.
            Notice::Added(_, Global::DefaultMetadata) if self.hearkening == Hearkening::Not => {}
            // Who leaves soon leaves before a WirePlumber that is stopped has answered, and takes the
            // ears of all others along (`hearing`).
            Notice::Added(_, Global::DefaultMetadata)
                if self.leaving && session_manager::is_stopped(self.model.pids()) => {}
            Notice::Added(id, Global::DefaultMetadata) => {
                let version = session_manager::version(self.model.pids());
                self.has_smart_filters =
                    version.as_deref().is_some_and(session_manager::knows_smart_filters);
                self.events.send(GraphEvent::SessionManager { version });
                self.bind_metadata(id);
                self.targets.metadata_is_new();
            }
            Notice::Added(id, global) => {
                if matches!(global, Global::Node(_) | Global::Link(_)) {
                    self.hearing.graph_changed(now);
                }
                let is_known = self.is_known(id, &global);
                self.model.add(id, global);
                if !is_known && self.is_answered(self.syncs.listing) && self.is_device(id) {
                    self.hearing.sinks_changed(now);
                }
                // What is too many for the model is none of ours either.
                if let Some(node) = self.model.node(id).filter(|node| node.is_stream() && !is_known)
                {
                    if !self.is_listed_once() {
                        self.first_serial = self.first_serial.max(node.serial);
                    }
                    self.targets.added(id, now);
                }
                self.census.changed();
            }
            Notice::Removed(id) => {
                // Clients come and go all the time, and decide nothing.
                if self.model.has_node_or_link(id) {
                    self.hearing.graph_changed(now);
                }
                if self.is_device(id) {
                    self.hearing.sinks_changed(now);
                }
                self.census.removed(id);
                self.stream_goes(id);
                self.removed(id);
            }
            Notice::Metadata { subject, key, value } => {
                self.is_answered_anew();
                self.syncs.values = self.syncs.metadata;
                if self.is_answered(self.syncs.metadata) {
                    self.hearing.heard();
                }
                match (subject, key) {
                    (GRAPH, Some(key)) => {
                        self.wishes.default.takes(&key, value.as_deref());
                        self.census.changed();
                    }
                    (GRAPH, None) => {}
                    (id, key) => {
                        self.take_master_target(id, key.as_deref(), value.as_deref());
                        self.take_target(id, key.as_deref(), value.as_deref(), now);
                    }
                }
            }
            Notice::NodeSays(id, news) => self.census.node_says(id, news),
            Notice::NodeVolume(id, volume) => self.census.node_volume(id, volume),
            Notice::NodeChannels(id, count) => self.census.node_channels(id, count),
            Notice::ClientSays(id, facts) => self.census.client_says(id, facts),
            Notice::DeviceVolume(report) => {
                if let Some(device) = &mut self.device {
                    device.channels = report.channels.map(|(_, count)| count).or(device.channels);
                    let known = self.carry.device().copied().unwrap_or(Volume::FULL);
                    let channels = self.main.as_ref().map_or(2, |main| main.channels);
                    let volume = fit(report.on(known), device.channels, channels);
                    if !report.is_empty() {
                        let write = self.carry.device_reports(volume, now);
                        self.carry_out(write);
                        self.device_has_said(now);
                    }
                }
            }
            Notice::DeviceIsOfCard { card, device } => {
                let bound = self
                    .device
                    .as_mut()
                    .map(|binding| binding.is_of_card(&self.registry, card, device, &self.notices));
                self.trouble("listening to the sound card", bound.transpose().err());
                self.ask_for_port();
            }
            Notice::CardChanged => {
                if let Some(device) = &self.device {
                    device.ask_for_routes();
                }
            }
            Notice::Route(route, port) => {
                if let Some(device) = &mut self.device {
                    device.has_route(route, port);
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
                        if running {
                            // What PipeWire needed to agree on a format is freed by now.
                            spare_memory::give_back();
                        }
                    }
                }
                live.has_node = true;
                live.has_failed = false;
                live.pass_latency_on(Repeat::Known);
                if let (InsertId::Main, Some(volume)) = (id, self.unwritten.take()) {
                    self.carry_out(Some(Write::Bus(volume)));
                }
                // The rate is known to the audio thread alone, once it has run.
                self.looks = LOOKS.iter().map(|after| now + *after).collect();
            }
            StreamNotice::Failed(error) => {
                // WirePlumber says so of every link that fails, of an app's too, and may say it again
                // and again. While it has its node, it plays on.
                if !std::mem::replace(&mut live.has_failed, true) {
                    log::info!("{} is told of an error: {error}", id.node_name());
                }
            }
        }
    }

    /// Whether it is a sink that is not ours.
    fn is_device(&self, id: u32) -> bool {
        self.model.node(id).is_some_and(|node| node.is_sink() && !is_ours(&node.name))
    }

    fn removed(&mut self, id: u32) {
        self.model.remove(id);
        self.forget_what_was_before();
        if self.metadata.as_ref().is_some_and(|metadata| metadata.id == id) {
            // WirePlumber has gone; the next one starts from what it stored.
            if !self.is_answered(self.syncs.metadata) {
                self.is_heard_no_more();
            }
            self.metadata = None;
            self.reading_anew = false;
            self.targets.metadata_has_gone();
            self.hearing = Hearing::default();
            self.loose = Loose::default();
            self.wishes.default.forget_current();
            self.promoting.lets_go();
            self.giving_back = None;
            (self.pinned, self.sent_by_others) = (None, None);
        }
        if self.device.as_ref().is_some_and(|device| device.id == id) {
            self.device = None;
            self.forget_device();
            self.set_volumes();
        }
    }

    pub(super) fn bind_metadata(&mut self, id: u32) {
        match MetadataBinding::new(&self.registry, id, &self.notices) {
            Ok(metadata) => {
                self.metadata = Some(metadata);
                self.syncs.metadata = self.sync();
                self.told.no_session_manager = false;
            }
            Err(error) => self.trouble("listening to the metadata", Some(error)),
        }
    }
}
