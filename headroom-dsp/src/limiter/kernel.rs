//! The waveform between the samples, one point in sixteen, many frames at a time.
//!
//! Stands below [`super::detector`] and [`super::core`], which say where in their history to
//! look. Knows nothing of ceilings, channels or gains.
//!
//! The sample rate is doubled again and again, each time by a symmetric kernel that only
//! computes the points in the middle: the first doubling needs a long kernel, since the
//! content comes close to half the sample rate; the later ones need 4, 2 and 2 taps a side.
//! That is a third of the work of one long kernel for every point, and just as exact. Every
//! vector lane is a frame of its own.

use pulp::Arch;

use crate::params::Oversample;

/// Frames that are looked at in one go; a longer block is cut.
pub(crate) const CHUNK_FRAMES: usize = 256;

/// What a buffer must hold behind its last frame, since a tile of lanes is always whole.
pub(crate) const SLACK_FRAMES: usize = 2 * LANES;

const LANES: usize = 16;
/// Frames of a plane in front of the first frame looked at.
const MARGIN: usize = 8;
const PLANE: usize = MARGIN + CHUNK_FRAMES + 3 * LANES;
/// The later doublings reach this many frames further than the first.
const LATER_REACH: usize = 2;

const TAPS_4X: usize = 4;
const TAPS_8X: usize = 2;
const TAPS_16X: usize = 2;
const TAPS_32X: usize = 2;

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
            Reach::Middle => Band { from: 0.45, to: 0.48, weight: 0.01 },
            Reach::Long => Band { from: 0.45, to: 0.49, weight: 0.000_3 },
        };
        [pass, edge]
    }
}

#[derive(Debug, Clone, Copy)]
struct Band {
    from: f64,
    to: f64,
    weight: f64,
}

/// Interpolates and takes the largest magnitude of every frame.
#[derive(Debug, Clone)]
pub(crate) struct Interpolator {
    arch: Arch,
    first: [[f32; Reach::Long.taps()]; 3],
    later: Later,
    planes: Box<Planes>,
}

/// Taps of the doublings after the first.
#[derive(Debug, Clone, Copy)]
struct Later {
    to_4x: [f32; TAPS_4X],
    to_8x: [f32; TAPS_8X],
    to_16x: [f32; TAPS_16X],
    to_32x: [f32; TAPS_32X],
}

/// The points of every frame, one plane per place between two samples, in eighths.
#[derive(Debug, Clone)]
struct Planes {
    half: [f32; PLANE],
    quarter: [f32; PLANE],
    three_quarters: [f32; PLANE],
    eighth: [f32; PLANE],
    three_eighths: [f32; PLANE],
    five_eighths: [f32; PLANE],
    seven_eighths: [f32; PLANE],
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
        let mut first = [[0.0; Reach::Long.taps()]; 3];
        for (kernel, reach) in first.iter_mut().zip([Reach::Short, Reach::Middle, Reach::Long]) {
            design(&mut kernel[..reach.taps()], &reach.bands());
        }
        let mut later = Later {
            to_4x: [0.0; TAPS_4X],
            to_8x: [0.0; TAPS_8X],
            to_16x: [0.0; TAPS_16X],
            to_32x: [0.0; TAPS_32X],
        };
        let upto = |to| [Band { from: 0.0, to, weight: 1.0 }];
        design(&mut later.to_4x, &upto(0.25));
        design(&mut later.to_8x, &upto(0.125));
        design(&mut later.to_16x, &upto(0.0625));
        design(&mut later.to_32x, &upto(0.03125));
        let none = [0.0; PLANE];
        let planes = Box::new(Planes {
            half: none,
            quarter: none,
            three_quarters: none,
            eighth: none,
            three_eighths: none,
            five_eighths: none,
            seven_eighths: none,
        });
        Interpolator { arch: Arch::new(), first, later, planes }
    }

    /// The largest factor by which a point can pass the largest sample around it.
    pub(crate) fn worst_gain(&self) -> f32 {
        let sum = |taps: &[f32]| 2.0 * taps.iter().map(|tap| tap.abs()).sum::<f32>();
        let first = self.first.iter().map(|taps| sum(taps)).fold(1.0, f32::max);
        first
            * sum(&self.later.to_4x)
            * sum(&self.later.to_8x)
            * sum(&self.later.to_16x)
            * sum(&self.later.to_32x)
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
        let job = Job {
            samples,
            at,
            first: &self.first,
            reach,
            later: &self.later,
            oversample,
            join,
            planes: &mut self.planes,
            out,
        };
        match self.arch {
            #[cfg(target_arch = "x86_64")]
            Arch::V3(simd) => simd.vectorize(Fused(job)),
            _ => job.run::<{ cfg!(target_arch = "aarch64") }>(),
        }
    }
}

/// A job where the processor multiplies and adds in one instruction.
struct Fused<'a>(Job<'a>);

impl pulp::NullaryFnOnce for Fused<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.0.run::<true>();
    }
}

struct Job<'a> {
    samples: &'a [f32],
    at: usize,
    first: &'a [[f32; Reach::Long.taps()]; 3],
    reach: Reach,
    later: &'a Later,
    oversample: Oversample,
    join: Join,
    planes: &'a mut Planes,
    out: &'a mut [f32],
}

type Lanes = [f32; LANES];

#[inline(always)]
fn load(plane: &[f32], at: usize) -> Lanes {
    let mut lanes = [0.0; LANES];
    lanes.copy_from_slice(&plane[at..at + LANES]);
    lanes
}

#[inline(always)]
fn mul_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// The point in the middle of the pairs, the inner pair first.
#[inline(always)]
fn middle<const FUSED: bool, const TAPS: usize>(
    taps: &[f32; TAPS],
    pairs: [(&Lanes, &Lanes); TAPS],
) -> Lanes {
    let mut sum = [0.0; LANES];
    for (tap, (a, b)) in taps.iter().zip(pairs) {
        for lane in 0..LANES {
            sum[lane] = mul_add::<FUSED>(*tap, a[lane] + b[lane], sum[lane]);
        }
    }
    sum
}

#[inline(always)]
fn take_largest(peak: &mut Lanes, point: &Lanes) {
    for lane in 0..LANES {
        let magnitude = point[lane].abs();
        // Not `f32::max`: a NaN (two infinities in a kernel) must lose without a further test.
        peak[lane] = if magnitude > peak[lane] { magnitude } else { peak[lane] };
    }
}

impl Job<'_> {
    #[inline(always)]
    fn run<const FUSED: bool>(mut self) {
        match self.reach {
            Reach::Short => self.double::<FUSED, { Reach::Short.taps() }>(&self.first[0].clone()),
            Reach::Middle => self.double::<FUSED, { Reach::Middle.taps() }>(&self.first[1].clone()),
            Reach::Long => self.double::<FUSED, { Reach::Long.taps() }>(&self.first[2].clone()),
        }
        self.to_4x::<FUSED>();
        self.to_8x::<FUSED>();
        match self.oversample {
            Oversample::X4 => self.largest::<FUSED, 8>(),
            Oversample::X8 => self.largest::<FUSED, 16>(),
            Oversample::X16 => self.largest::<FUSED, 32>(),
        }
    }

    /// The points halfway between samples, from 2 frames before the first to 2 after the last.
    #[inline(always)]
    fn double<const FUSED: bool, const TAPS: usize>(&mut self, taps: &[f32]) {
        const WIDE: usize = 2 * LANES;
        let taps = &taps[..TAPS];
        let count = self.out.len() + 4;
        let mut done = 0;
        while done < count {
            let frame = self.at + done - LATER_REACH;
            let around = &self.samples[frame + 1 - TAPS..frame + TAPS + WIDE];
            let mut sum = [0.0; WIDE];
            for (k, tap) in taps.iter().enumerate() {
                let before = &around[TAPS - 1 - k..TAPS - 1 - k + WIDE];
                let after = &around[TAPS + k..TAPS + k + WIDE];
                for lane in 0..WIDE {
                    sum[lane] = mul_add::<FUSED>(*tap, before[lane] + after[lane], sum[lane]);
                }
            }
            let place = MARGIN - LATER_REACH + done;
            self.planes.half[place..place + WIDE].copy_from_slice(&sum);
            done += WIDE;
        }
    }

    /// Quarters, from 1 frame before the first to 1 after the last.
    #[inline(always)]
    fn to_4x<const FUSED: bool>(&mut self) {
        let count = self.out.len() + 2;
        let taps = self.later.to_4x;
        let mut done = 0;
        while done < count {
            let p = MARGIN - 1 + done;
            let x = |offset: usize| load(self.samples, self.at + done + offset - 3);
            let half = |offset: usize| load(&self.planes.half, p + offset - 2);
            let (x_m1, x0, x1, x2) = (x(1), x(2), x(3), x(4));
            let (h_m2, h_m1, h0, h1, h2) = (half(0), half(1), half(2), half(3), half(4));
            let quarter =
                middle::<FUSED, 4>(&taps, [(&x0, &h0), (&h_m1, &x1), (&x_m1, &h1), (&h_m2, &x2)]);
            let three =
                middle::<FUSED, 4>(&taps, [(&h0, &x1), (&x0, &h1), (&h_m1, &x2), (&x_m1, &h2)]);
            self.planes.quarter[p..p + LANES].copy_from_slice(&quarter);
            self.planes.three_quarters[p..p + LANES].copy_from_slice(&three);
            done += LANES;
        }
    }

    /// Odd eighths, from 1 frame before the first to 1 after the last.
    #[inline(always)]
    fn to_8x<const FUSED: bool>(&mut self) {
        let count = self.out.len() + 2;
        let taps = self.later.to_8x;
        let mut done = 0;
        while done < count {
            let p = MARGIN - 1 + done;
            let x0 = load(self.samples, self.at + done - 1);
            let x1 = load(self.samples, self.at + done);
            let q1 = load(&self.planes.quarter, p);
            let q1_next = load(&self.planes.quarter, p + 1);
            let half = load(&self.planes.half, p);
            let q3 = load(&self.planes.three_quarters, p);
            let q3_before = load(&self.planes.three_quarters, p - 1);
            let e1 = middle::<FUSED, 2>(&taps, [(&x0, &q1), (&q3_before, &half)]);
            let e3 = middle::<FUSED, 2>(&taps, [(&q1, &half), (&x0, &q3)]);
            let e5 = middle::<FUSED, 2>(&taps, [(&half, &q3), (&q1, &x1)]);
            let e7 = middle::<FUSED, 2>(&taps, [(&q3, &x1), (&half, &q1_next)]);
            self.planes.eighth[p..p + LANES].copy_from_slice(&e1);
            self.planes.three_eighths[p..p + LANES].copy_from_slice(&e3);
            self.planes.five_eighths[p..p + LANES].copy_from_slice(&e5);
            self.planes.seven_eighths[p..p + LANES].copy_from_slice(&e7);
            done += LANES;
        }
    }

    /// The largest of the points of each frame, with the points between the eighths.
    #[inline(always)]
    fn largest<const FUSED: bool, const POINTS: usize>(&mut self) {
        let (to_16x, to_32x) = (self.later.to_16x, self.later.to_32x);
        let mut rest = &mut self.out[..];
        let mut done = 0;
        while !rest.is_empty() {
            let p = MARGIN + done;
            let planes = &*self.planes;
            // Eighths from two before the frame to two after the next.
            let places: [(&[f32], usize); 13] = [
                (&planes.three_quarters, p - 1),
                (&planes.seven_eighths, p - 1),
                (self.samples, self.at + done),
                (&planes.eighth, p),
                (&planes.quarter, p),
                (&planes.three_eighths, p),
                (&planes.half, p),
                (&planes.five_eighths, p),
                (&planes.three_quarters, p),
                (&planes.seven_eighths, p),
                (self.samples, self.at + done + 1),
                (&planes.eighth, p + 1),
                (&planes.quarter, p + 1),
            ];
            let eighth = |i: usize| load(places[i].0, places[i].1);
            let sixteenth = |i: usize| {
                middle::<FUSED, 2>(
                    &to_16x,
                    [(&eighth(i), &eighth(i + 1)), (&eighth(i - 1), &eighth(i + 2))],
                )
            };
            let mut peak = [0.0; LANES];
            for i in 2..10 {
                take_largest(&mut peak, &eighth(i));
            }
            if POINTS == 16 {
                for i in 2..10 {
                    take_largest(&mut peak, &sixteenth(i));
                }
            }
            if POINTS == 32 {
                let (mut before, mut between) = (sixteenth(1), sixteenth(2));
                for i in 2..10 {
                    let after = sixteenth(i + 1);
                    let (left, right) = (eighth(i), eighth(i + 1));
                    take_largest(&mut peak, &between);
                    let first = middle::<FUSED, 2>(&to_32x, [(&left, &between), (&before, &right)]);
                    let second = middle::<FUSED, 2>(&to_32x, [(&between, &right), (&left, &after)]);
                    take_largest(&mut peak, &first);
                    take_largest(&mut peak, &second);
                    (before, between) = (between, after);
                }
            }
            let width = rest.len().min(LANES);
            let (here, further) = rest.split_at_mut(width);
            match self.join {
                Join::Replace => here.copy_from_slice(&peak[..width]),
                Join::Largest => {
                    for (old, new) in here.iter_mut().zip(&peak) {
                        *old = if *new > *old { *new } else { *old };
                    }
                }
            }
            rest = further;
            done += LANES;
        }
    }
}

/// Least squares: the symmetric kernel that computes the point in the middle between samples
/// with a response as near to 1 as `taps.len()` pairs can in the bands. Tap 0 is the inner pair.
fn design(taps: &mut [f32], bands: &[Band]) {
    const MOST: usize = Reach::Long.taps();
    let count = taps.len();
    // Integral of cos(2 pi f lag) over a band.
    let integral = |lag: f64, band: &Band| {
        let turn = core::f64::consts::TAU * lag;
        if lag == 0.0 {
            band.to - band.from
        } else {
            ((turn * band.to).sin() - (turn * band.from).sin()) / turn
        }
    };
    let over_bands =
        |lag: f64| bands.iter().map(|band| 2.0 * band.weight * integral(lag, band)).sum::<f64>();
    let mut rows = [[0.0_f64; MOST + 1]; MOST];
    for i in 0..count {
        for j in 0..count {
            rows[i][j] = over_bands(i as f64 - j as f64) + over_bands((i + j + 1) as f64);
        }
        rows[i][MOST] = over_bands(i as f64 + 0.5);
    }
    // The matrix is symmetric and positive definite: elimination needs no pivots.
    for i in 0..count {
        let pivot = rows[i];
        for row in rows.iter_mut().take(count).skip(i + 1) {
            let factor = row[i] / pivot[i];
            for (value, above) in row.iter_mut().zip(&pivot).skip(i) {
                *value -= factor * above;
            }
        }
    }
    let mut solution = [0.0_f64; MOST];
    for i in (0..count).rev() {
        let known: f64 = (i + 1..count).map(|j| rows[i][j] * solution[j]).sum();
        solution[i] = (rows[i][MOST] - known) / rows[i][i];
    }
    for (tap, value) in taps.iter_mut().zip(solution) {
        *tap = value as f32;
    }
}
