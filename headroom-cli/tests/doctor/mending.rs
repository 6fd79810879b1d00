//! What `--fix` leaves alone, what the commands of the findings mend, and how doctor ends.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use headroom_client::ipc::{Device, Graph, Profiles, Status, Warning};
use serde_json::json;

use crate::harness::Run;
use crate::patient::{Patient, good_graph, is_fine, no_journal, report, trouble};
use crate::scripted::{Peer, hello, run_beside, status};

/// Everything below a folder: what it is, who may read it, and what is in it.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let found = fs::symlink_metadata(&path).unwrap();
            let text = match found.file_type() {
                kind if kind.is_dir() => {
                    folders.push(path.clone());
                    Vec::new()
                }
                kind if kind.is_symlink() => {
                    fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
                }
                kind if kind.is_file() => fs::read(&path).unwrap(),
                _ => Vec::new(),
            };
            all.insert(path, (found.mode(), text));
        }
    }
    all
}

/// What is another in the two, or in one of them only.
fn changed(patient: &Patient, act: impl FnOnce()) -> Vec<String> {
    let root = patient.path("");
    let before = tree(&root);
    act();
    let after = tree(&root);
    let all = before.keys().chain(after.keys().filter(|path| !before.contains_key(*path)));
    let is_other = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let mut names: Vec<String> = all
        .filter(is_other)
        .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        .collect();
    names.sort();
    names
}

#[test]
fn fix_changes_nothing_that_it_is_not_for() {
    let patient = Patient::new();
    // Wrong in every way that is not for `--fix` to mend.
    patient.0.write_own("mine", "agc = 3");
    patient.0.write("state/headroom/journal.toml", "garbled");
    patient.0.write("state/headroom/state.toml", "version = 1\n");
    patient.0.write("state/wireplumber/default-nodes", "[default-nodes]\n");
    patient.0.write("run/headroom/control.sock", "precious");
    patient.0.write("run/pipewire-0.lock", "");
    let mut graph = good_graph();
    graph["rate_hz"] = 44_100.into();
    graph["session_manager"] = json!({"wireplumber": "0.4.8"});
    let other = json!({"name": "easyeffects_sink", "media_class": "Audio/Sink"});
    graph["nodes"].as_array_mut().unwrap().push(other);
    let garbled = json!({"path": "/x/journal.toml", "error": "it has no version"});
    patient.tells(&graph, &garbled);
    let mut told = json!(null);
    assert_eq!(changed(&patient, || told = patient.report(&["--fix"])), [""; 0]);
    assert_eq!((&told["mended"], &told["not_mended"]), (&json!([]), &json!([])));
    for (check, found) in [
        ("profiles", "agc is 3"),
        ("leftovers", "it has no version"),
        ("socket", "is no socket"),
        ("sample rate", "44100 Hz, and"),
        ("WirePlumber", "needs 0.4.13"),
        ("other processors", "EasyEffects"),
        ("headroomd", "it is not running"),
    ] {
        trouble(&told, check, found);
    }
    // Without `--fix` what it is for is left, too.
    fs::remove_file(patient.path("run/headroom/control.sock")).unwrap();
    drop(UnixListener::bind(patient.path("run/headroom/control.sock")).unwrap());
    patient.0.write("run/headroom/control.lock", "999999999\n");
    let left = json!({"path": "/x", "default_sink": true});
    patient.tells(&graph, &left);
    assert_eq!(changed(&patient, || drop(patient.report(&[]))), [""; 0]);
    // And with it that alone is another. (What was left in the graph the stand-in notes.)
    let mended = changed(&patient, || told = patient.report(&["--fix"]));
    let ours = ["restored", "run/headroom", "seen.json"];
    assert!(mended.iter().any(|name| name == "restored"), "{mended:?}");
    let rest: Vec<_> = mended.iter().filter(|name| !ours.contains(&&name[..])).collect();
    assert_eq!(rest, ["run/headroom/control.lock", "run/headroom/control.sock"]);
    assert_eq!(told["mended"].as_array().unwrap().len(), 2, "{told:#}");
}

/// Types a command that was said to mend something.
fn type_in(patient: &Patient, command: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-ec", command]).stdin(Stdio::null());
    let model = patient.command(&[]);
    for (name, value) in model.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let path = std::env::var("PATH").unwrap_or_default();
    shell.env("PATH", format!("{}:{path}", patient.path("bin").display()));
    shell.env("EDITOR", patient.0.editor("sed -i /agc/d \"$1\""));
    let run = Run::of(&mut shell);
    // Doctor itself ends with what is not mended yet: nothing runs here.
    let code = if command.starts_with("headroom doctor") { 1 } else { 0 };
    assert_eq!(run.code, Some(code), "{run}");
}

/// How a process has ended that was to end by now; one that has not is killed.
fn ended(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap()
}

#[test]
fn the_command_of_a_finding_mends_it() {
    let patient = Patient::new();
    let mend = |check: &str, found: &str| {
        let report = patient.report(&[]);
        type_in(&patient, trouble(&report, check, found)["mend"].as_str().unwrap());
    };
    patient.0.write_own("mine", "agc = 3");
    mend("profiles", "agc is 3");
    assert!(patient.0.own("mine").exists());
    is_fine(&patient.report(&[]), "profiles");

    patient.0.write("run/headroom/control.sock", "in the way");
    mend("socket", "is no socket");
    is_fine(&patient.report(&[]), "socket");

    // Somebody holds the lock, and nobody can reach them.
    let lock = patient.path("run/headroom/control.lock");
    let script = "exec 9<>\"$1\"; flock -n 9; echo $$ >&9; echo held; read -r never";
    let mut holder = Command::new("sh");
    let lock = lock.to_str().unwrap();
    fs::write(lock, "").unwrap();
    holder.args(["-ec", script, "sh", lock]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = holder.spawn().unwrap();
    let mut said = String::new();
    let out = holder.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut said).unwrap();
    assert_eq!(said, "held\n");
    // What it reads from stays open, or it would end by itself.
    let input = holder.stdin.take();
    mend("lock", &format!("process {} holds", holder.id()));
    assert_eq!(ended(&mut holder).signal(), Some(15), "it was to be ended");
    drop(input);
    mend("lock", "names a process that is gone");
    is_fine(&patient.report(&[]), "lock");

    fs::remove_dir_all(patient.path("run")).unwrap();
    mend("runtime directory", "is not there");
    is_fine(&patient.report(&[]), "runtime directory");

    // An address that is none, until it is taken back.
    let of_address = |address: &str| {
        report(&Run::of(patient.command(&["--json"]).env("HEADROOM_SOCKET", address)))
    };
    let told = of_address("not/absolute");
    assert_eq!(trouble(&told, "socket", "not/absolute")["mend"], "unset HEADROOM_SOCKET");
    is_fine(&of_address(""), "socket");
}

/// What doctor says beside a daemon that says this of itself.
fn beside_a_daemon(patient: &Patient, status: &Status, args: &[&str]) -> Run {
    let path = patient.path("run/headroom/control.sock");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let status = status.clone();
    run_beside(&path, &mut patient.command(args), move |listener| {
        let mut peer = Peer::greet(listener, &hello());
        peer.answer("status", &status);
        peer.answer("profile.list", &Profiles::default());
        // Who looks whether anybody listens.
        drop(listener.accept());
    })
}

/// A daemon that nothing is wrong with. It is not said to be connected, as its process is none.
fn healthy() -> Status {
    Status {
        graph: Graph { pipewire_connected: false, ..status().graph },
        device: Device { device_sink: Some("speakers".into()), ..status().device },
        warnings: Vec::new(),
        ..status()
    }
}

#[test]
fn it_ends_with_0_where_all_is_well_and_with_1_where_it_is_not() {
    let patient = Patient::new();
    let run = beside_a_daemon(&patient, &healthy(), &[]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stdout.ends_with("\n\nAll is well.\n"), "{run}");
    assert_eq!(run.stdout.matches("\n! ").count(), 0, "{run}");
    let told = beside_a_daemon(&patient, &healthy(), &["--json", "--fix"]);
    assert_eq!(told.code, Some(0), "{told}");
    let told = report(&told);
    assert_eq!((&told["well"], &told["mended"]), (&json!(true), &json!([])), "{told:#}");
    is_fine(&told, "headroomd");

    // What it warns of is told in what can be typed, and what nobody can do is worth a word.
    let warns = Warning {
        about: "streams".into(),
        message: "mpv is linked to nothing: ask for it with \"route.stream\"".into(),
    };
    let status = Status { warnings: vec![warns], ..healthy() };
    let run = beside_a_daemon(&patient, &status, &["--json"]);
    assert_eq!(run.code, Some(1), "{run}");
    let told = report(&run);
    let found = trouble(&told, "headroomd", "ask for it with \"headroom route stream\"");
    assert_eq!(found["mend"], "headroom route list");
    // Of no device at all doctor itself knows.
    let mut graph = good_graph();
    graph["default_sink"] = "headroom.main".into();
    graph["nodes"] = json!([{"name": "headroom.main", "media_class": "Audio/Sink"}]);
    patient.tells(&graph, &no_journal());
    let none = Status { device: Device::default(), ..healthy() };
    let told = report(&beside_a_daemon(&patient, &none, &["--json"]));
    trouble(&told, "default device", "there is none");
    // What is asked in a way that nobody understands.
    assert_eq!(patient.run(&["--mend"]).code, Some(2));
}

#[test]
fn every_trouble_says_what_it_means_and_what_mends_it() {
    let patient = Patient::new();
    patient.0.write_own("mine", "agc = 3");
    fs::set_permissions(patient.path("run"), PermissionsExt::from_mode(0o777)).unwrap();
    fs::create_dir_all(patient.path("run/headroom/control.sock")).unwrap();
    fs::create_dir_all(patient.path("run/headroom/control.lock")).unwrap();
    let mut graph = good_graph();
    graph["version"] = "0.3.48".into();
    graph["session_manager"] = json!(null);
    graph["rate_hz"] = 44_100.into();
    let other = json!({"name": "easyeffects_sink", "media_class": "Audio/Sink"});
    graph["nodes"].as_array_mut().unwrap().push(other);
    let left = json!({"path": "/x/journal.toml", "error": "garbled", "default_sink": true});
    patient.tells(&graph, &left);
    let told = patient.report(&[]);
    let all = told["findings"].as_array().unwrap().iter();
    let bad: Vec<_> = all.filter(|finding| finding["level"] == "trouble").collect();
    assert!(bad.len() >= 10, "{told:#}");
    for finding in bad {
        assert!(finding["means"].is_string() && finding["mend"].is_string(), "{finding:#}");
    }
}
