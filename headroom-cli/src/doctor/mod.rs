//! What is wrong with the sound, what it means, and what mends it.
//!
//! `headroom doctor` stands on it. [`Sights`] is what was seen: by this program, by the daemon, and
//! by `headroomd --check`, which alone can look at the graph. [`judge`] makes findings of it, each
//! in the file of its idea, and knows nothing that is not in the sights. [`mend`] is what `--fix`
//! does.

mod daemon;
mod graph;
mod leftovers;
mod mend;
mod others;
mod place;
mod profiles;
mod realtime;
mod sights;

use serde::Serialize;

pub(crate) use mend::mend;
pub(crate) use sights::Sights;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// As it should be.
    Fine,
    /// Worth knowing, and no trouble.
    Note,
    /// Not as it should be.
    Trouble,
}

/// What `--fix` can do about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fix {
    /// Make the runtime directory.
    Directory,
    /// Take away the socket and the lock that nobody holds.
    Place,
    /// Have `headroomd --restore` put back what a crash has left.
    Restore,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What was looked at, in one word.
    pub(crate) check: &'static str,
    /// How bad it is.
    pub(crate) level: Level,
    /// What was found.
    pub(crate) found: String,
    /// What that means for the listener.
    pub(crate) means: Option<String>,
    /// The command that mends it, or what else to do.
    pub(crate) mend: Option<String>,
    /// Whether `--fix` mends it.
    pub(crate) can_be_fixed: bool,
    #[serde(skip)]
    pub(crate) fix: Option<Fix>,
}

impl Finding {
    fn fine(check: &'static str, found: impl Into<String>) -> Finding {
        let (level, found) = (Level::Fine, found.into());
        Finding { check, level, found, means: None, mend: None, can_be_fixed: false, fix: None }
    }

    fn note(check: &'static str, found: impl Into<String>, means: impl Into<String>) -> Finding {
        let means = Some(means.into());
        Finding { level: Level::Note, means, ..Finding::fine(check, found) }
    }

    /// None without what it means for the listener, and what they can do about it.
    fn trouble(
        check: &'static str,
        found: impl Into<String>,
        means: impl Into<String>,
        mend: impl Into<String>,
    ) -> Finding {
        let note = Finding::note(check, found, means).mended_by(mend);
        Finding { level: Level::Trouble, ..note }
    }

    fn mended_by(mut self, command: impl Into<String>) -> Finding {
        self.mend = Some(command.into());
        self
    }

    /// A trouble that `--fix` mends.
    fn fixed_by(
        fix: Fix,
        check: &'static str,
        found: impl Into<String>,
        means: impl Into<String>,
    ) -> Finding {
        let trouble = Finding::trouble(check, found, means, "headroom doctor --fix");
        Finding { fix: Some(fix), can_be_fixed: true, ..trouble }
    }
}

/// What is to be said of what was seen, in the order in which one thing stands on another.
pub(crate) fn judge(sights: &Sights) -> Vec<Finding> {
    let mut findings = Vec::new();
    place::judge(sights, &mut findings);
    graph::judge(sights, &mut findings);
    daemon::judge(sights, &mut findings);
    realtime::judge(sights, &mut findings);
    leftovers::judge(sights, &mut findings);
    profiles::judge(sights, &mut findings);
    others::judge(sights, &mut findings);
    findings
}

/// Whether all is well.
pub(crate) fn is_well(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.level != Level::Trouble)
}
