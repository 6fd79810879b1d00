//! Carries the volume of our bus to the device sink and back: whatever turns the one turns the
//! other, and a crash leaves the level as it was.
//!
//! Whether or not the bus is the default sink. An app that asks for the bus by name plays on
//! the bare device once we are killed, and must not be louder there than the listener wanted.
//!
//! Two sides that each report what the other was told go round in circles unless every report
//! is known for what it is. A report is an echo when it says what we have written and not yet
//! heard back, and news otherwise; news goes to the other side unless that has it already.
//! Pure: reports in, writes out, no clock of its own.

use std::time::{Duration, Instant};

use headroom_dsp::MAX_CHANNELS;

use crate::audio::Volume;

/// Values that differ by less than this on the cubic scale of a volume slider are one: sinks
/// round what they are told.
const SAME_CUBIC: f32 = 0.006;
/// A write whose echo has not come by now has been swallowed.
const ECHO: Duration = Duration::from_secs(2);
/// Of how many writes an echo is awaited at most. A slider that is dragged makes 60 a second.
const MOST_IN_FLIGHT: usize = 256;

/// Whether two volumes are one but for rounding.
pub(super) fn same(a: &Volume, b: &Volume, channels: usize) -> bool {
    a.muted == b.muted
        && a.channels
            .iter()
            .zip(&b.channels)
            .take(channels)
            .all(|(a, b)| (a.max(0.0).cbrt() - b.max(0.0).cbrt()).abs() < SAME_CUBIC)
}

/// What shall be told to whom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Write {
    Bus(Volume),
    Device(Volume),
}

#[derive(Debug, Default)]
struct Side {
    volume: Option<Volume>,
    /// What it shall have and has not been told yet.
    waiting: Option<Volume>,
    in_flight: Vec<(Volume, Instant)>,
}

impl Side {
    /// Takes a report; says whether it is news.
    fn takes(&mut self, volume: Volume, channels: usize, now: Instant) -> bool {
        self.forget_what_was_swallowed(now);
        let before = self.volume.replace(volume);
        // What was written before the one that came back has been overtaken.
        let echo = self.in_flight.iter().position(|(sent, _)| same(sent, &volume, channels));
        if let Some(index) = echo {
            self.in_flight.drain(..=index);
            return false;
        }
        // Sinks report all that they have whenever a part of it changes. Who says once more what
        // was so before has not been turned.
        let is_as_before = before.is_some_and(|before| same(&before, &volume, channels));
        self.is_settled() || !is_as_before
    }

    fn has(&self, volume: &Volume, channels: usize) -> bool {
        let latest = self.waiting.or(self.latest());
        latest.is_some_and(|latest| same(&latest, volume, channels))
    }

    /// What it has once all is done that it was told.
    fn latest(&self) -> Option<Volume> {
        self.in_flight.last().map(|(sent, _)| *sent).or(self.volume)
    }

    /// Whether it has said all that it was told, and is to be told nothing.
    fn is_settled(&self) -> bool {
        self.waiting.is_none() && self.in_flight.is_empty()
    }

    fn sent(&mut self, volume: Volume, now: Instant) {
        self.forget_what_was_swallowed(now);
        if self.in_flight.len() == MOST_IN_FLIGHT {
            self.in_flight.remove(0);
        }
        self.in_flight.push((volume, now));
    }

    fn forget_what_was_swallowed(&mut self, now: Instant) {
        self.in_flight.retain(|(_, since)| now.duration_since(*since) < ECHO);
    }
}

/// The two volumes that shall be one.
#[derive(Debug)]
pub(super) struct Carry {
    channels: usize,
    linked: bool,
    bus: Side,
    device: Side,
}

impl Carry {
    /// Two sides of this many channels, not linked yet.
    pub(super) fn new(channels: usize) -> Carry {
        Carry { channels, linked: false, bus: Side::default(), device: Side::default() }
    }

    /// How many channels of a volume count.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Whether the two are carried to each other.
    pub(super) fn is_linked(&self) -> bool {
        self.linked
    }

    /// Begins to carry. The device has the say: what the listener hears stays as it is.
    pub(super) fn link(&mut self, now: Instant) -> Option<Write> {
        let device = self.device.volume?;
        self.linked = true;
        if self.bus.has(&device, self.channels) {
            return None;
        }
        self.bus.sent(device, now);
        Some(Write::Bus(device))
    }

    /// The device has gone or is another one; the next has the say again.
    pub(super) fn forget_device(&mut self) {
        self.linked = false;
        self.device = Side::default();
    }

    /// The bus has reported its volume. What the device shall have by it waits until it [is
    /// told](Carry::device_is_told).
    pub(super) fn bus_reports(&mut self, volume: Volume, now: Instant) -> Option<Write> {
        let is_news = self.bus.takes(volume, self.channels, now);
        if !self.linked || !is_news || self.device.has(&volume, self.channels) {
            return None;
        }
        self.device.waiting = Some(volume);
        Some(Write::Device(volume))
    }

    /// The device has reported its volume.
    pub(super) fn device_reports(&mut self, volume: Volume, now: Instant) -> Option<Write> {
        let is_news = self.device.takes(volume, self.channels, now);
        if !self.linked || !is_news || self.bus.has(&volume, self.channels) {
            return None;
        }
        // Whoever has turned the device itself has said the last word: what it has not been told it
        // is not told any more, and what it does yet is news as well.
        self.device.waiting = None;
        self.device.in_flight.clear();
        self.bus.sent(volume, now);
        Some(Write::Bus(volume))
    }

    /// The device is told this now: its echo comes from now on, unless there is nothing to change.
    pub(super) fn device_is_told(&mut self, volume: Volume, now: Instant) {
        if self.device.waiting.is_some_and(|waiting| same(&waiting, &volume, self.channels)) {
            self.device.waiting = None;
        }
        let is_there = self.device.volume.is_some_and(|has| same(&has, &volume, self.channels));
        if !is_there || !self.device.in_flight.is_empty() {
            self.device.sent(volume, now);
        }
    }

    /// The device's volume, once it is known.
    pub(super) fn device(&self) -> Option<&Volume> {
        self.device.volume.as_ref()
    }

    /// The volume that the device has once it has done all that it was told.
    pub(super) fn device_latest(&self) -> Option<Volume> {
        self.device.latest()
    }

    /// Whether the device has done all that it was told, and is to be told nothing more.
    pub(super) fn is_device_settled(&self) -> bool {
        self.device.is_settled()
    }

    /// What is left to do behind the stage so that `bus` is heard: all of it while the two
    /// are not linked. While they are, the device does it, and only what the device has not
    /// done yet is ours: until it has followed, or if it cannot. Never more than 1, so that a
    /// device on its way errs to the quiet side.
    pub(super) fn out_gains(&self, bus: &Volume) -> [f32; MAX_CHANNELS] {
        let wanted = bus.gains();
        let (true, Some(device)) = (self.linked, self.device.volume) else { return wanted };
        if same(bus, &device, self.channels) {
            return if bus.muted { [0.0; MAX_CHANNELS] } else { [1.0; MAX_CHANNELS] };
        }
        let mut gains = wanted;
        for (gain, device) in gains.iter_mut().zip(device.gains()) {
            if *gain > 0.0 {
                *gain = if device > *gain { *gain / device } else { 1.0 };
            }
        }
        gains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(cubic: f32) -> Volume {
        Volume { channels: [cubic.powi(3); MAX_CHANNELS], muted: false }
    }

    fn linked(cubic: f32) -> (Carry, Instant) {
        let now = Instant::now();
        let mut carry = Carry::new(2);
        assert_eq!(carry.device_reports(at(cubic), now), None);
        assert_eq!(carry.bus_reports(at(1.0), now), None);
        assert_eq!(carry.link(now), Some(Write::Bus(at(cubic))));
        assert_eq!(carry.bus_reports(at(cubic), now), None);
        (carry, now)
    }

    /// The keys turn the bus, and the device is told.
    fn turn(carry: &mut Carry, cubic: f32, now: Instant) {
        assert_eq!(carry.bus_reports(at(cubic), now), Some(Write::Device(at(cubic))));
        carry.device_is_told(at(cubic), now);
    }

    #[test]
    fn the_keys_turn_the_device_and_its_echo_turns_nothing() {
        let (mut carry, now) = linked(0.4);
        turn(&mut carry, 0.5, now);
        assert!(!carry.is_device_settled());
        assert_eq!(carry.device_reports(at(0.5), now), None);
        assert!(carry.is_device_settled());
        assert_eq!(carry.bus_reports(at(0.5), now), None);
    }

    #[test]
    fn the_device_s_own_knob_turns_the_bus() {
        let (mut carry, now) = linked(0.4);
        assert_eq!(carry.device_reports(at(0.7), now), Some(Write::Bus(at(0.7))));
        assert_eq!(carry.bus_reports(at(0.7), now), None);
        assert_eq!(carry.device_reports(at(0.7), now), None);
    }

    #[test]
    fn a_key_held_down_is_not_fought_by_late_echoes() {
        let (mut carry, now) = linked(0.4);
        for step in [0.45, 0.5, 0.55] {
            turn(&mut carry, step, now);
        }
        for echo in [0.45, 0.5, 0.55] {
            assert_eq!(carry.device_reports(at(echo), now), None, "the echo of {echo}");
        }
        assert_eq!(carry.device_reports(at(0.2), now), Some(Write::Bus(at(0.2))));
    }

    #[test]
    fn echoes_that_are_left_out_or_never_come_do_no_harm() {
        let (mut carry, now) = linked(0.4);
        turn(&mut carry, 0.45, now);
        turn(&mut carry, 0.5, now);
        assert_eq!(carry.device_reports(at(0.5), now), None);
        turn(&mut carry, 0.9, now);
        let later = now + ECHO;
        assert_eq!(carry.device_reports(at(0.1), later), Some(Write::Bus(at(0.1))));
    }

    #[test]
    fn what_the_device_is_told_late_is_known_for_an_echo_all_the_same() {
        let (mut carry, now) = linked(0.4);
        assert_eq!(carry.bus_reports(at(0.5), now), Some(Write::Device(at(0.5))));
        let told = now + ECHO;
        carry.device_is_told(at(0.5), told);
        assert_eq!(carry.bus_reports(at(0.6), told), Some(Write::Device(at(0.6))));
        assert_eq!(carry.device_reports(at(0.5), told), None, "an echo, though the bus is further");
        carry.device_is_told(at(0.6), told);
        assert_eq!(carry.device_reports(at(0.6), told), None);
        assert_eq!(carry.device_reports(at(0.5), told), Some(Write::Bus(at(0.5))), "no echo");
    }

    #[test]
    fn what_the_device_was_never_told_it_does_not_have() {
        let (mut carry, now) = linked(0.4);
        assert_eq!(carry.bus_reports(at(0.6), now), Some(Write::Device(at(0.6))));
        // The device's own knob, while that waits: from now on it does not.
        assert_eq!(carry.device_reports(at(0.2), now), Some(Write::Bus(at(0.2))));
        assert_eq!(carry.bus_reports(at(0.2), now), None);
        assert_eq!(carry.bus_reports(at(0.6), now), Some(Write::Device(at(0.6))), "once more");
    }

    #[test]
    fn a_device_that_says_once_more_what_it_has_takes_nothing_back() {
        let (mut carry, now) = linked(0.4);
        assert_eq!(carry.bus_reports(at(0.6), now), Some(Write::Device(at(0.6))));
        assert_eq!(carry.device_reports(at(0.4), now), None, "while it waits");
        carry.device_is_told(at(0.6), now);
        assert_eq!(carry.device_reports(at(0.4), now), None, "while it is on its way");
        assert_eq!(carry.device_reports(at(0.6), now), None);
        assert_eq!(carry.device_reports(at(0.4), now), Some(Write::Bus(at(0.4))), "its knob");
    }

    #[test]
    fn who_turns_the_device_while_it_is_told_ends_with_one_volume_on_both() {
        let (mut carry, now) = linked(0.4);
        turn(&mut carry, 0.6, now);
        assert_eq!(carry.device_reports(at(0.2), now), Some(Write::Bus(at(0.2))));
        assert_eq!(carry.bus_reports(at(0.2), now), None);
        assert_eq!(carry.device_reports(at(0.6), now), Some(Write::Bus(at(0.6))), "it was later");
    }

    #[test]
    fn a_device_that_is_told_what_it_has_owes_no_echo() {
        let (mut carry, now) = linked(0.4);
        assert_eq!(carry.bus_reports(at(0.6), now), Some(Write::Device(at(0.6))));
        assert_eq!(carry.bus_reports(at(0.4), now), Some(Write::Device(at(0.4))));
        carry.device_is_told(at(0.4), now);
        assert!(carry.is_device_settled());
    }

    #[test]
    fn of_a_device_that_never_answers_little_is_kept() {
        let (mut carry, now) = linked(0.4);
        for step in 0..4_000_u32 {
            let cubic = 0.1 + (step % 80) as f32 / 100.0;
            let _ = carry.bus_reports(at(cubic), now + Duration::from_millis(4) * step);
            carry.device_is_told(at(cubic), now + Duration::from_millis(4) * step);
            assert!(carry.device.in_flight.len() <= MOST_IN_FLIGHT);
        }
        let (mut carry, now) = linked(0.4);
        turn(&mut carry, 0.5, now);
        turn(&mut carry, 0.6, now + ECHO);
        assert_eq!(carry.device.in_flight.len(), 1, "the first has been swallowed");
    }

    #[test]
    fn mute_is_carried_both_ways() {
        let (mut carry, now) = linked(0.4);
        let muted = Volume { muted: true, ..at(0.4) };
        assert_eq!(carry.bus_reports(muted, now), Some(Write::Device(muted)));
        carry.device_is_told(muted, now);
        assert_eq!(carry.device_reports(muted, now), None);
        assert_eq!(carry.out_gains(&muted), [0.0; MAX_CHANNELS]);
        assert_eq!(carry.device_reports(at(0.4), now), Some(Write::Bus(at(0.4))));
    }

    #[test]
    fn the_volume_is_applied_once_and_a_device_on_its_way_errs_to_the_quiet_side() {
        let (mut carry, now) = linked(0.5);
        assert_eq!(carry.out_gains(&at(0.5)), [1.0; MAX_CHANNELS]);
        // Up: the device is still low, and nothing is added.
        let _ = carry.bus_reports(at(1.0), now);
        assert_eq!(carry.out_gains(&at(1.0)), [1.0; MAX_CHANNELS]);
        let _ = carry.device_reports(at(1.0), now);
        // Down: the device is still high, so what it has not done is ours.
        let _ = carry.bus_reports(at(0.5), now);
        assert!((carry.out_gains(&at(0.5))[0] - 0.125).abs() < 1e-6);
        let _ = carry.device_reports(at(0.5), now);
        assert_eq!(carry.out_gains(&at(0.5)), [1.0; MAX_CHANNELS]);
    }

    #[test]
    fn without_a_device_the_volume_is_ours_and_nothing_is_written() {
        let (mut carry, now) = linked(0.5);
        carry.forget_device();
        assert_eq!(carry.bus_reports(at(0.3), now), None);
        assert!((carry.out_gains(&at(0.3))[0] - 0.027).abs() < 1e-6);
    }

    #[test]
    fn the_next_device_has_the_say() {
        let (mut carry, now) = linked(0.5);
        carry.forget_device();
        assert_eq!(carry.link(now), None, "without a device there is nothing to carry");
        assert_eq!(carry.device_reports(at(0.2), now), None);
        assert_eq!(carry.link(now), Some(Write::Bus(at(0.2))));
    }
}
