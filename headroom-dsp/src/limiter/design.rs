//! Taps of the kernels that compute the point halfway between two samples.
//!
//! Called by [`super::kernel`], once. All of it is in f64.

/// The most pairs of taps that a kernel has.
pub(crate) const MOST_TAPS: usize = 32;

/// Frequencies, as parts of the sample rate, and how much an error in them weighs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Band {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) weight: f64,
}

/// Least squares: the symmetric kernel that computes the point in the middle between samples
/// with a response as near to 1 as `taps.len()` pairs can in the bands. Tap 0 is the inner pair.
pub(crate) fn least_squares(taps: &mut [f32], bands: &[Band]) {
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
    let mut rows = [[0.0_f64; MOST_TAPS + 1]; MOST_TAPS];
    for (i, row) in rows.iter_mut().enumerate().take(count) {
        for (j, value) in row.iter_mut().enumerate().take(count) {
            *value = over_bands(i as f64 - j as f64) + over_bands((i + j + 1) as f64);
        }
        row[MOST_TAPS] = over_bands(i as f64 + 0.5);
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
    let mut solution = [0.0_f64; MOST_TAPS];
    for i in (0..count).rev() {
        let known: f64 = (i + 1..count).map(|j| rows[i][j] * solution[j]).sum();
        solution[i] = (rows[i][MOST_TAPS] - known) / rows[i][i];
    }
    for (tap, value) in taps.iter_mut().zip(solution) {
        *tap = value as f32;
    }
}

/// The inner half of a sinc between samples, under a Kaiser window.
pub(crate) fn windowed_sinc(taps: &mut [f32]) {
    /// Wide enough to read what a meter of this length reads near half the sample rate.
    const BETA: f64 = 6.0;
    let bessel = |x: f64| {
        let (mut sum, mut term) = (1.0, 1.0);
        for k in 1..40 {
            term *= (x / (2.0 * f64::from(k))).powi(2);
            sum += term;
        }
        sum
    };
    let reach = taps.len() as f64;
    for (k, tap) in taps.iter_mut().enumerate() {
        let distance = k as f64 + 0.5;
        let turn = core::f64::consts::PI * distance;
        let window = bessel(BETA * (1.0 - (distance / reach).powi(2)).sqrt()) / bessel(BETA);
        *tap = (turn.sin() / turn * window) as f32;
    }
}
