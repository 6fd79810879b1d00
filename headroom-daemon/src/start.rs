//! What the daemon begins with: what it remembers, and the profile that was just asked for, else
//! the remembered one, else the default. Called once, by main, before there is a lock to hold.

use std::sync::Arc;
use std::time::Instant;

use headroom_ipc::{Hello, Warning};
use headroom_profile::{LoadError, Loaded};

use crate::state::Start;
use crate::store::{Found, Remembered, Slot, StateDirectory, StateFile};

/// What is in force while nothing was chosen, and where what was chosen cannot be had.
const DEFAULT: &str = "default";

/// What there is before the first step.
pub(crate) struct Beginning {
    pub(crate) start: Start,
    /// Where hr-store writes; nothing where there is no place.
    pub(crate) file: Option<StateFile>,
    /// What it is to write. Something waits there if the start itself has changed something.
    pub(crate) slot: Arc<Slot>,
}

/// Reads what is remembered, and finds the profile. Says in the log what is wrong with them.
///
/// # Errors
/// There is no profile to begin with.
pub(crate) fn begin(
    hello: Hello,
    asked_for: Option<(Loaded, String)>,
) -> Result<Beginning, LoadError> {
    let mut file = None;
    let Found { mut remembered, warnings } = match StateDirectory::find() {
        Ok(directory) => file.insert(StateFile::in_directory(directory)).read(),
        Err(none) => Found { warnings: vec![none.to_string()], ..Found::default() },
    };
    let mut warnings: Vec<Warning> = about_state(&warnings).into_iter().collect();
    let slot = Arc::new(Slot::default());
    let profile = match asked_for {
        Some((loaded, known_as)) => {
            if remembered.profile.as_ref() != Some(&known_as) {
                remembered.profile = Some(known_as);
                slot.put(remembered.clone());
            }
            loaded
        }
        None => remembered_profile(&remembered, &mut warnings)?,
    };
    for warning in &profile.warnings {
        log::warn!("{warning}");
    }
    let start = Start { hello, profile, remembered, warnings, at: Instant::now() };
    Ok(Beginning { start, file, slot })
}

/// The profile of `--profile`, and what it is remembered as.
///
/// # Errors
/// There is no such profile, or its file is bad: whoever has just typed it is there to be told.
pub(crate) fn asked_for(name_or_path: &str) -> Result<(Loaded, String), LoadError> {
    let loaded = headroom_profile::load(name_or_path)?;
    // The next start may be in another directory.
    let path = std::path::absolute(name_or_path).ok().filter(|_| is_path(name_or_path));
    let known_as = path.and_then(|path| path.into_os_string().into_string().ok());
    Ok((loaded, known_as.unwrap_or_else(|| name_or_path.to_owned())))
}

/// The remembered profile. One that cannot be had is no reason not to start, and stays
/// remembered: its file may come back.
///
/// # Errors
/// Not even the default can be had.
fn remembered_profile(
    remembered: &Remembered,
    warnings: &mut Vec<Warning>,
) -> Result<Loaded, LoadError> {
    let Some(name) = &remembered.profile else { return headroom_profile::load(DEFAULT) };
    headroom_profile::load(name).or_else(|error| {
        let message = format!("{error}: {DEFAULT} is in force in its place");
        log::warn!("{message}");
        warnings.push(Warning { about: format!("profile.{name}"), message });
        headroom_profile::load(DEFAULT)
    })
}

/// One warning for all of them, which are told one by one in the log.
fn about_state(texts: &[String]) -> Option<Warning> {
    for text in texts {
        log::warn!("{text}");
    }
    let (first, others) = texts.split_first()?;
    let message = match others.len() {
        0 => first.clone(),
        more => format!("{first} (and {more} more: the log of headroomd has them)"),
    };
    Some(Warning { about: "state".to_owned(), message })
}

fn is_path(name_or_path: &str) -> bool {
    name_or_path.contains('/') || name_or_path.ends_with(".toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(profile: Option<&str>) -> (String, Vec<Warning>) {
        let state = Remembered { profile: profile.map(str::to_owned), ..Remembered::default() };
        let mut warnings = Vec::new();
        let loaded = remembered_profile(&state, &mut warnings).expect("a profile");
        (loaded.profile.name, warnings)
    }

    #[test]
    fn the_remembered_one_is_used_where_it_can_be_had() {
        assert_eq!(chosen(None), ("default".to_owned(), vec![]));
        assert_eq!(chosen(Some("transparent")), ("transparent".to_owned(), vec![]));
        for gone in ["mine", "/nowhere/mine.toml"] {
            let (used, warnings) = chosen(Some(gone));
            assert_eq!((used.as_str(), warnings.len()), ("default", 1));
            assert!(warnings[0].message.contains("mine"), "{warnings:?}");
        }
    }

    #[test]
    fn a_file_is_remembered_by_its_whole_path() {
        let (_, known_as) = asked_for("default").expect("the default");
        assert_eq!(known_as, "default");
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, "name = \"mine\"\ndescription = \"d\"\n").expect("written");
        let here = std::env::current_dir().expect("a directory");
        // As many steps up as there are, and down again.
        let up: std::path::PathBuf = here.components().skip(1).map(|_| "..").collect();
        let relative = up.join(path.strip_prefix("/").expect("absolute"));
        let (loaded, known_as) = asked_for(relative.to_str().expect("text")).expect("a profile");
        assert_eq!(loaded.profile.name, "mine");
        assert!(known_as.starts_with('/') && known_as.ends_with("mine.toml"), "{known_as}");
        assert!(headroom_profile::load(&known_as).is_ok());
    }
}
