//! The profiles of this machine as the files have them, with no daemon; and how one is written.
//!
//! The verbs of `headroom profile` stand on it. The daemon watches the same folders, so that what
//! is written here is heard there.

mod remembered;
mod settings;
mod text;
mod view;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use headroom_client::ipc;
use headroom_profile::remembered::Remembered;
use headroom_profile::{Entry, Folders, Library, Origin, check_name, is_path};

pub(crate) use settings::is_below;
pub(crate) use text::{read_text, text_of, validated};
pub(crate) use view::about;
pub(crate) use write::{write, write_own};

use crate::daemon;
use crate::failure::Failure;
use crate::print;

/// What is in the folders. See the module.
#[derive(Debug)]
pub(crate) struct OnDisk {
    folders: Folders,
    library: Library,
    remembered: Remembered,
}

/// What is in force where nothing was chosen, and where what was chosen cannot be had.
pub(crate) const DEFAULT: &str = "default";

impl OnDisk {
    /// Reads what is in the folders that the daemon looks into, if one runs and `extra` does not
    /// name any; else in those of this user, and in `extra`.
    pub(crate) fn read(extra: &[PathBuf]) -> OnDisk {
        let told = if extra.is_empty() { daemon::folders() } else { Vec::new() };
        OnDisk::read_as(&told, extra)
    }

    /// The same, where it is known already what the daemon tells of its folders.
    pub(crate) fn read_as(told: &[String], extra: &[PathBuf]) -> OnDisk {
        let on_disk = OnDisk::read_quietly(told, extra);
        for warning in on_disk.library.warnings() {
            print::warning_line(&warning.to_string());
        }
        on_disk
    }

    /// The same, and what cannot be read is left to who asks [`Library::warnings`].
    pub(crate) fn read_quietly(told: &[String], extra: &[PathBuf]) -> OnDisk {
        let remembered = remembered::read();
        let folders = Folders::find(extra);
        let folders = if told.is_empty() || !extra.is_empty() {
            folders
        } else {
            folders.searched_by_another(&told.iter().map(PathBuf::from).collect::<Vec<_>>())
        };
        // A profile that was chosen by its file is one more place to look.
        let folders = match remembered.profile.as_deref() {
            Some(path) if is_path(path) => folders.with_file(Path::new(path)),
            _ => folders,
        };
        let library = Library::scan(&folders);
        OnDisk { folders, library, remembered }
    }

    pub(crate) fn folders(&self) -> &[PathBuf] {
        self.folders.paths()
    }

    pub(crate) fn library(&self) -> &Library {
        &self.library
    }

    /// The name of the profile that the daemon would begin with.
    pub(crate) fn begins_with(&self) -> &str {
        let chosen = self.remembered.profile.as_deref().unwrap_or(DEFAULT);
        let name = match Path::new(chosen).file_stem().and_then(|stem| stem.to_str()) {
            Some(stem) if is_path(chosen) => stem,
            _ => chosen,
        };
        let can_be_had = self.library.get(name).is_some_and(|entry| entry.good().is_some());
        if can_be_had { name } else { DEFAULT }
    }

    /// Says that what follows is not from the daemon.
    pub(crate) fn say_so(&self) {
        print::note_line(&format!(
            "headroomd is not running; this is what it would begin with (profile {})",
            self.begins_with()
        ));
    }

    /// The profile of this name, in the daemon's words where there is none.
    pub(crate) fn entry(&self, name: &str) -> Result<&Entry, Failure> {
        self.library.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.library.names().collect();
            Failure::refused(ipc::Error::not_found("name", "profile", name, &known))
                .with_hint("headroom profile list shows all")
        })
    }

    /// Where the user's own profiles are, whether or not there are any.
    pub(crate) fn user_folder(&self) -> Result<&Path, Failure> {
        self.folders.user().ok_or_else(|| {
            Failure::refused("neither XDG_CONFIG_HOME nor HOME is an absolute path")
                .with_hint("set one of them: your profiles are there, in headroom/profiles")
        })
    }

    /// Where the user's own profile of this name is, or would be.
    pub(crate) fn user_file(&self, name: &str) -> Result<PathBuf, Failure> {
        Ok(self.user_folder()?.join(format!("{name}.toml")))
    }

    /// The file of this profile, where it counts before one in the user's folder: it was chosen by
    /// its file, or is in a folder that the command line names.
    pub(crate) fn counts_before_own(&self, name: &str) -> Option<&Path> {
        let Origin::File(path) = &self.library.get(name)?.counts().origin else { return None };
        let weight = |folder: Option<&Path>| {
            self.folders.paths().iter().position(|known| Some(known.as_path()) == folder)
        };
        let is_chosen = self.folders.file() == Some(path) && path.parent() != self.folders.user();
        (is_chosen || weight(path.parent()) > weight(self.folders.user())).then_some(path)
    }

    /// Whether a version is the user's own.
    pub(crate) fn is_users(&self, origin: &Origin) -> bool {
        match origin {
            Origin::File(path) => path.parent() == self.folders.user(),
            Origin::Embedded => false,
        }
    }

    /// Where a profile of a new name goes: the name must be sane, and nobody else's.
    pub(crate) fn new_file(&self, name: &str) -> Result<PathBuf, Failure> {
        check_name(name).map_err(Failure::usage)?;
        match self.taken(name) {
            Some(place) => {
                Err(Failure::refused(format!("there is a profile {name} already: {place}"))
                    .with_hint(format!("headroom profile edit {name} changes it")))
            }
            None => {
                let path = self.user_file(name)?;
                if fs::symlink_metadata(&path).is_ok() {
                    return Err(unread(&path).with_hint("move it away, or take another name"));
                }
                Ok(path)
            }
        }
    }

    /// What has this name already.
    pub(crate) fn taken(&self, name: &str) -> Option<String> {
        self.library.get(name).map(|entry| place(&entry.counts().origin))
    }
}

/// Something is there that is among no profiles: the folder is crowded or cannot be listed.
pub(crate) fn unread(path: &Path) -> Failure {
    Failure::refused(format!("{} is there already, but was not read", path.display()))
}

/// Where a version is, in words.
pub(crate) fn place(origin: &Origin) -> String {
    match origin {
        Origin::Embedded => "it is part of Headroom".to_owned(),
        Origin::File(path) => path.display().to_string(),
    }
}
