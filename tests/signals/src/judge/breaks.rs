//! Where a steady low tone breaks: what is heard as a click when a sound goes on from elsewhere.
//!
//! A tone that is cut, and one that begins in the midst of itself, click by themselves: a step of no
//! more than the programme, at whatever sample it happens to fall. [`loudest_cut_dbfs`] says how much
//! of that can be above 2 kHz at most. What is louder was not made by cutting this programme; and what
//! stands apart from the cut, however quiet, is one more break.

use std::f64::consts::TAU;
use std::ops::Range;

use super::click::{above_2_khz, window_frames};

/// How far above the steady tone's own a window is a break.
const OVER_STEADY: f64 = 4.0;
/// What is quieter than this is none: 60 dB below a quiet programme. A single sample that is off by
/// 0.002 is as loud.
const LEAST_RMS: f64 = 1e-4;
/// How many phases of an end, and of a beginning, are tried.
const PHASES: usize = 16;
/// The silences between an end and a beginning that are tried: what is farther apart than a window is
/// two breaks.
const APART_MS: [f64; 3] = [0.0, 0.5, 2.0];

/// One break of a tone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Break {
    /// Where it is loudest: the first frame of its loudest 5 ms.
    pub frame: usize,
    /// The root mean square of those 5 ms, above 2 kHz.
    pub window_dbfs: f64,
}

/// The breaks of a plane that holds a low tone; of it, `steady` is known to be whole. Nothing is said of
/// the first 50 ms, in which the plane itself begins.
///
/// # Panics
///
/// When `steady` begins in those, or holds no 5 ms.
#[must_use]
pub fn breaks(plane: &[f32], rate_hz: u32, steady: Range<usize>) -> Vec<Break> {
    let (begins, window) = (rate_hz as usize / 20, window_frames(rate_hz));
    assert!(steady.start >= begins && steady.len() > window, "nothing is known to be whole");
    let windows = windows(&above_2_khz(plane, rate_hz), window);
    let mut usual = windows[steady.start..steady.end - window].to_vec();
    usual.sort_by(f64::total_cmp);
    let bar = (OVER_STEADY * usual[usual.len() / 2]).max(LEAST_RMS);
    let mut breaks: Vec<Break> = Vec::new();
    let mut last_over = None;
    for (frame, rms) in windows.iter().copied().enumerate().skip(begins) {
        if rms < bar {
            continue;
        }
        let here = Break { frame, window_dbfs: 20.0 * rms.log10() };
        // The same break is in every window that holds it.
        let goes_on = last_over.is_some_and(|last| frame - last <= window);
        match breaks.last_mut().filter(|_| goes_on) {
            Some(now) if here.window_dbfs > now.window_dbfs => *now = here,
            Some(_) => {}
            None => breaks.push(here),
        }
        last_over = Some(frame);
    }
    breaks
}

/// The loudest 5 ms above 2 kHz that an end of a tone and its beginning anew can make, each at any
/// moment of it: as a tone of amplitude `before` is cut and goes on at amplitude `after`.
#[must_use]
pub fn loudest_cut_dbfs(rate_hz: u32, hz: f64, before: f64, after: f64) -> f64 {
    let (window, turn) = (window_frames(rate_hz), TAU * hz / f64::from(rate_hz));
    let frames = 4 * window;
    let mut loudest = 0.0_f64;
    for apart_ms in APART_MS {
        let apart = (apart_ms * f64::from(rate_hz) / 1e3) as usize;
        for (end, beginning) in (0..PHASES * PHASES).map(|n| (n / PHASES, n % PHASES)) {
            let phase = |step: usize| TAU * step as f64 / PHASES as f64;
            // Backwards from its end.
            let old = (0..frames).rev().map(|n| before * (phase(end) - turn * n as f64).sin());
            let new = (0..frames).map(|n| after * (phase(beginning) + turn * n as f64).sin());
            let plane = old.chain(std::iter::repeat_n(0.0, apart)).chain(new);
            let plane: Vec<f32> = plane.map(|sample| sample as f32).collect();
            // Not where the plane itself begins.
            let windows = windows(&above_2_khz(&plane, rate_hz)[2 * window..], window);
            loudest = windows.into_iter().fold(loudest, f64::max);
        }
    }
    20.0 * loudest.log10()
}

/// The root mean square of every 5 ms, by their first frame.
fn windows(above: &[f64], window: usize) -> Vec<f64> {
    let mut sums = vec![0.0; above.len() + 1];
    for (n, sample) in above.iter().enumerate() {
        sums[n + 1] = sums[n] + sample * sample;
    }
    let squares = sums.windows(window + 1).map(|sums| sums[window] - sums[0]);
    squares.map(|sum| (sum.max(0.0) / window as f64).sqrt()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: u32 = 48_000;
    const HZ: f64 = 440.0;
    const STEADY: Range<usize> = 4_800..20_000;
    /// Where the tone is cut, and where it goes on.
    const END: usize = 24_000;
    const AGAIN: usize = 26_048;

    /// A levelled tone that is cut, a silence, and the app's own.
    fn parted(end: usize, again: usize) -> Vec<f32> {
        let at = |n: usize| (TAU * HZ * n as f64 / f64::from(RATE_HZ)).sin();
        let amplitude = |n| if n < end { 0.19 } else { f64::from(u8::from(n >= again)) * 0.1 };
        (0..48_000).map(|n| (amplitude(n) * at(n)) as f32).collect()
    }

    fn bar_dbfs() -> f64 {
        loudest_cut_dbfs(RATE_HZ, HZ, 0.19, 0.1)
    }

    #[test]
    fn a_sound_that_goes_on_elsewhere_breaks_twice_at_most_and_never_louder_than_its_own_cut() {
        assert_eq!(breaks(&parted(48_000, 48_000), RATE_HZ, STEADY), []);
        let bar_dbfs = bar_dbfs();
        for shift in (0..109).step_by(4) {
            for (end, again, count) in [(END, AGAIN, 2), (END, END, 1)] {
                let found = breaks(&parted(end + shift, again + shift), RATE_HZ, STEADY);
                assert!((1..=count).contains(&found.len()), "{shift}: {found:?}");
                assert!(found.iter().all(|one| one.window_dbfs <= bar_dbfs + 0.2), "{found:?}");
            }
        }
    }

    #[test]
    fn one_sample_that_is_off_by_a_hundredth_is_a_third_break() {
        for at in [21_000, 25_000, 27_500, 40_000] {
            let mut plane = parted(END, AGAIN);
            // 34 dB below the five voices of 0.1 that a click once had to pass.
            plane[at] += 0.01;
            let found = breaks(&plane, RATE_HZ, STEADY);
            assert_eq!(found.len(), 3, "at {at}: {found:?}");
            assert!(found.iter().any(|one| one.frame.abs_diff(at) <= 300), "at {at}: {found:?}");
        }
    }

    #[test]
    fn what_is_louder_than_any_cut_is_told_from_one_also_where_both_fall_together() {
        let bar_dbfs = bar_dbfs();
        for shift in [0, 10, 27, 60] {
            let mut plane = parted(END + shift, AGAIN + shift);
            // As when a full buffer that is not the programme gets out.
            for sample in &mut plane[END + shift..END + shift + 64] {
                *sample = 0.5;
            }
            let found = breaks(&plane, RATE_HZ, STEADY);
            let loudest = found.iter().map(|one| one.window_dbfs).fold(f64::MIN, f64::max);
            assert!(loudest > bar_dbfs + 3.0, "{loudest:.1}, bar {bar_dbfs:.1}");
        }
    }

    #[test]
    fn the_loudest_cut_grows_with_what_is_cut() {
        let alone = loudest_cut_dbfs(RATE_HZ, HZ, 0.1, 0.0);
        let twice = loudest_cut_dbfs(RATE_HZ, HZ, 0.2, 0.0);
        let both = loudest_cut_dbfs(RATE_HZ, HZ, 0.1, 0.1);
        assert!((twice - alone - 6.02).abs() < 0.01, "{alone:.2}, {twice:.2}");
        assert!((both - twice).abs() < 0.5, "{both:.2}, {twice:.2}");
        // A step of the whole amplitude, of which the high-pass keeps little for long.
        assert!((-48.0..-38.0).contains(&alone), "{alone:.2}");
    }
}
