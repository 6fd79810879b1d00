//! The listener's volume, between the bus, the device and the inserts.

use std::time::{Duration, Instant};

use super::Session;
use crate::audio::Volume;
use crate::graph::carry::{self, Write};
use crate::graph::channels::Channels;
use crate::graph::sliders::Players;
use crate::graph::{GraphEvent, InsertId};
use crate::journal::{ChangedVolume, Note, NoteKey, Noted, NotedVolume};

/// For so long nobody turns a volume any more, before what was noted of the change is struck out:
/// who drags a slider is not to wait for that.
const REST: Duration = Duration::from_millis(200);

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
                self.unsent = None;
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
                self.unsent = Some(volume);
                self.send_volume(Instant::now());
            }
            None => {}
        }
        self.set_volumes();
    }

    /// Tells the device the volume that it is to have, once that is in the journal. Until then what
    /// it has not done yet is done behind the stage, as far as it makes the sound quieter.
    pub(super) fn send_volume(&mut self, now: Instant) {
        let channels = self.main.as_ref().map_or(2, |main| main.channels);
        let (Some(wanted), Some(device)) = (self.unsent, &self.device) else { return };
        let before = self.carry.device().copied().unwrap_or(wanted);
        let change =
            ChangedVolume { before: noted(&before, channels), wanted: noted(&wanted, channels) };
        let name = self.model.node(device.id).map(|node| node.name.clone()).unwrap_or_default();
        if self.wishes.notes.note(Note::Volume(name, change), now) == Noted::NotYet {
            return;
        }
        self.tell_device(&wanted);
        self.carry.device_is_told(wanted, now);
        self.unsent = None;
    }

    /// The device has said what its volume is.
    pub(super) fn device_has_said(&mut self, now: Instant) {
        if self.carry.is_linked() && !self.wishes.notes.journal().volumes.is_empty() {
            self.volume_rests = Some(now + REST);
        }
    }

    /// A change that is over is struck out: a crash cannot cut it off any more, and whoever turns the
    /// device back after one means it.
    pub(super) fn end_change(&mut self, now: Instant) {
        if self.volume_rests.is_none_or(|at| at > now) {
            return;
        }
        self.volume_rests = None;
        let name = self.device.as_ref().and_then(|device| self.model.node(device.id));
        let is_over = self.carry.is_linked() && self.unsent.is_none();
        if let Some(name) = name.map(|node| node.name.clone()).filter(|_| is_over) {
            self.wishes.notes.strike(&NoteKey::Volume(name));
        }
    }

    fn tell_device(&self, volume: &Volume) {
        let channels = self.main.as_ref().map_or(2, |main| main.channels);
        if let Some(device) = &self.device {
            let count = device.channels.unwrap_or(channels);
            device.set_volume(&fit(*volume, Some(channels), count), count);
        }
    }

    /// The last word to the device: what our bus was set to is its volume from now on.
    pub(super) fn leave_volume(&mut self) {
        if let Some(wanted) = self.unsent.take() {
            self.tell_device(&wanted);
        }
        self.wishes.notes.strike_volumes();
    }

    /// Ends a change of the device's volume that a crash has cut off. Downwards alone: whatever has
    /// happened since, nothing gets louder by itself.
    pub(super) fn finish_volume(&mut self) {
        let channels = self.main.as_ref().map_or(2, |main| main.channels);
        let (Some(device), Some(now)) = (&self.device, self.carry.device().copied()) else {
            return;
        };
        let Some(name) = self.model.node(device.id).map(|node| node.name.clone()) else { return };
        let Some(change) = self.wishes.notes.left_behind(&name) else { return };
        let (before, wanted) = (volume_of(&change.before), volume_of(&change.wanted));
        let is_cut_off =
            carry::same(&before, &now, channels) && !carry::same(&wanted, &now, channels);
        if is_cut_off && is_quieter(&wanted, &now, channels) {
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

/// A volume of `from` channels on `to` channels: where the counts differ, that of the
/// loudest channel on all.
pub(super) fn fit(volume: Volume, from: Option<usize>, to: usize) -> Volume {
    let Some(from) = from.filter(|from| *from != to) else { return volume };
    let loudest = volume.channels.iter().take(from).fold(0.0_f32, |loudest, v| loudest.max(*v));
    Volume { channels: [loudest; headroom_dsp::MAX_CHANNELS], ..volume }
}

/// A volume as it is noted.
fn noted(volume: &Volume, channels: usize) -> NotedVolume {
    let count = channels.min(volume.channels.len());
    NotedVolume { factors: volume.channels[..count].to_vec(), muted: volume.muted }
}

/// A volume that was noted.
fn volume_of(noted: &NotedVolume) -> Volume {
    let mut volume = Volume { muted: noted.muted, ..Volume::FULL };
    for (factor, noted) in volume.channels.iter_mut().zip(&noted.factors) {
        *factor = *noted;
    }
    volume
}

/// Whether no channel of `a` is louder than that of `b`.
fn is_quieter(a: &Volume, b: &Volume, channels: usize) -> bool {
    a.gains().iter().zip(b.gains()).take(channels).all(|(a, b)| *a <= b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(factor: f32, muted: bool) -> Volume {
        Volume { channels: [factor; headroom_dsp::MAX_CHANNELS], muted }
    }

    #[test]
    fn a_volume_is_noted_and_read_again() {
        let volume = volume_of(&noted(&at(0.25, true), 2));
        assert!(carry::same(&volume, &at(0.25, true), 2));
        assert!(carry::same(&volume_of(&NotedVolume::default()), &Volume::FULL, 2));
    }

    #[test]
    fn mute_is_quieter_than_any_volume_and_one_louder_channel_is_louder() {
        assert!(is_quieter(&at(1.0, true), &at(0.1, false), 2));
        assert!(!is_quieter(&at(0.1, false), &at(1.0, true), 2));
        let mut one = at(0.1, false);
        one.channels[1] = 0.9;
        assert!(!is_quieter(&one, &at(0.5, false), 2));
        assert!(is_quieter(&one, &at(0.9, false), 2));
    }
}
