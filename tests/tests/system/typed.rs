//! What a listener types about devices and sinks does in a real graph what it says.

use headroom_client::ipc::UsedBy;
use headroom_tests::{Device, Setup, on_every_generation};

use crate::apps::play;
use crate::control::{steered, typed};
use crate::defaults::default_is;
use crate::setting::{BUS, DEVICE, MASTER};

const HDMI: &str = "hdmi";

#[track_caller]
fn says(said: &str, part: &str) {
    assert!(said.contains(part), "no {part:?} in {said}");
}

#[test]
fn what_is_typed_of_sinks_and_devices_is_done_and_shown() {
    on_every_generation(|generation| {
        let devices = [Device::named(DEVICE), Device::named(HDMI).priority(500)];
        let graph = Setup::default().devices(devices).start(generation);
        let (_daemon, mut client, place) = steered(&graph, &[]);
        let app = play(&graph, "app", &[]);
        app.wait_until_linked_to(BUS);
        let headroom =
            |words: &str| typed(&graph, &place, &words.split_whitespace().collect::<Vec<_>>());
        let output = format!("{MASTER}.out");
        says(&headroom("sink list"), &format!("* {DEVICE} "));
        says(&headroom("sink use hdmi"), "hdmi whenever it is there, as you chose");
        graph.wait_for_link(&output, HDMI);
        // The daemon says so once it has seen it.
        graph.wait_for("it to be shown", |_| {
            headroom("sink list").contains("* hdmi ").then_some(())
        });
        headroom("sink follow");
        graph.wait_for_link(&output, DEVICE);

        says(&headroom("promote on"), "promotion is on");
        default_is(&graph, Some(BUS), BUS);
        says(&headroom("promote off"), "promotion is off");
        default_is(&graph, None, DEVICE);

        graph.wait_for("the device to be heard", |_| {
            headroom("device list").contains(&format!("Node     {DEVICE}")).then_some(())
        });
        says(
            &headroom("device set --here night"),
            "in force now: night, the profile of this device",
        );
        assert_eq!(client.status().expect("a status").profile_by, Some(UsedBy::Device));
        says(&headroom("device list"), "night ");
        says(&headroom("device unset --here"), "nothing is set any more");
        assert_eq!(client.status().expect("a status").profile, "default");

        // What plays is shown by the name that can be typed, and is said to go where it goes.
        says(&headroom("route set app protected"), "protected");
        app.wait_until_linked_to(MASTER);
        graph.wait_for("it to be said why", |_| {
            headroom("why app").contains("Through    the master alone").then_some(())
        });
        says(&headroom("route unset app"), "no rule of yours any more");
        app.wait_until_linked_to(BUS);
        let shown = headroom("status");
        let row = shown.lines().find_map(|line| line.strip_prefix("app "));
        says(row.unwrap_or_else(|| panic!("no app in {shown}")), " processed ");
    });
}
