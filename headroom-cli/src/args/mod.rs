//! What was typed. What it means is the business of each command.

mod bridge;
mod device;
mod profile;
mod setting;
mod sink;
mod why;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use headroom_client::ipc::{BypassTo, Route, Topic};

pub(crate) use bridge::BridgeArgs;
pub(crate) use device::{DeviceArgs, DeviceListArgs, DeviceSetArgs, DeviceUnsetArgs, Which};
pub(crate) use profile::{
    CopyArgs, DeleteArgs, EditArgs, ExportArgs, FolderArgs, ImportArgs, ListArgs, NewArgs,
    PathArgs, ProfileArgs, ProfileVerb, ReloadArgs, ShowArgs, UseArgs, ValidateArgs,
};
pub(crate) use setting::{AdjustArgs, GetArgs, SetArgs, SettingsArgs, UnsetArgs};
pub(crate) use sink::{PromoteArgs, SinkArgs, SinkListArgs};
pub(crate) use why::WhyArgs;

use crate::audio::Depth;
use crate::command::route::RouteOrRules;

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
    Why(WhyArgs),
    Watch(WatchArgs),
    Bypass(BypassArgs),
    #[command(subcommand)]
    Route(RouteArgs),
    Set(SetArgs),
    Adjust(AdjustArgs),
    Get(GetArgs),
    Settings(SettingsArgs),
    Unset(UnsetArgs),
    Profile(ProfileArgs),
    #[command(subcommand)]
    Device(DeviceArgs),
    #[command(subcommand)]
    Sink(SinkArgs),
    Promote(PromoteArgs),
    Call(CallArgs),
    #[command(subcommand)]
    Bridge(BridgeArgs),
    Doctor(DoctorArgs),
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
/// Waits for the daemon while there is none, and catches up when it is back. What other commands
/// change on the disk is told with and without a daemon, as `bell`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom watch setting profile
  headroom watch --name bar --json
  headroom watch --tell bar pause")]
pub(crate) struct WatchArgs {
    /// What to tell about [default: all but meters]
    #[arg(value_name = "TOPIC", value_parser = topics())]
    pub(crate) topics: Vec<Topic>,

    /// Take meters so often a second at most
    #[arg(long, value_name = "HZ", default_value = "5")]
    pub(crate) max_hz: f32,

    /// Print one event of IPC.md a line, as JSON; a ring is of the topic bell
    #[arg(long)]
    pub(crate) json: bool,

    /// Be called so, and do what --tell says; letters, digits, - and _
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Pause, resume or stop the `headroom watch` that is called so, wherever it runs
    #[arg(
        long,
        num_args = 2,
        value_names = ["NAME", "pause|resume|stop"],
        conflicts_with_all = ["topics", "max_hz", "json", "name"]
    )]
    pub(crate) tell: Option<Vec<String>>,
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

/// Say which apps go through Headroom, and which past it
///
/// A ROUTE is processed (levelled and limited), protected (limited only), bypass (straight to the
/// device, untouched), or the name of a bus.
#[derive(Debug, Subcommand)]
#[command(after_help = "Example: headroom route set mpv bypass")]
pub(crate) enum RouteArgs {
    List(RouteListArgs),
    Set(RouteSetArgs),
    Unset(RouteUnsetArgs),
    Stream(RouteStreamArgs),
}

/// Show the rules, what plays, and where it goes
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom route list")]
pub(crate) struct RouteListArgs {
    /// Print JSON, as the op `route.list` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make a rule of your own, which counts before those of the profile and is kept
///
/// It holds for what plays already. A second one about the same apps takes the place of the first.
#[derive(Debug, clap::Args)]
#[command(
    allow_missing_positional = true,
    after_help = "Examples:\n  headroom route set mpv bypass\n  headroom route set 'steam*' protected\n  headroom route set --app 'WEBRTC*' --role Communication processed"
)]
pub(crate) struct RouteSetArgs {
    #[command(flatten)]
    pub(crate) whose: Whose,

    /// Where they go: processed, protected, bypass, or the name of a bus
    #[arg(value_name = "ROUTE", value_parser = route)]
    pub(crate) route: Route,

    /// Print JSON, as the op `route.set` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Remove a rule of your own
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom route unset mpv")]
pub(crate) struct RouteUnsetArgs {
    #[command(flatten)]
    pub(crate) whose: Whose,

    /// Print JSON, as the op `route.unset` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Send one stream somewhere for as long as it lives, whatever the rules say
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  headroom route stream 412 bypass\n  headroom route stream 412 auto"
)]
pub(crate) struct RouteStreamArgs {
    /// The number of the stream, as `headroom route list` shows it
    #[arg(value_name = "ID", value_parser = stream_id)]
    pub(crate) id: u64,

    /// Where it goes: processed, protected, bypass, the name of a bus, or auto, which lets the rules
    /// decide again
    #[arg(value_name = "ROUTE|auto", value_parser = route_or_rules)]
    pub(crate) route: RouteOrRules,

    /// Print JSON, as the op `route.stream` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which apps: one pattern of every kind that is given must match. A pattern is a name, or has * for
/// any letters and ? for one.
#[derive(Debug, clap::Args)]
pub(crate) struct Whose {
    /// The app, by the name that `headroom status` shows or its program; beside --app, --portal or
    /// --role its program. * stands for any letters, ? for one
    #[arg(value_name = "APP")]
    pub(crate) name: Option<String>,

    /// What the app calls itself, such as Firefox
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Vec<String>,

    /// What the sandbox calls the app, such as org.mozilla.firefox
    #[arg(long, value_name = "ID")]
    pub(crate) portal: Vec<String>,

    /// What the sound is for, such as Communication
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<String>,
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

fn route(word: &str) -> Result<Route, String> {
    Route::from_word(word).map_err(|error| error.to_string())
}

fn stream_id(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| "`headroom route list` shows the number of each".to_owned())
}

fn route_or_rules(word: &str) -> Result<RouteOrRules, String> {
    if word == RouteOrRules::RULES {
        return Ok(RouteOrRules::Rules);
    }
    route(word).map(RouteOrRules::Route)
}

fn topics() -> impl TypedValueParser<Value = Topic> {
    PossibleValuesParser::new(Topic::WORDS).map(|word| Topic::from_word(&word))
}

fn bypass_words() -> impl TypedValueParser<Value = BypassTo> {
    PossibleValuesParser::new(BypassTo::WORDS).map(|word| BypassTo::from_word(&word))
}

/// Find out what is wrong with the sound, what it means, and what mends it
///
/// Looks at PipeWire, WirePlumber, the device, the real-time priority, the profiles, at what a crash
/// has left, and at other programs that work on the same sound. Ends with 0 if all is well, else
/// with 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  headroom doctor\n  headroom doctor --fix")]
pub(crate) struct DoctorArgs {
    /// Mend what a crash has left, a missing directory, a stale socket or lock; and nothing else
    #[arg(long)]
    pub(crate) fix: bool,

    /// Print JSON: whether all is well, and what was found
    #[arg(long)]
    pub(crate) json: bool,
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, CommandFactory};

    /// Every verb, and every verb of a verb.
    fn verbs(of: &Command) -> Vec<&Command> {
        of.get_subcommands().flat_map(|verb| [vec![verb], verbs(verb)].concat()).collect()
    }

    #[test]
    fn every_verb_explains_itself_with_an_example() {
        let args = Args::command();
        args.clone().debug_assert();
        // The help of `daemon` is that of headroomd.
        for verb in verbs(&args).into_iter().filter(|verb| verb.get_name() != "daemon") {
            let name = verb.get_name();
            let example = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(example.starts_with("Example"), "{name}: {example}");
            assert!(example.contains("headroom ") && example.contains(name), "{name}: {example}");
            assert!(verb.get_about().is_some(), "{name}");
        }
    }

    #[test]
    fn every_example_can_be_typed() {
        let args = Args::command();
        for verb in verbs(&args) {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().map(|line| line.trim_start_matches("Example:").trim()) {
                let Some(typed) = line.strip_prefix("headroom ") else { continue };
                let words = typed.split(['<', '>']).next().unwrap_or_default().split_whitespace();
                let parsed = Args::try_parse_from(["headroom"].into_iter().chain(words));
                assert!(parsed.is_ok(), "{line}: {parsed:?}");
            }
        }
    }
}
