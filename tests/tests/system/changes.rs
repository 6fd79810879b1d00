//! The quantum and the rate of the graph change while sound plays: it goes on, as loud as before, and
//! what Headroom tells of them is what they are.

use headroom_client::Client;
use headroom_client::ipc::SettingValue;
use headroom_tests::{Generation, Graph, Node, Recorder, on_every_generation};

use crate::control::steered;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, Way, play, settled_levels_dbfs, tones};

/// What the graph is forced to, one after the other: quantum and rate.
const STEPS: [(u32, u32); 12] = [
    (1_024, 48_000),
    (32, 48_000),
    (8_192, 48_000),
    (256, 48_000),
    (1_024, 44_100),
    (1_024, 96_000),
    (64, 96_000),
    (2_048, 192_000),
    (8_192, 192_000),
    (512, 44_100),
    (2_048, 88_200),
    (1_024, 48_000),
];
/// How much another level a step may be.
const LEVEL_DB: f64 = 0.3;
/// How much more of a tone is on its own side than on the other, at least: gaps smear a tone.
const LEAST_APART_DB: f64 = 10.0;
/// A step of half a second that is silent for longer than this has no level.
const MOSTLY_SILENT_MS: f64 = 250.0;
/// What a few cycles that a machine misses are.
const SLACK_MS: f64 = 100.0;
/// How often the whole is tried: a busy machine puts silences into one with Headroom or without.
const TRIES: usize = 3;

/// What was heard of one step once the change itself was over, which costs a part of one old or new
/// quantum and a new agreement on the format.
struct Steady {
    silence_ms: f64,
    levels_dbfs: Vec<f64>,
    /// How much more each tone is on its own side than on the other: 440 Hz left, 880 Hz right.
    apart_db: f64,
}

/// Goes through all steps while it is recorded.
fn go_through(
    graph: &Graph,
    recorder: &Recorder,
    mut is_told: impl FnMut(u32, u32),
) -> Vec<Steady> {
    let steady = |(quantum, rate_hz): (u32, u32)| {
        graph.force_rate(rate_hz);
        graph.force_quantum(quantum);
        is_told(quantum, rate_hz);
        // The longest of these quanta is 171 ms.
        recorder.wait_for_more_frames(RATE_HZ as usize * 2 / 5);
        let from = recorder.frames();
        recorder.wait_for_more_frames(RATE_HZ as usize / 2);
        let heard = recorder.since(from);
        let silence_ms = heard.gaps(0.002, 48).iter().map(|gap| gap.ms(RATE_HZ)).sum();
        // A cycle of 32 frames that the machine misses tells nothing of the level.
        let levels_dbfs = heard.sine_levels_dbfs();
        let (low, high) = (heard.tone_levels_dbfs(440.0), heard.tone_levels_dbfs(880.0));
        let apart_db = (low[0] - low[1]).min(high[1] - high[0]);
        Steady { silence_ms, levels_dbfs, apart_db }
    };
    STEPS.map(steady).into()
}

fn silence_ms(steps: &[Steady]) -> f64 {
    steps.iter().map(|step| step.silence_ms).sum()
}

/// Waits until Headroom tells the rate and the latency as they are now, and the quantum where PipeWire
/// tells of it: 0.3.65 says nothing to a stream when the quantum alone is another.
fn assert_told(graph: &Graph, client: &mut Client, quantum: u32, rate_hz: u32, lookahead_ms: f32) {
    let what = format!("quantum {quantum} and {rate_hz} Hz to be told");
    let tells_quantum = graph.generation().pipewire() >= (1, 0, 0);
    graph.wait_for(&what, |dump| {
        let device = client.status().ok()?.device;
        // And so is the app, by PipeWire; 0.3.65 loses a player at some of these changes.
        let frames = i64::from(device.latency_frames);
        let is_told_so = |app: &Node| {
            app.latency.iter().any(|it| it.direction == "Input" && it.max_rate == frames)
        };
        let is_told = dump.node("app").is_none_or(is_told_so)
            && device.rate_hz == Some(rate_hz)
            && (!tells_quantum || device.quantum_frames == Some(quantum));
        // The look-ahead is a time: at another rate it is another number of frames.
        let ms = device.latency_frames as f32 * 1_000.0 / rate_hz as f32;
        let is_late = ms >= lookahead_ms && ms <= lookahead_ms + 0.6;
        (is_told && is_late && device.latency_ms.is_some_and(|told| (told - ms).abs() < 0.01))
            .then_some(())
    });
}

/// The same app with Headroom and without it. Gives whether it had no more silence with Headroom.
fn is_as_whole_as_without(graph: &Graph, generation: &Generation) -> bool {
    let recorder = graph.record(DEVICE);
    let alone = graph.play(&graph.audio_file("tones.wav")).name("alone").start();
    alone.wait_until_linked_to(DEVICE);
    recorder.wait_until_heard(0.01, 0);
    let without = go_through(graph, &recorder, |_, _| {});
    let without_ms = silence_ms(&without);
    alone.stop();

    let (mut daemon, mut client, _) = steered(graph, &[]);
    let lookahead = client.setting_get("limiter.lookahead_ms").expect("a setting").value;
    let SettingValue::Number(lookahead_ms) = lookahead else { panic!("{lookahead:?}") };
    let app = play(graph, Way::Routed, "app", &tones(100.0, 0.1));
    recorder.wait_until_heard(0.01, recorder.frames());
    let settled = settled_levels_dbfs(&recorder);
    let steps = go_through(graph, &recorder, |quantum, rate_hz| {
        assert_told(graph, &mut client, quantum, rate_hz, lookahead_ms);
    });
    for (((quantum, rate_hz), step), without) in STEPS.iter().zip(&steps).zip(&without) {
        let levels = &step.levels_dbfs;
        println!(
            "{generation}: quantum {quantum}, {rate_hz} Hz: {levels:.2?} dBFS, {:.0} ms of silence, \
             without Headroom {:.2?} dBFS, {:.0} ms",
            step.silence_ms, without.levels_dbfs, without.silence_ms
        );
        // 0.3.65 is silent for seconds after some changes, with Headroom or without it.
        if step.silence_ms > MOSTLY_SILENT_MS {
            continue;
        }
        assert!(step.apart_db >= LEAST_APART_DB, "channels mixed: {:.0} dB", step.apart_db);
        for (level, settled) in levels.iter().zip(&settled) {
            assert!((level - settled).abs() <= LEVEL_DB, "{levels:.2?}, before {settled:.2}");
        }
    }
    let with_ms = silence_ms(&steps);
    assert_eq!(daemon.ended(), None);
    // 0.3.65 loses a player at some of these changes, and does so without Headroom too.
    let is_lost =
        |steps: &[Steady]| steps.last().is_some_and(|last| last.silence_ms > MOSTLY_SILENT_MS);
    let dump = graph.dump();
    let goes_on = dump.is_flowing(app.name(), BUS)
        && dump.is_flowing(&format!("{MASTER}.out"), DEVICE)
        || is_lost(&without);
    println!("{generation}: {with_ms:.0} ms of silence, without Headroom {without_ms:.0} ms");
    app.stop();
    goes_on && with_ms <= without_ms * 1.1 + SLACK_MS
}

#[test]
fn a_quantum_and_a_rate_may_change_while_sound_plays() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        graph.force_quantum(1_024);
        graph.write_programme("tones.wav", RATE_HZ, &tones(60.0, 0.1));
        let is_whole = (0..TRIES).any(|_| is_as_whole_as_without(&graph, generation));
        assert!(is_whole, "more silence with Headroom than without, every time");
    });
}

#[test]
fn another_quantum_is_told_while_sound_plays_also_where_pipewire_says_nothing_of_it() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        graph.force_quantum(1_024);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let _app = play(&graph, Way::Routed, "app", &tones(60.0, 0.1));
        for quantum in [1_024, 256, 2_048, 512] {
            graph.force_quantum(quantum);
            graph.wait_for(&format!("quantum {quantum} to be told"), |_| {
                let device = client.status().ok()?.device;
                (device.quantum_frames == Some(quantum)).then_some(())
            });
        }
    });
}
