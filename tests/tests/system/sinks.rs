//! The device sink: follows the listener's default, or the one that they prefer, when it is there.

use std::time::{Duration, Instant};

use headroom_client::ipc::Code;
use headroom_tests::{
    Daemon, Deadline, Device, Dump, Graph, Setup, Tool, on_every_generation, poll,
};

use crate::control::steered;
use crate::defaults::{Ear, on_a_graph_that_tells};
use crate::setting::{BUS, DEVICE, MASTER, Way, assert_heard, play, tones};

const HEADSET: &str = "headset";
/// How often it comes and goes.
const ROUNDS: usize = 10;
/// From the device's going to the output's being linked to another.
const LONGEST: Duration = Duration::from_millis(500);

fn headset() -> Device {
    Device::named(HEADSET).priority(700)
}

/// Waits until everything ends up there.
fn ends_up(graph: &Graph, name: &str) {
    let output = format!("{MASTER}.out");
    graph.wait_for(&format!("everything to end up at {name}"), |dump| {
        let others = [DEVICE, "hdmi", HEADSET, "other"].into_iter().filter(|other| *other != name);
        let is_there = dump.is_linked(&output, name);
        (is_there && !others.into_iter().any(|other| dump.is_linked(&output, other))).then_some(())
    });
}

/// Those who are told of every object that goes and of every link that comes, at once.
struct Watchers {
    objects: Tool,
    links: Tool,
}

impl Watchers {
    fn of(graph: &Graph) -> Watchers {
        let objects = graph.start_tool("pw-mon", &[]);
        let links = graph.start_tool("pw-link", &["--links", "--monitor"]);
        objects.wait_for_log("added:");
        links.wait_for_log(MASTER);
        Watchers { objects, links }
    }

    /// Pulls a device out, and says how long after that the output is linked to another. The tools
    /// that pull it out and look at the graph take longer than that. True to some 10 ms.
    fn elsewhere_after(&self, graph: &Graph, from: &str, to: &str) -> Duration {
        let id = format!("id: {}", graph.node(from).id);
        let (output, input) = (format!("{MASTER}.out:"), format!("{to}:"));
        let objects = self.objects.log().len();
        let links = self.links.log().len();
        let gone = || {
            let log = self.objects.log();
            let lines: Vec<&str> = log[objects..].lines().map(str::trim).collect();
            lines.windows(2).any(|pair| pair == ["removed:", &id]).then(Instant::now)
        };
        let linked = || {
            let log = self.links.log();
            let is_it = |line: &str| {
                line.starts_with('+') && line.contains(&output) && line.contains(&input)
            };
            log[links..].lines().any(is_it).then(Instant::now)
        };
        std::thread::scope(|scope| {
            let gone = scope.spawn(move || poll(Deadline::generous(), gone));
            let linked = scope.spawn(move || poll(Deadline::generous(), linked));
            graph.unplug(from);
            let gone = gone.join().ok().flatten().expect("its going is told");
            let linked = linked.join().ok().flatten().expect("a link to another is told");
            linked.duration_since(gone)
        })
    }
}

/// What a headset that comes and goes must not cost: objects of the graph, and what the daemon holds.
#[derive(Debug, PartialEq, Eq)]
struct Holdings {
    nodes: usize,
    ports: usize,
    links: usize,
    clients: usize,
    said: usize,
    threads: usize,
    descriptors: usize,
}

impl Holdings {
    fn of(dump: &Dump, daemon: &Daemon) -> Holdings {
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", daemon.id())).expect("it runs");
        Holdings {
            nodes: dump.nodes.len(),
            ports: dump.ports.len(),
            links: dump.links.len(),
            clients: dump.clients.len(),
            said: dump.metadata.values().map(Vec::len).sum(),
            threads: daemon.threads().len(),
            descriptors: descriptors.count(),
        }
    }

    /// Once two looks in turn say the same.
    fn settled(graph: &Graph, daemon: &Daemon) -> Holdings {
        let mut last = None;
        graph.wait_for("what is held to settle", |dump| {
            let now = Some(Holdings::of(dump, daemon));
            let before = std::mem::replace(&mut last, now);
            before.filter(|before| last.as_ref() == Some(before))
        })
    }
}

#[test]
fn a_preferred_headset_that_comes_and_goes_ten_times_costs_nothing() {
    on_every_generation(|generation| {
        for promoted in [false, true] {
            let devices = [Device::named(DEVICE), Device::named("hdmi").priority(500), headset()];
            let graph = Setup::default().devices(devices).start(generation);
            let arguments: &[&str] = if promoted { &["--promote"] } else { &[] };
            let (daemon, mut client, _) = steered(&graph, arguments);
            let way = if promoted { Way::Promoted } else { Way::Target };
            let player = play(&graph, way, "app", &tones(300.0, 0.1));
            let wrong = client.sink_use(Some("headphone")).expect_err("there is none");
            assert_eq!(wrong.code(), Some(Code::NotFound), "{wrong}");
            assert!(wrong.to_string().contains(HEADSET), "{wrong}");
            let ours = client.sink_use(Some(BUS)).expect_err("ours");
            assert_eq!(ours.code(), Some(Code::InvalidArgs), "{ours}");

            let told = client.sink_use(Some(HEADSET)).expect("it is there");
            assert_eq!(told.preferred_sink.as_deref(), Some(HEADSET));
            ends_up(&graph, HEADSET);
            // The default of the listener is none of its business.
            let default = if promoted { BUS } else { DEVICE };
            assert_eq!(graph.dump().default_sink().as_deref(), Some(default));

            let watchers = Watchers::of(&graph);
            let mut took = Vec::new();
            let mut first: Option<(Holdings, u64)> = None;
            for round in 0..ROUNDS {
                took.push(watchers.elsewhere_after(&graph, HEADSET, DEVICE));
                ends_up(&graph, DEVICE);
                if round + 1 == ROUNDS {
                    let what = format!("{generation}: promoted: {promoted}: the last one gone");
                    assert_heard(graph.record(DEVICE), &what);
                }
                graph.plug(headset());
                ends_up(&graph, HEADSET);
                graph.wait_for_flow(&format!("{MASTER}.out"), HEADSET);
                let Some((before, bytes_before)) = &first else {
                    let holdings = Holdings::settled(&graph, &daemon);
                    first = Some((holdings, daemon.usage().resident_bytes));
                    continue;
                };
                let what = format!("all to be as in the first round, not in round {round}");
                let mut last = None;
                graph.wait_for(&what, |dump| {
                    let now = Holdings::of(dump, &daemon);
                    let is_so = now == *before;
                    if !is_so && last.as_ref() != Some(&now) {
                        println!("{generation}: {now:?}, first {before:?}");
                        last = Some(now);
                    }
                    is_so.then_some(())
                });
                let more = daemon.usage().resident_bytes.saturating_sub(*bytes_before);
                assert!(more <= 1 << 20, "in round {round}: {more} bytes more");
            }
            let what = format!("{generation}: promoted: {promoted}: the last one back");
            assert_heard(graph.record(HEADSET), &what);
            took.sort();
            let median = took[took.len() / 2];
            println!(
                "{generation}: promoted: {promoted}: elsewhere within {median:?}, of {took:?}"
            );
            assert!(median <= LONGEST, "{median:?} until it is elsewhere, of {took:?}");
            assert!(graph.dump().is_linked(player.name(), BUS), "the app has left us");

            // Following the default again.
            let told = client.sink_use(None).expect("always");
            assert_eq!(told.preferred_sink, None);
            ends_up(&graph, DEVICE);
        }
    });
}

#[test]
fn the_default_is_followed_by_itself_and_the_preferred_one_is_remembered() {
    on_every_generation(|generation| {
        on_a_graph_that_tells(generation, || {
            let devices = [Device::named(DEVICE), Device::named("hdmi").priority(500), headset()];
            let graph = Setup::default().devices(devices).start(generation);
            let ear = Ear::of(&graph);
            let (daemon, mut client, _) = steered(&graph, &[]);
            ends_up(&graph, DEVICE);
            ear.hears(&graph, "hdmi")?;
            ends_up(&graph, "hdmi");
            client.sink_use(Some(HEADSET)).expect("it is there");
            ends_up(&graph, HEADSET);
            ear.hears(&graph, DEVICE)?;
            graph.wait_for("the new default to be told", |_| {
                let device = client.status().expect("status").device;
                (device.default_sink.as_deref() == Some(DEVICE)).then_some(())
            });
            assert!(graph.dump().is_linked(&format!("{MASTER}.out"), HEADSET), "it is preferred");
            drop(client);
            daemon.stop();
            let (_daemon, mut client, _) = steered(&graph, &[]);
            ends_up(&graph, HEADSET);
            let device = client.status().expect("status").device;
            assert_eq!(device.preferred_sink.as_deref(), Some(HEADSET));
            Ok(())
        });
    });
}

/// The one that is heard goes, be it the listener's default or the one that they prefer.
#[test]
fn what_vanishes_is_stood_in_for_by_the_best_that_is_there_until_it_returns() {
    on_every_generation(|generation| {
        for promoted in [false, true] {
            let speakers = || Device::named(DEVICE).priority(900);
            let hdmi = || Device::named("hdmi").priority(500);
            let other = || Device::named("other").priority(300);
            // The best of the others is neither the first nor the last that came, here and below.
            let devices = [hdmi(), speakers(), headset(), other()];
            let graph = Setup::default().devices(devices).start(generation);
            let arguments: &[&str] = if promoted { &["--promote"] } else { &[] };
            let (_daemon, mut client, _) = steered(&graph, arguments);
            ends_up(&graph, DEVICE);
            graph.unplug(DEVICE);
            ends_up(&graph, HEADSET);
            graph.plug(speakers());
            ends_up(&graph, DEVICE);
            client.sink_use(Some("hdmi")).expect("it is there");
            ends_up(&graph, "hdmi");
            graph.unplug("other");
            graph.plug(other());
            graph.unplug("hdmi");
            ends_up(&graph, DEVICE);
            let told = client.sink_list().expect("sinks").device;
            assert_eq!(told.preferred_sink.as_deref(), Some("hdmi"), "it is waited for");
            graph.plug(hdmi());
            ends_up(&graph, "hdmi");
        }
    });
}
