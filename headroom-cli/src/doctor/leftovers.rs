//! What a crash has left: the default sink, streams and volumes that are not as they were.

use super::sights::Look;
use super::{Finding, Fix, Sights};

/// How the names of our sinks begin.
const OURS: &str = "headroom.";

pub(super) fn judge(sights: &Sights, findings: &mut Vec<Finding>) {
    const CHECK: &str = "leftovers";
    let Ok(look) = &sights.look else { return };
    // What a daemon that runs has changed is as it is meant to be, also where it listens elsewhere.
    let lives = look.graph.nodes.iter().any(|node| node.name.starts_with(OURS));
    if sights.is_at_work() || lives {
        return;
    }
    let mut left = Vec::new();
    let journal = &look.journal;
    let graph = &look.graph;
    let is_ours = |name: &Option<String>| name.as_ref().is_some_and(|name| name.starts_with(OURS));
    if journal.default_sink || is_ours(&graph.configured_default_sink) {
        left.push("the default sink is Headroom's".to_owned());
    }
    let waits = Waiting::of(look);
    let pinned = graph.targets.iter().filter(|(_, target)| target.starts_with(OURS)).count();
    let streams = journal.streams.saturating_sub(waits.streams).max(pinned);
    if streams > 0 {
        left.push(format!(
            "{streams} app{} sent to it",
            if streams == 1 { " is" } else { "s are" }
        ));
    }
    let volumes = journal.volumes.saturating_sub(waits.volumes);
    if volumes > 0 {
        left.push(format!(
            "{volumes} device volume{} changed",
            if volumes == 1 { " is" } else { "s are" }
        ));
    }
    findings.extend(waits.finding(CHECK));
    if let Some(error) = &journal.error {
        let path = journal.path.as_deref().unwrap_or_default();
        let means = "what headroomd had noted to put back after a crash cannot be read";
        findings.push(Finding::trouble(
            CHECK,
            format!("{path}: {error}"),
            means,
            "headroom daemon (sets it aside, and goes on)",
        ));
    }
    if left.is_empty() {
        if journal.error.is_none() && waits.is_nothing() {
            findings.push(Finding::fine(CHECK, "a crash has left nothing behind"));
        }
        return;
    }
    let means =
        "headroomd was killed before it could put this back; the next start of it does so, too";
    findings.push(Finding::fixed_by(Fix::Restore, CHECK, left.join(", "), means));
}

/// What is noted and can only be put back once an app or a sink is there again.
struct Waiting {
    streams: usize,
    /// Of these, those whose app does not play.
    silent: usize,
    volumes: usize,
    /// Each once.
    for_sinks: Vec<String>,
}

impl Waiting {
    fn of(look: &Look) -> Waiting {
        let nodes = &look.graph.nodes;
        let is_away = |name: &&String| {
            !nodes.iter().any(|node| node.media_class == "Audio/Sink" && node.name == **name)
        };
        let of_streams: Vec<&String> = look.journal.stream_sinks.iter().filter(is_away).collect();
        let of_volumes: Vec<&String> = look.journal.volume_sinks.iter().filter(is_away).collect();
        // Of an app that does not play nothing can be told to anybody either.
        let streams = look.journal.silent_streams + of_streams.len();
        let volumes = of_volumes.len();
        let mut for_sinks: Vec<String> =
            of_streams.into_iter().chain(of_volumes).map(|name| format!("{name:?}")).collect();
        for_sinks.sort();
        for_sinks.dedup();
        Waiting { streams, silent: look.journal.silent_streams, volumes, for_sinks }
    }

    fn is_nothing(&self) -> bool {
        self.streams == 0 && self.volumes == 0
    }

    fn finding(&self, check: &'static str) -> Option<Finding> {
        let mut what = Vec::new();
        for (count, one, more) in [
            (self.streams, "where 1 app goes", "where {} apps go"),
            (self.volumes, "1 device volume", "{} device volumes"),
        ] {
            match count {
                0 => {}
                1 => what.push(one.to_owned()),
                _ => what.push(more.replace("{}", &count.to_string())),
            }
        }
        if what.is_empty() {
            return None;
        }
        let mut until = Vec::new();
        match &self.for_sinks[..] {
            [] => {}
            [sink] => until.push(format!("{sink} is there again")),
            sinks => until.push(format!("{} are there again", sinks.join(", "))),
        }
        match self.silent {
            0 => {}
            1 => until.push("the app plays again".to_owned()),
            _ => until.push("the apps play again".to_owned()),
        }
        let found = format!("{} is kept until {}", what.join(" and "), until.join(" and "));
        let means = "it is put back then, by headroomd or headroomd --restore; nothing is wrong, and \
                     nothing can be done now";
        Some(Finding::note(check, found, means))
    }
}
