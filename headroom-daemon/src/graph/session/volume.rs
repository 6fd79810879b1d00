//! The listener's volume, between the bus, the device and the inserts.

use std::time::Instant;

use super::Session;
use crate::audio::Volume;
use crate::graph::bindings::DeviceBinding;
use crate::graph::carry::Write;
use crate::graph::channels::Channels;
use crate::graph::sliders::Players;
use crate::graph::turning::{self, Turning};
use crate::graph::{GraphEvent, InsertId};
use crate::journal::NoteKey;

impl Session<'_> {
    /// Makes the volume of the bus and the device's one, once sound can flow between them.
    ///
    /// Not before: what WirePlumber remembers of the bus comes ahead of the links that it makes,
    /// and must not be taken for the listener's wish.
    pub(super) fn link_volumes(&mut self, now: Instant) {
        if !self.carry.is_linked() && self.is_linked() {
            self.finish_volume();
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
                // Whoever has turned the device itself has said the last word.
                self.turning.drops_all();
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
                self.turning.wants(volume);
                self.send_volume(Instant::now());
            }
            None => {}
        }
        self.set_volumes();
    }

    /// Tells the device the volume that it is to have, once that is in the journal. Until then what
    /// it has not done yet is done behind the stage, as far as it makes the sound quieter.
    pub(super) fn send_volume(&mut self, now: Instant) {
        let Some(device) = self.device.as_ref().filter(|_| !self.turning.is_idle()) else { return };
        let name = self.model.node(device.id).map(|node| node.name.clone()).unwrap_or_default();
        let notes = &mut self.wishes.notes;
        while let Some(volume) = self.turning.next(&name, &mut self.carry, notes, now) {
            let channels = self.main.as_ref().map_or(2, |main| main.channels);
            tell(device, &volume, channels);
        }
    }

    /// The device has said what its volume is.
    pub(super) fn device_has_said(&mut self, now: Instant) {
        if self.carry.is_linked() && !self.wishes.notes.journal().volumes.is_empty() {
            self.turning.device_has_said(now);
        }
    }

    /// The device has gone, or another one is heard from now on. Whether it has done all that it was
    /// told shows when it comes back.
    pub(super) fn forget_device(&mut self) {
        self.turning = Turning::default();
        self.carry.forget_device();
        self.wishes.notes.leave_volumes_behind();
    }

    /// A change that is over is struck out.
    pub(super) fn end_change(&mut self, now: Instant) {
        if !self.turning.is_over(&self.carry, now) {
            return;
        }
        let name = self.device.as_ref().and_then(|device| self.model.node(device.id));
        if let Some(name) = name.map(|node| node.name.clone()) {
            self.wishes.notes.strike(&NoteKey::Volume(name));
        }
    }

    fn tell_device(&self, volume: &Volume) {
        let channels = self.main.as_ref().map_or(2, |main| main.channels);
        if let Some(device) = &self.device {
            tell(device, volume, channels);
        }
    }

    /// The last word to the device: what our bus was set to is its volume from now on.
    pub(super) fn leave_volume(&mut self) {
        if let Some(wanted) = self.turning.last_word() {
            self.tell_device(&wanted);
        }
        self.wishes.notes.strike_volumes();
    }

    /// Ends a change of the device's volume that a crash has cut off, or the device by going.
    pub(super) fn finish_volume(&mut self) {
        let channels = self.main.as_ref().map_or(2, |main| main.channels);
        let (Some(device), Some(now)) = (&self.device, self.carry.device().copied()) else {
            return;
        };
        let Some(name) = self.model.node(device.id).map(|node| node.name.clone()) else { return };
        let Some(change) = self.wishes.notes.left_behind(&name) else { return };
        if let Some(wanted) = turning::cut_off(&change, &now, channels) {
            self.tell_device(&wanted);
        }
        self.wishes.notes.strike(&NoteKey::Volume(name));
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

/// Has a device have a volume of so many channels.
fn tell(device: &DeviceBinding, volume: &Volume, channels: usize) {
    let count = device.channels.unwrap_or(channels);
    device.set_volume(&fit(*volume, Some(channels), count), count);
}

/// A volume of `from` channels on `to` channels: where the counts differ, that of the
/// loudest channel on all.
pub(super) fn fit(volume: Volume, from: Option<usize>, to: usize) -> Volume {
    let Some(from) = from.filter(|from| *from != to) else { return volume };
    let loudest = volume.channels.iter().take(from).fold(0.0_f32, |loudest, v| loudest.max(*v));
    Volume { channels: [loudest; headroom_dsp::MAX_CHANNELS], ..volume }
}
