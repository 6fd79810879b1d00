//! What is wrong with the sound server, or stands in the way of the sound.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::patient::{Patient, good_graph, is_fine, no_journal, of, trouble};

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
    let silent = json!({"wireplumber": "0.5.8", "is_silent": true});
    let report = with("session_manager", silent.clone());
    let found = trouble(&report, "WirePlumber", "does not answer");
    assert_eq!(found["mend"], "systemctl --user restart wireplumber");
    is_fine(&report, "PipeWire");
    // Which device is heard is for WirePlumber to say.
    let mut graph = good_graph();
    (graph["session_manager"], graph["default_sink"]) = (silent, Value::Null);
    patient.tells(&graph, &no_journal());
    is_fine(&patient.report(&[]), "default device");
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
    // One of ours that leads nowhere is no device.
    let nodes = json!([{"name": "headroom.main", "media_class": "Audio/Sink"}]);
    let mut graph = good_graph();
    (graph["nodes"], graph["default_sink"]) = (nodes, "headroom.main".into());
    patient.tells(&graph, &no_journal());
    trouble(&patient.report(&[]), "default device", "there is none");
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
