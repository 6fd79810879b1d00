//! What Headroom costs: nothing at rest, next to nothing while it plays or waits.

use std::time::{Duration, Instant};

use headroom_client::ipc::Route;
use headroom_signals::noise;
use headroom_tests::{Daemon, Graph, Service, Thread, let_pass, on_every_generation};

use crate::apps;
use crate::control::steered;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, Way, headroomd, play, stretch};

const IDLE_CORE_PERCENT: f64 = 0.1;
/// The bar is 1 %, judged by the benchmark; a noisy machine gets half as much again.
const PLAYING_CORE_PERCENT: f64 = 1.5;
/// On a machine that is slower for a while PipeWire's own work is dearer too: at most so many times that.
const TIMES_PIPEWIRE: f64 = 2.0;
/// How often it is measured; the cheapest counts.
const STRETCHES: usize = 3;
/// How often hr-graph may wake in a second of waiting, while an app plays and the graph is looked at.
const WAITING_WAKE_UPS: u64 = 20;
const RESIDENT_BYTES: u64 = 12 * 1024 * 1024;

/// What a stretch of time cost a thread.
#[derive(Debug)]
struct Cost {
    thread: String,
    wake_ups: u64,
    core_percent: f64,
}

fn over_a_stretch(daemon: &Daemon, seconds: u64) -> Vec<Cost> {
    let (before, start) = (daemon.threads(), Instant::now());
    let_pass(stretch(seconds));
    let (after, took) = (daemon.threads(), start.elapsed().as_secs_f64());
    assert_eq!(before.len(), after.len(), "threads have come or gone: {before:?}, {after:?}");
    let cost = |(before, after): (&Thread, &Thread)| Cost {
        thread: after.name.clone(),
        wake_ups: after.wake_ups - before.wake_ups,
        core_percent: (after.cpu_seconds - before.cpu_seconds) / took * 100.0,
    };
    before.iter().zip(&after).map(cost).collect()
}

fn total_percent(costs: &[Cost]) -> f64 {
    costs.iter().map(|cost| cost.core_percent).sum()
}

fn wait_until_suspended(graph: &Graph) {
    graph.wait_for("the graph to be suspended", |dump| {
        let rests = |name| dump.node(name).is_some_and(|node| node.state == "suspended");
        (rests(BUS) && rests(MASTER) && rests(DEVICE)).then_some(())
    });
    // Whoever looks at the graph wakes everyone who listens to it.
    let_pass(Duration::from_secs(1));
}

#[test]
fn at_rest_nothing_wakes_up_and_the_device_may_sleep() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let daemon = headroomd(&graph, &["--promote"]);
        // After something has played, as well as before.
        let pink = noise::pink(RATE_HZ, 2, 60.0, 1);
        play(&graph, Way::Promoted, "app", &pink.channels).stop();
        wait_until_suspended(&graph);

        let costs = over_a_stretch(&daemon, 60);
        let percent = total_percent(&costs);
        let wake_ups: u64 = costs.iter().map(|cost| cost.wake_ups).sum();
        println!("{generation}: at rest {percent:.4} % of a core, {wake_ups} wake-ups");
        assert_eq!(wake_ups, 0, "at rest: {costs:?}");
        assert!(percent <= IDLE_CORE_PERCENT, "{percent} % of a core at rest");
    });
}

#[test]
fn one_stereo_stream_costs_next_to_nothing() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        graph.force_quantum(1024);
        let daemon = headroomd(&graph, &[]);
        let seconds = STRETCHES as f64 * stretch(10).as_secs_f64() + 30.0;
        let pink = noise::pink(RATE_HZ, 2, seconds, 1).at_lufs(-23.0);
        let _client = play(&graph, Way::Target, "app", &pink.channels);
        // The first seconds are those of a start.
        let_pass(Duration::from_secs(3));

        // Whatever else the machine does makes it dearer and never cheaper.
        let stretches = [10; STRETCHES].map(|seconds| {
            let (before, start) = (graph.service_usage(Service::PipeWire), Instant::now());
            let costs = over_a_stretch(&daemon, seconds);
            let spent = graph.service_usage(Service::PipeWire).cpu_seconds - before.cpu_seconds;
            (costs, spent / start.elapsed().as_secs_f64() * 100.0)
        });
        let percents = stretches.each_ref().map(|(costs, _)| total_percent(costs));
        let of_pipewire = stretches.each_ref().map(|(_, percent)| *percent);
        let percent = percents.into_iter().fold(f64::INFINITY, f64::min);
        let resident_bytes = daemon.usage().resident_bytes;
        let mib = resident_bytes as f64 / 1024.0 / 1024.0;
        println!(
            "{generation}: playing {percent:.2} % of a core (of {percents:.2?}, PipeWire itself \
             {of_pipewire:.2?}), {mib:.1} MiB resident"
        );
        for Cost { thread, wake_ups, core_percent } in stretches.iter().flat_map(|(costs, _)| costs)
        {
            println!("{generation}:   {thread} {core_percent:.2} %, {wake_ups} wake-ups");
        }
        let is_cheap = |(ours, pipewires): (&f64, &f64)| {
            *ours <= PLAYING_CORE_PERCENT.max(TIMES_PIPEWIRE * pipewires)
        };
        let is_kept = percents.iter().zip(&of_pipewire).any(is_cheap);
        assert!(is_kept, "{percents:.2?} % of a core, PipeWire itself {of_pipewire:.2?} %");
        assert!(resident_bytes <= RESIDENT_BYTES, "{mib:.1} MiB resident");
    });
}

/// Whatever time has come for, there is nothing to be done while WirePlumber owes us an answer.
#[test]
fn a_wireplumber_that_hangs_while_apps_come_and_go_does_not_keep_us_awake() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (daemon, mut client, _) = steered(&graph, &[]);
        let (app, other) = (apps::play(&graph, "app", &[]), apps::play(&graph, "other", &[]));
        app.wait_until_linked_to(BUS);
        other.wait_until_linked_to(BUS);
        let stream = graph.wait_for("the app to be told of", |_| {
            let streams = client.stream_list().ok()?.streams;
            Some(streams.iter().find(|stream| stream.app == "app")?.id)
        });
        graph.freeze_service(Service::WirePlumber);
        client.route_stream(stream, Some(Route::Protected)).expect("sent");
        // As long as it takes until we wonder why nothing comes of it, and ask.
        let_pass(Duration::from_secs(1));
        // Killed, and not looked for: who looks at the graph waits for WirePlumber, too.
        drop(other);
        // And until we would ask again.
        let_pass(Duration::from_secs(1));
        let costs = over_a_stretch(&daemon, 2);
        let graphs = costs.iter().find(|cost| cost.thread == "hr-graph").expect("hr-graph");
        println!("{generation}: while WirePlumber hangs {graphs:?}");
        assert!(graphs.wake_ups <= stretch(2).as_secs() * WAITING_WAKE_UPS, "{costs:?}");
        graph.thaw_service(Service::WirePlumber);
        app.wait_until_linked_to(MASTER);
    });
}
