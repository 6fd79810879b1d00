//! What `--fix` does: leftovers of a crash, a missing directory, a stale socket or lock, and nothing
//! else.

use std::collections::BTreeSet;
use std::time::Duration;

use super::sights::{NoLook, ask};
use super::{Finding, Fix, Sights};
use crate::command::daemon::program;

/// How long headroomd may take to put everything back.
const RESTORE: Duration = Duration::from_secs(20);

/// Mends what can be mended of these, and says of each what was done, or why it was not.
pub(crate) fn mend(sights: &Sights, findings: &[Finding]) -> Vec<Result<String, String>> {
    let fixes: BTreeSet<Fix> = findings.iter().filter_map(|finding| finding.fix).collect();
    let mend = |fix| match fix {
        Fix::Directory => sights.place.make_directory(),
        Fix::Place => sights.place.clear(),
        Fix::Restore => restore(),
    };
    fixes.into_iter().map(mend).collect()
}

fn restore() -> Result<String, String> {
    match ask(&program(), "--restore", RESTORE) {
        Ok(output) if output.is_success => Ok("put back what a crash had left".to_owned()),
        Ok(output) => {
            let said = output.stderr.lines().next_back().unwrap_or("headroomd said nothing");
            Err(format!("putting back what a crash had left: {said}"))
        }
        Err(NoLook::NotInstalled) => Err("there is no headroomd to put things back".to_owned()),
        Err(NoLook::Failed(why)) => Err(why),
    }
}
