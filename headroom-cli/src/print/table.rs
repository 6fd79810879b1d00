//! The results for people: a summary of a render, and a table of measured files.

use std::fmt::Write;

use super::{FileReport, RenderReport};
use crate::offline::Measures;

/// Minutes and seconds, hours where there are any.
pub(crate) fn duration_text(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() as u64;
    let (minutes, rest) = (tenths / 600, tenths % 600);
    let (hours, minutes_left) = (minutes / 60, minutes % 60);
    let seconds = format!("{:02}.{}", rest / 10, rest % 10);
    if hours > 0 {
        format!("{hours}:{minutes_left:02}:{seconds}")
    } else {
        format!("{minutes_left}:{seconds}")
    }
}

type Row = (&'static str, &'static str, fn(&Measures) -> Option<f32>);

/// What is shown of a file: its name, its unit, and where it stands.
const ROWS: &[Row] = &[
    ("Integrated loudness", "LUFS", |m| m.integrated_lufs),
    ("Loudness range", "LU", |m| m.loudness_range_lu),
    ("Loudest 400 ms", "LUFS", |m| m.max_momentary_lufs),
    ("Loudest 3 s", "LUFS", |m| m.max_short_term_lufs),
    ("True peak", "dBTP", |m| m.true_peak_dbtp),
    ("Sample peak", "dBFS", |m| m.sample_peak_dbfs),
    ("Peak to loudness", "LU", |m| m.peak_to_loudness_lu),
];

fn number(value: Option<f32>) -> String {
    // What rounds to nothing is nothing: no "-0.0".
    value.map_or("-".to_owned(), |value| {
        format!("{:.1}", if value.abs() < 0.05 { 0.0 } else { value })
    })
}

/// What a render did.
pub(crate) fn summary(report: &RenderReport) -> String {
    let mut text = String::new();
    let RenderReport { input, output, gains, .. } = report;
    let _ = writeln!(
        text,
        "{}: {}, {}, profile {}, {}",
        output.file,
        report.container,
        report.format,
        report.profile,
        duration_text(output.duration_s)
    );
    let _ = writeln!(text, "\n{:22}{:>9}{:>9}", "", "in", "out");
    for (name, unit, value) in ROWS {
        let (before, after) = (number(value(&input.measures)), number(value(&output.measures)));
        let _ = writeln!(text, "{name:22}{before:>9}{after:>9}  {unit}");
    }
    let _ = writeln!(text);
    let range = |low: f32, high: f32| {
        if (high - low).abs() < 0.05 {
            format!("{high:+.1} dB")
        } else {
            format!("{low:+.1} to {high:+.1} dB")
        }
    };
    let agc = range(gains.smallest_agc_gain_db, gains.largest_agc_gain_db);
    let _ = writeln!(text, "AGC gain              {agc}");
    let _ = writeln!(
        text,
        "Largest reduction     compressor {:.1} dB, limiter {:.1} dB, burst guard {:.1} dB",
        gains.largest_compressor_reduction_db,
        gains.largest_limiter_reduction_db,
        gains.largest_guard_reduction_db
    );
    text
}

/// Files that were measured, one a line.
pub(crate) fn analysis_table(reports: &[FileReport]) -> String {
    let widest = reports.iter().map(|report| report.file.chars().count()).max().unwrap_or(0);
    let width = widest.max("File".len());
    let heads = ["I", "LRA", "max M", "max S", "TP", "peak", "PLR"];
    let mut text = format!("{:width$}  {:>10}", "File", "Duration");
    for head in heads {
        let _ = write!(text, "{head:>8}");
    }
    let _ = write!(text, "\n{:width$}  {:>10}", "", "");
    for (_, unit, _) in ROWS {
        let _ = write!(text, "{unit:>8}");
    }
    text.push('\n');
    for report in reports {
        let _ = write!(text, "{:width$}  {:>10}", report.file, duration_text(report.duration_s));
        for (_, _, value) in ROWS {
            let _ = write!(text, "{:>8}", number(value(&report.measures)));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_carry_over() {
        assert_eq!(duration_text(0.0), "0:00.0");
        assert_eq!(duration_text(59.96), "1:00.0");
        assert_eq!(duration_text(3_725.31), "1:02:05.3");
    }

    #[test]
    fn nothing_is_not_minus_nothing() {
        assert_eq!(number(Some(-0.04)), "0.0");
        assert_eq!(number(None), "-");
    }
}
