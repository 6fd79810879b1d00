//! What it costs the apps that Headroom comes while they play, beside the same move by hand: to sinks that
//! are built as ours are and do nothing.
//!
//! A stream that is sent to another sink is unlinked in one cycle, linked in another, and waits for the
//! sink to run: that is a quantum of silence or two of PipeWire 1.4's own, whoever sends it.

use headroom_tests::{Client, Generation, Graph, on_every_generation};

use crate::apps::put;
use crate::choir::{Choir, HOP_FRAMES, choose_routes, profile, stage};
use crate::control::steered;
use crate::cycles::{LOOPBACK, LOOPBACK_OUT, loopbacks};
use crate::setting::{DEVICE, RATE_HZ};

const QUANTUM: u32 = 1_024;
/// How often each is done, in turns.
const ROUNDS: usize = 4;
/// How often all of it is tried: who links the apps waits for its turn on a busy machine.
const TRIES: usize = 3;
/// For so many quanta an app may be silent, or as long as after a move by hand where that is longer.
const MOST_QUANTA: f64 = 2.0;
/// How finely that is measured: a hop at each edge, and one for what our latency moves them by.
const SLACK_QUANTA: f64 = 3.0 * HOP_FRAMES as f64 / QUANTUM as f64;

/// Lets an app go where it goes by itself.
fn free(graph: &Graph, app: &Client) {
    graph.tool("pw-metadata", &["-d", &app.node().id.to_string(), "target.object"]);
}

/// Everybody is moved to PipeWire's own loopbacks and back. For how many milliseconds each was silent.
fn by_hand(graph: &Graph, choir: &Choir) -> Vec<f64> {
    choir.recorder.wait_for_more_frames(RATE_HZ as usize / 2);
    let from = choir.recorder.frames() - RATE_HZ as usize / 4;
    let sinks = loopbacks(graph, DEVICE);
    choir.singers().for_each(|singer| put(graph, singer, LOOPBACK));
    choir.singers().for_each(|singer| singer.wait_until_linked_to(LOOPBACK));
    graph.wait_for_flow(LOOPBACK_OUT, DEVICE);
    choir.recorder.wait_for_more_frames(RATE_HZ as usize);
    let silences_ms = choir.heard(from, choir.recorder.frames()).silences_ms();
    choir.singers().for_each(|singer| free(graph, singer));
    choir.wait_until_raw();
    sinks.kill();
    silences_ms
}

/// Headroom comes, and leaves.
fn by_a_start(graph: &Graph, choir: &Choir) -> Vec<f64> {
    choir.recorder.wait_for_more_frames(RATE_HZ as usize / 2);
    let from = choir.recorder.frames() - RATE_HZ as usize / 4;
    let (daemon, mut client, _) = steered(graph, &[&format!("--profile={}", profile(graph))]);
    choose_routes(&mut client);
    choir.wait_until_picked_up(graph, &mut client);
    choir.recorder.wait_for_more_frames(RATE_HZ as usize);
    let late_frames = client.status().expect("a status").device.latency_frames;
    let late_ms = f64::from(late_frames) * 1_000.0 / f64::from(RATE_HZ);
    let silences_ms = choir.heard(from, choir.recorder.frames()).silences_ms();
    daemon.stop();
    choir.wait_until_raw();
    // What goes through us is later by what the limiter looks ahead, which is no gap.
    silences_ms.into_iter().map(|ms| ms - late_ms).collect()
}

/// Every silence in quanta, the shortest first.
fn quanta(mut silences_ms: Vec<f64>) -> Vec<f64> {
    let quantum_ms = f64::from(QUANTUM) * 1_000.0 / f64::from(RATE_HZ);
    silences_ms.iter_mut().for_each(|ms| *ms /= quantum_ms);
    silences_ms.sort_by(f64::total_cmp);
    silences_ms
}

fn is_as_short_as_by_hand(generation: &'static Generation) -> bool {
    let graph = stage(generation);
    graph.force_quantum(QUANTUM);
    let choir = Choir::starts(&graph, 150.0);
    let (mut moves, mut starts) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        moves.extend(by_hand(&graph, &choir));
        starts.extend(by_a_start(&graph, &choir));
    }
    let (moves, starts) = (quanta(moves), quanta(starts));
    println!("{generation}: quanta of silence by hand {moves:.2?}, at a start {starts:.2?}");
    let longest = |all: &[f64]| all.last().copied().expect("somebody sings");
    longest(&starts) <= longest(&moves).max(MOST_QUANTA) + SLACK_QUANTA
}

#[test]
fn a_start_silences_nobody_for_longer_than_the_same_move_by_hand_or_two_quanta() {
    on_every_generation(|generation| {
        let is_so = (0..TRIES).any(|_| is_as_short_as_by_hand(generation));
        assert!(is_so, "longer than by hand, every time");
    });
}
