//! The texts of profiles: read, and checked before they are written.

use std::io::{Read, stdin};
use std::path::Path;

use headroom_profile::{
    Checked, LoadError, MAX_PROFILE_BYTES, Origin, Profile, ProfileError, embedded, read_file,
};

use crate::failure::Failure;
use crate::print;

/// What the standard input is called in errors.
const STDIN: &str = "<stdin>";

/// The text in a file, or what comes in where it is `-`; and what to call that in errors.
pub(crate) fn read_text(path: &Path) -> Result<(String, String), Failure> {
    if path.as_os_str() != "-" {
        let text = read_file(path).map_err(Failure::refused)?;
        return Ok((text, path.display().to_string()));
    }
    let mut bytes = Vec::new();
    let read = stdin().lock().take(MAX_PROFILE_BYTES + 1).read_to_end(&mut bytes);
    let path = STDIN.into();
    let text = match read {
        Err(source) => Err(LoadError::Read { path, source }),
        Ok(length) if length as u64 > MAX_PROFILE_BYTES => Err(LoadError::TooLarge { path }),
        Ok(_) => String::from_utf8(bytes)
            .map_err(|error| LoadError::NotText { path, offset: error.utf8_error().valid_up_to() }),
    };
    Ok((text.map_err(Failure::refused)?, STDIN.to_owned()))
}

/// The text of a profile where it is now.
pub(crate) fn text_of(name: &str, origin: &Origin) -> Result<String, Failure> {
    match origin {
        Origin::File(path) => read_file(path).map_err(Failure::refused),
        Origin::Embedded => {
            let text = embedded().find(|(known, _)| *known == name).map(|(_, text)| text);
            Ok(text.unwrap_or_default().to_owned())
        }
    }
}

/// Checks a text that is to be the profile of this name, and says what is read otherwise than
/// written.
pub(crate) fn validated(name: &str, shown: &str, text: &str) -> Result<(), ProfileError> {
    let Checked { warnings, .. } = Profile::parse_as(name, shown, text)?;
    for warning in &warnings {
        print::warning_line(&warning.to_string());
    }
    Ok(())
}
