//! What a crash has left: the default sink, streams and volumes that are not as they were.

use super::{Finding, Fix, Sights};

/// How the names of our sinks begin.
const OURS: &str = "headroom.";

pub(super) fn judge(sights: &Sights, findings: &mut Vec<Finding>) {
    const CHECK: &str = "leftovers";
    // What a daemon that runs has changed is as it is meant to be.
    if sights.is_at_work() {
        return;
    }
    let Ok(look) = &sights.look else { return };
    let mut left = Vec::new();
    let journal = &look.journal;
    let graph = &look.graph;
    let is_ours = |name: &Option<String>| name.as_ref().is_some_and(|name| name.starts_with(OURS));
    if journal.default_sink || is_ours(&graph.configured_default_sink) {
        left.push("the default sink is Headroom's".to_owned());
    }
    let pinned = graph.targets.iter().filter(|(_, target)| target.starts_with(OURS)).count();
    let streams = journal.streams.max(pinned);
    if streams > 0 {
        left.push(format!(
            "{streams} app{} sent to it",
            if streams == 1 { " is" } else { "s are" }
        ));
    }
    if journal.volumes > 0 {
        let volumes = journal.volumes;
        left.push(format!(
            "{volumes} device volume{} changed",
            if volumes == 1 { " is" } else { "s are" }
        ));
    }
    if let Some(error) = &journal.error {
        let path = journal.path.as_deref().unwrap_or_default();
        let means = "what headroomd had noted to put back after a crash cannot be read";
        findings.push(
            Finding::trouble(CHECK, format!("{path}: {error}"), means)
                .mended_by("headroom daemon (sets it aside, and goes on)"),
        );
    }
    if left.is_empty() {
        if journal.error.is_none() {
            findings.push(Finding::fine(CHECK, "a crash has left nothing behind"));
        }
        return;
    }
    let means = "headroomd was killed before it could put this back; the next one does, too";
    findings.push(Finding::trouble(CHECK, left.join(", "), means).fixed_by(Fix::Restore));
}
