//! Whether the sound is worked on before everything else.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};

use super::{Finding, Sights};

/// `SCHED_FIFO` and `SCHED_RR`.
const REAL_TIME: [u32; 2] = [1, 2];
/// `CAP_SYS_NICE`: with it there are no limits.
const SYS_NICE: u32 = 23;
/// Fields of `/proc/PID/task/TID/stat` behind the name of the thread: `policy`.
const POLICY: usize = 38;

/// What there is to be seen of the priority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Realtime {
    /// Whether the audio thread of the daemon that runs goes before everything else.
    pub(super) of_daemon: Option<bool>,
    /// Whether this user may have such threads.
    pub(super) is_allowed: bool,
    /// Whether rtkit can be asked to allow them.
    pub(super) has_rtkit: bool,
}

impl Realtime {
    pub(super) fn look(daemon: Option<u32>) -> Realtime {
        Realtime {
            of_daemon: daemon.and_then(of_process),
            is_allowed: getrlimit(Resource::Rtprio).maximum.is_none_or(|most| most > 0)
                || may_do_anything(),
            has_rtkit: has_rtkit(),
        }
    }
}

pub(super) fn judge(sights: &Sights, findings: &mut Vec<Finding>) {
    findings.push(finding(sights.realtime));
}

fn finding(realtime: Realtime) -> Finding {
    const CHECK: &str = "real-time priority";
    let Realtime { of_daemon, is_allowed, has_rtkit } = realtime;
    let trouble = |found: &str| {
        let means = "whenever the machine is busy the sound may crackle";
        let mend = "install rtkit (Debian and Ubuntu: sudo apt install rtkit) and log in again";
        Finding::trouble(CHECK, found, means, mend)
    };
    match (of_daemon, is_allowed, has_rtkit) {
        (Some(true), _, _) => Finding::fine(CHECK, "headroomd's audio thread has it"),
        (Some(false), _, _) => trouble("headroomd's audio thread has none"),
        (None, true, _) => Finding::fine(CHECK, "this user may have it"),
        (None, false, true) => Finding::fine(CHECK, "rtkit gives it"),
        (None, false, false) => trouble("the limit is 0 and there is no rtkit to raise it"),
    }
}

/// Whether any of its threads goes before everything else: the audio thread is the only one that
/// should, and PipeWire 0.3 gives it no name of its own.
fn of_process(pid: u32) -> Option<bool> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let policies = threads
        .flatten()
        .filter_map(|thread| policy_of(&fs::read_to_string(thread.path().join("stat")).ok()?));
    Some(policies.into_iter().any(|policy| REAL_TIME.contains(&policy)))
}

/// The policy of a thread, as `/proc` has it.
fn policy_of(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(POLICY)?.parse().ok()
}

fn may_do_anything() -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return false };
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_some_and(|bits| bits & (1 << SYS_NICE) != 0)
}

/// Whether the system bus is there, and somebody who starts rtkit when it is asked for.
fn has_rtkit() -> bool {
    const SERVICE: &str = "dbus-1/system-services/org.freedesktop.RealtimeKit1.service";
    let bus = std::env::var("DBUS_SYSTEM_BUS_ADDRESS").ok();
    let bus = bus
        .as_deref()
        .and_then(|bus| bus.strip_prefix("unix:path="))
        .unwrap_or("/run/dbus/system_bus_socket");
    let usual = ["/usr/share", "/usr/local/share"].map(PathBuf::from);
    // A system may keep its packages elsewhere, and says so here.
    let told = std::env::var_os("XDG_DATA_DIRS").unwrap_or_default();
    let mut folders = usual.into_iter().chain(std::env::split_paths(&told));
    Path::new(bus).exists() && folders.any(|folder| folder.join(SERVICE).exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn what_the_daemon_has_counts_and_without_one_what_it_may_have() {
        for (of_daemon, is_allowed, has_rtkit, said, level) in [
            (Some(true), false, false, "audio thread has it", Level::Fine),
            (Some(false), true, true, "audio thread has none", Level::Trouble),
            (None, true, false, "this user may", Level::Fine),
            (None, false, true, "rtkit gives it", Level::Fine),
            (None, false, false, "the limit is 0 and", Level::Trouble),
        ] {
            let one = finding(Realtime { of_daemon, is_allowed, has_rtkit });
            assert!(one.found.contains(said) && one.level == level, "{one:?}");
            assert_eq!(one.mend.is_some(), level == Level::Trouble, "{one:?}");
        }
    }

    #[test]
    fn the_policy_of_a_thread_is_read_from_its_line() {
        let fields = vec!["0"; POLICY - 1].join(" ");
        for policy in [0, 1, 2] {
            // A name may hold anything.
            let stat = format!("7 (a) (S b) S {fields} {policy} 0 0");
            assert_eq!(policy_of(&stat), Some(policy));
        }
        assert_eq!(policy_of("7 (a) S 0"), None);
        let own = fs::read_to_string("/proc/self/stat").expect("it runs");
        assert_eq!(policy_of(&own), Some(0), "{own}");
    }
}
