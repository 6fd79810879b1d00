//! The waveform between the samples: kernels, and who looks with them.
//!
//! Stands below [`super::detector`] and [`super::core`], which say where in their history to
//! look; the loops are in [`super::points`]. Knows nothing of ceilings, channels or gains.
//!
//! The sample rate is doubled again and again, each time by a symmetric kernel that only
//! computes the points in the middle: the first doubling needs a long kernel, since the
//! content comes close to half the sample rate; the later ones need 4, 2 and 2 taps a side.
//! That is a third of the work of one long kernel for every point, and just as exact.
//!
//! What a meter reads of content near half the sample rate depends on the length of its
//! kernel, and neither a longer nor a shorter one always reads more: white noise that is held
//! under a ceiling by a long kernel alone passes it by 0.9 dB for a meter with 16 samples a
//! side. So everything is looked at by two kernels, and the larger reading counts; for content
//! below 0.45 of the sample rate they agree.

use pulp::Arch;

use super::design::{Band, least_squares, windowed_sinc};
use super::lanes::{Baseline, Lanes, MOST_LANES};
use super::points::{LATER_REACH, Planes};
use crate::params::Oversample;

/// Frames that are looked at in one go; a longer block is cut.
pub(crate) const CHUNK_FRAMES: usize = 256;

/// What a buffer must hold behind its last frame, since vectors are always whole.
pub(crate) const SLACK_FRAMES: usize = 5 * MOST_LANES;

/// Taps a side of the doublings, and of the shorter of the first two.
pub(crate) const TAPS_SHORT: usize = Reach::Short.taps();
const TAPS_4X: usize = 4;
const TAPS_8X: usize = 2;
const TAPS_16X: usize = 2;
pub(crate) const TAPS_32X: usize = 2;

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
    const fn taps(self) -> usize {
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

/// Interpolates and takes the largest magnitude of every frame.
#[derive(Debug, Clone)]
pub(crate) struct Interpolator {
    arch: Arch,
    first: First,
    later: Later,
    worst_gain: f32,
    planes: Box<Planes>,
}

/// Taps of the first doubling.
#[derive(Debug, Clone)]
struct First {
    by_reach: [[f32; Reach::Long.taps()]; 3],
    short: [f32; TAPS_SHORT],
}

/// Taps of the doublings after the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Later {
    pub(crate) to_4x: [f32; TAPS_4X],
    pub(crate) to_8x: [f32; TAPS_8X],
    pub(crate) to_16x: [f32; TAPS_16X],
    pub(crate) to_32x: [f32; TAPS_32X],
}

/// Whether a chunk's peaks replace what is in `out` or are joined with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// The first channel.
    Replace,
    /// A further channel under the same gain.
    Largest,
}

impl Interpolator {
    /// Designs the kernels. Allocates.
    pub(crate) fn prepare() -> Interpolator {
        let mut first =
            First { by_reach: [[0.0; Reach::Long.taps()]; 3], short: [0.0; TAPS_SHORT] };
        for reach in [Reach::Short, Reach::Middle, Reach::Long] {
            let kernel = &mut first.by_reach[reach as usize][..reach.taps()];
            least_squares(kernel, &reach.bands());
        }
        windowed_sinc(&mut first.short);
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
        let kernels = first.by_reach.iter().map(|taps| &taps[..]).chain([&first.short[..]]);
        let worst_gain = kernels.map(|taps| worst_gain(taps, &later)).fold(1.0, f32::max);
        let planes = Box::new(Planes::new());
        Interpolator { arch: Arch::new(), first, later, worst_gain, planes }
    }

    /// The largest factor by which a point can pass the largest sample around it.
    pub(crate) fn worst_gain(&self) -> f32 {
        self.worst_gain
    }

    /// Writes to `out[i]` the largest magnitude from frame `at + i` of `samples` up to the next
    /// frame. Reads `reach.frames()` on each side and up to [`SLACK_FRAMES`] more behind,
    /// whose values do not matter.
    pub(crate) fn peaks(
        &mut self,
        samples: &[f32],
        at: usize,
        reach: Reach,
        oversample: Oversample,
        join: Join,
        out: &mut [f32],
    ) {
        debug_assert!(out.len() <= CHUNK_FRAMES);
        let count = out.len();
        let Interpolator { arch, first, later, planes, .. } = self;
        let job = Job { first, later, planes, samples, at, reach, oversample, count };
        match *arch {
            #[cfg(target_arch = "x86_64")]
            Arch::V3(simd) => simd.vectorize(WithAvx2(simd, job)),
            _ => job.run(Baseline),
        }
        let peaks = &planes.peaks()[..count];
        match join {
            Join::Replace => out.copy_from_slice(peaks),
            Join::Largest => {
                for (out, peak) in out.iter_mut().zip(peaks) {
                    *out = if *peak > *out { *peak } else { *out };
                }
            }
        }
    }
}

/// A job that is compiled for AVX2 and fused multiply-add.
#[cfg(target_arch = "x86_64")]
struct WithAvx2<'a>(pulp::x86::V3, Job<'a>);

#[cfg(target_arch = "x86_64")]
impl pulp::NullaryFnOnce for WithAvx2<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.1.run(self.0);
    }
}

/// A chunk to look at.
struct Job<'a> {
    first: &'a First,
    later: &'a Later,
    planes: &'a mut Planes,
    samples: &'a [f32],
    at: usize,
    reach: Reach,
    oversample: Oversample,
    count: usize,
}

impl Job<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        match self.reach {
            Reach::Short => self.run_reach::<L, { Reach::Short.taps() }>(lanes),
            Reach::Middle => self.run_reach::<L, { Reach::Middle.taps() }>(lanes),
            Reach::Long => self.run_reach::<L, { Reach::Long.taps() }>(lanes),
        }
    }

    #[inline(always)]
    fn run_reach<L: Lanes, const TAPS: usize>(self, lanes: L) {
        let Job { first, later, planes, samples, at, reach, oversample, count } = self;
        let taps = &first.by_reach[reach as usize];
        planes.double::<L, TAPS>(lanes, taps, &first.short, samples, at, count);
        match oversample {
            Oversample::X4 => planes.find_peaks::<L, 8, 0>(lanes, later, count),
            Oversample::X8 => planes.find_peaks::<L, 16, 8>(lanes, later, count),
            Oversample::X16 => planes.find_peaks::<L, 32, 16>(lanes, later, count),
        }
    }
}

/// How far a point can pass the largest sample: the largest sum of magnitudes of all that a
/// single sample contributes to points that are whole frames apart.
fn worst_gain(first: &[f32], later: &Later) -> f32 {
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
        let interpolator = Interpolator::prepare();
        for (reach, most_db) in [(Reach::Short, 0.12), (Reach::Middle, 0.04), (Reach::Long, 0.01)] {
            let taps = &interpolator.first.by_reach[reach as usize][..reach.taps()];
            let error_db = largest_error_db(taps, 0.45);
            assert!(error_db < most_db, "{reach:?}: {error_db}");
        }
        let later = interpolator.later;
        assert!(largest_error_db(&later.to_4x, 0.225) < 0.005);
        assert!(largest_error_db(&later.to_8x, 0.1125) < 0.01);
        assert!(largest_error_db(&later.to_16x, 0.0563) < 0.001);
        assert!(largest_error_db(&later.to_32x, 0.0282) < 0.001);
    }

    #[test]
    fn the_second_kernel_reads_no_more_than_there_is_below_045() {
        let interpolator = Interpolator::prepare();
        for step in 0..=450 {
            let response = response_db(&interpolator.first.short, f64::from(step) / 1_000.0);
            assert!(response < 0.015, "{step}: {response}");
        }
    }

    #[test]
    fn nothing_passes_the_worst_gain_and_a_matched_burst_comes_near() {
        let mut interpolator = Interpolator::prepare();
        let (before, after) = (100, 100);
        for reach in [Reach::Short, Reach::Middle, Reach::Long] {
            let burst: Vec<f32> = (0..before + after + SLACK_FRAMES)
                .map(|n| if (n % 2 == 0) == (n < before) { 1.0 } else { -1.0 })
                .collect();
            let mut peaks = [0.0; 8];
            let at = before - 4;
            let join = Join::Replace;
            interpolator.peaks(&burst, at, reach, Oversample::X16, join, &mut peaks);
            let peak = peaks.iter().fold(0.0, |a: f32, b| a.max(*b));
            let worst = interpolator.worst_gain();
            assert!(peak <= worst, "{reach:?}: {peak}");
            assert!(reach != Reach::Long || peak > 0.98 * worst, "{peak} of {worst}");
        }
    }

    #[test]
    fn both_kinds_of_lanes_find_the_same_peaks() {
        let samples: Vec<f32> = (0..400_u32).map(|n| ((n * n) as f32 * 0.37).sin() * 0.8).collect();
        let mut fast = Interpolator::prepare();
        let mut plain = Interpolator { arch: Arch::Scalar, ..fast.clone() };
        for oversample in [Oversample::X4, Oversample::X8, Oversample::X16] {
            for reach in [Reach::Short, Reach::Middle, Reach::Long] {
                let (mut a, mut b) = ([0.0; 201], [0.0; 201]);
                fast.peaks(&samples, 80, reach, oversample, Join::Replace, &mut a);
                plain.peaks(&samples, 80, reach, oversample, Join::Replace, &mut b);
                for (a, b) in a.iter().zip(&b) {
                    assert!((a - b).abs() < 1e-5, "{reach:?} {oversample:?}: {a} {b}");
                }
            }
        }
    }
}
