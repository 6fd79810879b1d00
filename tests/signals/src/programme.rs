//! A programme: planar samples with their rate, and what tests do to one before and after it
//! has been through Headroom.

use std::path::{Path, PathBuf};

use crate::judge::oracle;

/// A stretch of sound: one plane per channel, all of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Programme {
    /// Frames a second.
    pub rate_hz: u32,
    /// One plane per channel, all of one length.
    pub channels: Vec<Vec<f32>>,
}

/// Why a WAV file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// The file could not be read, or is no WAV file.
    #[error("reading {}: {source}", path.display())]
    Reading {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        source: hound::Error,
    },
    /// The file could not be written.
    #[error("writing {}: {source}", path.display())]
    Writing {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        source: hound::Error,
    },
}

impl Programme {
    /// A programme from its planes.
    ///
    /// # Panics
    /// When there is no plane, or the planes differ in length.
    #[must_use]
    pub fn new(rate_hz: u32, channels: Vec<Vec<f32>>) -> Programme {
        assert!(!channels.is_empty(), "a programme has 0 channels, but must have at least 1");
        let frames = channels[0].len();
        assert!(channels.iter().all(|c| c.len() == frames), "the planes differ in length");
        Programme { rate_hz, channels }
    }

    /// The same plane in every one of `channels` channels.
    #[must_use]
    pub fn same(rate_hz: u32, channels: usize, plane: Vec<f32>) -> Programme {
        Programme::new(rate_hz, vec![plane; channels])
    }

    /// Digital silence.
    #[must_use]
    pub fn silence(rate_hz: u32, channels: usize, seconds: f64) -> Programme {
        Programme::same(rate_hz, channels, vec![0.0; frames_of(rate_hz, seconds)])
    }

    /// How many frames.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.channels[0].len()
    }

    /// How long it is.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.rate_hz)
    }

    /// The planes as slices.
    #[must_use]
    pub fn planes(&self) -> Vec<&[f32]> {
        self.channels.iter().map(Vec::as_slice).collect()
    }

    /// The planes as slices to process in place.
    #[must_use]
    pub fn planes_mut(&mut self) -> Vec<&mut [f32]> {
        self.channels.iter_mut().map(Vec::as_mut_slice).collect()
    }

    /// What `process` makes of it in place, in blocks of so many frames; the last may have fewer.
    ///
    /// # Panics
    /// When `block_frames` is 0.
    #[must_use]
    pub fn in_blocks(
        mut self,
        block_frames: usize,
        mut process: impl FnMut(&mut [&mut [f32]]),
    ) -> Programme {
        assert!(block_frames > 0, "a block has 0 frames, but must have at least 1");
        for start in (0..self.frames()).step_by(block_frames) {
            let end = (start + block_frames).min(self.frames());
            let planes = self.channels.iter_mut();
            let mut block: Vec<&mut [f32]> = planes.map(|plane| &mut plane[start..end]).collect();
            process(&mut block);
        }
        self
    }

    /// The frames in turn, the channels side by side.
    #[must_use]
    pub fn interleaved(&self) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.frames() * self.channels.len());
        for frame in 0..self.frames() {
            out.extend(self.channels.iter().map(|plane| plane[frame]));
        }
        out
    }

    /// A programme from frames with their channels side by side.
    ///
    /// # Panics
    /// When `channels` is 0. A last frame that is not whole is left out.
    #[must_use]
    pub fn from_interleaved(rate_hz: u32, channels: usize, samples: &[f32]) -> Programme {
        let mut planes = vec![Vec::with_capacity(samples.len() / channels); channels];
        for frame in samples.chunks_exact(channels) {
            for (plane, &sample) in planes.iter_mut().zip(frame) {
                plane.push(sample);
            }
        }
        Programme::new(rate_hz, planes)
    }

    /// Louder or quieter by this much.
    #[must_use]
    pub fn gain_db(self, gain_db: f64) -> Programme {
        let factor = 10.0_f64.powf(gain_db / 20.0);
        self.map(|sample| (f64::from(sample) * factor) as f32)
    }

    /// Every sample through `change`.
    #[must_use]
    pub fn map(mut self, mut change: impl FnMut(f32) -> f32) -> Programme {
        for plane in &mut self.channels {
            for sample in plane {
                *sample = change(*sample);
            }
        }
        self
    }

    /// Scaled so that its integrated loudness, by the `ebur128` crate, is `target_lufs`.
    ///
    /// # Panics
    /// When it has no loudness: silent, or shorter than one gating block of 400 ms.
    #[must_use]
    pub fn at_lufs(self, target_lufs: f64) -> Programme {
        // The absolute gate does not scale along: lift a whisper over it first, and take a
        // second look for what it hid.
        let mut programme = self.at_sample_peak(0.0);
        for _ in 0..2 {
            let lufs = oracle::integrated(&programme);
            assert!(lufs.is_finite(), "the programme reads {lufs} LUFS and cannot be scaled");
            programme = programme.gain_db(target_lufs - lufs);
        }
        programme
    }

    /// Scaled so that its largest sample is `peak_dbfs`.
    ///
    /// # Panics
    /// When it is silent.
    #[must_use]
    pub fn at_sample_peak(self, peak_dbfs: f64) -> Programme {
        let peak = self.sample_peak();
        assert!(peak > 0.0, "the programme is silent and cannot be scaled");
        let factor = 10.0_f64.powf(peak_dbfs / 20.0) / f64::from(peak);
        self.map(|sample| (f64::from(sample) * factor) as f32)
    }

    /// The largest sample of any channel, linear.
    #[must_use]
    pub fn sample_peak(&self) -> f32 {
        self.channels.iter().flatten().fold(0.0, |peak, sample| peak.max(sample.abs()))
    }

    /// This programme, then `next`.
    ///
    /// # Panics
    /// When rate or channel count differ.
    #[must_use]
    pub fn then(mut self, next: &Programme) -> Programme {
        self.assert_like(next);
        for (plane, more) in self.channels.iter_mut().zip(&next.channels) {
            plane.extend_from_slice(more);
        }
        self
    }

    /// All parts, one after the other.
    ///
    /// # Panics
    /// When there is no part, or the parts differ in rate or channel count.
    #[must_use]
    pub fn concat(parts: &[Programme]) -> Programme {
        let (first, rest) = parts.split_first().expect("concat needs at least one part");
        rest.iter().fold(first.clone(), |all, part| all.then(part))
    }

    /// The sum of both; the shorter one is followed by silence.
    ///
    /// # Panics
    /// When rate or channel count differ.
    #[must_use]
    pub fn mixed_with(mut self, other: &Programme) -> Programme {
        self.assert_like(other);
        for (plane, more) in self.channels.iter_mut().zip(&other.channels) {
            plane.resize(plane.len().max(more.len()), 0.0);
            for (sample, add) in plane.iter_mut().zip(more) {
                *sample += add;
            }
        }
        self
    }

    /// The part between two times; what lies outside is left out.
    #[must_use]
    pub fn between(&self, from_s: f64, to_s: f64) -> Programme {
        let to = frames_of(self.rate_hz, to_s).min(self.frames());
        let from = frames_of(self.rate_hz, from_s).min(to);
        let cut = self.channels.iter().map(|plane| plane[from..to].to_vec()).collect();
        Programme::new(self.rate_hz, cut)
    }

    /// With a linear fade of this length at both ends, so that it starts and ends without a
    /// click.
    #[must_use]
    pub fn faded(mut self, fade_s: f64) -> Programme {
        let fade = frames_of(self.rate_hz, fade_s).min(self.frames() / 2);
        for plane in &mut self.channels {
            let last = plane.len();
            for i in 0..fade {
                let factor = (i as f32 + 0.5) / fade as f32;
                plane[i] *= factor;
                plane[last - 1 - i] *= factor;
            }
        }
        self
    }

    /// Writes 32-bit float WAV. More than two channels go out in WAVE's order
    /// (FL FR FC LFE BL BR ...), as the channel mask in the file then says.
    ///
    /// # Errors
    /// [`WavError::Writing`] when the file cannot be made or written.
    pub fn write_wav(&self, path: impl AsRef<Path>) -> Result<(), WavError> {
        let path = path.as_ref();
        let failed = |source| WavError::Writing { path: path.to_owned(), source };
        let spec = hound::WavSpec {
            channels: self.channels.len() as u16,
            sample_rate: self.rate_hz,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(path, spec).map_err(failed)?;
        for sample in self.interleaved() {
            writer.write_sample(sample).map_err(failed)?;
        }
        writer.finalize().map_err(failed)
    }

    /// Reads WAV of any depth; integers come out as -1 to 1.
    ///
    /// # Errors
    /// [`WavError::Reading`] when the file cannot be read or is no WAV file.
    pub fn read_wav(path: impl AsRef<Path>) -> Result<Programme, WavError> {
        let path = path.as_ref();
        let failed = |source| WavError::Reading { path: path.to_owned(), source };
        let mut reader = hound::WavReader::open(path).map_err(failed)?;
        let spec = reader.spec();
        let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
            hound::SampleFormat::Float => reader.samples::<f32>().collect(),
            hound::SampleFormat::Int => {
                let scale = 1.0 / (1i64 << (spec.bits_per_sample - 1)) as f64;
                let whole = reader.samples::<i32>();
                whole.map(|s| s.map(|s| (f64::from(s) * scale) as f32)).collect()
            }
        };
        let samples = samples.map_err(failed)?;
        Ok(Programme::from_interleaved(spec.sample_rate, usize::from(spec.channels), &samples))
    }

    fn assert_like(&self, other: &Programme) {
        assert_eq!(self.rate_hz, other.rate_hz, "the sample rates differ");
        assert_eq!(self.channels.len(), other.channels.len(), "the channel counts differ");
    }
}

/// How many frames last this long, to the nearest frame.
#[must_use]
pub fn frames_of(rate_hz: u32, seconds: f64) -> usize {
    (seconds * f64::from(rate_hz)).round().max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise;

    #[test]
    fn a_programme_survives_a_wav_file_bit_for_bit() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let programme = noise::pink(44_100, 6, 0.1, 1);
        let path = dir.path().join("pink.wav");
        programme.write_wav(&path).expect("written");
        assert_eq!(Programme::read_wav(&path).expect("read"), programme);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Programme::read_wav("/nowhere/at/all.wav").expect_err("nothing there");
        assert!(error.to_string().starts_with("reading /nowhere/at/all.wav: "), "{error}");
    }

    #[test]
    fn at_lufs_lands_on_the_target_from_far_away() {
        for (from_db, target) in [(-60.0, -5.0), (0.0, -33.0)] {
            let scaled = noise::pink(48_000, 2, 3.0, 2).gain_db(from_db).at_lufs(target);
            let lufs = oracle::integrated(&scaled);
            assert!((lufs - target).abs() < 0.01, "{lufs}");
        }
    }

    #[test]
    fn cutting_and_joining_gives_the_whole_again() {
        let whole = noise::white(8_000, 2, 1.0, 3);
        let joined = whole.between(0.0, 0.25).then(&whole.between(0.25, 9.0));
        assert_eq!(joined, whole);
    }
}
