//! `journal.toml` as text: a version, and what is to be put back.
//!
//! Nobody but headroomd writes it, so that it is read as a whole or refused as a whole. A new
//! version gets a number and a reader of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Table;

use super::{ChangedVolume, FormerDefault, FormerTarget, Journal, Note, NotedVolume};

/// The longest text that is read. The largest that is written is shorter.
pub const MAX_JOURNAL_BYTES: usize = 2 << 20;
/// What is written.
const VERSION: i64 = 1;

/// What a reader of the file sees first.
const HEADER: &str = "# What headroomd has changed in PipeWire and will put back. It goes with a \
                      clean exit;\n# after a crash the next start puts things right by it, or \
                      `headroomd --restore`.\n\n";
/// What it sees last. A file that was cut short does not have it.
const END: &str = "# end";

/// Why a text is no journal.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// It is no TOML, or not of this form.
    #[error("{0}")]
    Unreadable(String),
    /// The file was not written to its end.
    #[error("it was cut short")]
    CutShort,
    /// Nobody knows what it means.
    #[error("it has no version")]
    NoVersion,
    /// A newer headroomd has written it.
    #[error("it is of version {0}, and this headroomd knows {VERSION} at most")]
    Unknown(i64),
    /// More than is ever written.
    #[error("it has more or longer entries than a journal can have")]
    TooMuch,
}

/// The whole file, in the order in which it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former_default: Option<DefaultText>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    streams: BTreeMap<String, TargetText>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    volumes: BTreeMap<String, ChangeText>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    configured: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actual: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sink: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeText {
    before: VolumeText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<VolumeText>,
    wanted: VolumeText,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VolumeText {
    factors: Vec<f32>,
    muted: bool,
}

/// The text of a journal.
///
/// # Errors
/// A value that TOML has no word for; there is none in a journal.
pub fn write(journal: &Journal) -> Result<String, toml::ser::Error> {
    let Journal { former_default, streams, volumes } = journal;
    let volume = |NotedVolume { factors, muted }: &NotedVolume| VolumeText {
        // What is no number is written as silence: it errs to the quiet side.
        factors: factors.iter().map(|f| if f.is_finite() { f.max(0.0) } else { 0.0 }).collect(),
        muted: *muted,
    };
    let text = Text {
        former_default: former_default
            .clone()
            .map(|FormerDefault { configured, actual }| DefaultText { configured, actual }),
        streams: streams
            .iter()
            .map(|(key, FormerTarget { sink })| (key.clone(), TargetText { sink: sink.clone() }))
            .collect(),
        volumes: volumes
            .iter()
            .map(|(sink, ChangedVolume { before, told, wanted })| {
                let (before, wanted) = (volume(before), volume(wanted));
                (sink.clone(), ChangeText { before, told: told.as_ref().map(volume), wanted })
            })
            .collect(),
    };
    let text = toml::to_string(&text)?;
    Ok(format!("{HEADER}version = {VERSION}\n\n{text}\n{END}\n"))
}

/// What a text says.
///
/// # Errors
/// [`FormatError`] when nothing of it can be used.
pub fn read(text: &str) -> Result<Journal, FormatError> {
    let unreadable = |error: toml::de::Error| FormatError::Unreadable(error.message().to_owned());
    let mut table: Table = text.parse().map_err(unreadable)?;
    match table.remove("version") {
        Some(toml::Value::Integer(VERSION)) => {}
        Some(toml::Value::Integer(other)) => return Err(FormatError::Unknown(other)),
        _ => return Err(FormatError::NoVersion),
    }
    if text.trim_end().lines().next_back() != Some(END) {
        return Err(FormatError::CutShort);
    }
    let Text { former_default, streams, volumes } = table.try_into().map_err(unreadable)?;
    let volume = |VolumeText { factors, muted }: VolumeText| NotedVolume { factors, muted };
    let former = former_default.map(|DefaultText { configured, actual }| {
        Note::FormerDefault(FormerDefault { configured, actual })
    });
    let streams = streams
        .into_iter()
        .map(|(key, TargetText { sink })| Note::Stream(key, FormerTarget { sink }));
    let volumes = volumes.into_iter().map(|(sink, ChangeText { before, told, wanted })| {
        let (before, wanted) = (volume(before), volume(wanted));
        Note::Volume(sink, ChangedVolume { before, told: told.map(volume), wanted })
    });
    let mut journal = Journal::default();
    for note in former.into_iter().chain(streams).chain(volumes) {
        if !journal.has_room_for(&note) {
            return Err(FormatError::TooMuch);
        }
        journal.put(note);
    }
    Ok(journal)
}

#[cfg(test)]
mod tests {
    use super::super::{LONGEST_NAME_BYTES, MOST_STREAMS, MOST_VOLUMES};
    use super::*;

    fn full() -> Journal {
        let volume = |factor: f32| NotedVolume { factors: vec![factor; 2], muted: factor > 0.5 };
        Journal {
            former_default: Some(FormerDefault {
                configured: Some("alsa \"x\"\n".into()),
                actual: None,
            }),
            streams: [
                ("Output/Audio:application.name:Firefox", Some("hdmi")),
                ("Output/Audio:media.role:Music", None),
            ]
            .map(|(key, sink)| (key.to_owned(), FormerTarget { sink: sink.map(str::to_owned) }))
            .into(),
            volumes: [("speakers", None), ("hdmi", Some(volume(0.25)))]
                .map(|(sink, told)| {
                    let change = ChangedVolume { before: volume(0.125), told, wanted: volume(1.0) };
                    (sink.to_owned(), change)
                })
                .into(),
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for journal in [Journal::default(), full(), Journal::of_former_default(None, None)] {
            let text = write(&journal).expect("written");
            assert_eq!(read(&text).expect("read"), journal, "{text}");
        }
    }

    #[test]
    fn a_text_that_was_cut_short_is_refused_wherever_it_was_cut() {
        let text = write(&full()).expect("written");
        let whole = text.trim_end().len();
        for end in 0..whole {
            read(&text[..end]).expect_err("cut short");
        }
        assert_eq!(read(&text[..whole]).expect("whole"), full());
    }

    #[test]
    fn what_is_no_journal_is_refused_and_why_is_said() {
        let refused = |text: &str| read(text).expect_err("refused").to_string();
        assert_eq!(refused(""), "it has no version");
        let newer = "it is of version 2, and this headroomd knows 1 at most";
        assert_eq!(refused("version = 2\n# end"), newer);
        assert_eq!(refused("version = 1\n"), "it was cut short");
        assert!(refused("version = 1\nx = 3\n# end").contains("unknown field `x`"));
        let long = "x".repeat(LONGEST_NAME_BYTES + 1);
        let text = format!("version = 1\n[streams.{long}]\n# end");
        assert!(refused(&text).contains("longer entries"));
    }

    #[test]
    fn the_largest_journal_that_there_can_be_is_read_again() {
        // The dearest in escapes.
        let name = |number: usize| {
            let number = format!("{number:04}");
            format!("{number}{}", "\u{1}".repeat(LONGEST_NAME_BYTES - number.len()))
        };
        let mut journal = full();
        journal.streams.clear();
        journal.volumes.clear();
        for number in 0..MOST_STREAMS {
            let former = FormerTarget { sink: Some(name(number)) };
            journal.put(Note::Stream(name(number), former));
        }
        let factors = vec![0.123_456_79; headroom_dsp::MAX_CHANNELS];
        let volume = NotedVolume { factors, muted: false };
        for number in 0..MOST_VOLUMES {
            let [before, told, wanted] = [(); 3].map(|()| volume.clone());
            let change = ChangedVolume { before, told: Some(told), wanted };
            journal.put(Note::Volume(name(number), change));
        }
        let text = write(&journal).expect("written");
        assert!(text.len() <= MAX_JOURNAL_BYTES, "{} bytes", text.len());
        assert_eq!(read(&text).expect("read"), journal);
    }
}
