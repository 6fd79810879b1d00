//! How fast things move: the gain towards its goal, back in a pause, and what the guard
//! compares with towards the target. Called once a hop, and once a tick.

use super::Agc;
use super::goal::{Goal, reachable_lufs};

impl Agc {
    /// What the guard compares with: the loudness that can be had, which is the target unless
    /// the largest cut or boost is not enough, in front of the limiter. A lower target is come to at the pace of the gain:
    /// what plays on is no burst because the target has moved under it.
    pub(super) fn ease_aim(&mut self) {
        let target = self.params.target.0;
        let aim_lufs = match self.memory.programme() {
            // Never below the target: what is quieter than it is no burst.
            Some(programme) => {
                // It listens in front of the limiter: what that one will take is no burst.
                target.max(reachable_lufs(&self.params, &programme)) + programme.limited_lu()
            }
            None => target,
        };
        let eased_lufs = self.aim_lufs - self.params.fall_db_per_s.max(0.0) * self.tick_s;
        self.aim_lufs = if eased_lufs > aim_lufs { eased_lufs } else { aim_lufs };
    }

    pub(super) fn move_gain(&mut self, hop_s: f32, heard: bool) {
        if !self.params.enabled {
            self.approach(Goal::REST, hop_s);
            return;
        }
        if heard {
            self.silent_s = 0.0;
            if let Some(programme) = self.memory.programme() {
                let mut goal = self.goal(&programme);
                // Beside an engaged guard nothing rises: what it holds is no programme yet.
                if self.guard.is_engaged() {
                    goal.gain_db = goal.gain_db.min(self.gain_db);
                    goal.trim_db = goal.trim_db.min(self.trim_db);
                }
                self.approach(goal, hop_s);
            }
            return;
        }
        self.silent_s += hop_s;
        if self.silent_s * 1_000.0 > self.params.hold_ms && self.gain_db > 0.0 {
            let fall_db = self.params.return_db_per_s.min(self.params.fall_db_per_s) * hop_s;
            // What is made up behind the compressor goes first.
            let of_trim_db = fall_db.max(0.0).min(self.trim_db.max(0.0));
            self.trim_db -= of_trim_db;
            self.gain_db = (self.gain_db - (fall_db.max(0.0) - of_trim_db)).max(0.0);
        }
    }

    /// One hop towards the goal.
    fn approach(&mut self, goal: Goal, hop_s: f32) {
        self.gain_db = self.nearer(self.gain_db, goal.gain_db, hop_s);
        if goal.trim_db != self.trim_db {
            self.trim_db = self.nearer(self.trim_db, goal.trim_db, hop_s);
        }
    }

    /// A gain one hop nearer to its goal: by the time constant of the direction, and never
    /// faster than its slew limit.
    fn nearer(&self, gain_db: f32, goal_db: f32, hop_s: f32) -> f32 {
        let error_db = goal_db - gain_db;
        let p = &self.params;
        let (time_ms, slew) = if error_db < 0.0 {
            (p.attack_ms, p.fall_db_per_s)
        } else {
            (p.release_ms, p.rise_db_per_s)
        };
        let part = 1.0 - (-hop_s * 1_000.0 / time_ms.max(1.0)).exp();
        let most_db = slew.max(0.0) * hop_s;
        let move_db = (error_db * part).clamp(-most_db, most_db);
        let next_db = gain_db + move_db;
        if !next_db.is_finite() {
            return gain_db;
        }
        // The tail of an exponential never ends: close by is there.
        if (goal_db - next_db).abs() < 1e-3 { goal_db } else { next_db }
    }
}
