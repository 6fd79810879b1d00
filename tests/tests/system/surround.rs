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
const EIGHT_PLACES: [&str; 8] = ["FL", "FR", "FC", "LFE", "RL", "RR", "SL", "SR"];
const EIGHT_TONES_HZ: [f64; 8] = [440.0, 570.0, 730.0, 90.0, 1_010.0, 1_390.0, 1_790.0, 2_270.0];
const AMPLITUDE: f64 = 0.1;
/// How long an app plays: longer than everything that is waited for while it does.
const SECONDS: f64 = 60.0;
/// What is below its own loudspeaker's level by this is not heard at another, in dB.
const STRAY_DB: f64 = -60.0;
/// Below the level that an app is heard at, in dB: nobody hears that.
const NOTHING_DB: f64 = -90.0;

fn surround(generation: &'static Generation) -> Graph {
    Setup::default().devices([Device::named(DEVICE).positions(&PLACES)]).start(generation)
}

fn six_tones(graph: &Graph) -> PathBuf {
    let tones = programme::tones(RATE_HZ, SECONDS, &TONES_HZ, AMPLITUDE);
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
    for sample in &programme::tones(RATE_HZ, SECONDS, &TONES_HZ[..1], AMPLITUDE)[0] {
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
    heard_as(recorder, |_| true)
}

/// The first second that is so, or else the last of several: a cycle that a busy machine leaves out
/// is heard as all tones at once, and what is wrong in a graph is wrong all the time.
fn heard_as(recorder: &Recorder, is_so: impl Fn(&Recording) -> bool) -> Recording {
    let second = RATE_HZ as usize;
    let start = recorder.wait_until_heard((AMPLITUDE / 100.0) as f32, recorder.frames());
    let heard_in = |number: usize| {
        let from = start + number * second;
        recorder.wait_for_frames(from + second);
        recorder.since(from).part(0, second)
    };
    let mut sound = heard_in(2);
    for number in 3..13 {
        if is_so(&sound) {
            break;
        }
        sound = heard_in(number);
    }
    sound
}

/// How loud each tone is at its own loudspeaker, and by how much less at the loudest other one.
fn own_and_strays(sound: &Recording, tones_hz: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let at_place = |(place, hz): (usize, &f64)| {
        let levels = sound.tone_levels_dbfs(*hz);
        let others = levels.iter().enumerate().filter(|(other, _)| *other != place);
        let loudest = others.map(|(_, level)| *level).fold(f64::MIN, f64::max);
        (levels[place], loudest - levels[place])
    };
    tones_hz.iter().enumerate().map(at_place).unzip()
}

/// Asserts that each loudspeaker gets its own tone, and all of them with one gain.
fn assert_each_its_own(what: &str, recorder: &Recorder, tones_hz: &[f64]) {
    let is_apart = |strays: &[f64]| strays.iter().all(|below_db| *below_db < STRAY_DB);
    let sound = heard_as(recorder, |sound| is_apart(&own_and_strays(sound, tones_hz).1));
    let (own, strays) = own_and_strays(&sound, tones_hz);
    println!("{what}: the tones arrive at {own:.2?} dBFS, and elsewhere at {strays:.0?} dB");
    assert!(is_apart(&strays), "{what}: tones are elsewhere too: {strays:.1?} dB");
    let (least, most) = own.iter().fold((f64::MAX, f64::MIN), |(a, b), l| (a.min(*l), b.max(*l)));
    assert!(most - least < 0.1, "{what}: not one gain: {own:.2?}");
}

/// Asserts that what is heard is what the app has sent, bit for bit and channel for channel.
pub(crate) fn assert_as_sent(what: &str, recorder: &Recorder, sent: &[Vec<f32>]) {
    let is_as_sent = |sound: &Recording| {
        let part = sound.part(1_000, 13_000);
        let first = &part.channels[0];
        let is_here = |at: &usize| sent[0][*at..].iter().zip(first).all(|(a, b)| a == b);
        (0..sent[0].len() - first.len()).find(is_here).is_some_and(|at| {
            let all = sent.iter().zip(&part.channels);
            all.into_iter().all(|(sent, heard)| sent[at..at + heard.len()] == heard[..])
        })
    };
    let sound = heard_as(recorder, is_as_sent);
    assert!(is_as_sent(&sound), "{what}: not what the app has sent, bit for bit");
}

/// Asserts that a stereo app is heard from left and right, each its own, and from nowhere else.
fn assert_left_and_right_alone(what: &str, recorder: &Recorder, places: &[&str]) {
    let is_alone = |sound: &Recording| {
        let levels = sound.levels_dbfs();
        let (_, strays) = own_and_strays(sound, &TONES_HZ[..2]);
        levels.iter().skip(2).all(|level| level - levels[0] < NOTHING_DB)
            && strays.iter().all(|below_db| *below_db < STRAY_DB)
    };
    let sound = heard_as(recorder, is_alone);
    let levels = sound.levels_dbfs();
    println!("{what}: a stereo app is heard at {levels:.1?} dBFS");
    let (own, strays) = own_and_strays(&sound, &TONES_HZ[..2]);
    assert!(own.iter().all(|level| *level > -40.0), "{what}: not heard: {own:.1?}");
    assert!(strays.iter().all(|below_db| *below_db < STRAY_DB), "{what}: {strays:.1?} dB astray");
    for (place, level) in places.iter().zip(&levels).skip(2) {
        assert!(level - levels[0] < NOTHING_DB, "{what}: {place} has {level:.1} dBFS of it");
    }
}

/// Asserts that an app of one channel is in the middle: as much left as right, perhaps in the centre
/// too, and nowhere else.
fn assert_in_the_middle(what: &str, recorder: &Recorder, places: &[&str]) {
    let is_so = |sound: &Recording| {
        let levels = sound.levels_dbfs();
        let is_elsewhere = levels.iter().skip(3).any(|it| it - levels[0] >= NOTHING_DB);
        levels[0].max(levels[2]) > -40.0 && (levels[0] - levels[1]).abs() < 0.01 && !is_elsewhere
    };
    let sound = heard_as(recorder, is_so);
    let levels = sound.levels_dbfs();
    println!("{what}: a mono app is heard at {levels:.1?} dBFS");
    assert!(is_so(&sound), "{what}: not in the middle alone: {levels:.2?} of {places:?}");
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
        assert_each_its_own(&format!("{generation}: six"), &recorder, &TONES_HZ);
        app.stop();

        // Two channels: left and right, and not a sample anywhere else.
        let two = programme::tones(RATE_HZ, SECONDS, &TONES_HZ[..2], AMPLITUDE);
        let two = graph.write_programme("two.wav", RATE_HZ, &two);
        let app = play(&graph, "two", &two);
        app.wait_until_linked_to(STEREO);
        let stream = told(&graph, &mut client, "two", STEREO);
        assert_eq!(
            (stream.channels, stream.folded, &stream.route),
            (Some(2), None, &Route::Processed)
        );
        assert_left_and_right_alone(&format!("{generation}: six"), &recorder, &PLACES);
        app.stop();

        // One channel: in the middle.
        let app = play(&graph, "one", &one_tone(&graph));
        app.wait_until_linked_to(STEREO);
        assert_eq!(told(&graph, &mut client, "one", STEREO).channels, Some(1));
        assert_in_the_middle(&format!("{generation}: six"), &recorder, &PLACES);
        app.stop();

        // Past us it is what the app sends, bit for bit.
        let matches = Match { application_name: vec!["past".into()], ..Match::default() };
        client.route_set(matches, Route::Bypass).expect("a route");
        let app = play(&graph, "past", &six);
        app.wait_until_linked_to(DEVICE);
        assert_eq!(told(&graph, &mut client, "past", DEVICE).folded, None);
        let sent = programme::tones(RATE_HZ, SECONDS, &TONES_HZ, AMPLITUDE);
        assert_as_sent(&format!("{generation}: six"), &recorder, &sent);
        app.stop();
    });
}

#[test]
fn eight_loudspeakers_get_eight_channels_in_their_order_and_with_one_gain() {
    on_every_generation(|generation| {
        let eight = Device::named(DEVICE).positions(&EIGHT_PLACES);
        let graph = Setup::default().devices([eight]).start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let recorder = graph.record_as(DEVICE, RATE_HZ, &EIGHT_PLACES);
        let tones = programme::tones(RATE_HZ, SECONDS, &EIGHT_TONES_HZ, AMPLITUDE);
        let file = graph.write_programme("eight.wav", RATE_HZ, &tones);
        let app = graph.play(&file).name("eight").positions(&EIGHT_PLACES);
        let app = app.property("application.name", "eight").start();
        app.wait_until_linked_to(BUS);
        let stream = told(&graph, &mut client, "eight", BUS);
        assert_eq!((stream.channels, stream.folded), (Some(8), None));
        let what = format!("{generation}: eight");
        assert_each_its_own(&what, &recorder, &EIGHT_TONES_HZ);

        // The same app, past us: the route alone is another.
        client.route_stream(stream.id, Some(Route::Bypass)).expect("a route");
        app.wait_until_linked_to(DEVICE);
        let past = told(&graph, &mut client, "eight", DEVICE);
        assert_eq!((past.channels, past.folded, past.bus), (Some(8), None, None));
        assert_as_sent(&what, &recorder, &tones);
        app.stop();

        let two = programme::tones(RATE_HZ, SECONDS, &TONES_HZ[..2], AMPLITUDE);
        let app = play(&graph, "two", &graph.write_programme("two.wav", RATE_HZ, &two));
        app.wait_until_linked_to(STEREO);
        let stream = told(&graph, &mut client, "two", STEREO);
        assert_eq!((stream.channels, stream.folded), (Some(2), None));
        assert_left_and_right_alone(&what, &recorder, &EIGHT_PLACES);
        app.stop();

        let app = play(&graph, "one", &one_tone(&graph));
        app.wait_until_linked_to(STEREO);
        assert_eq!(told(&graph, &mut client, "one", STEREO).channels, Some(1));
        assert_in_the_middle(&what, &recorder, &EIGHT_PLACES);
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
        app.stop();
        // One channel is in both alike: in the middle.
        let app = play(&graph, "one", &one_tone(&graph));
        app.wait_until_linked_to(BUS);
        let stream = told(&graph, &mut client, "one", BUS);
        assert_eq!((stream.channels, stream.folded), (Some(1), None));
        let is_centred = |sound: &Recording| {
            let levels = sound.levels_dbfs();
            levels[0] > -40.0 && (levels[0] - levels[1]).abs() < 0.01
        };
        let sound = heard_as(&recorder, is_centred);
        println!("{generation}: a mono app is heard at {:.2?} dBFS", sound.levels_dbfs());
        assert!(is_centred(&sound), "not in the middle: {:?}", sound.levels_dbfs());
        app.stop();
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
