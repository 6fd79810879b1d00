//! What is left when the demonstration has ended: two recordings to compare, and the plot.

use std::io;
use std::path::{Path, PathBuf};

use ebur128::Mode;
use headroom_cli::picture::color::{BLUE, GREEN, GREY, ORANGE, VERMILLION};
use headroom_cli::picture::{self, Line, Panel, Picture, Rgb, Stroke};
use headroom_signals::Programme;
use headroom_signals::judge::oracle;

use crate::alignment::Placed;
use crate::judgement::Limits;

/// Quiet kept before the first and after the last part.
const MARGIN_S: f64 = 0.5;
/// Quieter than this has no gain to speak of.
const AUDIBLE_LUFS: f64 = -55.0;
/// Between two points of a line.
const POINT_S: f64 = 0.05;
/// Peaks are shown as the highest of this long.
const PEAK_S: f64 = 0.1;
/// Lower than this is not drawn: the panel is about the ceiling.
const LOWEST_PEAK_DBTP: f64 = -36.0;

/// Why a result could not be written.
#[derive(Debug, thiserror::Error)]
#[error("writing {}: {why}", path.display())]
pub(crate) struct ResultError {
    path: PathBuf,
    why: String,
}

/// What was played and what was received, of one length and aligned.
#[derive(Debug)]
pub(crate) struct Results {
    played: Programme,
    received: Programme,
    parts: Vec<picture::Part>,
}

impl Results {
    /// Puts what was played beside what was received.
    pub(crate) fn of(placed: &[Placed], received: &Programme) -> Results {
        let rate_hz = received.rate_hz;
        let seconds = |frames: usize| frames as f64 / f64::from(rate_hz);
        let first_s = placed.first().map_or(0.0, |part| seconds(part.start));
        let last_s =
            placed.last().map_or(0.0, |part| seconds(part.start + part.part.sound.frames()));
        let from_s = (first_s - MARGIN_S).max(0.0);
        let received_part = received.between(from_s, last_s + MARGIN_S);
        let mut played =
            Programme::silence(rate_hz, received.channels.len(), received_part.seconds());
        let mut parts = Vec::new();
        let offset = (from_s * f64::from(rate_hz)).round() as usize;
        for Placed { part, start } in placed {
            let at = start - offset;
            for (plane, sound) in played.channels.iter_mut().zip(&part.sound.channels) {
                for (to, from) in plane[at..].iter_mut().zip(sound) {
                    *to = *from;
                }
            }
            parts.push(picture::Part {
                from_s: seconds(at),
                to_s: seconds(at + part.sound.frames()),
                label: part.label.to_owned(),
            });
        }
        Results { played, received: received_part, parts }
    }

    /// Writes everything into a directory, which is made unless it is there; what an earlier run
    /// left there is replaced.
    ///
    /// # Errors
    /// [`ResultError`] with the file that could not be written.
    pub(crate) fn write(
        &self,
        directory: &Path,
        title: &str,
        limits: &Limits,
    ) -> Result<(), ResultError> {
        let failed = |path: &Path, why: String| ResultError { path: path.to_owned(), why };
        std::fs::create_dir_all(directory).map_err(|error| failed(directory, error.to_string()))?;
        let picture = self.picture(title, limits);
        for (name, drawn) in [("plot.svg", picture.svg()), ("plot.png", picture.png())] {
            let path = directory.join(name);
            let written =
                drawn.and_then(|bytes| std::fs::write(&path, bytes).map_err(|e| e.to_string()));
            written.map_err(|why| failed(&path, why))?;
        }
        for (name, sound) in [("played.wav", &self.played), ("received.wav", &self.received)] {
            let path = directory.join(name);
            write_24_bit(&path, sound).map_err(|error| failed(&path, error.to_string()))?;
        }
        Ok(())
    }

    fn picture(&self, title: &str, limits: &Limits) -> Picture {
        let (loudness_in, loudness_out) = (momentary(&self.played), momentary(&self.received));
        let gain = self.gain(&loudness_in, &loudness_out);
        let level = |value: f64| vec![(0.0, value), (self.received.seconds(), value)];
        let line = |label: &str, color: Rgb, stroke, points| Line {
            label: label.to_owned(),
            color,
            stroke,
            points,
        };
        let target = format!("target {:.0} LUFS", limits.target_lufs);
        let ceiling = format!("ceiling {:.0} dBTP", limits.ceiling_dbtp);
        let peaks = |sound| -> Vec<(f64, f64)> {
            let all = true_peaks(sound).into_iter();
            all.map(|(at_s, peak)| (at_s, if peak < LOWEST_PEAK_DBTP { f64::NAN } else { peak }))
                .collect()
        };
        Picture {
            title: title.to_owned(),
            panels: vec![
                Panel::loudness(
                    "Loudness (LUFS)",
                    vec![
                        line(&target, GREY, Stroke::Dashed, level(limits.target_lufs)),
                        line("played by the apps", ORANGE, Stroke::Thin, loudness_in),
                        line("received by the device", BLUE, Stroke::Thick, loudness_out),
                    ],
                    5,
                ),
                Panel::gain(
                    "Gain (dB)",
                    vec![line("from played to received", GREEN, Stroke::Thick, gain)],
                    3,
                ),
                Panel::loudness(
                    "Peak (dBTP)",
                    vec![
                        line("played", ORANGE, Stroke::Thin, peaks(&self.played)),
                        line("received", BLUE, Stroke::Thick, peaks(&self.received)),
                        line(&ceiling, VERMILLION, Stroke::Dashed, level(limits.ceiling_dbtp)),
                    ],
                    3,
                ),
            ],
            parts: self.parts.clone(),
        }
    }

    /// How much louder momentary loudness came out than it went in, where there is any.
    fn gain(&self, loudness_in: &[(f64, f64)], loudness_out: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let both = loudness_in.iter().zip(loudness_out);
        both.map(|(&(at_s, played), &(_, received))| {
            let audible = played > AUDIBLE_LUFS && self.within_a_part(at_s);
            (at_s, if audible { received - played } else { f64::NAN })
        })
        .collect()
    }

    /// Whether all that momentary loudness looks back on is of one part.
    fn within_a_part(&self, at_s: f64) -> bool {
        self.parts.iter().any(|part| (part.from_s + 0.4..=part.to_s).contains(&at_s))
    }
}

fn momentary(sound: &Programme) -> Vec<(f64, f64)> {
    let every = (POINT_S / 0.01).round() as usize;
    let readings = oracle::momentary_over_time(sound);
    readings.iter().step_by(every).map(|reading| (reading.at_s, reading.lufs)).collect()
}

/// The highest true peak of each short while, by the `ebur128` crate.
fn true_peaks(sound: &Programme) -> Vec<(f64, f64)> {
    let mut meter = oracle::meter(sound, Mode::TRUE_PEAK);
    let step = (PEAK_S * f64::from(sound.rate_hz)).round() as usize;
    let mut peaks = Vec::new();
    for start in (0..sound.frames()).step_by(step) {
        let end = sound.frames().min(start + step);
        let planes: Vec<&[f32]> = sound.channels.iter().map(|plane| &plane[start..end]).collect();
        if meter.add_frames_planar_f32(&planes).is_err() {
            break;
        }
        let peak = (0..planes.len() as u32)
            .filter_map(|channel| meter.prev_true_peak(channel).ok())
            .fold(0.0_f64, f64::max);
        peaks.push((end as f64 / f64::from(sound.rate_hz), 20.0 * peak.log10()));
    }
    peaks
}

/// A file that any player plays; what is over full scale is clipped, as a sound card would.
fn write_24_bit(path: &Path, sound: &Programme) -> Result<(), hound::Error> {
    const FULL_SCALE: f32 = 8_388_607.0;
    let spec = hound::WavSpec {
        channels: sound.channels.len() as u16,
        sample_rate: sound.rate_hz,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let file = io::BufWriter::new(std::fs::File::create(path)?);
    let mut writer = hound::WavWriter::new(file, spec)?;
    for sample in sound.interleaved() {
        writer.write_sample((sample.clamp(-1.0, 1.0) * FULL_SCALE).round() as i32)?;
    }
    writer.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme::{Kind, Part, RATE_HZ};
    use headroom_signals::noise;

    fn results() -> Results {
        let sound = noise::pink(RATE_HZ, 2, 3.0, 1).at_lufs(-24.0);
        let quiet = Programme::silence(RATE_HZ, 2, 1.0);
        let received = Programme::concat(&[quiet.clone(), sound.clone().gain_db(6.0), quiet]);
        let part =
            Part { kind: Kind::QuietTalk, title: "noise", label: "noise", app: "noise", sound };
        Results::of(&[Placed { part, start: RATE_HZ as usize }], &received)
    }

    #[test]
    fn what_was_played_stands_beside_what_was_received() {
        let results = results();
        assert_eq!(results.played.frames(), results.received.frames());
        let ratio = |n: usize| results.received.channels[0][n] / results.played.channels[0][n];
        assert!((ratio(50_000) - 1.995).abs() < 0.001, "{}", ratio(50_000));
    }

    #[test]
    fn the_gain_of_the_plot_is_the_gain() {
        let results = results();
        let gain = results.gain(&momentary(&results.played), &momentary(&results.received));
        let shown: Vec<f64> = gain.iter().map(|(_, db)| *db).filter(|db| db.is_finite()).collect();
        assert!(shown.len() > 40 && shown.iter().all(|db| (db - 6.0).abs() < 0.01), "{shown:?}");
    }

    #[test]
    fn every_file_is_written_into_a_directory_that_was_not_there() {
        let directory = std::env::temp_dir().join(format!("headroom-try-{}", std::process::id()));
        let limits = Limits { target_lufs: -18.0, ceiling_dbtp: -1.0, max_boost_db: 18.0 };
        let results = results();
        results.write(&directory, "title", &limits).expect("written");
        let read = Programme::read_wav(directory.join("received.wav")).expect("a WAV file");
        assert_eq!(read.frames(), results.received.frames());
        let size = |name: &str| std::fs::metadata(directory.join(name)).expect(name).len();
        assert!(size("plot.svg") > 1_000 && size("plot.png") > 1_000);
        std::fs::remove_dir_all(&directory).expect("removed");
        let error = results.write(Path::new("/proc/nowhere"), "t", &limits).expect_err("refused");
        assert!(error.to_string().starts_with("writing /proc/nowhere: "), "{error}");
    }
}
