//! ffmpeg as a second opinion: its `ebur128` filter, and its resampler with `astats`.

use std::path::Path;
use std::process::{Command, Output};

use crate::Programme;

/// What ffmpeg's `ebur128` filter reads of a file. Silence is negative infinity; the filter
/// reads windows every 100 ms, and rounds the true peak to a tenth of a decibel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FfmpegReading {
    /// Gated loudness in LUFS.
    pub integrated_lufs: f64,
    /// Loudness range in LU.
    pub range_lu: f64,
    /// Largest momentary loudness in LUFS.
    pub max_momentary_lufs: f64,
    /// Largest short-term loudness in LUFS, of windows that are full.
    pub max_short_term_lufs: f64,
    /// Largest true peak at 4x, in dBTP.
    pub true_peak_dbtp: f64,
}

/// Whether ffmpeg can be run. Without it a test has to return at once: where `CI` is set this
/// panics, elsewhere it says on standard error that `test` was skipped.
///
/// # Panics
/// When ffmpeg is missing and `CI` is set.
#[must_use]
#[allow(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn is_there(test: &str) -> bool {
    let found = Command::new("ffmpeg").arg("-version").output().is_ok_and(|o| o.status.success());
    if !found {
        let says_ci = std::env::var_os("CI").is_some_and(|ci| ci != "false" && ci != "0");
        assert!(!says_ci, "{test} needs ffmpeg, which is not installed, and CI is set");
        eprintln!("SKIPPED {test}: ffmpeg is not installed");
    }
    found
}

/// Reads a file.
///
/// # Panics
/// When ffmpeg is missing, fails or prints something that cannot be understood.
#[must_use]
pub fn read_file(path: impl AsRef<Path>) -> FfmpegReading {
    let filter = "ebur128=peak=true:metadata=1,ametadata=mode=print:file=-";
    let output = run(path.as_ref(), filter);
    let frames = String::from_utf8_lossy(&output.stdout);
    let summary = String::from_utf8_lossy(&output.stderr);
    let summary = summary.rsplit_once("Summary:").map_or("", |(_, summary)| summary);
    FfmpegReading {
        integrated_lufs: silence_below(last(&frames, "lavfi.r128.I="), -70.0),
        range_lu: last(&frames, "lavfi.r128.LRA="),
        max_momentary_lufs: silence_below(max(&frames, "lavfi.r128.M="), -120.0),
        max_short_term_lufs: silence_below(max(&frames, "lavfi.r128.S="), -120.0),
        true_peak_dbtp: after(summary, "Peak:"),
    }
}

/// Reads a programme, by way of a WAV file in a temporary directory.
///
/// # Panics
/// As [`read_file`], and when the file cannot be written.
#[must_use]
pub fn read(programme: &Programme) -> FfmpegReading {
    with_file(programme, |path| read_file(path))
}

/// Largest sample in dBFS of a programme that ffmpeg has resampled to 16 times its rate, with
/// a Kaiser window of beta 8 over `reach` input samples each side.
///
/// # Panics
/// As [`read`].
#[must_use]
pub fn resampled_peak_db(programme: &Programme, reach: usize) -> f64 {
    let rate_hz = 16 * programme.rate_hz;
    let (size, volume) = (2 * reach, 0.125);
    // Full-scale samples are kept from clipping on their way by the factor in front.
    let filter = format!(
        "aformat=sample_fmts=dblp,volume={volume}:precision=double,\
         aresample={rate_hz}:filter_size={size}:phase_shift=10:exact_rational=1:linear_interp=0:\
         cutoff=1:filter_type=kaiser:kaiser_beta=8:internal_sample_fmt=dblp,\
         aformat=sample_fmts=dblp,astats=metadata=1:measure_perchannel=none,\
         ametadata=mode=print:file=-:key=lavfi.astats.Overall.Peak_level"
    );
    let output = with_file(programme, |path| run(path, &filter));
    let frames = String::from_utf8_lossy(&output.stdout);
    last(&frames, "lavfi.astats.Overall.Peak_level=") - 20.0 * f64::log10(volume)
}

fn with_file<T>(programme: &Programme, judge: impl FnOnce(&Path) -> T) -> T {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("programme.wav");
    programme.write_wav(&path).expect("the programme is written");
    judge(&path)
}

fn run(path: &Path, filter: &str) -> Output {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats", "-nostdin", "-i"])
        .arg(path)
        .args(["-af", filter, "-f", "null", "-"])
        .output()
        .expect("ffmpeg runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffmpeg failed on {}: {errors}", path.display());
    output
}

fn values<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = f64> + 'a {
    text.lines().filter_map(move |line| number(line.strip_prefix(key)?))
}

fn last(text: &str, key: &str) -> f64 {
    values(text, key).last().unwrap_or_else(|| panic!("ffmpeg printed no {key}"))
}

fn max(text: &str, key: &str) -> f64 {
    values(text, key).fold(f64::NEG_INFINITY, f64::max)
}

fn after(text: &str, key: &str) -> f64 {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(key));
    value.and_then(number).unwrap_or_else(|| panic!("ffmpeg printed no {key}"))
}

fn number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The filter prints its floor where it means silence.
fn silence_below(lufs: f64, floor: f64) -> f64 {
    if lufs > floor { lufs } else { f64::NEG_INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::oracle;
    use crate::{film, noise, tone};

    #[test]
    fn ffmpeg_and_the_crate_agree_on_a_film() {
        if !is_there("ffmpeg_and_the_crate_agree_on_a_film") {
            return;
        }
        let film = film::film_like(48_000, 2, 64.0, 41);
        let reading = read(&film);
        assert!((reading.integrated_lufs - oracle::integrated(&film)).abs() < 0.1, "{reading:?}");
        // It takes a window every 100 ms, the crate one a second.
        let range = oracle::loudness_range(&film);
        assert!((reading.range_lu - range).abs() < 0.5, "{reading:?} for {range}");
        let momentary = oracle::max_momentary_between(&film, 0.4, 64.0);
        assert!((reading.max_momentary_lufs - momentary).abs() < 1.0, "{reading:?}");
        let short_term = oracle::max_short_term_between(&film, 3.0, 64.0);
        assert!((reading.max_short_term_lufs - short_term).abs() < 0.3, "{reading:?}");
    }

    #[test]
    fn ffmpeg_reads_a_peak_and_silence() {
        if !is_there("ffmpeg_reads_a_peak_and_silence") {
            return;
        }
        let sine = read(&tone::sine(48_000, 2, 1.0, 997.0, -6.0));
        assert!((sine.true_peak_dbtp + 6.0).abs() < 0.11, "{sine:?}");
        let silence = read(&Programme::silence(48_000, 2, 1.0));
        assert_eq!(silence.integrated_lufs, f64::NEG_INFINITY);
        assert_eq!(silence.max_momentary_lufs, f64::NEG_INFINITY);
        assert_eq!(silence.true_peak_dbtp, f64::NEG_INFINITY);
    }

    #[test]
    fn noise_over_full_scale_is_not_clipped_on_its_way() {
        if !is_there("noise_over_full_scale_is_not_clipped_on_its_way") {
            return;
        }
        let loud = noise::white(48_000, 1, 0.5, 1).at_sample_peak(9.0);
        assert!(resampled_peak_db(&loud, 32) > 8.9);
    }
}
