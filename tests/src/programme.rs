//! The simple programmes that a graph itself is tested with: tones and impulses, planar.
//!
//! Speech, music and hot peaks are the crate `headroom-signals`'s; here is what a meter of this crate
//! can find again.

use std::f64::consts::TAU;
use std::io;
use std::path::Path;

/// One steady sine for each channel, of that amplitude.
pub fn tones(rate_hz: u32, seconds: f64, frequencies_hz: &[f64], amplitude: f64) -> Vec<Vec<f32>> {
    let frames = (seconds * f64::from(rate_hz)).round() as usize;
    let tone = |frequency_hz: &f64| {
        let step = TAU * frequency_hz / f64::from(rate_hz);
        (0..frames).map(|frame| (amplitude * (step * frame as f64).sin()) as f32).collect()
    };
    frequencies_hz.iter().map(tone).collect()
}

/// Digital silence.
pub fn silence(rate_hz: u32, seconds: f64, channels: usize) -> Vec<Vec<f32>> {
    vec![vec![0.0; (seconds * f64::from(rate_hz)).round() as usize]; channels]
}

/// Single samples of that amplitude in silence, `every_frames` apart, the first after one such stretch.
pub fn impulses(
    rate_hz: u32,
    seconds: f64,
    every_frames: usize,
    channels: usize,
    amplitude: f32,
) -> Vec<Vec<f32>> {
    let mut programme = silence(rate_hz, seconds, channels);
    for channel in &mut programme {
        channel.iter_mut().skip(every_frames).step_by(every_frames).for_each(|s| *s = amplitude);
    }
    programme
}

/// Writes planar `channels` as a WAV file of 32 bit floats.
///
/// # Errors
///
/// When the file cannot be written; hound's own error inside.
pub fn write_wav(path: &Path, rate_hz: u32, channels: &[Vec<f32>]) -> io::Result<()> {
    let spec = hound::WavSpec {
        channels: channels.len() as u16,
        sample_rate: rate_hz,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(path, spec).map_err(io::Error::other)?;
    for frame in 0..channels.first().map_or(0, Vec::len) {
        for channel in channels {
            writer.write_sample(channel[frame]).map_err(io::Error::other)?;
        }
    }
    writer.finalize().map_err(io::Error::other)
}
