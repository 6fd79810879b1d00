//! What a crash has left, which is put back by headroomd.

use std::fs;

use serde_json::{Value, json};

use crate::patient::{Patient, good_graph, is_fine, no_journal, trouble};

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
    // What an app or a sink must be there for can wait, and nobody is told to mend it: also where
    // another app plays than the one that was moved.
    let left = |silent: usize, stream_sinks: &[&str], volume_sink: &str| {
        json!({"path": "/x", "streams": 1, "volumes": 1, "silent_streams": silent,
               "stream_sinks": stream_sinks, "volume_sinks": [volume_sink]})
    };
    for (graph, journal, said, is_left) in [
        (
            &with_app,
            left(0, &["headset"], "headset"),
            "and 1 device volume is kept until \"headset\" is there again",
            false,
        ),
        (
            &with_app,
            left(0, &["speakers"], "headset"),
            "1 device volume is kept until \"headset\"",
            true,
        ),
        (
            &with_app,
            left(1, &[], "hdmi"),
            "volume is kept until \"hdmi\" is there again and the app plays again",
            false,
        ),
        (&good_graph(), left(1, &[], "speakers"), "1 app goes is kept until the app plays", false),
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
        assert_eq!(stream_is_left(&report), is_left, "{report:#}");
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
    let said = "\n\nnot mended: putting back what a crash had left: no PipeWire\n\n";
    assert!(run.code == Some(1) && run.stdout.contains(said), "{run}");
}
