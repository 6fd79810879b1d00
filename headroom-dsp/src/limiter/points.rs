//! The points between the samples, by doubling the rate again and again.
//!
//! Called by [`super::kernel`], which owns the taps and the planes. Every vector lane is a
//! frame of its own; a plane holds one place between two samples for all frames of a chunk,
//! and the eight planes of a grid stand in the order of the eighths, so that every point is
//! at a constant distance from every other.

use super::lanes::{Lanes, MOST_LANES};
use super::taps::{LATER_REACH, Later, TAPS_32X, TAPS_SHORT};

/// Frames that are looked at in one go; a longer block is cut.
pub(crate) const CHUNK_FRAMES: usize = 256;

/// What a buffer must hold behind its last frame, since vectors are always whole.
pub(crate) const SLACK_FRAMES: usize = 5 * MOST_LANES;

/// Vectors that the first doubling works on at once.
const WIDE: usize = 4;
/// Frames of a plane in front of the first one asked for.
const MARGIN: usize = 4;
const PLANE: usize = MARGIN + CHUNK_FRAMES + (WIDE + 1) * MOST_LANES;
const EIGHTHS: usize = 8;
/// What the loops see of a grid: all that is within 2 frames of a vector of frames.
const SPAN: usize = (EIGHTHS - 1) * PLANE + MOST_LANES + 2 * LATER_REACH;

/// What a chunk is made into.
#[derive(Debug, Clone)]
pub(crate) struct Planes {
    long: [f32; EIGHTHS * PLANE],
    short: [f32; EIGHTHS * PLANE],
    peaks: [f32; PLANE],
}

impl Planes {
    pub(crate) fn new() -> Planes {
        let grid = [0.0; EIGHTHS * PLANE];
        Planes { long: grid, short: grid, peaks: [0.0; PLANE] }
    }

    /// The largest magnitude of each frame of the chunk, as far as the last call found it.
    pub(crate) fn peaks(&self) -> &[f32; PLANE] {
        &self.peaks
    }

    /// The points halfway between samples by both kernels, from 2 frames before `at` on.
    ///
    /// `samples` is read `TAPS + 2` frames to each side of the `count` frames, and further
    /// behind by what rounding up to whole vectors takes.
    #[inline(always)]
    pub(crate) fn double<L: Lanes, const TAPS: usize>(
        &mut self,
        lanes: L,
        taps: &[f32],
        short: &[f32; TAPS_SHORT],
        samples: &[f32],
        at: usize,
        count: usize,
    ) {
        let taps = &taps[..TAPS];
        let count = count + 2 * LATER_REACH;
        let first = MARGIN - LATER_REACH;
        let copied = &samples[at - LATER_REACH..at - LATER_REACH + count + 1];
        self.long[first..first + count + 1].copy_from_slice(copied);
        self.short[first..first + count + 1].copy_from_slice(copied);
        let mut done = 0;
        while done < count {
            let frame = at + done - LATER_REACH;
            let around = &samples[frame + 1 - TAPS..frame + TAPS + WIDE * L::COUNT];
            let mut sums = [lanes.splat(0.0); WIDE];
            let mut sums_short = [lanes.splat(0.0); WIDE];
            for k in 0..TAPS {
                let tap = lanes.splat(taps[k]);
                let before = &around[TAPS - 1 - k..TAPS - 1 - k + WIDE * L::COUNT];
                let after = &around[TAPS + k..TAPS + k + WIDE * L::COUNT];
                for i in 0..WIDE {
                    let pair = lanes.add(
                        lanes.load(&before[i * L::COUNT..(i + 1) * L::COUNT]),
                        lanes.load(&after[i * L::COUNT..(i + 1) * L::COUNT]),
                    );
                    sums[i] = lanes.mul_add(tap, pair, sums[i]);
                    if k < TAPS_SHORT {
                        let tap = lanes.splat(short[k]);
                        sums_short[i] = lanes.mul_add(tap, pair, sums_short[i]);
                    }
                }
            }
            let place = 4 * PLANE + first + done;
            for i in 0..WIDE {
                lanes.store(sums[i], &mut self.long[place + i * L::COUNT..]);
                lanes.store(sums_short[i], &mut self.short[place + i * L::COUNT..]);
            }
            done += WIDE * L::COUNT;
        }
    }

    /// Peaks of `count` frames from the points of the long kernel, `POINTS` a frame, and those
    /// of the short one, `SHORT_POINTS` a frame (0: not looked at).
    #[inline(always)]
    pub(crate) fn find_peaks<L: Lanes, const POINTS: usize, const SHORT_POINTS: usize>(
        &mut self,
        lanes: L,
        later: &Later,
        count: usize,
    ) {
        self.peaks[..count].fill(0.0);
        fill_eighths(lanes, later, &mut self.long, count);
        take_peaks::<L, POINTS>(lanes, later, &self.long, &mut self.peaks, count);
        if SHORT_POINTS > 0 {
            fill_eighths(lanes, later, &mut self.short, count);
            take_peaks::<L, SHORT_POINTS>(lanes, later, &self.short, &mut self.peaks, count);
        }
    }
}

/// Where the point `eighth` eighths of a frame from a frame's sample is, seen from the
/// frame that is 2 frames before.
const fn place(eighth: isize) -> usize {
    let eighth = eighth + (LATER_REACH * EIGHTHS) as isize;
    (eighth as usize % EIGHTHS) * PLANE + eighth as usize / EIGHTHS
}

#[inline(always)]
fn point<L: Lanes>(lanes: L, span: &[f32; SPAN], eighth: isize) -> L::Vector {
    let at = place(eighth);
    lanes.load(&span[at..at + L::COUNT])
}

/// The point halfway of pairs of points, the inner pair first.
#[inline(always)]
fn halfway<L: Lanes, const TAPS: usize>(
    lanes: L,
    taps: &[f32; TAPS],
    pairs: [(L::Vector, L::Vector); TAPS],
) -> L::Vector {
    let mut sum = lanes.splat(0.0);
    let mut k = 0;
    while k < TAPS {
        sum = lanes.mul_add(lanes.splat(taps[k]), lanes.add(pairs[k].0, pairs[k].1), sum);
        k += 1;
    }
    sum
}

/// Points of a grid that stand `apart` eighths apart from each other, around `eighth`.
#[inline(always)]
fn between<L: Lanes, const TAPS: usize>(
    lanes: L,
    taps: &[f32; TAPS],
    span: &[f32; SPAN],
    eighth: isize,
    apart: isize,
) -> L::Vector {
    let mut pairs = [(lanes.splat(0.0), lanes.splat(0.0)); TAPS];
    let mut k = 0;
    while k < TAPS {
        let distance = apart / 2 + k as isize * apart;
        pairs[k].0 = point(lanes, span, eighth - distance);
        pairs[k].1 = point(lanes, span, eighth + distance);
        k += 1;
    }
    halfway(lanes, taps, pairs)
}

/// The point after an eighth, halfway to the next.
#[inline(always)]
fn sixteenth<L: Lanes>(lanes: L, later: &Later, span: &[f32; SPAN], eighth: isize) -> L::Vector {
    let inner = (point(lanes, span, eighth), point(lanes, span, eighth + 1));
    let outer = (point(lanes, span, eighth - 1), point(lanes, span, eighth + 2));
    halfway(lanes, &later.to_16x, [inner, outer])
}

/// Quarters and odd eighths, from the samples and the points between them.
#[inline(always)]
fn fill_eighths<L: Lanes>(
    lanes: L,
    later: &Later,
    grid: &mut [f32; EIGHTHS * PLANE],
    count: usize,
) {
    // From a frame before the first to a frame after the last.
    for start in (MARGIN - 1..MARGIN + count + 1).step_by(L::COUNT) {
        let Some(span) = grid[start - LATER_REACH..].first_chunk_mut::<SPAN>() else { return };
        for eighth in [2, 6] {
            let vector = between(lanes, &later.to_4x, span, eighth, 4);
            lanes.store(vector, &mut span[place(eighth)..place(eighth) + L::COUNT]);
        }
    }
    for start in (MARGIN - 1..MARGIN + count + 1).step_by(L::COUNT) {
        let Some(span) = grid[start - LATER_REACH..].first_chunk_mut::<SPAN>() else { return };
        for eighth in [1, 3, 5, 7] {
            let vector = between(lanes, &later.to_8x, span, eighth, 2);
            lanes.store(vector, &mut span[place(eighth)..place(eighth) + L::COUNT]);
        }
    }
}

/// Raises `peaks` to the largest of `POINTS` points of each frame, those between the eighths
/// included.
#[inline(always)]
fn take_peaks<L: Lanes, const POINTS: usize>(
    lanes: L,
    later: &Later,
    grid: &[f32; EIGHTHS * PLANE],
    peaks: &mut [f32; PLANE],
    count: usize,
) {
    for start in (0..count).step_by(L::COUNT) {
        let Some(span) = grid[MARGIN + start - LATER_REACH..].first_chunk::<SPAN>() else { return };
        let old = &mut peaks[start..start + L::COUNT];
        let mut peak = lanes.load(old);
        for k in 0..EIGHTHS as isize {
            peak = lanes.peak(peak, point(lanes, span, k));
        }
        if POINTS == 2 * EIGHTHS {
            for k in 0..EIGHTHS as isize {
                peak = lanes.peak(peak, sixteenth(lanes, later, span, k));
            }
        }
        if POINTS == 4 * EIGHTHS {
            let to_32x: &[f32; TAPS_32X] = &later.to_32x;
            let mut before = sixteenth(lanes, later, span, -1);
            let mut middle = sixteenth(lanes, later, span, 0);
            for k in 0..EIGHTHS as isize {
                let (left, right) = (point(lanes, span, k), point(lanes, span, k + 1));
                let after = sixteenth(lanes, later, span, k + 1);
                let first = halfway(lanes, to_32x, [(left, middle), (before, right)]);
                let second = halfway(lanes, to_32x, [(middle, right), (left, after)]);
                peak = lanes.peak(peak, middle);
                peak = lanes.peak(peak, first);
                peak = lanes.peak(peak, second);
                (before, middle) = (middle, after);
            }
        }
        lanes.store(peak, old);
    }
}
