//! How often a stream was moved away from where it is to go, and by whom.

use std::time::{Duration, Instant};

use crate::graph::Aim;

/// How often a stream that others move is moved back within [`MEMORY`].
pub(super) const MOST_TRIES: usize = 3;
pub(super) const MEMORY: Duration = Duration::from_secs(10);

/// Who keeps moving a stream away from where it is to go, as far as PipeWire lets it be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contest {
    /// In which way.
    pub by: MovedBy,
    /// The name of the program, where PipeWire tells.
    pub who: Option<String>,
    /// The sink that it is moved to.
    pub to: Option<String>,
}

/// In which way a stream is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovedBy {
    /// To the sink that the app asks for.
    App,
    /// By another target in the metadata.
    Metadata,
    /// By other links than the metadata says.
    Links,
}

/// The tries of one aim.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// The aim that all of this is about.
    aim: Option<Aim>,
    at: Vec<Instant>,
    given_in_to: Option<GivenInTo>,
}

#[derive(Debug, Clone)]
struct GivenInTo {
    by: MovedBy,
    /// Whose links they are, and where they lead.
    who: Option<String>,
    to: Option<String>,
}

impl Tries {
    /// Another aim begins anew. Gives whether it is another.
    pub(super) fn aim(&mut self, aim: Option<Aim>) -> bool {
        let is_other = self.aim != aim;
        if is_other {
            *self = Tries { aim, ..Tries::default() };
        }
        is_other
    }

    /// That who keeps the metadata starts again is nobody's move.
    pub(super) fn forget(&mut self) {
        self.at.clear();
    }

    pub(super) fn has_aim(&self) -> bool {
        self.aim.is_some()
    }

    pub(super) fn has_given_in(&self) -> bool {
        self.given_in_to.is_some()
    }

    /// Counts one more. Gives whether that is too many.
    pub(super) fn count(&mut self, now: Instant) -> bool {
        self.at.retain(|tried| now < *tried + MEMORY);
        let is_too_many = self.at.len() >= MOST_TRIES;
        if !is_too_many {
            self.at.push(now);
        }
        is_too_many
    }

    /// Somebody else wins.
    pub(super) fn give_in(&mut self, by: MovedBy, who: Option<String>, to: Option<String>) {
        self.given_in_to = Some(GivenInTo { by, who, to });
    }

    /// Who has won. `wanted` is the sink that others say, `of_app` the one that the app asks for.
    pub(super) fn contest(&self, wanted: Option<&str>, of_app: Option<&str>) -> Option<Contest> {
        let GivenInTo { by, who, to } = self.given_in_to.clone()?;
        let to = to.or_else(|| wanted.map(str::to_owned));
        // PipeWire does not say who writes; but what the app asks for itself, it may well write.
        let is_apps = by == MovedBy::Metadata && to.is_some() && to.as_deref() == of_app;
        Some(Contest { by: if is_apps { MovedBy::App } else { by }, who, to })
    }
}
