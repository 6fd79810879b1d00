//! What is in one folder of profiles, and why some of it is left out.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most files that are read in one folder; the first by name are.
pub const MAX_FILES_IN_FOLDER: usize = 256;

/// A folder whose profiles are not all there. One that does not exist is no reason to warn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderWarning {
    /// It cannot be looked into.
    #[error("reading the folder of profiles {}: {why}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// It holds more than [`MAX_FILES_IN_FOLDER`].
    #[error(
        "the folder {} holds {files} profiles, of which the first {MAX_FILES_IN_FOLDER} by name \
         are read: move some elsewhere",
        path.display()
    )]
    Crowded {
        /// The folder.
        path: PathBuf,
        /// How many it holds.
        files: usize,
    },
    /// A profile of this name would be taken for a file, so that nobody could ask for it.
    #[error(
        "{} is left out, as a profile's name cannot end in .toml: rename it",
        path.display()
    )]
    NameIsAFile {
        /// The file.
        path: PathBuf,
    },
    /// A file's name is not text, so that nobody could ask for it.
    #[error("the name of {} is not UTF-8 text, so it is left out: rename it", path.display())]
    NameIsNotText {
        /// The file.
        path: PathBuf,
    },
}

/// The names of the profiles in a folder, sorted, as far as there are not too many, and how many
/// there are.
pub(super) fn files_of(folder: &Path) -> io::Result<(BTreeSet<OsString>, usize)> {
    let mut files = BTreeSet::new();
    let mut count = 0;
    for file in fs::read_dir(folder)? {
        let name = file?.file_name();
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(b".") || !bytes.ends_with(b".toml") {
            continue;
        }
        count += 1;
        files.insert(name);
        if files.len() > MAX_FILES_IN_FOLDER {
            files.pop_last();
        }
    }
    Ok((files, count))
}
