//! Where the user has put an app is kept whatever happens while we hold it, in what WirePlumber
//! remembers on disk too; and nothing of ours is left behind.

use headroom_client::ipc::{Route, RoutedBy};
use headroom_tests::{
    Client, Device, Ended, Generation, Graph, Player, Service, Setup, on_every_generation,
};

use crate::apps::{HEADPHONES, app_named, play, programme, put, routed, sayings, two_devices};
use crate::control::steered;
use crate::setting::{BUS, DEVICE};

/// What WirePlumber remembers every app under that `pw-cat` plays.
const KEY: &str = "media.role:Music";

/// What WirePlumber has on disk.
fn on_disk(graph: &Graph) -> Vec<String> {
    let folder = graph.directory().join("home/.local/state/wireplumber");
    // Nothing is there before its first write, and what it writes has another name until it is whole.
    let files = std::fs::read_dir(&folder).into_iter().flatten();
    let texts = files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Where WirePlumber remembers now that streams go, by its lines on disk. It writes all that it
/// remembers a second after any of it has changed: so the app is muted, or sounds again, and once
/// that is on disk so is the rest.
fn remembered(graph: &Graph, app: &Client) -> Vec<String> {
    let muted = !app.node().muted;
    graph.set_mute(app.name(), muted);
    let said = [format!("mute={muted}"), format!("\"mute\":{muted}")];
    let is_said =
        |line: &String| line.contains(KEY) && said.iter().any(|said| line.contains(said.as_str()));
    let lines = graph.wait_for("WirePlumber to write what it remembers", |_| {
        Some(on_disk(graph)).filter(|lines| lines.iter().any(is_said))
    });
    lines.into_iter().filter(|line| line.contains("target")).collect()
}

/// Waits until WirePlumber remembers that the app was put at that sink; nothing of ours ever.
pub(crate) fn wait_until_remembered(graph: &Graph, app: &Client, sink: &str) {
    graph.wait_for(&format!("{sink} to be remembered"), |_| {
        let lines = remembered(graph, app);
        println!("{}: remembered: {lines:?}", graph.generation());
        assert!(!lines.iter().any(|line| line.contains("headroom")), "{lines:?}");
        lines.iter().any(|line| line.contains(KEY) && line.contains(sink)).then_some(())
    });
}

/// Plays once more, and waits until it is where it was put.
fn goes_by_itself_to(graph: &Graph, sink: &str) {
    let app = play(graph, "app", &[]);
    app.wait_until_linked_to(sink);
    app.stop();
}

/// An app that was put at the headphones by hand, before there was a Headroom.
pub(crate) fn app_at_headphones(generation: &'static Generation) -> (Graph, Client) {
    let graph = two_devices(generation);
    let app = play(&graph, "app", &[]);
    app.wait_until_linked_to(DEVICE);
    put(&graph, &app, HEADPHONES);
    app.wait_until_linked_to(HEADPHONES);
    wait_until_remembered(&graph, &app, HEADPHONES);
    (graph, app)
}

#[test]
fn what_the_user_wants_of_an_app_is_remembered_whatever_happens_while_we_hold_it() {
    on_every_generation(|generation| {
        let (graph, app) = app_at_headphones(generation);
        let (daemon, mut client, _) = steered(&graph, &["--log-level=debug"]);
        // Where nobody says more than the default route does, it is left where the user has put it.
        app.stop();
        for _ in 0..3 {
            goes_by_itself_to(&graph, HEADPHONES);
        }
        let app = play(&graph, "app", &[]);
        client.route_set(app_named("app"), Route::Processed).expect("a rule");
        app.wait_until_linked_to(BUS);
        // The app ends while we hold it, and comes again.
        app.stop();
        let mut app = play(&graph, "app", &[]);
        app.wait_until_linked_to(BUS);
        wait_until_remembered(&graph, &app, HEADPHONES);
        // WirePlumber 0.4 links nothing any more now and then, when it is started again by itself or
        // a sink with the name of another that has gone is there.
        if generation.wireplumber() >= (0, 5, 0) {
            graph.unplug(HEADPHONES);
            app.stop();
            app = play(&graph, "app", &[]);
            app.wait_until_linked_to(BUS);
            graph.plug(Device::named(HEADPHONES).priority(1));
            wait_until_remembered(&graph, &app, HEADPHONES);
            graph.restart_service(Service::WirePlumber);
            app.wait_until_linked_to(BUS);
            wait_until_remembered(&graph, &app, HEADPHONES);
        }
        daemon.kill();
        app.wait_until_linked_to(DEVICE);
        app.stop();
        goes_by_itself_to(&graph, HEADPHONES);
        // And we leave while we hold it.
        let (daemon, _, _) = steered(&graph, &["--log-level=debug"]);
        let app = play(&graph, "app", &[]);
        app.wait_until_linked_to(BUS);
        assert_eq!(daemon.stop(), Ended::Exited(0));
        app.wait_until_linked_to(HEADPHONES);
        wait_until_remembered(&graph, &app, HEADPHONES);
        app.stop();
        goes_by_itself_to(&graph, HEADPHONES);
    });
}

#[test]
fn what_wireplumber_forgets_because_the_sink_is_away_is_told_to_it_when_it_is_back() {
    on_every_generation(|generation| {
        let (graph, app) = app_at_headphones(generation);
        app.stop();
        graph.unplug(HEADPHONES);
        let (daemon, _, _) = steered(&graph, &["--log-level=debug"]);
        let app = play(&graph, "app", &[]);
        app.wait_until_linked_to(BUS);
        daemon.kill();
        app.wait_until_linked_to(DEVICE);
        app.stop();
        graph.plug(Device::named(HEADPHONES).priority(1));
        if generation.wireplumber() < (0, 5, 0) {
            // It links nothing any more now and then, when such a sink is there.
            graph.stop_service(Service::WirePlumber);
            graph.restart_service(Service::PipeWire);
            graph.start_service(Service::WirePlumber);
        }
        let (_daemon, mut client, _) = steered(&graph, &["--log-level=debug"]);
        let app = play(&graph, "app", &[]);
        app.wait_until_linked_to(HEADPHONES);
        wait_until_remembered(&graph, &app, HEADPHONES);
        assert_eq!(routed(&graph, &mut client, "app", HEADPHONES).1, RoutedBy::Graph);
    });
}

#[test]
fn where_the_user_has_put_an_app_by_hand_is_kept_and_given_back() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let app = play(&graph, "app", &[]);
        app.wait_until_linked_to(DEVICE);
        put(&graph, &app, HEADPHONES);
        app.wait_until_linked_to(HEADPHONES);
        let before = sayings(&graph);
        let (daemon, mut client, _) = steered(&graph, &[]);
        let left_alone = (Route::Bypass, RoutedBy::Graph);
        assert_eq!(routed(&graph, &mut client, "app", HEADPHONES), left_alone);
        client.route_set(app_named("app"), Route::Processed).expect("a rule");
        app.wait_until_linked_to(BUS);
        assert_eq!(daemon.stop(), Ended::Exited(0));
        app.wait_until_linked_to(HEADPHONES);
        assert_eq!(sayings(&graph), before);
        app.stop();
        // And WirePlumber remembers it as before.
        graph.wait_for("the next one to go where the last one was put", |_| {
            let app = play(&graph, "app", &[]);
            let to = graph.wait_for("it to be linked", |dump| {
                dump.targets_of("app").first().map(ToString::to_string)
            });
            app.stop();
            (to == HEADPHONES).then_some(())
        });
    });
}

#[test]
fn where_the_user_puts_an_app_after_a_crash_counts_before_where_we_had_sent_it() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let app = play(&graph, "app", &[]);
        let (daemon, _, _) = steered(&graph, &[]);
        app.wait_until_linked_to(BUS);
        daemon.kill();
        app.wait_until_linked_to(DEVICE);
        put(&graph, &app, HEADPHONES);
        app.wait_until_linked_to(HEADPHONES);
        let (daemon, mut client, _) = steered(&graph, &[]);
        let left_alone = (Route::Bypass, RoutedBy::Graph);
        assert_eq!(routed(&graph, &mut client, "app", HEADPHONES), left_alone);
        graph.wait_for("nothing of ours to be left", |_| {
            (!sayings(&graph).iter().any(|saying| saying.contains("headroom"))).then_some(())
        });
        assert_eq!(daemon.stop(), Ended::Exited(0));
        app.wait_until_linked_to(HEADPHONES);
    });
}

#[test]
fn nothing_is_left_in_the_metadata_or_on_disk_when_it_leaves() {
    on_every_generation(|generation| {
        let graph = Setup::default().with_pulse().start(generation);
        for way in ["--log-level=debug", "--promote"] {
            let (daemon, mut client, _) = steered(&graph, &[way]);
            let apps: Vec<_> =
                (0..8).map(|n| play(&graph, &format!("app-{way}-{n}"), &[])).collect();
            let pulse = graph.play(&programme(&graph)).name("pulse").with(Player::PaPlay).start();
            for app in apps.iter().chain([&pulse]) {
                app.wait_until_linked_to(BUS);
            }
            client.route_set(app_named(&format!("*{way}-0")), Route::Bypass).expect("a rule");
            apps[0].wait_until_linked_to(DEVICE);
            daemon.stop();
            for app in apps.iter().chain([&pulse]) {
                app.wait_until_linked_to(DEVICE);
            }
            assert_eq!(sayings(&graph), [""; 0], "{way}");
            pulse.stop();
            apps.into_iter().for_each(Client::stop);
        }
        let last = play(&graph, "last", &[]);
        let ours = remembered(&graph, &last).into_iter().filter(|line| line.contains("headroom"));
        let ours: Vec<String> = ours.collect();
        assert_eq!(ours, [""; 0]);
    });
}

#[test]
fn what_a_killed_headroom_left_behind_is_put_right_by_the_next() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let app = play(&graph, "app", &[]);
        let (daemon, _, _) = steered(&graph, &[]);
        app.wait_until_linked_to(BUS);
        daemon.kill();
        app.wait_until_linked_to(DEVICE);
        assert_ne!(sayings(&graph), [""; 0], "nobody was there to take it back");
        // Who comes now comes to no sink of ours, and nobody will from what is on disk.
        let later = play(&graph, "later", &[]);
        later.wait_until_linked_to(DEVICE);
        let ours = |later: &Client| {
            let lines = remembered(&graph, later).into_iter();
            lines.filter(|line| line.contains("headroom")).collect::<Vec<_>>()
        };
        assert_eq!(ours(&later), [""; 0]);
        let (_daemon, mut client, _) = steered(&graph, &["--profile", "bypass-all"]);
        assert_eq!(
            routed(&graph, &mut client, "app", DEVICE),
            (Route::Bypass, RoutedBy::DefaultRoute)
        );
        graph.wait_for("nothing to be left", |_| sayings(&graph).is_empty().then_some(()));
        app.wait_until_linked_to(DEVICE);
        assert_eq!(ours(&later), [""; 0]);
    });
}
