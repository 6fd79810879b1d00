//! K-weighted power: every channel through the filter of BS.1770, squared, weighted by its
//! position, summed.
//!
//! Called by the bus, whose AGC works on this power, and by [`super::LoudnessMeter`]. Knows
//! nothing of windows, gates and LUFS.

use pulp::{Arch, Simd, WithSimd};

use super::coefficients::Coefficients;
use crate::layout::{Layout, MAX_CHANNELS};
use crate::{MAX_RATE_HZ, MIN_RATE_HZ};

/// Power below this (-300 dB) is none: no sum and no `f32` downstream sees a denormal.
const FLOOR: f64 = 1e-30;
/// Power above this (+200 dB) is this, so that no sum of it overflows.
const CEILING: f64 = 1e20;
/// State below this amplitude is none: what it could still give lies under [`FLOOR`].
const STILL: f64 = 1e-16;
/// State is looked at whenever this many frames have passed. Counted along the stream and not
/// by blocks: the output is the same to the last bit however the host cuts them.
const CHECK_FRAMES: usize = 256;

/// The K-weighting of all channels of a layout, with its state.
///
/// The filters run in `f64`: at 384 kHz the poles of the 38 Hz high-pass stand so near to 1
/// that `f32` state would bury a quiet programme under its own rounding.
#[derive(Debug, Clone)]
pub struct KWeighting {
    arch: Arch,
    rate_hz: u32,
    coefficients: Coefficients,
    /// The planes that count, and what each weighs. LFE is not filtered at all.
    planes: [usize; MAX_CHANNELS],
    weights: [f64; MAX_CHANNELS],
    counted: usize,
    state: State,
    /// Frames until the state is looked at.
    until_check: usize,
}

/// What the filters remember: two samples of input, between the filters, and of output, by
/// lane.
#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    input: [[f64; MAX_CHANNELS]; 2],
    between: [[f64; MAX_CHANNELS]; 2],
    output: [[f64; MAX_CHANNELS]; 2],
}

impl KWeighting {
    /// For this layout at this rate, which is brought into
    /// [`MIN_RATE_HZ`] to [`MAX_RATE_HZ`].
    #[must_use]
    pub fn prepare(rate_hz: u32, layout: &Layout) -> KWeighting {
        let mut planes = [0; MAX_CHANNELS];
        let mut weights = [0.0; MAX_CHANNELS];
        let mut counted = 0;
        for (plane, weight) in layout.weights().into_iter().take(layout.len()).enumerate() {
            if weight > 0.0 {
                planes[counted] = plane;
                weights[counted] = f64::from(weight);
                counted += 1;
            }
        }
        let rate_hz = rate_hz.clamp(MIN_RATE_HZ, MAX_RATE_HZ);
        KWeighting {
            arch: Arch::new(),
            rate_hz,
            coefficients: Coefficients::at(rate_hz),
            planes,
            weights,
            counted,
            state: State::ZERO,
            until_check: CHECK_FRAMES,
        }
    }

    /// Starts anew at another rate, which is brought into
    /// [`MIN_RATE_HZ`] to [`MAX_RATE_HZ`].
    ///
    /// Real-time safe.
    pub fn set_rate(&mut self, rate_hz: u32) {
        let rate_hz = rate_hz.clamp(MIN_RATE_HZ, MAX_RATE_HZ);
        if rate_hz != self.rate_hz {
            self.rate_hz = rate_hz;
            self.coefficients = Coefficients::at(rate_hz);
        }
        self.reset();
    }

    /// Forgets the signal.
    ///
    /// Real-time safe.
    pub fn reset(&mut self) {
        self.state = State::ZERO;
        self.until_check = CHECK_FRAMES;
    }

    /// Writes the channel-weighted, K-weighted power of each frame: the sum over channels of
    /// weight times filtered sample squared. It is 0 or between -300 and +200 dB, whatever
    /// comes in; after a NaN it recovers within 256 frames.
    ///
    /// Takes as many frames as the shortest of `out` and the planes that count has, and leaves
    /// the rest of `out` alone. A plane that is missing makes it write silence.
    ///
    /// Real-time safe.
    pub fn power<P: AsRef<[f32]>>(&mut self, planes: &[P], out: &mut [f32]) {
        let mut lanes: [&[f32]; MAX_CHANNELS] = [&[]; MAX_CHANNELS];
        let mut frames = out.len();
        for (lane, plane) in lanes.iter_mut().zip(&self.planes[..self.counted]) {
            let Some(samples) = planes.get(*plane) else {
                out.fill(0.0);
                return;
            };
            *lane = samples.as_ref();
            frames = frames.min(lane.len());
        }
        let out = &mut out[..frames];
        if self.is_still() && lanes[..self.counted].iter().all(|lane| is_silent(&lane[..frames])) {
            out.fill(0.0);
            self.skip(frames);
            return;
        }
        // Lanes beyond the last channel hear the first again, with no weight.
        for lane in self.counted..MAX_CHANNELS {
            lanes[lane] = lanes[0];
        }
        let arch = self.arch;
        match self.counted {
            0..=2 => arch.dispatch(Run::<2> { weighting: self, lanes: &lanes, out }),
            3..=4 => arch.dispatch(Run::<4> { weighting: self, lanes: &lanes, out }),
            _ => arch.dispatch(Run::<8> { weighting: self, lanes: &lanes, out }),
        }
    }

    fn is_still(&self) -> bool {
        self.counted == 0 || self.state == State::ZERO
    }

    /// Moves on by silent frames with a silent state.
    fn skip(&mut self, frames: usize) {
        let past = frames % CHECK_FRAMES;
        self.until_check = (self.until_check + CHECK_FRAMES - 1 - past) % CHECK_FRAMES + 1;
    }
}

impl State {
    const ZERO: State = State {
        input: [[0.0; MAX_CHANNELS]; 2],
        between: [[0.0; MAX_CHANNELS]; 2],
        output: [[0.0; MAX_CHANNELS]; 2],
    };

    /// Makes a state that has died away, or is no number, an exact zero: a decaying tail never
    /// reaches the denormals, and a NaN does not stay.
    fn settle(&mut self) {
        let all = [&self.input, &self.between, &self.output];
        let values = || all.iter().flat_map(|two| two.iter().flatten());
        if values().all(|y| y.abs() < STILL) || !values().all(|y| y.is_finite()) {
            *self = State::ZERO;
        }
    }
}

fn is_silent(plane: &[f32]) -> bool {
    plane.iter().all(|x| *x == 0.0)
}

/// A block in `N` lanes.
struct Run<'a, const N: usize> {
    weighting: &'a mut KWeighting,
    lanes: &'a [&'a [f32]; MAX_CHANNELS],
    out: &'a mut [f32],
}

impl<const N: usize> WithSimd for Run<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Run { weighting, lanes, out } = self;
        let frames = out.len();
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + weighting.until_check);
            let lanes: [&[f32]; N] = std::array::from_fn(|lane| &lanes[lane][at..end]);
            // Without FMA in hardware `mul_add` is a call into the C library.
            if S::IS_SCALAR {
                weighting.filter::<N>(&lanes, &mut out[at..end], |a, b, c| a * b + c);
            } else {
                weighting.filter::<N>(&lanes, &mut out[at..end], f64::mul_add);
            }
            weighting.until_check -= end - at;
            if weighting.until_check == 0 {
                weighting.until_check = CHECK_FRAMES;
                weighting.state.settle();
            }
            at = end;
        }
    }
}

impl KWeighting {
    /// Both filters in direct form I: from one output to the next is a single multiply-add.
    #[inline(always)]
    fn filter<const N: usize>(
        &mut self,
        lanes: &[&[f32]; N],
        out: &mut [f32],
        mul_add: impl Fn(f64, f64, f64) -> f64 + Copy,
    ) {
        let Coefficients { shelf_b, shelf_a, high_a } = self.coefficients;
        let weights: [f64; N] = first(&self.weights);
        let mut x1: [f64; N] = first(&self.state.input[0]);
        let mut x2: [f64; N] = first(&self.state.input[1]);
        let mut v1: [f64; N] = first(&self.state.between[0]);
        let mut v2: [f64; N] = first(&self.state.between[1]);
        let mut y1: [f64; N] = first(&self.state.output[0]);
        let mut y2: [f64; N] = first(&self.state.output[1]);
        let frames = out.len();
        let lanes: [&[f32]; N] = std::array::from_fn(|lane| &lanes[lane][..frames]);
        for (n, power) in out.iter_mut().enumerate() {
            let mut sum = [0.0; N];
            for lane in 0..N {
                let x = f64::from(lanes[lane][n]);
                let fed = mul_add(shelf_b[2], x2[lane], -shelf_a[1] * v2[lane]);
                let fed = mul_add(shelf_b[1], x1[lane], fed);
                let fed = mul_add(shelf_b[0], x, fed);
                let v = mul_add(-shelf_a[0], v1[lane], fed);
                let fed = mul_add(-high_a[1], y2[lane], v2[lane]);
                let fed = mul_add(-2.0, v1[lane], fed) + v;
                let y = mul_add(-high_a[0], y1[lane], fed);
                (x2[lane], x1[lane]) = (x1[lane], x);
                (v2[lane], v1[lane]) = (v1[lane], v);
                (y2[lane], y1[lane]) = (y1[lane], y);
                sum[lane] = weights[lane] * y * y;
            }
            let total = sum.iter().sum::<f64>();
            *power = if total > FLOOR { total.min(CEILING) as f32 } else { 0.0 };
        }
        self.state.input[0][..N].copy_from_slice(&x1);
        self.state.input[1][..N].copy_from_slice(&x2);
        self.state.between[0][..N].copy_from_slice(&v1);
        self.state.between[1][..N].copy_from_slice(&v2);
        self.state.output[0][..N].copy_from_slice(&y1);
        self.state.output[1][..N].copy_from_slice(&y2);
    }
}

#[inline(always)]
fn first<const N: usize>(all: &[f64; MAX_CHANNELS]) -> [f64; N] {
    std::array::from_fn(|lane| all[lane])
}
