//! What `--json` prints. Names and units are a promise: keys are only ever added.

use std::path::Path;

use serde::Serialize;

use crate::offline::{Gains, Measures};

/// One file that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct FileReport {
    /// The file as it was named.
    pub(crate) file: String,
    pub(crate) duration_s: f64,
    pub(crate) rate_hz: u32,
    pub(crate) channels: usize,
    #[serde(flatten)]
    pub(crate) measures: Measures,
    /// Samples that were no numbers, and were taken for silence.
    pub(crate) bad_samples: u64,
}

/// One file that was rendered.
#[derive(Debug, Serialize)]
pub(crate) struct RenderReport {
    /// The profile by its name.
    pub(crate) profile: String,
    pub(crate) target_lufs: Option<f32>,
    pub(crate) ceiling_dbtp: f32,
    /// WAV or FLAC.
    pub(crate) container: &'static str,
    /// How samples are stored.
    pub(crate) format: &'static str,
    pub(crate) input: FileReport,
    pub(crate) output: FileReport,
    #[serde(flatten)]
    pub(crate) gains: Gains,
}

impl FileReport {
    pub(crate) fn new(
        path: &Path,
        frames: u64,
        rate_hz: u32,
        channels: usize,
        measures: Measures,
        bad_samples: u64,
    ) -> FileReport {
        FileReport {
            file: path.display().to_string(),
            duration_s: frames as f64 / f64::from(rate_hz),
            rate_hz,
            channels,
            measures,
            bad_samples,
        }
    }
}
