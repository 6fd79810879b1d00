//! Colour, where a person looks: on a terminal, and unless `NO_COLOR` or a dumb terminal says no.

use std::fmt::Display;
use std::io::{IsTerminal, stdout};

/// Whether there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Colour,
    Plain,
}

impl Paint {
    pub(crate) fn for_stdout() -> Paint {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let is_dumb = set("TERM").is_none_or(|term| term == "dumb");
        if stdout().is_terminal() && set("NO_COLOR").is_none() && !is_dumb {
            Paint::Colour
        } else {
            Paint::Plain
        }
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.with("1", text)
    }

    /// What matters less.
    pub(crate) fn dim(self, text: impl Display) -> String {
        self.with("2", text)
    }

    /// What a person should look at.
    pub(crate) fn warning(self, text: impl Display) -> String {
        self.with("33", text)
    }

    fn with(self, code: &str, text: impl Display) -> String {
        match self {
            Paint::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
            Paint::Plain => text.to_string(),
        }
    }
}
