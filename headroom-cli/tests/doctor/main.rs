//! `headroom doctor`: each finding, with what brings it about made to happen.

#![allow(clippy::unwrap_used, reason = "a home that cannot be made fails its test")]

mod graph;
#[path = "../harness/mod.rs"]
mod harness;
#[path = "../profiles/home.rs"]
mod home;
mod leftovers;
mod mending;
mod patient;
#[path = "../scripted/mod.rs"]
mod scripted;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use harness::Run;
use patient::{Patient, is_fine, of, report, trouble};
use serde_json::json;

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
