//! The device sink: follows the listener's default, or the one that they prefer, when it is there.

use std::time::{Duration, Instant};

use headroom_client::ipc::Code;
use headroom_tests::{Device, Dump, Graph, Setup, on_every_generation};

use crate::control::steered;
use crate::defaults::{Ear, on_a_graph_that_tells};
use crate::setting::{BUS, DEVICE, MASTER, Way, play, tones};

const HEADSET: &str = "headset";
/// What the issue allows from the device's going to the sound's being elsewhere, and what a look at
/// the graph may take on a busy machine.
const LONGEST_MS: f64 = 500.0;
const A_LOOK: Duration = Duration::from_millis(400);

fn headset() -> Device {
    Device::named(HEADSET).priority(700)
}

/// Waits until everything ends up there, and says how long that took.
fn ends_up(graph: &Graph, name: &str, since: Instant) -> Duration {
    let output = format!("{MASTER}.out");
    graph.wait_for(&format!("everything to end up at {name}"), |dump| {
        let others = [DEVICE, "hdmi", HEADSET].into_iter().filter(|other| *other != name);
        let is_there = dump.is_linked(&output, name);
        (is_there && !others.into_iter().any(|other| dump.is_linked(&output, other))).then_some(())
    });
    since.elapsed()
}

/// How many objects the graph has.
fn objects(dump: &Dump) -> usize {
    let entries: usize = dump.metadata.values().map(Vec::len).sum();
    dump.nodes.len() + entries
}

#[test]
fn a_preferred_headset_that_comes_and_goes_ten_times_costs_nothing() {
    on_every_generation(|generation| {
        for promoted in [false, true] {
            let devices = [Device::named(DEVICE), Device::named("hdmi").priority(500), headset()];
            let graph = Setup::default().devices(devices).start(generation);
            let arguments: &[&str] = if promoted { &["--promote"] } else { &[] };
            let (daemon, mut client, _) = steered(&graph, arguments);
            let way = if promoted { Way::Promoted } else { Way::Target };
            let player = play(&graph, way, "app", &tones(300.0, 0.1));
            let wrong = client.sink_use(Some("headphone")).expect_err("there is none");
            assert_eq!(wrong.code(), Some(Code::NotFound), "{wrong}");
            assert!(wrong.to_string().contains(HEADSET), "{wrong}");
            let ours = client.sink_use(Some(BUS)).expect_err("ours");
            assert_eq!(ours.code(), Some(Code::InvalidArgs), "{ours}");

            let told = client.sink_use(Some(HEADSET)).expect("it is there");
            assert_eq!(told.preferred_sink.as_deref(), Some(HEADSET));
            ends_up(&graph, HEADSET, Instant::now());
            // The default of the listener is none of its business.
            let default = if promoted { BUS } else { DEVICE };
            assert_eq!(graph.dump().default_sink().as_deref(), Some(default));

            let mut took = Vec::new();
            let mut first: Option<(usize, u64)> = None;
            for round in 0..10 {
                let gone = Instant::now();
                graph.unplug(HEADSET);
                took.push(ends_up(&graph, DEVICE, gone));
                let back = Instant::now();
                graph.plug(headset());
                took.push(ends_up(&graph, HEADSET, back));
                let now = (objects(&graph.dump()), daemon.usage().resident_bytes);
                let (count, bytes) = *first.get_or_insert(now);
                assert_eq!(now.0, count, "in round {round}: something is left in the graph");
                assert!(
                    now.1 <= bytes + (1 << 20),
                    "in round {round}: {} bytes more",
                    now.1 - bytes
                );
            }
            took.sort();
            let median = took[took.len() / 2];
            println!(
                "{generation}: promoted: {promoted}: {median:?} to follow, {:?} at most",
                took[19]
            );
            // Each includes the tools that unplug and look.
            let longest = Duration::from_secs_f64(LONGEST_MS / 1000.0) + A_LOOK;
            assert!(median <= longest, "{median:?} to follow, of {took:?}");
            assert!(graph.dump().is_linked(player.name(), BUS), "the app has left us");

            // Following the default again.
            let told = client.sink_use(None).expect("always");
            assert_eq!(told.preferred_sink, None);
            ends_up(&graph, DEVICE, Instant::now());
        }
    });
}

#[test]
fn the_default_is_followed_by_itself_and_the_preferred_one_is_remembered() {
    on_every_generation(|generation| {
        on_a_graph_that_tells(generation, || {
            let devices = [Device::named(DEVICE), Device::named("hdmi").priority(500), headset()];
            let graph = Setup::default().devices(devices).start(generation);
            let ear = Ear::of(&graph);
            let (daemon, mut client, _) = steered(&graph, &[]);
            ends_up(&graph, DEVICE, Instant::now());
            ear.hears(&graph, "hdmi")?;
            ends_up(&graph, "hdmi", Instant::now());
            client.sink_use(Some(HEADSET)).expect("it is there");
            ends_up(&graph, HEADSET, Instant::now());
            ear.hears(&graph, DEVICE)?;
            graph.wait_for("the new default to be told", |_| {
                let device = client.status().expect("status").device;
                (device.default_sink.as_deref() == Some(DEVICE)).then_some(())
            });
            assert!(graph.dump().is_linked(&format!("{MASTER}.out"), HEADSET), "it is preferred");
            drop(client);
            daemon.stop();
            let (_daemon, mut client, _) = steered(&graph, &[]);
            ends_up(&graph, HEADSET, Instant::now());
            let device = client.status().expect("status").device;
            assert_eq!(device.preferred_sink.as_deref(), Some(HEADSET));
            Ok(())
        });
    });
}
