//! Files of profiles, saved while something plays: what a listener hears, and is told.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use headroom_client::Client;
use headroom_client::ipc::{Change, ProfileChange, Topic};
use headroom_tests::{Graph, Recorder, on_every_generation, program};

use crate::control::steered;
use crate::setting::{BUS, DEVICE, RATE_HZ, Way, play, settled_levels_dbfs, tones};

/// Well over the ceilings, of which the tone therefore takes the level.
const AMPLITUDE: f64 = 0.5;
const TOLERANCE_DB: f64 = 0.3;

/// A profile that only limits.
fn text(ceiling: &str) -> String {
    format!(
        "name = \"mine\"\ndescription = \"Only a ceiling\"\n\n[agc]\nenabled = false\n\n\
         [compressor]\nenabled = false\n\n[limiter]\nceiling_dbtp = {ceiling}\n"
    )
}

fn assert_at_ceiling(what: &str, recorder: &Recorder, ceiling_dbtp: f64) {
    for level in settled_levels_dbfs(recorder) {
        // A sine is 3.01 dB under its peak.
        let peak = level + 3.01;
        assert!((peak - ceiling_dbtp).abs() <= TOLERANCE_DB, "{what}: {peak:.2} dBFS");
    }
}

fn validate(file: &Path) -> Output {
    let mut command = Command::new(program("headroom"));
    command.args(["profile", "validate"]).arg(file).output().expect("headroom runs")
}

/// The next that is told of a file that cannot be used.
fn next_failure(client: &mut Client) -> headroom_client::ipc::Profile {
    loop {
        let event = client.next_event(Duration::from_secs(20)).expect("headroomd is there");
        let event = event.expect("a file that is bad is told of");
        if let Change::Profile(ProfileChange::Failed(profile)) = event.change {
            return profile;
        }
    }
}

fn warned(graph: &Graph, client: &mut Client) -> String {
    graph.wait_for("a warning", |_| {
        let warnings = client.status().expect("status").warnings;
        let warning = warnings.into_iter().find(|warning| warning.about == "profile.mine")?;
        Some(warning.message)
    })
}

#[test]
fn a_bad_file_keeps_the_sound_and_is_explained_in_three_places() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let folder = graph.directory().join("home/.config/headroom/profiles");
        fs::create_dir_all(&folder).expect("a folder of profiles");
        let file = folder.join("mine.toml");
        fs::write(&file, text("-12.0")).expect("written");
        let (_daemon, mut client, place) = steered(&graph, &["--profile", "mine"]);
        let mut listener = Client::connect(&place).expect("headroomd is ready");
        listener.subscribe(&[Topic::Profile]).expect("subscribed");
        let app = play(&graph, Way::Target, "app", &tones(300.0, AMPLITUDE));
        let recorder = graph.record(DEVICE);
        recorder.wait_until_heard(1e-3, 0);
        assert_at_ceiling("as it was", &recorder, -12.0);

        // What is wrong, where that is, and what has to be said of it.
        let misspelt = text("-6.0").replace("ceiling_dbtp", "cieling_dbtp");
        let wrong: [(&str, String, u32, u32, &[&str]); 4] = [
            ("a misspelt key", misspelt, 11, 1, &["cieling_dbtp", "did you mean `ceiling_dbtp`"]),
            ("a word for a number", text("\"loud\""), 11, 16, &["\"loud\"", "-24", "0"]),
            ("an open string", text("\"lou"), 11, 20, &[]),
            ("no profile at all", "[limiter".into(), 1, 9, &[]),
        ];
        for (what, text, line, column, said) in wrong {
            fs::write(&file, &text).expect("written");
            let told = next_failure(&mut listener);
            let fault = told.fault.expect("a fault");
            println!("{generation}: {what}: {}", fault.message);
            assert_eq!(told.name, "mine");
            assert_eq!((fault.line, fault.column), (Some(line), Some(column)), "{fault:?}");
            let place = format!("{}:{line}:{column}: ", file.display());
            for words in said.iter().copied().chain([place.as_str()]) {
                assert!(fault.message.contains(words), "{what}: no {words:?} in {fault:?}");
            }
            assert!(warned(&graph, &mut client).contains(&fault.message), "{what}");
            // With no daemon in sight.
            let validated = validate(&file);
            let complaint = String::from_utf8_lossy(&validated.stderr).into_owned();
            assert_eq!(validated.status.code(), Some(1), "{what}: {validated:?}");
            assert!(complaint.contains(&fault.message), "{what}: {complaint:?}, not {fault:?}");
            assert_at_ceiling(what, &recorder, -12.0);
        }

        fs::write(&file, text("-9.0")).expect("written");
        graph.wait_for("the warning to go", |_| {
            let warnings = client.status().expect("status").warnings;
            (!warnings.iter().any(|warning| warning.about == "profile.mine")).then_some(())
        });
        assert_at_ceiling("good again", &recorder, -9.0);
        assert_eq!(validate(&file).status.code(), Some(0));
        let silent = recorder.stop().loud_part(1e-3).gaps(0.001, 24);
        println!("{generation}: gaps in all of that: {silent:?}");
        app.wait_until_linked_to(BUS);
        app.stop();
    });
}

/// An override goes before what a file says, whatever becomes of the file and of the daemon.
#[test]
fn an_override_is_heard_through_a_switch_a_reload_and_a_restart() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let folder = graph.directory().join("home/.config/headroom/profiles");
        fs::create_dir_all(&folder).expect("a folder of profiles");
        let file = folder.join("mine.toml");
        fs::write(&file, text("-12.0")).expect("written");
        let (daemon, mut client, _) = steered(&graph, &[]);
        client.profile_use("mine").expect("in force");
        client.setting_set("limiter.ceiling_dbtp", -9.0).expect("an override");
        let app = play(&graph, Way::Target, "app", &tones(300.0, AMPLITUDE));
        let recorder = graph.record(DEVICE);
        recorder.wait_until_heard(1e-3, 0);
        assert_at_ceiling("overridden", &recorder, -9.0);
        client.profile_use("transparent").expect("in force");
        assert_at_ceiling("another profile", &recorder, -9.0);
        client.profile_use("mine").expect("in force");
        fs::write(&file, text("-15.0")).expect("written");
        graph.wait_for("the file to be read", |_| {
            let setting = client.setting_get("limiter.ceiling_dbtp").expect("a setting");
            (setting.profile_value == (-15.0).into()).then_some(())
        });
        assert_at_ceiling("its file saved", &recorder, -9.0);
        drop(client);
        daemon.stop();
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let status = client.status().expect("status");
        assert_eq!(status.profile, "mine");
        assert_eq!(status.overrides.len(), 1, "{:?}", status.overrides);
        app.wait_until_linked_to(BUS);
        assert_at_ceiling("after a restart", &recorder, -9.0);
        client.setting_clear("limiter.ceiling_dbtp").expect("taken back");
        assert_at_ceiling("taken back", &recorder, -15.0);
        println!(
            "{generation}: -9 dBTP through a switch, a reload and a restart, then -15 dBTP; {} Hz",
            RATE_HZ
        );
        app.stop();
    });
}
