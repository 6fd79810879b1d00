//! What `headroom doctor` has found, for people: one line each, and more where something is wrong.

use std::fmt::Write;

use super::Paint;
use super::text::{COLUMNS, column, wrapped_from};
use crate::doctor::{Finding, Level};

/// What was looked at is so wide, with its mark and the space behind it.
const NAMES: usize = 22;

/// All findings, what was mended, and how it is.
pub(crate) fn doctor(
    findings: &[Finding],
    done: &[Result<String, String>],
    well: bool,
    paint: Paint,
) -> String {
    let mut text = String::new();
    for finding in findings {
        one(&mut text, finding, paint);
    }
    text.push('\n');
    for done in done {
        let line = match done {
            Ok(done) => format!("mended: {done}"),
            Err(why) => paint.warning(format!("not mended: {why}")),
        };
        let _ = writeln!(text, "{line}");
    }
    if !done.is_empty() {
        text.push('\n');
    }
    let count = findings.iter().filter(|finding| finding.level == Level::Trouble).count();
    let _ = match (well, count) {
        (true, _) => writeln!(text, "All is well."),
        (false, 1) => writeln!(text, "{}", paint.bold("One thing is not as it should be.")),
        (false, _) => {
            writeln!(text, "{}", paint.bold(format!("{count} things are not as they should be.")))
        }
    };
    text
}

fn one(text: &mut String, finding: &Finding, paint: Paint) {
    let mark = match finding.level {
        Level::Fine => " ",
        Level::Note => "-",
        Level::Trouble => "!",
    };
    let name = column(&format!("{mark} {}", finding.check), NAMES);
    let found = wrapped_from(NAMES, &finding.found, COLUMNS, NAMES);
    let _ = match finding.level {
        Level::Trouble => writeln!(text, "{}{found}", paint.warning(name)),
        Level::Fine | Level::Note => writeln!(text, "{}{found}", paint.dim(name)),
    };
    let mut more = |what: &str| {
        let _ = writeln!(text, "{:NAMES$}{}", "", wrapped_from(NAMES, what, COLUMNS, NAMES));
    };
    if let Some(means) = &finding.means {
        more(means);
    }
    // Whole, so that it can be copied.
    if let Some(mend) = &finding.mend {
        let _ = writeln!(text, "{:NAMES$}{}", "", paint.bold(super::text::plain(mend)));
    }
}
