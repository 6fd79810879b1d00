//! Who moves our output by hand has it there, until another device is asked for or that one goes; and
//! who has the device to itself is waited for.

use std::time::Duration;

use headroom_tests::{Device, Graph, Setup, let_pass, on_every_generation};

use crate::control::steered;
use crate::defaults::choose_default;
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, assert_heard, tones};

const HDMI: &str = "hdmi";

fn output() -> String {
    format!("{MASTER}.out")
}

/// Moves our output to a device, as a mixer does.
fn move_output(graph: &Graph, device: &str) {
    let (id, serial) = (graph.node(&output()).id.to_string(), graph.node(device).serial);
    graph.tool("pw-metadata", &[&id, "target.object", &serial.to_string(), "Spa:Id"]);
    graph.wait_for_link(&output(), device);
}

fn app(graph: &Graph) -> headroom_tests::Client {
    let file = graph.write_programme("tones.wav", RATE_HZ, &tones(90.0, 0.1));
    graph.play(&file).name("app").start()
}

#[test]
fn our_output_stays_where_it_was_moved_by_hand_until_that_goes_or_another_is_asked_for() {
    on_every_generation(|generation| {
        let graph = Setup::default()
            .devices([
                Device::named(DEVICE).priority(1_000),
                Device::named(HDMI).priority(500),
                Device::named("usb").priority(1_500),
            ])
            .start(generation);
        choose_default(&graph, DEVICE);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let _app = app(&graph);
        graph.wait_for_link(&output(), DEVICE);

        move_output(&graph, HDMI);
        graph.wait_for_flow(&output(), HDMI);
        assert_heard(graph.record(HDMI), &format!("{generation}: moved by hand"));
        // Which is the default already: it is asked for all the same.
        client.sink_use(Some(DEVICE)).expect("it is there");
        graph.wait_for_flow(&output(), DEVICE);
        assert_heard(graph.record(DEVICE), &format!("{generation}: asked for"));

        // WirePlumber would have it at the best that is left.
        move_output(&graph, HDMI);
        graph.unplug(HDMI);
        graph.wait_for_flow(&output(), DEVICE);
        assert_heard(graph.record(DEVICE), &format!("{generation}: that has gone"));
    });
}

#[test]
fn a_device_that_another_program_has_to_itself_is_played_to_once_that_ends() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let file = graph.write_programme("tones.wav", RATE_HZ, &tones(90.0, 0.1));
        let alone = graph.play(&file).name("alone").property("node.exclusive", "true").start();
        alone.wait_until_linked_to(DEVICE);
        let mut daemon = graph.headroomd(&[]);
        daemon.wait_for_log("made the sink headroom.master");
        let_pass(Duration::from_secs(4));
        let log = daemon.log();
        assert_eq!(log.matches("connected to PipeWire").count(), 1, "{log}");
        alone.stop();
        let app = graph.play(&file).name("app").start();
        app.wait_until_linked_to(BUS);
        graph.wait_for_flow(&output(), DEVICE);
        assert_heard(graph.record(DEVICE), &format!("{generation}: the device is free"));
    });
}
