//! How late the sound is: passed on through the inserts, and told.

use std::time::{Duration, Instant};

use super::Session;
use super::inserts::Live;
use crate::graph::GraphEvent;
use crate::graph::pods::LatencyOf;

/// How long after sound begins the rate and the latency are looked at.
pub(super) const LOOKS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(500)];

/// Whether a latency is passed on again that was passed on before.
///
/// PipeWire 1.x forgets it when it sets the ports of a stream up anew, and then says so with
/// the same event with which it answers to being told: answering that would go on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    Known,
    Nothing,
}

impl Session<'_> {
    /// Looks at what only the audio thread knows: the rate and what the latency is at it.
    pub(super) fn look(&mut self, now: Instant) {
        let due = self.looks.iter().any(|at| *at <= now);
        self.looks.retain(|at| *at > now);
        if !due {
            return;
        }
        self.looks_at_quantum = Some(now);
        for live in self.main.iter_mut().chain(&mut self.stereo).chain(&mut self.master) {
            live.pass_latency_on(Repeat::Known);
        }
        // A stream goes through one bus or the other, and they are equally late.
        let way = self.main.iter().chain(&self.master);
        let frames = way.map(|live| live.watch.latency_frames()).sum();
        let rate_hz = self.master.as_ref().map_or(self.rate_hz, |master| master.watch.rate_hz());
        if self.told.latency != Some((frames, rate_hz)) {
            self.told.latency = Some((frames, rate_hz));
            self.events.send(GraphEvent::Latency { frames, rate_hz });
        }
    }
}

impl Session<'_> {
    /// Tells the quantum, which only the audio thread knows, when it is time to look.
    pub(super) fn tell_quantum(&mut self, now: Instant) {
        if self.looks_at_quantum.is_none_or(|at| at > now) {
            return;
        }
        self.looks_at_quantum = None;
        let frames = self.master.as_ref().and_then(|master| master.watch.block_frames());
        if let Some(frames) = frames
            && self.told.quantum_frames != Some(frames)
        {
            self.told.quantum_frames = Some(frames);
            self.events.send(GraphEvent::Quantum(frames));
        }
    }
}

impl Live {
    /// Passes latencies on with our own on top.
    pub(super) fn pass_latency_on(&mut self, repeat: Repeat) {
        if !self.has_node {
            return;
        }
        let own = self.watch.latency_frames();
        for (index, of) in [LatencyOf::Downstream, LatencyOf::Upstream].into_iter().enumerate() {
            let latency = self.heard[index].plus_frames(own);
            if repeat == Repeat::Known || self.passed_on[index] != Some(latency) {
                self.passed_on[index] = Some(latency);
                self.streams.report_latency(of, latency);
            }
        }
    }
}
