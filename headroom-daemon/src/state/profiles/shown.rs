//! What clients see of a profile, short enough for a list of all to fit into a message.

use headroom_ipc as ipc;
use headroom_profile::{LoadError, Loaded, Origin};

/// Warnings of one profile that clients see; the file has the rest. With the next, this keeps a
/// list of all profiles within a message.
const MOST_WARNINGS: usize = 4;
/// What is said of a profile is cut at so many characters.
const LONGEST_TEXT: usize = 400;

/// A profile that is, or was, good.
pub(super) fn about(loaded: &Loaded, fault: Option<ipc::ProfileFault>) -> ipc::Profile {
    let mut warnings: Vec<String> = loaded
        .warnings
        .iter()
        .take(MOST_WARNINGS)
        .map(|warning| cut(&warning.to_string()))
        .collect();
    if let Some(more) = loaded.warnings.len().checked_sub(MOST_WARNINGS).filter(|more| *more > 0) {
        warnings.push(format!("and {more} more"));
    }
    ipc::Profile {
        name: loaded.profile.name.clone(),
        description: cut(&loaded.profile.description),
        origin: wire_origin(&loaded.origin),
        path: path(&loaded.origin),
        warnings,
        fault,
    }
}

/// A profile whose file was never good.
pub(super) fn never_good(
    name: String,
    origin: &Origin,
    fault: Option<ipc::ProfileFault>,
) -> ipc::Profile {
    ipc::Profile {
        name,
        description: String::new(),
        origin: wire_origin(origin),
        path: path(origin),
        warnings: Vec::new(),
        fault,
    }
}

fn wire_origin(origin: &Origin) -> ipc::ProfileOrigin {
    match origin {
        Origin::Embedded => ipc::ProfileOrigin::Embedded,
        Origin::File(_) => ipc::ProfileOrigin::File,
    }
}

fn path(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Embedded => None,
        Origin::File(path) => Some(path.display().to_string()),
    }
}

/// What is wrong with a file.
pub(super) fn fault(error: &LoadError) -> ipc::ProfileFault {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    ipc::ProfileFault {
        message: cut(&error.to_string()),
        line: error.place().map(|place| number(place.line)),
        column: error.place().map(|place| number(place.column)),
    }
}

/// As much of a text as is shown.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
