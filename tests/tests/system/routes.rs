//! Which stream goes where: rules, the user's routes and choices, and what a move costs.

use headroom_client::Client;
use headroom_client::ipc::{Match, Route, RoutedBy, Stream};
use headroom_tests::{Daemon, Graph, Recorder, on_every_generation};

use crate::control::steered;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, tones};

const QUANTUM: u32 = 1024;
/// What a move may cost, in quanta of silence.
const MOST_QUANTA: f64 = 2.0;
/// -34 dBFS: so quiet that every profile that levels brings it up by far more than [`UP_DB`].
const AMPLITUDE: f64 = 0.028;
const UP_DB: f64 = 4.0;

/// What the daemon tells of the app of this name, once it is as wanted.
fn told(graph: &Graph, client: &mut Client, app: &str, is_it: impl Fn(&Stream) -> bool) -> Stream {
    graph.wait_for(&format!("{app} to be told of"), |_| {
        let streams = client.stream_list().expect("streams").streams;
        streams.into_iter().find(|stream| stream.app == app && is_it(stream))
    })
}

fn play(graph: &Graph, name: &str, properties: &[(&str, &str)]) -> headroom_tests::Client {
    let file = graph.write_programme(&format!("{name}.wav"), RATE_HZ, &tones(300.0, AMPLITUDE));
    let mut play = graph.play(&file).name(name).property("application.name", name);
    for (key, value) in properties {
        play = play.property(key, value);
    }
    play.start()
}

/// All the silence since that frame, in quanta.
fn silent_quanta(recorder: &Recorder, since: usize) -> f64 {
    let heard = recorder.so_far();
    let gaps = heard.part(since, heard.frames()).gaps((AMPLITUDE / 50.0) as f32, 24);
    gaps.iter().map(|gap| gap.frames as f64).sum::<f64>() / f64::from(QUANTUM)
}

#[test]
fn a_switch_of_profile_sends_streams_elsewhere_within_two_quanta() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        graph.force_quantum(QUANTUM);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let recorder = graph.record(DEVICE);
        let app = play(&graph, "app", &[]);
        recorder.wait_until_heard(1e-4, 0);
        let began = recorder.so_far().first_over(1e-4, 0).expect("heard");
        app.wait_until_linked_to(BUS);
        recorder.wait_for_more_frames(RATE_HZ as usize);
        let new = silent_quanta(&recorder, began);
        println!("{generation}: a new stream: {new:.2} quanta of silence after its first sound");
        for (profile, sink) in
            [("gaming", DEVICE), ("default", BUS), ("bypass-all", DEVICE), ("default", BUS)]
        {
            let before = recorder.frames();
            client.profile_use(profile).expect("a shipped profile");
            app.wait_until_linked_to(sink);
            recorder.wait_for_more_frames(RATE_HZ as usize);
            let silent = silent_quanta(&recorder, before);
            println!("{generation}: {profile}: {silent:.2} quanta of silence");
        }
    });
}
