//! headroomd itself, and what it warns of.

use super::sights::{Daemon, NoLook};
use super::{Finding, Sights};
use crate::print::in_verbs;

/// What others look at more closely.
const LOOKED_AT: &[&str] = &["pipewire", "wireplumber", "device", "profiles"];

pub(super) fn judge(sights: &Sights, findings: &mut Vec<Finding>) {
    const CHECK: &str = "headroomd";
    match &sights.look {
        Ok(_) => {}
        Err(NoLook::NotInstalled) => findings.push(Finding::trouble(
            CHECK,
            "there is no headroomd beside headroom or in PATH",
            "nothing is levelled, and nobody can look at the graph",
            "./install, in the folder of Headroom's sources",
        )),
        Err(NoLook::Failed(why)) => findings.push(Finding::trouble(
            CHECK,
            format!("looking at the graph: {why}"),
            "what is wrong there cannot be told",
            "headroomd --check (says the same, and perhaps more)",
        )),
    }
    match &sights.daemon {
        Daemon::Runs { status, .. } => {
            let name = format!("{} runs with profile {}", status.version, status.profile);
            findings.push(Finding::fine(CHECK, name));
            let about = |what: &str| LOOKED_AT.contains(&what) || what.starts_with("profile.");
            for warning in status.warnings.iter().filter(|warning| !about(&warning.about)) {
                let means = format!("headroomd warns of this ({})", warning.about);
                let mend = mend(&warning.about, &status.profile);
                let found = in_verbs(&warning.message);
                findings.push(Finding::trouble(CHECK, found, means, mend));
            }
        }
        // The lock tells more of it.
        Daemon::IsNotThere if sights.place.is_held() => {}
        Daemon::IsNotThere => findings.push(Finding::trouble(
            CHECK,
            "it is not running",
            "nothing is levelled, and nothing limited",
            "systemctl --user start headroomd (or, in a terminal: headroom daemon)",
        )),
        Daemon::Fails(why) => findings.push(Finding::trouble(
            CHECK,
            why.clone(),
            "it runs, but does not do what it is asked",
            "systemctl --user restart headroomd",
        )),
    }
}

/// What to do about what headroomd warns of.
fn mend(about: &str, profile: &str) -> String {
    match about {
        "default" => "headroom promote off (your default stays yours), or headroom promote on",
        "storage" | "journal" => {
            "see who may write, and how much room is left: ls -ld ~/.local/state/headroom; df -h ~"
        }
        "streams" | "rules" => "headroom route list",
        "devices" => "headroom device list",
        "watch" => "headroom profile reload (after each change of a profile)",
        "per_app" => return format!("headroom profile edit {profile}"),
        "graph" => "systemctl --user restart headroomd",
        other => match other.strip_prefix("setting.") {
            Some(key) => return format!("headroom unset {key}"),
            None => "headroom status",
        },
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_headroomd_warns_of_is_mended_by_something_that_can_be_typed() {
        assert_eq!(mend("setting.agc.target_lufs", "night"), "headroom unset agc.target_lufs");
        assert_eq!(mend("per_app", "night"), "headroom profile edit night");
        for about in ["default", "streams", "rules", "devices", "watch", "what is to come"] {
            assert!(mend(about, "night").starts_with("headroom "), "{about}");
        }
    }
}
