//! Every app comes out at the target loudness, whatever it sends: judged by ffmpeg's `ebur128`
//! filter on what the device received.

use headroom_signals::speech::Pauses;
use headroom_signals::{Programme, judge::ffmpeg, music, noise, speech};
use headroom_tests::{Generation, Graph, on_every_generation};

use crate::setting::{BUS, DEVICE, RATE_HZ, headroomd};

/// `agc.target_lufs` of the default profile.
const TARGET_LUFS: f64 = -18.0;
const TOLERANCE_LU: f64 = 0.5;
const SENT_LUFS: [f64; 2] = [-33.0, -5.0];
/// The AGC starts from nothing in each of these, so the first part is its own.
const FROM_S: f64 = 20.0;
const TO_S: f64 = 40.0;

type Kind = (&'static str, fn() -> Programme);

fn pink() -> Programme {
    noise::pink(RATE_HZ, 2, TO_S + 1.0, 1)
}
fn speech() -> Programme {
    speech::speech_like(RATE_HZ, 2, TO_S + 1.0, Pauses::OneSecond, 3)
}
fn music() -> Programme {
    music::music_like(RATE_HZ, 2, TO_S + 1.0, 3)
}
fn slow_swell() -> Programme {
    noise::amplitude_modulated(RATE_HZ, 2, TO_S + 1.0, 0.7, 12.0, 4)
}
fn fast_swell() -> Programme {
    noise::amplitude_modulated(RATE_HZ, 2, TO_S + 1.0, 4.0, 12.0, 5)
}

/// Plays a programme through a graph of its own; returns the integrated loudness at the device.
fn through_the_graph(generation: &'static Generation, programme: &Programme) -> f64 {
    let graph = Graph::start(generation);
    let _daemon = headroomd(&graph, &[]);
    let recorder = graph.record(DEVICE);
    let file = graph.write_programme("programme.wav", RATE_HZ, &programme.channels);
    graph.play(&file).target(BUS).start().wait_until_ended();
    let heard = recorder.stop().loud_part(1e-5).seconds_part(FROM_S, TO_S);
    assert!(heard.seconds() > TO_S - FROM_S - 0.5, "only {:.1} s were heard", heard.seconds());
    ffmpeg::read(&Programme::new(heard.rate_hz, heard.channels)).integrated_lufs
}

/// The kinds side by side, each on a graph of its own: the AGC's memory is what is tested.
fn comes_out_at_the_target(kinds: &[Kind]) {
    if !ffmpeg::is_there("loudness at the device") {
        return;
    }
    let programmes: Vec<(String, Programme)> = kinds
        .iter()
        .flat_map(|(name, make)| {
            SENT_LUFS.map(|lufs| (format!("{name} at {lufs} LUFS"), make().at_lufs(lufs)))
        })
        .collect();
    on_every_generation(|generation| {
        let heard: Vec<(&str, f64)> = std::thread::scope(|scope| {
            let threads: Vec<_> = programmes
                .iter()
                .map(|(name, programme)| {
                    let play = || (name.as_str(), through_the_graph(generation, programme));
                    std::thread::Builder::new()
                        .name(format!("{} {name}", generation.name()))
                        .spawn_scoped(scope, play)
                        .expect("a thread for each programme")
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a programme")).collect()
        });
        for (name, lufs) in &heard {
            println!("{generation}: {name} came out at {lufs:.2} LUFS");
        }
        for (name, lufs) in heard {
            let error_lu = lufs - TARGET_LUFS;
            assert!(error_lu.abs() <= TOLERANCE_LU, "{name} came out {error_lu:+.2} LU off");
        }
    });
}

#[test]
fn noise_and_swelling_noise_come_out_at_the_target() {
    comes_out_at_the_target(&[
        ("pink noise", pink),
        ("noise that swells 0.7 times a second", slow_swell),
    ]);
}

#[test]
fn speech_music_and_fluttering_noise_come_out_at_the_target() {
    comes_out_at_the_target(&[
        ("speech with gaps", speech),
        ("music", music),
        ("noise that swells 4 times a second", fast_swell),
    ]);
}
