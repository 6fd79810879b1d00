//! The volume of an app that plays alone is what it says, at the device: the AGC does not make up
//! for it.

use headroom_client::Client as Steering;
use headroom_client::ipc::OwnVolume;
use headroom_tests::{Client, Graph, Recorder, on_every_generation};

use crate::control::steered;
use crate::setting::{BUS, DEVICE, RATE_HZ, settled_levels_dbfs, tones};

const TOLERANCE_DB: f64 = 0.5;
/// What a slider at that place means: it is cubic.
fn slider_db(slider: f64) -> f64 {
    60.0 * slider.log10()
}

fn play(graph: &Graph, name: &str, amplitude: f64) -> Client {
    let file = graph.write_programme(&format!("{name}.wav"), RATE_HZ, &tones(300.0, amplitude));
    let client = graph.play(&file).name(name).property("application.name", name).start();
    client.wait_until_linked_to(BUS);
    client
}

fn wait_for_word(graph: &Graph, client: &mut Steering, app: &str, word: OwnVolume) {
    graph.wait_for(&format!("the volume of {app} to be {word:?}"), |_| {
        let streams = client.stream_list().expect("streams").streams;
        streams.iter().any(|it| it.app == app && it.own_volume == Some(word)).then_some(())
    });
}

/// The levels over the last second of so many.
fn levels_after(recorder: &Recorder, seconds: usize) -> Vec<f64> {
    let from = recorder.frames();
    recorder.wait_for_frames(from + seconds * RATE_HZ as usize);
    let heard = recorder.so_far();
    heard
        .part(from + (seconds - 1) * RATE_HZ as usize, from + seconds * RATE_HZ as usize)
        .levels_dbfs()
}

fn assert_change(what: &str, levels: &[f64], full: &[f64], expected_db: f64) {
    let changes: Vec<f64> = levels.iter().zip(full).map(|(level, full)| level - full).collect();
    println!("{what}: {changes:+.2?} dB");
    for change_db in changes {
        let off_db = change_db - expected_db;
        assert!(off_db.abs() <= TOLERANCE_DB, "{what}: {change_db:.2} dB, not {expected_db:.2} dB");
    }
}

#[test]
fn the_slider_of_a_lone_app_is_that_much_at_the_device() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let recorder = graph.record(DEVICE);
        let app = play(&graph, "app", 0.05);
        recorder.wait_until_heard(1e-4, 0);
        wait_for_word(&graph, &mut client, "app", OwnVolume::Kept);
        let full = settled_levels_dbfs(&recorder);
        // Long enough for an AGC that saw the slider to have made up for much of it.
        for slider in [0.5, 0.1, 1.0] {
            graph.set_volume(app.name(), slider);
            let levels = levels_after(&recorder, 4);
            let what = format!("{generation}: the app alone at {slider}");
            assert_change(&what, &levels, &full, slider_db(slider));
        }

        // A second one that plays as well: from then on it is approximate, and said to be.
        graph.set_volume(app.name(), 0.5);
        let low = levels_after(&recorder, 3);
        let change = recorder.frames();
        let other = play(&graph, "other", 0.01);
        wait_for_word(&graph, &mut client, "app", OwnVolume::Approximate);
        wait_for_word(&graph, &mut client, "other", OwnVolume::Approximate);
        other.stop();
        wait_for_word(&graph, &mut client, "app", OwnVolume::Kept);
        recorder.wait_for_more_frames(RATE_HZ as usize);
        // With the other on top it is up to a little louder, and at no moment by more.
        let heard = recorder.so_far();
        let heard = heard.part(change, heard.frames());
        for (channel, low) in low.iter().enumerate() {
            let loudest =
                heard.level_curve_dbfs(channel, 2_400).into_iter().fold(f64::MIN, f64::max);
            println!("{generation}: another comes and goes: {:+.2} dB at most", loudest - low);
            assert!(loudest - low < 6.0, "{:.1} dB up while another came and went", loudest - low);
        }
        let back = levels_after(&recorder, 4);
        assert_change(&format!("{generation}: alone again"), &back, &low, 0.0);
    });
}
