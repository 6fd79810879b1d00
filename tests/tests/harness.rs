//! The harness against itself: what it plays arrives on its recorder as it was sent, on every
//! generation, and what comes and goes does so without harm.

use std::time::Duration;

use headroom_tests::{
    Device, Generation, Graph, Player, Recording, Service, Setup, let_pass, on_every_generation,
    programme,
};

const RATE_HZ: u32 = 48_000;
const AMPLITUDE: f64 = 0.25;
/// Far below the tones, and passed by them twice in every period.
const SILENT: f32 = 0.001;
/// Half a millisecond: a 440 Hz tone of 0.25 is below [`SILENT`] for less than a tenth of that.
const SHORTEST_GAP_FRAMES: usize = 24;

fn tones() -> Vec<Vec<f32>> {
    programme::tones(RATE_HZ, 3.0, &[440.0, 880.0], AMPLITUDE)
}

/// 440 Hz on the left, 880 Hz on the right, whole, and at the level they were sent.
fn assert_whole(heard: &Recording, seconds: f64) {
    let sound = heard.loud_part(SILENT);
    assert!(sound.seconds() > seconds - 0.3, "only {:.2} s were heard", sound.seconds());
    let gaps = sound.gaps(SILENT, SHORTEST_GAP_FRAMES);
    assert!(gaps.is_empty(), "gaps: {gaps:?}");
    let middle = sound.seconds_part(0.5, seconds - 1.0);
    let sent_dbfs = 20.0 * (AMPLITUDE / 2_f64.sqrt()).log10();
    let (low, high) = (middle.tone_levels_dbfs(440.0), middle.tone_levels_dbfs(880.0));
    assert!(
        (low[0] - sent_dbfs).abs() < 0.1 && (high[1] - sent_dbfs).abs() < 0.1,
        "{low:?} {high:?}"
    );
    assert!(low[1] < -80.0 && high[0] < -80.0, "channels are mixed up: {low:?} {high:?}");
}

#[test]
fn a_tone_from_pw_cat_arrives_whole_and_in_order() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let file = graph.write_programme("tones.wav", RATE_HZ, &tones());
        let recorder = graph.record("speakers");
        graph.play(&file).start().wait_until_ended();
        assert_whole(&recorder.stop(), 3.0);
    });
}

#[test]
fn a_tone_from_paplay_arrives_whole_and_in_order() {
    on_every_generation(|generation| {
        let graph = Setup::default().with_pulse().start(generation);
        let file = graph.write_programme("tones.wav", RATE_HZ, &tones());
        let recorder = graph.record("speakers");
        graph.play(&file).with(Player::PaPlay).start().wait_until_ended();
        assert_whole(&recorder.stop(), 3.0);
    });
}

#[test]
fn a_target_and_a_volume_are_the_clients_own() {
    on_every_generation(|generation| {
        let graph = Setup::default()
            .devices([Device::named("speakers"), Device::named("headphones").priority(500)])
            .with_pulse()
            .start(generation);
        let file = graph.write_programme("tones.wav", RATE_HZ, &tones());
        for player in [Player::PwCat, Player::PaPlay] {
            let recorder = graph.record("headphones");
            let client = graph.play(&file).with(player).target("headphones").volume(0.5).start();
            client.wait_until_linked_to("headphones");
            let start = recorder.wait_until_heard(SILENT, 0);
            recorder.wait_for_frames(start + RATE_HZ as usize);
            client.stop();
            let heard = recorder.stop();
            let level = heard.part(start + 12_000, start + 36_000).levels_dbfs()[0];
            let expected = 20.0 * (0.5 * AMPLITUDE / 2_f64.sqrt()).log10();
            assert!((level - expected).abs() < 0.2, "{player:?}: {level} instead of {expected}");
        }
    });
}

#[test]
fn a_recorder_hears_the_device_at_its_own_volume() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let file = graph.write_programme("tones.wav", RATE_HZ, &tones());
        let recorder = graph.record("speakers");
        graph.set_volume("speakers", 0.5);
        graph.play(&file).start().wait_until_ended();
        let heard = recorder.stop().loud_part(SILENT).seconds_part(0.5, 2.0);
        let expected = 20.0 * (0.125 * AMPLITUDE / 2_f64.sqrt()).log10();
        let level = heard.levels_dbfs()[0];
        assert!((level - expected).abs() < 0.1, "{level} instead of {expected}");
    });
}

#[test]
fn a_device_that_is_pulled_out_and_plugged_in_is_followed() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let long = programme::tones(RATE_HZ, 60.0, &[440.0, 880.0], AMPLITUDE);
        let file = graph.write_programme("long.wav", RATE_HZ, &long);
        let client = graph.play(&file).start();
        client.wait_until_linked_to("speakers");

        graph.plug(Device::named("headphones").priority(2000));
        client.wait_until_linked_to("headphones");
        graph.unplug("headphones");
        client.wait_until_linked_to("speakers");

        graph.plug(Device::named("headphones").priority(2000));
        client.wait_until_linked_to("headphones");
        let recorder = graph.record("headphones");
        recorder.wait_until_heard(0.2, 0);
    });
}

#[test]
fn a_forced_quantum_and_rate_are_the_graphs() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let file =
            graph.write_programme("tones.wav", RATE_HZ, &programme::silence(RATE_HZ, 60.0, 2));
        let _client = graph.play(&file).start();
        for quantum in [64, 1024] {
            graph.force_quantum(quantum);
            graph.wait_for_flow("app-0", "speakers");
            // A driver that runs is asked by pw-top's own means: its clock is in the profiler alone,
            // so what it wakes up is counted instead.
            let rate = cycles_in_a_second(&graph);
            let expected = f64::from(RATE_HZ) / f64::from(quantum);
            assert!(
                rate > expected * 0.7,
                "{rate:.0} wake-ups in a second at quantum {quantum}, where {expected:.0} cycles are due"
            );
        }
    });
}

/// Wake-ups of PipeWire in a second: at least one for each cycle of the graph.
fn cycles_in_a_second(graph: &Graph) -> f64 {
    let (before, start) = (graph.service_usage(Service::PipeWire), std::time::Instant::now());
    let_pass(Duration::from_secs(1));
    let woken = graph.service_usage(Service::PipeWire).wake_ups - before.wake_ups;
    woken as f64 / start.elapsed().as_secs_f64()
}

#[test]
fn pipewire_can_be_stopped_killed_and_started_again() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let file = graph.write_programme("tones.wav", RATE_HZ, &tones());
        graph.plug(Device::named("headphones").priority(2000));
        for end in [Graph::stop_service, Graph::kill_service] {
            // The session manager goes with it, as systemd's units have it.
            end(&graph, Service::PipeWire);
            end(&graph, Service::WirePlumber);
            graph.start_service(Service::PipeWire);
            graph.start_service(Service::WirePlumber);
            let recorder = graph.record("headphones");
            graph.play(&file).start().wait_until_ended();
            assert_whole(&recorder.stop(), 3.0);
        }
    });
}

#[test]
fn wireplumber_can_be_killed_and_started_again() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let file = graph.write_programme("tones.wav", RATE_HZ, &tones());
        graph.kill_service(Service::WirePlumber);
        graph.wait_for("WirePlumber's metadata to go", |dump| {
            dump.metadata("default", 0, "default.audio.sink").is_none().then_some(())
        });
        graph.start_service(Service::WirePlumber);
        // WirePlumber 0.4, when it alone was started again, links nothing in a graph without
        // hardware, whoever plays; so there is nothing to be heard there.
        if generation.wireplumber() >= (0, 5, 0) {
            let recorder = graph.record("speakers");
            graph.play(&file).start().wait_until_ended();
            assert_whole(&recorder.stop(), 3.0);
        }
    });
}

#[test]
fn a_graph_that_is_dropped_leaves_no_process_and_no_file() {
    on_every_generation(|generation| {
        let graph = Setup::default().with_pulse().start(generation);
        let directory = graph.directory().to_owned();
        let file = graph.write_programme("tones.wav", RATE_HZ, &tones());
        let client = graph.play(&file).start();
        assert!(processes_in(&directory) >= 5, "a bus, three services and a client");
        drop(client);
        drop(graph);
        assert_eq!(processes_in(&directory), 0);
        assert!(!directory.exists());
    });
}

/// How many processes have that directory in their environment.
fn processes_in(directory: &std::path::Path) -> usize {
    let text = directory.display().to_string();
    let environments = std::fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter_map(|process| std::fs::read(process.path().join("environ")).ok());
    environments.filter(|bytes| String::from_utf8_lossy(bytes).contains(&text)).count()
}

#[test]
fn both_generations_are_told_apart_by_the_server_itself() {
    on_every_generation(|generation: &Generation| {
        let graph = Graph::start(generation);
        let (major, minor, micro) = generation.pipewire();
        let info = graph.tool("pw-cli", &["info", "0"]);
        assert!(info.contains(&format!("version: \"{major}.{minor}.{micro}\"")), "{info}");
    });
}
