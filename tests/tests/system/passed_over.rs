//! A sink of ours that was the default once is not it again by itself: WirePlumber keeps a list of all
//! that were ever asked for, and passes over ours unless they are asked for now.

use headroom_client::ipc::{PromoteTo, Promotion};
use headroom_tests::{Device, Graph, Setup, Tool, on_every_generation};

use crate::control::steered;
use crate::defaults::{CONFIGURED, choose_default, default_is, set_default};
use crate::restoring::journal;
use crate::setting::{BUS, DEVICE, MASTER};

const CHOSEN: &str = "headphones";
const ACTUAL: &str = "'default.audio.sink'";

fn chosen() -> Device {
    Device::named(CHOSEN).priority(500)
}

/// Everything that becomes the default from here on.
fn witness(graph: &Graph) -> Tool {
    let tool = graph.start_tool("pw-metadata", &["-n", "default", "--monitor", "0"]);
    tool.wait_for_log(ACTUAL);
    tool
}

/// Asserts that none of ours has been the default since, not even for a moment.
fn was_never_ours(what: &str, witness: &Tool) {
    let log = witness.log();
    let ours: Vec<&str> =
        log.lines().filter(|line| line.contains(ACTUAL) && line.contains("headroom.")).collect();
    assert_eq!(ours, [""; 0], "{what}: {log}");
}

#[test]
fn who_was_promoted_once_is_not_the_default_when_the_listeners_own_is_away() {
    on_every_generation(|generation| {
        let graph = Setup::default().devices([Device::named(DEVICE), chosen()]).start(generation);
        choose_default(&graph, CHOSEN);
        let (daemon, mut client, _) = steered(&graph, &[]);
        client.promote_set(PromoteTo::On).expect("always");
        default_is(&graph, Some(BUS), BUS);
        client.promote_set(PromoteTo::Off).expect("always");
        default_is(&graph, Some(CHOSEN), CHOSEN);
        let comes_and_goes = |what: &str| {
            let witness = witness(&graph);
            graph.unplug(CHOSEN);
            default_is(&graph, Some(CHOSEN), DEVICE);
            graph.wait_for_link(&format!("{MASTER}.out"), DEVICE);
            graph.plug(chosen());
            default_is(&graph, Some(CHOSEN), CHOSEN);
            graph.wait_for_link(&format!("{MASTER}.out"), CHOSEN);
            was_never_ours(what, &witness);
        };
        comes_and_goes("demoted");
        drop(client);
        daemon.stop();
        // What WirePlumber has on disk by now names ours, and only who was asked for.
        let stored = graph.directory().join("home/.local/state/wireplumber/default-nodes");
        let text = graph.wait_for("WirePlumber to have stored it", |_| {
            std::fs::read_to_string(&stored).ok().filter(|text| text.contains(CHOSEN))
        });
        assert!(text.contains(BUS), "else nothing is shown here: {text}");
        assert!(!text.contains(DEVICE), "nobody has asked for it: {text}");
        let (_daemon, mut client, _) = steered(&graph, &[]);
        comes_and_goes("started again");
        // And it is the default again where that is wished.
        client.promote_set(PromoteTo::On).expect("always");
        default_is(&graph, Some(BUS), BUS);
    });
}

#[test]
fn without_promotion_ours_is_the_default_where_the_listener_chooses_it_and_only_then() {
    on_every_generation(|generation| {
        let graph = Setup::default().devices([Device::named(DEVICE), chosen()]).start(generation);
        let (daemon, client, _) = steered(&graph, &[]);
        // The first run, and nobody has chosen anything: the best goes, and another takes its place.
        let first = witness(&graph);
        graph.unplug(DEVICE);
        default_is(&graph, None, CHOSEN);
        was_never_ours("the first run", &first);
        drop(first);
        // Where nobody else is left, there is none but ours to be it; but nobody has asked for it,
        // and it is nobody's any more as soon as there is a device.
        graph.unplug(CHOSEN);
        graph.wait_for("the device to go", |dump| {
            (dump.default_sink().as_deref() != Some(CHOSEN)).then_some(())
        });
        assert_eq!(graph.dump().configured_default_sink(), None);
        for device in [chosen(), Device::named(DEVICE)] {
            let name = device.name().to_owned();
            graph.plug(device);
            default_is(&graph, None, &name);
        }
        assert!(!journal(&graph).exists(), "nothing was changed");
        // The listener chooses ours in the panel of the desktop.
        set_default(&graph, BUS);
        default_is(&graph, Some(BUS), BUS);
        drop(client);
        daemon.stop();
        default_is(&graph, Some(BUS), DEVICE);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        default_is(&graph, Some(BUS), BUS);
        assert_eq!(client.status().expect("status").device.promotion, Some(Promotion::Off));
        // And another again: from then on it is passed over.
        choose_default(&graph, CHOSEN);
        let witness = witness(&graph);
        graph.unplug(CHOSEN);
        default_is(&graph, Some(CHOSEN), DEVICE);
        was_never_ours("chosen and left", &witness);
        assert!(witness.log().contains(CONFIGURED));
    });
}
