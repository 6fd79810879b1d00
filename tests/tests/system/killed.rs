//! The sound outlives Headroom: it is killed while several apps play, or asked to leave, and started
//! again, and every one of them goes on, at once and no louder than the listener had asked for.

use std::time::{Duration, Instant};

use headroom_signals::judge::click;
use headroom_tests::{Daemon, Dump, Ended, Generation, Graph, Recording, on_every_generation};

use crate::choir::{
    AMPLITUDE, Choir, HOP_FRAMES, Heard, VOICES, choose_routes, middle, profile, stage,
};
use crate::control::steered;
use crate::setting::{BUS, DEVICE, RATE_HZ};

/// How far a singer may be from what it sends, at the volume that was set.
const SLACK_DB: f64 = 0.5;
/// How much louder or quieter each of them may be from one half second to the next.
const MOST_JUMP_LU: f64 = 3.0;
/// How long Headroom may take to leave.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);
/// What is on the other side of a voice, at most.
const LEAST_APART_DB: f64 = 30.0;
/// How often Headroom comes and ends in a row, with all that is asked of it each time.
const ROUNDS: usize = 3;
/// How often such a row is tried: WirePlumber, which links the apps anew, waits for its turn on a busy
/// machine, and a fault of ours is there in every row.
const TRIES: usize = 3;
/// How far the slider is in each round.
const SLIDERS: [f64; ROUNDS] = [1.0, 0.2, 0.6];
/// What a start may cost, in quanta of silence, and how finely that is measured at 1,024.
const MOST_QUANTA: f64 = 2.0 + HOP_FRAMES as f64 / 1_024.0;
const HALF_SECOND: usize = RATE_HZ as usize / 2;

/// How Headroom ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Killed,
    Asked,
}

/// The longest silence that a kill may make.
fn longest_gap_ms(quantum: u32) -> f64 {
    let quanta_ms = 2.0 * f64::from(quantum) * 1_000.0 / f64::from(RATE_HZ);
    if quantum <= 1_024 { 100.0 } else { quanta_ms + 60.0 }
}

/// The graph, the choir, and what Headroom is started with on it.
struct Evening {
    graph: Graph,
    choir: Choir,
    arguments: Vec<String>,
}

impl Evening {
    fn of(generation: &'static Generation, is_promoted: bool) -> Evening {
        let graph = stage(generation);
        let mut arguments = vec![format!("--profile={}", profile(&graph))];
        arguments.extend(is_promoted.then(|| "--promote".to_owned()));
        let choir = Choir::starts(&graph, 150.0);
        Evening { graph, choir, arguments }
    }

    /// Headroom comes while all of them play. Gives the silence that it cost each of them in
    /// milliseconds, and the largest jump in loudness of any.
    fn begin(&self) -> (Daemon, Vec<f64>, f64) {
        self.choir.recorder.wait_for_more_frames(HALF_SECOND);
        let began = self.choir.recorder.frames();
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let (daemon, mut client, _) = steered(&self.graph, &arguments);
        choose_routes(&mut client);
        self.choir.wait_until_picked_up(&self.graph, &mut client);
        self.choir.recorder.wait_for_more_frames(2 * HALF_SECOND);
        let end = self.choir.recorder.frames();
        let heard = self.choir.heard(began - HALF_SECOND, end);
        // What goes through us is later by what the limiter looks ahead, which is no gap.
        let late_frames = client.status().expect("a status").device.latency_frames;
        let late_ms = f64::from(late_frames) * 1_000.0 / f64::from(RATE_HZ);
        let silences = heard.silences_ms().into_iter().map(|ms| ms - late_ms).collect();
        (daemon, silences, heard.largest_jump_db())
    }

    /// Headroom ends; gives what was heard from a quarter of a second before on.
    fn end(&self, daemon: Daemon, end: End) -> (Heard, Recording, Duration) {
        let from = self.choir.recorder.frames() - HALF_SECOND / 2;
        let asked = Instant::now();
        match end {
            End::Killed => daemon.kill(),
            End::Asked => assert_eq!(daemon.stop(), Ended::Exited(0)),
        }
        let took = asked.elapsed();
        self.choir.wait_until_raw();
        self.choir.recorder.wait_for_more_frames(HALF_SECOND);
        let to = self.choir.recorder.frames();
        (self.choir.heard(from, to), self.choir.recorder.since(from).part(0, to - from), took)
    }

    /// At no moment is it louder than all of them alone at that slider, and in the end each of them is
    /// as loud as alone, on its own side.
    fn assert_no_louder(&self, what: &str, heard: &Heard, slider: f64) {
        let slider_db = 60.0 * slider.log10();
        let (quietest_db, loudest_db) = heard.levels_db();
        let (quietest_db, loudest_db) = (quietest_db - slider_db, loudest_db - slider_db);
        let most = VOICES * AMPLITUDE * slider.powi(3);
        println!(
            "{what}: slider at {slider}: {quietest_db:+.2} to {loudest_db:+.2} dB against the raw \
             app, largest sample {:.4} of {most:.4}, {:.0} dB apart",
            heard.peak, heard.apart_db
        );
        assert!(loudest_db <= SLACK_DB && quietest_db >= -SLACK_DB, "{what}: {:?}", heard.level_db);
        assert!(heard.peak <= most * 1.03, "{what}: a sample of {}, {most} is sent", heard.peak);
        assert!(heard.apart_db >= LEAST_APART_DB, "{what}: channels mixed: {}", heard.apart_db);
    }
}

/// Who wants what as a default, and whom we had sent where.
fn sayings(dump: &Dump) -> Vec<(String, String)> {
    let entries = dump.metadata.get("default").cloned().unwrap_or_default();
    let mut said: Vec<_> = entries.into_iter().map(|entry| (entry.key, entry.value)).collect();
    said.sort();
    said
}

/// What one coming and going has cost.
#[derive(Debug)]
struct Round {
    /// How long each singer was silent at the start, in quanta.
    start_quanta: Vec<f64>,
    /// And at the end, in milliseconds.
    silent_ms: f64,
    /// The largest jump of any at the start.
    jump_lu: f64,
    /// How long it took to end.
    took: Duration,
    /// The loudest above 2 kHz at the end, as if the slider were at the top.
    above_dbfs: f64,
}

impl Evening {
    /// Headroom comes while all play, and ends.
    fn round(&self, what: &str, quantum: u32, end: End, slider: f64) -> Round {
        let (daemon, silent_ms, jump_lu) = self.begin();
        let quantum_ms = f64::from(quantum) * 1_000.0 / f64::from(RATE_HZ);
        let quanta: Vec<f64> = silent_ms.iter().map(|ms| ms / quantum_ms).collect();
        println!("{what}: started: {quanta:.2?} quanta of silence, a jump of {jump_lu:.2} LU");
        self.graph.set_volume(BUS, slider);
        self.choir.recorder.wait_for_more_frames(HALF_SECOND);
        let (heard, recording, took) = self.end(daemon, end);
        println!("{what}: {:.0?} ms of silence, and the witness; {took:.0?}", heard.silent_ms);
        self.assert_no_louder(what, &heard, slider);
        // At full volume again, as the next start is to be compared with what is sent.
        self.graph.set_volume(DEVICE, 1.0);
        Round {
            start_quanta: quanta,
            silent_ms: heard.longest_silence_ms(),
            jump_lu,
            took,
            above_dbfs: loudest_above(&recording) - 60.0 * slider.log10(),
        }
    }
}

/// An evening: Headroom comes, and is killed or leaves, again and again, while five apps play.
fn is_outlived(generation: &'static Generation, is_promoted: bool, quantum: u32, end: End) {
    let evening = Evening::of(generation, is_promoted);
    let way = if is_promoted { "promoted" } else { "pinned" };
    let what = format!("{generation}: {way}, {end:?} at quantum {quantum}");
    evening.graph.force_quantum(quantum);
    let before = sayings(&evening.graph.dump());
    let mut tried = Vec::new();
    for _ in 0..TRIES {
        let round = |slider| {
            let round = evening.round(&what, quantum, end, slider);
            if end == End::Asked {
                evening.graph.wait_for(&format!("the metadata to be {before:?}"), |dump| {
                    (sayings(dump) == before).then_some(())
                });
            }
            round
        };
        let rounds = SLIDERS.map(round);
        let most = |of: fn(&Round) -> f64| rounds.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let took = rounds.iter().map(|round| round.took).max().unwrap_or_default();
        let silent_ms = most(|it| it.silent_ms);
        // A move is one quantum or two of PipeWire's own, and now and then one more: of each singer
        // the start in the middle, and of these the worst.
        let of_singer =
            |singer| middle(&rounds.iter().map(|it| it.start_quanta[singer]).collect::<Vec<_>>());
        let singers = rounds[0].start_quanta.len();
        let start_quanta = (0..singers).map(of_singer).fold(f64::NEG_INFINITY, f64::max);
        println!(
            "{what}: of {ROUNDS}: starts {start_quanta:.2} quanta of silence for the worst singer in \
             the middle, {:.2} singly, jumps {:.2} LU; ends {silent_ms:.0} ms, {took:.0?}, {:.1} dBFS \
             above 2 kHz",
            most(|it| it.start_quanta.iter().fold(0.0, |most, one| one.max(most))),
            most(|it| it.jump_lu),
            most(|it| it.above_dbfs)
        );
        assert!(most(|it| it.jump_lu) <= MOST_JUMP_LU, "{what}: {rounds:?}");
        if end == End::Asked {
            assert!(took <= LEAVES_WITHIN, "{what}: {rounds:?}");
            // The tones have nothing there: what is heard is where each of them is cut and begins
            // again, and all of that stays below the programme itself.
            let programme_dbfs = 20.0 * (VOICES * AMPLITUDE).log10();
            assert!(most(|it| it.above_dbfs) < programme_dbfs, "{what}: a click: {rounds:?}");
        }
        if start_quanta <= MOST_QUANTA && silent_ms <= longest_gap_ms(quantum) {
            return;
        }
        tried.push((start_quanta, silent_ms));
    }
    panic!("{what}: quanta of silence at a start, and ms at an end: {tried:.2?}");
}

/// All ends, in a graph of its own each.
fn every_end(generation: &'static Generation, is_promoted: bool) {
    for (quantum, end) in [(1_024, End::Killed), (1_024, End::Asked), (4_096, End::Killed)] {
        is_outlived(generation, is_promoted, quantum, end);
    }
}

/// The loudest that is above 2 kHz, in dBFS.
fn loudest_above(heard: &Recording) -> f64 {
    let above = heard.channels.iter().map(|plane| {
        let above = click::above_2_khz(plane, RATE_HZ);
        click::Loudest::of(&above[RATE_HZ as usize / 20..], RATE_HZ)
    });
    above.fold(click::Loudest::SILENCE, click::Loudest::max).sample_dbfs
}

#[test]
fn pinned_apps_outlive_a_kill_and_a_leave() {
    on_every_generation(|generation| every_end(generation, false));
}

#[test]
fn apps_on_a_promoted_bus_outlive_a_kill_and_a_leave() {
    on_every_generation(|generation| every_end(generation, true));
}
