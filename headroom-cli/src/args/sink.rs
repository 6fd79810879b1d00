//! What was typed behind `headroom sink` and `headroom promote`.

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use headroom_client::ipc::PromoteTo;

/// Say which sink the sound ends up at: your default, or always the same one
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  headroom sink list
  headroom sink use alsa_output.usb-dac
  headroom sink follow")]
pub(crate) enum SinkArgs {
    List(SinkListArgs),
    Use(SinkUseArgs),
    Follow(SinkFollowArgs),
}

/// Show the sinks that there are, and which one is heard
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom sink list")]
pub(crate) struct SinkListArgs {
    /// Print JSON, as the op `sink.list` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Have the sound end up at this sink whenever it is there, whatever your default is
///
/// It is kept. While the sink is away, the sound goes where it would without this.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom sink use alsa_output.usb-dac")]
pub(crate) struct SinkUseArgs {
    /// Its name, as `headroom sink list` shows it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Print JSON, as the op `sink.use` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Have the sound follow your default sink again
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom sink follow")]
pub(crate) struct SinkFollowArgs {
    /// Print JSON, as the op `sink.use` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make Headroom the default sink, so that apps start there; or give your own default back
///
/// It is kept over restarts. Without it Headroom never touches the default, and moves the apps
/// that are to be processed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom promote on")]
pub(crate) struct PromoteArgs {
    /// on, off, or the other one of the two
    #[arg(value_name = "on|off|toggle", value_parser = words(), hide_possible_values = true)]
    pub(crate) to: PromoteTo,

    /// Print JSON, as the op `promote.set` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

fn words() -> impl TypedValueParser<Value = PromoteTo> {
    PossibleValuesParser::new(PromoteTo::WORDS).map(|word| PromoteTo::from_word(&word))
}
