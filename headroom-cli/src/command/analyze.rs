//! `headroom analyze FILE...`: loudness and peaks of sound files.

use std::path::Path;

use super::render::{shown_name, warn_of_bad_samples};
use crate::args::AnalyzeArgs;
use crate::audio::{Damage, OutputFile, Source};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::offline::{Analysis, AnalyzeError, Timeline, analyze};
use crate::plot::{self, PlotKind};
use crate::print::{self, FileReport, Progress};

pub(crate) fn run(args: &AnalyzeArgs) -> Result<(), Failure> {
    let plot_kind = args.plot.as_deref().map(PlotKind::of).transpose()?;
    if plot_kind.is_some() && args.files.len() > 1 {
        return Err(Failure::usage(format!(
            "--plot draws one file, but {} are named",
            args.files.len()
        )));
    }
    let interrupt = Interrupt::listen()
        .map_err(|error| Failure::refused(format!("listening to signals: {error}")))?;
    let inputs: Vec<&Path> = args.files.iter().map(AsRef::as_ref).collect();
    let plot_output = match &args.plot {
        Some(path) => Some(OutputFile::create(path, &inputs)?),
        None => None,
    };
    let damage = if args.partial { Damage::TakeWhatIsThere } else { Damage::Refuse };
    let mut reports = Vec::new();
    let mut timeline = None;
    let mut failed = false;
    for path in &args.files {
        match measure(path, damage, &interrupt) {
            Ok((report, line)) => {
                reports.push(report);
                timeline = Some(line);
            }
            Err(failure) if interrupt.signal().is_some() => return Err(failure),
            Err(failure) => {
                // One bad file does not keep the others from being measured.
                print::failure(&failure);
                failed = true;
            }
        }
    }
    if let (Some(output), Some(kind), Some(timeline)) = (plot_output, plot_kind, &timeline) {
        let title = format!("Loudness of {}", shown_name(inputs[0]));
        plot::draw_analysis(timeline, &title, kind, &output)?;
        output.finish()?;
    }
    if args.json {
        print::json(&reports)?;
    } else if !reports.is_empty() {
        print::result(&print::analysis_table(&reports))?;
    }
    if failed { Err(Failure::told()) } else { Ok(()) }
}

fn measure(
    path: &Path,
    damage: Damage,
    interrupt: &Interrupt,
) -> Result<(FileReport, Timeline), Failure> {
    let source = Source::open(path, damage)?;
    let (rate_hz, channels) = (source.rate_hz(), source.channels().count());
    let progress = Progress::begin(&shown_name(path), source.expected_frames(), rate_hz);
    let analysis = analyze(source, interrupt, |frames| progress.at(frames));
    drop(progress);
    let Analysis { frames, bad_samples, measures, timeline } =
        analysis.map_err(|error| match error {
            AnalyzeError::Read(error) => error.into(),
            AnalyzeError::Interrupted(signal) => {
                Failure::interrupted(signal, format_args!("{} was not measured", path.display()))
            }
            error => Failure::refused(error),
        })?;
    warn_of_bad_samples(path, bad_samples);
    Ok((FileReport::new(path, frames, rate_hz, channels, measures, bad_samples), timeline))
}
