//! A sound file, decoded block by block.
//!
//! What comes out is the sound alone: the encoder's delay and padding are cut off, by the
//! decoder where it can (MP3 with a LAME tag, Vorbis) and here where it cannot (M4A). A file
//! that ends early or is damaged is an error, unless the caller takes what is there.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

use headroom_dsp::{MAX_RATE_HZ, MIN_RATE_HZ};
use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F64LE, CODEC_ID_PCM_S16LE, CODEC_ID_PCM_S24LE,
    CODEC_ID_PCM_S32LE, CODEC_ID_PCM_U8,
};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::FORMAT_ID_MP3;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::default::formats::IsoMp4Reader;

use super::flac::CHANNEL_MASK_TAG;
use super::samples::{append, depth_of};
use super::sound_file::{Ends, SoundFile};
use super::{BLOCK_FRAMES, Block, ChannelMap, Depth, ReadError};

/// What to do with a file that ends early or cannot be decoded in places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Refuse the file.
    Refuse,
    /// Take what is there, with silence where a packet cannot be decoded.
    TakeWhatIsThere,
}

/// A sound file that is being decoded.
pub(crate) struct Source {
    path: PathBuf,
    damage: Damage,
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    rate_hz: u32,
    channels: ChannelMap,
    depth: Option<Depth>,
    expected_frames: Option<u64>,
    /// How many frames are still to be cut off at the start.
    skip_frames: u64,
    /// Where the sound ends, if the decoder does not cut the padding itself.
    end_frame: Option<u64>,
    has_its_end: bool,
    given_frames: u64,
    bad_samples: u64,
}

impl Source {
    /// Opens a file and finds out what is in it.
    pub(crate) fn open(path: &Path, damage: Damage) -> Result<Source, ReadError> {
        let (file, metadata) = open_file(path)?;
        let regular_bytes = metadata.is_file().then_some(metadata.len());
        let ends = match regular_bytes {
            Some(_) => Ends::read(&file).map_err(read_at(path))?,
            None => Ends::Unknown,
        };
        let has_its_end = ends.are_whole(metadata.len());
        let file = SoundFile { file, bytes: ends.told(regular_bytes) };
        let mut reader = match probe(path, file, &ends) {
            // Cut off before any sound, or before the table of what is where.
            Err(ReadError::NotSound { .. }) if !has_its_end => {
                let path = path.to_owned();
                return Err(ReadError::CutOff { path, got_s: 0.0, expected_s: None });
            }
            reader => reader?,
        };
        let told_mask = told_mask(reader.as_mut());
        let track = reader
            .default_track(TrackType::Audio)
            .ok_or_else(|| not_sound(path, "there is no sound track in it"))?;
        let params = audio_params(track).ok_or_else(|| not_sound(path, "no codec is named"))?;
        let decoder = make_decoder(path, params)?;
        let rate_hz = params.sample_rate.ok_or_else(|| not_sound(path, "no rate is named"))?;
        if !(MIN_RATE_HZ..=MAX_RATE_HZ).contains(&rate_hz) {
            return Err(ReadError::Rate { path: path.to_owned(), rate_hz });
        }
        let channels = decoder.codec_params().channels.as_ref().or(params.channels.as_ref());
        let channels = channels.ok_or_else(|| not_sound(path, "no channels are named"))?;
        let channels = match told_mask {
            Some(mask) if mask.count_ones() as usize == channels.count() => {
                ChannelMap::of_mask(mask)
            }
            _ => ChannelMap::of(channels),
        };
        let channels =
            channels.map_err(|source| ReadError::Channels { path: path.to_owned(), source })?;
        let format = reader.format_info().format;
        let told_frames = match format {
            // Without a LAME tag the length of an MP3 file is a guess from its bit rate.
            FORMAT_ID_MP3 if track.delay.is_none() => None,
            _ => told_frames(track, params, regular_bytes),
        };
        let trim = match &ends {
            Ends::M4a(outline) => outline.trim(rate_hz),
            _ => None,
        };
        let (track_id, depth) = (track.id, depth_of(params));
        Ok(Source {
            path: path.to_owned(),
            damage,
            reader,
            decoder,
            track_id,
            rate_hz,
            channels,
            depth,
            expected_frames: trim.map_or(told_frames, |trim| trim.frames),
            skip_frames: trim.map_or(0, |trim| trim.skip_frames),
            end_frame: trim.and_then(|trim| trim.frames),
            has_its_end,
            given_frames: 0,
            bad_samples: 0,
        })
    }

    pub(crate) fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    pub(crate) fn channels(&self) -> ChannelMap {
        self.channels
    }

    /// How finely its samples are stored; `None` where the codec is a lossy one.
    pub(crate) fn depth(&self) -> Option<Depth> {
        self.depth
    }

    /// How many frames it should have, where the file says so.
    pub(crate) fn expected_frames(&self) -> Option<u64> {
        self.expected_frames
    }

    /// How many samples were no numbers so far; they are given as silence.
    pub(crate) fn bad_samples(&self) -> u64 {
        self.bad_samples
    }

    /// Fills the block with the next frames: at least [`BLOCK_FRAMES`] of them, less at the
    /// end, and none after it.
    pub(crate) fn read(&mut self, block: &mut Block) -> Result<(), ReadError> {
        block.clear();
        while block.frames() < BLOCK_FRAMES {
            let before = block.frames();
            if !self.append_packet(block)? {
                self.check_end(block.frames())?;
                break;
            }
            self.trim(block, before);
        }
        self.given_frames += block.frames() as u64;
        if block.frames() == 0 && self.given_frames == 0 {
            return Err(ReadError::NoSound { path: self.path.clone() });
        }
        Ok(())
    }

    /// Cuts what is delay or padding from the frames that were appended last.
    fn trim(&mut self, block: &mut Block, before: usize) {
        if self.skip_frames > 0 {
            // Nothing stands before them: these are the first of the file.
            let appended = block.frames() - before;
            let cut = usize::try_from(self.skip_frames).unwrap_or(usize::MAX).min(appended);
            block.drop_front(cut);
            self.skip_frames -= cut as u64;
        }
        if let Some(end) = self.end_frame {
            let left = usize::try_from(end.saturating_sub(self.given_frames));
            block.truncate(left.unwrap_or(usize::MAX));
        }
    }

    /// Appends one packet. `false` at the end of the file.
    fn append_packet(&mut self, block: &mut Block) -> Result<bool, ReadError> {
        loop {
            let packet = match self.reader.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(false),
                Err(Error::ResetRequired) => {
                    self.begin_next_stream(block.frames())?;
                    continue;
                }
                Err(error) => return self.packet_error(error, block.frames()),
            };
            if packet.track_id != self.track_id {
                continue;
            }
            match self.decoder.decode(&packet) {
                Ok(decoded) => {
                    if decoded.num_planes() != self.channels.count()
                        || decoded.spec().rate() != self.rate_hz
                    {
                        return Err(ReadError::Changes {
                            path: self.path.clone(),
                            at_s: self.seconds(block.frames()),
                        });
                    }
                    self.bad_samples += append(&decoded, block);
                }
                Err(Error::DecodeError(_) | Error::IoError(_))
                    if self.damage == Damage::TakeWhatIsThere =>
                {
                    let frames = usize::try_from(packet.dur.get()).unwrap_or(0);
                    block.append_silence(frames.min(BLOCK_FRAMES));
                }
                Err(error) => {
                    return Err(ReadError::Damaged {
                        path: self.path.clone(),
                        at_s: self.seconds(block.frames()),
                        why: error.to_string(),
                    });
                }
            }
            return Ok(true);
        }
    }

    /// One Ogg file may hold several streams after one another.
    fn begin_next_stream(&mut self, pending_frames: usize) -> Result<(), ReadError> {
        let changes =
            ReadError::Changes { path: self.path.clone(), at_s: self.seconds(pending_frames) };
        let Some(track) = self.reader.default_track(TrackType::Audio) else { return Err(changes) };
        let Some(params) = audio_params(track) else { return Err(changes) };
        let decoder = make_decoder(&self.path, params)?;
        let same_rate = params.sample_rate == Some(self.rate_hz);
        let channels = params.channels.as_ref().map(ChannelMap::of);
        if !same_rate || channels != Some(Ok(self.channels)) {
            return Err(changes);
        }
        self.track_id = track.id;
        self.decoder = decoder;
        // The length that was told is that of the first stream alone.
        self.expected_frames = None;
        Ok(())
    }

    fn packet_error(&self, error: Error, pending_frames: usize) -> Result<bool, ReadError> {
        let at_s = self.seconds(pending_frames);
        let path = self.path.clone();
        match error {
            Error::IoError(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
                if self.damage == Damage::TakeWhatIsThere || self.has_all(pending_frames) {
                    return Ok(false);
                }
                let expected_s = self.expected_frames.map(|frames| self.frames_to_s(frames));
                Err(ReadError::CutOff { path, got_s: at_s, expected_s })
            }
            Error::IoError(source) => Err(ReadError::Read { path, source }),
            _ if self.damage == Damage::TakeWhatIsThere => Ok(false),
            error => Err(ReadError::Damaged { path, at_s, why: error.to_string() }),
        }
    }

    fn has_all(&self, pending_frames: usize) -> bool {
        let got = self.given_frames + pending_frames as u64;
        self.expected_frames.is_some_and(|expected| got >= expected)
    }

    /// At the end of the file: is this where it should end?
    fn check_end(&self, pending_frames: usize) -> Result<(), ReadError> {
        if self.damage == Damage::TakeWhatIsThere {
            return Ok(());
        }
        let got = self.given_frames + pending_frames as u64;
        let expected = self.expected_frames.filter(|expected| got < *expected);
        if expected.is_none() && self.has_its_end {
            return Ok(());
        }
        Err(ReadError::CutOff {
            path: self.path.clone(),
            got_s: self.frames_to_s(got),
            expected_s: expected.map(|frames| self.frames_to_s(frames)),
        })
    }

    fn seconds(&self, pending_frames: usize) -> f64 {
        self.frames_to_s(self.given_frames + pending_frames as u64)
    }

    fn frames_to_s(&self, frames: u64) -> f64 {
        frames as f64 / f64::from(self.rate_hz)
    }
}

fn open_file(path: &Path) -> Result<(File, Metadata), ReadError> {
    let open_error = |source| ReadError::Open { path: path.to_owned(), source };
    let file = File::open(path).map_err(open_error)?;
    let metadata = file.metadata().map_err(open_error)?;
    if metadata.is_dir() {
        return Err(ReadError::Directory { path: path.to_owned() });
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    Ok((file, metadata))
}

/// How many frames a track says that it has. The length in a WAV file may be a mere "no end
/// yet": a program that writes into a pipe cannot know it, and puts in the largest number that
/// it dares to.
fn told_frames(
    track: &Track,
    params: &AudioCodecParameters,
    regular_bytes: Option<u64>,
) -> Option<u64> {
    const ENDLESS_BYTES: u64 = i32::MAX as u64 - (1 << 20);
    let frames = track.num_frames.filter(|frames| *frames > 0)?;
    let channels = params.channels.as_ref().map_or(1, Channels::count) as u64;
    let sample_bytes = u64::from(params.bits_per_sample.unwrap_or(0).div_ceil(8));
    let told_bytes = frames.saturating_mul(channels * sample_bytes);
    let reaches_over = regular_bytes.is_none_or(|bytes| bytes < told_bytes);
    let compressed = !is_pcm(params);
    (compressed || told_bytes < ENDLESS_BYTES || !reaches_over).then_some(frames)
}

/// Whether the samples stand in the file as they are.
fn is_pcm(params: &AudioCodecParameters) -> bool {
    matches!(
        params.codec,
        CODEC_ID_PCM_U8
            | CODEC_ID_PCM_S16LE
            | CODEC_ID_PCM_S24LE
            | CODEC_ID_PCM_S32LE
            | CODEC_ID_PCM_F32LE
            | CODEC_ID_PCM_F64LE
    )
}

fn read_at(path: &Path) -> impl Fn(std::io::Error) -> ReadError + '_ {
    |source| ReadError::Read { path: path.to_owned(), source }
}

fn not_sound(path: &Path, why: &str) -> ReadError {
    ReadError::NotSound { path: path.to_owned(), why: why.to_owned() }
}

fn probe(path: &Path, file: SoundFile, ends: &Ends) -> Result<Box<dyn FormatReader>, ReadError> {
    let mut hint = Hint::new();
    if let Some(ending) = path.extension().and_then(|ending| ending.to_str()) {
        hint.with_extension(ending);
    }
    let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
    let options = FormatOptions::default();
    let reader = match ends {
        // The probe looks for tags at the end, and would not open a file that has none.
        Ends::M4a(_) => IsoMp4Reader::try_new(stream, options).map(|reader| Box::new(reader) as _),
        _ => symphonia::default::get_probe().probe(
            &hint,
            stream,
            options,
            MetadataOptions::default(),
        ),
    };
    reader.map_err(|error| match error {
        Error::IoError(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            ReadError::Read { path: path.to_owned(), source }
        }
        Error::IoError(_) => not_sound(path, "it ends before any sound begins"),
        Error::Unsupported(why) => not_sound(path, why),
        error => not_sound(path, &error.to_string()),
    })
}

/// The places of the channels, where a comment tells them.
fn told_mask(reader: &mut dyn FormatReader) -> Option<u32> {
    let metadata = reader.metadata();
    let tags = &metadata.current()?.media.tags;
    let tag = tags.iter().find(|tag| tag.raw.key.eq_ignore_ascii_case(CHANNEL_MASK_TAG))?;
    let text = tag.raw.value.to_string();
    u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
}

fn audio_params(track: &Track) -> Option<&AudioCodecParameters> {
    track.codec_params.as_ref()?.audio()
}

fn make_decoder(
    path: &Path,
    params: &AudioCodecParameters,
) -> Result<Box<dyn AudioDecoder>, ReadError> {
    let options = AudioDecoderOptions::default().gapless(true);
    symphonia::default::get_codecs().make_audio_decoder(params, &options).map_err(|error| {
        ReadError::Codec { path: path.to_owned(), codec: format!("its codec ({error})") }
    })
}
