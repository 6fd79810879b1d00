//! A home that something is wrong with, and what `headroom doctor` says of it.
//!
//! What there is of a graph is told by a stand-in for `headroomd --check`; the real one is tested on
//! real graphs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{HEADROOM, Run};
use crate::home::Home;

/// A home with a runtime directory, and a `headroom` that has its own headroomd beside it.
pub(crate) struct Patient(pub(crate) Home);

/// What is there where rtkit is, below the folder of the home that holds data.
const RTKIT: &str = "data/dbus-1/system-services/org.freedesktop.RealtimeKit1.service";

/// A graph on which nothing is wrong.
pub(crate) fn good_graph() -> Value {
    json!({
        "library": "1.4.2", "pipewire": "answered", "version": "1.4.2", "rate_hz": 48_000,
        "session_manager": {"wireplumber": "0.5.8"}, "default_sink": "speakers",
        "configured_default_sink": null, "targets": [],
        "nodes": [{"name": "speakers", "description": "Speakers", "media_class": "Audio/Sink",
                   "application": "", "pid": null, "rate_hz": 48_000, "is_device": true}],
    })
}

pub(crate) fn no_journal() -> Value {
    json!({"path": "/x", "default_sink": false, "streams": 0, "volumes": 0, "error": null})
}

impl Patient {
    pub(crate) fn new() -> Patient {
        let patient = Patient(Home::new());
        fs::create_dir(patient.0.path("run")).unwrap();
        fs::set_permissions(patient.0.path("run"), PermissionsExt::from_mode(0o700)).unwrap();
        fs::create_dir_all(patient.0.path("bin")).unwrap();
        // A link to it would be followed to what lies beside the original.
        let program = patient.0.path("bin/headroom");
        if fs::hard_link(HEADROOM, &program).is_err() {
            fs::copy(HEADROOM, &program).unwrap();
        }
        // A system that gives real time to whoever asks, whatever this one does.
        patient.0.write("bus", "");
        patient.0.write(RTKIT, "");
        patient.tells(&good_graph(), &no_journal());
        patient
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// What headroomd sees from now on. What it puts back it writes down.
    pub(crate) fn tells(&self, graph: &Value, journal: &Value) {
        let check = json!({"version": "0.1.0", "graph": graph, "journal": journal});
        let (seen, restored) = (self.0.path("seen.json"), self.0.path("restored"));
        fs::write(&seen, check.to_string()).unwrap();
        let healthy = json!({"version": "0.1.0", "graph": good_graph(), "journal": no_journal()});
        let script = format!(
            "#!/bin/sh\ncase $1 in\n--check) cat '{}';;\n--restore) echo yes >> '{}'\n\
             printf '%s' '{healthy}' > '{}';;\nesac\n",
            seen.display(),
            restored.display(),
            seen.display(),
        );
        self.is_headroomd(&script);
    }

    pub(crate) fn is_headroomd(&self, script: &str) {
        // Renamed: the one before may be running still.
        fs::write(self.path("bin/new"), script).unwrap();
        fs::set_permissions(self.path("bin/new"), PermissionsExt::from_mode(0o755)).unwrap();
        fs::rename(self.path("bin/new"), self.path("bin/headroomd")).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.around(Command::new(self.path("bin/headroom")), args)
    }

    /// The surroundings of the home, around this command.
    pub(crate) fn around(&self, mut command: Command, args: &[&str]) -> Command {
        let model = self.0.command(&[]);
        for (name, value) in model.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .arg("doctor")
            .args(args)
            .current_dir(self.path("bin"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", self.path("bus").display()))
            .env_remove("HEADROOM_SOCKET");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command(args))
    }

    pub(crate) fn report(&self, args: &[&str]) -> Value {
        report(&self.run(&[args, &["--json"]].concat()))
    }
}

pub(crate) fn report(run: &Run) -> Value {
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {run}"));
    assert_eq!(run.code, Some(i32::from(report["well"] != true)), "{run}");
    report
}

/// What was found of one check, good or bad.
pub(crate) fn of<'r>(report: &'r Value, check: &str) -> Vec<&'r Value> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["check"] == check).collect()
}

/// The one trouble with a check; it says what it means, and what mends it.
#[track_caller]
pub(crate) fn trouble<'r>(report: &'r Value, check: &str, found: &str) -> &'r Value {
    let bad: Vec<_> =
        of(report, check).into_iter().filter(|finding| finding["level"] == "trouble").collect();
    let [one] = bad[..] else { panic!("one trouble with {check} in {report:#}") };
    assert!(one["found"].as_str().unwrap().contains(found), "{one:#}");
    assert!(one["means"].is_string() && one["mend"].is_string(), "{one:#}");
    one
}

#[track_caller]
pub(crate) fn is_fine(report: &Value, check: &str) {
    for finding in of(report, check) {
        assert_ne!(finding["level"], "trouble", "{finding:#}");
    }
}
