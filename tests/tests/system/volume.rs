//! The listener's volume on our sink means what it says, at the device, after everything that
//! Headroom does to the programme.

use headroom_tests::{Dump, Ended, Graph, Recorder, on_every_generation};

use crate::setting::{BUS, DEVICE, RATE_HZ, Way, headroomd_for, play, settled_levels_dbfs, tones};

const TOLERANCE_DB: f64 = 0.5;
/// What a slider at that place means: it is cubic.
fn slider_db(slider: f64) -> f64 {
    60.0 * slider.log10()
}

/// The levels of the channels over the half second after a quarter of one, in which a change ramps.
fn levels_after_a_change_dbfs(recorder: &Recorder) -> Vec<f64> {
    let (change, second) = (recorder.frames(), RATE_HZ as usize);
    recorder.wait_for_frames(change + second);
    recorder.so_far().part(change + second / 4, change + second * 3 / 4).levels_dbfs()
}

fn assert_levels(what: &str, levels: &[f64], full: &[f64], expected_db: &[f64]) {
    let changes_db: Vec<f64> = levels.iter().zip(full).map(|(level, full)| level - full).collect();
    println!("{what}: {changes_db:+.2?} dB");
    for ((level, full), expected_db) in levels.iter().zip(full).zip(expected_db) {
        let change_db = level - full;
        assert!(
            (change_db - expected_db).abs() <= TOLERANCE_DB,
            "{what}: {change_db:.2} dB instead of {expected_db:.2} dB"
        );
    }
}

#[test]
fn a_slider_is_that_much_at_the_device() {
    on_every_generation(|generation| {
        for way in [Way::Target, Way::Promoted] {
            let graph = Graph::start(generation);
            let _daemon = headroomd_for(&graph, way);
            let recorder = graph.record(DEVICE);
            let _client = play(&graph, way, "app", &tones(120.0, 0.25));
            recorder.wait_until_heard(1e-4, 0);
            let full = settled_levels_dbfs(&recorder);
            let name = |what: &str| format!("{generation}: {way:?}, {what}");
            println!("{}: {full:.2?} dBFS", name("slider at 1"));

            // The compressor of the default profile is on: it must not see the volume.
            for slider in [0.5, 0.1, 1.0] {
                graph.set_volume(BUS, slider);
                let levels = levels_after_a_change_dbfs(&recorder);
                let what = name(&format!("slider at {slider}"));
                assert_levels(&what, &levels, &full, &[slider_db(slider); 2]);
            }

            graph.set_channel_volumes(BUS, &[0.5, 1.0]);
            let levels = levels_after_a_change_dbfs(&recorder);
            assert_levels(&name("left at 0.5"), &levels, &full, &[slider_db(0.5), 0.0]);
        }
    });
}

#[test]
fn mute_is_silence_and_comes_back_as_it_was() {
    on_every_generation(|generation| {
        for way in [Way::Target, Way::Promoted] {
            let graph = Graph::start(generation);
            let _daemon = headroomd_for(&graph, way);
            let recorder = graph.record(DEVICE);
            let _client = play(&graph, way, "app", &tones(120.0, 0.25));
            recorder.wait_until_heard(1e-4, 0);
            let full = settled_levels_dbfs(&recorder);

            graph.set_mute(BUS, true);
            let muted = levels_after_a_change_dbfs(&recorder);
            println!("{generation}: {way:?}, muted: {muted:.1?} dBFS");
            assert!(muted.iter().all(|level| *level < -120.0), "{way:?}, muted: {muted:?} dBFS");

            graph.set_mute(BUS, false);
            let levels = levels_after_a_change_dbfs(&recorder);
            assert_levels(&format!("{way:?}, unmuted"), &levels, &full, &[0.0; 2]);
        }
    });
}

#[test]
fn a_slider_that_jumps_up_is_not_taken_for_a_burst() {
    on_every_generation(|generation| {
        for way in [Way::Target, Way::Promoted] {
            let graph = Graph::start(generation);
            let _daemon = headroomd_for(&graph, way);
            let recorder = graph.record(DEVICE);
            let _client = play(&graph, way, "app", &tones(120.0, 0.25));
            recorder.wait_until_heard(1e-4, 0);
            let full = settled_levels_dbfs(&recorder);
            graph.set_volume(BUS, 0.1);
            // Long enough for anything that follows the programme to have followed it.
            recorder.wait_for_more_frames(5 * RATE_HZ as usize);

            let change = recorder.frames();
            graph.set_volume(BUS, 1.0);
            recorder.wait_for_frames(change + 3 * RATE_HZ as usize);
            let heard = recorder.so_far();
            let rise = heard
                .first_over(10f32.powf((full[0] as f32) / 20.0), change)
                .expect("the tone is back within three seconds");
            // From 200 ms after it has risen: not lower, as a guard would have it, and not louder.
            let after = heard.part(rise + RATE_HZ as usize / 5, heard.frames());
            for (channel, full) in full.iter().enumerate() {
                for level in after.level_curve_dbfs(channel, 4_800) {
                    let off_db = level - full;
                    assert!(off_db.abs() <= TOLERANCE_DB, "{way:?}: {off_db:+.2} dB after a jump");
                }
            }
            // And never over what it was, in the jump itself.
            let loudest = headroom_tests::peak(&heard.part(change, heard.frames()).channels);
            let steady =
                headroom_tests::peak(&heard.part(heard.frames() - 4_800, heard.frames()).channels);
            let over_db = 20.0 * f64::from(loudest / steady).log10();
            println!("{generation}: {way:?}, jump from 0.1 to 1: {over_db:+.2} dB over at most");
            assert!(over_db <= TOLERANCE_DB, "{way:?}: {over_db:+.2} dB over in a jump");
        }
    });
}

/// What WirePlumber remembers of our sink is from another day, and the device may have been turned
/// down since.
#[test]
fn starting_moves_no_volume_and_shows_the_devices() {
    on_every_generation(|generation| {
        for way in [Way::Target, Way::Promoted] {
            let graph = Graph::start(generation);
            // By its ports: WirePlumber moves a recorder when the default sink changes.
            let ports = ["FL", "FR"].map(|channel| format!("{DEVICE}:monitor_{channel}"));
            let recorder = graph.record_ports(RATE_HZ, &ports.each_ref().map(String::as_str));
            let mut first = None;
            for slider in [1.0, 0.7, 0.2] {
                graph.set_volume(DEVICE, slider);
                let (from, factor) = (recorder.frames(), slider.powi(3));
                let daemon = headroomd_for(&graph, way);
                let client = play(&graph, way, &format!("app-{slider}"), &tones(60.0, 0.25));
                let at = |dump: &Dump, name: &str| {
                    let volumes = &dump.node(name)?.channel_volumes;
                    let shows = volumes.iter().all(|volume| (volume - factor).abs() < 1e-3);
                    (shows && !volumes.is_empty()).then_some(())
                };
                graph.wait_for(&format!("{way:?}: our sink to be at {slider}"), |d| at(d, BUS));
                recorder.wait_until_heard((0.01 * factor) as f32, from);
                recorder.wait_for_more_frames(RATE_HZ as usize);
                let dump = graph.dump();
                assert!(at(&dump, DEVICE).is_some(), "{way:?}: the device has left {slider}");

                // At no moment louder than at full volume, but for the volume.
                let heard = recorder.so_far();
                let loudest = headroom_tests::peak(&heard.part(from, heard.frames()).channels);
                let loudest = f64::from(loudest) / factor;
                let over_db = 20.0 * (loudest / *first.get_or_insert(loudest)).log10();
                println!("{generation}: {way:?}, started at {slider}: {over_db:+.2} dB at most");
                assert!(over_db <= TOLERANCE_DB, "{way:?}, at {slider}: {over_db:+.2} dB over");
                assert_eq!(daemon.stop(), Ended::Exited(0));
                client.stop();
            }
        }
    });
}
