//! The checks of ITU-R BS.2217 that can be made from formulas: sines through the K-weighting at
//! every rate, each channel of 5.1 alone, and both gates.

mod metering;

use std::f64::consts::TAU;

use headroom_dsp::{Layout, Lufs};
use headroom_signals::{Programme, tone};
use metering::{assert_reads, measure, measure_as};

/// Every rate that sound comes in, and the ends of our range.
const RATES_HZ: [u32; 16] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
    176_400, 192_000, 352_800, 384_000,
];
const SINES_HZ: [f64; 6] = [25.0, 100.0, 500.0, 1_000.0, 2_000.0, 10_000.0];
/// Asked for from 22.05 kHz up; below, half a decibel would do.
const TOLERANCE: f32 = 0.1;

/// Gain of the K-weighting in dB by the tables of BS.1770-5, Annex 1, which are for 48 kHz.
fn k_weighting_db(hz: f64) -> f64 {
    const SHELF_B: [f64; 3] = [1.53512485958697, -2.69169619838640, 1.19839281085285];
    const SHELF_A: [f64; 3] = [1.0, -1.69065929318241, 0.73248077421585];
    const HIGH_B: [f64; 3] = [1.0, -2.0, 1.0];
    const HIGH_A: [f64; 3] = [1.0, -1.99004745483398, 0.99007225036621];
    let power = |c: [f64; 3]| {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, c) in c.into_iter().enumerate() {
            let (sin, cos) = (TAU * hz / 48_000.0 * n as f64).sin_cos();
            re += c * cos;
            im += c * sin;
        }
        re * re + im * im
    };
    10.0 * (power(SHELF_B) * power(HIGH_B) / power(SHELF_A) / power(HIGH_A)).log10()
}

/// A sine in one channel, or in two at once, with this loudness by the definition: -0.691 plus
/// the sum of the K-weighted mean squares.
fn sine_at(rate_hz: u32, channels: usize, hz: f64, lufs: f64, seconds: f64) -> Programme {
    let mean_square_db = lufs + 0.691 - k_weighting_db(hz) - 10.0 * (channels as f64).log10();
    tone::sine(rate_hz, channels, seconds, hz, mean_square_db + 10.0 * 2.0_f64.log10())
}

#[test]
fn sines_read_minus_24_and_minus_23_at_every_rate() {
    for rate_hz in RATES_HZ {
        for hz in SINES_HZ.into_iter().filter(|hz| *hz < 0.49 * f64::from(rate_hz)) {
            for lufs in [-24.0, -23.0] {
                let reading = measure(&sine_at(rate_hz, 2, hz, lufs, 5.0), 1).loudness;
                let case = format!("{hz} Hz at {rate_hz} Hz");
                assert_reads(&case, reading.integrated.0, lufs as f32, TOLERANCE);
                assert_reads(&case, reading.short_term.0, lufs as f32, TOLERANCE);
            }
        }
    }
}

#[test]
fn a_rate_is_right_up_to_near_its_half() {
    for rate_hz in RATES_HZ.into_iter().filter(|rate_hz| *rate_hz <= 48_000) {
        for part in [0.3, 0.4, 0.45] {
            let hz = part * f64::from(rate_hz);
            let reading = measure(&sine_at(rate_hz, 1, hz, -23.0, 2.0), 2).loudness;
            assert_reads(
                &format!("{hz} Hz at {rate_hz} Hz"),
                reading.integrated.0,
                -23.0,
                TOLERANCE,
            );
        }
    }
}

#[test]
fn each_channel_of_5_1_alone_reads_by_its_weight() {
    let sine = sine_at(48_000, 1, 1_000.0, -23.0, 5.0);
    let surround_db = 10.0 * 1.41_f32.log10();
    let expected = [
        Some(-23.0),
        Some(-23.0),
        Some(-23.0),
        None,
        Some(-23.0 + surround_db),
        Some(-23.0 + surround_db),
    ];
    for (channel, expected) in expected.into_iter().enumerate() {
        let mut planes = vec![vec![0.0; sine.frames()]; 6];
        planes[channel].clone_from(&sine.channels[0]);
        let programme = Programme::new(48_000, planes);
        let reading = measure_as(&programme, Layout::SURROUND_5_1, 3).loudness;
        match expected {
            Some(lufs) => {
                assert_reads(&format!("channel {channel}"), reading.integrated.0, lufs, TOLERANCE);
            }
            // LFE: not quiet but nothing at all.
            None => assert_eq!(reading.max_momentary, Lufs::SILENCE),
        }
    }
}

#[test]
fn the_absolute_gate_lets_minus_69_5_pass_and_nothing_below_minus_70() {
    let above = sine_at(48_000, 2, 1_000.0, -69.5, 10.0);
    let below = sine_at(48_000, 2, 1_000.0, -70.5, 10.0);
    let both = above.clone().then(&below);
    assert_reads("above", measure(&above, 4).loudness.integrated.0, -69.5, TOLERANCE);
    assert_reads("both", measure(&both, 4).loudness.integrated.0, -69.5, TOLERANCE);
    assert_eq!(measure(&below, 4).loudness.integrated, Lufs::SILENCE);
}

#[test]
fn the_relative_gate_drops_what_is_10_lu_under_the_rest() {
    // Ten seconds of each have a mean of 3 dB under the louder one: the gate is at -23.
    let loud = sine_at(48_000, 2, 1_000.0, -10.0, 10.0);
    let dropped = loud.clone().then(&sine_at(48_000, 2, 1_000.0, -24.0, 10.0));
    assert_reads("dropped", measure(&dropped, 5).loudness.integrated.0, -10.0, TOLERANCE);
    let kept = loud.then(&sine_at(48_000, 2, 1_000.0, -22.0, 10.0));
    assert_reads("kept", measure(&kept, 5).loudness.integrated.0, -12.74, TOLERANCE);
}
