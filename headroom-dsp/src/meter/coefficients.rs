//! The K-weighting filter at any sample rate.
//!
//! BS.1770-5, Annex 1, tables 1 and 2, give it at 48 kHz and ask for the same response at any
//! other rate. The bilinear transform alone misses it by 0.5 dB at 8 kHz: it squeezes the
//! shelf towards half the rate, and the high-pass, whose numerator the standard leaves at
//! 1, -2, 1, changes its gain with the rate. So below 48 kHz the shelf is matched to the
//! standard's response at three frequencies, and the high-pass has the gain of 48 kHz at any
//! rate. What is left is within 0.05 dB from 8 kHz, 0.01 dB from 12 kHz on (see the tests).

use std::f64::consts::PI;

/// Two filters of second order in series. The gain of the high-pass is in the shelf's `b`, and
/// its numerator is 1, -2, 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Coefficients {
    /// Numerator of the shelf.
    pub(super) shelf_b: [f64; 3],
    /// Denominator of the shelf after its 1.
    pub(super) shelf_a: [f64; 2],
    /// Denominator of the high-pass after its 1.
    pub(super) high_a: [f64; 2],
}

/// The rate that the standard gives its coefficients for.
const STANDARD_HZ: f64 = 48_000.0;
const STANDARD_SHELF: Section = Section {
    b: [1.53512485958697, -2.69169619838640, 1.19839281085285],
    a: [-1.69065929318241, 0.73248077421585],
};
const STANDARD_HIGH_A: [f64; 2] = [-1.99004745483398, 0.99007225036621];

/// What the bilinear transform makes the standard's coefficients from.
const SHELF_HZ: f64 = 1_681.974_450_955_533;
const SHELF_Q: f64 = 0.707_175_236_955_419_6;
const SHELF_GAIN: f64 = 1.584_864_701_130_855;
const SHELF_MIDDLE_GAIN: f64 = 1.258_720_930_232_562;
const HIGH_HZ: f64 = 38.135_470_876_024_44;
const HIGH_Q: f64 = 0.500_327_037_323_877_3;

impl Coefficients {
    /// The filter at this rate.
    ///
    /// Real-time safe: no loop, no allocation.
    pub(super) fn at(rate_hz: u32) -> Coefficients {
        let rate_hz = f64::from(rate_hz);
        let shelf = if rate_hz < STANDARD_HZ { matched(rate_hz) } else { bilinear_shelf(rate_hz) };
        let high_a = bilinear_high_a(rate_hz);
        let gain = gain_at_the_top(STANDARD_HIGH_A) / gain_at_the_top(high_a);
        Coefficients { shelf_b: shelf.b.map(|b| b * gain), shelf_a: shelf.a, high_a }
    }
}

/// One filter of second order; the denominator begins with a 1 that is not written.
#[derive(Debug, Clone, Copy)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
}

fn bilinear_shelf(rate_hz: f64) -> Section {
    let k = (PI * SHELF_HZ / rate_hz).tan();
    let scale = 1.0 / (1.0 + k / SHELF_Q + k * k);
    let middle = SHELF_MIDDLE_GAIN * k / SHELF_Q;
    Section {
        b: [
            (SHELF_GAIN + middle + k * k) * scale,
            2.0 * (k * k - SHELF_GAIN) * scale,
            (SHELF_GAIN - middle + k * k) * scale,
        ],
        a: [2.0 * (k * k - 1.0) * scale, (1.0 - k / SHELF_Q + k * k) * scale],
    }
}

fn bilinear_high_a(rate_hz: f64) -> [f64; 2] {
    let k = (PI * HIGH_HZ / rate_hz).tan();
    let scale = 1.0 / (1.0 + k / HIGH_Q + k * k);
    [2.0 * (k * k - 1.0) * scale, (1.0 - k / HIGH_Q + k * k) * scale]
}

/// Gain of 1, -2, 1 over this denominator at half the rate.
fn gain_at_the_top(a: [f64; 2]) -> f64 {
    4.0 / (1.0 - a[0] + a[1])
}

/// The shelf whose poles decay as those of the standard do, and whose magnitude is the
/// standard's at 0, at three tenths of the way up, and at half the rate.
fn matched(rate_hz: f64) -> Section {
    // Of the poles r e^(+-j w) at 48 kHz, r and e^jw are raised to 48 kHz over the rate.
    let [a1, a2] = STANDARD_SHELF.a;
    let stretch = STANDARD_HZ / rate_hz;
    let radius = a2.sqrt();
    let angle = (-a1 / (2.0 * radius)).acos();
    let (radius, angle) = (radius.powf(stretch), angle * stretch);
    let a = [-2.0 * radius * angle.cos(), radius * radius];

    // |b|^2 of a second-order numerator is p0 (b0 + b1 + b2)^2 + p1 (b0 - b1 + b2)^2
    // - p2 4 b0 b2 with the weights below: three magnitudes give the three terms.
    const MIDDLE: f64 = 0.3;
    let wanted = |turns: f64| {
        let at_standard = square(&STANDARD_SHELF.b, turns / stretch)
            / square(&with_one(STANDARD_SHELF.a), turns / stretch);
        at_standard * square(&with_one(a), turns)
    };
    let middle = 0.5 * MIDDLE;
    let p1 = (PI * middle).sin().powi(2);
    let p0 = 1.0 - p1;
    let p2 = 4.0 * p0 * p1;
    let (low, high) = (wanted(0.0), wanted(0.5));
    let cross = (wanted(middle) - low * p0 - high * p1) / p2;
    let (low, high) = (low.sqrt(), high.sqrt());
    let half = 0.5 * (low + high);
    let b0 = 0.5 * (half + (half * half + cross).sqrt());
    Section { b: [b0, 0.5 * (low - high), -cross / (4.0 * b0)], a }
}

fn with_one(a: [f64; 2]) -> [f64; 3] {
    [1.0, a[0], a[1]]
}

/// Squared magnitude of a polynomial on the unit circle, at a frequency in turns a frame.
fn square(c: &[f64; 3], turns: f64) -> f64 {
    let (sin1, cos1) = (2.0 * PI * turns).sin_cos();
    let (sin2, cos2) = (4.0 * PI * turns).sin_cos();
    (c[0] + c[1] * cos1 + c[2] * cos2).powi(2) + (c[1] * sin1 + c[2] * sin2).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MAX_RATE_HZ, MIN_RATE_HZ};

    fn gain_db(c: &Coefficients, turns: f64) -> f64 {
        let numerator = square(&c.shelf_b, turns) * square(&[1.0, -2.0, 1.0], turns);
        let denominator = square(&with_one(c.shelf_a), turns) * square(&with_one(c.high_a), turns);
        10.0 * (numerator / denominator).log10()
    }

    fn standard() -> Coefficients {
        Coefficients {
            shelf_b: STANDARD_SHELF.b,
            shelf_a: STANDARD_SHELF.a,
            high_a: STANDARD_HIGH_A,
        }
    }

    /// Largest distance from the standard's response from 10 Hz to just under half the rate.
    fn worst_db(rate_hz: u32) -> f64 {
        let rate_hz_f = f64::from(rate_hz);
        let coefficients = Coefficients::at(rate_hz);
        let top_hz = (0.499 * rate_hz_f).min(20_000.0);
        (0..=1_000).fold(0.0, |worst: f64, step| {
            let hz = 10.0 * (top_hz / 10.0).powf(f64::from(step) / 1_000.0);
            let wanted = gain_db(&standard(), hz / STANDARD_HZ);
            worst.max((gain_db(&coefficients, hz / rate_hz_f) - wanted).abs())
        })
    }

    #[test]
    fn at_48_khz_it_is_the_standard_s_filter() {
        let (ours, theirs) = (Coefficients::at(48_000), standard());
        let pairs = ours.shelf_b.iter().chain(&ours.shelf_a).chain(&ours.high_a);
        let wanted = theirs.shelf_b.iter().chain(&theirs.shelf_a).chain(&theirs.high_a);
        for (got, wanted) in pairs.zip(wanted) {
            assert!((got - wanted).abs() < 1e-8, "{got} for {wanted}");
        }
    }

    #[test]
    fn at_any_rate_the_response_is_the_standard_s() {
        for rate_hz in (MIN_RATE_HZ..12_000).step_by(250) {
            assert!(worst_db(rate_hz) < 0.05, "{rate_hz}: {}", worst_db(rate_hz));
        }
        for rate_hz in (12_000..=MAX_RATE_HZ).step_by(1_000).chain([11_025, 22_050, 44_100, 47_999])
        {
            let limit = if rate_hz < 12_000 { 0.02 } else { 0.01 };
            assert!(worst_db(rate_hz) < limit, "{rate_hz}: {}", worst_db(rate_hz));
        }
    }
}
