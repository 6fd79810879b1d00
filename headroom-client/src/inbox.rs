//! Events that have arrived and were not taken yet: a bounded queue that counts what it drops.
//!
//! A program that asks while events pour in must not grow without bound. What finds no room here
//! is reported just as the daemon reports what found no room there, by an `overflow` event in its
//! place, so that delivered and reported lost stay together what was published.

use std::collections::VecDeque;

use headroom_ipc::{Event, Overflow, TOPICS, Topic};

/// So many events wait at most for the program to take them.
pub const MAX_WAITING_EVENTS: usize = 1024;

/// So many bytes of events, as they came, wait at most.
pub const MAX_WAITING_BYTES: usize = 4 << 20;

/// The queue, and what was dropped.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    events: VecDeque<(Event, usize)>,
    bytes: usize,
    losses: [Loss; TOPICS],
    daemon_seq: u64,
}

/// What was dropped of one topic.
#[derive(Debug, Clone, Copy, Default)]
struct Loss {
    /// Not told yet: dropped here, or told by the daemon while there was no room.
    untold: u64,
    /// Dropped here, all in all.
    here: u64,
    /// Dropped by the daemon, all in all, as it said last.
    there: u64,
}

impl Inbox {
    /// Takes an event whose body has so many bytes.
    pub(crate) fn push(&mut self, event: Event, body_bytes: usize) {
        if event.topic == Topic::Daemon {
            self.daemon_seq = self.daemon_seq.max(event.seq);
        }
        if let Some(overflow) = event.as_overflow() {
            // Merged with what was dropped here, and told in this place.
            let Some(loss) = overflow.topic.index().map(|place| &mut self.losses[place]) else {
                return;
            };
            loss.untold = loss.untold.saturating_add(overflow.lost);
            loss.there = overflow.total_lost;
            self.tell_losses();
            return;
        }
        self.tell_losses();
        if self.has_room(body_bytes) {
            self.enqueue(event, body_bytes);
        } else if let Some(place) = event.topic.index() {
            let loss = &mut self.losses[place];
            loss.untold = loss.untold.saturating_add(1);
            loss.here = loss.here.saturating_add(1);
        }
    }

    /// The next event.
    pub(crate) fn pop(&mut self) -> Option<Event> {
        if self.events.is_empty() {
            self.tell_losses();
        }
        let (event, bytes) = self.events.pop_front()?;
        self.bytes -= bytes;
        Some(event)
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.events.len() < MAX_WAITING_EVENTS
            && (self.bytes.saturating_add(bytes) <= MAX_WAITING_BYTES || self.events.is_empty())
    }

    fn enqueue(&mut self, event: Event, bytes: usize) {
        self.bytes += bytes;
        self.events.push_back((event, bytes));
    }

    /// Puts a notice behind what waits for every topic that has lost something, as far as there
    /// is room.
    fn tell_losses(&mut self) {
        for (place, topic) in Topic::ALL.iter().enumerate() {
            let loss = self.losses[place];
            if loss.untold == 0 || !self.has_room(0) {
                continue;
            }
            self.losses[place].untold = 0;
            let total_lost = loss.here.saturating_add(loss.there);
            let overflow = Overflow { topic: *topic, lost: loss.untold, total_lost };
            self.enqueue(Event::overflow(self.daemon_seq, overflow), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_ipc::{Bypass, Meters, MetersChange, SettingChange};

    fn tick(seq: u64) -> Event {
        let change = MetersChange::Tick(Meters::default()).into();
        Event { topic: Topic::Meters, seq, change }
    }

    fn bypass(seq: u64) -> Event {
        let change = SettingChange::BypassChanged(Bypass { bypass: true }).into();
        Event { topic: Topic::Setting, seq, change }
    }

    fn overflow(lost: u64, total_lost: u64) -> Event {
        Event::overflow(3, Overflow { topic: Topic::Meters, lost, total_lost })
    }

    #[test]
    fn delivered_and_told_lost_are_what_came_whatever_is_taken_when() {
        for seed in 0..200 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut inbox = Inbox::default();
            let (mut published, mut there) = ([0_u64; TOPICS], 0);
            let (mut delivered, mut told, mut totals) = ([0_u64; TOPICS], [0; TOPICS], [0; TOPICS]);
            let mut count = |event: Event| match event.as_overflow() {
                Some(overflow) => {
                    let place = overflow.topic.index().unwrap();
                    told[place] += overflow.lost;
                    assert_eq!(overflow.total_lost, told[place], "seed {seed}");
                    totals[place] = overflow.total_lost;
                }
                None => delivered[event.topic.index().unwrap()] += 1,
            };
            for n in 0..rng.u64(0..6000) {
                match rng.u8(0..20) {
                    0 => {
                        let lost = rng.u64(1..50);
                        there += lost;
                        published[Topic::Meters.index().unwrap()] += lost;
                        inbox.push(overflow(lost, there), 50);
                    }
                    1..=5 => {
                        published[Topic::Setting.index().unwrap()] += 1;
                        inbox.push(bypass(n), 50);
                    }
                    6..=14 => {
                        published[Topic::Meters.index().unwrap()] += 1;
                        inbox.push(tick(n), rng.usize(..20_000));
                    }
                    _ => inbox.pop().into_iter().for_each(&mut count),
                }
                assert!(inbox.events.len() <= MAX_WAITING_EVENTS);
            }
            std::iter::from_fn(|| inbox.pop()).for_each(&mut count);
            for place in 0..TOPICS {
                assert_eq!(delivered[place] + told[place], published[place], "seed {seed}");
            }
        }
    }

    #[test]
    fn a_loss_is_told_behind_what_came_before_it_and_in_front_of_what_came_after() {
        let mut inbox = Inbox::default();
        for seq in 1..=MAX_WAITING_EVENTS as u64 + 5 {
            inbox.push(tick(seq), 10);
        }
        for seq in 1..=3 {
            assert_eq!(inbox.pop(), Some(tick(seq)));
        }
        inbox.push(bypass(1), 10);
        let rest: Vec<Event> = std::iter::from_fn(|| inbox.pop()).collect();
        let (last, before) = rest.split_last().unwrap();
        assert_eq!(*last, bypass(1));
        let told = Event::overflow(0, Overflow { topic: Topic::Meters, lost: 5, total_lost: 5 });
        assert_eq!(before.last(), Some(&told));
        assert_eq!(before.len(), MAX_WAITING_EVENTS - 3 + 1);
    }

    #[test]
    fn one_event_fits_however_long_it_is_and_two_do_not() {
        let mut inbox = Inbox::default();
        inbox.push(tick(1), MAX_WAITING_BYTES * 2);
        inbox.push(tick(2), 1);
        assert_eq!(inbox.pop(), Some(tick(1)));
        let told = Event::overflow(0, Overflow { topic: Topic::Meters, lost: 1, total_lost: 1 });
        assert_eq!(inbox.pop(), Some(told));
        assert_eq!(inbox.pop(), None);
    }
}
