//! PipeWire, WirePlumber, the device that is heard, and the rates.

use super::sights::{Daemon, Graph, Node, Reached};
use super::{Finding, Sights};

/// The oldest that Headroom is tested with.
const OLDEST_PIPEWIRE: [u32; 3] = [0, 3, 65];
const OLDEST_WIREPLUMBER: [u32; 3] = [0, 4, 13];
/// What PipeWire plays into where there is no device.
const NO_DEVICE: &str = "auto_null";
/// How the names of our sinks begin.
const OURS: &str = "headroom.";

const START: &str = "systemctl --user start pipewire pipewire-pulse wireplumber";

pub(super) fn judge(sights: &Sights, findings: &mut Vec<Finding>) {
    const PIPEWIRE: &str = "PipeWire";
    let Ok(look) = &sights.look else { return };
    let graph = &look.graph;
    match graph.pipewire {
        Reached::Absent => {
            let means = "no app can play anything";
            let found = "it is not running for this user";
            findings.push(Finding::trouble(PIPEWIRE, found, means, START));
        }
        Reached::Silent => {
            let means = "it hangs: no app can begin to play, and what plays may stop";
            let (found, mend) =
                ("it does not answer within 2 s", "systemctl --user restart pipewire");
            findings.push(Finding::trouble(PIPEWIRE, found, means, mend));
        }
        Reached::Answered => {
            let version = graph.version.as_deref().unwrap_or_default();
            findings.push(if is_older(version, OLDEST_PIPEWIRE) {
                too_old(PIPEWIRE, version, OLDEST_PIPEWIRE)
            } else {
                Finding::fine(PIPEWIRE, format!("{version} runs"))
            });
            judge_session_manager(graph, findings);
            judge_device(sights, graph, findings);
        }
    }
}

/// Whether who links everything hangs.
fn is_silent(graph: &Graph) -> bool {
    graph.session_manager.as_ref().is_some_and(|manager| manager.is_silent)
}

fn judge_session_manager(graph: &Graph, findings: &mut Vec<Finding>) {
    const CHECK: &str = "WirePlumber";
    let version = graph.session_manager.as_ref().map(|manager| manager.wireplumber.as_deref());
    findings.push(match version {
        _ if is_silent(graph) => Finding::trouble(
            CHECK,
            "it does not answer",
            "it hangs: what begins to play is linked to nothing, and nothing goes elsewhere",
            "systemctl --user restart wireplumber",
        ),
        None => Finding::trouble(
            CHECK,
            "it is not running",
            "nothing links apps to devices",
            "systemctl --user start wireplumber",
        ),
        Some(None) => Finding::note(
            CHECK,
            "another session manager runs, or one whose version cannot be told",
            "Headroom is made for WirePlumber, and tested with nothing else",
        ),
        Some(Some(version)) if is_older(version, OLDEST_WIREPLUMBER) => {
            too_old(CHECK, version, OLDEST_WIREPLUMBER)
        }
        Some(Some(version)) => Finding::fine(CHECK, format!("{version} runs")),
    });
}

fn judge_device(sights: &Sights, graph: &Graph, findings: &mut Vec<Finding>) {
    const CHECK: &str = "default device";
    // The daemon follows the device behind its own sinks.
    let followed = match &sights.daemon {
        Daemon::Runs { status, .. } => status.device.device_sink.as_deref(),
        _ => None,
    };
    let is_there = |name: &&str| graph.nodes.iter().any(|node| node.name == *name);
    let heard = followed.filter(is_there).or(graph.default_sink.as_deref());
    if heard.is_none() && is_silent(graph) {
        // It is for WirePlumber to say which.
        return;
    }
    // Where there is no other sink one of ours is the default, and leads nowhere.
    let is_place = |node: &Node| {
        let is_device = !node.name.starts_with(OURS) && node.name != NO_DEVICE;
        node.media_class == "Audio/Sink" && is_device
    };
    let leads_nowhere = |name: &str| name.starts_with(OURS) && !graph.nodes.iter().any(is_place);
    let Some(name) = heard.filter(|name| *name != NO_DEVICE && !leads_nowhere(name)) else {
        findings.push(Finding::trouble(
            CHECK,
            "there is none",
            "there is nothing that sound could come out of",
            "plug one in, or see what the system has: wpctl status",
        ));
        return;
    };
    if name.starts_with(OURS) {
        // Leftovers tell of it, or it is the daemon's.
        return;
    }
    let node = graph.nodes.iter().find(|node| node.name == name);
    findings.push(Finding::fine(CHECK, node.map_or(name, |node| shown(node))));
    if let Some(wanted) = graph.configured_default_sink.as_deref().filter(|wanted| {
        !wanted.starts_with(OURS) && !graph.nodes.iter().any(|node| node.name == *wanted)
    }) {
        let means = format!("{name} is heard in its place until it is back");
        findings.push(Finding::note(
            CHECK,
            format!("the one you chose, {wanted}, is not there"),
            means,
        ));
    }
    if let (Some(graph_hz), Some(node)) = (graph.rate_hz, node) {
        judge_rate(graph_hz, node, findings);
    }
}

fn judge_rate(graph_hz: u32, node: &Node, findings: &mut Vec<Finding>) {
    const CHECK: &str = "sample rate";
    findings.push(match node.rate_hz {
        Some(device_hz) if device_hz != graph_hz => Finding::trouble(
            CHECK,
            format!("PipeWire runs at {graph_hz} Hz, and {} at {device_hz} Hz", shown(node)),
            "everything is converted from one to the other, which costs work and adds latency",
            format!("pw-metadata -n settings 0 clock.force-rate {device_hz}"),
        ),
        _ => Finding::fine(CHECK, format!("{graph_hz} Hz")),
    });
}

fn shown(node: &Node) -> &str {
    if node.description.is_empty() { &node.name } else { &node.description }
}

fn too_old(check: &'static str, version: &str, oldest: [u32; 3]) -> Finding {
    let [major, minor, micro] = oldest;
    Finding::trouble(
        check,
        format!("{version} runs, but Headroom needs {major}.{minor}.{micro} or later"),
        "streams may end up anywhere",
        "update your system",
    )
}

/// A version that cannot be read is nobody's fault.
fn is_older(version: &str, oldest: [u32; 3]) -> bool {
    let numbers: Option<Vec<u32>> =
        version.split('.').take(3).map(|number| number.parse().ok()).collect();
    numbers.is_some_and(|numbers| !numbers.is_empty() && numbers[..] < oldest[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_number_by_number() {
        for (version, older) in [
            ("0.3.64", true),
            ("0.3.65", false),
            ("0.3.100", false),
            ("1.4.2", false),
            ("0.2.90", true),
            ("1.5", false),
            ("", false),
            ("later", false),
        ] {
            assert_eq!(is_older(version, OLDEST_PIPEWIRE), older, "{version}");
        }
    }
}
