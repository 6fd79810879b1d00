//! Who a stream is: what stays the same while what it plays changes, and its number.
//!
//! `routing` matches rules with it, and knows by it who has come back. Pure.

use std::borrow::Cow;

use headroom_ipc::Stream;
use headroom_profile::{Identity, glob_matches, wire};

/// What a stream says of itself, and the name of the app without what changes in it: some write
/// the title that they play into it, or the number of their process.
pub(super) struct Names<'s> {
    said: Identity<'s>,
    lasting: Option<Cow<'s, str>>,
}

impl<'s> Names<'s> {
    pub(super) fn of(stream: &'s Stream) -> Names<'s> {
        let said = Identity {
            process_binary: stream.process_binary.as_deref(),
            application_name: stream.application_name.as_deref(),
            portal_app_id: stream.portal_app_id.as_deref(),
            media_role: stream.media_role.as_deref(),
        };
        let title = stream.media_name.as_deref();
        let lasting = said.application_name.map(|name| lasting(name, title, stream.pid));
        Names { said, lasting }
    }

    pub(super) fn are_meant_by(&self, matches: &headroom_profile::Match) -> bool {
        let lasting = Identity { application_name: self.lasting.as_deref(), ..self.said };
        matches.is_about(&self.said) || matches.is_about(&lasting)
    }
}

/// Of each list of a match, the pattern that means this stream; nothing if it is not about it.
pub(crate) fn matched(
    stream: &Stream,
    matches: &headroom_ipc::Match,
) -> Option<headroom_ipc::Match> {
    let names = Names::of(stream);
    if !names.are_meant_by(&wire::match_back(matches)) {
        return None;
    }
    let lasting = names.lasting.as_deref();
    let first = |patterns: &[String], said: [Option<&str>; 2]| -> Vec<String> {
        let is_meant =
            |pattern: &&String| said.into_iter().flatten().any(|said| glob_matches(pattern, said));
        patterns.iter().find(is_meant).cloned().into_iter().collect()
    };
    let said = names.said;
    Some(headroom_ipc::Match {
        process_binary: first(&matches.process_binary, [said.process_binary, None]),
        application_name: first(&matches.application_name, [said.application_name, lasting]),
        portal_app_id: first(&matches.portal_app_id, [said.portal_app_id, None]),
        media_role: first(&matches.media_role, [said.media_role, None]),
    })
}

/// What apps set a title or a number apart with.
const SIGNS: &str = "-–—:|·•#()[]\"“”«»";
/// A number of a process that has fewer digits may be part of a name, as in `Half-Life 2`, and the
/// first processes of a sandbox have such numbers.
const DIGITS_OF_A_PID: usize = 3;

/// The name of an app without the title that it plays and without the number of its process, and
/// without the signs that set them apart.
pub(super) fn lasting<'n>(name: &'n str, title: Option<&str>, pid: Option<u32>) -> Cow<'n, str> {
    let mut rest = Cow::Borrowed(name);
    let title = title.filter(|title| !title.is_empty() && *title != name);
    // A single word may be part of the name, as in `Music Player` which plays `Music`.
    let is_long = |title: &str| title.contains(char::is_whitespace);
    if let Some(title) = title
        && let Some(without) = without(&rest, title, is_long(title))
    {
        rest = Cow::Owned(without);
    }
    if let Some(pid) = pid.map(|pid| pid.to_string())
        && let Some(without) = without(&rest, &pid, pid.len() >= DIGITS_OF_A_PID)
    {
        rest = Cow::Owned(without);
    }
    if rest == name {
        return rest;
    }
    let signs = |letter: char| letter.is_whitespace() || SIGNS.contains(letter);
    let rest = rest.trim_matches(signs).to_owned();
    // A name that is nothing else is a name.
    if rest.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(rest) }
}

/// A name without a part of it that is no part of another word. Signs must set it apart from the
/// rest, unless it `is_plain` that it is meant.
fn without(name: &str, part: &str, is_plain: bool) -> Option<String> {
    let is_of_a_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let is_apart = |side: &str, beside: Option<char>| {
        side.is_empty() || beside.is_some_and(|letter| SIGNS.contains(letter))
    };
    let mut all = name.match_indices(part).map(|(at, _)| (&name[..at], &name[at + part.len()..]));
    let (before, behind) = all.find(|(before, behind)| {
        let stands_alone =
            !is_of_a_word(before.chars().next_back()) && !is_of_a_word(behind.chars().next());
        let (left, right) = (before.trim(), behind.trim());
        let is_set_apart =
            is_apart(left, left.chars().next_back()) && is_apart(right, right.chars().next());
        stands_alone && (is_plain || is_set_apart)
    })?;
    Some(format!("{before}{behind}"))
}

/// Who a stream is, whatever its number: the same while its process lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    pid: u32,
    process_binary: Option<String>,
    name: Option<String>,
    portal_app_id: Option<String>,
    media_role: Option<String>,
}

impl Who {
    /// Nobody, where the process is not known: another may call itself the same.
    pub(super) fn of(stream: &Stream) -> Option<Who> {
        let title = stream.media_name.as_deref();
        let name = stream.application_name.as_deref();
        Some(Who {
            pid: stream.pid?,
            process_binary: stream.process_binary.clone(),
            name: name.map(|name| lasting(name, title, stream.pid).into_owned()),
            portal_app_id: stream.portal_app_id.clone(),
            media_role: stream.media_role.clone(),
        })
    }
}
