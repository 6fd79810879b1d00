//! What Headroom had changed is put back when it is asked to leave.

use std::time::Instant;

use headroom_tests::{
    Device, Dump, Ended, Generation, Graph, MetadataEntry, Service, Setup, on_every_generation,
};

use crate::defaults::{choose_default, default_is};
use crate::setting::{
    BUS, DEVICE, RATE_HZ, WAYS, Way, assert_order, assert_whole, headroomd_for, play, tones,
};

/// How often it leaves while the audio thread is as busy as can be.
const TIMES: usize = 12;

/// What a graph without apps looks like to everyone: its nodes, and who wants what as a default.
fn look(dump: &Dump) -> (Vec<String>, Vec<MetadataEntry>) {
    let mut nodes: Vec<String> = dump.nodes.iter().map(|node| node.name.clone()).collect();
    nodes.sort();
    let mut entries = dump.metadata.get("default").cloned().unwrap_or_default();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    (nodes, entries)
}

fn two_devices(generation: &'static Generation) -> Graph {
    Setup::default()
        .devices([Device::named(DEVICE), Device::named("headphones").priority(500)])
        .start(generation)
}

#[test]
fn the_graph_is_left_as_it_was_found() {
    on_every_generation(|generation| {
        for way in WAYS {
            let graph = two_devices(generation);
            let before = look(&graph.dump());
            let daemon = headroomd_for(&graph, way);
            let client = play(&graph, way, "app", &tones(60.0, 0.1));
            let asked = Instant::now();
            assert_eq!(daemon.stop(), Ended::Exited(0));
            let took = asked.elapsed();
            assert!(took.as_secs_f64() < 2.0, "{took:?} to leave");
            client.wait_until_linked_to(DEVICE);
            client.stop();
            graph.wait_for(&format!("{way:?}: the graph to be {before:?}"), |dump| {
                (look(dump) == before).then_some(())
            });
        }
    });
}

#[test]
fn a_default_that_the_listener_had_chosen_is_their_default_again() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let chosen = "{ \"name\": \"headphones\" }";
        let key = "default.configured.audio.sink";
        graph.tool("pw-metadata", &["0", key, chosen, "Spa:String:JSON"]);
        graph.wait_for("the chosen default", |dump| {
            (dump.default_sink().as_deref() == Some("headphones")).then_some(())
        });
        let before = look(&graph.dump());
        let daemon = headroomd_for(&graph, Way::Promoted);
        // The sound still goes to what they had chosen.
        graph.wait_for_link("headroom.master.out", "headphones");
        assert_eq!(daemon.stop(), Ended::Exited(0));
        graph.wait_for(&format!("the graph to be {before:?}"), |dump| {
            (look(dump) == before).then_some(())
        });
    });
}

#[test]
fn the_volume_of_the_device_is_left_as_the_listener_set_it() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let daemon = headroomd_for(&graph, Way::Promoted);
        let client = play(&graph, Way::Promoted, "app", &tones(60.0, 0.1));
        graph.set_volume(BUS, 0.4);
        graph.wait_for("the device to follow", |dump| {
            let volumes = &dump.node(DEVICE)?.channel_volumes;
            volumes.iter().all(|volume| (volume - 0.064).abs() < 1e-3).then_some(())
        });
        assert_eq!(daemon.stop(), Ended::Exited(0));
        client.wait_until_linked_to(DEVICE);
        let recorder = graph.record(DEVICE);
        recorder.wait_for_more_frames(RATE_HZ as usize);
        let heard = recorder.stop();
        let level = heard.part(heard.frames() - 24_000, heard.frames()).levels_dbfs()[0];
        let expected = 20.0 * (0.1 / 2_f64.sqrt() * 0.064).log10();
        assert!((level - expected).abs() < 0.3, "{level:.2} dBFS instead of {expected:.2}");
    });
}

#[test]
fn a_second_headroomd_refuses_and_harms_nothing() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let mut first = headroomd_for(&graph, Way::Target);
        let app = play(&graph, Way::Target, "app", &tones(60.0, 0.1));
        let recorder = graph.record(DEVICE);
        let from = recorder.wait_until_heard(0.01, 0);
        let mut second = graph.headroomd(&[]);
        assert_eq!(second.wait(), Ended::Exited(1));
        assert!(second.log().contains("another headroomd is running"), "{}", second.log());
        // Elsewhere it is the only one, but not in this graph.
        let place = format!("--listen=abstract:headroom-{}-{}", second.id(), generation.name());
        let mut elsewhere = graph.headroomd(&[&place]);
        assert_eq!(elsewhere.wait(), Ended::Exited(1), "{}", elsewhere.log());
        assert_eq!(first.ended(), None);
        recorder.wait_for_more_frames(RATE_HZ as usize / 2);
        let heard = recorder.since(from);
        assert_whole(&format!("{generation}: beside others that try"), &heard);
        assert_order(&heard, &generation.to_string());
        assert!(graph.dump().is_linked(app.name(), BUS));
    });
}

/// Whoever logs out has all of it ended at once, in whatever order, and finds it so when they come
/// again: the default is theirs, without Headroom and after it.
#[test]
fn a_logout_in_any_order_leaves_the_default_to_the_listener() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        choose_default(&graph, "headphones");
        let file = graph.write_programme("app.wav", RATE_HZ, &tones(60.0, 0.1));
        for is_first in [true, false] {
            let daemon = headroomd_for(&graph, Way::Promoted);
            let player = graph.play(&file).name("app").start();
            player.wait_until_linked_to(BUS);
            graph.wait_for_flow("headroom.master.out", "headphones");
            // WirePlumber has on disk by now that ours was asked for.
            let folder = graph.directory().join("home/.local/state/wireplumber");
            graph.wait_for("WirePlumber to have stored it", |_| {
                std::fs::read_to_string(folder.join("default-nodes"))
                    .ok()?
                    .contains(BUS)
                    .then_some(())
            });
            let stop_others = || {
                graph.stop_service(Service::PipeWire);
                graph.stop_service(Service::WirePlumber);
            };
            if !is_first {
                stop_others();
            }
            let asked = Instant::now();
            assert_eq!(daemon.stop(), Ended::Exited(0));
            let took = asked.elapsed();
            println!("{generation}: left within {took:.0?}, as the first: {is_first}");
            assert!(took.as_secs_f64() <= 1.0, "{took:?}");
            if is_first {
                stop_others();
            }
            drop(player);
            graph.start_service(Service::PipeWire);
            graph.start_service(Service::WirePlumber);
            graph.wait_for("the default to be the listener's", |dump| {
                (dump.default_sink().as_deref() == Some("headphones")).then_some(())
            });
            // The next start knows whom to give it back to, whatever WirePlumber has written down.
            let daemon = headroomd_for(&graph, Way::Promoted);
            assert_eq!(daemon.stop(), Ended::Exited(0));
            default_is(&graph, Some("headphones"), "headphones");
        }
    });
}

/// The audio thread is in the midst of a cycle whenever that is what it does most of the time; what it
/// works with must not be taken away from it.
#[test]
fn leaving_in_the_midst_of_a_cycle_is_clean() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        graph.force_quantum(32);
        let file = graph.write_programme("app.wav", RATE_HZ, &tones(100.0, 0.1));
        let apps = ["one", "two", "three"].map(|name| graph.play(&file).name(name).start());
        for time in 0..TIMES {
            let daemon = headroomd_for(&graph, Way::Routed);
            apps.iter().for_each(|app| app.wait_until_linked_to(BUS));
            assert_eq!(daemon.stop(), Ended::Exited(0), "{generation}: time {time}");
        }
        apps.iter().for_each(|app| app.wait_until_linked_to(DEVICE));
    });
}
