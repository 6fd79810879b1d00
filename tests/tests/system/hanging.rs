//! The disk hangs: nothing is changed that a crash would have to put back before that is on disk, and
//! sound and requests go on meanwhile.

use std::time::{Duration, Instant};

use headroom_client::Client;
use headroom_client::ipc::{PromoteTo, Promotion, Route, Status};
use headroom_tests::{
    Deadline, Device, Disk, Ended, Graph, Recorder, WriteStep, on_every_generation, poll,
};

use crate::apps::{AMPLITUDE, HEADPHONES, app_named, play, put, told, two_devices};
use crate::control::steered_under;
use crate::defaults::default_is;
use crate::restoring::{journal, restore};
use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ, assert_whole};

/// The folder that headroomd remembers in.
const STATE: &str = "home/.local/state/headroom";
/// Behind this the journal is on disk.
const LAST_STEP: WriteStep<'_> = WriteStep::Folder("journal.toml");
/// Leaving takes no longer than ever; and what a look at the graph may take on a busy machine.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);
const A_LOOK: Duration = Duration::from_millis(500);

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
    assert_eq!(unfinished(&steps), WHOLE, "each step is made, and in this order");
}

/// What a journal is written by, while the last step of it waits.
const WHOLE: [&str; 3] =
    ["done file journal.toml.new", "done name journal.toml", "waits folder journal.toml"];

/// What has been done of a journal since one was on disk last.
fn unfinished(steps: &[String]) -> Vec<&str> {
    let of_journal = steps.iter().map(String::as_str).filter(|step| step.contains("journal.toml"));
    let of_journal: Vec<&str> = of_journal.collect();
    // Behind the removal of one it is tried whether another could be written.
    let is_last =
        |step: &&str| ["done folder journal.toml", "done gone journal.toml.new"].contains(step);
    let last = of_journal.iter().rposition(is_last).map_or(0, |last| last + 1);
    of_journal[last..].to_vec()
}

fn goes_on(graph: &Graph, client: &mut Client, disk: &Disk) {
    disk.go_on();
    graph.wait_for("status to warn no longer", |_| {
        (!is_warned(&client.status().expect("a status"))).then_some(())
    });
}

fn wait_for_no_volume_noted(graph: &Graph) {
    graph.wait_for("the note of a volume to go", |_| {
        let text = std::fs::read_to_string(journal(graph)).unwrap_or_default();
        (!text.contains("[volumes")).then_some(())
    });
}

fn is_at(graph: &Graph, sink: &str, slider: f64) -> bool {
    let volumes = graph.node(sink).channel_volumes;
    !volumes.is_empty() && volumes.iter().all(|volume| (volume - slider.powi(3)).abs() < 1e-3)
}

/// Waits until both tones are heard at that level, 440 Hz left and 880 Hz right; gives them. The disk
/// hangs for as long as that takes.
fn wait_for_levels(
    graph: &Graph,
    recorder: &Recorder,
    what: &str,
    is_so: impl Fn([f64; 2]) -> bool,
) -> [f64; 2] {
    let what = format!("{}: {what}", graph.generation());
    let mut last = None;
    let heard = poll(Deadline::generous(), || {
        let quarter = RATE_HZ as usize / 4;
        recorder.wait_for_more_frames(quarter);
        let heard = recorder.since(recorder.frames() - quarter);
        let (low, high) = (heard.tone_levels_dbfs(440.0), heard.tone_levels_dbfs(880.0));
        let is_whole = low[0] - low[1] > 30.0 && high[1] - high[0] > 30.0;
        last = Some((low.clone(), high.clone()));
        (is_whole && is_so([low[0], high[1]])).then_some([low[0], high[1]])
    });
    let heard = heard.unwrap_or_else(|| panic!("{what}: {last:.1?} dBFS"));
    println!("{what}: {heard:.1?} dBFS");
    heard
}

/// Whether these levels are those, but for what the slider takes off.
fn is_off(levels: [f64; 2], full: [f64; 2], slider: f64) -> bool {
    let off_db = levels.iter().zip(full).map(|(level, full)| level - full - 60.0 * slider.log10());
    off_db.fold(0.0_f64, |most, off_db| most.max(off_db.abs())) < 0.5
}

/// Asserts that sound has gone on since that frame.
fn assert_goes_on(graph: &Graph, recorder: &Recorder, since: usize, what: &str) {
    assert_whole(&format!("{}: {what}", graph.generation()), &recorder.since(since));
}

#[test]
fn while_the_disk_hangs_nothing_is_changed_that_a_crash_would_have_to_put_back() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let disk = Disk::below(&graph, STATE);
        let recorder = graph.record_ports(RATE_HZ, &["speakers:monitor_FL", "speakers:monitor_FR"]);
        // One app that the listener has put somewhere, and one that they have not.
        // What WirePlumber remembers of it, it remembers of its role.
        let own = play(&graph, "own", &[("media.role", "Game")]);
        own.wait_until_linked_to(DEVICE);
        put(&graph, &own, HEADPHONES);
        own.wait_until_linked_to(HEADPHONES);
        let app = play(&graph, "app", &[]);
        let (mut daemon, mut client, _) =
            steered_under(&graph, &disk.watcher(), &["--profile=transparent"]);
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

        // A volume: what makes it quieter is heard at once.
        own.stop();
        let full = wait_for_levels(&graph, &recorder, "before", |levels| levels[0] > -55.0);
        let levels_at = |slider: f64, what: &str| {
            wait_for_levels(&graph, &recorder, what, |levels| is_off(levels, full, slider));
        };
        let (steps, heard) = (disk.trace().len(), recorder.frames());
        disk.hang(LAST_STEP);
        graph.set_volume(BUS, 0.5);
        wait_until_it_is_said(&graph, &mut client, &disk, steps);
        levels_at(0.5, "at half of the slider");
        assert!(is_at(&graph, DEVICE, 1.0), "{:?}", graph.node(DEVICE));
        graph.set_volume(BUS, 0.8);
        levels_at(0.8, "at four fifths");
        assert!(is_at(&graph, DEVICE, 1.0), "{:?}", graph.node(DEVICE));
        goes_on(&graph, &mut client, &disk);
        graph.wait_for("the device to follow", |_| is_at(&graph, DEVICE, 0.8).then_some(()));
        assert!(is_at(&graph, BUS, 0.8));
        assert_goes_on(&graph, &recorder, heard, "a volume waits");
        levels_at(0.8, "at four fifths, by the device");
        // It is over, and struck out: what comes next is a write of its own.
        wait_for_no_volume_noted(&graph);

        // What makes it louder is the device's to do, and waits.
        let (steps, heard) = (disk.trace().len(), recorder.frames());
        disk.hang(LAST_STEP);
        graph.set_volume(BUS, 1.0);
        wait_until_it_is_said(&graph, &mut client, &disk, steps);
        levels_at(0.8, "at full, while that is not on disk");
        let waited = recorder.since(heard);
        let loudest = waited.level_curve_dbfs(0, 4_800).into_iter().fold(f64::MIN, f64::max);
        let before = recorder.so_far().part(heard - RATE_HZ as usize / 4, heard);
        let before = before.level_curve_dbfs(0, 4_800).into_iter().fold(f64::MIN, f64::max);
        assert!(loudest < before + 0.5, "{generation}: {loudest:.2} dBFS after {before:.2} dBFS");
        assert!(is_at(&graph, DEVICE, 0.8) && is_at(&graph, BUS, 1.0), "{:?}", graph.node(DEVICE));
        goes_on(&graph, &mut client, &disk);
        graph.wait_for("the device to follow", |_| is_at(&graph, DEVICE, 1.0).then_some(()));
        levels_at(1.0, "at full, by the device");

        // Leaving: all is put back as fast as ever, and nobody waits for the disk.
        disk.hang(WriteStep::Any);
        let asked = Instant::now();
        daemon.signal(libc::SIGTERM);
        default_is(&graph, None, DEVICE);
        app.wait_until_linked_to(DEVICE);
        let back = asked.elapsed();
        assert_eq!(daemon.wait(), Ended::Exited(0));
        let took = asked.elapsed();
        println!(
            "{generation}: {back:.0?} to put all back, {took:.0?} to leave, on a disk that hangs"
        );
        assert!(took <= LEAVES_WITHIN + A_LOOK, "{took:?}");
        disk.go_on();
        // What could not be struck out any more goes now.
        assert_eq!(restore(&graph).0, Ended::Exited(0));
        assert!(!journal(&graph).exists(), "what was put back is struck out");
        drop(client);

        // It hangs from the start on: apps are levelled, and the default is the listener's.
        disk.hang(WriteStep::Any);
        let (daemon, mut client, _) = steered_under(&graph, &disk.watcher(), &["--promote"]);
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

/// Storage that takes its time is no storage that does not answer: the device follows a slider while
/// it is dragged.
#[test]
fn a_volume_that_is_dragged_on_a_slow_disk_is_followed() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let disk = Disk::below(&graph, STATE);
        // A device that has never played shows nobody a new volume.
        let recorder = graph.record(DEVICE);
        let app = play(&graph, "app", &[]);
        let (daemon, mut client, _) =
            steered_under(&graph, &disk.watcher(), &["--profile=transparent"]);
        app.wait_until_linked_to(BUS);
        graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
        recorder.wait_until_heard(AMPLITUDE as f32 / 10.0, 0);
        disk.be_slow(Duration::from_millis(100));
        let bus = graph.node(BUS).id.to_string();
        // From the top down and up again, until the device has been seen at four places on the way.
        let mut places =
            (0..=30_u8).chain((0..30).rev()).cycle().map(|n| 0.9 - f64::from(n) / 50.0);
        let mut seen: Vec<f64> = Vec::new();
        let followed = poll(Deadline::generous(), || {
            let place = places.next().expect("there is always one");
            graph.tool("wpctl", &["set-volume", &bus, &format!("{place:.4}")]);
            assert!(!is_warned(&client.status().expect("a status")), "{generation}: it answers");
            let device = graph.node(DEVICE).channel_volumes[0];
            if device < 0.99 && seen.iter().all(|seen| (seen - device).abs() > 1e-3) {
                seen.push(device);
            }
            (seen.len() == 4).then_some(())
        });
        println!("{generation}: seen at {seen:.3?} while the slider was dragged");
        assert!(followed.is_some(), "{generation}: the device does not follow: {seen:.3?}");
        graph.set_volume(BUS, 0.7);
        graph.wait_for("the device to follow", |_| is_at(&graph, DEVICE, 0.7).then_some(()));
        disk.go_on();
        assert_eq!(daemon.stop(), Ended::Exited(0));
        assert!(!journal(&graph).exists());
        assert!(is_at(&graph, DEVICE, 0.7), "{:?}", graph.node(DEVICE));
    });
}

#[test]
fn a_promotion_that_is_taken_back_before_it_was_noted_leaves_nothing() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let disk = Disk::below(&graph, STATE);
        let (daemon, mut client, _) = steered_under(&graph, &disk.watcher(), &[]);
        let steps = disk.trace().len();
        disk.hang(LAST_STEP);
        client.promote_set(PromoteTo::On).expect("it is to be the default");
        disk.wait_until_it_hangs(steps);
        client.promote_set(PromoteTo::Off).expect("it is not");
        disk.go_on();
        graph.wait_for("the note to go", |_| (!journal(&graph).exists()).then_some(()));
        default_is(&graph, None, DEVICE);
        drop(client);
        assert_eq!(daemon.stop(), Ended::Exited(0));
        assert!(!journal(&graph).exists(), "{generation}");

        // Or by leaving.
        let (mut daemon, mut client, _) = steered_under(&graph, &disk.watcher(), &[]);
        let steps = disk.trace().len();
        disk.hang(LAST_STEP);
        client.promote_set(PromoteTo::On).expect("it is to be the default");
        disk.wait_until_it_hangs(steps);
        daemon.signal(libc::SIGTERM);
        disk.go_on();
        assert_eq!(daemon.wait(), Ended::Exited(0));
        default_is(&graph, None, DEVICE);
        assert!(!journal(&graph).exists(), "{generation}");
    });
}

/// What it was to be told, or has been told and not done, it is told when it comes back.
#[test]
fn a_device_that_goes_before_it_has_followed_follows_when_it_is_back() {
    on_every_generation(|generation| {
        let graph = two_devices(generation);
        let disk = Disk::below(&graph, STATE);
        let app = play(&graph, "app", &[]);
        let (daemon, client, _) = steered_under(&graph, &disk.watcher(), &[]);
        app.wait_until_linked_to(BUS);
        graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
        let steps = disk.trace().len();
        disk.hang(LAST_STEP);
        graph.set_volume(BUS, 0.5);
        disk.wait_until_it_hangs(steps);
        graph.unplug(DEVICE);
        graph.wait_for_flow(&format!("{MASTER}.out"), HEADPHONES);
        disk.go_on();
        graph.plug(Device::named(DEVICE));
        graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
        graph.wait_for("both to be where the listener had set them", |_| {
            (is_at(&graph, DEVICE, 0.5) && is_at(&graph, BUS, 0.5)).then_some(())
        });
        wait_for_no_volume_noted(&graph);
        assert!(is_at(&graph, HEADPHONES, 1.0), "{:?}", graph.node(HEADPHONES));
        drop(client);
        assert_eq!(daemon.stop(), Ended::Exited(0));
    });
}
