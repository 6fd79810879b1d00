//! Inter-sample peaks of channels, for meters.
//!
//! Called by the true-peak meter; the limiter uses the same kernels on its own history.

use super::history::History;
use super::kernel::{Interpolator, Join};
use super::points::CHUNK_FRAMES;
use super::taps::Reach;
use crate::params::Oversample;

/// The largest magnitude of each channel between its samples, at 16 points a frame with
/// [`Oversample::X8`] and at 32 with [`Oversample::X16`].
///
/// Flat to 0.45 of the sample rate; of what is above, the larger of two readings counts, by a
/// short kernel and by one that reaches [`PeakDetector::delay_frames`] to each side.
#[derive(Debug, Clone)]
pub struct PeakDetector {
    interpolator: Interpolator,
    oversample: Oversample,
    histories: Vec<History<f32>>,
    peaks: Box<[f32; CHUNK_FRAMES]>,
}

impl PeakDetector {
    /// Allocates for this many channels.
    #[must_use]
    pub fn prepare(channels: usize, oversample: Oversample) -> PeakDetector {
        let mut detector = PeakDetector {
            interpolator: Interpolator::prepare(),
            oversample,
            histories: (0..channels).map(|_| History::prepare(KEPT)).collect(),
            peaks: Box::new([0.0; CHUNK_FRAMES]),
        };
        detector.reset();
        detector
    }

    /// By how many frames a peak is seen later than its sample comes.
    #[must_use]
    pub fn delay_frames(&self) -> usize {
        REACH.frames()
    }

    /// Forgets the signal. Frees nothing.
    ///
    /// Real-time safe.
    pub fn reset(&mut self) {
        for history in &mut self.histories {
            history.restart(KEPT);
        }
    }

    /// Takes in a block of a channel. Gives back the largest peak that it made known, or
    /// `floor` if that is larger: a block in which nothing can pass the floor costs next to
    /// nothing.
    ///
    /// Peaks near the block's end come with the next; after the last block, one more of
    /// [`PeakDetector::delay_frames`] zeros brings them out.
    ///
    /// Real-time safe.
    pub fn process(&mut self, channel: usize, plane: &[f32], floor: f32) -> f32 {
        let Some(history) = self.histories.get_mut(channel) else { return floor };
        let mut highest = floor;
        for samples in plane.chunks(CHUNK_FRAMES) {
            let count = samples.len();
            history.append(count).copy_from_slice(samples);
            let end = history.end();
            let seen = &history.values()[end - count - 2 * REACH.frames()..end];
            let loudest = super::core::largest_magnitude(seen);
            if loudest * self.interpolator.worst_gain() <= highest {
                continue;
            }
            let peaks = &mut self.peaks[..count];
            let at = end - count - REACH.frames();
            let values = history.values();
            self.interpolator.peaks(values, at, REACH, self.oversample, Join::Replace, peaks);
            highest = highest.max(super::window::largest(peaks));
        }
        highest
    }
}

const REACH: Reach = Reach::Long;
const KEPT: usize = 2 * REACH.frames() + 4;
