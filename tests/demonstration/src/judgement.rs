//! What the device received, judged part by part, by meters that are not Headroom's: the `ebur128`
//! crate for loudness and 16 points a sample for peaks.

use headroom_profile::Profile;
use headroom_signals::Programme;
use headroom_signals::judge::{oracle, true_peak};

use crate::alignment::Placed;
use crate::programme::{BANG_AT_S, BANG_S, Kind, PAUSE_S, TALK_BEFORE_PAUSE_S};

/// A new app has this long to find its level before it is judged.
pub(crate) const SETTLING_S: f64 = 10.0;
/// And this long where it is far quieter than the one before: what may be a pause is waited for.
pub(crate) const SETTLING_DOWN_S: f64 = 16.0;
/// How far from the target what has settled may be.
pub(crate) const TARGET_TOLERANCE_LU: f64 = 1.0;
/// The same for a few words only, soon after another app.
pub(crate) const BRIEF_TOLERANCE_LU: f64 = 3.0;
/// How far apart the quietest and the loudest app may be.
pub(crate) const SPREAD_LU: f64 = 1.5;
/// What the 16x meter may read over the ceiling.
pub(crate) const CEILING_TOLERANCE_DB: f64 = 0.1;
/// How far over the target a bang may be once it has lasted [`BANG_CAUGHT_S`].
pub(crate) const BANG_OVER_TARGET_LU: f64 = 4.0;
/// How soon a bang is caught.
pub(crate) const BANG_CAUGHT_S: f64 = 0.3;
/// How far the quiet after a bang may be from the quiet before it, 3 to 7 s later.
pub(crate) const AFTER_BANG_LU: f64 = 3.0;
/// How much louder the first second after a pause may be than the loudest before it.
pub(crate) const AFTER_PAUSE_LU: f64 = 1.0;
/// What a gain that has not changed may seem to by the ends of the windows it is read from.
const STEADY_LU: f64 = 0.5;

/// What Headroom was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Where everything should come out.
    pub(crate) target_lufs: f64,
    /// What no peak may pass.
    pub(crate) ceiling_dbtp: f64,
    /// The most that anything is turned up.
    pub(crate) max_boost_db: f64,
}

impl Limits {
    /// What a profile asks for.
    pub(crate) fn of(profile: &Profile) -> Limits {
        Limits {
            target_lufs: profile.agc.target_lufs.into(),
            ceiling_dbtp: profile.limiter.ceiling_dbtp.into(),
            max_boost_db: profile.agc.max_boost_db.into(),
        }
    }
}

/// Whether it is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// It is.
    Yes,
    /// It is not.
    No,
}

impl Holds {
    fn when(condition: bool) -> Holds {
        if condition { Holds::Yes } else { Holds::No }
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// What was judged.
    pub(crate) title: String,
    /// Its loudness as it was played.
    pub(crate) in_lufs: f64,
    /// Its loudness as it was received.
    pub(crate) out_lufs: f64,
    /// Its true peak as it was received.
    pub(crate) peak_dbtp: f64,
    /// How it is, in plain words.
    pub(crate) verdict: String,
    /// And whether that is right.
    pub(crate) holds: Holds,
}

/// The whole judgement.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    /// One or more lines for each part.
    pub(crate) rows: Vec<Row>,
    /// Loudness of the apps between the quietest and the loudest as they were played, and as they were received.
    pub(crate) spread_lu: [f64; 2],
    /// The highest true peak, played and received.
    pub(crate) peak_dbtp: [f64; 2],
    /// What it was judged by.
    pub(crate) limits: Limits,
}

impl Judgement {
    /// Judges parts by what was received in their place.
    pub(crate) fn of(placed: &[Placed], received: &Programme, limits: Limits) -> Judgement {
        let court = Court { received, limits };
        let mut rows = Vec::new();
        let mut settled = Vec::new();
        for part in placed {
            match part.part.kind {
                Kind::QuietTalk | Kind::LoudMusic | Kind::WhisperedVideo | Kind::ScreamedVideo => {
                    let row = court.settled(part);
                    settled.push((row.in_lufs, row.out_lufs));
                    rows.push(row);
                }
                Kind::Bang => rows.extend(court.bang(part)),
                Kind::Pause => rows.extend(court.pause(part)),
                Kind::HotPeaks => rows.push(court.hot(part)),
            }
        }
        let spread = |of: fn(&(f64, f64)) -> f64| {
            let values = || settled.iter().map(of);
            values().fold(f64::NEG_INFINITY, f64::max) - values().fold(f64::INFINITY, f64::min)
        };
        let played = placed.iter().map(|part| true_peak::of(&part.part.sound));
        Judgement {
            spread_lu: [spread(|row| row.0), spread(|row| row.1)],
            // Also what comes between the parts.
            peak_dbtp: [played.fold(f64::NEG_INFINITY, f64::max), true_peak::of(received)],
            rows,
            limits,
        }
    }

    /// Whether the apps came out close enough to each other.
    pub(crate) fn spread_holds(&self) -> bool {
        self.spread_lu[1] <= SPREAD_LU
    }

    /// Whether no peak of the whole recording passed the ceiling.
    pub(crate) fn ceiling_holds(&self) -> bool {
        self.peak_dbtp[1] <= self.limits.ceiling_dbtp + CEILING_TOLERANCE_DB
    }

    /// Whether everything is as it should be.
    pub(crate) fn holds(&self) -> bool {
        self.spread_holds()
            && self.ceiling_holds()
            && self.rows.iter().all(|row| row.holds == Holds::Yes)
    }
}

struct Court<'a> {
    received: &'a Programme,
    limits: Limits,
}

impl Court<'_> {
    /// One line about a span of a part. A passed ceiling is said before anything else.
    fn row(
        &self,
        title: &str,
        part: &Placed,
        span: [f64; 2],
        judge: impl FnOnce([f64; 2]) -> (bool, String),
    ) -> Row {
        let heard = part.heard(self.received, span[0], span[1]);
        let in_lufs = oracle::integrated(&part.part.sound.between(span[0], span[1]));
        let out_lufs = oracle::integrated(&heard);
        let peak_dbtp = true_peak::of(&heard);
        let over_db = peak_dbtp - self.limits.ceiling_dbtp;
        let (holds, verdict) = if over_db > CEILING_TOLERANCE_DB {
            (false, format!("{over_db:.1} dB over the ceiling"))
        } else {
            judge([in_lufs, out_lufs])
        };
        Row {
            title: title.to_owned(),
            in_lufs,
            out_lufs,
            peak_dbtp,
            verdict,
            holds: Holds::when(holds),
        }
    }

    /// Once it has settled, at the target.
    fn settled(&self, part: &Placed) -> Row {
        let whispers = part.part.kind == Kind::WhisperedVideo;
        let settling_s = if whispers { SETTLING_DOWN_S } else { SETTLING_S };
        let span = [settling_s, part.part.sound.seconds()];
        self.row(part.part.title, part, span, |[_, out_lufs]| {
            let off_lu = out_lufs - self.limits.target_lufs;
            (off_lu.abs() <= TARGET_TOLERANCE_LU, from_target(off_lu))
        })
    }

    /// Quiet, then the bang, then quiet again.
    fn bang(&self, part: &Placed) -> [Row; 3] {
        let before = self.row("a film, quiet", part, [SETTLING_S, BANG_AT_S], |[played, out]| {
            // So quiet that the largest boost does not bring it to the target.
            let wanted_db = self.limits.max_boost_db.min(self.limits.target_lufs - played);
            let lift_db = out - played;
            let holds = (lift_db - wanted_db).abs() <= TARGET_TOLERANCE_LU;
            (holds, format!("turned up by {lift_db:.1} dB"))
        });
        let bang_end_s = BANG_AT_S + BANG_S;
        let mut bang =
            self.row("  a sudden bang", part, [BANG_AT_S, bang_end_s], |_| (true, String::new()));
        let with_before = part.heard(self.received, BANG_AT_S - 1.0, bang_end_s);
        bang.out_lufs =
            oracle::max_momentary_between(&with_before, 1.0 + BANG_CAUGHT_S, 1.0 + BANG_S);
        if bang.holds == Holds::Yes {
            let over_lu = bang.out_lufs - self.limits.target_lufs;
            bang.holds = Holds::when(over_lu <= BANG_OVER_TARGET_LU);
            bang.verdict = from_target(over_lu);
        }
        let late = [bang_end_s + 3.0, bang_end_s + 7.0];
        let after = self.row("  and quiet again", part, late, |[_, out]| {
            let change_lu = out - before.out_lufs;
            (change_lu.abs() <= AFTER_BANG_LU, from_before(change_lu))
        });
        [before, bang, after]
    }

    /// Talk, a pause, and the same talk.
    fn pause(&self, part: &Placed) -> [Row; 2] {
        // What comes before is still on its way to its level in the first seconds.
        let settled_s = TALK_BEFORE_PAUSE_S / 2.0;
        let again_s = TALK_BEFORE_PAUSE_S + PAUSE_S;
        let heard = part.heard(self.received, 0.0, part.part.sound.seconds());
        let loudest = |from_s, to_s| oracle::max_momentary_between(&heard, from_s, to_s);
        let gain = |from_s: f64, to_s: f64| {
            let played = &part.part.sound;
            oracle::max_momentary_between(&heard, from_s, to_s)
                - oracle::max_momentary_between(played, from_s, to_s)
        };
        let rise_db = gain(again_s - 1.0, again_s)
            - gain(TALK_BEFORE_PAUSE_S + 0.5, TALK_BEFORE_PAUSE_S + 1.5);
        let louder_lu = loudest(again_s, again_s + 1.0) - loudest(settled_s, TALK_BEFORE_PAUSE_S);
        let before = self.row("a call", part, [settled_s, TALK_BEFORE_PAUSE_S], |[_, out]| {
            let off_lu = out - self.limits.target_lufs;
            (off_lu.abs() <= BRIEF_TOLERANCE_LU, from_target(off_lu))
        });
        let after = self.row("  after its long pause", part, [again_s, again_s + 3.0], |_| {
            let holds = louder_lu <= AFTER_PAUSE_LU && rise_db <= STEADY_LU;
            (holds, from_before(louder_lu))
        });
        [before, after]
    }

    fn hot(&self, part: &Placed) -> Row {
        let peak_in_dbtp = true_peak::of(&part.part.sound);
        self.row(part.part.title, part, [0.0, part.part.sound.seconds()], |_| {
            (true, format!("came in at {peak_in_dbtp:+.1} dBTP"))
        })
    }
}

/// `0.2 LU over the target`, or under, or at it.
fn from_target(lu: f64) -> String {
    match tenths(lu) {
        0 => "at the target".into(),
        1.. => format!("{lu:.1} LU over the target"),
        _ => format!("{:.1} LU under the target", -lu),
    }
}

/// `0.2 LU louder than before`, or quieter, or the same.
fn from_before(lu: f64) -> String {
    match tenths(lu) {
        0 => "as loud as before".into(),
        1.. => format!("{lu:.1} LU louder than before"),
        _ => format!("{:.1} LU quieter than before", -lu),
    }
}

/// As many tenths as are shown; less than none is silence.
fn tenths(lu: f64) -> i64 {
    (10.0 * lu).round() as i64
}

#[cfg(test)]
mod tests {
    use headroom_dsp::{Chain, ChainParams, Layout};

    use super::*;
    use crate::alignment::place;
    use crate::programme::{Part, RATE_HZ, parts};

    fn limits() -> Limits {
        Limits::of(&headroom_profile::load("default").expect("it is built in").profile)
    }

    /// The parts one after the other, 0.4 s apart, as a device would get them.
    fn played_through(process: impl FnMut(&mut [&mut [f32]]), parts: &[Part]) -> Programme {
        let gap = Programme::silence(RATE_HZ, 2, 0.4);
        let mut all = gap.clone();
        for part in parts {
            all = all.then(&part.sound).then(&gap);
        }
        all.in_blocks(1_024, process)
    }

    fn judged(process: impl FnMut(&mut [&mut [f32]])) -> Judgement {
        let parts = parts();
        let received = played_through(process, &parts);
        let placed = place(parts, &received).expect("every part is heard");
        Judgement::of(&placed, &received, limits())
    }

    #[test]
    fn headroom_s_chain_is_judged_right() {
        let params: ChainParams =
            headroom_profile::load("default").expect("built in").profile.chain_params();
        let layout = Layout::usual(2).expect("stereo");
        let mut chain = Chain::prepare(RATE_HZ, layout, 1_024, &params).expect("prepared");
        let judgement = judged(|block| chain.process(block));
        assert!(judgement.holds(), "{}", crate::table::text(&judgement));
    }

    #[test]
    fn sound_that_is_left_as_it_is_is_judged_wrong() {
        let judgement = judged(|_| {});
        assert!(!judgement.ceiling_holds() && !judgement.spread_holds());
        let wrong = judgement.rows.iter().filter(|row| row.holds == Holds::No).count();
        // All but the quiet after the bang, which nothing has changed.
        assert_eq!(wrong, judgement.rows.len() - 1);
    }

    #[test]
    fn a_distance_says_its_direction() {
        assert_eq!(from_target(0.04), "at the target");
        assert_eq!(from_target(-0.24), "0.2 LU under the target");
        assert_eq!(from_before(3.96), "4.0 LU louder than before");
        assert_eq!(from_before(-0.04), "as loud as before");
    }
}
