//! hr-graph's book of the journal: what has been asked for, and what may be done because it is on
//! disk.
//!
//! Asked again and again, like everything in hr-graph's loop: "may this be done?" The first time
//! the note is sent to hr-store and the answer is no; hr-store's word wakes the loop, and then it
//! is yes. Storage that is slow or hangs delays the change and nothing else; behind [`PATIENCE`] that
//! is said. Pure but for the slot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{ChangedVolume, Journal, JournalSlot, Note, NoteKey};

/// How long a change waits for its note before that is said: by then the listener notices that
/// nothing happens.
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
            self.entries.insert(key.clone(), Entry { first, number: self.asked, since });
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

    /// The change of this device's volume that the last run has left in the journal, and this one
    /// has not touched.
    #[must_use]
    pub fn left_behind(&self, sink: &str) -> Option<ChangedVolume> {
        let change = self.journal.volumes.get(sink)?;
        let key = NoteKey::Volume(sink.to_owned());
        (!self.entries.contains_key(&key)).then(|| change.clone())
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
        waiting.min().map(|since| since + PATIENCE)
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
mod tests {
    use super::*;
    use crate::journal::{FormerDefault, FormerTarget};

    fn stream(name: &str) -> Note {
        Note::Stream(name.to_owned(), FormerTarget::default())
    }

    fn setup() -> (Notes, Arc<JournalSlot>, Instant) {
        let slot = Arc::new(JournalSlot::default());
        (Notes::new(Journal::default(), slot.clone()), slot, Instant::now())
    }

    /// hr-store takes what is there, and has written it.
    fn write(slot: &JournalSlot) -> Journal {
        let (number, journal) = slot.take().expect("something to write");
        slot.answer(number, true);
        *journal
    }

    #[test]
    fn a_change_is_made_once_its_note_is_on_disk_and_written_once() {
        let (mut notes, slot, now) = setup();
        assert_eq!(notes.note(stream("mpv"), now), Noted::NotYet);
        assert_eq!(notes.note(stream("mpv"), now), Noted::NotYet);
        assert_eq!(notes.is_late_from(), Some(now + PATIENCE));
        assert!(write(&slot).says(&stream("mpv")));
        assert_eq!(notes.note(stream("mpv"), now), Noted::Yes);
        assert_eq!(notes.is_late_from(), None);
        assert!(slot.take().is_none(), "it stands there already");
        notes.strike(&stream("mpv").key());
        assert!(write(&slot).is_empty());
        assert_eq!(notes.note(stream("mpv"), now), Noted::NotYet, "it is noted anew");
    }

    #[test]
    fn notes_that_come_while_storage_is_busy_are_written_together() {
        let (mut notes, slot, now) = setup();
        for name in ["a", "b", "c"] {
            assert_eq!(notes.note(stream(name), now), Noted::NotYet);
        }
        assert_eq!(write(&slot).streams.len(), 3);
        assert!(slot.take().is_none());
        assert_eq!(notes.note(stream("b"), now), Noted::Yes);
    }

    #[test]
    fn an_entry_waits_for_the_write_that_it_is_in_and_not_for_a_later_one() {
        let (mut notes, slot, now) = setup();
        let _ = notes.note(stream("a"), now);
        let first = slot.take().expect("the first");
        let _ = notes.note(stream("b"), now);
        slot.answer(first.0, true);
        assert_eq!(notes.note(stream("a"), now), Noted::Yes);
        assert_eq!(notes.note(stream("b"), now), Noted::NotYet);
    }

    #[test]
    fn storage_that_does_not_answer_is_waited_for_as_long_as_it_takes_and_that_is_said() {
        let (mut notes, slot, now) = setup();
        let (late, very_late) = (now + PATIENCE, now + PATIENCE * 1_000);
        assert_eq!(notes.note(stream("a"), now), Noted::NotYet);
        assert!(!notes.is_late(now) && notes.is_late(late));
        assert_eq!(notes.note(stream("a"), very_late), Noted::NotYet);
        assert_eq!(notes.note(stream("b"), very_late), Noted::NotYet);
        assert_eq!(notes.is_late_from(), Some(late));
        write(&slot);
        assert!(!notes.is_late(very_late), "it has caught up");
        for name in ["a", "b"] {
            assert_eq!(notes.note(stream(name), very_late), Noted::Yes);
        }
    }

    #[test]
    fn who_no_longer_waits_does_not_make_storage_late() {
        let (mut notes, _slot, now) = setup();
        assert_eq!(notes.note(stream("a"), now), Noted::NotYet);
        notes.strike(&stream("a").key());
        assert_eq!(notes.is_late_from(), None);
    }

    #[test]
    fn an_entry_that_changes_again_and_again_is_late_from_the_first_time_on() {
        let (mut notes, _slot, now) = setup();
        let volume = |name: &str| {
            let configured = Some(name.to_owned());
            Note::FormerDefault(FormerDefault { configured, actual: None })
        };
        for step in 0..5 {
            let at = now + PATIENCE * step / 5;
            assert_eq!(notes.note(volume(&step.to_string()), at), Noted::NotYet);
        }
        assert!(notes.is_late(now + PATIENCE));
    }

    #[test]
    fn the_former_default_is_there_once_it_is_on_disk() {
        let (mut notes, slot, now) = setup();
        assert!(!notes.has_former_default());
        let note = || Note::FormerDefault(FormerDefault::default());
        let _ = notes.note(note(), now);
        assert!(!notes.has_former_default(), "it is only asked for");
        let (number, _) = slot.take().expect("something to write");
        slot.answer(number, false);
        assert!(!notes.has_former_default(), "it cannot be written");
        slot.answer(number, true);
        assert!(notes.has_former_default());
        let actual = Some("hdmi".to_owned());
        let _ = notes.note(Note::FormerDefault(FormerDefault { configured: None, actual }), now);
        assert!(notes.has_former_default(), "the one before it is");
        let found = Journal::of_former_default(None, None);
        assert!(Notes::new(found, slot).has_former_default(), "the last run left it");
        let mut absent = Notes::new(Journal::default(), Arc::new(JournalSlot::without_storage()));
        let _ = absent.note(note(), now);
        assert!(!absent.has_former_default());
    }

    #[test]
    fn what_is_held_is_struck_out_when_it_is_answered_and_not_if_it_is_noted_anew_before() {
        let (mut notes, slot, now) = setup();
        for name in ["a", "b"] {
            assert_eq!(notes.note(stream(name), now), Noted::NotYet);
        }
        write(&slot);
        notes.hold();
        for name in ["a", "b"] {
            notes.strike(&stream(name).key());
        }
        notes.strike_volumes();
        assert!(slot.take().is_none(), "nobody has answered");
        assert!(notes.journal().says(&stream("a")) && notes.journal().says(&stream("b")));
        assert_eq!(notes.note(stream("b"), now), Noted::Yes);
        notes.release();
        let left = write(&slot);
        assert!(!left.says(&stream("a")) && left.says(&stream("b")), "{left:?}");
        notes.strike(&stream("b").key());
        assert!(write(&slot).is_empty(), "no longer held");
    }

    #[test]
    fn what_could_not_be_written_is_said_to_be_so_until_it_could() {
        let (mut notes, slot, now) = setup();
        assert_eq!(notes.note(stream("a"), now), Noted::NotYet);
        let (number, _) = slot.take().expect("something to write");
        slot.answer(number, false);
        assert_eq!(notes.note(stream("a"), now), Noted::Cannot);
        slot.answer(number, true);
        assert_eq!(notes.note(stream("a"), now), Noted::Yes, "it was tried again");
    }

    #[test]
    fn without_a_place_for_it_nobody_waits() {
        let slot = Arc::new(JournalSlot::without_storage());
        let mut notes = Notes::new(Journal::default(), slot.clone());
        assert_eq!(notes.note(stream("a"), Instant::now()), Noted::Cannot);
        assert!(notes.is_late_from().is_none() && slot.take().is_none());
        assert!(notes.journal().says(&stream("a")), "this run knows it all the same");
    }

    #[test]
    fn what_the_last_run_left_is_on_disk() {
        let slot = Arc::new(JournalSlot::default());
        let mut journal = Journal::default();
        journal.put(stream("a"));
        let mut notes = Notes::new(journal, slot.clone());
        assert_eq!(notes.note(stream("a"), Instant::now()), Noted::Yes);
        assert!(slot.take().is_none());
        notes.strike(&stream("a").key());
        assert!(write(&slot).is_empty());
    }
}
