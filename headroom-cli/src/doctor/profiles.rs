//! Files of profiles that cannot be used.

use headroom_profile::Library;

use super::{Finding, Sights};

pub(super) fn judge(sights: &Sights, findings: &mut Vec<Finding>) {
    const CHECK: &str = "profiles";
    let library: &Library = sights.on_disk.library();
    let before = findings.len();
    for entry in library.entries() {
        let Some(fault) = entry.fault() else { continue };
        let name = entry.name();
        let means = if name == sights.on_disk.begins_with() || entry.good().is_some() {
            "the last good version stays in force until headroomd starts again, and then what is \
             behind it"
        } else {
            "it cannot be put in force"
        };
        let mend = format!("headroom profile edit {name}");
        findings.push(Finding::trouble(CHECK, fault.to_string(), means, mend));
    }
    for warning in library.warnings() {
        let means = "what is left out cannot be put in force";
        let mend = "headroom profile list (shows what can), then rename it or let it be read";
        findings.push(Finding::trouble(CHECK, warning.to_string(), means, mend));
    }
    if findings.len() == before {
        let count = library.entries().count();
        findings.push(Finding::fine(CHECK, format!("all {count} can be used")));
    }
}
