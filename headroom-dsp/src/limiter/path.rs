//! From peaks to a gain: what the channels under one gain need.
//!
//! Called by [`super::core`], once for all channels or once for each. Knows no samples.

use super::envelope::Envelope;
use super::points::CHUNK_FRAMES;
use super::settings::{Settings, frames};
use super::smoother::Smoother;
use super::soft::{HOLD_MS, SoftTier};
use super::window::{PeakWindow, largest};

/// One gain.
#[derive(Debug, Clone)]
pub(crate) struct GainPath {
    window: PeakWindow,
    envelope: Envelope,
    soft: SoftTier,
    smoother: Smoother,
    ceiling: f32,
    smooth_frames: usize,
    soft_on: bool,
    /// For how many frames the gain has been 1 before smoothing.
    unity_frames: usize,
    /// Window and smoother have been left alone since the gain came to rest.
    asleep: bool,
}

/// Work space of a chunk.
#[derive(Debug, Clone)]
pub(crate) struct PathSpace {
    allowed: [f32; CHUNK_FRAMES],
    gains: [f64; CHUNK_FRAMES],
}

impl PathSpace {
    pub(crate) fn new() -> PathSpace {
        PathSpace { allowed: [1.0; CHUNK_FRAMES], gains: [1.0; CHUNK_FRAMES] }
    }
}

/// Where a gain stands before smoothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stand {
    pub(crate) hard: f64,
    pub(crate) soft: f64,
}

impl Stand {
    pub(crate) const REST: Stand = Stand { hard: 1.0, soft: 1.0 };

    /// The lower of both.
    pub(crate) fn lower(self, other: Stand) -> Stand {
        Stand { hard: self.hard.min(other.hard), soft: self.soft.min(other.soft) }
    }
}

impl GainPath {
    /// Room for any settings with delays up to `most_delay_frames`. Allocates.
    pub(crate) fn prepare(most_delay_frames: usize) -> GainPath {
        GainPath {
            window: PeakWindow::prepare(most_delay_frames + 2),
            envelope: Envelope::new(),
            soft: SoftTier::new(),
            smoother: Smoother::prepare(most_delay_frames + 2),
            ceiling: 1.0,
            smooth_frames: 1,
            soft_on: false,
            unity_frames: 0,
            asleep: false,
        }
    }

    /// Starts anew, no higher than `stand`. What is on its way to the output comes in by
    /// [`GainPath::remember`], then [`GainPath::begin`] sets the gain.
    pub(crate) fn restart(&mut self, settings: &Settings, stand: Stand) {
        self.ceiling = settings.ceiling;
        self.smooth_frames = settings.smooth_frames;
        self.window.restart(settings.window_frames);
        self.envelope.restart(settings.hold_frames, settings.release_frames, stand.hard);
        self.soft_on = settings.soft.is_some();
        self.soft = SoftTier::new();
        if let Some(soft) = settings.soft {
            self.soft.restart(
                frames(soft.attack_ms, settings.rate_hz),
                frames(soft.release_ms, settings.rate_hz),
                frames(HOLD_MS, settings.rate_hz).round() as u32,
                stand.soft,
            );
        }
        self.asleep = false;
    }

    /// Peaks of frames that have come but not gone out, the oldest first.
    pub(crate) fn remember(&mut self, peaks: &mut [f32]) {
        self.window.slide(peaks);
        let highest = largest(peaks);
        if highest > self.ceiling {
            self.envelope.lower(f64::from(self.ceiling / highest));
        }
    }

    /// The gain begins where it stands, without a slope.
    pub(crate) fn begin(&mut self) {
        let gain = self.envelope.gain().min(self.soft.gain());
        self.smoother.restart(self.smooth_frames, gain);
        self.unity_frames = if gain < 1.0 { 0 } else { self.smooth_frames };
    }

    pub(crate) fn stand(&self) -> Stand {
        Stand { hard: self.envelope.gain(), soft: self.soft.gain() }
    }

    /// Frames pass in which no peak needs a gain.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.asleep
    }

    /// Lets `count` frames pass at rest.
    pub(crate) fn sleep(&mut self, count: usize) {
        debug_assert!(self.asleep);
        self.window.skip(count);
    }

    /// Turns `peaks` into `gains`. False: they are all 1, and `gains` may be left as it was.
    pub(crate) fn follow(
        &mut self,
        peaks: &mut [f32],
        soft_cap: f32,
        space: &mut PathSpace,
        gains: &mut [f32],
    ) -> bool {
        let count = peaks.len();
        let cap = if self.soft_on { soft_cap } else { f32::INFINITY };
        let quiet = self.ceiling.min(cap);
        if self.asleep {
            if largest(peaks) <= quiet {
                self.sleep(count);
                return false;
            }
            self.window.forget();
            self.smoother.fill(1.0);
            self.asleep = false;
        }
        self.window.slide(peaks);
        let allowed = &mut space.allowed[..count];
        for (allowed, peak) in allowed.iter_mut().zip(peaks.iter()) {
            let gain = self.ceiling / *peak;
            *allowed = if gain < 1.0 { gain } else { 1.0 };
        }
        let unsmoothed = &mut space.gains[..count];
        self.envelope.follow(allowed, unsmoothed);
        if self.soft_on {
            self.soft.lower(peaks, cap, unsmoothed);
        }
        self.smoother.smooth(unsmoothed, gains);
        let before = self.unity_frames;
        self.unity_frames = match unsmoothed.iter().rposition(|gain| *gain < 1.0) {
            None => before + count,
            Some(last) => count - 1 - last,
        };
        // All that the smoother remembers is 1, and nothing in the window asks for less.
        self.asleep = self.unity_frames >= self.smooth_frames && peaks[count - 1] <= quiet;
        before + 1 < self.smooth_frames || self.unity_frames < before + count
    }
}
