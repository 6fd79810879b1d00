//! The device's volume on its way to what the listener has set on our bus: noted, told, done.
//!
//! What is told is on disk before, so that the next start can end what a crash cuts off. A note that
//! is under way is not replaced by a newer one: storage that takes longer than a dragged slider for
//! a step would never be done with any. So each step that is noted is told, and the next to be noted
//! is the newest. The note stays until the device has said that it has done the last.
//! `session::volume` asks in every turn of its loop, and tells. Pure.

use std::time::{Duration, Instant};

use super::carry::{Carry, same};
use crate::audio::Volume;
use crate::journal::{ChangedVolume, Note, Noted, NotedVolume, Notes};

/// For so long nobody turns a volume any more, before what was noted of the change is struck out:
/// who drags a slider is not to wait for that.
const REST: Duration = Duration::from_millis(200);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Turning {
    /// The newest that the device is to have, while it is not being noted.
    wanted: Option<Volume>,
    /// The one that is being noted.
    noting: Option<(Volume, Note)>,
    /// When the last change of the device's volume is over.
    rests: Option<Instant>,
}

impl Turning {
    /// The listener has set this on our bus.
    pub(super) fn wants(&mut self, volume: Volume) {
        self.wanted = Some(volume);
    }

    /// The device is told nothing of what waits: it has gone, or its own knob was turned.
    pub(super) fn drops_all(&mut self) {
        *self = Turning { rests: self.rests, ..Turning::default() };
    }

    /// Whether there is nothing to tell.
    pub(super) fn is_idle(&self) -> bool {
        self.wanted.is_none() && self.noting.is_none()
    }

    /// What to tell the device of that name now, if there is anything that may be. Asked until it
    /// gives nothing.
    pub(super) fn next(
        &mut self,
        sink: &str,
        carry: &mut Carry,
        notes: &mut Notes,
        now: Instant,
    ) -> Option<Volume> {
        loop {
            if let Some((volume, note)) = &self.noting {
                if notes.note(note.clone(), now) == Noted::NotYet {
                    return None;
                }
                let volume = *volume;
                self.noting = None;
                if self.may_be_told(&volume, carry) {
                    carry.device_is_told(volume, now);
                    // A device that has it already says nothing.
                    self.rests = carry.is_device_settled().then_some(now + REST);
                    return Some(volume);
                }
            }
            let wanted = self.wanted.take()?;
            let change = change(carry, &wanted);
            self.noting = Some((wanted, Note::Volume(sink.to_owned(), change)));
        }
    }

    /// What has been noted is a step on the way if it is nowhere louder than what the listener wants
    /// by now, or than the device is: else the stage, which takes off what the device does too
    /// much, would come after it.
    fn may_be_told(&self, noted: &Volume, carry: &Carry) -> bool {
        let newest = self.wanted.unwrap_or(*noted).gains();
        let device = carry.device_latest().unwrap_or(*noted).gains();
        let noted = noted.gains().into_iter().take(carry.channels());
        noted.zip(newest.into_iter().zip(device)).all(|(noted, (a, b))| noted <= a.max(b))
    }

    /// The device has said what its volume is.
    pub(super) fn device_has_said(&mut self, now: Instant) {
        self.rests = Some(now + REST);
    }

    /// Whether the change is over that was noted: nothing is left that a crash could cut off, and
    /// whoever turns the device back after one means it.
    pub(super) fn is_over(&mut self, carry: &Carry, now: Instant) -> bool {
        if self.rests.is_none_or(|at| at > now) {
            return false;
        }
        // What the device has said may be older than what it was told since: its next word counts.
        self.rests = None;
        self.is_idle() && carry.is_linked() && carry.is_device_settled()
    }

    /// When to ask [`Turning::is_over`] again.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.rests
    }

    /// What the device is still to be told by one who leaves, and no longer waits for a note.
    pub(super) fn last_word(&mut self) -> Option<Volume> {
        let noting = self.noting.take().map(|(volume, _)| volume);
        self.wanted.take().or(noting)
    }
}

/// The change that is noted before the device is told so.
fn change(carry: &Carry, wanted: &Volume) -> ChangedVolume {
    let channels = carry.channels();
    let before = carry.device().copied().unwrap_or(*wanted);
    let told = carry.device_latest().filter(|told| !same(told, &before, channels));
    ChangedVolume {
        before: noted(&before, channels),
        told: told.map(|told| noted(&told, channels)),
        wanted: noted(wanted, channels),
    }
}

/// What a device is to be told that has this volume `now`, after a crash has cut that change off.
/// Downwards alone: whatever has happened since, nothing gets louder by itself.
pub(super) fn cut_off(change: &ChangedVolume, now: &Volume, channels: usize) -> Option<Volume> {
    let is_now = |noted: &NotedVolume| same(&volume_of(noted), now, channels);
    let wanted = volume_of(&change.wanted);
    let was_left_there = is_now(&change.before) || change.told.as_ref().is_some_and(is_now);
    let is_cut_off = was_left_there && !same(&wanted, now, channels);
    (is_cut_off && is_quieter(&wanted, now, channels)).then_some(wanted)
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
mod tests;
