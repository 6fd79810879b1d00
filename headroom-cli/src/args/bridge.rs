//! What was typed behind `headroom bridge`.

use std::path::PathBuf;

use clap::Subcommand;

/// Speak the protocol over something else than its socket, for programs without MessagePack
///
/// Requests, replies and events are those of IPC.md, as JSON; BRIDGES.md tells the rest.
#[derive(Debug, Subcommand)]
#[command(after_help = "Example: headroom bridge stdio")]
pub(crate) enum BridgeArgs {
    Stdio(BridgeStdioArgs),
    Files(BridgeFilesArgs),
}

/// Take requests as JSON lines on stdin, and print replies and events as JSON lines
///
/// Waits for the daemon when it is not there, and answers meanwhile that it is not. Ends with its
/// input, once every request has its reply.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom bridge stdio <<< '{\"id\": 1, \"op\": \"status\"}'")]
pub(crate) struct BridgeStdioArgs {}

/// Serve front ends that can only read and write files, until you stop it
///
/// DIR is made if it is not there; it must be yours alone (mode 700). A request is a line at the
/// end of DIR/frontend.jsonl, replies and events are lines of DIR/backend.jsonl. Waits for the
/// daemon when it is not there, and subscribes again when it is back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: headroom bridge files panel")]
pub(crate) struct BridgeFilesArgs {
    /// The directory that the front ends share with it
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}
