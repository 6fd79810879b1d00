//! `headroom doctor` on a real graph: what only that has, made to happen one after the other.

use std::path::Path;

use headroom_client::ipc::Route;
use headroom_tests::{Device, Graph, Service, Setup, on_every_generation, program};
use serde_json::Value;

use crate::apps::{self, HEADPHONES, app_named, put, two_devices};
use crate::control::steered;
use crate::defaults::{choose_default, default_is};
use crate::restoring::journal;
use crate::setting::{BUS, DEVICE, MASTER, Way, headroomd_for, play, tones};
use crate::wishes::{app_at_headphones, wait_until_remembered};

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

/// What is said to mend this.
#[track_caller]
fn mend(report: &Value, check: &str, said: &str) -> String {
    let findings = report["findings"].as_array().expect("findings").iter();
    let mut of_check = findings.filter(|finding| finding["check"] == check);
    let is_it = |finding: &&Value| finding["found"].as_str().is_some_and(|it| it.contains(said));
    let finding = of_check.find(is_it).unwrap_or_else(|| panic!("no {said:?} in {report:#}"));
    finding["mend"].as_str().expect("a command").to_owned()
}

/// Types a command in the surroundings of the graph.
fn type_in(graph: &Graph, command: &str) {
    let mut shell = graph.command(Path::new("/bin/sh"));
    let folder = program("headroom").parent().expect("a folder").display().to_string();
    let path = shell.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path);
    let path = path.expect("a path").to_str().expect("text").to_owned();
    shell.env("PATH", format!("{folder}:{path}")).args(["-ec", command]);
    let output = shell.output().expect("it runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {complaint}");
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
        let app = play(&graph, Way::Promoted, "app", &tones(240.0, 0.1));
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
        graph.plug(Device::named("effect_input.chain").priority(1));
        let report = doctor(&graph, &[]);
        assert_found(&report, "other processors", "EasyEffects is in the graph", true);
        assert_found(&report, "sample rate", "48000 Hz, and", true);
        // `--fix` is for none of these, and what is said to mend them does.
        let settings = graph.dump().metadata.get("settings").cloned();
        let report = doctor(&graph, &["--fix"]);
        assert_eq!(report["mended"], serde_json::json!([]), "{report:#}");
        assert_eq!(graph.dump().metadata.get("settings").cloned(), settings);
        type_in(&graph, &mend(&report, "sample rate", "48000 Hz, and"));
        assert_found(&doctor(&graph, &[]), "sample rate", "44100 Hz", false);
        type_in(&graph, &mend(&report, "other processors", "as effect_input.chain"));
        graph.wait_for_link(&format!("{MASTER}.out"), "effect_input.chain");
        type_in(&graph, "headroom sink follow");
        graph.wait_for_link(&format!("{MASTER}.out"), DEVICE);
        graph.unplug("effect_input.chain");
        graph.unplug("easyeffects_sink");

        // The only device goes, and one of ours is the default that leads nowhere.
        graph.unplug(DEVICE);
        graph.wait_for("doctor to miss the device", |_| {
            let is_none = (String::from("there is none"), true);
            found(&doctor(&graph, &[]), "default device").contains(&is_none).then_some(())
        });
        graph.plug(Device::named(DEVICE).rate_hz(44_100));
        graph.wait_for_link(&format!("{MASTER}.out"), DEVICE);
        graph.wait_for("doctor to see it", |_| {
            let is_there = (DEVICE.to_owned(), false);
            found(&doctor(&graph, &[]), "default device").contains(&is_there).then_some(())
        });
        app.wait_until_linked_to(BUS);

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

        graph.stop_service(Service::WirePlumber);
        assert_found(&doctor(&graph, &[]), "WirePlumber", "it is not running", true);
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

#[test]
fn a_wireplumber_that_hangs_is_found_and_looking_takes_no_ears_from_others() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let write = |value: &str| {
            graph.tool("pw-metadata", &["-n", "default", "0", "test", value]);
        };
        write("begin");
        let listener = graph.start_tool("pw-metadata", &["-n", "default", "--monitor"]);
        listener.wait_for_log("begin");
        let is_found = |heard: &str| {
            graph.freeze_service(Service::WirePlumber);
            let report = doctor(&graph, &[]);
            assert_found(&report, "WirePlumber", "it does not answer", true);
            let mend = mend(&report, "WirePlumber", "it does not answer");
            assert_eq!(mend, "systemctl --user restart wireplumber");
            assert_eq!(found(&report, "PipeWire"), [(version(generation.pipewire()), false)]);
            let devices = found(&report, "default device");
            assert!(devices.iter().all(|(_, is_trouble)| !is_trouble), "{report:#}");
            // Who is told to put something back leaves as soon, and no worse.
            let _ =
                graph.command(&program("headroomd")).arg("--restore").output().expect("it runs");
            graph.thaw_service(Service::WirePlumber);
            write(heard);
            listener.wait_for_log(heard);
        };
        is_found("after a look");
        is_found("after another");
        let daemon = headroomd_for(&graph, Way::Promoted);
        is_found("beside the daemon");
        graph.freeze_service(Service::WirePlumber);
        let report = doctor(&graph, &[]);
        assert_found(&report, "default device", DEVICE, false);
        graph.thaw_service(Service::WirePlumber);
        drop(daemon);
    });
}

/// What lies in a folder and is nobody's but the listener's, by its path.
fn listeners_own(graph: &Graph) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![graph.directory().join("home")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if !name.contains("/wireplumber/") && !name.contains("/journal.toml") {
                all.push((name, std::fs::read(&path).expect("a file")));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn all_that_a_crash_has_left_is_mended_and_nothing_else_is_touched() {
    on_every_generation(|generation| {
        let (graph, app) = app_at_headphones(generation);
        choose_default(&graph, DEVICE);
        let daemon = headroomd_for(&graph, Way::Promoted);
        type_in(&graph, "headroom route set app processed");
        app.wait_until_linked_to(BUS);
        let volume = || graph.node(DEVICE).channel_volumes.first().copied().expect("a volume");
        let before = volume();
        graph.set_volume(BUS, 0.3);
        let is_at = |slider: f64| {
            graph.wait_for(&format!("{DEVICE} to be at {slider}"), |_| {
                ((volume() - slider.powi(3)).abs() < 1e-3).then_some(())
            });
        };
        is_at(0.3);
        graph.wait_for("all of it to be noted, and what was set to be stored", |_| {
            let text = std::fs::read_to_string(journal(&graph)).ok()?;
            let is_noted = ["former_default", HEADPHONES];
            // Of the volume nothing is, once the device has it.
            let is_over = !text.contains("[volumes.");
            let state = journal(&graph).with_file_name("state.toml");
            let is_stored = std::fs::read_to_string(state).ok()?.contains("[[routes]]");
            (is_stored && is_over && is_noted.iter().all(|word| text.contains(word))).then_some(())
        });
        daemon.kill();
        app.wait_until_linked_to(DEVICE);
        // As if the kill had come between the note and the change.
        graph.set_volume(DEVICE, before.cbrt());
        let wanted = 0.3_f64.powi(3);
        let change = format!(
            "[volumes.{DEVICE}]\nbefore = {{ factors = [{before:?}, {before:?}], muted = false }}\n\
             wanted = {{ factors = [{wanted:?}, {wanted:?}], muted = false }}\n# end\n"
        );
        let text = std::fs::read_to_string(journal(&graph)).expect("it is left");
        std::fs::write(journal(&graph), text.replace("# end\n", &change)).expect("written");
        // And what else is wrong is not for it.
        let profiles = graph.directory().join("home/.config/headroom/profiles");
        std::fs::create_dir_all(&profiles).expect("made");
        std::fs::write(profiles.join("mine.toml"), "agc = 3").expect("written");
        let (own, settings) =
            (listeners_own(&graph), graph.dump().metadata.get("settings").cloned());
        let report = doctor(&graph, &[]);
        for part in ["the default sink is Headroom's", "1 app is sent", "1 device volume is"] {
            assert_found(&report, "leftovers", part, true);
        }

        let report = doctor(&graph, &["--fix"]);
        assert_found(&report, "leftovers", "nothing behind", false);
        assert_found(&report, "profiles", "mine.toml", true);
        default_is(&graph, Some(DEVICE), DEVICE);
        app.wait_until_linked_to(HEADPHONES);
        wait_until_remembered(&graph, &app, HEADPHONES);
        is_at(0.3);
        assert!(!journal(&graph).exists());
        let said = graph.dump().metadata.get("default").cloned().unwrap_or_default();
        let is_ours = |text: &str| text.contains("headroom");
        let ours = said.iter().find(|entry| is_ours(&entry.key) || is_ours(&entry.value));
        assert_eq!(ours, None, "left in the graph");
        assert_eq!(listeners_own(&graph), own, "a file of the listener's is another");
        assert_eq!(graph.dump().metadata.get("settings").cloned(), settings);
    });
}

#[test]
fn what_waits_for_an_app_is_no_leftover_though_another_plays() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let own = apps::play(&graph, "own", &[("media.role", "Game")]);
        own.wait_until_linked_to(DEVICE);
        put(&graph, &own, HEADPHONES);
        own.wait_until_linked_to(HEADPHONES);
        let (daemon, mut client, _) = steered(&graph, &[]);
        client.route_set(app_named("own"), Route::Processed).expect("a route");
        own.wait_until_linked_to(BUS);
        // What a live daemon holds is no leftover.
        assert_eq!(found(&doctor(&graph, &[]), "leftovers"), []);
        drop(client);
        daemon.kill();
        let _other = apps::play(&graph, "other", &[]);
        assert_found(&doctor(&graph, &[]), "leftovers", "1 app is sent to it", true);
        own.stop();
        graph.wait_for("the app to be gone", |dump| dump.node("own").is_none().then_some(()));
        let waits = ("where 1 app goes is kept until the app plays again".to_owned(), false);
        assert_eq!(found(&doctor(&graph, &[]), "leftovers"), [waits]);
    });
}
