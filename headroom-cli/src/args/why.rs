//! What was typed behind `headroom why`.

/// Say why an app sounds as it does: what decided where it goes, and what is done to it now
///
/// Of an app that plays nothing now it says what would decide, as far as its name tells.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom why firefox
  headroom why 412
  headroom why 'steam*'")]
pub(crate) struct WhyArgs {
    /// The app, by the name that it shows, its program or what the sandbox calls it (* stands for
    /// any letters, ? for one); or the number of a stream
    #[arg(value_name = "APP|STREAM")]
    pub(crate) whom: String,

    /// Print JSON, as the op `why` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}
