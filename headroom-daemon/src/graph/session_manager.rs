//! Which WirePlumber links everything: it tells no client its version, but the library that its
//! process has loaded bears it in the name.
//!
//! Asked once for each WirePlumber, by the session on hr-graph; `look` and `session::restore` ask,
//! too, whether it is stopped. Reads `/proc` and nothing else.

use std::fs::File;
use std::io::Read;

/// What a process of WirePlumber calls itself.
const PROGRAM: &str = "wireplumber";
const LIBRARY: &str = "/libwireplumber-";
/// The most that is read of a list of mapped files; WirePlumber's has a few hundred kilobytes.
const MOST_BYTES: u64 = 4 << 20;

/// The version of the first of these processes that is WirePlumber, as far as it can be told.
pub(super) fn version(pids: impl Iterator<Item = u32>) -> Option<String> {
    pids.filter(|pid| is_wireplumber(*pid)).find_map(|pid| {
        let maps = read(&format!("/proc/{pid}/maps"))?;
        maps.lines().find_map(|line| of_library(line.rsplit_once(LIBRARY)?.1))
    })
}

/// Whether a WirePlumber of this version puts filters in front of devices by itself.
pub(super) fn knows_smart_filters(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(0), Some(5))
}

/// Whether one of these processes is a WirePlumber that is stopped: it answers nobody until it is told
/// to go on.
pub(super) fn is_stopped(mut pids: impl Iterator<Item = u32>) -> bool {
    pids.any(|pid| {
        is_wireplumber(pid)
            && read(&format!("/proc/{pid}/stat")).is_some_and(|stat| says_stopped(&stat))
    })
}

/// The state stands behind the name, which may hold anything: `T`, or `t` under a debugger.
fn says_stopped(stat: &str) -> bool {
    let state = stat.rsplit_once(") ").and_then(|(_, fields)| fields.chars().next());
    matches!(state, Some('T' | 't'))
}

fn is_wireplumber(pid: u32) -> bool {
    read(&format!("/proc/{pid}/comm")).is_some_and(|name| name.trim_end() == PROGRAM)
}

fn read(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// From what follows `libwireplumber-`: `0.4.so.0.4.13` is 0.4.13. Since 0.5 minor and micro
/// version stand in one number: `0.5.so.0.508.0` is 0.5.8.
fn of_library(name: &str) -> Option<String> {
    let (series, library) = name.split_once(".so.")?;
    let numbers: Vec<u32> = library.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let version = match numbers[..] {
        [major, joined, _] if joined >= 100 => {
            format!("{major}.{}.{}", joined / 100, joined % 100)
        }
        [major, minor, micro] => format!("{major}.{minor}.{micro}"),
        _ => return None,
    };
    // The name must bear it out, or the numbers mean something else by now.
    version.strip_prefix(series)?.starts_with('.').then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_the_name_of_the_library() {
        assert_eq!(of_library("0.4.so.0.4.13").as_deref(), Some("0.4.13"));
        assert_eq!(of_library("0.5.so.0.508.0").as_deref(), Some("0.5.8"));
        assert_eq!(of_library("0.5.so.0.512.0").as_deref(), Some("0.5.12"));
        for other in ["0.5.so.0", "0.6.so.0.508.0", "0.4.so.0.4.x", "0.4", ""] {
            assert_eq!(of_library(other), None, "{other}");
        }
    }

    #[test]
    fn filters_are_put_in_front_of_devices_from_0_5_on() {
        for (version, knows) in
            [("0.4.13", false), ("0.5.0", true), ("0.5.12", true), ("1.0", true)]
        {
            assert_eq!(knows_smart_filters(version), knows, "{version}");
        }
        assert!(!knows_smart_filters("") && !knows_smart_filters("0.x"));
    }

    #[test]
    fn one_that_is_stopped_is_told_by_its_state() {
        for (stat, is_so) in [
            ("7 (wireplumber) T 1 7", true),
            ("7 (wireplumber) t 1 7", true),
            ("7 (wireplumber) S 1 7", false),
            ("7 (a) T b) R 1 7", false),
            ("", false),
        ] {
            assert_eq!(says_stopped(stat), is_so, "{stat}");
        }
        assert!(!is_stopped([std::process::id(), u32::MAX].into_iter()));
    }

    #[test]
    fn no_other_process_is_taken_for_it() {
        assert_eq!(version([std::process::id(), u32::MAX].into_iter()), None);
    }
}
