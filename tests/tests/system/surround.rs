//! Sound of more than two channels, and sound of fewer in front of them: each loudspeaker gets what
//! the app meant for it, and nothing is made up.

use std::path::PathBuf;

use headroom_client::Client as Steering;
use headroom_client::ipc::{Fold, Match, Route, Stream};
use headroom_tests::{
    Client, Device, Generation, Graph, Recorder, Recording, Setup, on_every_generation, programme,
};

use crate::control::steered;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ};

const STEREO: &str = "headroom.stereo";
const PLACES: [&str; 6] = ["FL", "FR", "FC", "LFE", "SL", "SR"];
/// One for each place, far from each other's multiples.
const TONES_HZ: [f64; 6] = [440.0, 570.0, 730.0, 90.0, 1_010.0, 1_390.0];
const AMPLITUDE: f64 = 0.1;
/// Below the level that an app is heard at, in dB: nobody hears that.
const NOTHING_DB: f64 = -90.0;

fn surround(generation: &'static Generation) -> Graph {
    Setup::default().devices([Device::named(DEVICE).positions(&PLACES)]).start(generation)
}

fn six_tones(graph: &Graph) -> PathBuf {
    let tones = programme::tones(RATE_HZ, 120.0, &TONES_HZ, AMPLITUDE);
    graph.write_programme("six.wav", RATE_HZ, &tones)
}

/// One channel that is for no loudspeaker in particular: a file of floats would say that it is for
/// the left one.
fn one_tone(graph: &Graph) -> PathBuf {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let path = graph.audio_file("one.wav");
    let mut writer = hound::WavWriter::create(&path, spec).expect("a file");
    for sample in &programme::tones(RATE_HZ, 120.0, &TONES_HZ[..1], AMPLITUDE)[0] {
        writer.write_sample((sample * f32::from(i16::MAX)) as i16).expect("a sample");
    }
    writer.finalize().expect("a file");
    path
}

fn play(graph: &Graph, name: &str, file: &std::path::Path) -> Client {
    graph.play(file).name(name).property("application.name", name).start()
}

/// The daemon's word on that app, once it is linked to that sink.
fn told(graph: &Graph, daemon: &mut Steering, app: &str, sink: &str) -> Stream {
    graph.wait_for(&format!("{app} to be told to be at {sink}"), |_| {
        let streams = daemon.stream_list().expect("streams").streams;
        streams.into_iter().find(|it| {
            it.app == app && it.sink.as_deref() == Some(sink) && it.playing && it.channels.is_some()
        })
    })
}

/// A second of what every loudspeaker gets of an app that plays by now.
fn heard(recorder: &Recorder) -> Recording {
    let from = recorder.frames();
    let second = RATE_HZ as usize;
    let start = recorder.wait_until_heard((AMPLITUDE / 100.0) as f32, from);
    recorder.wait_for_frames(start + 3 * second);
    recorder.so_far().part(start + 2 * second, start + 3 * second)
}

#[test]
fn every_loudspeaker_gets_what_the_app_has_for_it_and_nothing_else() {
    on_every_generation(|generation| {
        let graph = surround(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let recorder = graph.record_as(DEVICE, RATE_HZ, &PLACES);

        // Six channels: each its own, with one gain.
        let six = six_tones(&graph);
        let app = play(&graph, "six", &six);
        app.wait_until_linked_to(BUS);
        graph.wait_for_flow(&format!("{BUS}.out"), MASTER);
        let stream = told(&graph, &mut client, "six", BUS);
        assert_eq!(
            (stream.channels, stream.folded, stream.bus.as_deref()),
            (Some(6), None, Some("main"))
        );
        let sound = heard(&recorder);
        let mut own = Vec::new();
        for (place, hz) in TONES_HZ.iter().enumerate() {
            let levels = sound.tone_levels_dbfs(*hz);
            own.push(levels[place]);
            for (other, level) in levels.iter().enumerate().filter(|(other, _)| *other != place) {
                let below_db = level - levels[place];
                assert!(
                    below_db < -60.0,
                    "{hz} Hz of {} is at {} too: {below_db:.1} dB",
                    PLACES[place],
                    PLACES[other]
                );
            }
        }
        println!("{generation}: six tones arrive at {own:.2?} dBFS");
        let (least, most) =
            own.iter().fold((f64::MAX, f64::MIN), |(a, b), l| (a.min(*l), b.max(*l)));
        assert!(most - least < 0.1, "not one gain: {own:?}");
        app.stop();

        // Two channels: left and right, and not a sample anywhere else.
        let two = programme::tones(RATE_HZ, 120.0, &TONES_HZ[..2], AMPLITUDE);
        let two = graph.write_programme("two.wav", RATE_HZ, &two);
        let app = play(&graph, "two", &two);
        app.wait_until_linked_to(STEREO);
        let stream = told(&graph, &mut client, "two", STEREO);
        assert_eq!(
            (stream.channels, stream.folded, &stream.route),
            (Some(2), None, &Route::Processed)
        );
        let sound = heard(&recorder);
        let levels = sound.levels_dbfs();
        println!("{generation}: a stereo app is heard at {levels:.1?} dBFS");
        assert!(sound.tone_levels_dbfs(TONES_HZ[0])[0] > -40.0);
        assert!(sound.tone_levels_dbfs(TONES_HZ[1])[1] > -40.0);
        for (place, level) in PLACES.iter().zip(&levels).skip(2) {
            assert!(level - levels[0] < NOTHING_DB, "{place} has {level:.1} dBFS of a stereo app");
        }
        app.stop();

        // One channel: in the middle.
        let app = play(&graph, "one", &one_tone(&graph));
        app.wait_until_linked_to(STEREO);
        assert_eq!(told(&graph, &mut client, "one", STEREO).channels, Some(1));
        let levels = heard(&recorder).levels_dbfs();
        println!("{generation}: a mono app is heard at {levels:.1?} dBFS");
        assert!((levels[0] - levels[1]).abs() < 0.01, "not in the middle: {levels:?}");
        assert!(levels[0].max(levels[2]) > -40.0, "not heard: {levels:?}");
        for place in 3..6 {
            assert!(levels[place] - levels[0] < NOTHING_DB, "{}: {levels:?}", PLACES[place]);
        }
        app.stop();

        // Past us it is what the app sends, bit for bit.
        let matches = Match { application_name: vec!["past".into()], ..Match::default() };
        client.route_set(matches, Route::Bypass).expect("a route");
        let app = play(&graph, "past", &six);
        app.wait_until_linked_to(DEVICE);
        assert_eq!(told(&graph, &mut client, "past", DEVICE).folded, None);
        let sound = heard(&recorder);
        let sent = programme::tones(RATE_HZ, 120.0, &TONES_HZ, AMPLITUDE);
        let part = sound.part(1_000, 13_000);
        let first = &part.channels[0];
        let at = (0..sent[0].len() - first.len())
            .find(|at| sent[0][*at..].iter().zip(first).all(|(sent, heard)| sent == heard))
            .expect("what the app has sent, bit for bit");
        for (place, (sent, heard)) in sent.iter().zip(&part.channels).enumerate() {
            assert!(sent[at..at + heard.len()] == heard[..], "{} is another", PLACES[place]);
        }
        app.stop();
    });
}

#[test]
fn what_a_device_has_no_loudspeakers_for_is_folded_and_said_to_be() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let recorder = graph.record(DEVICE);
        let app = play(&graph, "six", &six_tones(&graph));
        app.wait_until_linked_to(BUS);
        let stream = told(&graph, &mut client, "six", BUS);
        assert_eq!((stream.channels, stream.folded), (Some(6), Some(Fold { from: 6, to: 2 })));
        let status = client.status().expect("a status");
        let shown = status.streams.iter().find(|stream| stream.app == "six").expect("the app");
        assert_eq!(shown.folded, Some(Fold { from: 6, to: 2 }));
        // The centre is in both.
        let centre = heard(&recorder).tone_levels_dbfs(TONES_HZ[2]);
        println!("{generation}: the centre is heard at {centre:.1?} dBFS");
        assert!(centre.iter().all(|level| *level > -50.0), "{centre:?}");
        assert!(graph.dump().node(STEREO).is_none(), "a bus that nobody needs");
    });
}

#[test]
fn another_device_gets_the_channels_that_it_has() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let app = play(&graph, "six", &six_tones(&graph));
        app.wait_until_linked_to(BUS);
        let fold = |stream: &Stream| stream.folded;
        assert_eq!(fold(&told(&graph, &mut client, "six", BUS)), Some(Fold { from: 6, to: 2 }));

        graph.plug(Device::named("receiver").positions(&PLACES).priority(2_000));
        let mut is_folded = |to: Option<Fold>| {
            graph.wait_for(&format!("{to:?} of the app's channels"), |dump| {
                let streams = client.stream_list().expect("streams").streams;
                let is_so = |it: &Stream| it.sink.as_deref() == Some(BUS) && it.folded == to;
                (streams.iter().any(is_so) && dump.is_flowing("six", BUS)).then_some(())
            });
        };
        is_folded(None);
        graph.wait_for_flow(&format!("{MASTER}.out"), "receiver");
        let recorder = graph.record_as("receiver", RATE_HZ, &PLACES);
        let sound = heard(&recorder);
        for (place, hz) in TONES_HZ.iter().enumerate() {
            let level = sound.tone_levels_dbfs(*hz)[place];
            assert!(level > -50.0, "{} is heard at {level:.1} dBFS", PLACES[place]);
        }

        graph.unplug("receiver");
        is_folded(Some(Fold { from: 6, to: 2 }));
        graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
        assert!(graph.dump().node(STEREO).is_none(), "a bus that nobody needs any more");
    });
}
