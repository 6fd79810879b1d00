//! Filters of the listener's between us and the device.

use std::time::Duration;

use headroom_client::ipc::PromoteTo;
use headroom_tests::{Device, Graph, Setup, Tool, let_pass, on_every_generation};

use crate::control::steered;
use crate::defaults::{choose_default, default_is};
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, assert_heard, tones};

/// Six channels, where the filter in front of them has two.
const PLACES: [&str; 6] = ["FL", "FR", "FC", "LFE", "SL", "SR"];

fn output() -> String {
    format!("{MASTER}.out")
}

fn app(graph: &Graph) -> headroom_tests::Client {
    let file = graph.write_programme("tones.wav", RATE_HZ, &tones(90.0, 0.1));
    graph.play(&file).name("app").start()
}

/// A sink of this name that hands its sound on as `NAME.out`.
fn filter(graph: &Graph, name: &str, properties: &str) -> Tool {
    let sink =
        format!("media.class=Audio/Sink node.name={name} audio.position=[FL,FR] {properties}");
    let out = format!("node.name={name}.out node.passive=true audio.position=[FL,FR]");
    let ends = [format!("--capture-props={sink}"), format!("--playback-props={out}")];
    let tool = graph.start_tool("pw-loopback", &["--channels=2", &ends[0], &ends[1]]);
    graph.wait_for(name, |dump| dump.node(name).map(drop));
    tool
}

#[test]
fn a_filter_in_front_of_the_device_that_has_other_channels_is_played_to() {
    on_every_generation(|generation| {
        let graph =
            Setup::default().devices([Device::named(DEVICE).positions(&PLACES)]).start(generation);
        let smart = "filter.smart=true filter.smart.target={ node.name = speakers }";
        let filter = filter(&graph, "filter", smart);
        let (mut daemon, mut client, _) = steered(&graph, &[]);
        // 0.4 knows no such filters, but can be told to play to one.
        if generation.wireplumber() < (0, 5, 0) {
            client.sink_use(Some("filter")).expect("it is there");
        }
        let _app = app(&graph);
        graph.wait_for_flow(&output(), "filter");
        graph.wait_for_link("app", BUS);
        daemon.wait_for_log("made the sink headroom.master with 2 channels");
        let before = graph.node(MASTER).serial;
        assert_heard(graph.record("filter"), &format!("{generation}: in front of the filter"));
        graph.wait_for_flow("filter.out", DEVICE);
        let_pass(Duration::from_secs(2));
        assert_eq!(graph.node(MASTER).serial, before, "they are not made anew and anew");
        drop(filter);
        graph.wait_for_flow(&output(), DEVICE);
        daemon.wait_for_log("made the sink headroom.master with 6 channels");
    });
}

#[test]
fn an_equalizer_that_was_the_default_never_comes_back_to_us() {
    on_every_generation(|generation| {
        let graph = Setup::default()
            .devices([Device::named(DEVICE).priority(1_000), Device::named("hdmi").priority(500)])
            .start(generation);
        let _equalizer = filter(&graph, "equalizer", "");
        choose_default(&graph, "equalizer");
        let (daemon, mut client, _) = steered(&graph, &[]);
        let _app = app(&graph);
        let is_one_after_the_other = |what: &str| {
            graph.wait_for_link("app", BUS);
            graph.wait_for_flow(&output(), "equalizer");
            graph.wait_for_flow("equalizer.out", DEVICE);
            assert_heard(graph.record(DEVICE), &format!("{generation}: {what}"));
        };
        is_one_after_the_other("the equalizer is the default");
        client.promote_set(PromoteTo::On).expect("always");
        default_is(&graph, Some(BUS), BUS);
        let_pass(Duration::from_secs(1));
        is_one_after_the_other("promoted");

        client.promote_set(PromoteTo::Off).expect("always");
        default_is(&graph, Some("equalizer"), "equalizer");
        graph.wait_for_flow("equalizer.out", DEVICE);
        drop(client);
        daemon.stop();
        let id = graph.node("equalizer.out").id;
        assert_eq!(graph.dump().metadata("default", id, "target.object"), None, "left alone");
    });
}

#[test]
fn a_filter_for_whatever_the_default_is_stays_in_the_way_of_the_sound() {
    on_every_generation(|generation| {
        let graph = Setup::default()
            .devices([Device::named(DEVICE).priority(1_000), Device::named("hdmi").priority(500)])
            .start(generation);
        let equalizer = filter(&graph, "equalizer", "filter.smart=true");
        let (daemon, mut client, _) = steered(&graph, &[]);
        let _app = app(&graph);
        // 0.4 knows no such filters.
        let is_in_the_way = generation.wireplumber() >= (0, 5, 0);
        let is_heard = |is_through: bool, what: &str| {
            graph.wait_for_link("app", BUS);
            if is_through && is_in_the_way {
                graph.wait_for_flow(&output(), "equalizer");
                graph.wait_for_flow("equalizer.out", DEVICE);
            } else {
                graph.wait_for_flow(&output(), DEVICE);
            }
            assert_heard(graph.record(DEVICE), &format!("{generation}: {what}"));
        };
        is_heard(true, "by itself");
        // A device that is asked for by name is played to as without us.
        client.sink_use(Some(DEVICE)).expect("it is there");
        is_heard(false, "the device asked for");
        client.sink_use(None).expect("always");
        is_heard(true, "the default followed");
        client.promote_set(PromoteTo::On).expect("always");
        default_is(&graph, Some(BUS), BUS);
        is_heard(false, "promoted");
        // WirePlumber would have the app at the filter, again and again.
        let rests = |daemon: &headroom_tests::Daemon| daemon.log().matches("main rests").count();
        let before = rests(&daemon);
        let_pass(Duration::from_secs(5));
        assert_eq!(rests(&daemon), before, "{generation}: the app has been away");
        client.promote_set(PromoteTo::Off).expect("always");
        is_heard(true, "no longer promoted");
        drop(equalizer);
        graph.wait_for_flow(&output(), DEVICE);
        assert_heard(graph.record(DEVICE), &format!("{generation}: the filter has gone"));
    });
}
