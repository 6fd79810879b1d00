//! A volume that is dragged on storage that takes its time, and what a crash leaves of it.

use std::collections::VecDeque;
use std::sync::Arc;

use headroom_dsp::MAX_CHANNELS;

use super::*;
use crate::graph::carry::Write;
use crate::journal::{Journal, JournalSlot, NoteKey};

const SINK: &str = "speakers";
const MS: Duration = Duration::from_millis(1);

fn at(cubic: f32) -> Volume {
    Volume { channels: [cubic.powi(3); MAX_CHANNELS], muted: false }
}

/// How long it takes until the device says that it has done what it was told.
#[derive(Clone, Copy, PartialEq)]
enum Echo {
    After(Duration),
    /// Who is to do it hangs.
    Never,
}

/// A bus, a device and storage on a clock of their own.
struct Scene {
    carry: Carry,
    turning: Turning,
    notes: Notes,
    slot: Arc<JournalSlot>,
    now: Instant,
    /// How long storage takes for a journal, and the one that it is about.
    write: Duration,
    writing: Option<(u64, Journal, Instant)>,
    disk: Journal,
    echo: Echo,
    echoes: VecDeque<(Volume, Instant)>,
    /// What the listener has set, and what the device was told.
    set: Vec<(Instant, Volume)>,
    told: Vec<Volume>,
}

impl Scene {
    /// Both are at this volume.
    fn at(cubic: f32, write: Duration, echo: Echo) -> Scene {
        let now = Instant::now();
        let mut carry = Carry::new(2);
        let _ = carry.device_reports(at(cubic), now);
        let _ = carry.bus_reports(at(cubic), now);
        assert_eq!(carry.link(now), None);
        let slot = Arc::new(JournalSlot::default());
        Scene {
            carry,
            turning: Turning::default(),
            notes: Notes::new(Journal::default(), slot.clone()),
            slot,
            now,
            write,
            writing: None,
            disk: Journal::default(),
            echo,
            echoes: VecDeque::new(),
            set: vec![(now, at(cubic))],
            told: Vec::new(),
        }
    }

    /// The listener sets the bus to this.
    fn set(&mut self, cubic: f32) {
        self.set.push((self.now, at(cubic)));
        if let Some(Write::Device(volume)) = self.carry.bus_reports(at(cubic), self.now) {
            self.turning.wants(volume);
        }
        self.turn();
    }

    /// A turn of hr-graph's loop.
    fn turn(&mut self) {
        while let Some(told) = self.turning.next(SINK, &mut self.carry, &mut self.notes, self.now) {
            let noted = self.disk.volumes.get(SINK).map(|change| volume_of(&change.wanted));
            assert!(noted.is_some_and(|noted| same(&noted, &told, 2)), "told, and not noted");
            self.told.push(told);
            if let Echo::After(after) = self.echo {
                self.echoes.push_back((told, self.now + after));
            }
        }
        if self.turning.is_over(&self.carry, self.now) {
            self.notes.strike(&NoteKey::Volume(SINK.to_owned()));
        }
    }

    /// The device says that this is its volume.
    fn device_says(&mut self, volume: Volume) {
        if let Some(Write::Bus(_)) = self.carry.device_reports(volume, self.now) {
            self.turning.drops_all();
        }
        self.turning.device_has_said(self.now);
        self.turn();
    }

    /// A millisecond goes by.
    fn pass(&mut self) {
        self.now += MS;
        if let Some((number, journal, _)) = self.writing.take_if(|(.., end)| *end <= self.now) {
            self.disk = journal;
            self.slot.answer(number, true, self.now);
        }
        if self.writing.is_none()
            && let Some((number, journal)) = self.slot.take()
        {
            self.writing = Some((number, *journal, self.now + self.write));
        }
        while let Some((volume, _)) = self.echoes.pop_front_if(|(_, due)| *due <= self.now) {
            self.device_says(volume);
        }
        self.turn();
    }

    fn pass_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.pass();
        }
    }

    /// The volume that the device has told last.
    fn has_been_told(&self) -> Volume {
        self.told.last().copied().unwrap_or(self.set[0].1)
    }

    /// The factors that the listener has set within `time`, and the one that held before.
    fn set_within(&self, time: Duration) -> impl Iterator<Item = f32> {
        let held = self.set.iter().rposition(|(when, _)| *when + time <= self.now).unwrap_or(0);
        self.set[held..].iter().map(|(_, volume)| volume.channels[0])
    }

    /// What may be heard once this was killed and has been started again: wherever the journal and
    /// the device can have been.
    fn after_a_kill(&self) -> Vec<f32> {
        let heard = *self.carry.device().expect("it has said so");
        let journals = [Some(&self.disk), self.writing.as_ref().map(|(_, journal, _)| journal)];
        let mut after = Vec::new();
        for journal in journals.into_iter().flatten() {
            // What it was told is done, or was lost.
            for device in [heard, self.carry.device_latest().expect("it has one")] {
                let change = journal.volumes.get(SINK);
                let told = change.and_then(|change| cut_off(change, &device, 2));
                after.push(told.unwrap_or(device).channels[0]);
            }
        }
        after
    }
}

/// A slider that is dragged: sixty steps a second from one place to the next.
fn drag(places: &[f32]) -> impl Iterator<Item = f32> {
    let step = |from: f32, to: f32| move |n: u8| from + (to - from) * f32::from(n) / 30.0;
    places
        .windows(2)
        .flat_map(move |way| (1..=30).map(step(way[0], way[1])))
        .collect::<Vec<_>>()
        .into_iter()
}

const STEP: Duration = Duration::from_millis(16);
const WRITE: Duration = Duration::from_millis(30);
const SOON: Echo = Echo::After(Duration::from_millis(5));

#[test]
fn a_volume_that_is_dragged_on_slow_storage_is_followed_within_two_writes() {
    // Also slower than what a change waits for before that is said.
    for write in [WRITE, 4 * WRITE, 10 * WRITE] {
        for places in [[0.2, 0.5, 0.9], [0.9, 0.5, 0.2], [0.2, 0.9, 0.3], [0.9, 0.2, 0.8]] {
            let turns_back = (places[0] < places[1]) != (places[1] < places[2]);
            let mut scene = Scene::at(places[0], write, SOON);
            for cubic in drag(&places) {
                scene.set(cubic);
                let next = scene.now + STEP;
                while scene.now < next {
                    scene.pass();
                    assert!(!scene.notes.is_late(scene.now), "storage answers all the time");
                    let is = scene.has_been_told().channels[0];
                    let mut set = scene.set_within(2 * write + 2 * MS);
                    // What was set before a slider turns back may be too loud behind that.
                    let follows = turns_back || set.any(|set| (set - is).abs() < 1e-6);
                    assert!(follows, "{places:?} {write:?}: {is}");
                }
            }
            scene.pass_for(2 * write + 2 * MS);
            assert!(same(&scene.has_been_told(), &at(places[2]), 2));
            scene.pass_for(2 * REST + 2 * write);
            assert!(scene.disk.is_empty(), "it is over: {:?}", scene.disk);
        }
    }
}

#[test]
fn a_kill_at_any_moment_of_it_leaves_nothing_louder_than_was_set_within_two_writes() {
    for places in [[0.2, 0.5, 0.9], [0.9, 0.5, 0.2], [0.2, 0.9, 0.3], [0.9, 0.2, 0.8]] {
        for (write, echo) in [(WRITE, SOON), (4 * WRITE, SOON), (MS, SOON), (WRITE, Echo::Never)] {
            let mut scene = Scene::at(places[0], write, echo);
            for cubic in drag(&places) {
                scene.set(cubic);
                let next = scene.now + STEP;
                while scene.now < next {
                    scene.pass();
                    let loudest = scene.set_within(2 * write + 8 * MS).fold(0.0, f32::max);
                    let after = scene.after_a_kill();
                    let is_louder = |after: &f32| *after > loudest + 1e-6;
                    assert!(
                        !after.iter().any(is_louder),
                        "{places:?} {write:?}: {after:?}, and at most {loudest} was set"
                    );
                }
            }
        }
    }
}

#[test]
fn what_was_told_and_not_heard_of_when_the_next_was_noted_is_ended_too() {
    let mut scene = Scene::at(0.9, WRITE, SOON);
    scene.set(0.7);
    scene.pass_for(WRITE / 2);
    scene.set(0.5);
    while scene.told.is_empty() {
        scene.pass();
    }
    scene.pass();
    // Storage hangs with the next, which may be found there all the same.
    let (_, journal, end) = scene.writing.as_mut().expect("it is being noted");
    *end += 1_000 * WRITE;
    let change = journal.volumes.get(SINK).expect("it stands there").clone();
    scene.pass_for(5 * REST);
    assert!(scene.carry.device().is_some_and(|heard| same(heard, &at(0.7), 2)));
    for left_at in [0.7, 0.9] {
        let ended = cut_off(&change, &at(left_at), 2).expect("to be ended");
        assert!(same(&ended, &at(0.5), 2), "{ended:?}");
    }
}

#[test]
fn a_step_that_is_louder_than_what_is_wanted_by_now_is_left_out() {
    let mut scene = Scene::at(0.5, WRITE, SOON);
    scene.set(0.9);
    scene.pass_for(WRITE / 2);
    scene.set(0.3);
    scene.pass_for(3 * WRITE);
    assert_eq!(scene.told, [at(0.3)]);
    // One on the way down is none.
    scene.set(0.2);
    scene.pass_for(WRITE / 2);
    scene.set(0.1);
    scene.pass_for(3 * WRITE);
    assert_eq!(scene.told, [at(0.3), at(0.2), at(0.1)]);
    scene.set(0.15);
    scene.pass_for(3 * WRITE);
    assert_eq!(scene.told.last(), Some(&at(0.15)));
}

#[test]
fn a_note_is_not_struck_out_by_what_the_device_has_said_before() {
    let mut scene = Scene::at(0.8, WRITE, SOON);
    scene.set(0.5);
    scene.pass_for(REST / 2);
    assert!(scene.echoes.is_empty() && scene.told == [at(0.5)], "it has said so");
    // From here on it hangs; what it has said comes to rest meanwhile.
    scene.echo = Echo::Never;
    scene.set(0.2);
    scene.pass_for(5 * REST);
    assert_eq!(scene.told, [at(0.5), at(0.2)]);
    let change = scene.disk.volumes.get(SINK).expect("it is not done");
    assert!(same(&cut_off(change, &at(0.5), 2).expect("to be ended"), &at(0.2), 2));
    // What it says of something else is no answer either.
    scene.device_says(at(0.5));
    scene.pass_for(5 * REST);
    assert!(!scene.disk.is_empty(), "it is still not done");
    scene.device_says(at(0.2));
    scene.pass_for(2 * REST);
    assert!(scene.disk.is_empty(), "now it is");
}

#[test]
fn who_turns_the_device_itself_ends_the_change() {
    let mut scene = Scene::at(0.8, WRITE, SOON);
    scene.set(0.5);
    scene.device_says(at(0.7));
    scene.pass_for(2 * REST);
    assert_eq!(scene.told, [], "what waited is dropped");
    assert!(scene.disk.is_empty(), "{:?}", scene.disk);
}

#[test]
fn what_is_set_back_before_it_was_told_leaves_no_note() {
    let mut scene = Scene::at(0.5, WRITE, SOON);
    scene.set(0.4);
    scene.set(0.5);
    scene.echo = Echo::Never;
    scene.pass_for(2 * WRITE + 2 * MS);
    assert_eq!(scene.told, [at(0.4), at(0.5)]);
    let mut scene = Scene::at(0.5, WRITE, Echo::Never);
    scene.set(0.6);
    scene.set(0.5);
    scene.pass_for(2 * REST);
    assert_eq!(scene.told, [at(0.5)]);
    assert!(scene.disk.is_empty(), "a device that is told what it has says nothing");
}

#[test]
fn the_last_word_is_the_newest() {
    let mut scene = Scene::at(0.5, WRITE, SOON);
    assert_eq!(scene.turning.last_word(), None);
    scene.set(0.4);
    assert_eq!(scene.turning.last_word(), Some(at(0.4)));
    scene.set(0.3);
    scene.set(0.2);
    assert_eq!(scene.turning.last_word(), Some(at(0.2)));
    assert_eq!(scene.turning.last_word(), None);
}

#[test]
fn a_volume_is_noted_and_read_again() {
    let volume = volume_of(&noted(&Volume { muted: true, ..at(0.25) }, 2));
    assert!(same(&volume, &Volume { muted: true, ..at(0.25) }, 2));
    assert!(same(&volume_of(&NotedVolume::default()), &Volume::FULL, 2));
}

#[test]
fn a_change_that_was_cut_off_is_ended_downwards_and_from_where_it_was_left_alone() {
    let note = |volume: &Volume| noted(volume, 2);
    let change = |before: f32, told: Option<f32>, wanted: f32| ChangedVolume {
        before: note(&at(before)),
        told: told.map(|told| note(&at(told))),
        wanted: note(&at(wanted)),
    };
    let ends = |change: &ChangedVolume, now: f32| cut_off(change, &at(now), 2).is_some();
    assert!(ends(&change(0.5, None, 0.2), 0.5));
    assert!(ends(&change(0.5, Some(0.4), 0.2), 0.4), "it had done what it was told");
    assert!(!ends(&change(0.5, Some(0.4), 0.2), 0.45), "somebody has turned it since");
    assert!(!ends(&change(0.5, None, 0.2), 0.2), "it is done");
    assert!(!ends(&change(0.5, None, 0.8), 0.5), "nothing gets louder by itself");
}

#[test]
fn mute_is_quieter_than_any_volume_and_one_louder_channel_is_louder() {
    let muted = Volume { muted: true, ..at(1.0) };
    assert!(is_quieter(&muted, &at(0.1), 2));
    assert!(!is_quieter(&at(0.1), &muted, 2));
    let mut one = at(0.1);
    one.channels[1] = 0.9;
    assert!(!is_quieter(&one, &at(0.5), 2));
    assert!(is_quieter(&one, &at(0.97), 2));
}
