//! A profile for a device: it is in force while that device is heard, or that jack of it.

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
        // What was set last comes first: here by what people call it. And one for all the others.
        let matches = DeviceMatch { description: vec!["*phones".into()], ..DeviceMatch::default() };
        client.device_set(Some(matches.clone()), "podcast").expect("set");
        in_force(&mut client, "podcast", Some(UsedBy::Device));
        client.device_set(None, "music").expect("set");
        in_force(&mut client, "podcast", Some(UsedBy::Device));
        graph.unplug(HEADPHONES);
        in_force(&mut client, "music", Some(UsedBy::DefaultDevice));
        client.device_unset(None).expect("taken back");
        in_force(&mut client, "movie", None);
        player.wait_until_linked_to(BUS);
    });
}

/// The sound card that is made of nothing (`tests/src/bin/sound-card.rs`).
const SOUND_CARD: &str = env!("CARGO_BIN_EXE_sound-card");
/// Its sink.
const ANALOG: &str = "card.analog";
/// Its routes, by number.
const SPEAKERS: &str = "0";
const HEADPHONES_JACK: &str = "1";

/// A route of its only sink.
fn route(index: &str) -> String {
    format!("{{ index: {index}, device: 0 }}")
}

#[test]
fn plugging_headphones_into_a_sound_card_puts_the_profile_of_that_jack_in_force() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let card = graph.start_tool(SOUND_CARD, &[ANALOG]);
        card.wait_for_log("device ");
        let id = card.log().lines().find_map(|line| line.strip_prefix("device ").map(String::from));
        let id = id.expect("the number of the card");

        let heard = |client: &mut headroom_client::Client, jack: &str, profile: &str| {
            graph.wait_for(&format!("{profile} for the {jack}"), |_| {
                let list = client.device_list().expect("a list");
                let port = list.heard.filter(|heard| heard.node_name == ANALOG)?.port?;
                let status = client.status().expect("a status");
                let is_so = port.kind.as_deref() == Some(jack) && status.profile == profile;
                is_so.then_some((port, status.profile_by))
            })
        };
        let is_heard_from =
            |index: &str| graph.tool("pw-cli", &["set-param", &id, "Route", &route(index)]);
        let (port, _) = heard(&mut client, "speaker", "default");
        assert_eq!(port.description.as_deref(), Some("Speakers"));
        // Nobody has asked for another profile yet.
        is_heard_from(HEADPHONES_JACK);
        let (_, by) = heard(&mut client, "headphones", "default");
        assert_eq!(by, None);
        is_heard_from(SPEAKERS);
        heard(&mut client, "speaker", "default");

        let matches = DeviceMatch { port: vec!["headphones".into()], ..DeviceMatch::default() };
        client.device_set(Some(matches), "night").expect("set");
        // The sink stays, and only the card says that another jack is heard.
        for _ in 0..2 {
            is_heard_from(HEADPHONES_JACK);
            let (port, by) = heard(&mut client, "headphones", "night");
            assert_eq!(port.name, "analog-output-headphones");
            assert_eq!(by, Some(UsedBy::Device));
            is_heard_from(SPEAKERS);
            heard(&mut client, "speaker", "default");
        }
        card.kill();
    });
}
