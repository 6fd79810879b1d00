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
/// State below this amplitude (-320 dB) is none: what it could still give, no meter shows.
const STILL: f64 = 1e-16;
/// State is looked at whenever this many frames have passed. Counted along the stream and not
/// by blocks: the output is the same to the last bit however the host cuts them.
const CHECK_FRAMES: usize = 64;

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
    /// comes in; after a NaN it recovers within milliseconds.
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
    // In chunks without an early way out: they become vectors, single samples would not.
    plane.chunks(64).all(|chunk| chunk.iter().fold(true, |silent, x| silent & (*x == 0.0)))
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
        let mut rows = [[0.0; N]; CHECK_FRAMES];
        while at < frames {
            let count = weighting.until_check.min(frames - at);
            let rows = &mut rows[..count];
            for (lane, plane) in lanes.iter().take(N).enumerate() {
                for (row, x) in rows.iter_mut().zip(&plane[at..]) {
                    row[lane] = f64::from(*x);
                }
            }
            // Without FMA in hardware `mul_add` is a call into the C library.
            if S::IS_SCALAR {
                weighting.filter(rows, |a, b, c| a * b + c);
            } else {
                weighting.filter(rows, f64::mul_add);
            }
            for (power, row) in out[at..].iter_mut().zip(&*rows) {
                let total = row.iter().sum::<f64>();
                // Says no to NaN as well.
                *power = if total > FLOOR { total.min(CEILING) } else { 0.0 } as f32;
            }
            at += count;
            weighting.until_check -= count;
            if weighting.until_check == 0 {
                weighting.until_check = CHECK_FRAMES;
                weighting.state.settle();
            }
        }
    }
}

impl KWeighting {
    /// Turns rows of samples into rows of weighted squares.
    ///
    /// Both filters in direct form I: from one output to the next is a single multiply-add.
    #[inline(always)]
    fn filter<const N: usize>(
        &mut self,
        rows: &mut [[f64; N]],
        mul_add: impl Fn(f64, f64, f64) -> f64 + Copy,
    ) {
        let Coefficients { shelf_b, shelf_a, high_a } = self.coefficients;
        let weights: [f64; N] = first(&self.weights);
        let [mut x1, mut x2]: [[f64; N]; 2] = self.state.input.each_ref().map(first);
        let [mut v1, mut v2]: [[f64; N]; 2] = self.state.between.each_ref().map(first);
        let [mut y1, mut y2]: [[f64; N]; 2] = self.state.output.each_ref().map(first);
        for row in rows {
            for lane in 0..N {
                let x = row[lane];
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
                row[lane] = weights[lane] * y * y;
            }
        }
        let State { input, between, output } = &mut self.state;
        for (kept, now) in [(input, [x1, x2]), (between, [v1, v2]), (output, [y1, y2])] {
            for (kept, now) in kept.iter_mut().zip(now) {
                kept[..N].copy_from_slice(&now);
            }
        }
    }
}

#[inline(always)]
fn first<const N: usize>(all: &[f64; MAX_CHANNELS]) -> [f64; N] {
    std::array::from_fn(|lane| all[lane])
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_signals::variety::{Band, random_signal};
    use headroom_signals::{Programme, noise, tone};

    fn power_in_blocks(rate_hz: u32, programme: &Programme, blocks: &[usize]) -> Vec<f32> {
        let layout = Layout::usual(programme.channels.len()).expect("up to 8");
        let mut weighting = KWeighting::prepare(rate_hz, &layout);
        let mut out = vec![f32::NAN; programme.frames()];
        let mut at = 0;
        for frames in blocks.iter().cycle() {
            let end = programme.frames().min(at + frames);
            let planes: Vec<&[f32]> = programme.channels.iter().map(|p| &p[at..end]).collect();
            weighting.power(&planes, &mut out[at..end]);
            at = end;
            if at == programme.frames() {
                return out;
            }
        }
        out
    }

    #[test]
    fn the_power_is_bit_exact_however_the_blocks_are_cut() {
        for channels in [1, 2, 3, 5, 6, 8] {
            let sound = random_signal(48_000, channels, 0.2, Band::Unlimited, 5);
            let gap = Programme::silence(48_000, channels, 0.5);
            let sound = sound.clone().then(&gap).then(&sound.gain_db(-200.0)).then(&gap);
            let whole = power_in_blocks(48_000, &sound, &[usize::MAX / 2]);
            for blocks in [&[1][..], &[64], &[1, 0, 333, 7, 1_024], &[65, 1_023]] {
                let cut = power_in_blocks(48_000, &sound, blocks);
                assert!(cut == whole, "{channels} channels in blocks of {blocks:?}");
            }
        }
    }

    #[test]
    fn after_a_sound_the_state_becomes_exactly_silent() {
        let mut weighting = KWeighting::prepare(48_000, &Layout::STEREO);
        let sound = noise::white(48_000, 2, 0.1, 1);
        let silence = Programme::silence(48_000, 2, 0.5);
        let mut out = vec![0.0; 24_000];
        weighting.power(&sound.channels, &mut out[..4_800]);
        assert!(!weighting.is_still());
        weighting.power(&silence.channels, &mut out);
        assert!(weighting.is_still());
        assert!(out.iter().all(|power| *power == 0.0 || *power >= FLOOR as f32));
    }

    #[test]
    fn a_tail_that_decays_to_denormals_leaves_no_denormal() {
        let mut weighting = KWeighting::prepare(48_000, &Layout::MONO);
        let mut out = [0.0; 1_000];
        for exponent in (-45..-5).rev() {
            let plane = [10.0_f32.powi(exponent); 1_000];
            weighting.power(&[plane], &mut out);
            assert!(out.iter().all(|power| *power == 0.0 || power.is_normal()));
            let State { input, between, output } = weighting.state;
            let mut state = [input, between, output].into_iter().flatten().flatten();
            assert!(state.all(|y| y == 0.0 || y.abs() > 1e-60), "{exponent}");
        }
    }

    #[test]
    fn nothing_that_comes_in_makes_the_power_infinite_and_a_nan_passes() {
        let mut weighting = KWeighting::prepare(48_000, &Layout::STEREO);
        let mut out = [0.0; CHECK_FRAMES];
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
            let plane = [bad; CHECK_FRAMES];
            weighting.power(&[plane, plane], &mut out);
            assert!(out.iter().all(|power| power.is_finite()), "{bad}");
        }
        weighting.reset();
        weighting.power(&[[f32::NAN; CHECK_FRAMES]; 2], &mut out);
        let sine = tone::sine(48_000, 2, 0.1, 1_000.0, 0.0);
        let mut after = vec![0.0; sine.frames()];
        weighting.power(&sine.channels, &mut after);
        let mean = after[2_400..].iter().sum::<f32>() / 2_400.0;
        assert!((mean - 1.17).abs() < 0.02, "{mean}");
    }

    #[test]
    fn a_low_sine_at_a_high_rate_is_not_lost_in_rounding() {
        // 25 Hz at -120 dBFS: its power against the same sine at full scale.
        for rate_hz in [48_000, 192_000, 384_000] {
            let mean = |peak_dbfs: f64| {
                let sine = tone::sine(rate_hz, 1, 2.0, 25.0, peak_dbfs);
                let power = power_in_blocks(rate_hz, &sine, &[1_024]);
                let tail = &power[rate_hz as usize..];
                tail.iter().map(|p| f64::from(*p)).sum::<f64>() / tail.len() as f64
            };
            let error_db = 10.0 * (mean(-120.0) / mean(0.0)).log10() + 120.0;
            assert!(error_db.abs() < 0.001, "{rate_hz}: {error_db}");
        }
    }

    #[test]
    fn lfe_is_not_heard_and_a_missing_plane_is_silence() {
        let mut weighting = KWeighting::prepare(48_000, &Layout::SURROUND_5_1);
        let (silent, loud) = ([0.0_f32; 64], [1.0_f32; 64]);
        let mut out = [1.0; 64];
        weighting.power(&[silent, silent, silent, loud, silent, silent], &mut out);
        assert_eq!(out, [0.0; 64]);
        out = [1.0; 64];
        weighting.power(&[loud, loud], &mut out);
        assert_eq!(out, [0.0; 64]);
    }
}
