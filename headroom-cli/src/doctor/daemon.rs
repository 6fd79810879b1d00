//! headroomd itself, and what it warns of.

use super::sights::{Daemon, NoLook};
use super::{Finding, Sights};

/// What others look at more closely.
const LOOKED_AT: &[&str] = &["pipewire", "wireplumber", "device", "profiles"];

pub(super) fn judge(sights: &Sights, findings: &mut Vec<Finding>) {
    const CHECK: &str = "headroomd";
    match &sights.look {
        Ok(_) => {}
        Err(NoLook::NotInstalled) => findings.push(
            Finding::trouble(
                CHECK,
                "there is no headroomd beside headroom or in PATH",
                "nothing is levelled, and nobody can look at the graph",
            )
            .mended_by("./install, in the folder of Headroom's sources"),
        ),
        Err(NoLook::Failed(why)) => findings.push(Finding::trouble(
            CHECK,
            format!("looking at the graph: {why}"),
            "what is wrong there cannot be told",
        )),
    }
    match &sights.daemon {
        Daemon::Runs { status, .. } => {
            let name = format!("{} runs with profile {}", status.version, status.profile);
            findings.push(Finding::fine(CHECK, name));
            let about = |what: &str| LOOKED_AT.contains(&what) || what.starts_with("profile.");
            for warning in status.warnings.iter().filter(|warning| !about(&warning.about)) {
                let means = format!("headroomd warns of this ({})", warning.about);
                findings.push(Finding::trouble(CHECK, warning.message.clone(), means));
            }
        }
        // The lock tells more of it.
        Daemon::IsNotThere if sights.place.is_held() => {}
        Daemon::IsNotThere => findings.push(
            Finding::trouble(
                CHECK,
                "it is not running",
                "nothing is levelled, and nothing limited",
            )
            .mended_by("systemctl --user start headroomd (or, in a terminal: headroom daemon)"),
        ),
        Daemon::Fails(why) => findings.push(
            Finding::trouble(CHECK, why.clone(), "it runs, but does not do what it is asked")
                .mended_by("systemctl --user restart headroomd"),
        ),
    }
}
