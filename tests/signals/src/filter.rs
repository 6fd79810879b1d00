//! The few filters that programmes are shaped with. All in f64, none of them in the product.

use std::f64::consts::{PI, TAU};

/// A second-order filter with state, transposed direct form II.
#[derive(Debug, Clone)]
pub struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    /// Band-pass with a gain of 1 at `hz`.
    #[must_use]
    pub fn band_pass(rate_hz: u32, hz: f64, bandwidth_hz: f64) -> Biquad {
        let (sin, cos) = angle(rate_hz, hz).sin_cos();
        let alpha = sin * bandwidth_hz / (2.0 * hz);
        Biquad::normalised([alpha, 0.0, -alpha], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// Low-pass, 12 dB an octave.
    #[must_use]
    pub fn low_pass(rate_hz: u32, hz: f64) -> Biquad {
        let (sin, cos) = angle(rate_hz, hz).sin_cos();
        let alpha = sin * std::f64::consts::FRAC_1_SQRT_2;
        let b = (1.0 - cos) / 2.0;
        Biquad::normalised([b, 2.0 * b, b], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// High-pass, 12 dB an octave.
    #[must_use]
    pub fn high_pass(rate_hz: u32, hz: f64) -> Biquad {
        let (sin, cos) = angle(rate_hz, hz).sin_cos();
        let alpha = sin * std::f64::consts::FRAC_1_SQRT_2;
        let b = f64::midpoint(1.0, cos);
        Biquad::normalised([b, -2.0 * b, b], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    fn normalised(b: [f64; 3], a: [f64; 3]) -> Biquad {
        Biquad { b: b.map(|c| c / a[0]), a: [a[1] / a[0], a[2] / a[0]], state: [0.0; 2] }
    }

    /// The next sample.
    pub fn next(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}

/// What an 8th-order Butterworth high-pass leaves of a plane: for finding a click on a low tone.
#[must_use]
pub fn steep_high_pass(plane: &[f32], rate_hz: u32, hz: f64) -> Vec<f32> {
    let (sin, cos) = angle(rate_hz, hz).sin_cos();
    let mut sections = [1.0, 3.0, 5.0, 7.0].map(|odd| {
        let alpha = sin * (PI * odd / 16.0).cos();
        let b = f64::midpoint(1.0, cos);
        Biquad::normalised([b, -2.0 * b, b], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    });
    let mut through = |x: &f32| sections.iter_mut().fold(f64::from(*x), |x, s| s.next(x)) as f32;
    plane.iter().map(&mut through).collect()
}

/// White noise goes in, pink noise comes out: -3 dB an octave from 10 Hz up.
#[derive(Debug, Clone)]
pub struct Pinking {
    // A one-pole low shelf each: pole, zero, and the state.
    sections: Vec<[f64; 3]>,
}

impl Pinking {
    /// The filter for this rate.
    #[must_use]
    pub fn new(rate_hz: u32) -> Pinking {
        // Poles every three octave halves, a zero half-way to the next: each pair falls by
        // half of what a pole alone would, which ripples by less than 0.5 dB.
        const STEP: f64 = 2.828;
        let mut sections = Vec::new();
        let mut hz = 10.0;
        while hz * STEP.sqrt() < 0.49 * f64::from(rate_hz) {
            let place = |hz: f64| (-TAU * hz / f64::from(rate_hz)).exp();
            sections.push([place(hz), place(hz * STEP.sqrt()), 0.0]);
            hz *= STEP;
        }
        Pinking { sections }
    }

    /// The next sample.
    pub fn next(&mut self, x: f64) -> f64 {
        self.sections.iter_mut().fold(x, |x, [pole, zero, state]| {
            let inner = x + *pole * *state;
            let y = inner - *zero * *state;
            *state = inner;
            y
        })
    }
}

/// Taps of a linear-phase low-pass: flat to `pass`, at least 100 dB down from `stop` on, both
/// as a part of the sample rate. The number of taps is odd.
#[must_use]
pub fn low_pass_taps(pass: f64, stop: f64) -> Vec<f64> {
    const ATTENUATION_DB: f64 = 100.0;
    let beta = 0.1102 * (ATTENUATION_DB - 8.7);
    let half = ((ATTENUATION_DB - 7.95) / (2.285 * TAU * (stop - pass)) / 2.0).ceil() as i64;
    let middle = f64::midpoint(pass, stop);
    let taps = (-half..=half).map(|k| {
        let t = k as f64;
        2.0 * middle * sinc(2.0 * middle * t) * kaiser(t / (half as f64 + 1.0), beta)
    });
    taps.collect()
}

/// `plane` through a linear-phase filter, aligned with it and as long.
#[must_use]
pub fn convolved(plane: &[f32], taps: &[f64]) -> Vec<f32> {
    let half = taps.len() / 2;
    let mut padded = vec![0.0; plane.len() + taps.len()];
    for (to, from) in padded[half..].iter_mut().zip(plane) {
        *to = f64::from(*from);
    }
    let windows = padded.windows(taps.len()).take(plane.len());
    windows.map(|window| dot(window, taps) as f32).collect()
}

/// Sum of products, in eight running sums so that the compiler can keep them in vectors.
#[must_use]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

/// sin(pi x) / (pi x).
#[must_use]
pub fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Kaiser's window at `place`, which runs from -1 to 1.
#[must_use]
pub fn kaiser(place: f64, beta: f64) -> f64 {
    if place.abs() >= 1.0 {
        return 0.0;
    }
    bessel_i0(beta * (1.0 - place * place).sqrt()) / bessel_i0(beta)
}

fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

fn angle(rate_hz: u32, hz: f64) -> f64 {
    TAU * hz / f64::from(rate_hz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steep_high_pass_falls_by_48_db_an_octave_and_is_3_db_down_at_its_corner() {
        for (hz, expected_db) in [(8_000.0, 0.0), (2_000.0, -3.01), (1_000.0, -48.2)] {
            let tone = crate::tone::sine(48_000, 1, 0.5, hz, 0.0);
            let left = steep_high_pass(&tone.channels[0], 48_000, 2_000.0);
            let db = crate::judge::level::rms_db(&left[4_800..]) + 3.01;
            assert!((db - expected_db).abs() < 0.5, "{hz} Hz: {db} dB");
        }
    }

    fn gain_db(taps: &[f64], frequency: f64) -> f64 {
        let half = (taps.len() / 2) as f64;
        let sum: f64 = taps
            .iter()
            .enumerate()
            .map(|(k, t)| t * (TAU * frequency * (k as f64 - half)).cos())
            .sum();
        20.0 * sum.abs().max(1e-12).log10()
    }

    #[test]
    fn the_low_pass_is_flat_below_and_dark_above() {
        let taps = low_pass_taps(0.43, 0.45);
        for i in 0..=43 {
            assert!(gain_db(&taps, f64::from(i) / 100.0).abs() < 0.001);
        }
        for i in 450..=500 {
            assert!(gain_db(&taps, f64::from(i) / 1000.0) < -98.0, "{i}");
        }
    }

    #[test]
    fn pinking_falls_by_three_decibels_an_octave() {
        // The impulse response as a spectrum at single frequencies.
        let rate_hz = 48_000;
        let mut pinking = Pinking::new(rate_hz);
        let response: Vec<f64> =
            (0..rate_hz).map(|n| pinking.next(if n == 0 { 1.0 } else { 0.0 })).collect();
        let level_db = |hz: f64| {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, y) in response.iter().enumerate() {
                let (sin, cos) = (TAU * hz * n as f64 / f64::from(rate_hz)).sin_cos();
                re += y * cos;
                im -= y * sin;
            }
            10.0 * (re * re + im * im).log10()
        };
        let reference = level_db(1_000.0);
        for octave in -5..=3 {
            let hz = 1_000.0 * 2.0_f64.powi(octave);
            let expected = reference - 3.0103 * f64::from(octave);
            assert!((level_db(hz) - expected).abs() < 1.0, "{hz} Hz: {}", level_db(hz) - reference);
        }
    }
}
