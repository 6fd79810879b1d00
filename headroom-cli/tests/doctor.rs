//! `headroom doctor`: each finding, with what brings it about made to happen. What there is of a graph
//! is told by a stand-in for `headroomd --check`; the real one is tested on real graphs.

#![allow(clippy::unwrap_used, reason = "a home that cannot be made fails its test")]

#[path = "profiles/home.rs"]
mod home;

mod harness;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;

use harness::{HEADROOM, Run};
use home::Home;
use serde_json::{Value, json};

/// A home with a runtime directory, and a `headroom` that has its own headroomd beside it.
struct Patient(Home);

/// A graph on which nothing is wrong.
fn good_graph() -> Value {
    json!({
        "library": "1.4.2", "pipewire": "answered", "version": "1.4.2", "rate_hz": 48_000,
        "session_manager": {"wireplumber": "0.5.8"}, "default_sink": "speakers",
        "configured_default_sink": null, "targets": [],
        "nodes": [{"name": "speakers", "description": "Speakers", "media_class": "Audio/Sink",
                   "application": "", "pid": null, "rate_hz": 48_000, "is_device": true}],
    })
}

fn no_journal() -> Value {
    json!({"path": "/x", "default_sink": false, "streams": 0, "volumes": 0, "error": null})
}

impl Patient {
    fn new() -> Patient {
        let patient = Patient(Home::new());
        fs::create_dir(patient.0.path("run")).unwrap();
        fs::set_permissions(patient.0.path("run"), PermissionsExt::from_mode(0o700)).unwrap();
        fs::create_dir_all(patient.0.path("bin")).unwrap();
        // A link to it would be followed to what lies beside the original.
        let program = patient.0.path("bin/headroom");
        if fs::hard_link(HEADROOM, &program).is_err() {
            fs::copy(HEADROOM, &program).unwrap();
        }
        patient.tells(&good_graph(), &no_journal());
        patient
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// What headroomd sees from now on. What it puts back it writes down.
    fn tells(&self, graph: &Value, journal: &Value) {
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

    fn is_headroomd(&self, script: &str) {
        // Renamed: the one before may be running still.
        fs::write(self.path("bin/new"), script).unwrap();
        fs::set_permissions(self.path("bin/new"), PermissionsExt::from_mode(0o755)).unwrap();
        fs::rename(self.path("bin/new"), self.path("bin/headroomd")).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        self.around(Command::new(self.path("bin/headroom")), args)
    }

    /// The surroundings of the home, around this command.
    fn around(&self, mut command: Command, args: &[&str]) -> Command {
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
            .env_remove("HEADROOM_SOCKET");
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command(args))
    }

    fn report(&self, args: &[&str]) -> Value {
        report(&self.run(&[args, &["--json"]].concat()))
    }
}

fn report(run: &Run) -> Value {
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {run}"));
    assert_eq!(run.code, Some(i32::from(report["well"] != true)), "{run}");
    report
}

/// What was found of one check, good or bad.
fn of<'r>(report: &'r Value, check: &str) -> Vec<&'r Value> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["check"] == check).collect()
}

/// The one trouble with a check; it says what it means.
#[track_caller]
fn trouble<'r>(report: &'r Value, check: &str, found: &str) -> &'r Value {
    let bad: Vec<_> =
        of(report, check).into_iter().filter(|finding| finding["level"] == "trouble").collect();
    let [one] = bad[..] else { panic!("one trouble with {check} in {report:#}") };
    assert!(one["found"].as_str().unwrap().contains(found), "{one:#}");
    assert!(one["means"].is_string(), "{one:#}");
    one
}

#[track_caller]
fn is_fine(report: &Value, check: &str) {
    for finding in of(report, check) {
        assert_ne!(finding["level"], "trouble", "{finding:#}");
    }
}

#[test]
fn where_nothing_is_wrong_but_that_no_daemon_runs_that_is_said() {
    let patient = Patient::new();
    let report = patient.report(&[]);
    trouble(&report, "headroomd", "it is not running");
    for check in ["runtime directory", "PipeWire", "WirePlumber", "default device", "sample rate"] {
        let [one] = of(&report, check)[..] else { panic!("{check}: {report:#}") };
        assert_eq!(one["level"], "fine", "{one:#}");
    }
    for check in ["leftovers", "profiles", "socket", "lock"] {
        is_fine(&report, check);
    }
    let run = patient.run(&[]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stdout.contains("\n! headroomd           it is not running\n"), "{run}");
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 100), "{run}");
}

#[test]
fn a_runtime_directory_that_is_missing_is_made() {
    let patient = Patient::new();
    fs::remove_dir(patient.path("run")).unwrap();
    trouble(&patient.report(&[]), "runtime directory", "is not there");
    assert!(!patient.path("run").exists(), "without --fix nothing is changed");
    let report = patient.report(&["--fix"]);
    is_fine(&report, "runtime directory");
    assert_eq!(report["mended"].as_array().unwrap().len(), 1, "{report:#}");
    let mode = fs::metadata(patient.path("run")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    // One that others write to is nobody's to change.
    fs::set_permissions(patient.path("run"), PermissionsExt::from_mode(0o777)).unwrap();
    let report = patient.report(&["--fix"]);
    trouble(&report, "runtime directory", "can be written to by others");
    assert_eq!(report["mended"], json!([]), "{report:#}");
}

#[test]
fn a_stale_socket_and_a_stale_lock_are_taken_away() {
    let patient = Patient::new();
    let (socket, lock) = (patient.path("run/headroom/control.sock"), "run/headroom/control.lock");
    patient.0.write(lock, "999999999\n");
    drop(UnixListener::bind(&socket).unwrap());
    let report = patient.report(&[]);
    trouble(&report, "socket", "nobody listens at");
    trouble(&report, "lock", "names a process that is gone");
    let report = patient.report(&["--fix"]);
    is_fine(&report, "socket");
    is_fine(&report, "lock");
    assert!(!socket.exists());
    assert_eq!(fs::read_to_string(patient.path(lock)).unwrap(), "", "the lock itself stays");
    // A lock that is no file keeps every daemon out.
    fs::remove_file(patient.path(lock)).unwrap();
    symlink("elsewhere", patient.path(lock)).unwrap();
    trouble(&patient.report(&[]), "lock", "is no file");
    is_fine(&patient.report(&["--fix"]), "lock");
    assert!(fs::symlink_metadata(patient.path(lock)).is_err());
}

#[test]
fn what_somebody_holds_or_needs_is_left_alone() {
    let patient = Patient::new();
    let lock = patient.0.write("run/headroom/control.lock", "4711\n");
    let file = fs::File::open(&lock).unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let report = patient.report(&["--fix"]);
    let found = trouble(&report, "lock", "process 4711 holds");
    assert_eq!(found["mend"], "kill 4711");
    assert_eq!(fs::read_to_string(&lock).unwrap(), "4711\n");
    drop(file);
    // Something that is no socket may be precious.
    let socket = patient.0.write("run/headroom/control.sock", "precious");
    let report = patient.report(&["--fix"]);
    trouble(&report, "socket", "is no socket");
    assert_eq!(fs::read_to_string(socket).unwrap(), "precious");
}

#[test]
fn profiles_that_fail_are_named_with_their_place() {
    let patient = Patient::new();
    patient.0.write_own("mine", "agc = 3");
    let report = patient.report(&["--fix"]);
    let found = trouble(&report, "profiles", "mine.toml:4:7: agc is 3");
    assert_eq!(found["mend"], "headroom profile edit mine");
    assert!(patient.0.own("mine").exists(), "what a person wrote is not for us to mend");
}

#[test]
fn pipewire_that_is_not_there_hangs_or_is_too_old_is_told_apart() {
    let patient = Patient::new();
    for (reached, found) in [("absent", "is not running"), ("silent", "does not answer within 2 s")]
    {
        patient.tells(&json!({"library": "1.4.2", "pipewire": reached}), &no_journal());
        let report = patient.report(&[]);
        let found = trouble(&report, "PipeWire", found);
        assert!(found["mend"].as_str().unwrap().starts_with("systemctl --user "), "{found:#}");
        assert!(of(&report, "WirePlumber").is_empty(), "nothing is known of it: {report:#}");
    }
    let with = |key: &str, value: Value| {
        let mut graph = good_graph();
        graph[key] = value;
        patient.tells(&graph, &no_journal());
        patient.report(&[])
    };
    trouble(&with("version", "0.3.48".into()), "PipeWire", "Headroom needs 0.3.65 or later");
    trouble(&with("session_manager", Value::Null), "WirePlumber", "not running");
    let old = json!({"wireplumber": "0.4.8"});
    trouble(&with("session_manager", old), "WirePlumber", "needs 0.4.13 or later");
    let unknown = with("session_manager", json!({"wireplumber": null}));
    assert_eq!(of(&unknown, "WirePlumber")[0]["level"], "note");
}

#[test]
fn a_device_that_is_missing_and_a_rate_that_differs_are_found() {
    let patient = Patient::new();
    let with = |key: &str, value: Value| {
        let mut graph = good_graph();
        graph[key] = value;
        patient.tells(&graph, &no_journal());
        patient.report(&[])
    };
    trouble(&with("default_sink", Value::Null), "default device", "there is none");
    trouble(&with("default_sink", "auto_null".into()), "default device", "there is none");
    let gone = with("configured_default_sink", "headset".into());
    let notes = of(&gone, "default device");
    assert_eq!(notes[1]["level"], "note");
    assert!(notes[1]["found"].as_str().unwrap().contains("headset, is not there"), "{gone:#}");
    let report = with("rate_hz", 44_100.into());
    let found = trouble(&report, "sample rate", "44100 Hz, and Speakers at 48000 Hz");
    assert_eq!(found["mend"], "pw-metadata -n settings 0 clock.force-rate 48000");
}

#[test]
fn other_processors_are_found_as_nodes_and_as_processes() {
    let patient = Patient::new();
    let mut graph = good_graph();
    let node = |name: &str| json!({"name": name, "media_class": "Audio/Sink"});
    graph["nodes"].as_array_mut().unwrap().push(node("easyeffects_sink"));
    graph["nodes"].as_array_mut().unwrap().push(node("effect_input.virtual-surround"));
    patient.tells(&graph, &no_journal());
    let report = patient.report(&[]);
    let found = trouble(&report, "other processors", "EasyEffects is in the graph");
    assert_eq!(found["mend"], "easyeffects --quit");
    let chain = of(&report, "other processors").into_iter().find(|one| one["level"] == "note");
    assert!(chain.unwrap()["found"].as_str().unwrap().contains("virtual-surround"), "{report:#}");
    // A script is called as its file is.
    patient.tells(&good_graph(), &no_journal());
    let script = patient.0.write("bin/jamesdsp", "#!/bin/sh\nread line\n");
    fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let mut process = Command::new(&script).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let name = format!("/proc/{}/comm", process.id());
    while fs::read_to_string(&name).unwrap().trim_end() != "jamesdsp" {
        std::thread::yield_now();
    }
    let report = patient.report(&[]);
    drop(process.stdin.take());
    process.wait().unwrap();
    trouble(&report, "other processors", "JamesDSP is running");
}

#[test]
fn without_a_right_to_real_time_and_rtkit_that_is_said() {
    let patient = Patient::new();
    let mut command = Command::new("setpriv");
    if rustix::process::geteuid().is_root() {
        // The superuser may do anything, unless that is taken away.
        command.args(["--bounding-set=-sys_nice,-sys_resource", "--inh-caps=-sys_nice"]);
    } else {
        command.arg("--no-new-privs");
    }
    command.args(["--", "prlimit", "--rtprio=0:0"]).arg(patient.path("bin/headroom"));
    let mut command = patient.around(command, &["--json"]);
    let run = Run::of(command.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere"));
    let found = report(&run);
    let found = trouble(&found, "real-time priority", "the limit is 0 and there is no rtkit");
    assert!(found["mend"].as_str().unwrap().contains("rtkit"), "{found:#}");
}

/// Whether an app is said to be left where headroomd has sent it.
fn stream_is_left(report: &Value) -> bool {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().any(|finding| {
        finding["level"] == "trouble"
            && finding["found"].as_str().unwrap().contains("1 app is sent")
    })
}

#[test]
fn what_a_crash_has_left_is_put_back_by_headroomd() {
    let patient = Patient::new();
    let left = json!({"path": "/x", "default_sink": true, "streams": 2, "volumes": 1});
    let mut promoted = good_graph();
    promoted["default_sink"] = "headroom.main".into();
    promoted["configured_default_sink"] = "headroom.main".into();
    promoted["targets"] = json!([["mpv", "headroom.main"]]);
    let mut with_app = good_graph();
    let mut app = with_app["nodes"][0].clone();
    (app["name"], app["media_class"]) = ("mpv".into(), "Stream/Output/Audio".into());
    with_app["nodes"].as_array_mut().unwrap().push(app);
    for (graph, journal, said) in [
        (with_app.clone(), left, "the default sink is Headroom's, 2 apps are sent to it, 1 device"),
        (promoted, no_journal(), "the default sink is Headroom's, 1 app is sent to it"),
    ] {
        patient.tells(&graph, &journal);
        let report = patient.report(&[]);
        assert_eq!(trouble(&report, "leftovers", said)["can_be_fixed"], true);
        assert!(!patient.path("restored").exists());
        let report = patient.report(&["--fix"]);
        is_fine(&report, "leftovers");
        fs::remove_file(patient.path("restored")).unwrap();
    }
    // What an app or a sink must be there for can wait, and nobody is told to mend it.
    let left = |stream_sink: &str, volume_sink: &str| {
        json!({"path": "/x", "streams": 1, "volumes": 1, "stream_sinks": [stream_sink],
               "volume_sinks": [volume_sink]})
    };
    for (graph, journal, said) in [
        (&with_app, left("headset", "headset"), "and 1 device volume is kept until \"headset\" is"),
        (&with_app, left("speakers", "headset"), "1 device volume is kept until \"headset\""),
        (&good_graph(), left("speakers", "hdmi"), "where 1 app goes and 1 device volume is kept"),
    ] {
        patient.tells(graph, &journal);
        let report = patient.report(&[]);
        let is_it = |finding: &&Value| {
            finding["check"] == "leftovers" && finding["found"].as_str().unwrap().contains(said)
        };
        let found = report["findings"].as_array().unwrap().iter().find(is_it);
        let found = found.unwrap_or_else(|| panic!("no {said:?} in {report:#}"));
        assert_eq!((&found["level"], &found["can_be_fixed"]), (&json!("note"), &json!(false)));
        // What is there is mended all the same.
        let is_left = stream_is_left(&report);
        assert_eq!(is_left, said.starts_with("1 device"), "{report:#}");
    }
    // A journal that cannot be read is told, and left for headroomd.
    let garbled = json!({"path": "/x/journal.toml", "error": "it has no version"});
    patient.tells(&good_graph(), &garbled);
    trouble(&patient.report(&["--fix"]), "leftovers", "/x/journal.toml: it has no version");
    assert!(!patient.path("restored").exists());
    // What could not be put back is said.
    let left = json!({"path": "/x", "default_sink": true});
    patient.tells(&good_graph(), &left);
    let script = fs::read_to_string(patient.path("bin/headroomd")).unwrap();
    let script = script.replace("--restore) ", "--restore) echo 'no PipeWire' >&2; exit 1;; x) ");
    patient.is_headroomd(&script);
    let run = patient.run(&["--fix"]);
    let said = "not mended: putting back what a crash had left: no PipeWire\n";
    assert!(run.code == Some(1) && run.stdout.contains(said), "{run}");
}

#[test]
fn a_headroomd_that_is_missing_or_fails_is_a_finding_itself() {
    let patient = Patient::new();
    patient.is_headroomd("#!/bin/sh\necho 'unexpected argument' >&2\nexit 2\n");
    let report = patient.report(&[]);
    let said = of(&report, "headroomd");
    assert!(said[0]["found"].as_str().unwrap().contains("unexpected argument"), "{report:#}");
    fs::remove_file(patient.path("bin/headroomd")).unwrap();
    let run = Run::of(patient.command(&["--json"]).env("PATH", patient.path("nowhere")));
    let found = report_of_missing(&run);
    assert!(found, "{run}");
}

fn report_of_missing(run: &Run) -> bool {
    let report = report(run);
    of(&report, "headroomd")
        .iter()
        .any(|one| one["found"].as_str().unwrap().contains("there is no headroomd beside"))
}
