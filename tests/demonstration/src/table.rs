//! The judgement as a table of at most 80 columns.

use std::fmt::Write as _;

use crate::judgement::{
    AFTER_BANG_LU, AFTER_PAUSE_LU, BANG_CAUGHT_S, BANG_OVER_TARGET_LU, BRIEF_TOLERANCE_LU,
    CEILING_TOLERANCE_DB, Holds, Judgement, SETTLING_DOWN_S, SETTLING_S, SPREAD_LU,
    TARGET_TOLERANCE_LU,
};

/// The widest that a line may be.
pub(crate) const WIDTH: usize = 80;

/// The table, what it was judged by, and the sum of it.
pub(crate) fn text(judgement: &Judgement) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{:25}{:>6}{:>7}{:>7}", "", "in", "out", "peak");
    let _ =
        writeln!(text, "{:25}{:>6}{:>7}{:>7}  verdict", "what was played", "LUFS", "LUFS", "dBTP");
    let _ = writeln!(text, "{}", "-".repeat(WIDTH));
    for row in &judgement.rows {
        let _ = writeln!(
            text,
            "{:25}{:>6}{:>7}{:>7}  {}{}",
            row.title,
            number(row.in_lufs),
            number(row.out_lufs),
            number(row.peak_dbtp),
            mark(row.holds == Holds::Yes),
            row.verdict,
        );
    }
    let _ = writeln!(text, "{}", "-".repeat(WIDTH));
    let [in_lu, out_lu] = judgement.spread_lu;
    let _ = writeln!(
        text,
        "{}the four apps were {in_lu:.1} LU apart, and came out {out_lu:.1} LU apart",
        mark(judgement.spread_holds())
    );
    let [in_dbtp, out_dbtp] = judgement.peak_dbtp;
    let _ = writeln!(
        text,
        "{}the highest peak was {in_dbtp:+.1} dBTP, and came out at {out_dbtp:+.2} dBTP",
        mark(judgement.ceiling_holds())
    );
    let limits = &judgement.limits;
    let _ = write!(
        text,
        "\n\
         LUFS is loudness as people hear it, and 1 LU of it is 1 dB; dBTP is the true\n\
         peak, between the samples too, and 0 dBTP is full scale.\n\
         \n\
         What is ok, by meters that share no code with Headroom's:\n  \
         apps     {target:.1} LUFS within {TARGET_TOLERANCE_LU} LU, or {boost:.0} dB more than it was, from {SETTLING_S} s on\n           \
         ({SETTLING_DOWN_S} s after something far louder), and {SPREAD_LU} LU apart at most;\n           \
         a few words of a call within {BRIEF_TOLERANCE_LU} LU\n  \
         a bang   after {BANG_CAUGHT_S} s at most {BANG_OVER_TARGET_LU} LU over the target; what is quiet comes back\n           \
         within {AFTER_BANG_LU} LU, 3 to 7 s after it\n  \
         a pause  what comes after it is at most {AFTER_PAUSE_LU} LU louder than before it\n  \
         peaks    {ceiling:.1} dBTP at most from beginning to end, and {CEILING_TOLERANCE_DB} dB for the meter\n",
        target = limits.target_lufs,
        boost = limits.max_boost_db,
        ceiling = limits.ceiling_dbtp,
    );
    text
}

fn mark(right: bool) -> &'static str {
    if right { "ok    " } else { "WRONG " }
}

fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:.1}") } else { "silent".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::{Limits, Row};

    fn judgement(holds: Holds) -> Judgement {
        let row = Row {
            title: "  after its long pause".into(),
            in_lufs: -33.3,
            out_lufs: f64::NEG_INFINITY,
            peak_dbtp: -1.04,
            verdict: "12.3 LU quieter than before".into(),
            holds,
        };
        Judgement {
            rows: vec![row],
            spread_lu: [27.0, 0.4],
            peak_dbtp: [3.0, -1.004],
            limits: Limits { target_lufs: -18.0, ceiling_dbtp: -1.0, max_boost_db: 18.0 },
        }
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        for line in text(&judgement(Holds::No)).lines() {
            assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
        }
    }

    #[test]
    fn one_wrong_line_makes_the_whole_wrong() {
        assert!(judgement(Holds::Yes).holds());
        let wrong = judgement(Holds::No);
        assert!(!wrong.holds());
        assert!(text(&wrong).contains("WRONG 12.3 LU quieter"));
        let mut loud = judgement(Holds::Yes);
        loud.peak_dbtp[1] = -0.85;
        assert!(!loud.holds());
    }
}
