//! headroomd itself, and what it warns of.

use std::path::Path;

use headroom_client::ipc::about;

use super::sights::{Daemon, NoLook};
use super::{Finding, Sights};
use crate::print::in_verbs;

/// What others look at more closely.
const LOOKED_AT: [&str; 4] = [about::PIPEWIRE, about::WIREPLUMBER, about::DEVICE, about::PROFILES];
/// Where headroomd remembers, for a shell, where it cannot be asked.
const STATE_FOLDER: &str = "\"${XDG_STATE_HOME:-$HOME/.local/state}/headroom\"";

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
            for warning in status.warnings.iter().filter(|warning| !is_looked_at(&warning.about)) {
                let means = format!("headroomd warns of this ({})", warning.about);
                let mend = mend(&warning.about, &status.profile, &state_folder(sights))
                    .unwrap_or_else(|| "headroom status (shows all that it warns of)".to_owned());
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

fn is_looked_at(what: &str) -> bool {
    LOOKED_AT.contains(&what) || what.starts_with(about::PROFILE_PREFIX)
}

/// The folder that headroomd remembers in, for a shell.
fn state_folder(sights: &Sights) -> String {
    let journal = sights.look.as_ref().ok().and_then(|look| look.journal.path.as_deref());
    let folder = journal.and_then(|path| Path::new(path).parent()?.to_str());
    folder.map_or_else(|| STATE_FOLDER.to_owned(), quoted)
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// What to do about what headroomd warns of; nothing where this program does not know the word.
fn mend(what: &str, profile: &str, folder: &str) -> Option<String> {
    let command = match what {
        about::DEFAULT => "headroom promote off (your default stays yours), or headroom promote on",
        about::STORAGE | about::JOURNAL => {
            return Some(format!(
                "see who may write, and how much room is left: ls -ld {folder}; df -h {folder}"
            ));
        }
        about::STATE => {
            "set anew what is missing (headroom status shows what is so), then systemctl --user \
             restart headroomd"
        }
        about::STREAMS | about::ROUTING => "headroom route list",
        about::CROWD_OF_STREAMS => "headroom status (shows whose they are), then close some",
        about::CROWD_OF_SINKS => "headroom sink list",
        about::DEVICES => "headroom device list",
        about::WATCH => "headroom profile reload (after each change of a profile)",
        about::PER_APP => return Some(format!("headroom profile edit {profile}")),
        about::GRAPH => "systemctl --user restart headroomd",
        other => {
            let key = other.strip_prefix(about::SETTING_PREFIX)?;
            return Some(format!("headroom unset {key}"));
        }
    };
    Some(command.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mend_of(what: &str) -> Option<String> {
        mend(what, "night", "/x/headroom")
    }

    #[test]
    fn nothing_that_headroomd_can_warn_of_is_without_a_mend() {
        for what in about::WORDS {
            assert_ne!(mend_of(what).is_some(), is_looked_at(what), "{what}");
        }
        assert!(is_looked_at("profile.night"));
        assert_eq!(mend_of("what is to come"), None);
    }

    #[test]
    fn what_headroomd_warns_of_is_mended_by_something_that_can_be_typed() {
        for (what, command) in [
            ("setting.agc.target_lufs", "headroom unset agc.target_lufs"),
            ("per_app", "headroom profile edit night"),
            ("routing", "headroom route list"),
            ("crowd.sinks", "headroom sink list"),
        ] {
            assert_eq!(mend_of(what).as_deref(), Some(command), "{what}");
        }
        let storage = mend_of("storage").expect("one");
        assert!(storage.ends_with(": ls -ld /x/headroom; df -h /x/headroom"), "{storage}");
    }

    #[test]
    fn a_folder_is_one_word_of_a_shell() {
        assert_eq!(quoted("/home/me/.local/state/headroom"), "/home/me/.local/state/headroom");
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
    }
}
