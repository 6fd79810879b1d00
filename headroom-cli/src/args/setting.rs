//! What was typed behind the verbs about single settings.

use super::FolderArgs;

/// Change a setting, and keep it so over profile switches and restarts
///
/// The value is taken as it is: -16 is -16 and not 16 less; `headroom adjust` goes by steps.
/// `headroom settings` lists every key with what it can be; `headroom unset` takes it back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom set agc.target_lufs -16
  headroom set limiter.ceiling_dbtp -0.5
  headroom set compressor.enabled off
  headroom set limiter.link dual-mono")]
pub(crate) struct SetArgs {
    /// The dotted key, such as agc.target_lufs
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    /// A number in the unit of the key, true or false (on or off), or a word
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) value: String,

    /// Print JSON, as the op `setting.set` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Change a setting by a step, at most as far as it goes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom adjust agc.target_lufs -2
  headroom adjust agc.target_lufs +0.5")]
pub(crate) struct AdjustArgs {
    /// The dotted key of a number, such as agc.target_lufs
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    /// What to add, in the unit of the key
    #[arg(value_name = "STEP", allow_hyphen_values = true, value_parser = finite)]
    pub(crate) step: f32,

    /// Print JSON, as the op `setting.set` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show one setting
///
/// Works with no daemon running too: then it is what the daemon would begin with.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom get agc.target_lufs")]
pub(crate) struct GetArgs {
    /// The dotted key, such as agc.target_lufs
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    #[command(flatten)]
    pub(crate) folders: FolderArgs,

    /// Print JSON, as the op `setting.get` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// List settings: the value in force, the profile's where it is another, and what it can be
///
/// Works with no daemon running too: then it is what the daemon would begin with.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom settings
  headroom settings limiter
  headroom settings --changed")]
pub(crate) struct SettingsArgs {
    /// Only the keys that begin with this, up to a dot, such as agc or limiter.soft
    #[arg(value_name = "SECTION")]
    pub(crate) section: Option<String>,

    /// Only what has been changed by `headroom set` and the like
    #[arg(long)]
    pub(crate) changed: bool,

    #[command(flatten)]
    pub(crate) folders: FolderArgs,

    /// Print JSON, as the op `setting.list` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Take back what `headroom set` or `adjust` has changed: the profile's value holds again
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom unset agc.target_lufs
  headroom unset compressor
  headroom unset --all")]
pub(crate) struct UnsetArgs {
    /// The dotted key, or a section for all of its keys
    #[arg(value_name = "KEY|SECTION", required_unless_present = "all")]
    pub(crate) key: Option<String>,

    /// Take back every change
    #[arg(long, conflicts_with = "key")]
    pub(crate) all: bool,

    /// Print JSON, as the op `setting.clear` of IPC.md gives it, or `setting.reset`
    #[arg(long)]
    pub(crate) json: bool,
}

/// A number that a setting can be changed by.
fn finite(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number: &f32| number.is_finite());
    number.ok_or_else(|| "it must be a number, such as -2 or +0.5".to_owned())
}
