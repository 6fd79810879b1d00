//! What a recorder has heard, planar, and the WAV file that it comes from.
//!
//! The file is read while it grows: its header says nothing yet of how long it will be.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::meter::{self, Gap};
use crate::programme;

/// Planar sound with its rate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recording {
    /// Frames in a second.
    pub rate_hz: u32,
    /// The samples of each channel, all of one length.
    pub channels: Vec<Vec<f32>>,
}

/// Where the samples of a growing WAV file begin.
struct Header {
    rate_hz: u32,
    channels: usize,
    data_offset_bytes: u64,
}

impl Recording {
    /// Reads a WAV file of 32 bit floats, whole or still growing.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        Self::read_from(path, 0)
    }

    /// Reads what a WAV file of 32 bit floats has from that frame on.
    pub(crate) fn read_from(path: &Path, frame: usize) -> io::Result<Self> {
        let error = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
        let mut file = File::open(path).map_err(error)?;
        let header = Header::read(&mut file).map_err(error)?;
        let mut bytes = Vec::new();
        let start_bytes = header.data_offset_bytes + (frame * 4 * header.channels) as u64;
        file.seek(SeekFrom::Start(start_bytes))
            .and_then(|_| file.read_to_end(&mut bytes))
            .map_err(error)?;
        let mut channels =
            vec![Vec::with_capacity(bytes.len() / (4 * header.channels)); header.channels];
        // The last frame may be half written.
        for frame in bytes.chunks_exact(4 * header.channels) {
            for (channel, sample) in channels.iter_mut().zip(frame.chunks_exact(4)) {
                channel.push(f32::from_le_bytes([sample[0], sample[1], sample[2], sample[3]]));
            }
        }
        Ok(Self { rate_hz: header.rate_hz, channels })
    }

    /// How many frames a growing file has by now; 0 before it has a header.
    pub(crate) fn frames_in(path: &Path) -> usize {
        let read = || {
            let mut file = File::open(path).ok()?;
            let header = Header::read(&mut file).ok()?;
            let bytes = file.metadata().ok()?.len().saturating_sub(header.data_offset_bytes);
            Some(bytes as usize / (4 * header.channels))
        };
        read().unwrap_or(0)
    }

    /// How many frames it has.
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// How long it is.
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.rate_hz)
    }

    /// The part from one frame up to another; as much of it as there is.
    pub fn part(&self, from: usize, to: usize) -> Self {
        let (from, to) = (from.min(self.frames()), to.min(self.frames()));
        let channels = self.channels.iter().map(|c| c[from..to.max(from)].to_vec()).collect();
        Self { rate_hz: self.rate_hz, channels }
    }

    /// The part from one second up to another.
    pub fn seconds_part(&self, from: f64, to: f64) -> Self {
        let frame = |seconds: f64| (seconds.max(0.0) * f64::from(self.rate_hz)).round() as usize;
        self.part(frame(from), frame(to))
    }

    /// The part between the first and the last sample over `amplitude`, both included.
    pub fn loud_part(&self, amplitude: f32) -> Self {
        let loud = |frame: &usize| self.channels.iter().any(|c| c[*frame].abs() > amplitude);
        let first = self.first_over(amplitude, 0).unwrap_or(0);
        let last = (first..self.frames()).rev().find(loud).map_or(first, |frame| frame + 1);
        self.part(first, last)
    }

    /// The first frame from `from` on with a sample over `amplitude`.
    pub fn first_over(&self, amplitude: f32, from: usize) -> Option<usize> {
        (from..self.frames()).find(|f| self.channels.iter().any(|c| c[*f].abs() > amplitude))
    }

    /// Every stretch of at least `frames` frames in which no channel passes `amplitude`.
    pub fn gaps(&self, amplitude: f32, frames: usize) -> Vec<Gap> {
        meter::gaps(&self.channels, amplitude, frames)
    }

    /// The root mean square of each channel, in dB below a full-scale square wave.
    pub fn levels_dbfs(&self) -> Vec<f64> {
        self.channels.iter().map(|channel| meter::level_dbfs(channel)).collect()
    }

    /// The level of the sine in each channel, whether or not cycles of it are missing.
    pub fn sine_levels_dbfs(&self) -> Vec<f64> {
        self.channels.iter().map(|channel| meter::sine_level_dbfs(channel)).collect()
    }

    /// The level of one channel, window by window.
    pub fn level_curve_dbfs(&self, channel: usize, window_frames: usize) -> Vec<f64> {
        self.channels[channel].chunks_exact(window_frames).map(meter::level_dbfs).collect()
    }

    /// The level of each channel at one frequency.
    pub fn tone_levels_dbfs(&self, frequency_hz: f64) -> Vec<f64> {
        let level = |c: &Vec<f32>| meter::tone_level_dbfs(c, f64::from(self.rate_hz), frequency_hz);
        self.channels.iter().map(level).collect()
    }

    /// The frames of the impulses in a channel: local maxima over `amplitude`, `apart` frames apart.
    pub fn impulses(&self, channel: usize, amplitude: f32, apart: usize) -> Vec<usize> {
        meter::impulses(&self.channels[channel], amplitude, apart)
    }

    /// Writes it as a WAV file of 32 bit floats.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write_wav(&self, path: &Path) -> io::Result<()> {
        programme::write_wav(path, self.rate_hz, &self.channels)
    }
}

impl Header {
    fn read(file: &mut File) -> io::Result<Self> {
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut riff = [0; 12];
        file.read_exact(&mut riff)?;
        if &riff[..4] != b"RIFF" || &riff[8..] != b"WAVE" {
            return Err(bad("not a WAV file"));
        }
        let mut format = None;
        let mut offset = 12;
        loop {
            let mut chunk = [0; 8];
            file.read_exact(&mut chunk)?;
            offset += 8;
            let size = u64::from(u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]));
            if &chunk[..4] == b"data" {
                let (channels, rate_hz) = format.ok_or_else(|| bad("samples before a format"))?;
                return Ok(Self { rate_hz, channels, data_offset_bytes: offset });
            }
            if &chunk[..4] == b"fmt " {
                let mut fmt = [0; 16];
                file.read_exact(&mut fmt)?;
                let channels = usize::from(u16::from_le_bytes([fmt[2], fmt[3]]));
                if channels == 0 || fmt[14] != 32 {
                    return Err(bad("not 32 bit samples"));
                }
                format = Some((channels, u32::from_le_bytes([fmt[4], fmt[5], fmt[6], fmt[7]])));
            }
            // Chunks are padded to an even size.
            offset += size + (size & 1);
            file.seek(SeekFrom::Start(offset))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tone.wav");
        let channels = programme::tones(44_100, 0.1, &[440.0, 880.0, 1_000.0], 0.5);
        programme::write_wav(&path, 44_100, &channels).unwrap();
        assert_eq!(Recording::frames_in(&path), 4_410);
        let read = Recording::read(&path).unwrap();
        let whole = Recording { rate_hz: 44_100, channels };
        assert_eq!(read, whole);
        let rest = Recording::read_from(&path, 4_000).unwrap();
        assert_eq!(rest, whole.part(4_000, 4_410));
    }

    #[test]
    fn the_loud_part_begins_and_ends_with_sound() {
        let mut channel = vec![0.0; 100];
        channel[10] = 0.5;
        channel[79] = -0.5;
        let recording = Recording { rate_hz: 48_000, channels: vec![channel, vec![0.0; 100]] };
        assert_eq!(recording.loud_part(0.1).frames(), 70);
        assert_eq!(recording.loud_part(0.9).frames(), 0);
    }
}
