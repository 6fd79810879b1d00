//! The sound outlives Headroom: it is killed in the middle of a tone, and the tone goes on, at once
//! and no louder than the listener had asked for.

use headroom_tests::{Generation, Graph, on_every_generation};

use crate::setting::{
    BUS, DEVICE, RATE_HZ, WAYS, Way, headroomd_for, play, settled_levels_dbfs, tones,
};

const LONGEST_GAP_MS: f64 = 100.0;
const QUANTUM: u32 = 1024;
/// -12 dBFS: quieter than the target loudness of a tone would have it, so that the raw app differs.
const AMPLITUDE: f64 = 0.25;
/// 10 ms: short enough to see a click of loudness, long enough for four periods of 440 Hz.
const WINDOW_FRAMES: usize = 480;
/// What a window of whole and broken periods may read over its tone.
const SLACK_DB: f64 = 0.3;

fn is_outlived(generation: &'static Generation, way: Way, slider: f64) {
    let graph = Graph::start(generation);
    graph.force_quantum(QUANTUM);
    let daemon = headroomd_for(&graph, way);
    let recorder = graph.record(DEVICE);
    let client = play(&graph, way, "app", &tones(300.0, AMPLITUDE));
    recorder.wait_until_heard(1e-4, 0);
    graph.set_volume(BUS, slider);
    settled_levels_dbfs(&recorder);

    let killed_at = recorder.frames();
    daemon.kill();
    client.wait_until_linked_to(DEVICE);
    recorder.wait_for_more_frames(RATE_HZ as usize);
    let heard = recorder.stop();

    // What the listener would hear of the app alone at the volume they had set.
    let raw_dbfs = 20.0 * (AMPLITUDE / 2_f64.sqrt() * slider.powi(3)).log10();
    let silent = (AMPLITUDE * slider.powi(3) / 50.0) as f32;
    let after = heard.part(killed_at - QUANTUM as usize, heard.frames());
    let gap_ms: f64 = after.gaps(silent, 24).iter().map(|gap| gap.ms(RATE_HZ)).sum();
    let loudest_dbfs = (0..2)
        .flat_map(|channel| after.level_curve_dbfs(channel, WINDOW_FRAMES))
        .fold(f64::NEG_INFINITY, f64::max);
    println!(
        "{generation}: killed, {way:?}, slider at {slider}: {gap_ms:.1} ms of silence, then \
         {loudest_dbfs:.1} dBFS; the raw app is {raw_dbfs:.1} dBFS"
    );
    assert!(gap_ms <= LONGEST_GAP_MS, "{gap_ms:.1} ms of silence, {way:?}, slider at {slider}");
    assert!(
        loudest_dbfs <= raw_dbfs + SLACK_DB,
        "{loudest_dbfs:.1} dBFS after the kill, where the raw app is {raw_dbfs:.1} dBFS, {way:?}, \
         slider at {slider}"
    );
    // And it is there: not silent, and not at a fraction of what was asked for.
    assert!(loudest_dbfs >= raw_dbfs - 1.0, "{loudest_dbfs:.1} dBFS instead of {raw_dbfs:.1}");
}

#[test]
fn a_kill_is_a_gap_of_a_tenth_of_a_second_at_most_and_no_louder() {
    on_every_generation(|generation| {
        for way in WAYS {
            is_outlived(generation, way, 1.0);
        }
    });
}

#[test]
fn a_kill_at_a_low_volume_is_no_louder_than_the_volume() {
    on_every_generation(|generation| {
        for way in WAYS {
            is_outlived(generation, way, 0.2);
        }
    });
}
