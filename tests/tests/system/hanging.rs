//! The disk hangs: nothing is changed that a crash would have to put back before that is on disk, and
//! sound and requests go on meanwhile.

use std::time::{Duration, Instant};

use headroom_client::ipc::{PromoteTo, Promotion, Route, Status};
use headroom_client::{Address, Client};
use headroom_tests::{
    Daemon, Deadline, Disk, Ended, Graph, Recorder, WriteStep, on_every_generation, poll,
};

use crate::apps::{AMPLITUDE, HEADPHONES, app_named, play, put, told, two_devices};
use crate::defaults::default_is;
use crate::restoring::{journal, restore};
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, assert_order, assert_whole};

/// Behind this the journal is on disk.
const LAST_STEP: WriteStep<'_> = WriteStep::Folder("journal.toml");
/// Leaving takes no longer than ever; and what a look at the graph may take on a busy machine.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);
const A_LOOK: Duration = Duration::from_millis(500);

/// headroomd on a disk that can be made to hang, and a client of it.
fn on_disk(graph: &Graph, disk: &Disk, number: usize, arguments: &[&str]) -> (Daemon, Client) {
    let name = format!("headroom-hanging-{}-{number}", std::process::id());
    let listen = format!("--listen=abstract:{}-{name}", graph.generation().name());
    let place = Address::Abstract(format!("{}-{name}", graph.generation().name()));
    let arguments: Vec<&str> = arguments.iter().copied().chain([listen.as_str()]).collect();
    let mut daemon = graph.headroomd_under(&disk.watcher(), &arguments);
    daemon.wait_for_log("ready");
    (daemon, Client::connect(&place).expect("headroomd is ready"))
}

fn is_warned(status: &Status) -> bool {
    status.warnings.iter().any(|warning| warning.about == "journal")
}

/// Waits until the journal waits for its last step, and status says that storage does not answer.
/// Every request is answered meanwhile: a client waits for a few seconds, the disk for ever.
fn wait_until_it_is_said(graph: &Graph, client: &mut Client, disk: &Disk, since: usize) {
    disk.wait_until_it_hangs(since);
    graph.wait_for("status to say that storage does not answer", |_| {
        is_warned(&client.status().expect("a status")).then_some(())
    });
    client.ping().expect("an answer");
    client.stream_list().expect("streams");
    client.route_set(app_named("nobody"), Route::Bypass).expect("a route");
    client.route_unset(app_named("nobody")).expect("the same");
    client.setting_set("agc.target_lufs", -18.0).expect("a setting");
    let steps = disk.trace();
    println!("{}: {:?}", graph.generation(), &steps[since..]);
    let of_journal: Vec<&str> = steps[since..]
        .iter()
        .map(String::as_str)
        .filter(|step| step.contains("journal.toml"))
        .collect();
    let whole =
        ["done file journal.toml.new", "done name journal.toml", "waits folder journal.toml"];
    assert_eq!(of_journal, whole, "each step is made, and in this order");
}

fn goes_on(graph: &Graph, client: &mut Client, disk: &Disk) {
    disk.go_on();
    graph.wait_for("status to warn no longer", |_| {
        (!is_warned(&client.status().expect("a status"))).then_some(())
    });
}

fn is_at(graph: &Graph, sink: &str, slider: f64) -> bool {
    let volumes = graph.node(sink).channel_volumes;
    !volumes.is_empty() && volumes.iter().all(|volume| (volume - slider.powi(3)).abs() < 1e-3)
}

/// The level of both tones over the last quarter of a second: 440 Hz left, 880 Hz right.
fn levels_dbfs(graph: &Graph, recorder: &Recorder) -> [f64; 2] {
    recorder.wait_for_more_frames(RATE_HZ as usize / 4);
    let heard = recorder.since(recorder.frames() - RATE_HZ as usize / 4);
    assert_order(&heard, &graph.generation().to_string())
}

/// Asserts that sound has gone on since that frame.
fn assert_goes_on(graph: &Graph, recorder: &Recorder, since: usize, what: &str) {
    assert_whole(&format!("{}: {what}", graph.generation()), &recorder.since(since));
}

#[test]
fn while_the_disk_hangs_nothing_is_changed_that_a_crash_would_have_to_put_back() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let disk = Disk::below(&graph, "home/.local/state/headroom");
        let recorder = graph.record_ports(RATE_HZ, &["speakers:monitor_FL", "speakers:monitor_FR"]);
        // One app that the listener has put somewhere, and one that they have not.
        // What WirePlumber remembers of it, it remembers of its role.
        let own = play(&graph, "own", &[("media.role", "Game")]);
        own.wait_until_linked_to(DEVICE);
        put(&graph, &own, HEADPHONES);
        own.wait_until_linked_to(HEADPHONES);
        let app = play(&graph, "app", &[]);
        let (mut daemon, mut client) = on_disk(&graph, &disk, 0, &["--profile=transparent"]);
        app.wait_until_linked_to(BUS);
        graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
        let at_headphones =
            |stream: &headroom_client::ipc::Stream| stream.sink.as_deref() == Some(HEADPHONES);
        let own_id = told(&graph, &mut client, "own", at_headphones).id;
        recorder.wait_until_heard(AMPLITUDE as f32 / 10.0, 0);
        assert!(!journal(&graph).exists(), "nothing is to be put back yet");

        // A stream's pin, and the default.
        let (steps, heard) = (disk.trace().len(), recorder.frames());
        disk.hang(LAST_STEP);
        client.route_stream(own_id, Some(Route::Processed)).expect("it is to go there");
        client.promote_set(PromoteTo::On).expect("it is to be the default");
        wait_until_it_is_said(&graph, &mut client, &disk, steps);
        own.wait_until_linked_to(HEADPHONES);
        default_is(&graph, None, DEVICE);
        assert_eq!(graph.dump().metadata("default", own.node().id, "headroom.former.target"), None);
        assert_goes_on(&graph, &recorder, heard, "a pin and the default wait");
        goes_on(&graph, &mut client, &disk);
        own.wait_until_linked_to(BUS);
        default_is(&graph, Some(BUS), BUS);

        // A volume: what makes it quieter is heard at once, what makes it louder is not.
        own.stop();
        let before = levels_dbfs(&graph, &recorder);
        let (steps, heard) = (disk.trace().len(), recorder.frames());
        disk.hang(LAST_STEP);
        graph.set_volume(BUS, 0.5);
        wait_until_it_is_said(&graph, &mut client, &disk, steps);
        let quieter = levels_dbfs(&graph, &recorder);
        assert!(is_at(&graph, DEVICE, 1.0), "{:?}", graph.node(DEVICE));
        println!("{generation}: {before:.1?} dBFS, at half of the slider {quieter:.1?}");
        for (before, quieter) in before.into_iter().zip(quieter) {
            assert!((before - quieter - 18.06).abs() < 0.5, "{before:.1} {quieter:.1} dBFS");
        }
        graph.set_volume(BUS, 0.8);
        assert!(is_at(&graph, DEVICE, 1.0), "{:?}", graph.node(DEVICE));
        assert_goes_on(&graph, &recorder, heard, "a volume waits");
        goes_on(&graph, &mut client, &disk);
        graph.wait_for("the device to follow", |_| is_at(&graph, DEVICE, 0.8).then_some(()));
        assert!(is_at(&graph, BUS, 0.8));

        // Leaving: all is put back as fast as ever.
        disk.hang(WriteStep::Any);
        let asked = Instant::now();
        daemon.signal(libc::SIGTERM);
        default_is(&graph, None, DEVICE);
        app.wait_until_linked_to(DEVICE);
        let took = asked.elapsed();
        println!("{generation}: left within {took:.0?} while the disk hangs");
        assert!(took <= LEAVES_WITHIN + A_LOOK, "{took:?}");
        disk.go_on();
        assert_eq!(daemon.wait(), Ended::Exited(0));
        // A graph that tells nobody that the default is given back leaves its note: it goes now.
        assert_eq!(restore(&graph).0, Ended::Exited(0));
        assert!(!journal(&graph).exists(), "what was put back is struck out");
        drop(client);

        // It hangs from the start on: apps are levelled, and the default is the listener's.
        disk.hang(WriteStep::Any);
        let (daemon, mut client) = on_disk(&graph, &disk, 1, &["--promote"]);
        app.wait_until_linked_to(BUS);
        graph.wait_for("status to say that storage does not answer", |_| {
            is_warned(&client.status().expect("a status")).then_some(())
        });
        default_is(&graph, None, DEVICE);
        goes_on(&graph, &mut client, &disk);
        default_is(&graph, Some(BUS), BUS);
        let told = poll(Deadline::generous(), || {
            let promotion = client.status().expect("a status").device.promotion;
            (promotion == Some(Promotion::On)).then_some(())
        });
        assert!(told.is_some());
        assert_eq!(daemon.stop(), Ended::Exited(0));
        default_is(&graph, None, DEVICE);
    });
}
