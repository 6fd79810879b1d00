//! hr-graph's book of the journal: what has been asked for, and what may be done because it is on
//! disk.
//!
//! Asked again and again, like everything in hr-graph's loop: "may this be done?" The first time
//! the note is sent to hr-store and the answer is no; hr-store's word wakes the loop, and then it
//! is yes. Storage that is slow or hangs delays the change and nothing else; where it has answered
//! nothing for [`PATIENCE`] that is said. Pure but for the slot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{ChangedVolume, Journal, JournalSlot, Note, NoteKey};

/// How long a change waits for its note, and storage answers nothing, before that is said: by then
/// the listener notices that nothing happens.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether a change may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Noted {
    /// Its note is on disk.
    Yes,
    /// Its note cannot be had: storage fails, or is full.
    Cannot,
    /// Ask again when hr-graph is woken.
    NotYet,
}

/// See the module.
#[derive(Debug)]
pub struct Notes {
    journal: Journal,
    slot: Arc<JournalSlot>,
    /// The number of the newest journal that was sent.
    asked: u64,
    /// The entries of this run. What stands there without one was found at the start.
    entries: BTreeMap<NoteKey, Entry>,
    /// What is struck out once it is known that it was put back, while that is not known.
    held: Option<BTreeSet<NoteKey>>,
    is_full: bool,
}

/// What is known of an entry of the journal.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The first journal in which something stands under its key.
    first: u64,
    /// The first in which it stands as it is.
    number: u64,
    /// Since when it is waited for.
    since: Instant,
    /// What it is about has gone, and may come back as it was before.
    is_left_behind: bool,
}

impl Notes {
    /// With what the last run has left.
    #[must_use]
    pub fn new(found: Journal, slot: Arc<JournalSlot>) -> Notes {
        Notes {
            journal: found,
            slot,
            asked: 0,
            entries: BTreeMap::new(),
            held: None,
            is_full: false,
        }
    }

    /// What is written, or will be.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Whether the change may be made that this note is about. Costs nothing where it stands there
    /// already.
    pub fn note(&mut self, note: Note, now: Instant) -> Noted {
        let key = note.key();
        // It is about to be changed once more.
        if let Some(held) = &mut self.held {
            held.remove(&key);
        }
        if !self.journal.says(&note) {
            if !self.journal.has_room_for(&note) {
                if !std::mem::replace(&mut self.is_full, true) {
                    log::warn!("the journal is full: a crash may leave more behind than it says");
                }
                return Noted::Cannot;
            }
            let stood_there = self.journal.has(&key);
            self.journal.put(note);
            self.send();
            // One that changes while it is waited for does not begin to wait anew.
            let since = self.waits_since(&key).unwrap_or(now);
            let first = match self.entries.get(&key) {
                Some(entry) => entry.first,
                None if stood_there => 0,
                None => self.asked,
            };
            let entry = Entry { first, number: self.asked, since, is_left_behind: false };
            self.entries.insert(key.clone(), entry);
        }
        match self.waits_since(&key) {
            None if self.is_on_disk(&key) => Noted::Yes,
            None => Noted::Cannot,
            Some(_) => Noted::NotYet,
        }
    }

    /// Whether there stands on disk what the default was before ours, be it not the newest.
    #[must_use]
    pub fn has_former_default(&self) -> bool {
        let is_written = |entry: &Entry| entry.first <= self.slot.written();
        let entry = self.entries.get(&NoteKey::FormerDefault);
        // What was found at the start is there.
        self.journal.former_default.is_some()
            && entry.is_none_or(|entry| !self.slot.is_absent() && is_written(entry))
    }

    /// The change of this device's volume that the last run has left in the journal, or this one
    /// when the device [went](Notes::leave_volumes_behind).
    #[must_use]
    pub fn left_behind(&self, sink: &str) -> Option<ChangedVolume> {
        let change = self.journal.volumes.get(sink)?;
        let entry = self.entries.get(&NoteKey::Volume(sink.to_owned()));
        entry.is_none_or(|entry| entry.is_left_behind).then(|| change.clone())
    }

    /// The device that is heard has gone, or another one is heard. Whether it has done what it was
    /// told shows when it is back.
    pub fn leave_volumes_behind(&mut self) {
        for (key, entry) in &mut self.entries {
            entry.is_left_behind |= matches!(key, NoteKey::Volume(_));
        }
    }

    /// What this entry is about has been put back: it is struck out, and nobody waits for that.
    pub fn strike(&mut self, key: &NoteKey) {
        if let Some(held) = &mut self.held {
            held.insert(key.clone());
            return;
        }
        self.entries.remove(key);
        if self.journal.strike(key) {
            self.send();
        }
    }

    /// The volumes are as the listener has set them.
    pub fn strike_volumes(&mut self) {
        let sinks: Vec<String> = self.journal.volumes.keys().cloned().collect();
        for sink in sinks {
            self.strike(&NoteKey::Volume(sink));
        }
    }

    /// From now on nothing is struck out: what was said to put it back, nobody has answered yet.
    pub fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// It has been answered, and what was held is struck out. What is never answered stays, for
    /// whoever comes next.
    pub fn release(&mut self) {
        let held = self.held.take().unwrap_or_default();
        let mut is_other = false;
        for key in &held {
            self.entries.remove(key);
            is_other |= self.journal.strike(key);
        }
        if is_other {
            self.send();
        }
    }

    /// From when on a change has waited for its note for too long.
    #[must_use]
    pub fn is_late_from(&self) -> Option<Instant> {
        let waiting = self.entries.keys().filter_map(|key| self.waits_since(key));
        // Storage that is slow, and has much to write, answers all the same.
        let answered = self.slot.answered_at();
        let since = |since: Instant| answered.map_or(since, |answered| answered.max(since));
        waiting.min().map(|first| since(first) + PATIENCE)
    }

    /// Whether storage owes an answer for too long.
    #[must_use]
    pub fn is_late(&self, now: Instant) -> bool {
        self.is_late_from().is_some_and(|from| from <= now)
    }

    /// Since when an entry is waited for, if it is.
    fn waits_since(&self, key: &NoteKey) -> Option<Instant> {
        let Entry { number, since, .. } = *self.entries.get(key)?;
        let waits = !self.slot.is_absent() && number > self.slot.answered();
        waits.then_some(since)
    }

    /// Whether an entry that is not waited for has been written, and has not merely been tried to.
    fn is_on_disk(&self, key: &NoteKey) -> bool {
        let entry = self.entries.get(key);
        // What was found at the start is there.
        entry.is_none_or(|entry| !self.slot.is_absent() && entry.number <= self.slot.written())
    }

    fn send(&mut self) {
        if !self.slot.is_absent() {
            self.asked += 1;
            self.slot.put(self.asked, self.journal.clone());
        }
    }
}

#[cfg(test)]
mod tests;
