//! PipeWire hangs while headroomd leaves: what it has said then nobody has heard, and so it stays in the
//! journal, and is done by whoever comes next.

use headroom_client::ipc::Route;
use headroom_tests::{Ended, Service, on_every_generation};

use crate::apps::{HEADPHONES, app_named};
use crate::control::steered;
use crate::restoring::{journal, restore};
use crate::setting::{BUS, DEVICE};
use crate::wishes::app_at_headphones;

#[test]
fn what_a_pipewire_that_hangs_has_not_heard_stays_in_the_journal_and_is_put_back_later() {
    on_every_generation(|generation| {
        let (graph, app) = app_at_headphones(generation);
        let (daemon, mut client, _) = steered(&graph, &["--promote"]);
        client.route_set(app_named("app"), Route::Processed).expect("a rule");
        app.wait_until_linked_to(BUS);
        graph.set_volume(BUS, 0.3);
        let is_at = |slider: f64| {
            graph.wait_for(&format!("{DEVICE} to be at {slider}"), |dump| {
                let at = |volume: &f64| (volume - slider.powi(3)).abs() < 1e-3;
                let volumes = &dump.node(DEVICE)?.channel_volumes;
                (!volumes.is_empty() && volumes.iter().all(at)).then_some(())
            });
        };
        is_at(0.3);
        let noted =
            |text: &str| ["former_default", HEADPHONES, DEVICE].map(|word| text.contains(word));
        let before = graph.wait_for("all of it to be noted", |_| {
            let text = std::fs::read_to_string(journal(&graph)).ok()?;
            noted(&text).iter().all(|is| *is).then_some(text)
        });
        drop(client);
        graph.freeze_service(Service::PipeWire);
        assert_eq!(daemon.stop(), Ended::Exited(0));
        let after = std::fs::read_to_string(journal(&graph)).expect("nobody has heard it");
        assert!(noted(&after).iter().all(|is| *is), "{before}\nis now\n{after}");
        // Nobody answers now either.
        let (ended, log) = restore(&graph);
        assert_eq!(ended, Ended::Exited(1), "{log}");
        assert_eq!(std::fs::read_to_string(journal(&graph)).expect("it stays"), after, "{log}");
        graph.thaw_service(Service::PipeWire);
        app.wait_until_linked_to(DEVICE);
        let (ended, log) = restore(&graph);
        assert_eq!(ended, Ended::Exited(0), "{log}");
        assert!(!journal(&graph).exists(), "{log}");
        app.wait_until_linked_to(HEADPHONES);
        is_at(0.3);
    });
}
