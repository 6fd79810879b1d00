//! What Headroom remembers, as a listener notices it: the first second after a start is as loud as
//! it should be.

use headroom_signals::judge::oracle;
use headroom_signals::{Programme, noise};
use headroom_tests::{Daemon, Ended, Generation, Graph, Recording, Service, on_every_generation};

use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, Way, headroomd, play};

/// Quiet enough to need most of what the AGC may give, beside what the compressor makes up.
const SENT_LUFS: f64 = -35.0;
/// `agc.target_lufs` of the default profile, and of a quieter one.
const TARGET_LUFS: f64 = -18.0;
const NIGHT_TARGET_LUFS: f64 = -20.0;
/// Programme and meter have half of this between them.
const TOLERANCE_LU: f64 = 2.0;
/// How much louder an app may be from one moment to the next because Headroom has come.
const MOST_JUMP_LU: f64 = 3.0;
/// Momentary loudness is that of so long.
const MOMENT_S: f64 = 0.4;
/// The AGC settles within this, and what it has settled at is looked at meanwhile.
const SETTLES_S: f64 = 20.0;
const SILENT: f32 = 1e-4;

/// Plays quiet pink noise for a while; returns what the device heard from the first sound on.
fn listen(graph: &Graph, name: &str, seconds: f64) -> Recording {
    let pink = noise::pink(RATE_HZ, 2, seconds + 30.0, 7).at_lufs(SENT_LUFS);
    let recorder = graph.record(DEVICE);
    let client = play(graph, Way::Target, name, &pink.channels);
    let start = recorder.wait_until_heard(SILENT, 0);
    let end = start + (seconds * f64::from(RATE_HZ)) as usize;
    recorder.wait_for_frames(end);
    client.stop();
    recorder.stop().part(start, end)
}

/// How loud the first second was: the mean of the momentary loudness from its first full window on.
fn first_second_lufs(heard: &Recording) -> f64 {
    let first = heard.seconds_part(0.0, 1.0);
    let readings = oracle::momentary_over_time(&Programme::new(first.rate_hz, first.channels));
    let full: Vec<f64> =
        readings.iter().filter(|reading| reading.at_s >= 0.4).map(|reading| reading.lufs).collect();
    full.iter().sum::<f64>() / full.len() as f64
}

fn assert_right(generation: &Generation, after: &str, heard: &Recording, target_lufs: f64) {
    let lufs = first_second_lufs(heard);
    println!("{generation}: the first second after {after}: {lufs:.1} LUFS of {target_lufs}");
    assert!((lufs - target_lufs).abs() <= TOLERANCE_LU, "after {after}: {lufs:.1} LUFS");
}

/// Starts Headroom beside a quiet app that plays already.
fn assert_taken_over_gently(generation: &Generation, graph: &Graph) -> Daemon {
    let pink = noise::pink(RATE_HZ, 2, 120.0, 8).at_lufs(SENT_LUFS);
    let file = graph.write_programme("before.wav", RATE_HZ, &pink.channels);
    let recorder = graph.record(DEVICE);
    let app = graph.play(&file).start();
    app.wait_until_linked_to(DEVICE);
    let start = recorder.wait_until_heard(SILENT, 0);
    recorder.wait_for_frames(start + 2 * RATE_HZ as usize);
    let daemon = headroomd(graph, &[]);
    app.wait_until_linked_to(BUS);
    graph.wait_for_flow(&format!("{BUS}.out"), MASTER);
    recorder.wait_for_more_frames(8 * RATE_HZ as usize);
    app.stop();
    let heard = recorder.stop().loud_part(SILENT);
    let moments = oracle::momentary_over_time(&Programme::new(heard.rate_hz, heard.channels));
    // The loudest so far, and not the one before: the move itself may be a moment of silence.
    let jump_lu = |at: usize| {
        let before = moments[..at].iter().filter(|it| it.at_s <= moments[at].at_s - MOMENT_S);
        let loudest = before.filter(|it| it.at_s >= MOMENT_S).map(|it| it.lufs).reduce(f64::max);
        loudest.map_or(0.0, |loudest| moments[at].lufs - loudest)
    };
    let jump_lu = (0..moments.len()).map(jump_lu).fold(0.0, f64::max);
    let last = moments.last().expect("sound").lufs;
    println!(
        "{generation}: taken over while it plays: {jump_lu:+.2} LU at most, {last:.1} LUFS then"
    );
    assert!(jump_lu <= MOST_JUMP_LU, "a jump of {jump_lu:.1} LU");
    assert!((last - TARGET_LUFS).abs() <= TOLERANCE_LU + 1.0, "{last:.1} LUFS in the end");
    daemon
}

#[test]
fn the_first_second_after_a_start_is_as_loud_as_it_should_be() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let daemon = headroomd(&graph, &[]);
        let heard = listen(&graph, "first", SETTLES_S);
        let fresh = first_second_lufs(&heard);
        println!("{generation}: the first second of all: {fresh:.1} LUFS");
        assert!((fresh - TARGET_LUFS).abs() > 5.0, "nothing needs to be remembered: {fresh:.1}");

        // No word of warning: only what hr-meters has seen in time is remembered.
        daemon.kill();
        let mut daemon = headroomd(&graph, &[]);
        assert_right(generation, "a kill", &listen(&graph, "killed", 3.0), TARGET_LUFS);

        graph.kill_service(Service::PipeWire);
        graph.kill_service(Service::WirePlumber);
        daemon.wait_for_log("the connection to PipeWire has broken");
        graph.start_service(Service::PipeWire);
        graph.start_service(Service::WirePlumber);
        graph.wait_for_link(&format!("{BUS}.out"), MASTER);
        graph.wait_for_link(&format!("{MASTER}.out"), DEVICE);
        let heard = listen(&graph, "back", 3.0);
        assert_right(generation, "a restart of PipeWire", &heard, TARGET_LUFS);

        assert_eq!(daemon.stop(), Ended::Exited(0));
        let daemon = headroomd(&graph, &[]);
        assert_right(generation, "a restart", &listen(&graph, "stopped", 3.0), TARGET_LUFS);

        // An app that plays by then is not jumped upon with it, but comes there in time.
        assert_eq!(daemon.stop(), Ended::Exited(0));
        let daemon = assert_taken_over_gently(generation, &graph);

        // Another target needs another gain for the same programme.
        assert_eq!(daemon.stop(), Ended::Exited(0));
        let _daemon = headroomd(&graph, &["--profile", "night"]);
        let heard = listen(&graph, "night", 3.0);
        assert_right(generation, "a restart for the night", &heard, NIGHT_TARGET_LUFS);
    });
}
