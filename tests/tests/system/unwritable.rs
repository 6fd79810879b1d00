//! The directory of the state cannot be written: nothing is promoted that could not be put back, and
//! everything else goes on.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use headroom_client::ipc::{Code, PromoteTo, Promotion};
use headroom_client::{Address, Client};
use headroom_tests::{Ended, on_every_generation};

use crate::apps::{play, two_devices};
use crate::defaults::default_is;
use crate::restoring::journal;
use crate::setting::{BUS, DEVICE};

/// Starts a program as one for whom permissions hold: root may write everywhere.
const UNPRIVILEGED: [&str; 3] =
    ["setpriv", "--inh-caps=-dac_override", "--bounding-set=-dac_override"];

/// Lets nobody write there; what is open to others is closed to them by headroomd, and open to it
/// again. Gives what a program has to be started by for whom that holds.
fn close(directory: &Path) -> &'static [&'static str] {
    fs::create_dir_all(directory).expect("made");
    fs::set_permissions(directory, Permissions::from_mode(0o500)).expect("closed");
    let probe = directory.join("probe");
    let holds = fs::write(&probe, "").is_err();
    let _ = fs::remove_file(&probe);
    if holds { &[] } else { &UNPRIVILEGED }
}

#[test]
fn without_a_journal_nothing_is_promoted_and_all_else_goes_on() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let journal = journal(&graph);
        let directory = journal.parent().expect("it lies somewhere");
        let watcher = close(directory);
        let name = format!("headroom-unwritable-{}-{}", std::process::id(), generation.name());
        let listen = format!("--listen=abstract:{name}");
        let place = Address::Abstract(name);
        let mut daemon = graph.headroomd_under(watcher, &["--promote", &listen]);
        daemon.wait_for_log("ready");
        let mut client = Client::connect(&place).expect("headroomd is ready");
        let status = graph.wait_for("it to be told not to be promoted", |_| {
            let status = client.status().ok()?;
            (status.device.promotion == Some(Promotion::Off)).then_some(status)
        });
        let about = |about: &str| status.warnings.iter().any(|warning| warning.about == about);
        assert!(about("storage") && about("default"), "{status:?}");
        default_is(&graph, None, DEVICE);
        let refused = client.promote_set(PromoteTo::On).expect_err("it cannot be noted");
        assert_eq!(refused.code(), Some(Code::Unavailable), "{refused}");
        assert!(refused.to_string().contains("journal.toml"), "where, and why: {refused}");
        // Apps are levelled all the same.
        let app = play(&graph, "app", &[]);
        app.wait_until_linked_to(BUS);
        default_is(&graph, None, DEVICE);
        drop(client);
        assert_eq!(daemon.stop(), Ended::Exited(0));
        app.wait_until_linked_to(DEVICE);
        fs::set_permissions(directory, Permissions::from_mode(0o700)).expect("opened");
        let mut daemon = graph.headroomd_under(watcher, &[&listen]);
        daemon.wait_for_log("ready");
        let mut client = Client::connect(&place).expect("headroomd is ready");
        assert_eq!(client.promote_set(PromoteTo::On).expect("done").promotion, Some(Promotion::On));
        default_is(&graph, Some(BUS), BUS);
        assert!(journal.exists(), "it was noted first");
        drop(client);
        assert_eq!(daemon.stop(), Ended::Exited(0));
        default_is(&graph, None, DEVICE);
        assert!(!journal.exists());
    });
}
