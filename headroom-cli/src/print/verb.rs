//! The daemon's sentences in the words of this program.
//!
//! They are written for every client and name ops of the protocol; a person types verbs.

use headroom_client::ipc::{Details, Error, Value};

/// Each op that a sentence may send somebody to, and what a person types for it.
const VERBS: &[(&str, &str)] = &[
    ("stream.list", "headroom route list"),
    ("sink.list", "headroom sink list"),
    ("sink.use", "headroom sink use"),
    ("profile.list", "headroom profile list"),
    ("profile.use", "headroom profile use"),
    ("profile.show", "headroom profile show"),
    ("profile.reload", "headroom profile reload"),
    ("device.list", "headroom device list"),
    ("device.set", "headroom device set"),
    ("device.unset", "headroom device unset"),
    ("route.list", "headroom route list"),
    ("route.set", "headroom route set"),
    ("route.unset", "headroom route unset"),
    ("route.stream", "headroom route stream"),
    ("setting.get", "headroom get"),
    ("setting.list", "headroom settings"),
    ("setting.set", "headroom set"),
    ("setting.clear", "headroom unset"),
    ("setting.reset", "headroom unset --all"),
    ("bypass.set", "headroom bypass"),
    ("promote.set", "headroom promote on"),
];

/// The sentence, with what is to be typed in place of the names of ops.
pub(crate) fn in_verbs(sentence: &str) -> String {
    let mut text = String::new();
    let mut rest = sentence;
    let is_part = |letter: char| letter.is_alphanumeric() || "._-/:".contains(letter);
    while let Some((at, op, verb)) = first_op(rest) {
        let (before, after) = (&rest[..at], &rest[at + op.len()..]);
        text += before;
        // In a path or a longer name it is somebody else's word.
        let is_whole =
            !text.ends_with(is_part) && !after.trim_start_matches([':', '.']).starts_with(is_part);
        text += if is_whole { verb } else { op };
        rest = after;
    }
    text + rest
}

/// What the daemon says no with. A word that was typed stays as it was.
pub(crate) fn refusal(error: &Error) -> String {
    match error.details.as_deref() {
        Some(Details { value: Some(Value::Text(typed)), .. }) if first_op(typed).is_some() => {
            error.message.clone()
        }
        _ => in_verbs(&error.message),
    }
}

fn first_op(text: &str) -> Option<(usize, &'static str, &'static str)> {
    let found = VERBS.iter().filter_map(|(op, verb)| Some((text.find(op)?, *op, *verb)));
    found.min_by_key(|(at, ..)| *at)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use headroom_client::ipc::{Code, Op};

    use super::*;

    #[test]
    fn what_is_to_be_typed_stands_where_an_op_stood() {
        for (said, shown) in [
            (
                "no stream 9: \"stream.list\" lists them",
                "no stream 9: \"headroom route list\" lists them",
            ),
            ("left (promote.set asks anew)", "left (headroom promote on asks anew)"),
            (
                "ask with \"route.stream\" or \"route.set\".",
                "ask with \"headroom route stream\" or \"headroom route set\".",
            ),
            (
                "/home/profile.list/x.toml and a.route.set",
                "/home/profile.list/x.toml and a.route.set",
            ),
            ("nothing", "nothing"),
        ] {
            assert_eq!(in_verbs(said), shown);
        }
        let typed = Error::not_found("key", "setting", "route.list", &[]);
        assert_eq!(typed.code, Code::NotFound);
        assert_eq!(refusal(&typed), "there is no setting \"route.list\"");
    }

    #[test]
    fn every_op_with_a_dot_has_a_verb_that_can_be_typed() {
        for op in Op::NAMES.iter().filter(|op| op.contains('.')) {
            let (_, verb) = VERBS.iter().find(|(known, _)| known == op).expect(op);
            let mut command = crate::args::Args::command();
            let words = verb.split(' ').skip(1).take_while(|word| !word.starts_with("--"));
            for word in words {
                if command.has_subcommands() {
                    let next = command.find_subcommand(word);
                    command = next.unwrap_or_else(|| panic!("{verb}: {word}")).clone();
                }
            }
        }
    }
}
