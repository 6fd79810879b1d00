//! `headroomd --restore`: what a headroomd that was killed has left is put back, by the journal and
//! by what the graph itself tells, and nothing else is done. The service unit calls it when the
//! service has ended, `headroom doctor --fix` when a person asks.

use std::sync::Arc;

use crate::forget;
use crate::graph::{self, PutBack};
use crate::journal::{Journal, JournalSlot};
use crate::server::{ClaimError, Listen, Vacant};
use crate::store::{Found, StateDirectory, StateFile};

/// What could not be put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Nobody is there to be told.
    #[error(
        "{missing}: {entries} stay in {journal} for the next time (start it, then headroomd --restore again, or headroomd)"
    )]
    Waits {
        /// Who is not there.
        missing: &'static str,
        /// What stays.
        entries: String,
        /// The journal.
        journal: String,
    },
    /// An app or a sink must be there for it.
    #[error("{entries} stay in {journal} until the app plays again, or the device is back")]
    Absent {
        /// What stays.
        entries: String,
        /// The journal.
        journal: String,
    },
    /// Something is in the way.
    #[error("{0}")]
    Failed(String),
}

/// Puts back what can be. A daemon that runs is left alone: it does so itself.
///
/// # Errors
/// [`RestoreError`]: something is left for the next time.
pub(crate) fn run(listen: &Listen) -> Result<(), RestoreError> {
    let _vacant = match Vacant::claim(listen) {
        Ok(vacant) => vacant,
        Err(error @ ClaimError::AnotherRuns { .. }) => {
            log::info!("{error}: nothing is to be put back");
            return Ok(());
        }
        Err(error) => return Err(RestoreError::Failed(error.to_string())),
    };
    let mut file = StateDirectory::find().ok().map(StateFile::in_directory);
    let Found { journal, warnings, .. } =
        file.as_mut().map(StateFile::read_only_journal).unwrap_or_default();
    for warning in &warnings {
        log::warn!("{warning}");
    }
    let notes = Arc::new(JournalSlot::default());
    let put_back = graph::put_back(journal.clone(), notes.clone()).map_err(RestoreError::Failed)?;
    if put_back == PutBack::IsAlive {
        log::info!("a headroomd runs on this PipeWire: nothing is to be put back");
        return Ok(());
    }
    let left = notes.take().map_or(journal, |(_, left)| *left);
    let path = file.as_ref().map(|file| file.journal_path().display().to_string());
    let at = path.unwrap_or_else(|| "memory".to_owned());
    if let Some(file) = &mut file {
        let written = file.write_journal(&left);
        written.map_err(|error| RestoreError::Failed(format!("writing {at}: {error}")))?;
    }
    let waits = |missing| match left.is_empty() {
        true => Ok(()),
        false => Err(RestoreError::Waits { missing, entries: words(&left), journal: at.clone() }),
    };
    match put_back {
        PutBack::NoPipeWire => waits("PipeWire is not there"),
        PutBack::NoSessionManager => waits("WirePlumber does not answer"),
        PutBack::Done | PutBack::IsAlive if left.is_empty() => {
            log::info!("everything is as it was before Headroom");
            Ok(())
        }
        PutBack::Done | PutBack::IsAlive => {
            Err(RestoreError::Absent { entries: words(&left), journal: at })
        }
    }
}

/// Takes what WirePlumber remembers of our sinks out of its files.
///
/// # Errors
/// [`RestoreError::Failed`]: a daemon runs, or a file cannot be written.
pub(crate) fn forget(listen: &Listen) -> Result<(), RestoreError> {
    let failed = |error: &dyn std::fmt::Display| RestoreError::Failed(error.to_string());
    let _vacant = Vacant::claim(listen).map_err(|error| failed(&error))?;
    let own = StateDirectory::find().map_err(|error| failed(&error))?;
    let Some(folder) = forget::wireplumber_folder(own.path()) else { return Ok(()) };
    let changed = forget::in_folder(&folder).map_err(|error| {
        RestoreError::Failed(format!("what WirePlumber remembers in {}: {error}", folder.display()))
    })?;
    for path in changed {
        log::info!("{}: Headroom is no longer in it", path.display());
    }
    Ok(())
}

/// What a journal has, for a person.
fn words(journal: &Journal) -> String {
    let mut words: Vec<String> = Vec::new();
    if journal.former_default.is_some() {
        words.push("the default sink".to_owned());
    }
    for (count, of) in [(journal.streams.len(), "target"), (journal.volumes.len(), "volume")] {
        match count {
            0 => {}
            1 => words.push(format!("1 {of}")),
            _ => words.push(format!("{count} {of}s")),
        }
    }
    words.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{ChangedVolume, FormerTarget, Note};

    #[test]
    fn what_is_left_is_said_in_words() {
        let mut journal = Journal::of_former_default(None, None);
        assert_eq!(words(&journal), "the default sink");
        for name in ["a", "b"] {
            journal.put(Note::Stream(name.into(), FormerTarget::default()));
        }
        journal.put(Note::Volume("speakers".into(), ChangedVolume::default()));
        assert_eq!(words(&journal), "the default sink and 2 targets and 1 volume");
    }
}
