//! A `headroom watch` that has a name: what it can be told from outside, and telling it.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Duration;

use headroom_client::endpoint::{self, BindError, CallError, Endpoint};
use headroom_client::runtime_dir;
use headroom_profile::check_name;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::print;

/// How long one that hangs keeps somebody waiting.
const PATIENCE: Duration = Duration::from_secs(5);

/// What it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Command {
    Pause,
    Resume,
    Stop,
}

/// What it does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Doing {
    Running,
    Paused,
    Stopping,
}

impl endpoint::Command for Command {
    type Response = Doing;
    type Context<'a> = Doing;

    fn process(self, doing: &mut Doing) -> Doing {
        *doing = match self {
            // It is on its way out.
            _ if *doing == Doing::Stopping => Doing::Stopping,
            Command::Pause => Doing::Paused,
            Command::Resume => Doing::Running,
            Command::Stop => Doing::Stopping,
        };
        *doing
    }
}

impl Command {
    fn from_word(word: &str) -> Result<Command, Failure> {
        match word {
            "pause" => Ok(Command::Pause),
            "resume" => Ok(Command::Resume),
            "stop" => Ok(Command::Stop),
            other => Err(Failure::usage(format!(
                "{other:?} is nothing to tell it, but must be pause, resume or stop"
            ))),
        }
    }
}

/// Listens by this name, which must be nobody else's.
pub(super) fn listen(name: &str) -> Result<Endpoint<Command>, Failure> {
    let path = path_of(name)?;
    for directory in path.ancestors().skip(1).take(2).collect::<Vec<_>>().into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                let directory = directory.display();
                return Err(Failure::refused(format!("making {directory}: {error}")));
            }
            _ => {}
        }
    }
    Endpoint::bind(path).map_err(|error| match error {
        BindError::InUse { .. } => {
            Failure::refused(format!("a `headroom watch` called {name} is running already"))
                .with_hint(format!("headroom watch --tell {name} stop ends it"))
        }
        other => Failure::refused(other),
    })
}

/// `headroom watch --tell NAME WORD`.
pub(super) fn tell(name: &str, word: &str) -> Result<(), Failure> {
    let command = Command::from_word(word)?;
    let doing =
        endpoint::call(&command, path_of(name)?, PATIENCE).map_err(|error| match error {
            CallError::NotRunning { .. } => {
                Failure::refused(format!("no `headroom watch` called {name} is running"))
                    .with_hint(format!("headroom watch --name {name} starts one"))
            }
            other => Failure::refused(other),
        })?;
    let now = match doing {
        Doing::Running => "is running",
        Doing::Paused => "is paused",
        Doing::Stopping => "has stopped",
    };
    print::result(&format!("{name} {now}\n"))
}

fn path_of(name: &str) -> Result<PathBuf, Failure> {
    check_name(name).map_err(Failure::usage)?;
    let runtime = runtime_dir().map_err(|_| {
        Failure::refused("a name needs a runtime directory, and XDG_RUNTIME_DIR is not set")
            .with_hint("log in with a session, or set it to a directory that is yours alone")
    })?;
    Ok(runtime.join(format!("headroom/watch/{name}.sock")))
}
