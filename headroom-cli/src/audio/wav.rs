//! Writes WAV: 16 and 24 bit integers and 32 bit floating point, with the places of the
//! channels where there are more than two.
//!
//! Written here and not by a library for three reasons: the head must carry the channel mask
//! of the source, a file may be too long for the format and has to say so before a number
//! wraps around, and a whole block at a time is several times as fast as sample by sample.

use std::io::{self, Seek, SeekFrom, Write};

use headroom_dsp::MAX_CHANNELS;

use super::depth::Quantiser;
use super::{Block, ChannelMap, Depth};

/// A WAV file that is being written.
pub(crate) struct WavWriter<W> {
    file: W,
    head_bytes: u64,
    fact_at: Option<u64>,
    depth: Depth,
    channels: usize,
    quantiser: Option<Quantiser>,
    integers: Vec<Vec<i32>>,
    bytes: Vec<u8>,
    data_bytes: u64,
}

/// What a WAV file can hold: its lengths are 32 bits wide.
pub(crate) const MAX_DATA_BYTES: u64 = u32::MAX as u64 - 128;

const FORMAT_PCM: u16 = 1;
const FORMAT_FLOAT: u16 = 3;
const FORMAT_EXTENSIBLE: u16 = 0xFFFE;
/// The end of the identifier of an extensible format, after its two bytes of format.
const EXTENSIBLE_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

impl<W: Write + Seek> WavWriter<W> {
    /// Writes the head of a file.
    pub(crate) fn begin(
        mut file: W,
        rate_hz: u32,
        channels: ChannelMap,
        depth: Depth,
    ) -> io::Result<WavWriter<W>> {
        let (head, fact_at) = head(rate_hz, channels, depth);
        file.write_all(&head)?;
        let count = channels.count().min(MAX_CHANNELS);
        Ok(WavWriter {
            file,
            head_bytes: head.len() as u64,
            fact_at,
            depth,
            channels: count,
            quantiser: Quantiser::to(depth),
            integers: vec![Vec::new(); count],
            bytes: Vec::new(),
            data_bytes: 0,
        })
    }

    /// Appends a block. `false` where the file would be too long.
    pub(crate) fn write(&mut self, block: &Block) -> io::Result<bool> {
        self.bytes.clear();
        match &mut self.quantiser {
            None => interleave_floats(block.planes(), &mut self.bytes),
            Some(quantiser) => {
                for (channel, (plane, integers)) in
                    block.planes().iter().zip(&mut self.integers).enumerate()
                {
                    integers.clear();
                    quantiser.append(channel, plane, integers);
                }
                interleave_integers(&self.integers, self.depth, &mut self.bytes);
            }
        }
        let data_bytes = self.data_bytes + self.bytes.len() as u64;
        if data_bytes > MAX_DATA_BYTES {
            return Ok(false);
        }
        self.file.write_all(&self.bytes)?;
        self.data_bytes = data_bytes;
        Ok(true)
    }

    /// Puts the lengths into the head.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let padding = self.data_bytes % 2;
        if padding == 1 {
            self.file.write_all(&[0])?;
        }
        let riff_bytes = self.head_bytes - 8 + self.data_bytes + padding;
        self.put_u32(4, riff_bytes)?;
        self.put_u32(self.head_bytes - 4, self.data_bytes)?;
        if let Some(at) = self.fact_at {
            let frames = self.data_bytes / (self.channels * self.depth.bytes()) as u64;
            self.put_u32(at, frames)?;
        }
        self.file.flush()
    }

    fn put_u32(&mut self, at: u64, value: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(&(value as u32).to_le_bytes())
    }
}

/// The head with all lengths at zero, and where its count of frames stands.
fn head(rate_hz: u32, channels: ChannelMap, depth: Depth) -> (Vec<u8>, Option<u64>) {
    let count = channels.count() as u16;
    let frame_bytes = count * depth.bytes() as u16;
    let bits = 8 * depth.bytes() as u16;
    let format = if depth == Depth::F32 { FORMAT_FLOAT } else { FORMAT_PCM };
    let extensible = count > 2 || channels.mask_to_write().is_some();
    let mut head = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    let format_bytes: u32 = match (extensible, format) {
        (true, _) => 40,
        (false, FORMAT_FLOAT) => 18,
        (false, _) => 16,
    };
    head.extend(format_bytes.to_le_bytes());
    head.extend(if extensible { FORMAT_EXTENSIBLE } else { format }.to_le_bytes());
    head.extend(count.to_le_bytes());
    head.extend(rate_hz.to_le_bytes());
    head.extend((rate_hz * u32::from(frame_bytes)).to_le_bytes());
    head.extend(frame_bytes.to_le_bytes());
    head.extend(bits.to_le_bytes());
    if extensible {
        head.extend(22_u16.to_le_bytes());
        head.extend(bits.to_le_bytes());
        head.extend(channels.mask().to_le_bytes());
        head.extend(format.to_le_bytes());
        head.extend(EXTENSIBLE_TAIL);
    } else if format == FORMAT_FLOAT {
        head.extend([0, 0]);
    }
    let mut fact_at = None;
    if format == FORMAT_FLOAT {
        head.extend(b"fact");
        head.extend(4_u32.to_le_bytes());
        fact_at = Some(head.len() as u64);
        head.extend([0; 4]);
    }
    head.extend(b"data\0\0\0\0");
    (head, fact_at)
}

fn interleave_floats(planes: &[Vec<f32>], bytes: &mut Vec<u8>) {
    let frames = planes.first().map_or(0, Vec::len);
    bytes.reserve(frames * planes.len() * 4);
    match planes {
        [left, right] => {
            for (l, r) in left.iter().zip(right) {
                let mut frame = [0; 8];
                frame[..4].copy_from_slice(&l.to_le_bytes());
                frame[4..].copy_from_slice(&r.to_le_bytes());
                bytes.extend_from_slice(&frame);
            }
        }
        planes => {
            for frame in 0..frames {
                for plane in planes {
                    bytes.extend_from_slice(&plane[frame].to_le_bytes());
                }
            }
        }
    }
}

fn interleave_integers(planes: &[Vec<i32>], depth: Depth, bytes: &mut Vec<u8>) {
    let frames = planes.first().map_or(0, Vec::len);
    let sample_bytes = depth.bytes();
    bytes.resize(frames * planes.len() * sample_bytes, 0);
    for (frame, out) in bytes.chunks_exact_mut(planes.len() * sample_bytes).enumerate() {
        for (plane, out) in planes.iter().zip(out.chunks_exact_mut(sample_bytes)) {
            out.copy_from_slice(&plane[frame].to_le_bytes()[..sample_bytes]);
        }
    }
}
