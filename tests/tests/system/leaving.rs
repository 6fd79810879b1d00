//! What Headroom had changed is put back when it is asked to leave.

use std::time::Instant;

use headroom_tests::{
    Device, Dump, Ended, Generation, Graph, MetadataEntry, Setup, on_every_generation,
};

use crate::setting::{BUS, DEVICE, RATE_HZ, WAYS, Way, headroomd_for, play, tones};

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
        let mut second = graph.headroomd(&[]);
        assert_eq!(second.wait(), Ended::Exited(1));
        assert!(second.log().contains("another headroomd is running"), "{}", second.log());
        // Elsewhere it is the only one, but not in this graph.
        let place = format!("--listen=abstract:headroom-{}-{}", second.id(), generation.name());
        let mut elsewhere = graph.headroomd(&[&place]);
        assert_eq!(elsewhere.wait(), Ended::Exited(1), "{}", elsewhere.log());
        assert_eq!(first.ended(), None);
        play(&graph, Way::Target, "app", &tones(10.0, 0.1)).stop();
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
