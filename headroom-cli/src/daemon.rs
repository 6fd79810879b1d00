//! The daemon, where a command can do without it.

use std::time::Duration;

use headroom_client::doorbell::{self, Cause};
use headroom_client::ipc::AddressError;
use headroom_client::{Client, ClientError, daemon_address};

use crate::print;

/// How long a daemon that hangs keeps somebody waiting who only wants to write a file.
const PATIENCE: Duration = Duration::from_secs(1);

/// A connection to the daemon; nothing where none runs. One that is there but cannot be spoken
/// with is as good as none, but worth a word.
pub(crate) fn connect_if_running() -> Option<Client> {
    match daemon_address().and_then(|address| Client::connect(&address)) {
        Ok(client) => Some(client),
        Err(
            ClientError::NotRunning { .. }
            | ClientError::NoAddress(AddressError::NoRuntimeDir { .. }),
        ) => None,
        Err(error) => {
            print::warning_line(&format!("{error}: going by the files"));
            None
        }
    }
}

/// Has the daemon read the files that were just written, if one runs (it would find them by itself,
/// but perhaps after the next command), and then rings every program that shows them.
pub(crate) fn tell_of_files() {
    let client = daemon_address().and_then(|address| Client::connect_within(&address, PATIENCE));
    // Whatever is wrong with it is no matter of the files.
    let _ = client.and_then(|mut client| client.profile_reload());
    doorbell::notify(Cause::Profile);
}

/// Where the daemon looks for profiles: its command line and its environment can name folders that
/// nobody else knows. Nothing where none runs.
pub(crate) fn folders() -> Vec<String> {
    let client = daemon_address().and_then(|address| Client::connect_within(&address, PATIENCE));
    let known = client.and_then(|mut client| client.profile_list());
    known.map(|profiles| profiles.folders).unwrap_or_default()
}
