//! `headroom render IN OUT`: a sound file through the chain of the daemon.

use std::path::Path;

use headroom_profile::{Folders, Profile};

use crate::args::RenderArgs;
use crate::audio::{Container, Damage, Depth, OutputFile, SinkSpec, Source};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::offline::{RenderError, RenderJob, Rendered, render};
use crate::plot::{self, PlotKind};
use crate::print::{self, FileReport, Progress, RenderReport};

pub(crate) fn run(args: &RenderArgs) -> Result<(), Failure> {
    let container = Container::of(&args.output).ok_or_else(|| {
        Failure::usage(format!("{} must end in {}", args.output.display(), Container::ENDINGS))
    })?;
    if (container, args.format) == (Container::Flac, Some(Depth::F32)) {
        return Err(Failure::usage("FLAC holds no floating point")
            .with_hint("use --format 24, or write a .wav file"));
    }
    let plot_kind = args.plot.as_deref().map(PlotKind::of).transpose()?;
    let profile = load_profile(&args.profile)?;
    let interrupt = Interrupt::listen()
        .map_err(|error| Failure::refused(format!("listening to signals: {error}")))?;

    let damage = if args.partial { Damage::TakeWhatIsThere } else { Damage::Refuse };
    let source = Source::open(&args.input, damage)?;
    let output = OutputFile::create(&args.output, &[&args.input])?;
    let plot_output = match &args.plot {
        Some(path) => Some(OutputFile::create(path, &[&args.input, &args.output])?),
        None => None,
    };
    let spec = SinkSpec {
        container,
        depth: args.format.unwrap_or_else(|| container.usual_depth(source.depth())),
        rate_hz: source.rate_hz(),
        channels: source.channels(),
        expected_frames: source.expected_frames(),
    };
    let progress = Progress::begin("Rendering", spec.expected_frames, spec.rate_hz);
    let job = RenderJob { source, output, spec, params: profile.chain_params() };
    let rendered = render(job, &interrupt, |frames| progress.at(frames))
        .map_err(|error| failure_of(error, &args.output))?;
    drop(progress);

    let Rendered { output, timeline, .. } = rendered;
    if let (Some(plot_output), Some(kind)) = (plot_output, plot_kind) {
        let title = format!("{} through the profile {}", shown_name(&args.input), profile.name);
        let target = profile.agc.enabled.then_some(profile.agc.target_lufs);
        plot::draw_render(&timeline, &title, target, kind, &plot_output)?;
        plot_output.finish()?;
    }
    // Last: until here an interrupted or failed run has changed nothing.
    if let Some(signal) = interrupt.signal() {
        return Err(interrupted(signal, &args.output));
    }
    output.finish()?;

    let channels = spec.channels.count();
    let report_of = |path: &Path, measures, bad_samples| {
        FileReport::new(path, rendered.frames, spec.rate_hz, channels, measures, bad_samples)
    };
    warn_of_bad_samples(&args.input, rendered.bad_samples);
    let report = RenderReport {
        target_lufs: profile.agc.enabled.then_some(profile.agc.target_lufs),
        ceiling_dbtp: profile.limiter.ceiling_dbtp,
        profile: profile.name,
        container: container.name(),
        format: spec.depth.name(),
        input: report_of(&args.input, rendered.input_measures, rendered.bad_samples),
        output: report_of(&args.output, rendered.output_measures, 0),
        gains: rendered.gains,
    };
    if args.json { print::json(&report) } else { print::result(&print::summary(&report)) }
}

fn load_profile(name: &str) -> Result<Profile, Failure> {
    let loaded = headroom_profile::load_in(&Folders::find(&[]), name).map_err(Failure::refused)?;
    for warning in &loaded.warnings {
        print::warning_line(&warning.to_string());
    }
    Ok(loaded.profile)
}

fn failure_of(error: RenderError, output: &Path) -> Failure {
    match error {
        RenderError::Read(error) => error.into(),
        RenderError::Write(error) => error.into(),
        RenderError::Interrupted(signal) => interrupted(signal, output),
        error => Failure::refused(error),
    }
}

fn interrupted(signal: u8, output: &Path) -> Failure {
    Failure::interrupted(signal, format_args!("{} was not written", output.display()))
}

/// A file's name without its folders.
pub(super) fn shown_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

pub(super) fn warn_of_bad_samples(path: &Path, count: u64) {
    if count > 0 {
        let line = format!(
            "{} has {count} samples that are no numbers, taken for silence",
            path.display()
        );
        print::warning_line(&line);
    }
}
