//! Makes the inserts anew for a device sink of other channels.
//!
//! They have the channels of the device that they were made for. Where the sound goes to one with
//! fewer from now on, PipeWire would fold it behind the limiter, past the ceiling; where it goes to
//! one with more, what an app has for these would be lost. So after such a change, which is heard
//! anyway, they go, and `advance` makes others: meanwhile the apps play on the device, and are back
//! by the same means as after a crash. The AGC goes on from where it was.
//!
//! What is heard need not be the device that was asked for: WirePlumber puts a filter of the user's in
//! front of it, which has channels of its own. The inserts get those of what is heard.

use std::time::{Duration, Instant};

use super::Session;
use crate::graph::GraphEvent;
use crate::graph::carry::Carry;
use crate::graph::channels::Channels;

/// How long the device must have other channels: its ports come one after the other.
const SETTLED: Duration = Duration::from_millis(200);

/// A device that is heard through another sink, which was seen once the inserts were made for it.
#[derive(Debug)]
pub(super) struct HeardInstead {
    wanted: String,
    /// The serial of the sink that is heard.
    heard: u64,
}

impl Session<'_> {
    /// Takes the inserts out of the graph if the device that is heard has other channels.
    pub(super) fn fit_device(&mut self, now: Instant) {
        if !self.is_other_layout() {
            self.other_layout_since = None;
            return;
        }
        let since = *self.other_layout_since.get_or_insert(now);
        if now < since + SETTLED {
            return;
        }
        log::info!("the device sink has other channels: making the sinks anew");
        self.heard_instead = self.what_is_heard_instead();
        self.take_inserts_out();
    }

    /// The sink that the device which is wanted is heard through, if that is another one.
    fn what_is_heard_instead(&self) -> Option<HeardInstead> {
        let (wanted, heard) = (self.pinned.clone()?, self.device.as_ref()?.id);
        let node = self.model.node(heard).filter(|node| node.name != wanted)?;
        Some(HeardInstead { wanted, heard: node.serial })
    }

    /// The channels that the inserts are to have for this device.
    pub(super) fn channels_for(&self, wanted: &str, id: u32) -> Vec<&str> {
        let instead = self.heard_instead.as_ref().filter(|instead| instead.wanted == wanted);
        let heard = instead.and_then(|instead| {
            self.model.sinks().find(|(_, node)| node.serial == instead.heard).map(|(id, _)| id)
        });
        self.model.sink_channels(heard.unwrap_or(id))
    }

    /// Takes the inserts out of the graph, for `advance` to make others.
    pub(super) fn take_inserts_out(&mut self) {
        self.other_layout_since = None;
        self.hand_gain_on();
        for insert in self.lives().filter(|live| live.running).map(|live| live.insert) {
            self.events.send(GraphEvent::Running { insert, running: false });
        }
        (self.main, self.stereo, self.master) = (None, None, None);
        (self.device, self.pinned) = (None, None);
        self.unwritten = None;
        self.forget_device();
        self.carry = Carry::new(2);
    }

    fn is_other_layout(&self) -> bool {
        let (Some(master), Some(device)) = (&self.master, &self.device) else { return false };
        // What is made next needs what was made first to be whole.
        let is_whole = self.main.is_some() && self.is_linked();
        let ports = self.model.sink_channels(device.id);
        is_whole && !ports.is_empty() && Channels::of_sink(&ports) != master.output
    }

    /// The buses that come go on from the gain of the one that has played last.
    fn hand_gain_on(&mut self) {
        let plays = |live: &&super::inserts::Live| live.running;
        let last = self.stereo.iter().chain(&self.main).find(plays).or(self.main.as_ref());
        let Some(gain) = last.map(|live| live.watch.agc_gain()) else { return };
        self.wishes.agc_gain = gain;
        let watches = [&self.wishes.main_watch, &self.wishes.stereo_watch];
        for watch in watches.into_iter().flatten() {
            watch.set_agc_gain(gain);
        }
    }

    /// When to ask [`Session::fit_device`] again.
    pub(super) fn layout_wake(&self) -> Option<Instant> {
        Some(self.other_layout_since? + SETTLED)
    }
}
