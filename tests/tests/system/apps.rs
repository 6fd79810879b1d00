//! Apps as tests have them come and go: what they play, where they are put by hand, and what the
//! daemon and the metadata say of them.

use std::path::PathBuf;

use headroom_client::Client;
use headroom_client::ipc::{Match, Route, RoutedBy, Stream};
use headroom_tests::{Device, Generation, Graph, Setup};

use crate::setting::{DEVICE, RATE_HZ, tones};

/// -34 dBFS: so quiet that the default profile brings it up by far more than a few decibels.
pub(crate) const AMPLITUDE: f64 = 0.028;
/// Another device, which is not the default.
pub(crate) const HEADPHONES: &str = "headphones";

pub(crate) fn two_devices(generation: &'static Generation) -> Graph {
    let headphones = Device::named(HEADPHONES).priority(1);
    Setup::default().devices([Device::named(DEVICE), headphones]).start(generation)
}

/// What every app here plays.
pub(crate) fn programme(graph: &Graph) -> PathBuf {
    let file = graph.audio_file("tones.wav");
    if !file.exists() {
        graph.write_programme("tones.wav", RATE_HZ, &tones(240.0, AMPLITUDE));
    }
    file
}

pub(crate) fn play(
    graph: &Graph,
    name: &str,
    properties: &[(&str, &str)],
) -> headroom_tests::Client {
    let mut play = graph.play(&programme(graph)).name(name).property("application.name", name);
    for (key, value) in properties {
        play = play.property(key, value);
    }
    play.start()
}

/// Puts an app at a sink, as a mixer does.
pub(crate) fn put(graph: &Graph, app: &headroom_tests::Client, sink: &str) {
    let (app, serial) = (app.node().id.to_string(), graph.node(sink).serial.to_string());
    graph.tool("pw-metadata", &[&app, "target.object", &serial, "Spa:Id"]);
}

/// What the daemon tells of the app of this name, once it is as wanted.
pub(crate) fn told(
    graph: &Graph,
    client: &mut Client,
    app: &str,
    is_it: impl Fn(&Stream) -> bool,
) -> Stream {
    graph.wait_for(&format!("{app} to be told of as wanted"), |_| {
        let streams = client.stream_list().expect("streams").streams;
        streams.into_iter().find(|stream| stream.app == app && is_it(stream))
    })
}

/// Waits until an app goes there, and gives why.
pub(crate) fn routed(
    graph: &Graph,
    client: &mut Client,
    app: &str,
    sink: &str,
) -> (Route, RoutedBy) {
    let stream = told(graph, client, app, |stream| stream.sink.as_deref() == Some(sink));
    (stream.route, stream.routed_by)
}

pub(crate) fn app_named(name: &str) -> Match {
    Match { application_name: vec![name.to_owned()], ..Match::default() }
}

/// What somebody has said in the metadata about single streams.
pub(crate) fn sayings(graph: &Graph) -> Vec<String> {
    let dump = graph.dump();
    let entries = dump.metadata.get("default").cloned().unwrap_or_default();
    let about_streams = entries.into_iter().filter(|entry| entry.key.contains("target"));
    about_streams.map(|entry| format!("{} {} {}", entry.subject, entry.key, entry.value)).collect()
}
