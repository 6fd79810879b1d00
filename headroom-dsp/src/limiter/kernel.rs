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

use super::lanes::{Baseline, Lanes};
use super::points::{CHUNK_FRAMES, Planes};
use super::taps::{First, Later, Reach, worst_gain};
use crate::params::Oversample;

/// Interpolates and takes the largest magnitude of every frame.
#[derive(Debug, Clone)]
pub(crate) struct Interpolator {
    arch: Arch,
    first: First,
    later: Later,
    worst_gain: f32,
    planes: Box<Planes>,
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
        let (first, later) = (First::design(), Later::design());
        let worst_gain = worst_gain(&first, &later);
        let planes = Box::new(Planes::new());
        Interpolator { arch: Arch::new(), first, later, worst_gain, planes }
    }

    /// The largest factor by which a point can pass the largest sample around it.
    pub(crate) fn worst_gain(&self) -> f32 {
        self.worst_gain
    }

    /// Writes to `out[i]` the largest magnitude from frame `at + i` of `samples` up to the next
    /// frame. Reads `reach.frames()` on each side and up to [`super::points::SLACK_FRAMES`] more behind,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limiter::points::SLACK_FRAMES;

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
