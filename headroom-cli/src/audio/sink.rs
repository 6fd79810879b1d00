//! The file that sound is written to: WAV or FLAC by its ending, whole or not at all.

use std::fs::File;
use std::path::Path;

use super::flac::{FlacError, FlacWriter};
use super::wav::{MAX_DATA_BYTES, WavWriter};
use super::{Block, ChannelMap, Depth, OutputFile, WriteError};

/// The kinds of file that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// WAV.
    Wav,
    /// FLAC.
    Flac,
}

impl Container {
    /// The endings that name a container.
    pub(crate) const ENDINGS: &str = ".wav or .flac";

    /// The container that a file's ending names.
    pub(crate) fn of(path: &Path) -> Option<Container> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "wav" | "wave" => Some(Container::Wav),
            "flac" => Some(Container::Flac),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Container::Wav => "WAV",
            Container::Flac => "FLAC",
        }
    }

    /// The depth to write where nothing else is asked for: the source's, and for a lossy
    /// source, which has none, the finest.
    pub(crate) fn usual_depth(self, source: Option<Depth>) -> Depth {
        match (self, source) {
            (Container::Flac, None | Some(Depth::F32)) => Depth::I24,
            (_, depth) => depth.unwrap_or(Depth::F32),
        }
    }
}

/// A sound file that is being written.
pub(crate) struct Sink {
    output: OutputFile,
    writer: Writer,
}

enum Writer {
    Wav(Box<WavWriter<File>>),
    Flac(Box<FlacWriter<File>>),
}

/// What a file that is to be written holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SinkSpec {
    pub(crate) container: Container,
    pub(crate) depth: Depth,
    pub(crate) rate_hz: u32,
    pub(crate) channels: ChannelMap,
    /// How long it will be, where that is known.
    pub(crate) expected_frames: Option<u64>,
}

impl Sink {
    /// Begins the file.
    pub(crate) fn begin(output: OutputFile, spec: &SinkSpec) -> Result<Sink, WriteError> {
        let path = output.path().to_owned();
        let &SinkSpec { container, depth, rate_hz, channels, expected_frames } = spec;
        let frame_bytes = (channels.count() * depth.bytes()) as u64;
        let bytes = expected_frames.unwrap_or(0).saturating_mul(frame_bytes);
        if container == Container::Wav && bytes > MAX_DATA_BYTES {
            return Err(WriteError::TooLarge { path });
        }
        let write_error = |source| WriteError::Write { path: path.clone(), source };
        let file = output.file().try_clone().map_err(write_error)?;
        let writer = match container {
            Container::Wav => Writer::Wav(Box::new(
                WavWriter::begin(file, rate_hz, channels, depth).map_err(write_error)?,
            )),
            Container::Flac => Writer::Flac(Box::new(
                FlacWriter::begin(file, rate_hz, channels, depth)
                    .map_err(|error| flac_error(&path, error))?,
            )),
        };
        Ok(Sink { output, writer })
    }

    /// Appends a block.
    pub(crate) fn write(&mut self, block: &Block) -> Result<(), WriteError> {
        let path = self.output.path();
        match &mut self.writer {
            Writer::Wav(writer) => match writer.write(block) {
                Ok(true) => Ok(()),
                Ok(false) => Err(WriteError::TooLarge { path: path.to_owned() }),
                Err(source) => Err(WriteError::Write { path: path.to_owned(), source }),
            },
            Writer::Flac(writer) => writer.write(block).map_err(|error| flac_error(path, error)),
        }
    }

    /// Completes the file. It has no name yet: [`OutputFile::finish`] gives it one.
    pub(crate) fn complete(self) -> Result<OutputFile, WriteError> {
        let path = self.output.path();
        match self.writer {
            Writer::Wav(writer) => writer
                .finish()
                .map_err(|source| WriteError::Write { path: path.to_owned(), source })?,
            Writer::Flac(writer) => writer.finish().map_err(|error| flac_error(path, error))?,
        }
        Ok(self.output)
    }
}

fn flac_error(path: &Path, error: FlacError) -> WriteError {
    let path = path.to_owned();
    match error {
        FlacError::Write(source) => WriteError::Write { path, source },
        FlacError::Encode(why) => WriteError::Encode { path, why },
    }
}
