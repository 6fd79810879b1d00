//! `headroom doctor` on a real graph: what only that has, made to happen one after the other.

use headroom_tests::{Device, Graph, Service, Setup, on_every_generation};
use serde_json::Value;

use crate::restoring::journal;
use crate::setting::{DEVICE, Way, headroomd_for, play, tones};

/// What doctor says, as `--json` has it.
fn doctor(graph: &Graph, arguments: &[&str]) -> Value {
    let output = graph.headroom(&[&["doctor", "--json"], arguments].concat());
    let (said, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let report: Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{complaint}"));
    let is_well = report["well"] == true;
    assert_eq!(output.status.code(), Some(i32::from(!is_well)), "{report:#}");
    report
}

/// What was found of one check, and whether that is trouble.
fn found(report: &Value, check: &str) -> Vec<(String, bool)> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let of_check = findings.filter(|finding| finding["check"] == check);
    let text = |finding: &Value| finding["found"].as_str().expect("a sentence").to_owned();
    of_check.map(|finding| (text(finding), finding["level"] == "trouble")).collect()
}

#[track_caller]
fn assert_found(report: &Value, check: &str, said: &str, is_trouble: bool) {
    let is_it = |(text, trouble): &(String, bool)| text.contains(said) && *trouble == is_trouble;
    let found = found(report, check);
    assert!(found.iter().any(is_it), "{check}: no {said:?} (trouble: {is_trouble}) in {report:#}");
}

fn version((major, minor, micro): (u32, u32, u32)) -> String {
    format!("{major}.{minor}.{micro} runs")
}

#[test]
fn what_is_wrong_with_a_real_graph_is_found_and_what_is_not_is_not() {
    on_every_generation(|generation| {
        let graph =
            Setup::default().devices([Device::named(DEVICE).rate_hz(44_100)]).start(generation);
        graph.force_rate(44_100);
        let mut daemon = headroomd_for(&graph, Way::Promoted);
        let app = play(&graph, Way::Promoted, "app", &tones(120.0, 0.1));
        let report = doctor(&graph, &[]);
        assert_found(&report, "PipeWire", &version(generation.pipewire()), false);
        assert_found(&report, "WirePlumber", &version(generation.wireplumber()), false);
        assert_found(&report, "headroomd", "runs with profile default", false);
        assert_found(&report, "default device", DEVICE, false);
        assert_found(&report, "sample rate", "44100 Hz", false);
        assert_found(&report, "other processors", "none", false);
        assert_eq!(
            found(&report, "leftovers"),
            [],
            "what the daemon has changed is as it should be"
        );
        let priority = found(&report, "real-time priority");
        assert!(matches!(&priority[..], [(said, _)] if said.contains("headroomd's audio thread")));

        graph.force_rate(48_000);
        graph.plug(Device::named("easyeffects_sink").priority(1));
        let report = doctor(&graph, &[]);
        assert_found(&report, "other processors", "EasyEffects is in the graph", true);
        assert_found(&report, "sample rate", "48000 Hz, and", true);
        graph.unplug("easyeffects_sink");

        daemon.signal(9);
        daemon.wait();
        let report = doctor(&graph, &[]);
        assert_found(&report, "headroomd", "it is not running", true);
        assert_found(&report, "leftovers", "the default sink is Headroom's", true);
        assert_found(&report, "socket", "nobody listens at", true);
        assert_found(&report, "lock", "names a process that is gone", true);

        // And mended, in the graph too: what doctor says of itself is no witness.
        let report = doctor(&graph, &["--fix"]);
        for check in ["leftovers", "socket", "lock"] {
            assert!(found(&report, check).iter().all(|(_, trouble)| !trouble), "{report:#}");
        }
        let dump = graph.dump();
        assert_eq!(dump.configured_default_sink(), None, "nobody had asked for one");
        let entries = dump.metadata.get("default").cloned().unwrap_or_default();
        let ours = entries
            .iter()
            .find(|entry| entry.key.contains("headroom") || entry.value.contains("headroom"));
        assert_eq!(ours, None, "left in the graph");
        assert!(!journal(&graph).exists());
        app.wait_until_linked_to(DEVICE);

        graph.freeze_service(Service::PipeWire);
        let report = doctor(&graph, &[]);
        assert_found(&report, "PipeWire", "does not answer within 2 s", true);
        graph.thaw_service(Service::PipeWire);
        drop(app);
        graph.stop_service(Service::PipeWire);
        let report = doctor(&graph, &[]);
        assert_found(&report, "PipeWire", "it is not running for this user", true);
    });
}
