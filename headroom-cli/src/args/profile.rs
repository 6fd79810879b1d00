//! What was typed behind `headroom profile`.

use std::path::PathBuf;

use clap::Subcommand;

/// Choose, look at and make profiles: named sets of settings, each a TOML file
///
/// All but `use` and `reload` work with no daemon running.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom profile list
  headroom profile use night
  headroom profile edit night")]
pub(crate) struct ProfileArgs {
    #[command(flatten)]
    pub(crate) folders: FolderArgs,

    #[command(subcommand)]
    pub(crate) verb: ProfileVerb,
}

/// Folders beside those of the system and the user.
#[derive(Debug, clap::Args)]
pub(crate) struct FolderArgs {
    /// Look into this folder too, as with `headroomd --profile-dir`; can be given more than once.
    /// A running headroomd says by itself where it looks
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) profile_dir: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileVerb {
    List(ListArgs),
    Use(UseArgs),
    Show(ShowArgs),
    Reload(ReloadArgs),
    Validate(ValidateArgs),
    Edit(EditArgs),
    New(NewArgs),
    Copy(CopyArgs),
    Delete(DeleteArgs),
    Import(ImportArgs),
    Export(ExportArgs),
    Path(PathArgs),
}

/// List every profile, where it comes from, and what is wrong with it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom profile list")]
pub(crate) struct ListArgs {
    /// Print JSON, as the op `profile.list` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Put a profile in force, at once and without a click; needs the daemon
///
/// It stays in force until another is chosen, also over a restart. What `headroom set` has
/// changed stays on top of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom profile use night")]
pub(crate) struct UseArgs {
    /// Which
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Print JSON, as the op `profile.use` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show all that a profile says, and what would be in force with it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom profile show night")]
pub(crate) struct ShowArgs {
    /// Which [default: the one in force]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Print JSON, as the op `profile.show` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Have the daemon read the files again, now
///
/// There is hardly a need: it watches the folders of profiles, and takes what has changed at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom profile reload")]
pub(crate) struct ReloadArgs {
    /// Print JSON, as the op `profile.reload` of IPC.md gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check files of profiles: what is wrong, where, and what would be right
///
/// Ends with 0 if all can be used (warnings included), else with 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom profile validate night.toml
  headroom profile validate - < night.toml")]
pub(crate) struct ValidateArgs {
    /// Which; a profile by name is looked for where profiles are, - is the standard input
    #[arg(value_name = "FILE|NAME", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// Print JSON: a list with one entry per file
    #[arg(long)]
    pub(crate) json: bool,
}

/// Change a profile in your editor ($VISUAL, or $EDITOR)
///
/// The editor gets a copy in your folder of profiles, which is checked before it replaces
/// anything. Of a profile that is part of Headroom or of the system you get a version of your own.
/// One that was chosen by its file is changed where it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom profile edit night")]
pub(crate) struct EditArgs {
    /// Which
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// Make a profile of your own
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom profile new mine
  headroom profile new late --from night")]
pub(crate) struct NewArgs {
    /// What to call it: letters, digits, - and _
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Begin with all that this one says, comments too [default: nothing set]
    #[arg(long, value_name = "NAME")]
    pub(crate) from: Option<String>,
}

/// Copy a profile under another name, comments too
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom profile copy night late")]
pub(crate) struct CopyArgs {
    /// Which
    #[arg(value_name = "FROM")]
    pub(crate) from: String,

    /// What to call the copy: letters, digits, - and _
    #[arg(value_name = "TO")]
    pub(crate) to: String,
}

/// Delete a profile of your own
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom profile delete mine")]
pub(crate) struct DeleteArgs {
    /// Which
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Take a file into your folder of profiles, if it can be used
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom profile import ~/Downloads/cinema.toml
  headroom profile import cinema.toml --name movie-night")]
pub(crate) struct ImportArgs {
    /// Which; - is what comes in by the standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// What to call it [default: as it calls itself]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Replace what is there under this name
    #[arg(long, short)]
    pub(crate) force: bool,
}

/// Write a profile to a file, or to the standard output
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom profile export night > night.toml
  headroom profile export night ~/shared/night.toml")]
pub(crate) struct ExportArgs {
    /// Which
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Where to; a folder gets NAME.toml [default: -, the standard output]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Replace a file that is there
    #[arg(long, short)]
    pub(crate) force: bool,
}

/// Print where your profiles are, or where one of them is
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headroom profile path
  headroom profile path night
  headroom profile path --all")]
pub(crate) struct PathArgs {
    /// Print the file of this one
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Print every folder that is searched, in order: what is found last counts
    #[arg(long, conflicts_with = "name")]
    pub(crate) all: bool,
}
