//! What is measured of a file, in one value that summaries, tables and JSON are made from.

use headroom_dsp::{Db, LoudnessMeter, Oversample, TruePeakMeter};
use serde::Serialize;

use crate::audio::{Block, ChannelMap};

/// Loudness and peaks of a file. What cannot be told, of silence or of a file that is too
/// short, is `None`, and `null` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Measures {
    /// Gated loudness of the whole.
    pub(crate) integrated_lufs: Option<f32>,
    /// Loudness range.
    pub(crate) loudness_range_lu: Option<f32>,
    /// Loudest 400 ms.
    pub(crate) max_momentary_lufs: Option<f32>,
    /// Loudest 3 s.
    pub(crate) max_short_term_lufs: Option<f32>,
    /// Largest peak between the samples.
    pub(crate) true_peak_dbtp: Option<f32>,
    /// Largest sample.
    pub(crate) sample_peak_dbfs: Option<f32>,
    /// True peak over integrated loudness.
    pub(crate) peak_to_loudness_lu: Option<f32>,
}

impl Measures {
    /// What the meters show of a file that is over.
    pub(crate) fn of(loudness: &LoudnessMeter, mut peaks: TruePeakMeter) -> Measures {
        peaks.finish();
        let reading = loudness.reading();
        let integrated_lufs = finite(reading.integrated.0);
        let true_peak_dbtp = finite(peaks.true_peak().0);
        let over = |(peak, loudness): (f32, f32)| peak - loudness;
        Measures {
            integrated_lufs,
            loudness_range_lu: loudness.loudness_range(),
            max_momentary_lufs: finite(reading.max_momentary.0),
            max_short_term_lufs: finite(reading.max_short_term.0),
            true_peak_dbtp,
            sample_peak_dbfs: finite(peaks.sample_peak().0),
            peak_to_loudness_lu: true_peak_dbtp.zip(integrated_lufs).map(over),
        }
    }
}

fn finite(value: f32) -> Option<f32> {
    value.is_finite().then_some(value)
}

/// The largest gains and reductions of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Gains {
    /// The AGC's largest gain.
    pub(crate) largest_agc_gain_db: f32,
    /// The AGC's smallest gain, below 0 where it turned down.
    pub(crate) smallest_agc_gain_db: f32,
    /// The most that the burst guard took off.
    pub(crate) largest_guard_reduction_db: f32,
    /// The most that the compressor took off.
    pub(crate) largest_compressor_reduction_db: f32,
    /// The most that the limiter took off.
    pub(crate) largest_limiter_reduction_db: f32,
}

impl Gains {
    pub(crate) fn none() -> Gains {
        Gains {
            largest_agc_gain_db: f32::NEG_INFINITY,
            smallest_agc_gain_db: f32::INFINITY,
            largest_guard_reduction_db: 0.0,
            largest_compressor_reduction_db: 0.0,
            largest_limiter_reduction_db: 0.0,
        }
    }

    pub(crate) fn add(&mut self, meters: &headroom_dsp::ChainMeters) {
        let raise = |largest: &mut f32, Db(value): Db| *largest = largest.max(value);
        let (bus, master) = (&meters.bus, &meters.master);
        raise(&mut self.largest_agc_gain_db, bus.agc_gain);
        self.smallest_agc_gain_db = self.smallest_agc_gain_db.min(bus.agc_gain.0);
        raise(&mut self.largest_guard_reduction_db, bus.guard_reduction);
        raise(&mut self.largest_compressor_reduction_db, bus.compressor_reduction);
        raise(&mut self.largest_limiter_reduction_db, master.limiter_reduction);
    }
}

/// All meters of a file: loudness, range and peaks.
pub(crate) struct FileMeter {
    loudness: LoudnessMeter,
    peaks: TruePeakMeter,
}

impl FileMeter {
    pub(crate) fn prepare(rate_hz: u32, channels: ChannelMap) -> FileMeter {
        let layout = channels.layout();
        FileMeter {
            loudness: LoudnessMeter::prepare(rate_hz, &layout, PART_FRAMES),
            peaks: TruePeakMeter::prepare(&layout, Oversample::X8),
        }
    }

    pub(crate) fn process(&mut self, block: &Block) {
        self.loudness.process(block.planes());
        self.peaks.process(block.planes());
    }

    /// What was measured; the file is over.
    pub(crate) fn finish(self) -> Measures {
        Measures::of(&self.loudness, self.peaks)
    }
}

/// How many frames the processors take at a time: what they keep of them fits the cache.
pub(crate) const PART_FRAMES: usize = 1_024;
