//! Programs that work on the same sound as Headroom.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::{Finding, Sights};

/// One that is known.
struct Other {
    /// What its nodes and processes are called begins with this, in small letters.
    begins: &'static str,
    name: &'static str,
    means: &'static str,
    ended_by: &'static str,
    /// Whether it stands between apps and the device.
    is_in_the_way: bool,
}

const LEVELS_TOO: &str =
    "it levels and limits, too: the two work against each other, and each adds its latency";
const KNOWN: &[Other] = &[
    Other {
        begins: "easyeffects",
        name: "EasyEffects",
        means: LEVELS_TOO,
        ended_by: "easyeffects --quit",
        is_in_the_way: true,
    },
    Other {
        begins: "pulseeffects",
        name: "PulseEffects",
        means: LEVELS_TOO,
        ended_by: "pulseeffects --quit",
        is_in_the_way: true,
    },
    Other {
        begins: "jamesdsp",
        name: "JamesDSP",
        means: LEVELS_TOO,
        ended_by: "pkill -x jamesdsp",
        is_in_the_way: true,
    },
    Other {
        begins: "pulseaudio",
        name: "PulseAudio",
        means: "it takes the sound card for itself, and what plays to it never comes to Headroom",
        ended_by: "systemctl --user disable --now pulseaudio.service pulseaudio.socket",
        is_in_the_way: true,
    },
    Other {
        begins: "noisetorch",
        name: "NoiseTorch",
        means: "it works on microphones, which Headroom leaves alone",
        ended_by: "noisetorch -u",
        is_in_the_way: false,
    },
];

pub(super) fn judge(sights: &Sights, findings: &mut Vec<Finding>) {
    const CHECK: &str = "other processors";
    let nodes = sights.graph().map(|graph| &graph.nodes[..]).unwrap_or_default();
    let mut found = 0;
    for other in KNOWN {
        let is_it = |name: &str| name.to_lowercase().starts_with(other.begins);
        let node = nodes.iter().find(|node| {
            // PipeWire answers to clients of PulseAudio under a name that begins alike.
            is_it(&node.name) || (is_it(&node.application) && other.begins != "pulseaudio")
        });
        let process = sights.processes.iter().find(|name| is_it(name));
        let where_it_is = match (node, process) {
            (Some(node), _) => format!("{} is in the graph, as {}", other.name, node.name),
            (None, Some(_)) => format!("{} is running", other.name),
            (None, None) => continue,
        };
        found += 1;
        findings.push(if other.is_in_the_way {
            Finding::trouble(CHECK, where_it_is, other.means, other.ended_by)
        } else {
            Finding::note(CHECK, where_it_is, other.means).mended_by(other.ended_by)
        });
    }
    // A chain of filters that somebody has set up stands between apps and the device, too.
    let filters = nodes
        .iter()
        .filter(|node| node.media_class == "Audio/Sink" && node.name.starts_with("effect_input."));
    for filter in filters {
        found += 1;
        let what = format!("a filter chain is in the graph, as {}", filter.name);
        let means = "what it makes of the sound is not accounted for; put it behind Headroom";
        findings.push(
            Finding::note(CHECK, what, means)
                .mended_by(format!("headroom sink use {}", filter.name)),
        );
    }
    if found == 0 {
        findings.push(Finding::fine(CHECK, "none"));
    }
}

/// The names of this user's processes, each once.
pub(super) fn processes() -> Vec<String> {
    let uid = rustix::process::geteuid().as_raw();
    let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
    let name = |process: fs::DirEntry| {
        let is_own = process.metadata().ok()?.uid() == uid;
        let is_process = process.file_name().to_str()?.parse::<u32>().is_ok();
        let name = fs::read_to_string(process.path().join("comm")).ok();
        Some(name.filter(|_| is_own && is_process)?.trim_end().to_owned())
    };
    let mut names: Vec<String> = all.flatten().filter_map(name).collect();
    names.sort();
    names.dedup();
    names
}
