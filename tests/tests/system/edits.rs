//! A bad file never costs the sound: 10,000 random edits of the profile in force, under a stream.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use headroom_client::ipc::{Change, ProfileChange, ProfileOrigin, SettingValue, Topic};
use headroom_client::{Address, Client};
use headroom_signals::Random;
use headroom_tests::{Deadline, Graph, Recording, let_pass, on_every_generation, poll};

use crate::control::steered;
use crate::damage::{Holds, Victim};
use crate::setting::{BUS, DEVICE, RATE_HZ, Way, play, tones};

const EDITS: usize = 10_000;
const LOADS: usize = 300;
const LONGEST: Duration = Duration::from_secs(90);
const SEED: u64 = 20_000;
/// The profile that is edited is part of the program too, so that there is one without a file.
const NAME: &str = "night";
/// So many more descriptors and threads than at the start are no leak.
const MOST_MORE: usize = 4;

/// What the daemon has told of profiles.
#[derive(Default)]
struct Told {
    loads: AtomicUsize,
    is_over: AtomicBool,
}

/// Counts the loads that the daemon tells of, until it is over.
fn count_loads(place: &Address, told: &Told) {
    let mut client = Client::connect(place).expect("headroomd is ready");
    client.subscribe(&[Topic::Profile]).expect("subscribed");
    while !told.is_over.load(Ordering::SeqCst) {
        let event = client.next_event(Duration::from_millis(50)).expect("headroomd is there");
        let Some(Change::Profile(change)) = event.map(|event| event.change) else { continue };
        if let ProfileChange::Reloaded(_) | ProfileChange::Failed(_) = change {
            told.loads.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Whether the daemon has the file as it is.
fn is_known(client: &mut Client, holds: &Holds) -> bool {
    let profiles = client.profile_list().expect("profiles");
    assert_eq!(profiles.used, NAME, "another profile has been put in force");
    let profile = profiles.profiles.iter().find(|profile| profile.name == NAME);
    let profile = profile.expect("it is part of the program");
    match holds {
        Holds::Good { description, ceiling_dbtp } => {
            let is_it = profile.description == *description && profile.fault.is_none();
            if is_it {
                // The list and what is in force change together.
                assert_eq!(ceiling(client), *ceiling_dbtp, "{profile:?}");
            }
            is_it
        }
        Holds::Bad { quoted } => {
            profile.fault.as_ref().is_some_and(|fault| fault.message.contains(quoted))
        }
        Holds::Gone => profile.origin == ProfileOrigin::Embedded && profile.fault.is_none(),
    }
}

fn ceiling(client: &mut Client) -> f32 {
    match client.setting_get("limiter.ceiling_dbtp").expect("a setting").value {
        SettingValue::Number(value) => value,
        other => panic!("{other:?}"),
    }
}

fn wait_until_known(graph: &Graph, client: &mut Client, holds: &Holds) {
    let known = poll(Deadline::generous(), || is_known(client, holds).then_some(()));
    if known.is_none() {
        let profiles = client.profile_list().expect("profiles").profiles;
        let told = profiles.into_iter().find(|profile| profile.name == NAME);
        panic!("the file holds {holds:?}, but headroomd tells of {told:?}\n{}", graph.report());
    }
}

/// The frames at which the device was silent while the app had something to say.
fn silent_frames(heard: &Recording) -> usize {
    let port = |channel: usize| Recording {
        rate_hz: heard.rate_hz,
        channels: vec![heard.channels[channel].clone()],
    };
    // What a busy machine keeps the app itself from playing arrives as a gap, a little later.
    let late = RATE_HZ as usize / 10;
    let excused = port(0).gaps(0.001, 24);
    let gaps = port(1).gaps(0.001, 24);
    let is_excused = |gap: &&headroom_tests::Gap| {
        excused.iter().any(|late_app| {
            gap.start + gap.frames + late >= late_app.start
                && gap.start <= late_app.start + late_app.frames + late
        })
    };
    gaps.iter().filter(|gap| !is_excused(gap)).map(|gap| gap.frames).sum()
}

#[test]
fn ten_thousand_random_edits_cost_no_sound() {
    on_every_generation(|generation| {
        let soak = if std::env::var_os("HEADROOM_LONG").is_some() { 10 } else { 1 };
        let graph = Graph::start(generation);
        let folder = graph.directory().join("home/.config/headroom/profiles");
        let mut victim = Victim::new(&folder, NAME, SEED);
        let mut last_good = victim.write_good();
        let (mut daemon, mut client, place) = steered(&graph, &["--profile", NAME]);
        wait_until_known(&graph, &mut client, &last_good);
        let app = play(&graph, Way::Target, "app", &tones(180.0 * f64::from(soak), 0.1));
        let output = format!("{}:output_FL", app.name());
        let recorder = graph.record_ports(RATE_HZ, &[&output, &format!("{DEVICE}:monitor_FL")]);
        recorder.wait_for_more_frames(RATE_HZ as usize);
        let began_at = recorder.frames();
        let held = |daemon: &headroom_tests::Daemon| {
            let descriptors = std::fs::read_dir(format!("/proc/{}/fd", daemon.id()));
            (daemon.threads().len(), descriptors.expect("it runs").count())
        };
        let (before, memory_before) = (held(&daemon), daemon.usage().resident_bytes);

        let told = Told::default();
        let began = Instant::now();
        let mut pauses = Random::new(SEED + 1);
        std::thread::scope(|scope| {
            let counting = || count_loads(&place, &told);
            let counter = std::thread::Builder::new().name(format!("{} loads", generation.name()));
            counter.spawn_scoped(scope, counting).expect("a thread that counts");
            let over = OverAtTheEnd(&told.is_over);
            // Bursts of edits, each with an end that can be told from all that there was.
            while victim.edits() < EDITS * soak as usize {
                for _ in 0..victim.draw(50) {
                    victim.edit();
                    if pauses.below(8) == 0 {
                        let_pass(Duration::from_millis(pauses.below(12) as u64));
                    }
                }
                let holds = match victim.draw(10) {
                    0..=5 => victim.write_good(),
                    6..=8 => victim.write_bad(),
                    _ => victim.delete(),
                };
                wait_until_known(&graph, &mut client, &holds);
            }
            last_good = victim.write_good();
            wait_until_known(&graph, &mut client, &last_good);
            // And it is bad once more: what was last good is what is heard.
            let bad = victim.write_bad();
            wait_until_known(&graph, &mut client, &bad);
            drop(over);
        });
        let took = began.elapsed();
        let Holds::Good { ceiling_dbtp, .. } = last_good else { unreachable!("it was good") };
        assert_eq!(ceiling(&mut client), ceiling_dbtp, "the last valid file is not in force");
        recorder.wait_for_more_frames(RATE_HZ as usize / 2);
        let heard = recorder.stop();
        let silent = silent_frames(&heard.part(began_at, heard.frames()));
        let loads = told.loads.load(Ordering::SeqCst);
        let (after, memory_after) = (held(&daemon), daemon.usage().resident_bytes);
        let mib = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
        println!(
            "{generation}: seed {SEED}: {} edits in {:.1} s, {loads} loads told, {silent} frames \
             of silence, {:.1} -> {:.1} MiB resident, threads and descriptors {before:?} -> \
             {after:?}",
            victim.edits(),
            took.as_secs_f64(),
            mib(memory_before),
            mib(memory_after),
        );
        assert!(daemon.ended().is_none(), "headroomd has ended");
        assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
        assert!(loads >= LOADS, "{loads} loads");
        assert!(took <= LONGEST * soak, "{took:?}");
        assert_eq!(silent, 0, "frames of silence");
        assert!(after.0 <= before.0 + MOST_MORE && after.1 <= before.1 + MOST_MORE);
        app.wait_until_linked_to(BUS);
        app.stop();
    });
}

/// Says that it is over, also when a test fails on the way.
struct OverAtTheEnd<'a>(&'a AtomicBool);

impl Drop for OverAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
