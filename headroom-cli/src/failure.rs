//! How a run ends that did not do what was asked: what is to be said, and with which exit code.
//!
//! 0 done, 1 refused or failed, 2 usage, 3 the daemon cannot be reached; 128 and the signal's number where a signal ended it.

use std::fmt::Display;
use std::process::ExitCode;

use headroom_client::ClientError;
use headroom_client::ipc::Code;

use crate::audio::{ReadError, WriteError};
use crate::print;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    line: Option<String>,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// It was refused, or went wrong.
    pub(crate) fn refused(line: impl Display) -> Failure {
        Failure { line: Some(line.to_string()), hint: None, code: 1 }
    }

    /// What was typed cannot be meant.
    pub(crate) fn usage(line: impl Display) -> Failure {
        Failure { line: Some(line.to_string()), hint: None, code: 2 }
    }

    /// The daemon cannot be reached.
    fn unreachable(line: impl Display) -> Failure {
        Failure { line: Some(line.to_string()), hint: None, code: 3 }
    }

    /// The daemon was asked for a profile by its name.
    pub(crate) fn of_profile(error: ClientError) -> Failure {
        let is_unknown = error.code() == Some(Code::NotFound);
        let failure = Failure::from(error);
        if is_unknown { failure.with_hint("headroom profile list shows all") } else { failure }
    }

    /// What went wrong has been told already.
    pub(crate) fn told() -> Failure {
        Failure { line: None, hint: None, code: 1 }
    }

    /// A signal ended it.
    pub(crate) fn interrupted(signal: u8, what_is_left: impl Display) -> Failure {
        Failure {
            line: Some(format!("interrupted: {what_is_left}")),
            hint: None,
            code: 128_u8.saturating_add(signal),
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Display) -> Failure {
        self.hint = Some(hint.to_string());
        self
    }

    /// What went wrong, in one line, unless it has been told already.
    pub(crate) fn line(&self) -> Option<&str> {
        self.line.as_deref()
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        let failure = Failure::refused(&error);
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Failure {
        let failure = Failure::refused(&error);
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        match &error {
            ClientError::NotRunning { .. } => {
                Failure::unreachable(&error).with_hint("start it with: headroom daemon")
            }
            ClientError::TimedOut { .. } => Failure::unreachable(&error)
                .with_hint("it may hang; its log says more: journalctl --user -t headroomd"),
            _ if error.is_unreachable() => Failure::unreachable(&error),
            ClientError::Refused(error) => Failure::refused(print::refusal(error)),
            _ => Failure::refused(&error),
        }
    }
}
