//! Writes FLAC, 16 and 24 bit, frame by frame: the file grows as the sound comes, and the
//! head (lengths and the checksum of the sound) is put in at the end.

use std::io::{Seek, SeekFrom, Write};

use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, StreamInfo};
use flacenc::config;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Context, Fill, FrameBuf};

use super::depth::Quantiser;
use super::{Block, ChannelMap, Depth};

/// Frames per FLAC block: what most encoders take, and the largest of the streamable subset
/// at 48 kHz.
const FLAC_BLOCK_FRAMES: usize = 4_096;
/// The marker and the head of the first metadata block come before it.
const STREAM_INFO_AT: u64 = 8;
const STREAM_INFO_BYTES: usize = 34;
const KIND_STREAM_INFO: u8 = 0;
const KIND_COMMENT: u8 = 4;
const LAST_METADATA: u8 = 0x80;

/// The comment that says where the channels belong.
pub(crate) const CHANNEL_MASK_TAG: &str = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK";

/// A FLAC file that is being written.
pub(crate) struct FlacWriter<W> {
    file: W,
    rate_hz: u32,
    channels: usize,
    bits: usize,
    config: Verified<config::Encoder>,
    info: StreamInfo,
    context: Context,
    buffer: FrameBuf,
    quantiser: Quantiser,
    /// Quantised samples that do not fill a FLAC block yet, by channel.
    waiting: Vec<Vec<i32>>,
    interleaved: Vec<i32>,
    sink: ByteSink,
    frame_bytes_min: usize,
    frame_bytes_max: usize,
}

/// Why a FLAC file could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FlacError {
    #[error(transparent)]
    Write(#[from] std::io::Error),
    #[error("{0}")]
    Encode(String),
}

fn encode_error(error: impl std::fmt::Display) -> FlacError {
    FlacError::Encode(error.to_string())
}

impl<W: Write + Seek> FlacWriter<W> {
    /// Writes the head of a file. `depth` must be an integer one.
    pub(crate) fn begin(
        mut file: W,
        rate_hz: u32,
        channels: ChannelMap,
        depth: Depth,
    ) -> Result<FlacWriter<W>, FlacError> {
        let quantiser = Quantiser::to(depth)
            .ok_or_else(|| FlacError::Encode("FLAC holds no floating point".to_owned()))?;
        let (count, bits) = (channels.count(), 8 * depth.bytes());
        let mut encoder = config::Encoder::default();
        encoder.multithread = false;
        encoder.block_size = FLAC_BLOCK_FRAMES;
        let config = encoder.into_verified().map_err(|(_, error)| encode_error(error))?;
        file.write_all(&metadata(channels))?;
        Ok(FlacWriter {
            file,
            rate_hz,
            channels: count,
            bits,
            config,
            info: StreamInfo::new(rate_hz as usize, count, bits).map_err(encode_error)?,
            context: Context::new(bits, count),
            buffer: FrameBuf::with_size(count, FLAC_BLOCK_FRAMES).map_err(encode_error)?,
            quantiser,
            waiting: vec![Vec::new(); count],
            interleaved: Vec::new(),
            sink: ByteSink::new(),
            frame_bytes_min: usize::MAX,
            frame_bytes_max: 0,
        })
    }

    /// Appends a block.
    pub(crate) fn write(&mut self, block: &Block) -> Result<(), FlacError> {
        for (channel, (plane, waiting)) in block.planes().iter().zip(&mut self.waiting).enumerate()
        {
            self.quantiser.append(channel, plane, waiting);
        }
        let mut from = 0;
        while self.waiting_frames() - from >= FLAC_BLOCK_FRAMES {
            self.write_frame(from, FLAC_BLOCK_FRAMES)?;
            from += FLAC_BLOCK_FRAMES;
        }
        for waiting in &mut self.waiting {
            waiting.drain(..from);
        }
        Ok(())
    }

    /// Writes what is left, and puts lengths and checksum into the head.
    pub(crate) fn finish(mut self) -> Result<(), FlacError> {
        let left = self.waiting_frames();
        if left > 0 {
            self.write_frame(0, left)?;
        }
        self.file.seek(SeekFrom::Start(STREAM_INFO_AT))?;
        self.file.write_all(&self.stream_info())?;
        self.file.flush()?;
        Ok(())
    }

    fn waiting_frames(&self) -> usize {
        self.waiting.first().map_or(0, Vec::len)
    }

    fn write_frame(&mut self, from: usize, frames: usize) -> Result<(), FlacError> {
        self.interleaved.clear();
        for frame in from..from + frames {
            self.interleaved.extend(self.waiting.iter().map(|plane| plane[frame]));
        }
        if frames < FLAC_BLOCK_FRAMES {
            self.buffer.resize(frames);
        }
        self.buffer.fill_interleaved(&self.interleaved).map_err(encode_error)?;
        self.context.fill_interleaved(&self.interleaved).map_err(encode_error)?;
        let number = self.context.current_frame_number().unwrap_or(0);
        let frame =
            flacenc::encode_fixed_size_frame(&self.config, &self.buffer, number, &self.info)
                .map_err(encode_error)?;
        self.sink.clear();
        frame.write(&mut self.sink).map_err(|error| FlacError::Encode(format!("{error:?}")))?;
        let bytes = self.sink.as_slice();
        self.frame_bytes_min = self.frame_bytes_min.min(bytes.len());
        self.frame_bytes_max = self.frame_bytes_max.max(bytes.len());
        self.file.write_all(bytes)?;
        Ok(())
    }

    /// The body of the first metadata block (RFC 9639, 8.2).
    fn stream_info(&self) -> [u8; STREAM_INFO_BYTES] {
        let mut body = [0; STREAM_INFO_BYTES];
        let block_frames = (FLAC_BLOCK_FRAMES as u16).to_be_bytes();
        body[0..2].copy_from_slice(&block_frames);
        body[2..4].copy_from_slice(&block_frames);
        let smallest = self.frame_bytes_min.min(self.frame_bytes_max) as u32;
        body[4..7].copy_from_slice(&smallest.to_be_bytes()[1..]);
        body[7..10].copy_from_slice(&(self.frame_bytes_max as u32).to_be_bytes()[1..]);
        let frames = self.context.total_samples() as u64;
        let packed = u64::from(self.rate_hz) << 44
            | (self.channels as u64 - 1) << 41
            | (self.bits as u64 - 1) << 36
            | frames & ((1 << 36) - 1);
        body[10..18].copy_from_slice(&packed.to_be_bytes());
        body[18..34].copy_from_slice(&self.context.md5_digest());
        body
    }
}

/// The marker and the metadata, with an empty stream info.
fn metadata(channels: ChannelMap) -> Vec<u8> {
    let mut bytes = b"fLaC".to_vec();
    let mask = channels.mask_to_write();
    let last = if mask.is_none() { LAST_METADATA } else { 0 };
    bytes.extend([KIND_STREAM_INFO | last, 0, 0, STREAM_INFO_BYTES as u8]);
    bytes.extend([0; STREAM_INFO_BYTES]);
    if let Some(mask) = mask {
        // The places of the channels (RFC 9639, 8.6.2).
        let comment = format!("{CHANNEL_MASK_TAG}=0x{mask:x}");
        let vendor = concat!("Headroom ", env!("CARGO_PKG_VERSION"));
        let mut body = (vendor.len() as u32).to_le_bytes().to_vec();
        body.extend(vendor.as_bytes());
        body.extend(1_u32.to_le_bytes());
        body.extend((comment.len() as u32).to_le_bytes());
        body.extend(comment.as_bytes());
        bytes.push(KIND_COMMENT | LAST_METADATA);
        bytes.extend(&(body.len() as u32).to_be_bytes()[1..]);
        bytes.extend(body);
    }
    bytes
}
