//! True peak by BS.1770-5, Annex 2: the largest magnitude between the samples.
//!
//! Called by `headroom analyze` and by whoever shows a peak. Sees through the same
//! [`PeakDetector`] as the limiter; tests compare it with a judge that shares no code with it.

use crate::layout::{Layout, MAX_CHANNELS};
use crate::limiter::PeakDetector;
use crate::params::Oversample;
use crate::units::{Db, Gain};

/// Frames of silence that are fed at a time to bring out the last peaks.
const TAIL_FRAMES: usize = 64;

/// The largest true peak of each channel since it was last taken.
#[derive(Debug, Clone)]
pub struct TruePeakMeter {
    detector: PeakDetector,
    channels: usize,
    true_peaks: [f32; MAX_CHANNELS],
    sample_peaks: [f32; MAX_CHANNELS],
}

impl TruePeakMeter {
    /// Allocates all it will need. Works alike at any rate. Looks at 16 points a frame with
    /// [`Oversample::X8`] and at 32 with [`Oversample::X16`].
    #[must_use]
    pub fn prepare(layout: &Layout, oversample: Oversample) -> TruePeakMeter {
        TruePeakMeter {
            detector: PeakDetector::prepare(layout.len(), oversample),
            channels: layout.len(),
            true_peaks: [0.0; MAX_CHANNELS],
            sample_peaks: [0.0; MAX_CHANNELS],
        }
    }

    /// Measures a block: a plane per channel of the layout, of any length. The samples must be
    /// finite.
    ///
    /// Real-time safe.
    pub fn process<P: AsRef<[f32]>>(&mut self, planes: &[P]) {
        for (channel, plane) in planes.iter().take(self.channels).enumerate() {
            let plane = plane.as_ref();
            let largest = crate::plane::peak(plane);
            self.sample_peaks[channel] = self.sample_peaks[channel].max(largest);
            // A sample is a point of the curve too.
            let floor = self.true_peaks[channel].max(largest);
            self.true_peaks[channel] = self.detector.process(channel, plane, floor);
        }
    }

    /// Brings out the peaks that stand between the very last samples, which otherwise come
    /// with the next block; after it the programme is over, and silence has been seen.
    ///
    /// Real-time safe.
    pub fn finish(&mut self) {
        const SILENCE: [f32; TAIL_FRAMES] = [0.0; TAIL_FRAMES];
        let mut left = self.detector.delay_frames();
        while left > 0 {
            let frames = left.min(TAIL_FRAMES);
            let planes = [&SILENCE[..frames]; MAX_CHANNELS];
            self.process(&planes[..self.channels]);
            left -= frames;
        }
    }

    /// Forgets the signal and the peaks.
    ///
    /// Real-time safe.
    pub fn reset(&mut self) {
        self.detector.reset();
        self.true_peaks = [0.0; MAX_CHANNELS];
        self.sample_peaks = [0.0; MAX_CHANNELS];
    }

    /// The largest true peak of each channel since the last call, linear; starts anew.
    ///
    /// Real-time safe.
    pub fn take(&mut self) -> [Gain; MAX_CHANNELS] {
        self.sample_peaks = [0.0; MAX_CHANNELS];
        std::mem::replace(&mut self.true_peaks, [0.0; MAX_CHANNELS]).map(Gain)
    }

    /// The largest true peak of any channel so far, in dBTP; of silence negative infinity.
    #[must_use]
    pub fn true_peak(&self) -> Db {
        Gain(crate::plane::peak(&self.true_peaks)).to_db()
    }

    /// The largest sample of any channel so far, in dBFS; of silence negative infinity.
    #[must_use]
    pub fn sample_peak(&self) -> Db {
        Gain(crate::plane::peak(&self.sample_peaks)).to_db()
    }
}
