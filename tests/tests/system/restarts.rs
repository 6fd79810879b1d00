//! PipeWire and WirePlumber may come and go, devices too: Headroom follows, and the sound is back.

use std::time::Duration;

use headroom_client::{Address, Client};
use headroom_tests::{
    Deadline, Device, Ended, Graph, Service, Setup, let_pass, on_every_generation, poll,
};

use crate::setting::{
    BUS, DEVICE, MASTER, RATE_HZ, WAYS, Way, assert_whole, headroomd_for, play, tones,
};

/// Without PipeWire it looks at most twice a second whether PipeWire has come.
const QUIET_FOR: Duration = Duration::from_secs(2);
const MOST_WAKE_UPS: u64 = 20;

fn assert_sound_flows(graph: &Graph, way: Way, name: &str) {
    let recorder = graph.record(DEVICE);
    let client = play(graph, way, name, &tones(60.0, 0.1));
    let start = recorder.wait_until_heard(0.01, 0);
    let end = start + 2 * RATE_HZ as usize;
    recorder.wait_for_frames(end);
    client.stop();
    let heard = recorder.stop().part(start + 4_800, end - 4_800);
    assert_whole(&format!("{}: {way:?}, {name}", graph.generation()), &heard);
}

#[test]
fn pipewire_that_is_killed_and_started_again_finds_headroom_there() {
    on_every_generation(|generation| {
        for way in WAYS {
            let graph = Graph::start(generation);
            let mut daemon = headroomd_for(&graph, way);
            assert_sound_flows(&graph, way, "before");
            graph.kill_service(Service::PipeWire);
            graph.kill_service(Service::WirePlumber);
            daemon.wait_for_log("the connection to PipeWire has broken");
            graph.start_service(Service::PipeWire);
            graph.start_service(Service::WirePlumber);
            graph.wait_for_link(&format!("{MASTER}.out"), DEVICE);
            if way == Way::Promoted {
                graph.wait_for("our sink to be the default again", |dump| {
                    (dump.default_sink().as_deref() == Some(BUS)).then_some(())
                });
            }
            assert_sound_flows(&graph, way, "after");
        }
    });
}

#[test]
fn headroom_may_be_there_before_pipewire() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        graph.stop_service(Service::PipeWire);
        graph.stop_service(Service::WirePlumber);
        let name = format!("headroom-early-{}-{}", std::process::id(), generation.name());
        let mut daemon = graph.headroomd(&[&format!("--listen=abstract:{name}")]);
        daemon.wait_for_log("PipeWire is not there");
        let mut client = Client::connect(&Address::Abstract(name)).expect("it answers already");
        // The log says it a moment before the status does.
        let told = poll(Deadline::generous(), || {
            let status = client.status().expect("a status");
            assert!(!status.graph.pipewire_connected, "{status:?}");
            status.warnings.iter().any(|warning| warning.about == "pipewire").then_some(())
        });
        assert!(told.is_some(), "{:?}", client.status());
        // It looks for PipeWire again and again, and says no more of it.
        let (log, used) = (daemon.log(), daemon.usage());
        let_pass(QUIET_FOR);
        let woken = daemon.usage().wake_ups - used.wake_ups;
        println!("{generation}: {woken} wake-ups in {QUIET_FOR:?} without PipeWire");
        assert!(woken <= MOST_WAKE_UPS, "{woken} wake-ups");
        assert_eq!(daemon.log(), log, "it says more");
        graph.start_service(Service::PipeWire);
        graph.start_service(Service::WirePlumber);
        daemon.wait_for_log("ready");
        assert_sound_flows(&graph, Way::Target, "app");
        let status = client.status().expect("a status");
        assert!(status.graph.pipewire_connected, "{status:?}");
        assert!(!status.warnings.iter().any(|warning| warning.about == "pipewire"), "{status:?}");
    });
}

/// Whoever leaves PipeWire while WirePlumber still owes it the metadata's values takes the ears of
/// all others along: nobody is told of any change in it from then on.
fn make_metadata_silent(graph: &Graph) {
    for attempt in 0.. {
        graph.freeze_service(Service::WirePlumber);
        let leaver = graph.start_tool("pw-metadata", &["-n", "default"]);
        leaver.wait_for_log("Found");
        leaver.kill();
        graph.thaw_service(Service::WirePlumber);
        // It is silent when a listener that was there before a write has not heard it by the time
        // that a newcomer has been told.
        let write = |value: &str| {
            graph.tool("pw-metadata", &["-n", "default", "0", "test", value]);
            graph.wait_for("the write", |dump| {
                (dump.metadata("default", 0, "test") == Some(value)).then_some(())
            });
        };
        write(&format!("before {attempt}"));
        let listener = graph.start_tool("pw-metadata", &["-n", "default", "--monitor"]);
        listener.wait_for_log("before");
        write(&format!("after {attempt}"));
        if !listener.log().contains("after") {
            return;
        }
        assert!(attempt < 10, "ten who left early, and the metadata still tells what changes");
    }
}

#[test]
fn a_pipewire_that_tells_of_no_change_does_not_keep_headroom_waiting() {
    on_every_generation(|generation| {
        let graph = Setup::default()
            .devices([Device::named(DEVICE), Device::named("headphones").priority(500)])
            .start(generation);
        make_metadata_silent(&graph);
        let mut daemon = graph.headroomd(&["--promote"]);
        daemon.wait_for_log("ready");
        assert_sound_flows(&graph, Way::Promoted, "app");
        // Somebody else's choice is followed too.
        let chosen = "{ \"name\": \"headphones\" }";
        let key = "default.configured.audio.sink";
        graph.tool("pw-metadata", &["0", key, chosen, "Spa:String:JSON"]);
        let file = graph.write_programme("other.wav", RATE_HZ, &tones(30.0, 0.1));
        let client = graph.play(&file).start();
        daemon.wait_for_log("Headroom is not the default sink any more");
        // What apps play goes there, and through Headroom as the profile says.
        graph.wait_for_link(&format!("{MASTER}.out"), "headphones");
        client.wait_until_linked_to(BUS);
        client.stop();
        assert_eq!(daemon.stop(), Ended::Exited(0));
        assert_eq!(graph.dump().default_sink().as_deref(), Some("headphones"));
    });
}

#[test]
fn a_device_that_comes_unannounced_is_found() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        graph.unplug(DEVICE);
        let mut daemon = graph.headroomd(&[]);
        daemon.wait_for_log("there is no sink to play to");
        make_metadata_silent(&graph);
        graph.plug(Device::named(DEVICE));
        daemon.wait_for_log("ready");
        assert_sound_flows(&graph, Way::Target, "app");
    });
}

#[test]
fn better_headphones_are_followed_and_so_is_their_unplugging() {
    on_every_generation(|generation| {
        for way in WAYS {
            let graph = Graph::start(generation);
            let _daemon = headroomd_for(&graph, way);
            let client = play(&graph, way, "app", &tones(120.0, 0.1));
            let output = format!("{MASTER}.out");
            graph.plug(Device::named("headphones").priority(2000));
            if way != Way::Promoted {
                // They are the default then, and Headroom plays to the default.
                graph.wait_for_link(&output, "headphones");
                graph.unplug("headphones");
                graph.wait_for_link(&output, DEVICE);
            } else {
                // The listener's device goes: the sound must go somewhere else, and come back.
                graph.unplug(DEVICE);
                graph.wait_for_link(&output, "headphones");
                graph.plug(Device::named(DEVICE));
                graph.unplug("headphones");
                graph.wait_for_link(&output, DEVICE);
            }
            let recorder = graph.record(DEVICE);
            recorder.wait_until_heard(0.01, 0);
            assert!(graph.dump().is_linked(client.name(), BUS), "{way:?}: the app has left us");
        }
    });
}

/// Behind which slice of time of a slow WirePlumber Headroom hears that it is there.
const HEADROOM_WAKES_BEHIND: [usize; 4] = [12, 18, 24, 36];

/// PipeWire reads nothing more from who listens to the metadata until WirePlumber has answered, and
/// nothing more from WirePlumber, which sets up our nodes, until their owner has answered. Over one
/// connection the two waited for each other for ever.
#[test]
fn a_wireplumber_that_sets_up_our_nodes_while_we_ask_it_something_comes_up() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let mut daemon = headroomd_for(&graph, Way::Routed);
        let file = graph.write_programme("app.wav", RATE_HZ, &tones(60.0, 0.1));
        let apps = ["one", "two", "three"].map(|name| graph.play(&file).name(name).start());
        apps.iter().for_each(|app| app.wait_until_linked_to(BUS));
        for wakes_behind in HEADROOM_WAKES_BEHIND {
            let were_there = daemon.log().matches("is there").count();
            graph.kill_service(Service::WirePlumber);
            daemon.wait_for_log("WirePlumber is not there");
            daemon.signal(libc::SIGSTOP);
            graph.start_service_slowly(Service::WirePlumber, |slice| {
                if slice == wakes_behind {
                    daemon.signal(libc::SIGCONT);
                }
            });
            graph.wait_for("Headroom to see it", |_| {
                (daemon.log().matches("is there").count() > were_there).then_some(())
            });
        }
        assert_eq!(daemon.ended(), None);
    });
}
