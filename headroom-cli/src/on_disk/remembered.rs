//! What the daemon remembers, as its file has it: with that it would begin.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use headroom_profile::remembered::format::{self, MAX_STATE_BYTES};
use headroom_profile::remembered::{Remembered, state_folder};

use crate::print;

/// What is remembered; nothing where nothing is, or where it cannot be read.
pub(super) fn read() -> Remembered {
    let Some(folder) = state_folder(|name| std::env::var_os(name)) else {
        return Remembered::default();
    };
    let path = folder.join("state.toml");
    let warn = |error: &str| {
        let path = path.display();
        print::warning_line(&format!("what is remembered cannot be used: {path}: {error}"));
        Remembered::default()
    };
    match read_text(&path) {
        Ok(text) => match format::read(&text) {
            Ok(read) => read.remembered,
            Err(error) => warn(&error.to_string()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Remembered::default(),
        Err(error) => warn(&error.to_string()),
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    // A pipe would keep us waiting for somebody who writes.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(MAX_STATE_BYTES as u64).read_to_string(&mut text)?;
    Ok(text)
}
