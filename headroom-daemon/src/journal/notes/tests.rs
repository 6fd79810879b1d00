//! When a change may be made, and when storage is late.

use super::*;
use crate::journal::{FormerDefault, FormerTarget, NotedVolume};

fn stream(name: &str) -> Note {
    Note::Stream(name.to_owned(), FormerTarget::default())
}

fn setup() -> (Notes, Arc<JournalSlot>, Instant) {
    let slot = Arc::new(JournalSlot::default());
    (Notes::new(Journal::default(), slot.clone()), slot, Instant::now())
}

/// hr-store takes what is there, and has written it.
fn write(slot: &JournalSlot) -> Journal {
    write_at(slot, Instant::now())
}

fn write_at(slot: &JournalSlot, now: Instant) -> Journal {
    let (number, journal) = slot.take().expect("something to write");
    slot.answer(number, true, now);
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
    slot.answer(first.0, true, now);
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
fn storage_that_is_slow_and_answers_is_not_late() {
    let (mut notes, slot, now) = setup();
    // Each write takes most of the time that a change waits for before that is said.
    let write = PATIENCE * 3 / 4;
    let at = |writes: u32| now + write * writes;
    assert_eq!(notes.note(stream("a"), now), Noted::NotYet);
    let (first, _) = slot.take().expect("something to write");
    assert_eq!(notes.note(stream("b"), now), Noted::NotYet);
    slot.answer(first, true, at(1));
    assert!(!notes.is_late(now + PATIENCE), "it has answered since");
    assert_eq!(notes.is_late_from(), Some(at(1) + PATIENCE));
    write_at(&slot, at(2));
    assert_eq!(notes.note(stream("b"), at(2)), Noted::Yes);
    assert_eq!(notes.is_late_from(), None);
    // What begins to wait later does not count from the last answer.
    assert_eq!(notes.note(stream("c"), at(9)), Noted::NotYet);
    assert_eq!(notes.is_late_from(), Some(at(9) + PATIENCE));
}

#[test]
fn a_volume_is_left_behind_by_the_last_run_or_when_its_device_goes() {
    let (mut notes, slot, now) = setup();
    let note = || Note::Volume("speakers".to_owned(), ChangedVolume::default());
    let _ = notes.note(note(), now);
    assert_eq!(notes.left_behind("speakers"), None, "this run is about to end it");
    notes.leave_volumes_behind();
    assert!(notes.left_behind("speakers").is_some());
    assert_eq!(notes.note(note(), now), Noted::NotYet, "it is not on disk for that");
    write(&slot);
    let wanted = NotedVolume { muted: true, ..NotedVolume::default() };
    let change = ChangedVolume { wanted, ..ChangedVolume::default() };
    let _ = notes.note(Note::Volume("speakers".to_owned(), change), now);
    assert_eq!(notes.left_behind("speakers"), None, "it is back, and turned again");
    let mut journal = Journal::default();
    journal.put(note());
    assert!(Notes::new(journal, slot).left_behind("speakers").is_some(), "the last run");
}

#[test]
fn the_former_default_is_there_once_it_is_on_disk() {
    let (mut notes, slot, now) = setup();
    assert!(!notes.has_former_default());
    let note = || Note::FormerDefault(FormerDefault::default());
    let _ = notes.note(note(), now);
    assert!(!notes.has_former_default(), "it is only asked for");
    let (number, _) = slot.take().expect("something to write");
    slot.answer(number, false, now);
    assert!(!notes.has_former_default(), "it cannot be written");
    slot.answer(number, true, now);
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
    slot.answer(number, false, now);
    assert_eq!(notes.note(stream("a"), now), Noted::Cannot);
    slot.answer(number, true, now);
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
