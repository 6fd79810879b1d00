//! What Headroom adds to the way of the sound is what it says it adds, whatever the quantum.

use headroom_tests::{Device, Graph, Setup, on_every_generation, programme};

use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, Way, headroomd, play};

const QUANTA: [u32; 3] = [64, 256, 1024];
const EVERY_FRAMES: usize = 12_000;
/// How many are sent; more than half of those that count must take the same time.
const IMPULSES: usize = 10;
/// `limiter.lookahead_ms` of the default profile, and what its detector may take on top.
const LOOKAHEAD_FRAMES: i64 = 96;
const DETECTOR_FRAMES: i64 = 16;

/// Frames from the app's port to the device's monitor, by an impulse: the same for most of them.
///
/// 0.3.65 shows a device's monitor one quantum late. What Headroom adds is the difference to the
/// same way without it.
fn frames_to_the_device(graph: &Graph, target: &str) -> i64 {
    let impulses = programme::impulses(RATE_HZ, 60.0, EVERY_FRAMES, 2, 0.25);
    let file = graph.write_programme("impulses.wav", RATE_HZ, &impulses);
    let client = graph.play(&file).target(target).start();
    client.wait_until_linked_to(target);
    if target == BUS {
        graph.wait_for_flow(&format!("{BUS}.out"), MASTER);
        graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
    }
    let recorder = graph.record_ports(
        RATE_HZ,
        &[&format!("{}:output_FL", client.name()), &format!("{DEVICE}:monitor_FL")],
    );
    recorder.wait_for_more_frames(IMPULSES * EVERY_FRAMES);
    client.stop();
    let heard = recorder.stop();
    let sent = heard.impulses(0, 0.1, EVERY_FRAMES / 2);
    let arrived = heard.impulses(1, 0.02, EVERY_FRAMES / 2);
    // The first are those of a graph that is being linked. One that falls into a cycle that a busy
    // machine left out never arrives, or later than the others.
    let distances: Vec<i64> = sent
        .iter()
        .skip(2)
        .filter_map(|sent| {
            let next = arrived.iter().find(|arrived| *arrived >= sent)?;
            Some((next - sent) as i64).filter(|distance| *distance < EVERY_FRAMES as i64 / 2)
        })
        .collect();
    let as_long = |way: i64| distances.iter().filter(|distance| **distance == way).count();
    let commonest = distances.iter().copied().max_by_key(|way| as_long(*way));
    let way = commonest.filter(|way| as_long(*way) * 2 > IMPULSES - 2);
    way.unwrap_or_else(|| {
        panic!("most impulses do not take one time: {distances:?} ({sent:?} -> {arrived:?})")
    })
}

#[test]
fn an_impulse_is_as_late_as_is_reported_at_every_quantum() {
    on_every_generation(|generation| {
        for quantum in QUANTA {
            let graph = Graph::start(generation);
            graph.force_quantum(quantum);
            let without = frames_to_the_device(&graph, DEVICE);
            let mut daemon = headroomd(&graph, &[]);
            let with = frames_to_the_device(&graph, BUS);
            let added = with - without;

            let said = daemon.wait_for_log("latency: ");
            let said: i64 = said
                .split_once("latency: ")
                .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok())
                .unwrap_or_else(|| panic!("no number of frames in {said:?}"));
            println!("{generation}: {added} frames added at quantum {quantum}, {said} reported");
            assert_eq!(added, said, "at quantum {quantum}");
            assert!(
                (LOOKAHEAD_FRAMES..=LOOKAHEAD_FRAMES + DETECTOR_FRAMES).contains(&added),
                "{added} frames at quantum {quantum}"
            );
        }
    });
}

#[test]
fn the_apps_own_node_shows_the_latency() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let mut daemon = headroomd(&graph, &[]);
        let silence = programme::silence(RATE_HZ, 60.0, 2);
        let file = graph.write_programme("silence.wav", RATE_HZ, &silence);
        let client = graph.play(&file).target(BUS).start();
        client.wait_until_linked_to(BUS);
        let said = daemon.wait_for_log("latency: ");
        graph.wait_for(&format!("the app's node to show {said:?}"), |dump| {
            let towards_the_device =
                dump.node(client.name())?.latency.iter().find(|l| l.direction == "Input")?;
            said.contains(&format!("latency: {} frames", towards_the_device.max_rate)).then_some(())
        });
        println!("{generation}: the app's node shows {said:?}");
    });
}

/// What the user has found out about the loudspeakers, and set: sound is late by so much, and a film
/// is to wait for it.
const OFFSETS_NS: [i64; 3] = [50_000_000, 80_000_000, 0];

/// Sets the latency offset of the device, as a mixer does.
fn set_offset(graph: &Graph, offset_ns: i64) {
    let id = graph.node(DEVICE).id.to_string();
    graph.tool("pw-cli", &["s", &id, "Props", &format!("{{ latencyOffsetNsec: {offset_ns} }}")]);
}

/// Waits until the app is told that its sound is late by that on its way to `at`.
fn wait_until_told(graph: &Graph, app: &str, at: &str, frames: i64, offset_ns: i64) {
    let what = format!("{app} at {at} to be told of {frames} frames and {offset_ns} ns");
    graph.wait_for(&what, |dump| {
        let told = dump.node(app)?.latency.iter().find(|it| it.direction == "Input")?;
        let is_so = (told.max_rate, told.max_ns) == (frames, offset_ns);
        // The card's own buffer is one quantum, with us and without us.
        (is_so && told.max_quantum == 1.0 && dump.is_flowing(app, at)).then_some(())
    });
}

#[test]
fn an_offset_that_the_user_has_set_on_the_device_is_told_to_the_app_as_without_us() {
    on_every_generation(|generation| {
        let device = Device::named(DEVICE).of_alsa();
        let graph = Setup::default().devices([device]).start(generation);
        let silence = programme::silence(RATE_HZ, 120.0, 2);
        // Without us.
        set_offset(&graph, OFFSETS_NS[0]);
        let file = graph.write_programme("silence.wav", RATE_HZ, &silence);
        let app = graph.play(&file).name("app").start();
        wait_until_told(&graph, "app", DEVICE, 0, OFFSETS_NS[0]);

        // It was set before we came, and it is set anew while the app plays through us; what we
        // add ourselves is on top.
        let mut daemon = headroomd(&graph, &["--promote"]);
        let said = daemon.wait_for_log("latency: ");
        let own =
            said.split_once("latency: ").and_then(|(_, it)| it.split(' ').next()?.parse().ok());
        let own: i64 = own.unwrap_or_else(|| panic!("no number of frames in {said:?}"));
        assert!(own >= LOOKAHEAD_FRAMES, "{own}");
        for offset_ns in OFFSETS_NS {
            set_offset(&graph, offset_ns);
            wait_until_told(&graph, "app", BUS, own, offset_ns);
        }

        // An app that comes after it was set, and then one that is left alone.
        set_offset(&graph, OFFSETS_NS[1]);
        app.stop();
        let late = play(&graph, Way::Promoted, "late", &silence);
        wait_until_told(&graph, "late", BUS, own, OFFSETS_NS[1]);
        daemon.stop();
        wait_until_told(&graph, "late", DEVICE, 0, OFFSETS_NS[1]);
        println!("{generation}: offsets of {OFFSETS_NS:?} ns arrive at the app, and {own} frames");
        late.stop();
    });
}
