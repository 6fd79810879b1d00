//! The kernels of the doublings: how many taps each has, for what it is designed, and how far it
//! can overshoot.
//!
//! [`super::design`] computes the taps, once; [`super::kernel`] holds them and [`super::points`]
//! multiplies by them.

use super::design::{Band, least_squares, windowed_sinc};

/// Taps a side of the doublings, and of the shorter of the first two.
pub(crate) const TAPS_SHORT: usize = Reach::Short.taps();
const TAPS_4X: usize = 4;
const TAPS_8X: usize = 2;
const TAPS_16X: usize = 2;
pub(crate) const TAPS_32X: usize = 2;

/// The later doublings reach this many frames further than the first.
pub(crate) const LATER_REACH: usize = 2;

/// How far the detector looks to each side of a point.
///
/// A longer kernel follows content closer to half the sample rate. A burst that alternates in
/// sign from sample to sample, and skips a beat once, reads higher the longer the meter's
/// kernel is (7.6 dB over its samples with 16 samples a side, 10.3 dB with 64); the kernels
/// are weighted to read nearly as high as a meter of twice their length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// 14 samples a side: 16 frames with the later doublings.
    Short,
    /// 24 samples a side.
    Middle,
    /// 32 samples a side.
    Long,
}

impl Reach {
    pub(crate) const fn taps(self) -> usize {
        match self {
            Reach::Short => 14,
            Reach::Middle => 24,
            Reach::Long => 32,
        }
    }

    /// How many frames after a frame must be known before its peak is.
    pub(crate) const fn frames(self) -> usize {
        self.taps() + LATER_REACH
    }

    /// Bands (as fractions of the sample rate) and weights of the least-squares design.
    /// The second band is where the response only needs to be large.
    const fn bands(self) -> [Band; 2] {
        let pass = Band { from: 0.0, to: 0.45, weight: 1.0 };
        let edge = match self {
            Reach::Short => Band { from: 0.45, to: 0.48, weight: 0.003 },
            Reach::Middle => Band { from: 0.45, to: 0.486, weight: 0.01 },
            Reach::Long => Band { from: 0.45, to: 0.496, weight: 0.000_3 },
        };
        [pass, edge]
    }
}

/// Taps of the first doubling.
#[derive(Debug, Clone)]
pub(crate) struct First {
    pub(crate) by_reach: [[f32; Reach::Long.taps()]; 3],
    pub(crate) short: [f32; TAPS_SHORT],
}

/// Taps of the doublings after the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Later {
    pub(crate) to_4x: [f32; TAPS_4X],
    pub(crate) to_8x: [f32; TAPS_8X],
    pub(crate) to_16x: [f32; TAPS_16X],
    pub(crate) to_32x: [f32; TAPS_32X],
}

impl First {
    pub(crate) fn design() -> First {
        let mut first =
            First { by_reach: [[0.0; Reach::Long.taps()]; 3], short: [0.0; TAPS_SHORT] };
        for reach in [Reach::Short, Reach::Middle, Reach::Long] {
            let kernel = &mut first.by_reach[reach as usize][..reach.taps()];
            least_squares(kernel, &reach.bands());
        }
        windowed_sinc(&mut first.short);
        first
    }
}

impl Later {
    pub(crate) fn design() -> Later {
        let mut later = Later {
            to_4x: [0.0; TAPS_4X],
            to_8x: [0.0; TAPS_8X],
            to_16x: [0.0; TAPS_16X],
            to_32x: [0.0; TAPS_32X],
        };
        let upto = |to| [Band { from: 0.0, to, weight: 1.0 }];
        least_squares(&mut later.to_4x, &upto(0.25));
        least_squares(&mut later.to_8x, &upto(0.125));
        least_squares(&mut later.to_16x, &upto(0.0625));
        least_squares(&mut later.to_32x, &upto(0.03125));
        later
    }
}

/// The largest factor by which a point can pass the largest sample around it. Allocates.
pub(crate) fn worst_gain(first: &First, later: &Later) -> f32 {
    let kernels = first.by_reach.iter().map(|taps| &taps[..]).chain([&first.short[..]]);
    kernels.map(|taps| worst_of(taps, later)).fold(1.0, f32::max)
}

/// How far a point can pass the largest sample: the largest sum of magnitudes of all that a
/// single sample contributes to points that are whole frames apart.
fn worst_of(first: &[f32], later: &Later) -> f32 {
    const FRAMES: usize = 2 * (Reach::Long.frames() + 2);
    let mut grid = vec![0.0_f64; FRAMES];
    grid[FRAMES / 2] = 1.0;
    let doublings = [first, &later.to_4x, &later.to_8x, &later.to_16x, &later.to_32x];
    for taps in doublings {
        let at = |index: usize| grid.get(index).copied().unwrap_or(0.0);
        let halfway = |left: usize| {
            let pairs = taps.iter().enumerate().map(|(k, tap)| {
                let before = left.checked_sub(k).map_or(0.0, at);
                f64::from(*tap) * (before + at(left + 1 + k))
            });
            pairs.sum::<f64>()
        };
        grid = (0..grid.len()).flat_map(|left| [at(left), halfway(left)]).collect();
    }
    let points = grid.len() / FRAMES;
    let sums = (0..points)
        .map(|point| grid.iter().skip(point).step_by(points).map(|part| part.abs()).sum::<f64>());
    // A little more, for the roundings of the loops.
    1.001 * sums.fold(1.0, f64::max) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response_db(taps: &[f32], turns: f64) -> f64 {
        let pairs = taps.iter().enumerate().map(|(k, tap)| {
            2.0 * f64::from(*tap) * (core::f64::consts::TAU * turns * (k as f64 + 0.5)).cos()
        });
        20.0 * pairs.sum::<f64>().abs().log10()
    }

    fn largest_error_db(taps: &[f32], up_to: f64) -> f64 {
        let turns = (0..=1_000).map(|step| f64::from(step) / 1_000.0 * up_to);
        turns.map(|turns| response_db(taps, turns).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn every_doubling_is_flat_in_its_band() {
        let first = First::design();
        for (reach, most_db) in [(Reach::Short, 0.12), (Reach::Middle, 0.04), (Reach::Long, 0.01)] {
            let taps = &first.by_reach[reach as usize][..reach.taps()];
            let error_db = largest_error_db(taps, 0.45);
            assert!(error_db < most_db, "{reach:?}: {error_db}");
        }
        let later = Later::design();
        assert!(largest_error_db(&later.to_4x, 0.225) < 0.005);
        assert!(largest_error_db(&later.to_8x, 0.1125) < 0.01);
        assert!(largest_error_db(&later.to_16x, 0.0563) < 0.001);
        assert!(largest_error_db(&later.to_32x, 0.0282) < 0.001);
    }

    #[test]
    fn the_second_kernel_reads_no_more_than_there_is_below_045() {
        let first = First::design();
        for step in 0..=450 {
            let response = response_db(&first.short, f64::from(step) / 1_000.0);
            assert!(response < 0.015, "{step}: {response}");
        }
    }
}
