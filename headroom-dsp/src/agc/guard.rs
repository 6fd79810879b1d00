//! The burst guard: takes a sudden loud onset down within milliseconds, and lets go within
//! seconds, so that the slow AGC need not follow it.
//!
//! It knows no programme of its own: it compares what comes out of the compressor with the
//! loudness that the AGC is steering to. Ordinary peaks of speech and music never set it off;
//! a lasting change is handed over to the AGC, which lowers the level that the guard sees.

use crate::units::Lufs;

/// Engages when a 30 ms level stands this far over the AGC's aim ...
const ONSET_LU: f32 = 11.0;
/// ... or a 150 ms level this far.
const SUSTAINED_LU: f32 = 8.5;
/// Once engaged, a 30 ms level is held this far over the aim, a 4 ms level so far.
const HELD_LU: f32 = 2.0;
const HELD_PEAK_LU: f32 = 4.5;
/// Disengages once the 150 ms level has been under this for [`CALM_S`].
const CALM_LU: f32 = 5.5;
const CALM_S: f32 = 0.5;
/// A reduction stays this long, then goes: while engaged, to what is still needed (a
/// compressor may have taken its share); afterwards, gently.
const HOLD_S: f32 = 0.08;
const ENGAGED_RELEASE_DB_PER_S: f32 = 60.0;
const RELEASE_DB_PER_S: f32 = 20.0;

/// What is forgotten is what was heard in the last so much time, at most twice that.
const MISTAKEN_S: f32 = 0.1;

/// A mean square that fades with a time constant.
#[derive(Debug, Default)]
struct Fading {
    mean_square: f64,
    keep: f64,
}

impl Fading {
    fn set_time(&mut self, time_s: f32, tick_s: f32) {
        self.keep = f64::from(-tick_s / time_s).exp();
    }

    fn push(&mut self, mean_square: f64) {
        self.mean_square = mean_square + (self.mean_square - mean_square) * self.keep;
        if self.mean_square < 1e-20 {
            self.mean_square = 0.0;
        }
    }

    /// The level on the scale of LUFS.
    fn lufs(&self) -> f32 {
        Lufs::from_mean_square(self.mean_square).0
    }
}

/// The guard's state. Takes one tick of about 2 ms at a time.
#[derive(Debug, Default)]
pub(super) struct Guard {
    fast: Fading,
    short: Fading,
    sustained: Fading,
    tick_s: f32,
    aim_lufs: f32,
    slack_lu: f32,
    /// The thresholds as mean squares, for this aim.
    onset: f64,
    too_long: f64,
    calm: f64,
    engaged: bool,
    calm_s: f32,
    held_s: f32,
    reduction_db: f32,
    /// The reduction as it was one and two times [`MISTAKEN_S`] ago.
    earlier_db: [f32; 2],
    since_s: f32,
}

impl Guard {
    pub(super) fn set_tick(&mut self, tick_s: f32) {
        self.tick_s = tick_s;
        self.fast.set_time(0.004, tick_s);
        self.short.set_time(0.03, tick_s);
        self.sustained.set_time(0.15, tick_s);
    }

    /// Forgets what it heard; a reduction that stood before that goes on from where it was. If the
    /// level is as high as it seemed, the guard is back within milliseconds.
    pub(super) fn forget(&mut self) {
        self.reduction_db = self.reduction_db.min(self.earlier_db[0]);
        for level in [&mut self.fast, &mut self.short, &mut self.sustained] {
            level.mean_square = 0.0;
        }
        self.engaged = false;
    }

    pub(super) fn reset(&mut self) {
        *self = Guard { tick_s: self.tick_s, slack_lu: self.slack_lu, ..Guard::default() };
        self.set_thresholds();
        self.set_tick(self.tick_s);
    }

    /// How much further than usual a scene may stand over the programme, in front of a compressor
    /// that lets this much (0 to 1) of a change of level through.
    pub(super) fn set_slack(&mut self, scene_lu: f32, slope: f32) {
        // The guard hears it behind the compressor, where a scene stands out by that much less.
        self.slack_lu = ((SUSTAINED_LU + scene_lu) * slope - SUSTAINED_LU).max(0.0);
        self.set_thresholds();
    }

    fn set_thresholds(&mut self) {
        let over_aim = |lu: f32| Lufs(self.aim_lufs + self.slack_lu + lu).to_mean_square();
        (self.onset, self.too_long) = (over_aim(ONSET_LU), over_aim(SUSTAINED_LU));
        self.calm = over_aim(CALM_LU);
    }

    pub(super) fn is_engaged(&self) -> bool {
        self.engaged
    }

    /// Takes the mean square of one tick in front of the guard; returns the reduction in dB
    /// (0 or more) that stands from now on.
    pub(super) fn tick(&mut self, output: f64, aim_lufs: f32, enabled: bool) -> f32 {
        self.fast.push(output);
        self.short.push(output);
        self.sustained.push(output);
        if aim_lufs != self.aim_lufs {
            self.aim_lufs = aim_lufs;
            self.set_thresholds();
        }
        if !enabled {
            self.engaged = false;
        } else if !self.engaged {
            self.engaged =
                self.short.mean_square > self.onset || self.sustained.mean_square > self.too_long;
            self.calm_s = 0.0;
        } else if self.sustained.mean_square < self.calm {
            self.calm_s += self.tick_s;
            self.engaged = self.calm_s < CALM_S;
        } else {
            self.calm_s = 0.0;
        }
        let wanted_db = if self.engaged {
            let held_lufs = aim_lufs + self.slack_lu;
            let over_peak_db = self.fast.lufs() - held_lufs - HELD_PEAK_LU;
            over_peak_db.max(self.short.lufs() - held_lufs - HELD_LU).max(0.0)
        } else {
            0.0
        };
        self.since_s += self.tick_s;
        if self.since_s >= MISTAKEN_S {
            self.since_s = 0.0;
            self.earlier_db = [self.earlier_db[1], self.reduction_db];
        }
        if self.reduction_db == 0.0 && wanted_db == 0.0 {
            return 0.0;
        }
        if wanted_db >= self.reduction_db {
            self.reduction_db = wanted_db;
            self.held_s = 0.0;
        } else {
            self.held_s += self.tick_s;
            if self.held_s > HOLD_S {
                let rate = if self.engaged { ENGAGED_RELEASE_DB_PER_S } else { RELEASE_DB_PER_S };
                let released = self.reduction_db - rate * self.tick_s;
                self.reduction_db = released.max(wanted_db);
            }
        }
        self.reduction_db
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK_S: f32 = 0.002;
    const AIM: f32 = -18.0;

    fn run(guard: &mut Guard, level_lufs: f32, seconds: f32) -> f32 {
        let mut reduction = 0.0;
        for _ in 0..(seconds / TICK_S) as usize {
            reduction = guard.tick(Lufs(level_lufs).to_mean_square(), AIM, true);
        }
        reduction
    }

    fn guard() -> Guard {
        let mut guard = Guard::default();
        guard.set_tick(TICK_S);
        guard
    }

    #[test]
    fn a_blast_is_taken_down_within_four_milliseconds() {
        let mut guard = guard();
        run(&mut guard, AIM, 1.0);
        assert!(run(&mut guard, AIM + 30.0, 0.004) > 20.0);
        let held = run(&mut guard, AIM + 30.0, 0.5);
        assert!((held - 28.0).abs() < 0.2, "{held}");
    }

    #[test]
    fn it_lets_go_within_seconds() {
        let mut guard = guard();
        run(&mut guard, AIM + 30.0, 1.0);
        assert_eq!(run(&mut guard, AIM, 3.0), 0.0);
        assert!(!guard.is_engaged());
    }

    #[test]
    fn five_over_the_aim_is_no_burst() {
        let mut guard = guard();
        assert_eq!(run(&mut guard, AIM + 5.0, 5.0), 0.0);
    }

    #[test]
    fn what_was_heard_by_mistake_is_forgiven_and_what_was_not_stays() {
        let mut by_mistake = guard();
        run(&mut by_mistake, AIM, 2.0);
        assert!(run(&mut by_mistake, AIM + 60.0, 0.03) > 40.0);
        by_mistake.forget();
        assert!(run(&mut by_mistake, AIM, 0.01) < 0.1, "a burst that was none");
        // A blast that goes on is held down again at once.
        let mut blast = guard();
        run(&mut blast, AIM, 2.0);
        let before = run(&mut blast, AIM + 30.0, 1.0);
        blast.forget();
        let after = run(&mut blast, AIM + 30.0, 0.02);
        assert!(after > before - 1.0, "{after} dB after {before} dB");
    }
}
