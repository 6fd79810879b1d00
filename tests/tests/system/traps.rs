//! What bites every program that does this to PipeWire, and does not bite Headroom.

use headroom_tests::{Ended, Graph, Service, Stretch, on_every_generation};

use crate::setting::{DEVICE, MASTER, RATE_HZ, WAYS, Way, headroomd, headroomd_for, play, tones};
use crate::witness::{self, Silences, silences};

/// Takes of each quantum, at most. One without a gap of our own is enough, for what is broken is broken in
/// each of them; what a machine was late for after the witness had played is in one and not in another.
const MOST_TAKES: usize = 6;
const TAKE_FRAMES: usize = 2 * RATE_HZ as usize;
/// Takes while the host took the cores away are none, and of those at most so many of each quantum.
const MOST_IN_VAIN: usize = 10;
/// Longer than all takes of a way.
const PROGRAMME_S: f64 = 150.0;

/// Without PW_STREAM_FLAG_ASYNC on the capture stream 1.4 leaves out every second quantum; without
/// one `node.group` for both streams 0.3.65 plays nothing at all.
#[test]
fn a_tone_comes_through_both_inserts_whole_and_in_order() {
    on_every_generation(|generation| {
        for way in WAYS {
            let graph = Graph::start(generation);
            let _daemon = headroomd_for(&graph, way);
            let recorder = graph.record(DEVICE);
            let _witness = witness::stand_by(&graph, PROGRAMME_S);
            let _client = play(&graph, way, "app", &tones(PROGRAMME_S, 0.1));
            for quantum in [256, 1024, 2048] {
                graph.force_quantum(quantum);
                let what = format!("{generation}: {way:?}, quantum {quantum}");
                let (mut takes, mut in_vain) = (0, 0);
                let mut take = || {
                    let stretch = Stretch::begin();
                    // The change itself may cost a quantum of the old length and one of the new.
                    recorder.wait_for_more_frames(RATE_HZ as usize / 4);
                    let from = recorder.frames();
                    recorder.wait_for_more_frames(TAKE_FRAMES);
                    let heard = recorder.since(from);
                    let Silences { own, of_witness } = silences(&heard, quantum as usize);
                    println!(
                        "{what}: {} gaps of our own, {} of the witness",
                        own.len(),
                        of_witness.len()
                    );
                    match stretch.was_stolen() {
                        Some(part) if !own.is_empty() => {
                            println!("{what}: the host has taken {:.0} % of it", part * 100.0);
                            in_vain += 1;
                        }
                        _ => takes += 1,
                    }
                    (own.is_empty() || takes == MOST_TAKES || in_vain == MOST_IN_VAIN)
                        .then_some((own.is_empty().then_some(heard), takes))
                };
                let (heard, takes) =
                    std::iter::repeat_with(&mut take).find_map(|ended| ended).expect("takes end");
                let Some(heard) = heard else {
                    assert!(takes < MOST_TAKES, "{what}: gaps in each of {MOST_TAKES} takes");
                    println!("{what}: NOT JUDGED, the host leaves this machine too little");
                    continue;
                };
                let (low, high) = (heard.tone_levels_dbfs(440.0), heard.tone_levels_dbfs(880.0));
                // A cycle that a busy machine misses smears both tones over all frequencies.
                assert!(
                    low[0] - low[1] > 40.0 && high[1] - high[0] > 40.0,
                    "{what}: the channels are mixed up: {low:?} {high:?}"
                );
            }
        }
    });
}

/// A listener that outlives its stream writes into freed memory, in safe code and without a word.
#[test]
fn starting_following_and_leaving_write_into_nothing_that_was_freed() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let log = graph.directory().join("log/valgrind");
        let log_file = format!("--log-file={}", log.display());
        let watcher = ["valgrind", "--error-exitcode=99", "--exit-on-first-error=no", &log_file];
        let mut daemon = graph.headroomd_under(&watcher, &["--promote"]);
        daemon.wait_for_log("ready");
        // The inserts are made anew, which drops the first ones in the middle of everything.
        graph.restart_service(Service::PipeWire);
        graph.restart_service(Service::WirePlumber);
        graph.wait_for_link(&format!("{MASTER}.out"), DEVICE);
        daemon.stop();
        let said = std::fs::read_to_string(&log).expect("valgrind's log");
        let freed: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("Invalid write") || line.contains("Invalid read"))
            .collect();
        println!("{generation}: {} accesses to freed memory under valgrind", freed.len());
        assert!(freed.is_empty(), "{said}");
    });
}

/// 0.3.65 asks for real time only where `client-rt.conf` is read, and 1.4 has no such file.
#[test]
fn the_audio_thread_is_as_urgent_as_pipewires_own() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let daemon = headroomd(&graph, &[]);
        let _client = play(&graph, Way::Target, "app", &tones(60.0, 0.1));
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", daemon.id())).expect("maps");
        assert!(
            maps.contains("libpipewire-module-rt.so"),
            "headroomd has not loaded the module that asks for real time"
        );
        let servers = graph.service_threads(Service::PipeWire);
        let ours = daemon.threads();
        let urgent = |threads: &[headroom_tests::Thread]| threads.iter().any(|t| t.is_real_time);
        println!(
            "{generation}: real time: ours {}, PipeWire's {}",
            urgent(&ours),
            urgent(&servers)
        );
        assert_eq!(urgent(&ours), urgent(&servers), "ours {ours:?}, PipeWire's {servers:?}");
    });
}

/// It is built on headers of 0.3.68 or later and runs on what the system has.
#[test]
fn it_runs_on_the_library_of_each_generation() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let mut daemon = headroomd(&graph, &[]);
        let (major, minor, micro) = generation.pipewire();
        let said = daemon.wait_for_log("connected to PipeWire");
        println!("{generation}: {said}");
        assert!(said.contains(&format!("library {major}.{minor}.{micro}")), "{said}");
        assert_eq!(daemon.stop(), Ended::Exited(0));
    });
}
