//! From what a decoder gives, in whatever type, to planes of `f32`.

use symphonia::core::audio::conv::IntoSample;
use symphonia::core::audio::sample::{Sample, SampleFormat};
use symphonia::core::audio::{Audio, AudioBuffer, GenericAudioBufferRef};
use symphonia::core::codecs::audio::AudioCodecParameters;

use super::{Block, Depth};

/// The depth that holds what a lossless codec stores; `None` for a lossy one.
pub(super) fn depth_of(params: &AudioCodecParameters) -> Option<Depth> {
    let float = matches!(params.sample_format, Some(SampleFormat::F32 | SampleFormat::F64));
    match params.bits_per_sample? {
        _ if float => Some(Depth::F32),
        0..=16 => Some(Depth::I16),
        17..=24 => Some(Depth::I24),
        _ => Some(Depth::F32),
    }
}

/// Appends what was decoded, and counts the samples that were no numbers.
pub(super) fn append(decoded: &GenericAudioBufferRef<'_>, block: &mut Block) -> u64 {
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
