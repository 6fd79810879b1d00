//! The journal: what headroomd changes in the listener's desktop and would have to put back,
//! synced to disk before each change, so that whoever comes after a crash can put it back.
//!
//! ```text
//! hr-graph: Notes::note ──► JournalSlot: the newest whole ──► hr-store ──► journal.toml
//!                ▲                                               │
//!                └─────────── it is on disk: ring ◄──────────────┘
//!
//! start, and headroomd --restore: StateFile::read ──► Journal ──► put back what is still so
//! ```
//!
//! [`Journal`] is plain data, [`mod@format`] what it looks like as text, [`JournalSlot`] the place
//! between hr-graph and hr-store, [`Notes`] hr-graph's own book of what is asked for and what is
//! on disk. hr-graph never waits for storage: a change that needs a note is made at a later turn of
//! its loop, when the note is there; without it only where storage has said that it cannot be had.

mod format;
mod notes;
mod slot;

use std::collections::BTreeMap;

pub use format::{FormatError, MAX_JOURNAL_BYTES, read, write};
pub use notes::{Noted, Notes};
pub use slot::JournalSlot;

/// The most streams that are kept book of. Beyond that apps are moved without a note.
pub const MOST_STREAMS: usize = 256;
/// The most devices whose volume is kept book of.
pub const MOST_VOLUMES: usize = 32;
/// The longest name that is noted, in bytes. Longer ones are nobody's.
pub const LONGEST_NAME_BYTES: usize = 512;

/// What has been changed and is to be put back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journal {
    /// The main bus is the default sink, or was asked to be; and what was before it.
    pub former_default: Option<FormerDefault>,
    /// Streams that were moved, by the key under which WirePlumber remembers them
    /// ([`stream_key`]).
    pub streams: BTreeMap<String, FormerTarget>,
    /// Volumes of device sinks that were changed, by the name of the sink.
    pub volumes: BTreeMap<String, ChangedVolume>,
}

/// The default sink before ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormerDefault {
    /// The one that was asked for; nothing if nobody had asked.
    pub configured: Option<String>,
    /// The one that was heard.
    pub actual: Option<String>,
}

/// Where WirePlumber remembered that a stream goes, before we moved it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormerTarget {
    /// The name of a sink; nothing if it remembered none.
    pub sink: Option<String>,
}

/// A volume as a device has it: a factor for each channel, and mute.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NotedVolume {
    /// Linear, one for each channel.
    pub factors: Vec<f32>,
    /// Whether it is silent whatever the factors.
    pub muted: bool,
}

/// A change of a device's volume by us, as the listener had asked for it at our sink.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChangedVolume {
    /// What it was before, as the device had said.
    pub before: NotedVolume,
    /// What the device had been told since and not said yet, where there is such: it may have that
    /// or the one before.
    pub told: Option<NotedVolume>,
    /// What the listener has set.
    pub wanted: NotedVolume,
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// See [`Journal::former_default`].
    FormerDefault(FormerDefault),
    /// See [`Journal::streams`].
    Stream(String, FormerTarget),
    /// See [`Journal::volumes`].
    Volume(String, ChangedVolume),
}

/// Which entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKey {
    /// See [`Journal::former_default`].
    FormerDefault,
    /// See [`Journal::streams`].
    Stream(String),
    /// See [`Journal::volumes`].
    Volume(String),
}

impl Note {
    /// Which entry it is.
    #[must_use]
    pub fn key(&self) -> NoteKey {
        match self {
            Note::FormerDefault(_) => NoteKey::FormerDefault,
            Note::Stream(key, _) => NoteKey::Stream(key.clone()),
            Note::Volume(sink, _) => NoteKey::Volume(sink.clone()),
        }
    }
}

impl Journal {
    /// A journal in which nothing but this stands.
    #[must_use]
    pub fn of_former_default(configured: Option<&str>, actual: Option<&str>) -> Journal {
        let (configured, actual) = (configured.map(str::to_owned), actual.map(str::to_owned));
        Journal { former_default: Some(FormerDefault { configured, actual }), ..Journal::default() }
    }

    /// Whether there is nothing to put back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.former_default.is_none() && self.streams.is_empty() && self.volumes.is_empty()
    }

    /// Whether this stands in it.
    #[must_use]
    pub fn says(&self, note: &Note) -> bool {
        match note {
            Note::FormerDefault(former) => self.former_default.as_ref() == Some(former),
            Note::Stream(key, former) => self.streams.get(key) == Some(former),
            Note::Volume(sink, change) => self.volumes.get(sink) == Some(change),
        }
    }

    /// Whether anything stands there under this key.
    #[must_use]
    pub fn has(&self, key: &NoteKey) -> bool {
        match key {
            NoteKey::FormerDefault => self.former_default.is_some(),
            NoteKey::Stream(key) => self.streams.contains_key(key),
            NoteKey::Volume(sink) => self.volumes.contains_key(sink),
        }
    }

    /// Whether there is room for an entry: one that stands there already only changes.
    #[must_use]
    pub fn has_room_for(&self, note: &Note) -> bool {
        let fits = |name: &str| name.len() <= LONGEST_NAME_BYTES;
        match note {
            Note::FormerDefault(FormerDefault { configured, actual }) => {
                [configured, actual].into_iter().flatten().all(|name| fits(name))
            }
            Note::Stream(key, FormerTarget { sink }) => {
                fits(key)
                    && sink.iter().all(|name| fits(name))
                    && (self.streams.len() < MOST_STREAMS || self.streams.contains_key(key))
            }
            Note::Volume(sink, ChangedVolume { before, told, wanted }) => {
                let most = headroom_dsp::MAX_CHANNELS;
                fits(sink)
                    && [before, wanted].into_iter().chain(told).all(|v| v.factors.len() <= most)
                    && (self.volumes.len() < MOST_VOLUMES || self.volumes.contains_key(sink))
            }
        }
    }

    /// Writes it in.
    pub fn put(&mut self, note: Note) {
        match note {
            Note::FormerDefault(former) => self.former_default = Some(former),
            Note::Stream(key, former) => drop(self.streams.insert(key, former)),
            Note::Volume(sink, change) => drop(self.volumes.insert(sink, change)),
        }
    }

    /// Strikes it out. Gives whether it stood there.
    pub fn strike(&mut self, key: &NoteKey) -> bool {
        match key {
            NoteKey::FormerDefault => self.former_default.take().is_some(),
            NoteKey::Stream(key) => self.streams.remove(key).is_some(),
            NoteKey::Volume(sink) => self.volumes.remove(sink).is_some(),
        }
    }
}

/// The key under which WirePlumber remembers where a stream goes: the first of these properties
/// that its node has, in this order, with the class of the stream before it.
///
/// `property` gives the properties of the *node* (not of its client), as they are.
pub fn stream_key<'p>(property: impl Fn(&str) -> Option<&'p str>) -> Option<String> {
    const KEYS: [&str; 5] =
        ["media.role", "application.id", "application.name", "media.name", "node.name"];
    let class = property("media.class")?;
    let class = class.strip_prefix("Stream/").unwrap_or(class);
    KEYS.iter().find_map(|key| Some(format!("{class}:{key}:{}", property(key)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_stands_there_until_it_is_struck_out() {
        let mut journal = Journal::default();
        let notes = [
            Note::FormerDefault(FormerDefault::default()),
            Note::Stream("Output/Audio:media.role:Music".into(), FormerTarget::default()),
            Note::Volume("speakers".into(), ChangedVolume::default()),
        ];
        for note in &notes {
            assert!(!journal.says(note) && journal.has_room_for(note));
            journal.put(note.clone());
            assert!(journal.says(note) && !journal.is_empty());
        }
        for note in &notes {
            assert!(journal.strike(&note.key()) && !journal.strike(&note.key()));
        }
        assert!(journal.is_empty());
    }

    #[test]
    fn what_is_too_much_has_no_room() {
        let mut journal = Journal::default();
        let stream = |name: String| Note::Stream(name, FormerTarget::default());
        for number in 0..MOST_STREAMS {
            journal.put(stream(number.to_string()));
        }
        assert!(journal.has_room_for(&stream("0".into())), "it stands there already");
        assert!(!journal.has_room_for(&stream("another".into())));
        let long = "x".repeat(LONGEST_NAME_BYTES + 1);
        let volume = Note::Volume(long.clone(), ChangedVolume::default());
        let default = FormerDefault { configured: Some(long), actual: None };
        assert!(!journal.has_room_for(&volume));
        assert!(!journal.has_room_for(&Note::FormerDefault(default)));
    }

    #[test]
    fn a_stream_has_the_key_that_wireplumber_gives_it() {
        let key = |props: &[(&str, &str)]| {
            stream_key(|key| props.iter().find(|(known, _)| *known == key).map(|(_, value)| *value))
        };
        let class = ("media.class", "Stream/Output/Audio");
        let name = ("node.name", "mpv");
        assert_eq!(key(&[class, name]).as_deref(), Some("Output/Audio:node.name:mpv"));
        let app = ("application.name", "mpv Media Player");
        let expected = "Output/Audio:application.name:mpv Media Player";
        assert_eq!(key(&[class, name, app]).as_deref(), Some(expected));
        let role = ("media.role", "Music");
        assert_eq!(key(&[app, role, class]).as_deref(), Some("Output/Audio:media.role:Music"));
        assert_eq!(key(&[class]), None);
    }
}
