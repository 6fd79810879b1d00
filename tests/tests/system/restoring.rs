//! What a headroomd that was killed has left is put back: by `headroomd --restore`, and by the next
//! start.

use std::path::PathBuf;

use headroom_tests::{Device, Ended, Generation, Graph, Service, Setup, on_every_generation};

use crate::defaults::choose_default;
use crate::setting::{BUS, DEVICE, RATE_HZ, Way, headroomd, headroomd_for, play, tones};

const CHOSEN: &str = "headphones";

fn two_devices(generation: &'static Generation) -> Graph {
    Setup::default()
        .devices([Device::named(DEVICE), Device::named(CHOSEN).priority(500)])
        .start(generation)
}

pub(crate) fn journal(graph: &Graph) -> PathBuf {
    graph.directory().join("home/.local/state/headroom/journal.toml")
}

/// `headroomd --restore`, to its end.
pub(crate) fn restore(graph: &Graph) -> (Ended, String) {
    let mut restoring = graph.headroomd(&["--restore"]);
    let ended = restoring.wait();
    (ended, restoring.log())
}

fn wait_for_default(graph: &Graph, configured: Option<&str>, actual: &str) {
    graph.wait_for(&format!("{configured:?} to be configured, {actual} the default"), |dump| {
        let is_so = dump.configured_default_sink().as_deref() == configured
            && dump.default_sink().as_deref() == Some(actual)
            && dump.metadata("default", 0, "headroom.former.audio.sink").is_none();
        is_so.then_some(())
    });
}

#[test]
fn the_default_of_the_listener_is_put_back_after_a_kill() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        // Once where they had chosen it, and once where nobody had.
        for chosen in [None, Some(CHOSEN)] {
            if let Some(name) = chosen {
                choose_default(&graph, name);
            }
            let actual = chosen.unwrap_or(DEVICE);
            let daemon = headroomd(&graph, &["--promote"]);
            graph.wait_for("our sink to be the default", |dump| {
                (dump.default_sink().as_deref() == Some(BUS)).then_some(())
            });
            let text = std::fs::read_to_string(journal(&graph)).expect("it was noted first");
            assert!(text.contains("former_default") && text.contains(actual), "{text}");
            daemon.kill();
            // By itself the default is theirs again, though ours is still asked for.
            graph.wait_for("the default to be theirs", |dump| {
                (dump.default_sink().as_deref() == Some(actual)).then_some(())
            });
            assert_eq!(graph.dump().configured_default_sink().as_deref(), Some(BUS));
            let (ended, log) = restore(&graph);
            assert_eq!(ended, Ended::Exited(0), "{log}");
            wait_for_default(&graph, chosen, actual);
            assert!(!journal(&graph).exists(), "{log}");
            // Once more does nothing.
            assert_eq!(restore(&graph).0, Ended::Exited(0));
        }
        // The next start does the same, also without being promoted.
        let daemon = headroomd_for(&graph, Way::Promoted);
        daemon.kill();
        let daemon = headroomd(&graph, &[]);
        wait_for_default(&graph, Some(CHOSEN), CHOSEN);
        assert_eq!(daemon.stop(), Ended::Exited(0));
        assert!(!journal(&graph).exists());
    });
}

#[test]
fn the_default_is_put_back_also_when_pipewire_has_died_too() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        choose_default(&graph, CHOSEN);
        let daemon = headroomd_for(&graph, Way::Promoted);
        // WirePlumber writes what it was told a second later.
        let stored = graph.directory().join("home/.local/state/wireplumber/default-nodes");
        graph.wait_for("WirePlumber to have stored it", |_| {
            std::fs::read_to_string(&stored).ok()?.contains(BUS).then_some(())
        });
        daemon.kill();
        graph.stop_service(Service::WirePlumber);
        graph.stop_service(Service::PipeWire);
        // Nobody is there to be told: that is said, and kept.
        let (ended, log) = restore(&graph);
        assert_eq!(ended, Ended::Exited(1), "{log}");
        assert!(log.contains("PipeWire is not there: the default sink stay in"), "{log}");
        assert!(journal(&graph).exists());
        graph.start_service(Service::PipeWire);
        let (ended, log) = restore(&graph);
        assert_eq!(ended, Ended::Exited(1), "{log}");
        assert!(log.contains("WirePlumber does not answer"), "{log}");
        graph.start_service(Service::WirePlumber);
        let (ended, log) = restore(&graph);
        assert_eq!(ended, Ended::Exited(0), "{log}");
        wait_for_default(&graph, Some(CHOSEN), CHOSEN);
        assert!(!journal(&graph).exists());
    });
}

#[test]
fn a_daemon_that_runs_is_left_alone() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let mut daemon = headroomd_for(&graph, Way::Promoted);
        let (ended, log) = restore(&graph);
        assert_eq!(ended, Ended::Exited(0), "{log}");
        assert!(log.contains("another headroomd is running"), "{log}");
        // Also one that listens elsewhere.
        let mut restoring = graph.headroomd(&["--restore", "--listen=abstract:nobody-is-here"]);
        assert_eq!(restoring.wait(), Ended::Exited(0), "{}", restoring.log());
        assert!(restoring.log().contains("a headroomd runs on this PipeWire"));
        assert_eq!(daemon.ended(), None);
        assert_eq!(graph.dump().default_sink().as_deref(), Some(BUS));
        assert!(journal(&graph).exists());
    });
}

#[test]
fn a_volume_is_after_a_kill_what_the_listener_had_set() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let is_at = |name: &'static str, slider: f64, muted: bool| {
            graph.wait_for(&format!("{name} to be at {slider}, muted: {muted}"), |dump| {
                let node = dump.node(name)?;
                let at = |volume: &f64| (volume - slider.powi(3)).abs() < 1e-3;
                let is_so = node.muted == muted && node.channel_volumes.iter().all(at);
                (is_so && !node.channel_volumes.is_empty()).then_some(())
            });
        };
        let daemon = headroomd_for(&graph, Way::Promoted);
        let client = play(&graph, Way::Promoted, "app", &tones(120.0, 0.1));
        let is_over = || {
            graph.wait_for("the change to be struck out", |_| {
                let text = std::fs::read_to_string(journal(&graph)).ok()?;
                (!text.contains("volumes")).then_some(())
            });
        };
        graph.set_volume(BUS, 0.3);
        is_at(DEVICE, 0.3, false);
        is_over();
        daemon.kill();
        client.wait_until_linked_to(DEVICE);
        is_at(DEVICE, 0.3, false);
        // Whoever turns it back to where it was means it: that change was not cut off.
        graph.set_volume(DEVICE, 1.0);
        let daemon = headroomd_for(&graph, Way::Promoted);
        client.wait_until_linked_to(BUS);
        is_at(BUS, 1.0, false);
        is_at(DEVICE, 1.0, false);
        graph.set_volume(BUS, 0.3);
        is_at(DEVICE, 0.3, false);
        is_over();
        daemon.kill();
        client.wait_until_linked_to(DEVICE);
        // A change that the kill has cut off is ended, where that makes it quieter.
        let before = 0.3_f32.powi(3);
        for (wanted, muted, slider) in [(0.2_f32, false, 0.2), (1.0, false, 0.2), (0.2, true, 0.2)]
        {
            let before =
                if slider == 0.2 && (wanted, muted) != (0.2, false) { 0.008 } else { before };
            let wanted = wanted.powi(3);
            let text = format!(
                "version = 1\n[volumes.speakers]\nbefore = {{ factors = [{before}, {before}], muted = \
                 false }}\nwanted = {{ factors = [{wanted}, {wanted}], muted = {muted} }}\n# end\n"
            );
            std::fs::write(journal(&graph), text).expect("written");
            let (ended, log) = restore(&graph);
            assert_eq!(ended, Ended::Exited(0), "{log}");
            is_at(DEVICE, slider, muted);
            assert!(!journal(&graph).exists());
        }
        // What somebody has set since is theirs.
        graph.set_mute(DEVICE, false);
        graph.set_volume(DEVICE, 0.7);
        let text = "version = 1\n[volumes.speakers]\nbefore = { factors = [1.0, 1.0], muted = false }\n\
                    wanted = { factors = [0.001, 0.001], muted = false }\n# end\n";
        std::fs::write(journal(&graph), text).expect("written");
        assert_eq!(restore(&graph).0, Ended::Exited(0));
        is_at(DEVICE, 0.7, false);
        let _daemon = headroomd_for(&graph, Way::Promoted);
        is_at(BUS, 0.7, false);
        is_at(DEVICE, 0.7, false);
    });
}

#[test]
fn a_garbled_journal_is_set_aside_and_what_the_graph_tells_is_put_back() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        choose_default(&graph, CHOSEN);
        headroomd_for(&graph, Way::Promoted).kill();
        std::fs::write(journal(&graph), "version = 1\nformer").expect("written");
        let (ended, log) = restore(&graph);
        assert_eq!(ended, Ended::Exited(0), "{log}");
        assert!(log.contains("journal.toml cannot be used"), "{log}");
        wait_for_default(&graph, Some(CHOSEN), CHOSEN);
        assert!(journal(&graph).with_file_name("journal.toml.bad-1").exists());
        assert!(!journal(&graph).exists());
    });
}

#[test]
fn a_mute_is_silence_through_a_kill() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let daemon = headroomd_for(&graph, Way::Promoted);
        let client = play(&graph, Way::Promoted, "app", &tones(60.0, 0.1));
        let ports = ["speakers:monitor_FL", "speakers:monitor_FR"];
        let recorder = graph.record_ports(RATE_HZ, &ports);
        recorder.wait_until_heard(0.01, 0);
        graph.set_mute(BUS, true);
        graph.wait_for("the device to follow", |dump| dump.node(DEVICE)?.muted.then_some(()));
        recorder.wait_for_more_frames(RATE_HZ as usize / 4);
        let from = recorder.frames();
        daemon.kill();
        client.wait_until_linked_to(DEVICE);
        recorder.wait_for_more_frames(RATE_HZ as usize / 2);
        let heard = recorder.since(from);
        let loudest = headroom_tests::peak(&heard.channels);
        assert!(loudest == 0.0, "{generation}: a sample of {loudest}");
        graph.set_mute(DEVICE, false);
        recorder.wait_until_heard(0.01, recorder.frames());
    });
}
