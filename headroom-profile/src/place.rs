//! Where in a file something stands, and what is wrong with it there.
//!
//! `read` and what it calls make these; people read them.

use std::fmt;

use crate::conflict::Conflict;

/// A place in a profile file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file, as it was named to the reader.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Place {
    /// The place of a byte offset; one past the end is the end.
    pub(crate) fn of(file: &str, text: &str, offset: usize) -> Place {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A line of a file, from 1. Two things that say the same are the same wherever they stand, so all
/// lines are equal.
#[derive(Debug, Clone, Copy)]
pub struct Line(pub usize);

impl PartialEq for Line {
    fn eq(&self, _: &Line) -> bool {
        true
    }
}

impl Eq for Line {}

/// Why a text is no profile: the first thing in it that is wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ProfileError {
    /// Where it is wrong.
    pub place: Place,
    /// What is wrong.
    pub problem: Box<Problem>,
}

/// What is wrong in a profile.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The text is not TOML.
    #[error("not valid TOML at {offending}: {message}")]
    Syntax {
        /// The text that could not be read.
        offending: String,
        /// What the TOML parser says about it.
        message: String,
    },
    /// A key that no profile has here.
    #[error("unknown key `{key}`{}, allowed here: {allowed}", did_you_mean(nearest.as_deref()))]
    UnknownKey {
        /// The key with the tables it stands in.
        key: String,
        /// The keys that the table may have.
        allowed: String,
        /// The right key that is spelt most alike.
        nearest: Option<String>,
    },
    /// A value of a wrong type, or a word that is not one of the allowed ones.
    #[error(
        "{key} is {offending}, but must be {allowed}{}",
        did_you_mean(nearest.as_deref())
    )]
    NotAllowed {
        /// The key with the tables it stands in.
        key: String,
        /// The value as the file has it.
        offending: String,
        /// What may stand there.
        allowed: String,
        /// The allowed word that is spelt most alike.
        nearest: Option<String>,
    },
    /// A key that must be there.
    #[error("{key} is missing: {allowed}")]
    Missing {
        /// The key with the tables it stands in.
        key: String,
        /// What to write.
        allowed: String,
    },
    /// Two values that are fine by themselves contradict each other.
    #[error("{0}")]
    Conflict(Conflict),
    /// A profile is found by its file's name, so it must be called the same inside.
    #[error("name is {offending}, but must be {stem:?} as the file's name is; change one of them")]
    NameIsNotTheFile {
        /// The name as the file has it.
        offending: String,
        /// The file's name without its ending.
        stem: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|word| format!(" (did you mean `{word}`?)")).unwrap_or_default()
}

/// Something in a profile that was read otherwise than it was written. The profile is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands.
    pub place: Place,
    /// The key with the tables it stands in.
    pub key: String,
    /// What it was read as, and why.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.place, self.key, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let text = "a = 1\nfür = 2\n";
        let at = |offset| {
            let place = Place::of("p.toml", text, offset);
            (place.line, place.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(6), (2, 1));
        // The byte inside the two-byte letter belongs to that letter.
        assert_eq!(at(8), (2, 2));
        assert_eq!(at(text.find("= 2").expect("in the text")), (2, 5));
        assert_eq!(at(10_000), (3, 1));
    }
}
