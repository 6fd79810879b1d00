//! What `headroom profile validate` has found in a file. As JSON it is a promise: keys are only
//! ever added.

use headroom_profile::{Checked, Place, ProfileError, Warning};
use serde::Serialize;

/// Whether a file can be used.
#[derive(Debug, Serialize)]
pub(crate) struct ProfileVerdict {
    /// The file as it was named.
    pub(crate) file: String,
    pub(crate) valid: bool,
    /// The name of the profile, if it is valid.
    pub(crate) name: Option<String>,
    /// What is read otherwise than written.
    pub(crate) warnings: Vec<Finding>,
    /// Why it cannot be used.
    pub(crate) fault: Option<Finding>,
}

/// Something at a place in a file.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
    /// The key that it is about.
    pub(crate) key: Option<String>,
    /// A fault with its place, as it is shown; a warning without.
    pub(crate) message: String,
}

impl ProfileVerdict {
    pub(crate) fn of(file: String, checked: Result<Checked, ProfileError>) -> ProfileVerdict {
        match checked {
            Ok(Checked { profile, warnings }) => ProfileVerdict {
                file,
                valid: true,
                name: Some(profile.name),
                warnings: warnings.into_iter().map(Finding::from).collect(),
                fault: None,
            },
            Err(error) => ProfileVerdict {
                fault: Some(Finding::at(&error.place, None, error.to_string())),
                ..ProfileVerdict::unreadable(file, String::new())
            },
        }
    }

    /// A file that could not be read.
    pub(crate) fn unreadable(file: String, message: String) -> ProfileVerdict {
        let fault = Finding { line: None, column: None, key: None, message };
        ProfileVerdict { file, valid: false, name: None, warnings: Vec::new(), fault: Some(fault) }
    }
}

impl Finding {
    fn at(place: &Place, key: Option<String>, message: String) -> Finding {
        Finding { line: Some(place.line), column: Some(place.column), key, message }
    }

    /// With its place.
    pub(crate) fn shown(&self, file: &str) -> String {
        let Finding { line, column, key, message } = self;
        let number = |number: &Option<usize>| number.unwrap_or_default();
        let key = key.as_deref().unwrap_or_default();
        format!("{file}:{}:{}: {key} {message}", number(line), number(column))
    }
}

impl From<Warning> for Finding {
    fn from(warning: Warning) -> Finding {
        Finding::at(&warning.place, Some(warning.key), warning.message)
    }
}
