//! `headroom-try`: what `./try` runs once everything is built.
//!
//! It puts up a [`stage`], plays the [`programme`] on it as real apps, finds every part again in what
//! the device received ([`alignment`]), judges it ([`judgement`]) and shows a [`table`] and a plot
//! ([`results`]). Leaves with 0 only when everything holds.

#![forbid(unsafe_code)]

mod alignment;
mod interrupt;
mod judgement;
mod programme;
mod results;
mod screen;
mod stage;
mod table;

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::Parser;

use interrupt::{Interrupt, Interrupted};
use judgement::{Judgement, Limits};
use results::Results;
use stage::{Stage, StageError};

/// The profile that headroomd uses unless it is told another.
const PROFILE: &str = "default";

/// Plays a demonstration through Headroom on a real PipeWire, and judges what comes out.
#[derive(Debug, Parser)]
#[command(name = "./try")]
struct Args {
    /// On your own session, aloud, after asking; otherwise on a private one that nobody hears
    #[arg(long)]
    here: bool,
    /// With --here: do not ask
    #[arg(long, requires = "here")]
    yes: bool,
    /// Where the recordings and the plot go
    #[arg(long, value_name = "DIRECTORY", default_value = "try-results")]
    results: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum TryError {
    #[error(transparent)]
    Profile(#[from] headroom_profile::LoadError),
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error(transparent)]
    Missing(#[from] alignment::Missing),
    #[error(transparent)]
    Results(#[from] results::ResultError),
    #[error("listening for signals: {0}")]
    Signals(#[from] std::io::Error),
}

fn main() -> ExitCode {
    let args = Args::parse();
    // The harness says what it waited for in vain by a panic, with the tail of every log.
    let told = Arc::new(Mutex::new(String::new()));
    let teller = Arc::clone(&told);
    panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("something went wrong without a word");
        if let Ok(mut told) = teller.lock() {
            // A later one is only what the first one tore down.
            if told.is_empty() {
                *told = text.to_owned();
            }
        }
    }));
    match panic::catch_unwind(AssertUnwindSafe(|| run(&args))) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::FAILURE,
        Ok(Err(TryError::Interrupted(_) | TryError::Stage(StageError::Interrupted(_)))) => {
            screen::complain(&Interrupted.to_string(), "");
            ExitCode::from(130)
        }
        Ok(Err(error)) => {
            screen::complain(&error.to_string(), "");
            ExitCode::FAILURE
        }
        Err(_) => {
            let text = told.lock().map(|told| told.clone()).unwrap_or_default();
            let (sentence, details) = text.split_once('\n').unwrap_or((&text, ""));
            screen::complain(sentence, details);
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool, TryError> {
    let interrupt = Interrupt::listen()?;
    let profile = headroom_profile::load(PROFILE)?.profile;
    let parts = programme::parts();
    let seconds = parts.iter().map(|part| part.sound.seconds()).sum();
    interrupt.check()?;
    let stage = if args.here {
        Stage::here(args.yes, seconds, &interrupt)?
    } else {
        Stage::private(&interrupt)?
    };
    let mut received = stage.perform(&parts, &interrupt)?;
    let volume_db = stage.volume_db()?;
    stage.close();

    screen::say("judging what the device received");
    if volume_db < -0.1 {
        screen::note(&format!(
            "your volume takes off {:.1} dB, which is put back here",
            -volume_db
        ));
        received = received.gain_db(-volume_db);
    }
    let limits = Limits::of(&profile);
    let placed = alignment::place(parts, &received)?;
    interrupt.check()?;
    let judgement = Judgement::of(&placed, &received, limits);
    interrupt.check()?;
    let title = "What the apps played, and what the loudspeaker got from Headroom";
    Results::of(&placed, &received).write(&args.results, title, &limits)?;
    screen::show(&format!("\n{}\n{}", table::text(&judgement), closing(&judgement, args)));
    Ok(judgement.holds())
}

/// What it comes to, and what to do next.
fn closing(judgement: &Judgement, args: &Args) -> String {
    let verdict = if judgement.holds() {
        "Everything holds: nothing too quiet, nothing too loud, no peak over the ceiling."
    } else {
        "NOT everything holds: see the lines marked WRONG."
    };
    let own = std::env::current_exe().ok();
    let headroom = own.as_deref().and_then(Path::parent).map_or("headroom".into(), |directory| {
        let here = std::env::current_dir().unwrap_or_default();
        let directory = directory.strip_prefix(&here).unwrap_or(directory);
        directory.join("headroom").display().to_string()
    });
    let results = args.results.display();
    let mut text = format!(
        "{verdict}\n\n\
         Look     {results}/plot.png (or plot.svg)\n\
         Listen   {results}/played.wav, then {results}/received.wav\n"
    );
    if !args.here {
        text += "Hear it  ./try --here   the same on your own loudspeakers; asks first\n";
    }
    text + &format!("Use it   {headroom} daemon --promote   (Ctrl-C ends it)\n")
}
