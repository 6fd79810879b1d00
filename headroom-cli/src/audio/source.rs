//! A sound file, decoded block by block.
//!
//! What comes out is the sound alone: the encoder's delay and padding are cut off, by the
//! decoder where it can (MP3 with a LAME tag, Vorbis) and here where it cannot (M4A). A file
//! that ends early or is damaged is an error, unless the caller takes what is there.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use headroom_dsp::{MAX_RATE_HZ, MIN_RATE_HZ};
use symphonia::core::audio::conv::IntoSample;
use symphonia::core::audio::sample::{Sample, SampleFormat};
use symphonia::core::audio::{Audio, AudioBuffer, GenericAudioBufferRef};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::{FORMAT_ID_ISOMP4, FORMAT_ID_MP3};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::{BLOCK_FRAMES, Block, ChannelMap, Depth, ReadError, m4a, ogg};

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
        let file = open_file(path)?;
        let regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let mut probe_file =
            regular.then(|| file.try_clone()).transpose().map_err(read_at(path))?;
        let mut has_its_end = true;
        if let Some(file) = &mut probe_file {
            has_its_end = ogg::has_its_end(file).map_err(read_at(path))?;
            file.seek(SeekFrom::Start(0)).map_err(read_at(path))?;
        }
        let reader = probe(path, file)?;
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
        let channels = ChannelMap::of(channels)
            .map_err(|source| ReadError::Channels { path: path.to_owned(), source })?;
        let format = reader.format_info().format;
        let trim = match &mut probe_file {
            Some(file) if format == FORMAT_ID_ISOMP4 => Some(trim_m4a(path, file, rate_hz)?),
            _ => None,
        };
        // Without a LAME tag the length of an MP3 file is a guess from its bit rate.
        let length_is_known = format != FORMAT_ID_MP3 || track.delay.is_some();
        let told_frames = track.num_frames.filter(|frames| length_is_known && *frames > 0);
        let (track_id, depth) = (track.id, depth_of(params));
        let trim = trim.flatten();
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

fn open_file(path: &Path) -> Result<File, ReadError> {
    let open_error = |source| ReadError::Open { path: path.to_owned(), source };
    let file = File::open(path).map_err(open_error)?;
    let metadata = file.metadata().map_err(open_error)?;
    if metadata.is_dir() {
        return Err(ReadError::Directory { path: path.to_owned() });
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    Ok(file)
}

fn read_at(path: &Path) -> impl Fn(std::io::Error) -> ReadError + '_ {
    |source| ReadError::Read { path: path.to_owned(), source }
}

fn not_sound(path: &Path, why: &str) -> ReadError {
    ReadError::NotSound { path: path.to_owned(), why: why.to_owned() }
}

fn probe(path: &Path, file: File) -> Result<Box<dyn FormatReader>, ReadError> {
    let mut hint = Hint::new();
    if let Some(ending) = path.extension().and_then(|ending| ending.to_str()) {
        hint.with_extension(ending);
    }
    let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
    symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| match error {
            Error::IoError(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
                ReadError::Read { path: path.to_owned(), source }
            }
            Error::IoError(_) => not_sound(path, "it ends before any sound begins"),
            Error::Unsupported(why) => not_sound(path, why),
            error => not_sound(path, &error.to_string()),
        })
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

fn trim_m4a(path: &Path, file: &mut File, rate_hz: u32) -> Result<Option<m4a::Trim>, ReadError> {
    // The reader shares this file's position.
    let at = file.stream_position().map_err(read_at(path))?;
    let trim = m4a::read_trim(file, rate_hz).map_err(read_at(path))?;
    file.seek(SeekFrom::Start(at)).map_err(read_at(path))?;
    Ok(trim)
}

/// The depth that holds what a lossless codec stores; `None` for a lossy one.
fn depth_of(params: &AudioCodecParameters) -> Option<Depth> {
    let float = matches!(params.sample_format, Some(SampleFormat::F32 | SampleFormat::F64));
    match params.bits_per_sample? {
        _ if float => Some(Depth::F32),
        0..=16 => Some(Depth::I16),
        17..=24 => Some(Depth::I24),
        _ => Some(Depth::F32),
    }
}

/// Appends what was decoded, and counts the samples that were no numbers.
fn append(decoded: &GenericAudioBufferRef<'_>, block: &mut Block) -> u64 {
    match decoded {
        GenericAudioBufferRef::U8(buffer) => append_integers(buffer, block),
        GenericAudioBufferRef::U16(buffer) => append_integers(buffer, block),
        GenericAudioBufferRef::U24(buffer) => append_integers(buffer, block),
        GenericAudioBufferRef::U32(buffer) => append_integers(buffer, block),
        GenericAudioBufferRef::S8(buffer) => append_integers(buffer, block),
        GenericAudioBufferRef::S16(buffer) => append_integers(buffer, block),
        GenericAudioBufferRef::S24(buffer) => append_integers(buffer, block),
        GenericAudioBufferRef::S32(buffer) => append_integers(buffer, block),
        GenericAudioBufferRef::F32(buffer) => append_floats(buffer, |sample| sample, block),
        GenericAudioBufferRef::F64(buffer) => append_floats(buffer, |sample| sample as f32, block),
    }
}

fn append_integers<S: Sample + IntoSample<f32>>(buffer: &AudioBuffer<S>, block: &mut Block) -> u64 {
    for (plane, samples) in block.planes_mut().iter_mut().zip(buffer.iter_planes()) {
        plane.extend(samples.iter().map(|&sample| IntoSample::<f32>::into_sample(sample)));
    }
    0
}

/// Floating point goes through as it is, over full scale too; what is no number is silence.
fn append_floats<S: Sample>(
    buffer: &AudioBuffer<S>,
    convert: impl Fn(S) -> f32,
    block: &mut Block,
) -> u64 {
    let mut bad = 0;
    for (plane, samples) in block.planes_mut().iter_mut().zip(buffer.iter_planes()) {
        let from = plane.len();
        plane.extend(samples.iter().map(|&sample| convert(sample)));
        for sample in &mut plane[from..] {
            bad += u64::from(!sample.is_finite());
            *sample = if sample.is_finite() { *sample } else { 0.0 };
        }
    }
    bad
}
