//! PipeWire dies and comes back, WirePlumber hangs or is started again: what is asked meanwhile is
//! answered, and afterwards everything goes where it went.

use std::time::{Duration, Instant};

use headroom_client::ipc::{Change, Code, DaemonChange, Match, Route, Topic};
use headroom_client::{Client, Subscription, Update};
use headroom_tests::{
    Deadline, Ended, Graph, MetadataEntry, Service, let_pass, on_every_generation, poll, programme,
};

use crate::choir::middle;
use crate::control::steered;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, assert_heard, assert_whole};

/// From PipeWire's return to ours.
const BACK_WITHIN: Duration = Duration::from_secs(2);
/// From WirePlumber's return to that of the routes.
const IN_FORCE_WITHIN_S: f64 = 1.0;
/// How long PipeWire is away: longer than it takes until Headroom looks for it as seldom as ever.
const AWAY: Duration = Duration::from_millis(3_500);
/// How long leaving may take.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);
/// Quieter than the target by so much that the AGC has most to do.
const AMPLITUDE: f64 = 0.02;

fn app_named(name: &str) -> Match {
    Match { application_name: vec![name.to_owned()], ..Match::default() }
}

/// `app` plays what is judged. The others play other tones: the same ones would add up to more or
/// to nothing, by where each of them began.
fn play(graph: &Graph, name: &str) -> headroom_tests::Client {
    let (file, tones_hz) = match name {
        "app" => ("tones.wav", [440.0, 880.0]),
        _ => ("others.wav", [523.0, 1_047.0]),
    };
    if !graph.audio_file(file).exists() {
        let programme = programme::tones(RATE_HZ, 90.0, &tones_hz, AMPLITUDE);
        graph.write_programme(file, RATE_HZ, &programme);
    }
    graph.play(&graph.audio_file(file)).name(name).property("application.name", name).start()
}

/// Waits for the event of the daemon that is asked for.
fn wait_for_news(news: &mut Subscription, what: &str, is_it: impl Fn(&DaemonChange) -> bool) {
    let found = poll(Deadline::generous(), || match news.next_within(Duration::from_secs(1)) {
        Some(Update::Event(event)) => match event.change {
            Change::Daemon(change) => is_it(&change).then_some(()),
            other => panic!("{other:?}"),
        },
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no event {what}: {:#?}", news.mirror()));
}

/// The gain that the only stream which is levelled gets, once it no longer moves.
fn settled_gain_db(graph: &Graph, client: &mut Client) -> f32 {
    let mut before = f32::NAN;
    graph.wait_for("a gain that stays", |_| {
        let status = client.status().ok()?;
        let gain = status
            .streams
            .iter()
            .find_map(|stream| stream.gain_db.filter(|_| stream.bus.is_some() && stream.playing))?;
        let_pass(Duration::from_millis(400));
        let is_settled = (gain - before).abs() < 0.1 && gain > 5.0;
        before = gain;
        is_settled.then_some(gain)
    })
}

#[test]
fn pipewire_that_dies_is_told_of_and_found_again_with_routes_and_gains_as_before() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, place) = steered(&graph, &[]);
        client.route_set(app_named("left"), Route::Bypass).expect("a route");
        client.route_set(app_named("bell"), Route::Protected).expect("a route");
        let apps = || ["app", "left", "bell"].map(|name| play(&graph, name));
        let arrive = |apps: &[headroom_tests::Client; 3]| {
            for (app, sink) in apps.iter().zip([BUS, DEVICE, MASTER]) {
                app.wait_until_linked_to(sink);
            }
        };
        let first = apps();
        arrive(&first);
        let gain_db = settled_gain_db(&graph, &mut client);
        let before_dbfs = assert_heard(graph.record(DEVICE), &format!("{generation}: before"));
        let stream = client.stream_list().expect("streams").streams[0].id;
        let mut news = Subscription::to(&place, &[Topic::Daemon]);
        poll(Deadline::generous(), || match news.next_within(Duration::from_secs(1)) {
            Some(Update::Connected { .. }) => Some(()),
            _ => None,
        })
        .expect("connected");

        graph.kill_service(Service::PipeWire);
        graph.kill_service(Service::WirePlumber);
        let died = Instant::now();
        wait_for_news(
            &mut news,
            "pipewire_lost",
            |change| matches!(change, DaemonChange::PipewireLost(daemon) if !daemon.graph.pipewire_connected),
        );
        println!("{generation}: told after {:.0?}", died.elapsed());
        drop(first);
        // What needs it says so, and what does not goes on.
        let refusals = [
            client.stream_list().err(),
            client.sink_list().err(),
            client.sink_use(Some(DEVICE)).err(),
            client.why_app("app").err(),
            client.why_stream(stream).err(),
            client.route_stream(stream, Some(Route::Bypass)).err(),
        ];
        for refused in refusals {
            let refused = refused.expect("nothing is known of streams or sinks");
            assert_eq!(refused.code(), Some(Code::Unavailable), "{refused}");
        }
        let status = client.status().expect("a status");
        assert!(!status.graph.pipewire_connected && status.streams.is_empty(), "{status:?}");
        assert!(status.warnings.iter().any(|warning| warning.about == "pipewire"), "{status:?}");
        client.ping().expect("an answer");
        client.route_set(app_named("later"), Route::Bypass).expect("it takes no PipeWire");

        let_pass(AWAY.saturating_sub(died.elapsed()));
        let returned = Instant::now();
        graph.start_service(Service::PipeWire);
        wait_for_news(
            &mut news,
            "pipewire_back",
            |change| matches!(change, DaemonChange::PipewireBack(daemon) if daemon.graph.pipewire_connected),
        );
        let took = returned.elapsed();
        println!("{generation}: back after {took:.0?}");
        assert!(took <= BACK_WITHIN, "{took:?}");
        graph.start_service(Service::WirePlumber);
        let second = apps();
        arrive(&second);
        play(&graph, "later").wait_until_linked_to(DEVICE);
        let again_db = graph.wait_for("a gain", |_| {
            let status = client.status().ok()?;
            status.streams.iter().find_map(|stream| stream.gain_db.filter(|_| stream.playing))
        });
        println!("{generation}: a gain of {gain_db:.1} dB before, {again_db:.1} dB after");
        assert!((again_db - gain_db).abs() <= 2.0, "{again_db:.1} dB, before {gain_db:.1} dB");
        let after_dbfs = assert_heard(graph.record(DEVICE), &format!("{generation}: after"));
        assert_as_loud(before_dbfs, after_dbfs);
    });
}

fn assert_as_loud(before_dbfs: [f64; 2], after_dbfs: [f64; 2]) {
    for (before, after) in before_dbfs.into_iter().zip(after_dbfs) {
        assert!((after - before).abs() <= 2.5, "{after:.1} dBFS, before {before:.1} dBFS");
    }
}

/// How long each of these requests takes, in milliseconds.
fn round_trips_ms(client: &mut Client, stream: u64) -> Vec<f64> {
    let mut took = Vec::new();
    for _ in 0..40 {
        let requests: [&mut dyn FnMut(&mut Client); 6] = [
            &mut |client| _ = client.ping().expect("an answer"),
            &mut |client| drop(client.status().expect("a status")),
            &mut |client| drop(client.stream_list().expect("streams")),
            &mut |client| drop(client.route_set(app_named("nobody"), Route::Bypass).expect("set")),
            &mut |client| drop(client.route_unset(app_named("nobody")).expect("unset")),
            &mut |client| drop(client.route_stream(stream, Some(Route::Protected)).expect("sent")),
        ];
        for request in requests {
            let asked = Instant::now();
            request(client);
            took.push(asked.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    took
}

#[test]
fn a_wireplumber_that_hangs_blocks_no_request_and_does_what_was_asked_when_it_goes_on() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let (app, other) = (play(&graph, "app"), play(&graph, "other"));
        app.wait_until_linked_to(BUS);
        other.wait_until_linked_to(BUS);
        let stream = graph.wait_for("the app to be told of", |_| {
            let streams = client.stream_list().ok()?.streams;
            Some(streams.iter().find(|stream| stream.app == "app")?.id)
        });
        let recorder = graph.record(DEVICE);
        recorder.wait_until_heard(0.01, 0);
        let (mut usual, mut hung, mut in_force_s) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..3 {
            usual.extend(round_trips_ms(&mut client, stream));
            client.route_stream(stream, Some(Route::Processed)).expect("sent");
            // There is none the first time.
            let _ = client.route_unset(app_named("other"));
            app.wait_until_linked_to(BUS);
            other.wait_until_linked_to(BUS);
            let heard_from = recorder.frames();
            graph.freeze_service(Service::WirePlumber);
            hung.extend(round_trips_ms(&mut client, stream));
            client.route_stream(stream, Some(Route::Protected)).expect("sent");
            client.route_set(app_named("other"), Route::Bypass).expect("a route");
            // As long as it takes until Headroom wonders why nothing comes of it.
            let_pass(Duration::from_millis(700));
            hung.extend(round_trips_ms(&mut client, stream));
            let heard = recorder.since(heard_from);
            assert_whole(&format!("{generation}: WirePlumber hangs"), &heard);
            graph.thaw_service(Service::WirePlumber);
            let goes_on = Instant::now();
            app.wait_until_linked_to(MASTER);
            other.wait_until_linked_to(DEVICE);
            in_force_s.push(goes_on.elapsed().as_secs_f64());
        }
        let longest = |all: &[f64]| all.iter().fold(0.0_f64, |longest, ms| longest.max(*ms));
        println!(
            "{generation}: a round trip takes {:.2} ms and {:.1} ms at most; while WirePlumber hangs \
             {:.2} ms and {:.1} ms; routes in force {in_force_s:.2?} s after",
            middle(&usual),
            longest(&usual),
            middle(&hung),
            longest(&hung)
        );
        // A machine that is busy is late for both; a request that waits for WirePlumber waits for
        // as long as it hangs, which is a second and more.
        assert!(middle(&hung) <= 3.0 * middle(&usual) + 1.0, "requests are slow while it hangs");
        assert!(longest(&hung) <= longest(&usual) + 300.0, "a request has waited");
        assert!(middle(&in_force_s) <= IN_FORCE_WITHIN_S, "{in_force_s:.2?}");
    });
}

/// PipeWire reads nothing more from us while it waits for WirePlumber, and forgets to go on when
/// WirePlumber is killed meanwhile.
#[test]
fn who_comes_after_a_wireplumber_that_was_killed_while_it_hung_is_told_of() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let app = play(&graph, "app");
        app.wait_until_linked_to(BUS);
        let told_of = |client: &mut Client, name: &str| {
            let streams = client.stream_list().ok()?.streams;
            Some(streams.iter().find(|stream| stream.app == name)?.id)
        };
        let stream = graph.wait_for("the app to be told of", |_| told_of(&mut client, "app"));
        client.route_stream(stream, Some(Route::Processed)).expect("sent");
        graph.freeze_service(Service::WirePlumber);
        client.route_stream(stream, Some(Route::Protected)).expect("sent");
        // As long as it takes until Headroom wonders why nothing comes of it, and asks.
        let_pass(Duration::from_millis(1_000));
        graph.kill_service(Service::WirePlumber);
        graph.start_service(Service::WirePlumber);
        let later = play(&graph, "later");
        graph.wait_for("who has come later to be told of", |_| told_of(&mut client, "later"));
        assert_eq!(told_of(&mut client, "app"), Some(stream), "who was there is there");
        let route = |streams: Vec<headroom_client::ipc::Stream>| {
            streams.into_iter().find(|told| told.id == stream).map(|told| told.route)
        };
        let told = client.stream_list().expect("streams").streams;
        assert_eq!(route(told), Some(Route::Protected), "what was chosen for it holds");
        // WirePlumber 0.4 that alone was started again links nothing in a graph without hardware.
        if generation.wireplumber() >= (0, 5, 0) {
            app.wait_until_linked_to(MASTER);
            later.wait_until_linked_to(BUS);
        }
    });
}

/// Who wants what, and whom somebody has sent where.
fn sayings(graph: &Graph) -> Vec<MetadataEntry> {
    let mut said = graph.dump().metadata.get("default").cloned().unwrap_or_default();
    said.sort_by(|a, b| (a.subject, &a.key).cmp(&(b.subject, &b.key)));
    said
}

#[test]
fn leaving_takes_no_longer_while_wireplumber_or_pipewire_hangs_and_all_is_put_back() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let app = play(&graph, "app");
        app.wait_until_linked_to(DEVICE);
        let before = sayings(&graph);
        for (service, way) in [
            (Service::WirePlumber, "--promote"),
            (Service::WirePlumber, "--log-level=debug"),
            (Service::PipeWire, "--promote"),
            (Service::PipeWire, "--log-level=debug"),
        ] {
            let (daemon, _, _) = steered(&graph, &[way]);
            app.wait_until_linked_to(BUS);
            graph.freeze_service(service);
            let asked = Instant::now();
            assert_eq!(daemon.stop(), Ended::Exited(0));
            let took = asked.elapsed();
            graph.thaw_service(service);
            println!("{generation}: {way}, {service:?} hangs: left within {took:.0?}");
            assert!(took <= LEAVES_WITHIN, "{way}, {service:?} hangs: {took:?}");
            app.wait_until_linked_to(DEVICE);
            if service == Service::PipeWire {
                // Nobody heard what was put back: the next start does it.
                let (daemon, _, _) = steered(&graph, &[]);
                app.wait_until_linked_to(BUS);
                assert_eq!(daemon.stop(), Ended::Exited(0));
            }
            graph.wait_for(&format!("{way}, {service:?} hung: {before:?}"), |_| {
                (sayings(&graph) == before).then_some(())
            });
        }
    });
}

/// Whether a stream that nobody moves is linked to the device again. WirePlumber 0.4 that alone was
/// started again links nothing in a graph without hardware, whoever plays.
fn relinks(graph: &Graph, witness: &headroom_tests::Client) -> bool {
    let deadline = Deadline::after(Duration::from_secs(2));
    poll(deadline, || graph.dump().is_flowing(witness.name(), DEVICE).then_some(())).is_some()
}

#[test]
fn routes_are_in_force_again_a_second_after_wireplumber_was_started_again() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        client.route_set(app_named("left"), Route::Bypass).expect("a route");
        let apps = ["app", "left", "bell"].map(|name| play(&graph, name));
        let witness = graph.play(&graph.audio_file("others.wav")).target(DEVICE);
        let witness = witness.property("node.dont-move", "true").start();
        let bell = graph.wait_for("the bell to be told of", |_| {
            let streams = client.stream_list().ok()?.streams;
            Some(streams.iter().find(|stream| stream.app == "bell")?.id)
        });
        client.route_stream(bell, Some(Route::Protected)).expect("sent");
        let arrive = || {
            for (app, sink) in apps.iter().zip([BUS, DEVICE, MASTER]) {
                app.wait_until_linked_to(sink);
            }
        };
        arrive();
        settled_gain_db(&graph, &mut client);
        let before_dbfs = assert_heard(graph.record(DEVICE), &format!("{generation}: before"));
        let mut took_s = Vec::new();
        for round in 0..3 {
            graph.kill_service(Service::WirePlumber);
            graph.wait_for("WirePlumber's metadata to go", |dump| {
                dump.metadata("default", 0, "default.audio.sink").is_none().then_some(())
            });
            let status = client.status().expect("a status");
            assert_eq!(status.streams.len(), 4, "{status:?}");
            graph.start_service(Service::WirePlumber);
            let returned = Instant::now();
            if !relinks(&graph, &witness) {
                println!("{generation}: started again, it links nothing, with us or without");
                graph.wait_for("it to be told of", |_| {
                    client.status().ok()?.graph.wireplumber_connected.then_some(())
                });
                return;
            }
            let witness_s = returned.elapsed().as_secs_f64();
            arrive();
            took_s.push(returned.elapsed().as_secs_f64());
            println!(
                "{generation}: in force {:.2} s after, the witness {witness_s:.2} s",
                took_s[round]
            );
        }
        assert!(middle(&took_s) <= IN_FORCE_WITHIN_S, "{took_s:.2?}");
        let after_dbfs = assert_heard(graph.record(DEVICE), &format!("{generation}: after"));
        assert_as_loud(before_dbfs, after_dbfs);
    });
}
