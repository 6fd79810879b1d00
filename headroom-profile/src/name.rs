//! What a profile is called: the name that a new one can have, and the one in a text.
//!
//! Whoever writes files of profiles calls it. Reading is more lenient: a file that is there is
//! called what it is called.

use std::ops::Range;

use toml::de::DeTable;

/// The longest name, in letters.
pub const LONGEST_NAME: usize = 64;

/// A name that no new profile can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a profile is {name:?}, but must be letters, digits, - and _, at most \
     {LONGEST_NAME} of them"
)]
pub struct BadName {
    /// The name.
    pub name: String,
}

/// Checks a name that somebody has made up: it becomes the name of a file, and is typed in a
/// shell.
///
/// # Errors
/// It has anything but letters, digits, `-` and `_` in it, begins with a `-`, is empty, or is
/// longer than [`LONGEST_NAME`].
pub fn check_name(name: &str) -> Result<(), BadName> {
    let fits = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    let is_fine = !name.is_empty()
        // It would be taken for an option.
        && !name.starts_with('-')
        && name.chars().all(fits)
        && name.chars().count() <= LONGEST_NAME;
    if is_fine { Ok(()) } else { Err(BadName { name: name.chars().take(LONGEST_NAME).collect() }) }
}

/// The name that a text gives its profile, if it can be found.
#[must_use]
pub fn name_in(text: &str) -> Option<String> {
    Some(find(text)?.0)
}

/// A text with another name in it, and every other letter as it was. One in which no name can be
/// found comes back as it is: reading it says what is wrong.
#[must_use]
pub fn renamed(text: &str, name: &str) -> String {
    let Some((_, at)) = find(text) else { return text.to_owned() };
    let (Some(before), Some(behind)) = (text.get(..at.start), text.get(at.end..)) else {
        return text.to_owned();
    };
    // Its own escapes: those of Rust are others.
    let name = toml::Value::from(name);
    format!("{before}{name}{behind}")
}

/// The name and where it stands, its quotes included.
fn find(text: &str) -> Option<(String, Range<usize>)> {
    let document = DeTable::parse(text).ok()?;
    let value = document.get_ref().get("name")?;
    Some((value.get_ref().as_str()?.to_owned(), value.span()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Profile, embedded};

    #[test]
    fn a_name_is_a_sane_stem_of_a_file() {
        for name in ["night", "quiet-hours", "broadcast-14", "_my_2", "nächtlich", "夜"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        let long = "n".repeat(LONGEST_NAME + 1);
        assert_eq!(check_name(&long[1..]), Ok(()));
        for name in [
            "",
            ".night",
            "..",
            "a/b",
            "/",
            "my night",
            "night.toml",
            "-f",
            "a\0",
            "a\n",
            "*",
            &long,
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        let said = check_name("a/b").expect_err("bad").to_string();
        assert!(said.contains("\"a/b\", but must be letters, digits, - and _"), "{said}");
    }

    #[test]
    fn a_renamed_text_is_the_same_but_for_its_name() {
        for (before, after) in [
            (
                "name = \"a\" # my own\ndescription = \"a\"\n",
                "name = \"b\" # my own\ndescription = \"a\"\n",
            ),
            (
                "  description='''a'''\r\n\"name\"   ='a'\r\n",
                "  description='''a'''\r\n\"name\"   =\"b\"\r\n",
            ),
            ("name = \"\"\"a\"\"\"\n[agc]\n", "name = \"b\"\n[agc]\n"),
        ] {
            assert_eq!(name_in(before).as_deref(), Some("a"));
            assert_eq!(renamed(before, "b"), after);
        }
        // Letters that combine are letters too.
        let thai = renamed("name = \"a\"\ndescription = \"a\"\n", "กลางคืน");
        assert_eq!(name_in(&thai).as_deref(), Some("กลางคืน"), "{thai}");
        for text in ["", "description = 1", "name = 7", "name = \"a", "[agc]\nname = \"a\""] {
            assert_eq!((name_in(text), &renamed(text, "b")[..]), (None, text));
        }
    }

    #[test]
    fn every_shipped_profile_can_be_renamed() {
        for (name, text) in embedded() {
            assert_eq!(name_in(text).as_deref(), Some(name));
            let checked = Profile::parse("mine.toml", &renamed(text, "mine")).expect("valid");
            assert_eq!(checked.profile.name, "mine");
        }
    }
}
