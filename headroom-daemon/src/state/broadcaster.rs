//! Who gets which events, and what is owed to those who do not read.
//!
//! It only ever tries to send. What does not fit is dropped and counted by subscriber and
//! topic, and the count is said as a `daemon` `overflow` event as soon as there is room: before
//! the next event that fits, or when the queue has been emptied, whatever the subscriber has
//! subscribed to. What was delivered and what was reported lost are together what was
//! published to it, always.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use headroom_ipc::{Event, Overflow, ServerFrame, TOPICS, Topic};

use crate::outbox::{Doorbell, METERS_IN_QUEUE, STATE_IN_QUEUE};

/// The place of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatId(usize);

/// A connection, as far as events are concerned.
#[derive(Debug)]
struct Seat {
    queue: Sender<ServerFrame>,
    bell: Arc<Doorbell>,
    /// A bit for each topic, by [`Topic::index`].
    topics: u8,
    /// Lost and not reported yet.
    lost: [u64; TOPICS],
    /// Lost since it subscribed.
    total_lost: [u64; TOPICS],
    owes: bool,
    /// How often `meters` are to tick at most.
    max_hz: f32,
    /// The least time between two ticks of the meters.
    between_ticks: Duration,
    next_tick: Option<Instant>,
}

/// Every connection. See the module.
#[derive(Debug, Default)]
pub(super) struct Broadcaster {
    /// Places that nobody has are `None`, and are given out again.
    seats: Vec<Option<Seat>>,
    subscribers: [usize; TOPICS],
    /// The most often that anybody wants meters; 0 for nobody.
    wanted_hz: f32,
}

const ALL_TOPICS: u8 = (1 << TOPICS) - 1;

fn bit(topic: Topic) -> u8 {
    topic.index().map_or(0, |index| 1 << index)
}

fn places_for(topic: Topic) -> usize {
    if topic.is_state() { STATE_IN_QUEUE } else { METERS_IN_QUEUE }
}

impl Broadcaster {
    pub(super) fn join(&mut self, queue: Sender<ServerFrame>, bell: Arc<Doorbell>) -> SeatId {
        let seat = Seat {
            queue,
            bell,
            topics: 0,
            lost: [0; TOPICS],
            total_lost: [0; TOPICS],
            owes: false,
            max_hz: f32::INFINITY,
            between_ticks: Duration::ZERO,
            next_tick: None,
        };
        match self.seats.iter().position(Option::is_none) {
            Some(free) => {
                self.seats[free] = Some(seat);
                SeatId(free)
            }
            None => {
                self.seats.push(Some(seat));
                SeatId(self.seats.len() - 1)
            }
        }
    }

    pub(super) fn leave(&mut self, id: SeatId) {
        if let Some(seat) = self.seats.get_mut(id.0).and_then(Option::take) {
            self.count(seat.topics, |count| count - 1);
        }
    }

    /// How many are subscribed to a topic.
    pub(super) fn subscribers(&self, topic: Topic) -> usize {
        topic.index().map_or(0, |index| self.subscribers[index])
    }

    /// The most often that anybody wants meters; 0 while nobody does.
    pub(super) fn wanted_hz(&self) -> f32 {
        self.wanted_hz
    }

    /// From now on this one gets the events of these topics, and `meters` at most so often.
    pub(super) fn subscribe(&mut self, id: SeatId, topics: &[Topic], max_hz: Option<f32>) {
        let Some(Some(seat)) = self.seats.get_mut(id.0) else { return };
        let wanted = topics.iter().fold(0, |bits, topic| bits | bit(*topic));
        let new = wanted & !seat.topics;
        for index in indices(new) {
            seat.total_lost[index] = 0;
        }
        seat.topics |= wanted;
        if wanted & bit(Topic::Meters) != 0 {
            seat.max_hz = max_hz.unwrap_or(f32::INFINITY);
            seat.between_ticks = Duration::from_secs_f32(1.0 / seat.max_hz);
            seat.next_tick = None;
        }
        self.count(new, |count| count + 1);
    }

    /// From now on this one gets no events of these topics. Gives the topics that are left, or
    /// nothing if there is no room to say first what was lost of them.
    pub(super) fn unsubscribe(
        &mut self,
        id: SeatId,
        topics: &[Topic],
        daemon_seq: u64,
    ) -> Option<Vec<Topic>> {
        let Some(Some(seat)) = self.seats.get_mut(id.0) else { return Some(Vec::new()) };
        let unwanted = topics.iter().fold(0, |bits, topic| bits | bit(*topic));
        if !seat.report_losses(unwanted, daemon_seq) {
            return None;
        }
        let gone = seat.topics & unwanted;
        seat.topics &= !unwanted;
        let left = seat.topics;
        self.count(gone, |count| count - 1);
        Some(Topic::ALL.iter().copied().filter(|topic| left & bit(*topic) != 0).collect())
    }

    /// Sends an event to all who want it, and adds their bells, except that of the connection
    /// whose request it came from: its own reader is about to write.
    pub(super) fn publish(
        &mut self,
        event: &Event,
        from: Option<SeatId>,
        daemon_seq: u64,
        now: Instant,
        bells: &mut Vec<Arc<Doorbell>>,
    ) {
        let topic = event.topic;
        if self.subscribers(topic) == 0 {
            return;
        }
        bells.reserve(self.subscribers(topic));
        let frame = ServerFrame::event(event)
            .inspect_err(|why| log::error!("an event of {topic} was lost to all: {why}"))
            .ok();
        let (wanted, places) = (bit(topic), places_for(topic));
        for (place, seat) in self.seats.iter_mut().enumerate() {
            let Some(seat) = seat.as_mut().filter(|seat| seat.topics & wanted != 0) else {
                continue;
            };
            if topic == Topic::Meters && !seat.is_due(now) {
                continue;
            }
            if seat.owes {
                seat.report_losses(ALL_TOPICS, daemon_seq);
            }
            if !frame.as_ref().is_some_and(|frame| seat.try_send(frame, places)) {
                seat.lose(topic);
            }
            if from != Some(SeatId(place)) {
                bells.push(seat.bell.clone());
            }
        }
    }

    /// Queues the reply to a request, for which its reader has left a place free.
    pub(super) fn answer(&mut self, id: SeatId, frame: ServerFrame) {
        if let Some(Some(seat)) = self.seats.get_mut(id.0)
            && seat.queue.try_send(frame).is_err()
        {
            // The rules of the queue make this impossible while the connection lives.
            log::error!("a reply found no place");
        }
    }

    /// Says what one has lost, as far as there is room. Gives whether anything has been queued.
    pub(super) fn report_losses(&mut self, id: SeatId, daemon_seq: u64) -> bool {
        let Some(Some(seat)) = self.seats.get_mut(id.0) else { return false };
        let waiting = seat.queue.len();
        seat.report_losses(ALL_TOPICS, daemon_seq);
        seat.queue.len() > waiting
    }

    fn count(&mut self, topics: u8, change: impl Fn(usize) -> usize) {
        for index in indices(topics) {
            self.subscribers[index] = change(self.subscribers[index]);
        }
        let seats = self.seats.iter().flatten();
        let wants = seats.filter(|seat| seat.topics & bit(Topic::Meters) != 0);
        self.wanted_hz = wants.fold(0.0, |most, seat| most.max(seat.max_hz));
    }
}

fn indices(topics: u8) -> impl Iterator<Item = usize> {
    (0..TOPICS).filter(move |index| topics & (1 << index) != 0)
}

impl Seat {
    fn try_send(&self, frame: &ServerFrame, places: usize) -> bool {
        // Frames are queued under the lock of the state alone, so the queue can only have
        // become shorter since this look at it.
        self.queue.len() < places && self.queue.try_send(frame.clone()).is_ok()
    }

    fn lose(&mut self, topic: Topic) {
        if let Some(index) = topic.index() {
            self.lost[index] += 1;
            self.total_lost[index] += 1;
            self.set_owes(true);
        }
    }

    /// Says what was lost of these topics. Gives whether all of it has been said.
    fn report_losses(&mut self, topics: u8, daemon_seq: u64) -> bool {
        if !self.owes {
            return true;
        }
        let mut all = true;
        for index in indices(topics) {
            if self.lost[index] == 0 {
                continue;
            }
            let (topic, lost) = (Topic::ALL[index], self.lost[index]);
            let overflow = Overflow { topic, lost, total_lost: self.total_lost[index] };
            let notice = ServerFrame::event(&Event::overflow(daemon_seq, overflow));
            if notice.is_ok_and(|notice| self.try_send(&notice, STATE_IN_QUEUE)) {
                self.lost[index] = 0;
            } else {
                all = false;
            }
        }
        self.set_owes(self.lost.iter().any(|lost| *lost > 0));
        all
    }

    fn set_owes(&mut self, owes: bool) {
        if owes != self.owes {
            self.owes = owes;
            self.bell.set_owes(owes);
        }
    }

    /// Whether the next tick is for this one.
    fn is_due(&mut self, now: Instant) -> bool {
        if self.between_ticks.is_zero() {
            return true;
        }
        match self.next_tick {
            // Ticks do not come on the dot: one that is a little early counts.
            Some(next) if now + self.between_ticks / 8 < next => false,
            Some(next) if now < next + self.between_ticks => {
                self.next_tick = Some(next + self.between_ticks);
                true
            }
            _ => {
                self.next_tick = Some(now + self.between_ticks);
                true
            }
        }
    }
}
