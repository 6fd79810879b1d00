//! What the daemon begins with: what it remembers, and the profile that was just asked for, else
//! the remembered one, else the default. Called once, by main, before there is a lock to hold.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use headroom_ipc::{Hello, Warning, about};
use headroom_profile::{Folders, Library, LoadError, is_path, load_file};

use crate::journal::Journal;
use crate::state::Start;
use crate::store::{Found, Slot, StateDirectory, StateFile};

/// What there is before the first step.
pub(crate) struct Beginning {
    pub(crate) start: Start,
    /// Where hr-store writes; nothing where there is no place.
    pub(crate) file: Option<StateFile>,
    /// What it is to write. Something waits there if the start itself has changed something.
    pub(crate) slot: Arc<Slot>,
    /// What the last run has not put back.
    pub(crate) journal: Journal,
}

/// Reads what is remembered, and scans the folders of profiles. Says in the log what is wrong
/// with what is remembered; a profile that cannot be used is no reason not to start.
pub(crate) fn begin(
    hello: Hello,
    folders: Folders,
    asked_for: Option<String>,
    promote: bool,
) -> Beginning {
    let mut file = None;
    let Found { mut remembered, journal, warnings } = match StateDirectory::find() {
        Ok(directory) => file.insert(StateFile::in_directory(directory)).read(),
        Err(none) => Found { warnings: vec![none.to_string()], ..Found::default() },
    };
    let warnings: Vec<Warning> = about_state(&warnings).into_iter().collect();
    let slot = Arc::new(Slot::default());
    if asked_for.is_some() && remembered.profile != asked_for {
        remembered.profile = asked_for;
        // Chosen for every device.
        remembered.chosen_on = None;
        slot.put(remembered.clone());
    }
    let folders = Arc::new(with_chosen_file(folders, remembered.profile.as_deref()));
    let library = Library::scan(&folders);
    let at = Instant::now();
    let start = Start { hello, folders, library, remembered, promote, warnings, at };
    Beginning { start, file, slot, journal }
}

/// What the profile of `--profile` is remembered as.
///
/// # Errors
/// There is no such profile, or it is a file that is bad: whoever has just typed it is there to
/// be told. A name whose file is bad is fine, as a service manager may have given it.
pub(crate) fn asked_for(name_or_path: &str, folders: &Folders) -> Result<String, LoadError> {
    if is_path(name_or_path) {
        load_file(Path::new(name_or_path))?;
        // The next start may be in another directory.
        let path = std::path::absolute(name_or_path).ok();
        let path = path.and_then(|path| path.into_os_string().into_string().ok());
        return Ok(path.unwrap_or_else(|| name_or_path.to_owned()));
    }
    let library = Library::scan(folders);
    match library.get(name_or_path) {
        Some(_) => Ok(name_or_path.to_owned()),
        None => Err(library.not_found(name_or_path)),
    }
}

/// A profile that was chosen by its file is one more place to look.
fn with_chosen_file(folders: Folders, chosen: Option<&str>) -> Folders {
    match chosen {
        Some(path) if is_path(path) => folders.with_file(Path::new(path)),
        _ => folders,
    }
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
    Some(Warning { about: about::STATE.to_owned(), message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::hello;
    use crate::server::ServerSettings;
    use crate::state::DaemonState;
    use crate::store::Remembered;

    /// What is in force at a start with this choice, and what is warned of.
    fn chosen(folders: &Folders, profile: Option<&str>) -> (String, Vec<Warning>) {
        let folders = Arc::new(with_chosen_file(folders.clone(), profile));
        let remembered =
            Remembered { profile: profile.map(str::to_owned), ..Remembered::default() };
        let state = DaemonState::new(Start {
            hello: hello(&ServerSettings::default()),
            library: Library::scan(&folders),
            folders,
            remembered,
            promote: false,
            warnings: Vec::new(),
            at: Instant::now(),
        });
        (state.used_profile().to_owned(), state.warnings().to_vec())
    }

    #[test]
    fn the_remembered_one_is_used_where_it_can_be_had() {
        let none = Folders::default();
        assert_eq!(chosen(&none, None), ("default".to_owned(), vec![]));
        assert_eq!(chosen(&none, Some("transparent")), ("transparent".to_owned(), vec![]));
        for gone in ["mine", "/nowhere/mine.toml"] {
            let (used, warnings) = chosen(&none, Some(gone));
            assert_eq!((used.as_str(), warnings.len()), ("default", 1));
            assert_eq!(warnings[0].about, "profile.mine");
        }
    }

    #[test]
    fn a_bad_file_is_no_reason_not_to_start() {
        let folder = tempfile::tempdir().expect("a directory");
        for name in ["transparent", "default", "mine"] {
            let path = folder.path().join(format!("{name}.toml"));
            std::fs::write(path, "name = 3\n").expect("written");
        }
        let folders = Folders::only(&[folder.path().to_owned()]);
        for (name, used) in
            [("transparent", "transparent"), ("mine", "default"), ("default", "default")]
        {
            assert_eq!(asked_for(name, &folders).expect("it is there"), name);
            let (now, warnings) = chosen(&folders, Some(name));
            assert_eq!(now, used);
            let about = format!("profile.{name}");
            let told = warnings.iter().find(|warning| warning.about == about).expect("a warning");
            assert!(told.message.contains(&format!("{name}.toml:1:8: name is 3")), "{told:?}");
        }
        let unknown = asked_for("transparant", &folders).expect_err("no such").to_string();
        assert!(unknown.contains("did you mean \"transparent\"?"), "{unknown}");
        let file = folder.path().join("mine.toml");
        assert!(asked_for(file.to_str().expect("text"), &folders).is_err(), "it was just typed");
    }

    #[test]
    fn a_file_is_remembered_by_its_whole_path() {
        let none = Folders::default();
        assert_eq!(asked_for("default", &none).expect("the default"), "default");
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, "name = \"mine\"\ndescription = \"d\"\n").expect("written");
        let here = std::env::current_dir().expect("a directory");
        // As many steps up as there are, and down again.
        let up: std::path::PathBuf = here.components().skip(1).map(|_| "..").collect();
        let relative = up.join(path.strip_prefix("/").expect("absolute"));
        let known_as = asked_for(relative.to_str().expect("text"), &none).expect("a profile");
        assert_eq!(chosen(&none, Some(&known_as)), ("mine".to_owned(), vec![]));
        assert!(known_as.starts_with('/') && known_as.ends_with("mine.toml"), "{known_as}");
    }
}
