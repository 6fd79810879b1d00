//! How a sample is stored: the output's grid, and the dither for samples that fall off it.

use headroom_dsp::MAX_CHANNELS;

/// How a sample is stored in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Depth {
    /// 32-bit floating point (WAV only).
    #[value(name = "f32", alias = "32f")]
    F32,
    /// 24-bit integers.
    #[value(name = "24", alias = "s24")]
    I24,
    /// 16-bit integers.
    #[value(name = "16", alias = "s16")]
    I16,
}

impl Depth {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Depth::F32 => 4,
            Depth::I24 => 3,
            Depth::I16 => 2,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Depth::F32 => "32-bit float",
            Depth::I24 => "24 bit",
            Depth::I16 => "16 bit",
        }
    }
}

/// Rounds samples to integers of a depth, with triangular dither of one step each way on those
/// that are not on the grid already.
///
/// A stretch that came from a file of this depth and was not touched is written back bit for
/// bit; all else has its rounding error turned into noise. The noise is the same on every run.
#[derive(Debug)]
pub(crate) struct Quantiser {
    steps: f64,
    random: [[u32; LANES]; MAX_CHANNELS],
}

/// Samples that are rounded side by side, each with a generator of its own, so that none
/// waits for the one before it.
const LANES: usize = 8;

impl Quantiser {
    /// A quantiser to 16 or 24 bit; `None` for a depth that has no grid.
    pub(crate) fn to(depth: Depth) -> Option<Quantiser> {
        let steps = match depth {
            Depth::F32 => return None,
            Depth::I24 => 8_388_608.0,
            Depth::I16 => 32_768.0,
        };
        let mut random = [[0; LANES]; MAX_CHANNELS];
        for (seed, lane) in random.as_flattened_mut().iter_mut().zip(1..) {
            *seed = 0x9E37_79B9_u32.wrapping_mul(lane) | 1;
        }
        Some(Quantiser { steps, random })
    }

    /// Appends the integers of one channel's samples.
    pub(crate) fn append(&mut self, channel: usize, samples: &[f32], integers: &mut Vec<i32>) {
        let steps = self.steps;
        let random = &mut self.random[channel];
        let from = integers.len();
        integers.resize(from + samples.len(), 0);
        let (whole, rest) = samples.as_chunks::<LANES>();
        let (out_whole, out_rest) = integers[from..].as_chunks_mut::<LANES>();
        for (samples, out) in whole.iter().zip(out_whole) {
            for ((sample, out), random) in samples.iter().zip(out).zip(random.iter_mut()) {
                *out = quantise(*sample, steps, random);
            }
        }
        for ((sample, out), random) in rest.iter().zip(out_rest).zip(random) {
            *out = quantise(*sample, steps, random);
        }
    }
}

fn quantise(sample: f32, steps: f64, random: &mut u32) -> i32 {
    let scaled = f64::from(sample) * steps;
    // The generator runs for every sample, so that the loop has no branch.
    *random = next_random(*random);
    let on_grid = round(scaled) == scaled;
    let noise = if on_grid { 0.0 } else { triangular(*random) };
    to_integer((scaled + noise).clamp(-steps, steps - 1.0))
}

/// Adding it leaves no room for a fraction, which is rounded off in the way of the processor:
/// to the nearest, and to even in the middle. Several times as fast as calling the C library
/// for every sample, which processors before SSE 4.1 need.
const NO_FRACTION: f64 = 1.5 * (1_u64 << 52) as f64;

fn round(value: f64) -> f64 {
    (value + NO_FRACTION) - NO_FRACTION
}

/// The nearest integer, of a value within the range of one.
fn to_integer(value: f64) -> i32 {
    // The low bits of the sum are the integer, in two's complement.
    (value + NO_FRACTION).to_bits() as i32
}

/// xorshift32.
fn next_random(mut state: u32) -> u32 {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    state
}

/// The sum of two independent uniform values of half a step each way, from the two halves of
/// one random word: triangular over one step each way.
fn triangular(random: u32) -> f64 {
    const HALF_WORD: f64 = 65_536.0;
    // Signed, because processors turn only signed integers into floating point at once.
    let (high, low) = ((random >> 16) as i32, (random & 0xFFFF) as i32);
    f64::from(high + low + 1) / HALF_WORD - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_the_grid_stays_as_it_is() {
        let mut quantiser = Quantiser::to(Depth::I16).expect("a grid");
        let samples: Vec<f32> = (i16::MIN..=i16::MAX).map(|n| f32::from(n) / 32_768.0).collect();
        let mut integers = Vec::new();
        quantiser.append(0, &samples, &mut integers);
        assert!(integers.iter().copied().eq(i32::from(i16::MIN)..=i32::from(i16::MAX)));
    }

    #[test]
    fn what_is_off_the_grid_is_right_on_average_and_within_one_step_and_a_half() {
        let mut quantiser = Quantiser::to(Depth::I16).expect("a grid");
        let mut integers = Vec::new();
        let value = 100.3_f32;
        quantiser.append(0, &vec![value / 32_768.0; 100_000], &mut integers);
        let mean = integers.iter().map(|&n| f64::from(n)).sum::<f64>() / integers.len() as f64;
        assert!((mean - f64::from(value)).abs() < 0.01, "{mean}");
        let spread = integers.iter().map(|&n| (f64::from(n) - mean).powi(2)).sum::<f64>()
            / integers.len() as f64;
        // Triangular dither: a variance of a quarter step squared, whatever the value
        // (1/12 of the rounding and 1/6 of the noise).
        assert!((spread - 0.25).abs() < 0.01, "{spread}");
        assert!(integers.iter().all(|&n| (f64::from(n) - f64::from(value)).abs() <= 1.5));
    }

    #[test]
    fn nothing_wraps_around() {
        let mut quantiser = Quantiser::to(Depth::I24).expect("a grid");
        let mut integers = Vec::new();
        quantiser.append(0, &[1.0, 1.5, -1.0, -1.5, f32::MAX, f32::MIN], &mut integers);
        assert_eq!(integers, [8_388_607, 8_388_607, -8_388_608, -8_388_608, 8_388_607, -8_388_608]);
    }
}
