//! What there is to be seen, gathered: nothing here is judged, and nothing is changed.

use std::ffi::OsString;
use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use headroom_client::ipc::{Profiles, Status};
use headroom_client::{Client, ClientError, daemon_address};
use serde::Deserialize;

use super::place::Place;
use super::realtime::Realtime;
use crate::command::daemon::program;
use crate::on_disk::OnDisk;

/// How long headroomd may take to look. It gives up on PipeWire before that.
const LOOK: Duration = Duration::from_secs(8);
/// How long a daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// All that was seen.
#[derive(Debug)]
pub(crate) struct Sights {
    pub(super) place: Place,
    pub(super) daemon: Daemon,
    pub(super) look: Result<Look, NoLook>,
    pub(super) realtime: Realtime,
    pub(super) on_disk: OnDisk,
    /// Names of this user's processes.
    pub(super) processes: Vec<String>,
}

/// The daemon, as a client finds it.
#[derive(Debug)]
pub(super) enum Daemon {
    Runs {
        status: Box<Status>,
        profiles: Box<Profiles>,
    },
    IsNotThere,
    /// Somebody is there, but cannot be spoken with.
    Fails(String),
}

/// Why nothing is known of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoLook {
    /// There is no headroomd.
    NotInstalled,
    /// It did not do what was asked.
    Failed(String),
}

/// What `headroomd --check` prints. Fields that a later one adds are no matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Look {
    pub(super) version: String,
    pub(super) graph: Graph,
    pub(super) journal: Journal,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Graph {
    pub(super) library: String,
    pub(super) pipewire: Reached,
    pub(super) version: Option<String>,
    pub(super) rate_hz: Option<u32>,
    pub(super) session_manager: Option<SessionManager>,
    pub(super) default_sink: Option<String>,
    pub(super) configured_default_sink: Option<String>,
    pub(super) nodes: Vec<Node>,
    pub(super) targets: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reached {
    #[default]
    Absent,
    Silent,
    Answered,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct SessionManager {
    pub(super) wireplumber: Option<String>,
    pub(super) is_silent: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) media_class: String,
    pub(super) application: String,
    pub(super) rate_hz: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Journal {
    pub(super) path: Option<String>,
    pub(super) default_sink: bool,
    pub(super) streams: usize,
    pub(super) volumes: usize,
    /// Of the streams, those of apps that do not play now.
    pub(super) silent_streams: usize,
    /// The sinks that the others go back to.
    pub(super) stream_sinks: Vec<String>,
    pub(super) volume_sinks: Vec<String>,
    pub(super) error: Option<String>,
}

impl Sights {
    /// Looks at everything.
    pub(crate) fn gather() -> Sights {
        // The daemon first: a lock is nobody's when nobody answers.
        let daemon = daemon();
        let told = match &daemon {
            Daemon::Runs { profiles, .. } => profiles.folders.clone(),
            _ => Vec::new(),
        };
        let pid = match &daemon {
            // Until it is connected it has no audio thread.
            Daemon::Runs { status, .. } if status.graph.pipewire_connected => Some(status.pid),
            _ => None,
        };
        Sights {
            place: Place::look(),
            look: look(&program()),
            realtime: Realtime::look(pid),
            on_disk: OnDisk::read_quietly(&told, &[]),
            processes: super::others::processes(),
            daemon,
        }
    }

    /// The graph, where PipeWire answered.
    pub(super) fn graph(&self) -> Option<&Graph> {
        let graph = &self.look.as_ref().ok()?.graph;
        (graph.pipewire == Reached::Answered).then_some(graph)
    }

    /// Whether a daemon is at work, whether or not it can be spoken with.
    pub(super) fn is_at_work(&self) -> bool {
        !matches!(self.daemon, Daemon::IsNotThere) || self.place.is_held()
    }
}

fn daemon() -> Daemon {
    let asked = daemon_address()
        .and_then(|address| Client::connect_within(&address, PATIENCE))
        .and_then(|mut client| Ok((client.status()?, client.profile_list()?)));
    match asked {
        Ok((status, profiles)) => {
            Daemon::Runs { status: Box::new(status), profiles: Box::new(profiles) }
        }
        Err(ClientError::NotRunning { .. } | ClientError::NoAddress(_)) => Daemon::IsNotThere,
        Err(error) => Daemon::Fails(error.to_string()),
    }
}

/// Has headroomd look at the graph.
fn look(program: &OsString) -> Result<Look, NoLook> {
    let output = ask(program, "--check", LOOK)?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.is_success {
        let said = output.stderr.lines().next_back().unwrap_or("it said nothing").to_owned();
        return Err(NoLook::Failed(said));
    }
    serde_json::from_str(&text).map_err(|error| NoLook::Failed(error.to_string()))
}

/// What a run of headroomd gave.
pub(super) struct Output {
    pub(super) is_success: bool,
    stdout: Vec<u8>,
    pub(super) stderr: String,
}

/// Runs headroomd for one question, and ends it where it takes too long.
pub(super) fn ask(program: &OsString, flag: &str, most: Duration) -> Result<Output, NoLook> {
    let name = program.to_string_lossy().into_owned();
    let failed = |error: io::Error| NoLook::Failed(format!("{name} {flag}: {error}"));
    let spawned = Command::new(program)
        .arg(flag)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(NoLook::NotInstalled),
        spawned => spawned.map_err(failed)?,
    };
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (told, read) = sync_channel(2);
    for (index, pipe) in [
        out.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        err.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ]
    .into_iter()
    .enumerate()
    {
        let Some(mut pipe) = pipe else { continue };
        let told = told.clone();
        let reading = move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            let _ = told.send((index, bytes));
        };
        Builder::new().name("reads".to_owned()).spawn(reading).map_err(failed)?;
    }
    let mut pipes = [Vec::new(), Vec::new()];
    for _ in 0..pipes.len() {
        match read.recv_timeout(most) {
            Ok((index, bytes)) => pipes[index] = bytes,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                let _ = child.kill();
                let _ = child.wait();
                let seconds = most.as_secs();
                return Err(NoLook::Failed(format!("{name} {flag} took longer than {seconds} s")));
            }
        }
    }
    let status = child.wait().map_err(failed)?;
    let [stdout, stderr] = pipes;
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    Ok(Output { is_success: status.success(), stdout, stderr })
}
