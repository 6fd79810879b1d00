//! How often each loudness has been measured: what gating and percentiles need of a programme
//! of any length, in constant memory and constant time.
//!
//! Called by [`super::LoudnessMeter`] with one value every 100 ms or more; does no windowing.

use crate::units::Lufs;

/// Width of a bin. The energy of what fell into it is kept exactly: its width only decides
/// which blocks a gate that falls inside it takes.
const BINS_A_LU: usize = 50;
/// The absolute gate of BS.1770-5, Annex 1: nothing at or below it is counted.
pub(super) const ABSOLUTE_GATE: Lufs = Lufs(-70.0);
/// Above this everything falls into the last bin; a full-scale square wave in all channels of
/// 7.1 reads +11.
const TOP_LUFS: f64 = 30.0;
const GROUPS: usize = 100;
const BINS: usize = GROUPS * BINS_A_LU;

#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    count: u64,
    energy: f64,
}

impl Bin {
    fn add(&mut self, other: Bin) {
        self.count += other.count;
        self.energy += other.energy;
    }

    /// Mean of the mean squares in it.
    fn mean(self) -> f64 {
        if self.count == 0 { 0.0 } else { self.energy / self.count as f64 }
    }
}

/// Counts mean squares by their loudness.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    bins: Box<[Bin]>,
    /// The sum of the bins of each LU: a gate looks at a hundred of them and one LU of bins.
    groups: Box<[Bin]>,
    all: Bin,
}

impl Histogram {
    /// Allocates it, empty.
    pub(super) fn new() -> Histogram {
        debug_assert!(f64::from(ABSOLUTE_GATE.0) + GROUPS as f64 >= TOP_LUFS);
        let bins = vec![Bin::default(); BINS].into_boxed_slice();
        let groups = vec![Bin::default(); GROUPS].into_boxed_slice();
        Histogram { bins, groups, all: Bin::default() }
    }

    /// Forgets everything, frees nothing.
    pub(super) fn clear(&mut self) {
        self.bins.fill(Bin::default());
        self.groups.fill(Bin::default());
        self.all = Bin::default();
    }

    /// Counts a mean square; one at or below the absolute gate is left out. Says whether it
    /// was counted.
    pub(super) fn add(&mut self, mean_square: f64) -> bool {
        let Some(index) = bin_of(mean_square) else { return false };
        let one = Bin { count: 1, energy: mean_square };
        self.bins[index].add(one);
        self.groups[index / BINS_A_LU].add(one);
        self.all.add(one);
        true
    }

    /// The mean square of all that was counted above a gate this far below their mean, as
    /// BS.1770-5 gates a programme. 0 if nothing was counted.
    pub(super) fn gated_mean(&self, gate_lu: f64) -> f64 {
        self.above(self.gate(gate_lu)).mean()
    }

    /// Loudness range (EBU Tech 3342): from the 10th to the 95th percentile of what is above a
    /// gate this far below the mean, in LU. Nothing if nothing was counted.
    pub(super) fn range_lu(&self, gate_lu: f64) -> Option<f64> {
        let gate = self.gate(gate_lu);
        let counted = self.above(gate).count;
        let highest = counted.checked_sub(1)? as f64;
        // The nearest rank; ranks count from 0 and from the quietest.
        let low = self.loudness_at((0.10 * highest).round() as u64, gate)?;
        let high = self.loudness_at((0.95 * highest).round() as u64, gate)?;
        Some(high - low)
    }

    /// The mean square that a gate this far below the mean of everything stands at.
    fn gate(&self, gate_lu: f64) -> f64 {
        self.all.mean() * 10.0_f64.powf(-gate_lu / 10.0)
    }

    /// All that lies above a mean square.
    fn above(&self, gate: f64) -> Bin {
        let Some(index) = bin_of(gate) else { return self.all };
        let group = index / BINS_A_LU;
        let mut sum = Bin::default();
        for bin in &self.groups[group + 1..] {
            sum.add(*bin);
        }
        for bin in &self.bins[self.first_above(gate, index)..(group + 1) * BINS_A_LU] {
            sum.add(*bin);
        }
        sum
    }

    /// The first bin that counts when the gate stands in bin `index`: that one if most of what
    /// is in it lies above the gate.
    fn first_above(&self, gate: f64, index: usize) -> usize {
        if self.bins[index].mean() > gate { index } else { index + 1 }
    }

    fn loudness_at(&self, rank: u64, gate: f64) -> Option<f64> {
        let first = bin_of(gate).map_or(0, |index| self.first_above(gate, index));
        let mut seen = 0;
        self.bins[first..].iter().find_map(|bin| {
            seen += bin.count;
            (seen > rank).then(|| 10.0 * bin.mean().log10())
        })
    }
}

/// The bin of a mean square, if it is above the absolute gate.
fn bin_of(mean_square: f64) -> Option<usize> {
    if mean_square.is_nan() || mean_square <= 0.0 {
        return None;
    }
    let over_gate = -0.691 + 10.0 * mean_square.log10() - f64::from(ABSOLUTE_GATE.0);
    (over_gate > 0.0).then(|| ((over_gate * BINS_A_LU as f64) as usize).min(BINS - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_square(lufs: f32) -> f64 {
        Lufs(lufs).to_mean_square()
    }

    fn gated_lufs(histogram: &Histogram) -> f32 {
        Lufs::from_mean_square(histogram.gated_mean(10.0)).0
    }

    #[test]
    fn an_empty_histogram_has_no_mean_and_no_range() {
        let histogram = Histogram::new();
        assert_eq!(histogram.gated_mean(10.0), 0.0);
        assert_eq!(histogram.range_lu(20.0), None);
    }

    #[test]
    fn what_lies_at_the_absolute_gate_is_left_out() {
        let mut histogram = Histogram::new();
        assert!(!histogram.add(0.0));
        assert!(!histogram.add(f64::NAN));
        assert!(!histogram.add(mean_square(-70.01)));
        assert!(histogram.add(mean_square(-69.99)));
        assert!(histogram.add(f64::MAX));
    }

    #[test]
    fn the_relative_gate_takes_what_lies_above_it_only() {
        // 100 blocks at -20 and as many at the loudness given: their mean is about -23.
        for (lufs, counts) in [(-32.5, true), (-33.5, false)] {
            let mut histogram = Histogram::new();
            for _ in 0..100 {
                histogram.add(mean_square(-20.0));
                histogram.add(mean_square(lufs));
            }
            let expected = if counts { -22.77 } else { -20.0 };
            let got = gated_lufs(&histogram);
            assert!((got - expected).abs() < 0.02, "{got} with {lufs}");
        }
    }

    #[test]
    fn a_bin_keeps_the_energy_and_not_its_middle() {
        let mut histogram = Histogram::new();
        histogram.add(mean_square(-23.003));
        assert!((gated_lufs(&histogram) + 23.003).abs() < 1e-4);
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let mut histogram = Histogram::new();
        let values: Vec<f32> = (0..=100).map(|n| -30.0 + 0.1 * n as f32).collect();
        for value in &values {
            histogram.add(mean_square(*value));
        }
        let range = histogram.range_lu(20.0).expect("counted");
        assert!((range - 8.5).abs() < 0.03, "{range}");
    }
}
