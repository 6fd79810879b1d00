//! What was typed. What it means is the business of each command.

mod setting;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use headroom_client::ipc::{BypassTo, Topic};

pub(crate) use setting::{AdjustArgs, GetArgs, SetArgs, SettingsArgs, UnsetArgs};

use crate::audio::Depth;

/// System-wide loudness for Linux: every app as loud as every other, and nothing ever hurts.
#[derive(Debug, Parser)]
#[command(name = "headroom", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Status(StatusArgs),
    Watch(WatchArgs),
    Bypass(BypassArgs),
    Set(SetArgs),
    Adjust(AdjustArgs),
    Get(GetArgs),
    Settings(SettingsArgs),
    Unset(UnsetArgs),
    Call(CallArgs),
    Daemon(DaemonArgs),
    Render(RenderArgs),
    Analyze(AnalyzeArgs),
}

/// Show what a person asks first: profile, device, apps, and what is wrong
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom status")]
pub(crate) struct StatusArgs {
    /// Print JSON, as the op `status` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tell every change as it happens, until you stop it
///
/// Waits for the daemon when it goes, and catches up when it is back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom watch setting profile")]
pub(crate) struct WatchArgs {
    /// What to tell about [default: all but meters]
    #[arg(value_name = "TOPIC", value_parser = topics())]
    pub(crate) topics: Vec<Topic>,

    /// Take meters so often a second at most
    #[arg(long, value_name = "HZ", default_value = "5")]
    pub(crate) max_hz: f32,

    /// Print one event of IPC.md a line, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Let the sound pass untouched, or no longer; no app is moved
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom bypass toggle")]
pub(crate) struct BypassArgs {
    /// on, off, or the other one of the two
    #[arg(value_name = "on|off|toggle", value_parser = bypass_words(), hide_possible_values = true)]
    pub(crate) to: BypassTo,

    /// Print JSON, as the op `bypass.set` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Send any request of the protocol, and print its result as JSON
///
/// IPC.md lists the ops; so does `headroom call describe`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom call route.list")]
pub(crate) struct CallArgs {
    /// The name of the op, such as setting.get
    #[arg(value_name = "OP")]
    pub(crate) op: String,

    /// Its arguments, such as '{"key": "agc.target_lufs"}'
    #[arg(value_name = "JSON")]
    pub(crate) args: Option<String>,
}

fn topics() -> impl TypedValueParser<Value = Topic> {
    PossibleValuesParser::new(Topic::WORDS).map(|word| Topic::from_word(&word))
}

fn bypass_words() -> impl TypedValueParser<Value = BypassTo> {
    PossibleValuesParser::new(BypassTo::WORDS).map(|word| BypassTo::from_word(&word))
}

/// Run the daemon, headroomd
///
/// Takes the place of this process; all arguments are handed on (try `headroom daemon --help`).
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, disable_version_flag = true)]
pub(crate) struct DaemonArgs {
    /// What headroomd is told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    pub(crate) args: Vec<OsString>,
}

/// Level and limit a sound file, just as the daemon would
///
/// OUT is as long as IN and aligned with it. It appears when it is finished: an interrupted or
/// failed run leaves nothing, and what stood at OUT before stays. A finished one replaces it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom render talk.mp3 talk.wav --profile speech")]
pub(crate) struct RenderArgs {
    /// WAV, FLAC, MP3, Ogg Vorbis or M4A (AAC-LC, ALAC)
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,

    /// What to write; the ending says what: .wav or .flac
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,

    /// A profile by name, or a file (with a slash or .toml)
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    pub(crate) profile: String,

    /// How samples are stored [default: as in IN; for a lossy IN f32 in WAV, 24 in FLAC]
    ///
    /// Samples that fall off the grid of 16 or 24 bit are dithered; those on it stay as they are.
    #[arg(long, value_name = "DEPTH")]
    pub(crate) format: Option<Depth>,

    /// Also draw loudness and gain over time; the ending says how: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,

    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Of a damaged or cut-off IN, take what is there
    #[arg(long)]
    pub(crate) partial: bool,
}

/// Measure loudness and peaks of sound files (EBU R 128)
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom analyze *.flac")]
pub(crate) struct AnalyzeArgs {
    /// WAV, FLAC, MP3, Ogg Vorbis or M4A (AAC-LC, ALAC)
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// Also draw loudness over time, of one FILE; the ending says how: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,

    /// Print JSON: a list with one entry per file
    #[arg(long)]
    pub(crate) json: bool,

    /// Of a damaged or cut-off file, measure what is there
    #[arg(long)]
    pub(crate) partial: bool,
}
