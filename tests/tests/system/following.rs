//! That what clients know of streams and sinks follows the graph, event by event.

use std::time::Duration;

use headroom_client::ipc::{Mirror, Sink, Topic};
use headroom_client::{Subscription, Update};
use headroom_tests::{Deadline, Device, Graph, on_every_generation, poll};

use crate::control::steered;
use crate::setting::{BUS, DEVICE, Way, play, tones};

const TOPICS: [Topic; 2] = [Topic::Routing, Topic::Sinks];

/// Takes events until the copy of the state is as wanted. Each must be the next one of its topic.
fn follow<T>(
    subscription: &mut Subscription,
    what: &str,
    is_it: impl Fn(&Mirror) -> Option<T>,
) -> T {
    let found = poll(Deadline::generous(), || {
        if let Some(found) = is_it(subscription.mirror()) {
            return Some(found);
        }
        let before = TOPICS.map(|topic| subscription.mirror().seq(topic));
        match subscription.next_within(Duration::from_millis(100)) {
            Some(Update::Event(event)) => {
                let topic =
                    TOPICS.iter().position(|topic| *topic == event.topic).expect("asked for");
                assert_eq!(Some(event.seq), before[topic].map(|seq| seq + 1), "{event:?}");
            }
            None | Some(Update::Connected { .. }) => {}
            other => panic!("{other:?}"),
        }
        None
    });
    found.unwrap_or_else(|| panic!("waited for {what}: {:#?}", subscription.mirror()))
}

fn sink(mirror: &Mirror, name: &str) -> Option<Sink> {
    mirror.sinks.as_ref()?.state.sinks.iter().find(|sink| sink.name == name).cloned()
}

#[test]
fn a_copy_that_follows_the_events_is_the_state_that_a_snapshot_gives() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (_daemon, mut client, place) = steered(&graph, &[]);
        let mut subscription = Subscription::to(&place, &TOPICS);
        let speakers = follow(&mut subscription, "the device", |mirror| sink(mirror, DEVICE));
        assert_eq!(speakers.volume_db.len(), 2, "{speakers:?}");

        graph.plug(Device::named("headphones").priority(1));
        let headphones = |mirror: &Mirror| sink(mirror, "headphones");
        let plugged = follow(&mut subscription, "headphones with their channels", |mirror| {
            headphones(mirror).filter(|sink| sink.channels == ["FL", "FR"])
        });
        assert!(plugged.id > speakers.id && !plugged.running, "{plugged:?}");

        let player = play(&graph, Way::Target, "levelled", &tones(60.0, 0.1));
        follow(&mut subscription, "the stream to play on the bus", |mirror| {
            let [stream] = &mirror.routing.as_ref()?.state.streams[..] else { return None };
            (stream.playing && stream.sink.as_deref() == Some(BUS)).then_some(())
        });
        graph.set_volume(DEVICE, 0.5);
        let volume_db = 60.0 * 0.5_f32.log10();
        follow(&mut subscription, "the device's volume", |mirror| {
            let volumes = sink(mirror, DEVICE)?.volume_db;
            let is_set =
                |volume: &Option<f32>| volume.is_some_and(|db| (db - volume_db).abs() < 0.1);
            (!volumes.is_empty() && volumes.iter().all(is_set)).then_some(())
        });
        graph.set_mute(DEVICE, true);
        follow(&mut subscription, "its silence", |mirror| {
            sink(mirror, DEVICE)?.muted.then_some(())
        });
        graph.force_quantum(512);
        let device = follow(&mut subscription, "a quantum", |mirror| {
            let device = mirror.sinks.as_ref()?.state.device.clone();
            device.quantum_frames.map(|_| device)
        });
        assert_eq!(device.default_sink.as_deref(), Some(DEVICE), "also without --promote");
        player.stop();
        graph.unplug("headphones");
        follow(&mut subscription, "both to be gone", |mirror| {
            let has_stream = !mirror.routing.as_ref()?.state.streams.is_empty();
            (!has_stream && headphones(mirror).is_none()).then_some(())
        });

        // What comes later is in both, once the copy has come as far as the snapshot.
        let snapshot = client.snapshot(&TOPICS).expect("a snapshot");
        follow(&mut subscription, "the events up to the snapshot", |mirror| {
            TOPICS.iter().all(|topic| mirror.seq(*topic) >= snapshot.seq(*topic)).then_some(())
        });
        let again = client.snapshot(&TOPICS).expect("a snapshot");
        if TOPICS.iter().all(|topic| again.seq(*topic) == subscription.mirror().seq(*topic)) {
            assert_eq!(subscription.mirror(), &again);
        }
    });
}

#[test]
fn an_app_that_says_very_much_is_told_of_in_few_words() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let (daemon, mut client, _) = steered(&graph, &[]);
        let file = graph.write_programme("wordy.wav", 48_000, &tones(60.0, 0.1));
        let words = "much ".repeat(10_000);
        let play = graph.play(&file).name("wordy").target(BUS);
        let player = play.property("application.name", &words).start();
        let stream = graph.wait_for("the stream to play", |_| {
            let streams = client.stream_list().expect("streams").streams;
            streams.into_iter().find(|stream| stream.playing)
        });
        let app = &stream.app;
        assert!(app.len() <= 256 && app.starts_with("much much") && app.ends_with('…'), "{app}");
        assert_eq!(stream.application_name.as_ref(), Some(app));
        assert!(stream.media_name.is_some(), "{stream:?}");
        assert!(daemon.usage().resident_bytes < 64 << 20);
        player.stop();
    });
}
