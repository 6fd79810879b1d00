//! Lists of patterns: how a rule or a device says what it is about.
//!
//! `rules` and `devices` read their `match` with it, and ask it which names are meant.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::glob::glob_matches;
use crate::table::Findings;

/// What one list of a match can hold, as in a request.
pub(crate) const MOST_PATTERNS: usize = 64;
pub(crate) const LONGEST_PATTERN_BYTES: usize = 256;

/// Whether one of the patterns means one of these names.
pub(crate) fn one_matches<'s>(
    patterns: &[String],
    said: impl IntoIterator<Item = &'s str>,
) -> bool {
    said.into_iter().any(|said| patterns.iter().any(|pattern| glob_matches(pattern, said)))
}

/// Reads the lists of a `match`, each into the place of its name. Gives whether every one could be
/// read. `such_as` is two patterns for an example.
pub(crate) fn read_lists<const N: usize>(
    table: &DeTable<'_>,
    key: &str,
    mut lists: [(&'static str, &mut Vec<String>); N],
    such_as: &str,
    findings: &mut Findings<'_>,
) -> bool {
    let known = lists.each_ref().map(|(name, _)| *name);
    let mut all_read = true;
    for (list_key, value) in table.iter() {
        let name = list_key.get_ref().as_ref();
        let list_path = format!("{key}.{name}");
        let Some((_, list)) = lists.iter_mut().find(|(known, _)| *known == name) else {
            findings.unknown_key(&list_key.span(), list_path, &known);
            all_read = false;
            continue;
        };
        match read_list(value) {
            Ok(read) => **list = read,
            Err(BadList::NotTexts) => {
                let allowed = format!("a list of texts, such as {name} = [\"{such_as}\"]");
                findings.not_allowed(&value.span(), &list_path, allowed);
                all_read = false;
            }
            Err(BadList::TooMuch(at)) => {
                let allowed = format!(
                    "one of at most {MOST_PATTERNS} patterns of at most {LONGEST_PATTERN_BYTES} \
                     bytes"
                );
                findings.not_allowed(&at, &list_path, allowed);
                all_read = false;
            }
        }
    }
    all_read
}

/// Why a list of patterns cannot be read.
enum BadList {
    /// It is none.
    NotTexts,
    /// The pattern here is too long, or one too many.
    TooMuch(Range<usize>),
}

fn read_list(value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, BadList> {
    let array = value.get_ref().as_array().ok_or(BadList::NotTexts)?;
    let pattern = |(n, entry): (usize, &Spanned<DeValue<'_>>)| {
        let text = entry.get_ref().as_str().ok_or(BadList::NotTexts)?;
        if n >= MOST_PATTERNS || text.len() > LONGEST_PATTERN_BYTES {
            return Err(BadList::TooMuch(entry.span()));
        }
        Ok(text.to_owned())
    };
    array.iter().enumerate().map(pattern).collect()
}
