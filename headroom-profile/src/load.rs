//! Loading one profile: by its file, or by its name.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::folders::Folders;
use crate::library::Library;
use crate::place::{Place, ProfileError, Warning};
use crate::profile::Profile;
use crate::read::Checked;

/// The longest file that is read as a profile: room for hundreds of rules, and no more than a
/// daemon can hold of every file in its folders. The shipped ones are a twentieth of it at most.
pub const MAX_PROFILE_BYTES: u64 = 64 * 1024;

/// A profile and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The profile.
    pub profile: Profile,
    /// What was read otherwise than written, in the order of the file.
    pub warnings: Vec<Warning>,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a profile came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Part of the program.
    Embedded,
    /// This file.
    File(PathBuf),
}

/// Why a profile could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No profile has this name.
    #[error(
        "there is no profile {name:?}{} (there are: {known}; a file is named with a slash or .toml)",
        nearest.as_ref().map(|near| format!(", did you mean {near:?}?")).unwrap_or_default()
    )]
    NotFound {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: String,
        /// The name that is spelt most alike.
        nearest: Option<String>,
    },
    /// The file could not be read.
    #[error("reading profile {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is something else than a file.
    #[error(
        "reading profile {}: it is {}",
        path.display(),
        if *is_folder { "a folder" } else { "no regular file" }
    )]
    NotAFile {
        /// Where.
        path: PathBuf,
        /// Whether it is a folder; else a pipe, a device or the like.
        is_folder: bool,
    },
    /// The file is no profile by its sheer size.
    #[error("reading profile {}: it is larger than {MAX_PROFILE_BYTES} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not text.
    #[error("reading profile {}: byte {offset} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that is not text.
        offset: usize,
    },
    /// The text is no valid profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl LoadError {
    /// The place in the file that is at fault, if it is about one.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            LoadError::Profile(error) => Some(&error.place),
            _ => None,
        }
    }
}

/// Loads an embedded profile by its name, or any by its file: one where the argument has a
/// slash or ends in `.toml`. [`load_in`] finds names in folders too.
///
/// # Errors
/// No such name, a file that cannot be read, or a text that is no valid profile.
pub fn load(name_or_path: &str) -> Result<Loaded, LoadError> {
    load_in(&Folders::default(), name_or_path)
}

/// Loads a profile: a file where the argument has a slash or ends in `.toml`, else the profile
/// of that name in the folders, or else in the program.
///
/// # Errors
/// No such name, a file that cannot be read, or a text that is no valid profile. A bad file is
/// an error even where a good version of that name is behind it.
pub fn load_in(folders: &Folders, name_or_path: &str) -> Result<Loaded, LoadError> {
    if is_path(name_or_path) {
        return load_file(Path::new(name_or_path));
    }
    Library::scan(folders).load(name_or_path)
}

/// Whether a profile is named by its file: where there is a slash, or `.toml` at the end.
#[must_use]
pub fn is_path(name_or_path: &str) -> bool {
    name_or_path.contains('/') || name_or_path.ends_with(".toml")
}

pub(crate) fn load_embedded(name: &str, text: &str) -> Result<Loaded, LoadError> {
    let Checked { profile, warnings } = Profile::parse(&format!("{name}.toml"), text)?;
    Ok(Loaded { profile, warnings, origin: Origin::Embedded })
}

/// Loads the profile in a file.
///
/// # Errors
/// A file that cannot be read, or a text that is no valid profile.
pub fn load_file(path: &Path) -> Result<Loaded, LoadError> {
    let text = read_file(path)?;
    let Checked { profile, warnings } = Profile::parse(&path.to_string_lossy(), &text)?;
    Ok(Loaded { profile, warnings, origin: Origin::File(path.to_owned()) })
}

/// The text in a file, if it can be that of a profile.
///
/// # Errors
/// A file that cannot be read, is too large, or is no text.
pub fn read_file(path: &Path) -> Result<String, LoadError> {
    let read_error = |source| LoadError::Read { path: path.to_owned(), source };
    // Read up to the limit and one byte more, so that a device or a pipe without end is
    // refused as well.
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_PROFILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(read_error)?;
    if bytes.len() as u64 > MAX_PROFILE_BYTES {
        return Err(LoadError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|error| LoadError::NotText {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_told_the_right_one() {
        let error = load("transparant").expect_err("no such profile").to_string();
        assert!(error.contains("did you mean \"transparent\"?"), "{error}");
    }

    #[test]
    fn a_file_is_loaded_by_its_path() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, "name = \"mine\"\ndescription = \"d\"\n").expect("written");
        let loaded = load(path.to_str().expect("text")).expect("a profile");
        assert_eq!(loaded.origin, Origin::File(path));
    }

    #[test]
    fn what_cannot_be_read_says_why_and_where() {
        let folder = tempfile::tempdir().expect("a directory");
        let said = |name: &str| {
            let path = folder.path().join(name);
            load(path.to_str().expect("text")).expect_err("no profile").to_string()
        };
        assert!(said("none.toml").contains("none.toml: No such file"), "{}", said("none.toml"));
        std::fs::write(folder.path().join("bytes.toml"), b"name = \"\xff\"").expect("written");
        assert!(said("bytes.toml").contains("byte 8 is not UTF-8"), "{}", said("bytes.toml"));
        std::fs::create_dir(folder.path().join("folder.toml")).expect("made");
        assert!(said("folder.toml").contains("folder.toml: "), "{}", said("folder.toml"));
        let endless = load("/dev/zero").expect_err("no profile").to_string();
        assert!(endless.contains("larger than 65536 bytes"), "{endless}");
    }
}
