//! Levels and gains as types, so that a decibel is never multiplied into a sample.
//!
//! The conversions are for the control path: none of them belongs in a sample loop.

/// A ratio in decibels. 0 dB leaves a sample as it is; there is no lower limit.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Db(pub f32);

/// A linear factor, as a sample loop multiplies it. 1.0 leaves a sample as it is.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Gain(pub f32);

/// A loudness in LUFS (ITU-R BS.1770). Silence is negative infinity.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Lufs(pub f32);

impl Db {
    /// The linear factor of this many decibels.
    #[must_use]
    pub fn to_gain(self) -> Gain {
        Gain(10.0_f32.powf(self.0 / 20.0))
    }
}

impl Gain {
    /// A factor that changes nothing.
    pub const UNITY: Gain = Gain(1.0);

    /// This factor in decibels; a factor of 0 is negative infinity.
    #[must_use]
    pub fn to_db(self) -> Db {
        Db(20.0 * self.0.log10())
    }
}

impl Lufs {
    /// What a meter reads of digital silence.
    pub const SILENCE: Lufs = Lufs(f32::NEG_INFINITY);

    /// Loudness of a K-weighted, channel-weighted mean square (BS.1770-5, Annex 1).
    /// 0 and below reads as silence.
    #[must_use]
    pub fn from_mean_square(mean_square: f64) -> Lufs {
        if mean_square > 0.0 {
            Lufs((-0.691 + 10.0 * mean_square.log10()) as f32)
        } else {
            Lufs::SILENCE
        }
    }

    /// The K-weighted, channel-weighted mean square that reads as this loudness.
    #[must_use]
    pub fn to_mean_square(self) -> f64 {
        10.0_f64.powf((f64::from(self.0) + 0.691) / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decibels_and_gains_convert_both_ways() {
        assert!((Db(-6.0206).to_gain().0 - 0.5).abs() < 1e-5);
        assert!((Gain(0.5).to_db().0 + 6.0206).abs() < 1e-4);
        assert_eq!(Gain(0.0).to_db().0, f32::NEG_INFINITY);
    }

    #[test]
    fn a_mean_square_of_nothing_is_silence() {
        assert_eq!(Lufs::from_mean_square(0.0), Lufs::SILENCE);
        let back = Lufs::from_mean_square(Lufs(-23.0).to_mean_square());
        assert!((back.0 + 23.0).abs() < 1e-5);
    }
}
