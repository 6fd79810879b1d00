//! Our bus as the listener's default sink: made so and undone while it runs, without a fight.

use std::time::{Duration, Instant};

use headroom_client::Client;
use headroom_client::ipc::{Decider, PromoteTo, Promotion, Route, RoutedBy};
use headroom_tests::{
    Deadline, Device, Generation, Graph, Service, Setup, on_every_generation, poll,
};

use crate::apps::{play as app, programme, routed};
use crate::control::steered;
use crate::defaults::{CONFIGURED, Dumb, Ear, choose_default, default_is, on_a_graph_that_tells};
use crate::restoring::journal;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, Way, headroomd_for, play, tones};

/// After a kill; and what a look at the graph may take on a busy machine.
const LONGEST: Duration = Duration::from_secs(2);
const A_LOOK: Duration = Duration::from_millis(500);
/// Of a fight; it takes more than four only on a machine that takes seconds for each.
const MOST_ROUNDS: usize = 30;

fn promotion_is(graph: &Graph, client: &mut Client, wanted: Promotion) {
    graph.wait_for(&format!("promotion to be told {wanted}"), |_| {
        (client.status().expect("status").device.promotion == Some(wanted)).then_some(())
    });
}

fn three_devices(generation: &'static Generation) -> Graph {
    let device = |name: &str, priority| Device::named(name).priority(priority);
    Setup::default()
        .devices([device(DEVICE, 1000), device("headphones", 500), device("hdmi", 400)])
        .start(generation)
}

#[test]
fn promotion_goes_on_and_off_while_apps_play_and_is_remembered() {
    on_every_generation(|generation| {
        let graph = three_devices(generation);
        let (daemon, mut client, _) = steered(&graph, &[]);
        assert_eq!(client.status().expect("status").device.promotion, Some(Promotion::Off));
        for chosen in [None, Some("headphones")] {
            if let Some(name) = chosen {
                choose_default(&graph, name);
            }
            let actual = chosen.unwrap_or(DEVICE);
            let told = client.promote_set(PromoteTo::On).expect("always");
            assert_eq!(told.promotion, Some(Promotion::On));
            default_is(&graph, Some(BUS), BUS);
            graph.wait_for_link(&format!("{MASTER}.out"), actual);
            // A new app starts there without being moved.
            let file = graph.write_programme("app.wav", RATE_HZ, &tones(60.0, 0.1));
            let app = graph.play(&file).start();
            app.wait_until_linked_to(BUS);
            let id = app.node().id;
            assert_eq!(graph.dump().metadata("default", id, "target.object"), None);
            let told = client.promote_set(PromoteTo::Toggle).expect("always");
            assert_eq!(told.promotion, Some(Promotion::Off));
            default_is(&graph, chosen, actual);
            app.stop();
            graph.wait_for("the journal to be gone", |_| (!journal(&graph).exists()).then_some(()));
        }
        client.promote_set(PromoteTo::On).expect("always");
        default_is(&graph, Some(BUS), BUS);
        drop(client);
        daemon.stop();
        default_is(&graph, Some("headphones"), "headphones");
        assert!(!journal(&graph).exists());
        let (daemon, _client, _) = steered(&graph, &[]);
        default_is(&graph, Some(BUS), BUS);
        let killed = Instant::now();
        daemon.kill();
        graph.wait_for("the default to be theirs", |dump| {
            (dump.default_sink().as_deref() == Some("headphones")).then_some(())
        });
        let took = killed.elapsed();
        println!("{generation}: {took:?} from the kill to the listener's own default");
        assert!(took <= LONGEST + A_LOOK, "{took:?}");
    });
}

#[test]
fn a_stream_that_goes_through_us_stays_with_us_while_promotion_goes_on_and_off() {
    const ROUNDS: usize = 3;
    on_every_generation(|generation| {
        let graph = three_devices(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let file = graph.write_programme("app.wav", RATE_HZ, &tones(60.0, 0.1));
        let app = graph.play(&file).name("app").start();
        app.wait_until_linked_to(BUS);
        let id = app.node().id;
        let is_said = |wanted: bool| {
            let what = if wanted { "the app to be sent to us" } else { "nobody to send the app" };
            graph.wait_for(what, |dump| {
                let target = dump.metadata("default", id, "target.object");
                (target.is_some() == wanted).then_some(())
            });
        };
        is_said(true);
        let monitor = graph.start_tool("pw-metadata", &["-n", "default", "--monitor"]);
        monitor.wait_for_log("target.object");
        for _ in 0..ROUNDS {
            client.promote_set(PromoteTo::On).expect("always");
            default_is(&graph, Some(BUS), BUS);
            is_said(false);
            client.promote_set(PromoteTo::Off).expect("always");
            default_is(&graph, None, DEVICE);
            is_said(true);
        }
        let log = monitor.log();
        let is_let_go = |line: &&str| line.contains("remove:") && line.contains("target.object");
        let let_go = log.lines().filter(is_let_go).count();
        // Once a round it is ours without being sent, and never besides.
        assert!(let_go <= ROUNDS, "let go {let_go} times in {ROUNDS} rounds\n{log}");
        assert!(graph.dump().is_linked("app", BUS), "the app has left us");
    });
}

#[test]
fn what_is_not_to_be_moved_is_told_where_it_is_while_the_default_changes() {
    on_every_generation(|generation| {
        let graph = three_devices(generation);
        let fixed = ("node.dont-move", "true");
        let at_default = app(&graph, "at default", &[fixed]);
        let elsewhere = graph.play(&programme(&graph)).name("elsewhere").target("headphones");
        let elsewhere = elsewhere.property("application.name", "elsewhere");
        let elsewhere = elsewhere.property(fixed.0, fixed.1).start();
        let (_daemon, mut client, _) = steered(&graph, &[]);
        elsewhere.wait_until_linked_to("headphones");
        // WirePlumber has one that asks for no sink follow the default; nobody else moves it.
        for (to, default_sink, way) in [
            (PromoteTo::On, BUS, (Route::Processed, RoutedBy::Graph)),
            (PromoteTo::Off, DEVICE, (Route::Bypass, RoutedBy::Graph)),
        ] {
            client.promote_set(to).expect("always");
            at_default.wait_until_linked_to(default_sink);
            elsewhere.wait_until_linked_to("headphones");
            assert_eq!(routed(&graph, &mut client, "at default", default_sink), way);
            let left = (Route::Bypass, RoutedBy::Graph);
            assert_eq!(routed(&graph, &mut client, "elsewhere", "headphones"), left);
            for (name, sink) in [("at default", default_sink), ("elsewhere", "headphones")] {
                let why = client.why_app(name).expect("it plays").streams.remove(0);
                assert_eq!(why.stream.sink.as_deref(), Some(sink), "{name}");
                assert_eq!((why.decided.by, why.decided.route), (Decider::NotMovable, None));
                assert!(why.decided.because.contains("node.dont-move"), "{}", why.decided.because);
                assert_eq!(why.chain.is_some(), sink == BUS, "{name}");
            }
        }
    });
}

#[test]
fn the_former_default_is_given_back_also_while_it_is_away() {
    on_every_generation(|generation| {
        let graph = three_devices(generation);
        choose_default(&graph, "headphones");
        let (_daemon, mut client, _) = steered(&graph, &["--promote"]);
        default_is(&graph, Some(BUS), BUS);
        graph.unplug("headphones");
        graph.wait_for_link(&format!("{MASTER}.out"), DEVICE);
        client.promote_set(PromoteTo::Off).expect("always");
        default_is(&graph, Some("headphones"), DEVICE);
        graph.plug(Device::named("headphones").priority(500));
        default_is(&graph, Some("headphones"), "headphones");
    });
}

#[test]
fn a_default_that_somebody_sets_becomes_the_device() {
    on_every_generation(|generation| {
        on_a_graph_that_tells(generation, || {
            let graph = three_devices(generation);
            let ear = Ear::of(&graph);
            let (daemon, mut client, _) = steered(&graph, &["--promote"]);
            client.sink_use(Some("hdmi")).expect("it is there");
            graph.wait_for_link(&format!("{MASTER}.out"), "hdmi");
            default_is(&graph, Some(BUS), BUS);
            // Three times are no fight, however fast they come.
            for name in ["headphones", DEVICE, "hdmi"] {
                ear.hears(&graph, name)?;
                graph.wait_for_link(&format!("{MASTER}.out"), name);
                default_is(&graph, Some(BUS), BUS);
                promotion_is(&graph, &mut client, Promotion::On);
            }
            let preferred = client.status().expect("status").device.preferred_sink;
            assert_eq!(preferred, None, "who chooses in the panel means what they hear");
            drop(client);
            daemon.stop();
            default_is(&graph, Some("hdmi"), "hdmi");
            Ok(())
        });
    });
}

#[test]
fn who_sets_another_default_again_and_again_is_given_in_to() {
    on_every_generation(|generation| {
        on_a_graph_that_tells(generation, || {
            let graph = three_devices(generation);
            let ear = Ear::of(&graph);
            let (daemon, mut client, _) = steered(&graph, &["--promote"]);
            default_is(&graph, Some(BUS), BUS);
            let contested = |client: &mut Client| {
                client.status().expect("status").device.promotion == Some(Promotion::Contested)
            };
            // Again as soon as ours is the default again, for as long as it takes: how fast that
            // is does not matter.
            let mut rounds = 0;
            while !contested(&mut client) {
                rounds += 1;
                assert!(rounds < MOST_ROUNDS, "nobody gives in\n{}", graph.report());
                let asked = ear.count(BUS);
                ear.hears(&graph, "headphones")?;
                let is_answered =
                    || (ear.count(BUS) > asked || contested(&mut client)).then_some(());
                poll(Deadline::generous(), is_answered).ok_or(Dumb)?;
            }
            assert!(rounds >= 4, "it is made ours again three times; not {}", rounds - 1);
            default_is(&graph, Some("headphones"), "headphones");
            let asked = ear.count(BUS);
            let status = client.status().expect("status");
            assert!(status.warnings.iter().any(|warning| warning.about == "default"), "{status:?}");
            graph.wait_for("the journal to be gone", |_| (!journal(&graph).exists()).then_some(()));
            graph.wait_for_link(&format!("{MASTER}.out"), "headphones");
            // Theirs is left alone from now on, also when they choose another.
            ear.hears(&graph, "hdmi")?;
            graph.wait_for_link(&format!("{MASTER}.out"), "hdmi");
            assert!(contested(&mut client));
            assert_eq!(ear.count(BUS), asked, "it has asked once more");
            // Until it is asked for anew.
            client.promote_set(PromoteTo::On).expect("always");
            assert!(client.status().expect("status").warnings.is_empty());
            default_is(&graph, Some(BUS), BUS);
            graph.wait_for_link(&format!("{MASTER}.out"), "hdmi");
            drop(client);
            daemon.stop();
            default_is(&graph, Some("hdmi"), "hdmi");
            Ok(())
        });
    });
}

#[test]
fn without_promotion_the_default_is_never_touched() {
    on_every_generation(|generation| {
        on_a_graph_that_tells(generation, || the_default_is_never_touched(generation));
    });
}

fn the_default_is_never_touched(generation: &'static Generation) -> Result<(), Dumb> {
    let graph = three_devices(generation);
    let ear = Ear::of(&graph);
    let (daemon, mut client, _) = steered(&graph, &[]);
    client.sink_use(Some("hdmi")).expect("it is there");
    graph.wait_for_link(&format!("{MASTER}.out"), "hdmi");
    graph.unplug("hdmi");
    graph.wait_for_link(&format!("{MASTER}.out"), DEVICE);
    drop(client);
    daemon.stop();
    let log = ear.log(&graph)?;
    let configured: Vec<&str> =
        log.lines().filter(|line| line.contains(CONFIGURED) || line.contains(BUS)).collect();
    assert_eq!(configured, [""; 0], "somebody has set it");
    Ok(())
}

/// Waits until both our sink and the device are at this place of the slider.
fn both_are_at(graph: &Graph, device: &str, slider: f64, muted: bool) {
    graph.wait_for(&format!("{BUS} and {device} at {slider}, muted: {muted}"), |dump| {
        let is_at = |name: &str| {
            let node = dump.node(name)?;
            let at = |volume: &f64| (volume - slider.powi(3)).abs() < 1e-3;
            let is_so = node.muted == muted && node.channel_volumes.iter().all(at);
            Some(is_so && !node.channel_volumes.is_empty())
        };
        (is_at(BUS)? && is_at(device)?).then_some(())
    });
}

#[test]
fn the_volumes_are_one_both_ways_and_nothing_changes_by_itself() {
    on_every_generation(|generation| {
        on_a_graph_that_tells(generation, || volumes_are_one(generation));
    });
}

/// Whether WirePlumber has on disk that the device is at 0.4.
fn is_stored(graph: &Graph) -> bool {
    let folder = graph.directory().join("home/.local/state/wireplumber");
    let Ok(files) = std::fs::read_dir(folder) else { return false };
    let texts = files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok());
    let mut lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.any(|line| line.contains(DEVICE) && (line.contains("0.0639") || line.contains("0.064")))
}

fn volumes_are_one(generation: &'static Generation) -> Result<(), Dumb> {
    let devices = [Device::named(DEVICE), Device::named("headset").priority(500)];
    let graph = Setup::default().devices(devices).with_pulse().start(generation);
    let ear = Ear::of(&graph);
    let daemon = headroomd_for(&graph, Way::Promoted);
    let player = play(&graph, Way::Promoted, "app", &tones(300.0, 0.1));
    // With wpctl at either side, and with what speaks PulseAudio.
    graph.set_volume(BUS, 0.5);
    both_are_at(&graph, DEVICE, 0.5, false);
    graph.set_volume(DEVICE, 0.3);
    both_are_at(&graph, DEVICE, 0.3, false);
    graph.tool("pactl", &["set-sink-volume", BUS, "40%"]);
    both_are_at(&graph, DEVICE, 0.4, false);
    graph.tool("pactl", &["set-sink-mute", DEVICE, "1"]);
    both_are_at(&graph, DEVICE, 0.4, true);
    graph.tool("pactl", &["set-sink-mute", "@DEFAULT_SINK@", "0"]);
    both_are_at(&graph, DEVICE, 0.4, false);
    // A device that comes with a volume of its own keeps it, and gives none to the other.
    let recorder = graph.record("headset");
    graph.set_volume("headset", 0.2);
    ear.hears(&graph, "headset")?;
    graph.wait_for_link(&format!("{MASTER}.out"), "headset");
    both_are_at(&graph, "headset", 0.2, false);
    recorder.stop();
    graph.unplug("headset");
    graph.wait_for_link(&format!("{MASTER}.out"), DEVICE);
    both_are_at(&graph, DEVICE, 0.4, false);
    // WirePlumber that starts again sets the device to what it remembers of it, and nothing to
    // anything else. (0.4.13 that is started again by itself links nothing, with us or without.)
    if generation.wireplumber() >= (0, 5, 0) {
        graph.wait_for("WirePlumber to have stored it", |_| is_stored(&graph).then_some(()));
        graph.restart_service(Service::WirePlumber);
        graph.wait_for_link(&format!("{MASTER}.out"), DEVICE);
        player.wait_until_linked_to(BUS);
        both_are_at(&graph, DEVICE, 0.4, false);
    }
    daemon.kill();
    player.wait_until_linked_to(DEVICE);
    let _daemon = headroomd_for(&graph, Way::Promoted);
    both_are_at(&graph, DEVICE, 0.4, false);
    Ok(())
}
