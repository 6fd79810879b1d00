//! What clients of the control protocol are told about a real graph.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use headroom_client::ipc::{
    BypassTo, Change, Meters, MetersChange, Route, RoutedBy, SinkKind, Stream, Topic,
};
use headroom_client::{Address, Client, Subscription, Update};
use headroom_tests::{Daemon, Graph, Player, Setup, on_every_generation, program};

use crate::apps::sayings;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, Way, play, tones};
use crate::surround::assert_as_sent;

/// headroomd at a place of its own, and a client of it.
pub(crate) fn steered(graph: &Graph, arguments: &[&str]) -> (Daemon, Client, Address) {
    steered_under(graph, &[], arguments)
}

/// The same, started by a program that watches it.
pub(crate) fn steered_under(
    graph: &Graph,
    watcher: &[&str],
    arguments: &[&str],
) -> (Daemon, Client, Address) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let name = format!("headroom-system-{}-{number}", std::process::id());
    let listen = format!("--listen=abstract:{name}");
    let arguments: Vec<&str> = arguments.iter().copied().chain([listen.as_str()]).collect();
    let mut daemon = graph.headroomd_under(watcher, &arguments);
    daemon.wait_for_log("ready");
    let place = Address::Abstract(name);
    let client = Client::connect(&place).expect("headroomd is ready");
    (daemon, client, place)
}

/// What `headroom` prints when this is typed.
pub(crate) fn typed(graph: &Graph, place: &Address, words: &[&str]) -> String {
    let mut command = graph.command(&program("headroom"));
    let output = command.args(words).env("HEADROOM_SOCKET", place.to_string()).output();
    let output = output.expect("headroom runs");
    let [said, complaint] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
    assert!(output.status.success(), "headroom {words:?}: {said}{complaint}");
    println!("$ headroom {}\n{said}{complaint}", words.join(" "));
    said
}

/// Waits until the daemon tells of a stream that is as wanted.
fn stream(graph: &Graph, client: &mut Client, is_it: impl Fn(&Stream) -> bool) -> Stream {
    graph.wait_for("a stream to be told of", |_| {
        let streams = client.stream_list().expect("streams").streams;
        streams.into_iter().find(|stream| is_it(stream))
    })
}

#[test]
fn a_client_sees_who_plays_what_and_where_it_goes() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        assert_eq!(client.stream_list().expect("streams").streams, []);
        let player = play(&graph, Way::Target, "levelled", &tones(60.0, 0.1));
        let seen = stream(&graph, &mut client, |stream| stream.playing);
        assert_eq!((&seen.route, seen.routed_by), (&Route::Processed, RoutedBy::Graph));
        assert_eq!((seen.bus.as_deref(), seen.sink.as_deref()), (Some("main"), Some(BUS)));
        assert_eq!(seen.channels, Some(2));
        assert_eq!(seen.process_binary.as_deref(), Some("pw-cat"), "{seen:?}");
        assert!(seen.pid.is_some() && !seen.app.is_empty(), "{seen:?}");
        let sinks = client.sink_list().expect("sinks");
        assert_eq!(sinks.device.device_sink.as_deref(), Some(DEVICE));
        let kind = |name: &str| {
            let sink = sinks.sinks.iter().find(|sink| sink.name == name);
            let sink = sink.unwrap_or_else(|| panic!("no {name}: {sinks:?}"));
            assert_eq!(sink.channels, ["FL", "FR"]);
            (sink.kind, sink.running)
        };
        assert_eq!(kind(BUS), (SinkKind::Bus, true));
        assert_eq!(kind(MASTER), (SinkKind::Master, true));
        assert_eq!(kind(DEVICE).0, SinkKind::Virtual, "it belongs to no device");
        let gain = graph.wait_for("its gain", |_| {
            let status = client.status().expect("status");
            assert_eq!(status.streams.len(), 1);
            status.streams[0].gain_db.filter(|gain| gain.abs() > 0.1)
        });
        assert!(gain.abs() < 40.0, "{gain} dB");
        client.bypass_set(BypassTo::On).expect("done");
        graph.wait_for("no gain while it is bypassed", |_| {
            let status = client.status().expect("status");
            (status.streams[0].gain_db == Some(0.0)).then_some(())
        });
        let status = client.status().expect("status");
        assert!(status.graph.wireplumber_connected);
        let (major, minor, micro) = generation.wireplumber();
        let version = format!("{major}.{minor}.{micro}");
        assert_eq!(status.graph.wireplumber_version, Some(version));
        player.stop();
        graph.wait_for("the stream to be gone", |_| {
            client.stream_list().expect("streams").streams.is_empty().then_some(())
        });
    });
}

#[test]
fn a_stream_is_sent_where_a_client_says_and_is_let_go_at_the_end() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (daemon, mut client, _) = steered(&graph, &["--profile", "bypass-all"]);
        let file = graph.write_programme("app.wav", RATE_HZ, &tones(120.0, 0.1));
        let player = graph.play(&file).start();
        player.wait_until_linked_to(DEVICE);
        let seen = stream(&graph, &mut client, |stream| stream.sink.is_some());
        assert_eq!((&seen.route, seen.routed_by), (&Route::Bypass, RoutedBy::DefaultRoute));
        for (route, sink) in
            [(Route::Processed, BUS), (Route::Protected, MASTER), (Route::Bypass, DEVICE)]
        {
            let sent = client.route_stream(seen.id, Some(route.clone())).expect("sent");
            assert_eq!((&sent.route, sent.routed_by), (&route, RoutedBy::Pin));
            player.wait_until_linked_to(sink);
            stream(&graph, &mut client, |stream| stream.sink.as_deref() == Some(sink));
        }
        client.route_stream(seen.id, Some(Route::Processed)).expect("sent");
        player.wait_until_linked_to(BUS);
        daemon.stop();
        player.wait_until_linked_to(DEVICE);
        graph.wait_for("nothing to be left in the metadata", |dump| {
            let entries = dump.metadata.get("default")?;
            (!entries.iter().any(|entry| entry.key.contains("target"))).then_some(())
        });
        player.stop();
    });
}

#[test]
fn an_app_behind_pulseaudio_is_known_by_its_own_name() {
    on_every_generation(|generation| {
        let graph = Setup::default().with_pulse().start(generation);
        let (_daemon, mut client, _) = steered(&graph, &["--promote"]);
        let file = graph.write_programme("pulse.wav", RATE_HZ, &tones(60.0, 0.1));
        let player = graph.play(&file).name("an app").with(Player::PaPlay).start();
        let seen = stream(&graph, &mut client, |stream| stream.sink.as_deref() == Some(BUS));
        assert_eq!(seen.application_name.as_deref(), Some("an app"), "{seen:?}");
        assert_eq!(seen.process_binary.as_deref(), Some("pacat"), "{seen:?}");
        player.stop();
    });
}

#[test]
fn meters_tick_while_sound_flows_and_rest_while_none_does() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (daemon, _client, place) = steered(&graph, &[]);
        let mut subscription = Subscription::to(&place, &[Topic::Meters]);
        let player = play(&graph, Way::Target, "levelled", &tones(60.0, 0.1));
        let mut next = || -> Option<Meters> {
            loop {
                match subscription.next_within(Duration::from_secs(2))? {
                    Update::Connected { .. } => {}
                    Update::Event(event) => match event.change {
                        Change::Meters(MetersChange::Tick(meters)) => return Some(meters),
                        other => panic!("{other:?}"),
                    },
                    other => panic!("{other:?}"),
                }
            }
        };
        let loudness = graph.wait_for("a loudness", |_| {
            let meters = next().expect("a tick");
            meters.master?.output_momentary_lufs.filter(|lufs| *lufs > -40.0)
        });
        assert!(loudness < 0.0, "{loudness} LUFS");
        player.stop();
        graph.wait_for("the meters to rest", |_| next().is_none().then_some(()));
        drop(daemon);
    });
}

#[test]
fn bypass_and_settings_are_heard_at_once() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let recorder = graph.record(DEVICE);
        let player = play(&graph, Way::Target, "levelled", &tones(150.0, 0.02));
        // A quiet tone is brought up; with bypass it is what it was.
        let level = |seconds: f64| {
            recorder.wait_for_more_frames((seconds * f64::from(RATE_HZ)) as usize);
            let heard = recorder.so_far();
            let end = heard.frames();
            heard.part(end - RATE_HZ as usize / 2, end).levels_dbfs()[0]
        };
        let sent = 20.0 * (0.02 / 2_f64.sqrt()).log10();
        graph.wait_for("it to be levelled", |_| (level(1.0) > sent + 6.0).then_some(()));
        // And nobody is moved for that: the links are those that were there, and all that is said.
        let ways = || {
            let dump = graph.dump();
            let links: Vec<_> = dump.links.iter().map(|it| (it.from_port, it.to_port)).collect();
            let (bus, master) = (format!("{BUS}.out"), format!("{MASTER}.out"));
            let whole = dump.is_flowing(player.name(), BUS) && dump.is_flowing(&bus, MASTER);
            assert!(whole && dump.is_flowing(&master, DEVICE), "{links:?}");
            (links, sayings(&graph))
        };
        let before = ways();
        client.bypass_set(BypassTo::On).expect("done");
        let bypassed = level(2.0);
        assert!((bypassed - sent).abs() < 0.1, "{bypassed:.2} dBFS, sent {sent:.2}");
        assert_as_sent(&format!("{generation}: bypass"), &recorder, &tones(150.0, 0.02));
        assert_eq!(ways(), before);
        client.bypass_set(BypassTo::Off).expect("done");
        graph.wait_for("it to be levelled again", |_| (level(1.0) > sent + 6.0).then_some(()));
        client.setting_set("agc.target_lufs", -30.0).expect("done");
        graph.wait_for("another target", |_| (level(1.0) < sent + 6.0).then_some(()));
        player.stop();
    });
}
