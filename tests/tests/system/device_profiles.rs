//! A profile for a device: it is in force while that device is heard. The jack of a sound card needs
//! one that is real: what its route says is read in a test of `graph::pods`, and what follows from
//! it judged in `headroom-daemon/tests/control/devices.rs`.

use headroom_client::ipc::{DeviceMatch, UsedBy};
use headroom_tests::{Device, Graph, on_every_generation};

use crate::control::steered;
use crate::setting::{BUS, DEVICE, Way, play, tones};

const HEADPHONES: &str = "headphones";

#[test]
fn plugging_in_headphones_puts_their_profile_in_force_until_they_are_pulled() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (daemon, mut client, _) = steered(&graph, &[]);
        let matches = DeviceMatch { node_name: vec!["head*".into()], ..DeviceMatch::default() };
        let set = client.device_set(Some(matches), "night").expect("set");
        assert_eq!((set.used.as_str(), set.used_by), ("default", UsedBy::Chosen));
        assert_eq!(set.heard.map(|heard| heard.node_name).as_deref(), Some(DEVICE));
        let player = play(&graph, Way::Routed, "app", &tones(240.0, 0.1));

        graph.plug(Device::named(HEADPHONES).priority(5_000));
        let in_force = |client: &mut headroom_client::Client, name: &str, by: Option<UsedBy>| {
            graph.wait_for(&format!("{name} to be in force"), |_| {
                let status = client.status().expect("a status");
                (status.profile == name && status.profile_by == by).then_some(status)
            })
        };
        let status = in_force(&mut client, "night", Some(UsedBy::Device));
        assert_eq!(status.device.device_sink.as_deref(), Some(HEADPHONES));
        let target = client.setting_get("agc.target_lufs").expect("a setting");
        assert_eq!(target.value, (-20.0).into());
        // By hand it counts at once, and is known after a restart; the same device is heard.
        client.profile_use("movie").expect("used");
        in_force(&mut client, "movie", Some(UsedBy::ByHand));
        daemon.stop();
        let (_daemon, mut client, _) = steered(&graph, &[]);
        in_force(&mut client, "movie", Some(UsedBy::ByHand));
        // Another device, and then this one again.
        graph.unplug(HEADPHONES);
        let status = in_force(&mut client, "movie", None);
        assert_eq!(status.device.device_sink.as_deref(), Some(DEVICE));
        graph.plug(Device::named(HEADPHONES).priority(5_000));
        in_force(&mut client, "night", Some(UsedBy::Device));
        player.wait_until_linked_to(BUS);
    });
}
