//! A profile on the disk: whole or as it was before.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::audio::{OutputFile, WriteError};
use crate::failure::Failure;

/// Writes a profile of the user's, and makes the folder of these where it is missing; otherwise
/// as [`write`].
pub(crate) fn write_own(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .map_err(|error| Failure::refused(format!("making {}: {error}", folder.display())))?;
    write(path, text)
}

/// Writes a profile. After this it is on the disk; until then what stood there stays. Through a
/// link the file behind it is written.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let output = OutputFile::create(path, &[])?;
    let mut file = output.file();
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|source| WriteError::Write { path: path.to_owned(), source })?;
    output.finish()?;
    // Some network file systems have no such thing, and the file is there.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}
