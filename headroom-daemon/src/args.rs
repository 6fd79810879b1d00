//! The arguments of headroomd.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Levels and limits what the apps of this desktop play.
///
/// Runs until it gets SIGTERM or SIGINT, and leaves the graph as it was found.
#[derive(Debug, Clone, Parser)]
#[command(name = "headroomd", version)]
pub struct Args {
    /// The profile to level by: a name, or a file where it has a slash or ends in .toml
    /// [default: the one used last, else "default"]
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// Another folder of profiles, which counts before the user's own; can be given more than once
    #[arg(long, value_name = "DIR")]
    pub profile_dir: Vec<PathBuf>,
    /// Make the Headroom sink the default, and put the former default back at the end
    #[arg(long)]
    pub promote: bool,
    /// Put back what a headroomd that was killed has left in PipeWire, and end. Does nothing while
    /// one runs. Exit code 1 when something must wait for the next time
    #[arg(long, conflicts_with_all = ["profile", "profile_dir", "promote"])]
    pub restore: bool,
    /// Take what WirePlumber remembers of Headroom's sinks out of its files, and end: for an
    /// uninstall. WirePlumber should not be running meanwhile
    #[arg(long, conflicts_with_all = ["restore", "profile", "profile_dir", "promote"])]
    pub forget: bool,
    /// Where clients connect: an absolute path, abstract:NAME, or systemd for the socket that it
    /// has passed on [default: $HEADROOM_SOCKET, else headroom/control.sock in $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<OsString>,
    /// How many clients may be connected at a time
    #[arg(long, value_name = "N", default_value_t = 256,
          value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub max_connections: u32,
    /// Print what there is of PipeWire's graph and of what a crash has left, as JSON, and end; changes
    /// nothing (`headroom doctor` says what it means)
    #[arg(long, exclusive = true)]
    pub check: bool,
    /// How much to say on standard error
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What stops the daemon.
    Error,
    /// And what does not work as it should.
    Warn,
    /// And what happens.
    Info,
    /// And why.
    Debug,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn without_arguments_no_profile_is_asked_for_and_nothing_is_promoted() {
        let args = Args::try_parse_from(["headroomd"]).expect("no arguments are fine");
        assert_eq!(args.profile, None);
        assert_eq!(args.profile_dir, [""; 0].map(PathBuf::from));
        assert!(!args.promote);
        assert_eq!(args.log_level, LogLevel::Info);
        assert_eq!((args.listen, args.max_connections), (None, 256));
    }
}
