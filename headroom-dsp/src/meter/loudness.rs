//! Loudness by BS.1770-5 and EBU Tech 3341: momentary, short-term, integrated, and range.
//!
//! Called by the bus, the master and `headroom analyze`. All work beyond the power of the
//! frames is done when a hop ends, so that [`LoudnessMeter::reading`] is a copy.

use super::histogram::Histogram;
use super::hops::{Hop, HopSums};
use super::k_weighting::KWeighting;
use crate::layout::Layout;
use crate::units::Lufs;
use crate::{MAX_RATE_HZ, MIN_RATE_HZ};

/// Hops in a momentary window (400 ms).
const MOMENTARY_HOPS: usize = 40;
/// Hops in a short-term window (3 s).
const SHORT_TERM_HOPS: usize = 300;
/// Hops from one gating block to the next: blocks of 400 ms that overlap by 75 %.
const GATING_STEP_HOPS: usize = 10;
/// Hops from one value of the loudness range to the next: windows of 3 s that overlap by two
/// thirds, as EBU Tech 3342 asks for at least.
const RANGE_STEP_HOPS: usize = 100;
/// The relative gate of the integrated loudness, below the absolute-gated loudness.
const INTEGRATED_GATE_LU: f64 = 10.0;
/// The relative gate of the loudness range.
const RANGE_GATE_LU: f64 = 20.0;

/// What a loudness meter shows. Without programme yet, everything is [`Lufs::SILENCE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoudnessReading {
    /// Over the last 400 ms.
    pub momentary: Lufs,
    /// Over the last 3 s.
    pub short_term: Lufs,
    /// Over everything since the start, gated at -70 LUFS and 10 LU below.
    pub integrated: Lufs,
    /// The largest momentary loudness so far.
    pub max_momentary: Lufs,
    /// The largest short-term loudness so far.
    pub max_short_term: Lufs,
}

impl Default for LoudnessReading {
    fn default() -> Self {
        LoudnessReading {
            momentary: Lufs::SILENCE,
            short_term: Lufs::SILENCE,
            integrated: Lufs::SILENCE,
            max_momentary: Lufs::SILENCE,
            max_short_term: Lufs::SILENCE,
        }
    }
}

/// Measures loudness, for days in constant time and memory.
///
/// Windows that reach back before the start see silence there, so a first reading only ever
/// rises. Momentary and short-term are renewed every 10 ms, integrated every 100 ms.
#[derive(Debug, Clone)]
pub struct LoudnessMeter {
    weighting: KWeighting,
    power: Vec<f32>,
    hops: HopSums,
    windows: Windows,
}

impl LoudnessMeter {
    /// Allocates all it will need. The rate is brought into [`MIN_RATE_HZ`] to
    /// [`MAX_RATE_HZ`]; blocks of more than `max_frames` are measured in parts.
    #[must_use]
    pub fn prepare(rate_hz: u32, layout: &Layout, max_frames: usize) -> LoudnessMeter {
        let rate_hz = rate_hz.clamp(MIN_RATE_HZ, MAX_RATE_HZ);
        LoudnessMeter {
            weighting: KWeighting::prepare(rate_hz, layout),
            power: vec![0.0; max_frames.max(1)],
            hops: HopSums::new(rate_hz),
            windows: Windows::prepare(rate_hz),
        }
    }

    /// Goes on at another rate: the windows start anew, what the integrated loudness, the
    /// range and the maxima have seen so far is kept.
    ///
    /// Real-time safe.
    pub fn set_rate(&mut self, rate_hz: u32) {
        let rate_hz = rate_hz.clamp(MIN_RATE_HZ, MAX_RATE_HZ);
        self.weighting.set_rate(rate_hz);
        self.hops.set_rate(rate_hz);
        self.windows.set_rate(rate_hz);
    }

    /// Starts anew: a new programme. Frees nothing.
    ///
    /// Real-time safe.
    pub fn reset(&mut self) {
        self.weighting.reset();
        self.hops.reset();
        self.windows.reset();
    }

    /// Measures a block: a plane per channel of the layout, of one length, also of none.
    ///
    /// Real-time safe.
    pub fn process<P: AsRef<[f32]>>(&mut self, planes: &[P]) {
        let frames = planes.iter().map(|plane| plane.as_ref().len()).min().unwrap_or(0);
        let LoudnessMeter { weighting, power, hops, windows } = self;
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + power.len());
            let power = &mut power[..end - at];
            let mut parts: [&[f32]; crate::MAX_CHANNELS] = Default::default();
            for (part, plane) in parts.iter_mut().zip(planes) {
                *part = &plane.as_ref()[at..end];
            }
            weighting.power(&parts[..planes.len().min(parts.len())], power);
            hops.add(power, |hop| windows.take(hop));
            at = end;
        }
    }

    /// Measures power that a [`KWeighting`] of the same rate and layout has made; for a caller
    /// who needs it himself. Not to be mixed with [`LoudnessMeter::process`].
    ///
    /// Real-time safe.
    pub fn add_power(&mut self, power: &[f32]) {
        let LoudnessMeter { hops, windows, .. } = self;
        hops.add(power, |hop| windows.take(hop));
    }

    /// What it shows now.
    ///
    /// Real-time safe: a copy.
    #[must_use]
    pub fn reading(&self) -> LoudnessReading {
        self.windows.reading
    }

    /// Forgets the largest momentary and short-term loudness.
    ///
    /// Real-time safe.
    pub fn reset_maxima(&mut self) {
        self.windows.reading.max_momentary = Lufs::SILENCE;
        self.windows.reading.max_short_term = Lufs::SILENCE;
    }

    /// The loudness range in LU (EBU Tech 3342); nothing before 3 s of programme above the
    /// absolute gate.
    ///
    /// Constant time, but it looks at thousands of bins: not for the audio thread.
    #[must_use]
    pub fn loudness_range(&self) -> Option<f32> {
        self.windows.for_range.range_lu(RANGE_GATE_LU).map(|range| range as f32)
    }
}

/// The last 3 s of hops, what they read as, and what is kept of everything before.
#[derive(Debug, Clone)]
struct Windows {
    rate_hz: u32,
    energies: [f64; SHORT_TERM_HOPS],
    /// Where the next hop goes.
    next: usize,
    /// Hops since the windows started.
    count: u64,
    blocks: Histogram,
    for_range: Histogram,
    reading: LoudnessReading,
}

impl Windows {
    fn prepare(rate_hz: u32) -> Windows {
        Windows {
            rate_hz,
            energies: [0.0; SHORT_TERM_HOPS],
            next: 0,
            count: 0,
            blocks: Histogram::new(),
            for_range: Histogram::new(),
            reading: LoudnessReading::default(),
        }
    }

    fn set_rate(&mut self, rate_hz: u32) {
        self.rate_hz = rate_hz;
        self.energies = [0.0; SHORT_TERM_HOPS];
        self.next = 0;
        self.count = 0;
        self.reading.momentary = Lufs::SILENCE;
        self.reading.short_term = Lufs::SILENCE;
    }

    fn reset(&mut self) {
        self.set_rate(self.rate_hz);
        self.blocks.clear();
        self.for_range.clear();
        self.reading = LoudnessReading::default();
    }

    fn take(&mut self, hop: Hop) {
        self.energies[self.next] = hop.energy;
        self.next = (self.next + 1) % SHORT_TERM_HOPS;
        self.count += 1;
        let momentary = self.mean_square(MOMENTARY_HOPS);
        let short_term = self.mean_square(SHORT_TERM_HOPS);
        let reading = &mut self.reading;
        reading.momentary = Lufs::from_mean_square(momentary);
        reading.short_term = Lufs::from_mean_square(short_term);
        reading.max_momentary = louder(reading.max_momentary, reading.momentary);
        reading.max_short_term = louder(reading.max_short_term, reading.short_term);
        if self.ends_window(MOMENTARY_HOPS, GATING_STEP_HOPS) && self.blocks.add(momentary) {
            let gated = self.blocks.gated_mean(INTEGRATED_GATE_LU);
            self.reading.integrated = Lufs::from_mean_square(gated);
        }
        if self.ends_window(SHORT_TERM_HOPS, RANGE_STEP_HOPS) {
            self.for_range.add(short_term);
        }
    }

    /// Whether a window of that many hops, all of them heard, ends here; windows start every
    /// `step` hops.
    fn ends_window(&self, hops: usize, step: usize) -> bool {
        self.count >= hops as u64 && (self.count - hops as u64).is_multiple_of(step as u64)
    }

    /// Mean square of the last hops. Summed anew each time: a running sum would drift.
    fn mean_square(&self, hops: usize) -> f64 {
        let (recent, older) = self.energies.split_at(self.next);
        let sum = match recent.len().checked_sub(hops) {
            Some(skip) => sum(&recent[skip..]),
            None => sum(recent) + sum(&older[older.len() - (hops - recent.len())..]),
        };
        sum * f64::from(super::HOPS_A_SECOND) / (hops as f64 * f64::from(self.rate_hz))
    }
}

fn sum(energies: &[f64]) -> f64 {
    const LANES: usize = 4;
    let mut sums = [0.0; LANES];
    let chunks = energies.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (sum, energy) in sums.iter_mut().zip(chunk) {
            *sum += energy;
        }
    }
    sums.iter().sum::<f64>() + rest
}

fn louder(a: Lufs, b: Lufs) -> Lufs {
    if b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 48_000;

    fn meter() -> LoudnessMeter {
        LoudnessMeter::prepare(RATE_HZ, &Layout::MONO, 1_024)
    }

    /// Feeds this loudness for a time, hop by hop.
    fn feed(meter: &mut LoudnessMeter, lufs: f32, seconds: u32) {
        let power = vec![Lufs(lufs).to_mean_square() as f32; RATE_HZ as usize / 100];
        for _ in 0..seconds * 100 {
            meter.add_power(&power);
        }
    }

    fn close(got: Lufs, expected: f32) -> bool {
        (got.0 - expected).abs() < 0.005
    }

    #[test]
    fn a_new_meter_reads_silence_and_no_range() {
        assert_eq!(meter().reading(), LoudnessReading::default());
        assert_eq!(meter().loudness_range(), None);
    }

    #[test]
    fn windows_are_400_ms_and_3_s_long() {
        let mut meter = meter();
        feed(&mut meter, -20.0, 4);
        feed(&mut meter, f32::NEG_INFINITY, 1);
        let reading = meter.reading();
        assert_eq!(reading.momentary, Lufs::SILENCE);
        assert!(close(reading.short_term, -20.0 + 10.0 * (2.0_f32 / 3.0).log10()));
        feed(&mut meter, f32::NEG_INFINITY, 2);
        assert_eq!(meter.reading().short_term, Lufs::SILENCE);
        assert!(close(meter.reading().max_momentary, -20.0));
        assert!(close(meter.reading().max_short_term, -20.0));
    }

    #[test]
    fn another_rate_keeps_the_programme_and_a_reset_forgets_it() {
        let mut meter = meter();
        feed(&mut meter, -20.0, 10);
        meter.set_rate(96_000);
        assert_eq!(meter.reading().short_term, Lufs::SILENCE);
        assert!(close(meter.reading().integrated, -20.0));
        meter.reset();
        assert_eq!(meter.reading(), LoudnessReading::default());
        assert_eq!(meter.loudness_range(), None);
    }

    #[test]
    fn a_programme_of_three_days_reads_as_its_parts_do() {
        // Hops straight into the windows: 26 million of them.
        let mut windows = Windows::prepare(RATE_HZ);
        let frames = RATE_HZ / 100;
        let [loud, quiet] =
            [-20.0, -26.0].map(|lufs| Lufs(lufs).to_mean_square() * f64::from(frames));
        for hop in 0..3 * 86_400 * 100_u32 {
            // Twenty seconds of each by turns.
            let energy = if hop / 2_000 % 2 == 0 { loud } else { quiet };
            windows.take(Hop { energy, frames });
        }
        let mean = (Lufs(-20.0).to_mean_square() + Lufs(-26.0).to_mean_square()) / 2.0;
        let expected = Lufs::from_mean_square(mean).0;
        assert!(close(windows.reading.integrated, expected), "{:?}", windows.reading);
        let range = windows.for_range.range_lu(RANGE_GATE_LU).expect("heard");
        assert!((range - 6.0).abs() < 0.05, "{range}");
    }
}
