//! What can go wrong with a sound file, in words for the person who named it.

use std::io;
use std::path::PathBuf;

use headroom_dsp::{LayoutError, MAX_RATE_HZ, MIN_RATE_HZ};

/// Why a file could not be read as sound.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("opening {}: {source}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("reading {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is a directory, but must be a sound file", path.display())]
    Directory { path: PathBuf },
    #[error("{} is empty (0 bytes)", path.display())]
    Empty { path: PathBuf },
    #[error("{} is no sound file that can be read: {why}", path.display())]
    NotSound { path: PathBuf, why: String },
    #[error("{} has no sound in it", path.display())]
    NoSound { path: PathBuf },
    #[error("{}: {codec} cannot be decoded", path.display())]
    Codec { path: PathBuf, codec: String },
    #[error("{}: {source}", path.display())]
    Channels { path: PathBuf, source: LayoutError },
    #[error(
        "{} has {rate_hz} frames a second, but must have between {MIN_RATE_HZ} and {MAX_RATE_HZ}",
        path.display()
    )]
    Rate { path: PathBuf, rate_hz: u32 },
    #[error("{} is cut off: it {}", path.display(), cut_off(*got_s, *expected_s))]
    CutOff { path: PathBuf, got_s: f64, expected_s: Option<f64> },
    #[error("{} is damaged at {at_s:.2} s: {why}", path.display())]
    Damaged { path: PathBuf, at_s: f64, why: String },
    #[error("{} changes its rate or channels at {at_s:.2} s, which is not supported", path.display())]
    Changes { path: PathBuf, at_s: f64 },
}

fn cut_off(got_s: f64, expected_s: Option<f64>) -> String {
    match expected_s {
        Some(expected_s) => format!("should have {expected_s:.2} s, but ends after {got_s:.2} s"),
        None => format!("ends after {got_s:.2} s without the mark of its end"),
    }
}

impl ReadError {
    /// The way out, where there is one that the sentence does not say.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            ReadError::NotSound { .. } | ReadError::Codec { .. } => Some(
                "WAV, FLAC, MP3, Ogg Vorbis and M4A (AAC-LC with one or two channels, ALAC) can be read",
            ),
            ReadError::CutOff { .. } | ReadError::Damaged { .. } => {
                Some("--partial takes what is there")
            }
            _ => None,
        }
    }
}

/// Why sound could not be written to a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("creating {}: {source}", path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error("writing {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is not a regular file, so it cannot be replaced", path.display())]
    NotAFile { path: PathBuf },
    #[error("{} is the input, which would be lost", path.display())]
    IsTheInput { path: PathBuf },
    #[error("{} would be larger than the 4 GiB that a WAV file can hold", path.display())]
    TooLarge { path: PathBuf },
    #[error("encoding {}: {why}", path.display())]
    Encode { path: PathBuf, why: String },
}

impl WriteError {
    /// The way out, where there is one that the sentence does not say.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            WriteError::IsTheInput { .. } => Some("name another file for the output"),
            WriteError::TooLarge { .. } => Some("FLAC holds more, and --format 16 needs less"),
            _ => None,
        }
    }
}
