//! The AGC: the slow controller that brings a bus to its target loudness, with the burst
//! guard beside it.
//!
//! Called by [`crate::Bus`] once a tick (about 2 ms) with the power of what went through, it
//! answers with the gain that stands until the next. It decides in decibels and sees no
//! sample. What the compressor behind it does to the loudness is measured with the same
//! blocks and gates as the programme, so that the *output* reaches the target.

pub(crate) mod foresight;
mod goal;
mod guard;
mod memory;
mod pace;
mod ring;

use crate::params::AgcParams;
use crate::units::Lufs;
use goal::{Goal, LARGEST_GAIN_DB};
use guard::Guard;
pub(crate) use memory::Power;
use memory::{Memory, Programme};

/// Ticks in a hop: the gain is decided once a hop of about 10 ms.
const TICKS_PER_HOP: u32 = 5;
/// The slower of the two time constants at which the memory has a patience of 1.
const USUAL_S: f32 = 3.0;
/// A gain this near to its goal has arrived.
const SETTLED_DB: f32 = 1.0;

/// What stands from a tick to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AgcGains {
    /// Gain of the AGC, in front of the compressor.
    pub(crate) gain_db: f32,
    /// What no gain in front of the compressor can do, behind it.
    pub(crate) trim_db: f32,
    /// Reduction of the burst guard, 0 or more.
    pub(crate) guard_db: f32,
}

/// The controller's state.
#[derive(Debug)]
pub(crate) struct Agc {
    params: AgcParams,
    tick_s: f32,
    hops_per_sub_block: u32,
    guard: Guard,
    memory: Memory,
    hop: Power,
    hop_ticks: u32,
    sub_block: Power,
    sub_block_hops: u32,
    silent_s: f32,
    gain_db: f32,
    trim_db: f32,
    guard_db: f32,
    aim_lufs: f32,
    /// The compressor's, around the target.
    slope: f32,
}

impl Agc {
    pub(crate) fn new(params: AgcParams, tick_s: f32) -> Agc {
        let mut agc = Agc {
            params,
            tick_s,
            hops_per_sub_block: 10,
            guard: Guard::default(),
            memory: Memory::new(),
            hop: Power::default(),
            hop_ticks: 0,
            sub_block: Power::default(),
            sub_block_hops: 0,
            silent_s: 0.0,
            gain_db: 0.0,
            trim_db: 0.0,
            guard_db: 0.0,
            aim_lufs: params.target.0,
            slope: 1.0,
        };
        agc.set_tick(tick_s);
        agc.set_params(params);
        agc
    }

    /// The tick's length, when the sample rate changes. The gain and what is known of the
    /// programme stay.
    pub(crate) fn set_tick(&mut self, tick_s: f32) {
        self.tick_s = tick_s;
        let hop_s = tick_s * TICKS_PER_HOP as f32;
        self.hops_per_sub_block = (0.1 / hop_s).round().max(1.0) as u32;
        self.guard.set_tick(tick_s);
        self.hop = Power::default();
        self.hop_ticks = 0;
        self.sub_block = Power::default();
        self.sub_block_hops = 0;
    }

    pub(crate) fn set_params(&mut self, params: AgcParams) {
        self.params = params;
        if !params.target.0.is_finite() {
            self.params.target = AgcParams::default().target;
        }
        // Slow to act is slower still to be persuaded: what takes its time over a scene must not
        // take the next scene for another programme.
        let slowest_s = params.attack_ms.max(params.release_ms) / 1_000.0;
        self.memory.set_patience((slowest_s / USUAL_S).powf(2.5));
        self.guard.set_slack(self.memory.slack_lu(), self.slope);
    }

    /// How much of a change of level around the target the compressor behind it lets through,
    /// 0 to 1.
    pub(crate) fn set_slope(&mut self, slope: f32) {
        self.slope = slope;
        self.guard.set_slack(self.memory.slack_lu(), slope);
    }

    /// Forgets the programme; the gain goes to 0 dB at once.
    pub(crate) fn reset(&mut self) {
        self.memory.clear();
        self.guard.reset();
        self.aim_lufs = self.params.target.0;
        self.gain_db = 0.0;
        self.trim_db = 0.0;
        self.guard_db = 0.0;
        self.silent_s = 0.0;
        self.set_tick(self.tick_s);
    }

    /// The level before this moment tells nothing about the level after it (a volume was
    /// moved): the guard starts listening anew.
    pub(crate) fn forgive(&mut self) {
        self.guard.forget();
    }

    /// Starts from a gain that was right before.
    pub(crate) fn set_gain_db(&mut self, gain_db: f32) {
        if gain_db.is_finite() {
            self.gain_db = gain_db.clamp(-LARGEST_GAIN_DB, LARGEST_GAIN_DB);
        }
    }

    pub(crate) fn gains(&self) -> AgcGains {
        AgcGains { gain_db: self.gain_db, trim_db: self.trim_db, guard_db: self.guard_db }
    }

    /// Whether the gain is what a known programme needs.
    pub(crate) fn is_settled(&self) -> bool {
        let arrived = |p: Programme| (self.goal(&p).gain_db - self.gain_db).abs() <= SETTLED_DB;
        self.params.enabled && self.memory.programme().is_some_and(arrived)
    }

    /// Takes the mean squares of one tick.
    pub(crate) fn tick(&mut self, power: &Power) -> AgcGains {
        self.ease_aim();
        self.guard_db = self.guard.tick(power.unguarded, self.aim_lufs, self.params.enabled);
        self.hop.add(power);
        self.hop_ticks += 1;
        if self.hop_ticks == TICKS_PER_HOP {
            self.end_hop();
        }
        self.gains()
    }

    fn goal(&self, programme: &Programme) -> Goal {
        Goal::of(&self.params, programme, self.trim_db)
    }

    fn end_hop(&mut self) {
        let hop_s = self.tick_s * TICKS_PER_HOP as f32;
        let mut hop = std::mem::take(&mut self.hop);
        self.hop_ticks = 0;
        hop.scale(1.0 / f64::from(TICKS_PER_HOP));
        self.sub_block.add(&hop);
        self.sub_block_hops += 1;
        let silence_lufs = self.params.silence_threshold.0;
        if self.sub_block_hops == self.hops_per_sub_block {
            let mut sub_block = std::mem::take(&mut self.sub_block);
            sub_block.scale(1.0 / f64::from(self.sub_block_hops));
            self.sub_block_hops = 0;
            self.memory.push(sub_block, silence_lufs);
        }
        let level_lufs = Lufs::from_mean_square(hop.input).0;
        let heard = level_lufs > self.memory.gate_lufs(silence_lufs);
        self.move_gain(hop_s, heard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Db;

    fn db_to_power(db: f32) -> f64 {
        10.0_f64.powf(f64::from(db) / 10.0)
    }

    const TICK_S: f32 = 0.002;

    /// Runs the controller on a steady level with nothing behind it.
    fn run(agc: &mut Agc, level_lufs: f32, seconds: f32) -> f32 {
        for _ in 0..(seconds / TICK_S) as usize {
            let input = Lufs(level_lufs).to_mean_square();
            let levelled = input * db_to_power(agc.gain_db);
            agc.tick(&Power {
                input,
                levelled,
                compressed: levelled,
                output: levelled,
                louder: levelled * db_to_power(1.0),
                sloped: levelled,
                unguarded: levelled,
            });
        }
        agc.gain_db
    }

    fn agc(params: AgcParams) -> Agc {
        Agc::new(params, TICK_S)
    }

    #[test]
    fn a_steady_level_comes_to_the_target_from_either_side() {
        for level in [-33.0, -18.0, -5.0] {
            let gain = run(&mut agc(AgcParams::default()), level, 20.0);
            assert!((level + gain + 18.0).abs() < 0.1, "{level}: {gain}");
        }
    }

    #[test]
    fn it_is_settled_once_it_knows_a_programme_and_has_arrived() {
        let mut agc = agc(AgcParams::default());
        assert!(!agc.is_settled(), "nothing was heard");
        run(&mut agc, -60.0, 5.0);
        assert!(!agc.is_settled(), "silence is no programme");
        run(&mut agc, -33.0, 2.0);
        assert!(!agc.is_settled(), "{} dB is on its way to 15", agc.gain_db);
        run(&mut agc, -33.0, 15.0);
        assert!(agc.is_settled(), "{} dB is within 1 dB of 15", agc.gain_db);
        run(&mut agc, -60.0, 4.0);
        assert!(agc.is_settled(), "a pause changes nothing");
        agc.set_params(AgcParams { target: Lufs(-28.0), ..AgcParams::default() });
        assert!(!agc.is_settled(), "another target, another goal");
        agc.set_params(AgcParams { enabled: false, ..AgcParams::default() });
        run(&mut agc, -33.0, 15.0);
        assert!(!agc.is_settled(), "switched off it has nothing to say");
    }

    #[test]
    fn a_compressor_behind_it_is_accounted_for() {
        let mut agc = agc(AgcParams::default());
        // Halves every decibel above -24 and adds 2.
        let mut level = 0.0;
        for _ in 0..(30.0 / TICK_S) as usize {
            let input = Lufs(-30.0).to_mean_square();
            let x = -30.0 + agc.gain_db;
            level = -24.0 + (x + 24.0) / 2.0 + 2.0;
            let output = Lufs(level).to_mean_square();
            let levelled = input * db_to_power(agc.gain_db);
            agc.tick(&Power {
                input,
                levelled,
                compressed: output,
                output,
                louder: output * db_to_power(1.0),
                sloped: output * 0.5,
                unguarded: output,
            });
        }
        assert!((level + 18.0).abs() < 0.1, "{level}");
    }

    #[test]
    fn silence_holds_then_a_boost_falls_back_and_a_cut_is_kept() {
        let mut boosted = agc(AgcParams::default());
        let before = run(&mut boosted, -30.0, 20.0);
        assert_eq!(run(&mut boosted, -60.0, 4.9), before);
        assert!((run(&mut boosted, -60.0, 4.1) - (before - 4.0)).abs() < 0.2);
        assert_eq!(run(&mut boosted, -60.0, 60.0), 0.0);
        let mut cut = agc(AgcParams::default());
        let before = run(&mut cut, -8.0, 20.0);
        assert_eq!(run(&mut cut, -60.0, 60.0), before);
    }

    #[test]
    fn the_gain_never_moves_faster_than_its_slew_limits() {
        let mut agc = agc(AgcParams::default());
        let (mut last, mut seed) = (0.0, 1_u32);
        for _ in 0..2_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let gain = run(&mut agc, -70.0 + (seed >> 24) as f32 * 0.27, 0.01);
            assert!(gain - last <= 3.0 * 0.010_1 && last - gain <= 12.0 * 0.010_1);
            last = gain;
        }
    }

    #[test]
    fn with_no_boost_allowed_it_only_turns_down() {
        let mut agc = agc(AgcParams { max_boost: Db(0.0), ..AgcParams::default() });
        assert_eq!(run(&mut agc, -30.0, 10.0), 0.0);
        assert!(run(&mut agc, -10.0, 10.0) < -7.0);
    }

    #[test]
    fn a_one_second_burst_leaves_the_gain_alone() {
        let mut agc = agc(AgcParams::default());
        let before = run(&mut agc, -38.0, 30.0);
        run(&mut agc, -7.5, 1.0);
        let after = run(&mut agc, -38.0, 1.0);
        assert!((after - before).abs() < 0.3, "{before} to {after}");
    }

    #[test]
    fn two_slams_are_no_programme_however_little_patience_there_is_beyond_the_usual() {
        let mut agc = agc(AgcParams { release_ms: 3_010.0, ..AgcParams::default() });
        let before = run(&mut agc, -38.0, 40.0);
        for _ in 0..2 {
            run(&mut agc, -7.5, 0.8);
            run(&mut agc, -38.0, 2.0);
        }
        assert!((agc.gain_db - before).abs() < 0.5, "{before} to {}", agc.gain_db);
    }

    #[test]
    fn nothing_behind_the_compressor_rises_while_the_guard_is_engaged() {
        let mut agc = agc(AgcParams::default());
        agc.set_gain_db(14.0);
        for _ in 0..(20.0 / TICK_S) as usize {
            let input = Lufs(-20.0).to_mean_square();
            // Whatever comes, the same comes out: only the trim could make up for it.
            let output = Lufs(-40.0).to_mean_square();
            let levelled = input * db_to_power(agc.gain_db);
            let unguarded = Lufs(2.0).to_mean_square();
            let (compressed, louder) = (output, output * db_to_power(1.0));
            let sloped = 0.0;
            agc.tick(&Power { input, levelled, compressed, output, louder, sloped, unguarded });
        }
        assert_eq!((agc.gain_db, agc.trim_db), (14.0, 0.0));
    }

    #[test]
    fn in_silence_a_boost_falls_back_behind_the_compressor_too() {
        let mut agc = agc(AgcParams::default());
        (agc.gain_db, agc.trim_db) = (3.0, 6.0);
        run(&mut agc, -70.0, 9.0);
        assert!((agc.gain_db + agc.trim_db - 5.0).abs() < 0.2, "{:?}", agc.gains());
        run(&mut agc, -70.0, 20.0);
        assert_eq!((agc.gain_db, agc.trim_db), (0.0, 0.0));
    }

    #[test]
    fn a_target_that_is_no_number_is_the_usual_one() {
        let mut agc = agc(AgcParams { target: Lufs(f32::NAN), ..AgcParams::default() });
        let gain = run(&mut agc, -30.0, 20.0);
        assert!((gain - 12.0).abs() < 0.1, "{gain}");
    }

    #[test]
    fn a_cut_that_is_not_enough_does_not_keep_the_guard_at_work() {
        let mut agc = agc(AgcParams { max_cut: Db(3.0), ..AgcParams::default() });
        run(&mut agc, -6.0, 10.0);
        assert_eq!(agc.gains(), AgcGains { gain_db: -3.0, trim_db: 0.0, guard_db: 0.0 });
    }

    #[test]
    fn a_quiet_programme_after_a_loud_one_is_found_and_steady_noise_is_not() {
        let mut agc = agc(AgcParams::default());
        run(&mut agc, -8.0, 15.0);
        let kept = run(&mut agc, -40.0, 60.0);
        assert!(kept < -9.0, "{kept}");
        for _ in 0..20 {
            run(&mut agc, -36.0, 0.7);
            run(&mut agc, -45.0, 0.7);
        }
        assert!(agc.gain_db > 10.0, "{}", agc.gain_db);
    }
}
