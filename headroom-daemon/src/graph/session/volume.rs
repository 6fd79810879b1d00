//! The listener's volume, between the bus, the device and the inserts.

use std::time::Instant;

use super::Session;
use crate::audio::Volume;
use crate::graph::carry::Write;
use crate::graph::channels::Channels;
use crate::graph::sliders::Players;
use crate::graph::{GraphEvent, InsertId};

impl Session<'_> {
    /// Makes the volume of the bus and the device's one, once sound can flow between them.
    ///
    /// Not before: what WirePlumber remembers of the bus comes ahead of the links that it makes,
    /// and must not be taken for the listener's wish.
    pub(super) fn link_volumes(&mut self, now: Instant) {
        if !self.carry.is_linked() && self.is_linked() {
            let write = self.carry.link(now);
            self.carry_out(write);
        }
    }

    /// Tells the buses the volume of the app that plays there alone.
    pub(super) fn follow_sliders(&mut self) {
        if !self.census.take_moved() {
            return;
        }
        for bus in self.main.iter_mut().chain(&mut self.stereo) {
            let Some(sink) = bus.streams.sink_id() else { continue };
            let heard = self.census.heard();
            let players = Players::on(sink, &self.model, heard);
            if let Some(slider) = players.slider(&self.model, heard, bus.channels) {
                bus.handle.update(|controls| controls.slider = slider);
            }
        }
    }

    pub(super) fn carry_out(&mut self, write: Option<Write>) {
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
    pub(super) fn set_volumes(&mut self) {
        if let Some(main) = &mut self.main {
            let gains = self.carry.out_gains(&main.volume);
            let volume = main.volume;
            main.handle.update(|controls| {
                controls.volume = volume;
                controls.out_gains = gains;
            });
            if let Some(stereo) = &mut self.stereo {
                // The listener has one volume, which is that of the main bus; what this bus has
                // of its own comes on top.
                let places = Channels::stereo().places_in(&main.output).unwrap_or_default();
                let volume = stereo.volume;
                let mut own = volume.gains();
                for (own, place) in own.iter_mut().zip(places) {
                    *own *= gains[place];
                }
                stereo.handle.update(|controls| {
                    controls.volume = volume;
                    controls.out_gains = own;
                });
            }
        }
        if let Some(master) = &mut self.master {
            let volume = master.volume;
            master.handle.update(|controls| {
                controls.volume = volume;
                controls.out_gains = volume.gains();
            });
        }
    }
}

/// A volume of `from` channels on `to` channels: where the counts differ, that of the
/// loudest channel on all.
pub(super) fn fit(volume: Volume, from: Option<usize>, to: usize) -> Volume {
    let Some(from) = from.filter(|from| *from != to) else { return volume };
    let loudest = volume.channels.iter().take(from).fold(0.0_f32, |loudest, v| loudest.max(*v));
    Volume { channels: [loudest; headroom_dsp::MAX_CHANNELS], ..volume }
}
