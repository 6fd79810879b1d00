//! Where the AGC's gains are to go for a programme that it knows.
//!
//! Asked by [`super::Agc`] once a hop. Knows no time: how fast the gains go there is not
//! decided here.

use super::memory::Programme;
use crate::params::AgcParams;

/// The compressor's slope is not believed below this, or one block could swing the gain.
const MIN_SLOPE: f32 = 0.3;
/// No profile asks for more, whatever a compressor behind it takes.
pub(super) const LARGEST_GAIN_DB: f32 = 60.0;
const LARGEST_TRIM_DB: f32 = 100.0;
/// So far from the target a compressor is driven; what is missing then is made up behind it. One
/// with a flat curve could be driven for ever without getting any louder.
const MOST_OVER_LU: f32 = 12.0;
const MOST_UNDER_LU: f32 = 40.0;
/// A programme is driven into the limiter as long as another decibel makes it so much louder, and
/// no further than this. Beyond, it would hardly get any louder, but distort.
const LEAST_GAINED: f32 = 0.06;
const MOST_LIMITED_LU: f32 = 12.0;
/// A limiter lets half as much through after so many decibels, more or less.
const DB_PER_HALF: f32 = 4.0;
/// A limiter is not believed to let less through, or one block could swing the gain.
const MIN_PASSES: f32 = 0.3;

/// Where the gains are to go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Goal {
    pub(super) gain_db: f32,
    pub(super) trim_db: f32,
}

impl Goal {
    pub(super) const REST: Goal = Goal { gain_db: 0.0, trim_db: 0.0 };

    /// The gains that bring the programme's output to where it can be, by the measured effect
    /// and slope of what is behind: in front of the compressor and, where that one would have to
    /// be driven too far, behind it. `trim_db` is what stands there now.
    pub(super) fn of(params: &AgcParams, programme: &Programme, trim_db: f32) -> Goal {
        let missing_lu = reachable_lufs(params, programme) - programme.output_lufs - trim_db;
        // In front of the limiter more is missing than behind it.
        let more_db = missing_lu / programme.passes.max(MIN_PASSES);
        let missing_db = trim_db + more_db.min(room_db(params, programme, trim_db));
        let wanted_lufs = programme.levelled_lufs + missing_db / programme.slope.max(MIN_SLOPE);
        let target = params.target.0;
        let driven_lufs = wanted_lufs.clamp(target - MOST_UNDER_LU, target + MOST_OVER_LU);
        let trim_db = if driven_lufs == wanted_lufs {
            0.0
        } else {
            missing_db - programme.slope * (driven_lufs - programme.levelled_lufs)
        };
        Goal {
            gain_db: (driven_lufs - programme.input_lufs).clamp(-LARGEST_GAIN_DB, LARGEST_GAIN_DB),
            trim_db: trim_db.clamp(-LARGEST_TRIM_DB, LARGEST_TRIM_DB),
        }
    }
}

/// The target, or as near to it as the largest cut and boost bring this programme.
pub(super) fn reachable_lufs(params: &AgcParams, programme: &Programme) -> f32 {
    let (cut, boost) = (params.max_cut.0.max(0.0), params.max_boost.0.max(0.0));
    let missing_db = params.target.0 - programme.input_lufs;
    programme.input_lufs + missing_db.max(-cut).min(boost)
}

/// How much louder it may still get in front of the limiter; negative if it is too loud there
/// already.
fn room_db(params: &AgcParams, programme: &Programme, trim_db: f32) -> f32 {
    // There, too, nothing is boosted further than by the largest boost.
    let loudest_lufs = programme.input_lufs + params.max_boost.0.max(0.0);
    let boost_db = loudest_lufs - (programme.compressed_lufs + trim_db);
    // What is not limited may be driven to wherever it is to come out.
    if programme.passes >= 1.0 {
        return boost_db;
    }
    let gaining_db = DB_PER_HALF * (programme.passes / LEAST_GAINED).log2();
    boost_db.min(gaining_db).min(MOST_LIMITED_LU - programme.limited_lu())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Db;

    /// At the gain of 0 dB, with nothing behind it.
    const PROGRAMME: Programme = Programme {
        input_lufs: -30.0,
        levelled_lufs: -30.0,
        compressed_lufs: -30.0,
        output_lufs: -30.0,
        slope: 1.0,
        passes: 1.0,
    };

    fn gain_db(params: AgcParams, programme: Programme) -> f32 {
        Goal::of(&params, &programme, 0.0).gain_db
    }

    #[test]
    fn what_is_missing_is_made_up_for_by_the_slopes_of_what_is_behind() {
        let params = AgcParams::default();
        assert_eq!(gain_db(params, PROGRAMME), 12.0);
        let compressed = Programme { output_lufs: -20.0, slope: 0.5, ..PROGRAMME };
        assert_eq!(gain_db(params, compressed), 4.0);
    }

    #[test]
    fn nobody_is_driven_into_a_limiter_that_lets_nothing_more_through() {
        let params = AgcParams { max_boost: Db(60.0), ..AgcParams::default() };
        let at = |limited_lu: f32, passes| {
            let output_lufs = PROGRAMME.compressed_lufs - limited_lu;
            gain_db(params, Programme { output_lufs, passes, ..PROGRAMME })
        };
        assert!(at(2.0, 0.5) > 8.0);
        assert!(at(4.0, LEAST_GAINED).abs() < 1e-3);
        assert!(at(6.0, LEAST_GAINED / 2.0) < -3.0);
        assert_eq!(at(MOST_LIMITED_LU + 1.0, 0.5), -1.0);
    }

    #[test]
    fn what_the_limiter_takes_is_no_reason_to_boost_beyond_the_largest_boost() {
        let params = AgcParams { max_boost: Db(0.0), ..AgcParams::default() };
        let limited = Programme { output_lufs: -32.0, passes: 0.5, ..PROGRAMME };
        assert_eq!(gain_db(params, limited), 0.0);
    }
}
