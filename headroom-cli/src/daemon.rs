//! The daemon, where a command can do without it.

use headroom_client::{Client, ClientError, endpoint};

use crate::print;

/// A connection to the daemon; nothing where none runs. One that is there but cannot be spoken
/// with is as good as none, but worth a word.
pub(crate) fn connect_if_running() -> Option<Client> {
    match endpoint().and_then(|endpoint| Client::connect(&endpoint)) {
        Ok(client) => Some(client),
        Err(ClientError::NotRunning { .. } | ClientError::NoEndpoint(_)) => None,
        Err(error) => {
            print::warning_line(&format!("{error}: going by the files"));
            None
        }
    }
}
