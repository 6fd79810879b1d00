//! The loudness of the programme at this moment: of the last 3 s in which something was heard.
//!
//! What the soft tier of the limiter caps peaks by, asked for by the master on what comes into
//! the limiter, and by the bus, which foresees what that tier will take. Unlike the short-term
//! loudness of [`super::LoudnessMeter`] it does not sink in a pause and is right from the first
//! moments on, so that no sound is pressed down for the silence before it.

use crate::units::Lufs;

/// Hops of 10 ms that are remembered.
const HOPS: usize = 300;
/// Before this many there is no programme yet: 400 ms, as in a block of BS.1770.
const LEAST_HOPS: usize = 40;
/// What is quieter was not heard: the absolute gate of BS.1770.
const SILENCE: Lufs = Lufs(-70.0);

/// The last hops that were heard. Does not allocate.
#[derive(Debug, Clone)]
pub(crate) struct ProgrammeLoudness {
    mean_squares: [f64; HOPS],
    next: usize,
    len: usize,
    silence: f64,
    loudness: Lufs,
}

impl ProgrammeLoudness {
    pub(crate) fn new() -> ProgrammeLoudness {
        ProgrammeLoudness {
            mean_squares: [0.0; HOPS],
            next: 0,
            len: 0,
            silence: SILENCE.to_mean_square(),
            loudness: Lufs::SILENCE,
        }
    }

    pub(crate) fn reset(&mut self) {
        (self.next, self.len, self.loudness) = (0, 0, Lufs::SILENCE);
    }

    /// Takes the K-weighted mean square of a hop of 10 ms.
    pub(crate) fn take(&mut self, mean_square: f64) {
        if mean_square <= self.silence {
            return;
        }
        self.mean_squares[self.next] = mean_square;
        self.next = (self.next + 1) % HOPS;
        self.len = (self.len + 1).min(HOPS);
        if self.len >= LEAST_HOPS {
            // Summed anew each time: a running sum would drift.
            let sum: f64 = self.mean_squares[..self.len].iter().sum();
            self.loudness = Lufs::from_mean_square(sum / self.len as f64);
        }
    }

    /// [`Lufs::SILENCE`] while nothing is known.
    pub(crate) fn loudness(&self) -> Lufs {
        self.loudness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(meter: &mut ProgrammeLoudness, lufs: f32, hops: usize) -> f32 {
        for _ in 0..hops {
            meter.take(Lufs(lufs).to_mean_square());
        }
        meter.loudness().0
    }

    #[test]
    fn it_is_right_from_the_first_moments_on_and_stays_in_a_pause() {
        let mut meter = ProgrammeLoudness::new();
        assert_eq!(after(&mut meter, -20.0, LEAST_HOPS - 1), f32::NEG_INFINITY);
        assert!((after(&mut meter, -20.0, 1) + 20.0).abs() < 1e-3);
        assert!((after(&mut meter, -100.0, 10_000) + 20.0).abs() < 1e-3);
        assert!((after(&mut meter, -30.0, HOPS) + 30.0).abs() < 1e-3);
        meter.reset();
        assert_eq!(meter.loudness(), Lufs::SILENCE);
    }
}
