//! A mirror that is fed by events equals the state, for random histories, joins, losses and
//! snapshots. The state is kept a second time here, in plain maps, so that the mirror is not
//! only compared with itself.

use super::objects;
use std::collections::BTreeMap;

use fastrand::Rng;
use headroom_ipc::*;

/// What the daemon would know, in its own words.
#[derive(Default)]
struct World {
    streams: BTreeMap<u64, Stream>,
    sinks: BTreeMap<u64, Sink>,
    settings: BTreeMap<String, Setting>,
    profiles: BTreeMap<String, Profile>,
    used: String,
    bypass: bool,
    pipewire_connected: bool,
    next_id: u64,
}

impl World {
    /// Lets something happen, and says it as a change.
    fn happen(&mut self, rng: &mut Rng) -> Change {
        match rng.u8(0..12) {
            0..3 => {
                self.next_id += 1;
                let mut stream = Stream { id: self.next_id, ..objects::stream() };
                if let Some(known) = rng.choice(self.streams.keys()).filter(|_| rng.bool()) {
                    stream = self.streams[known].clone();
                    stream.playing = rng.bool();
                    stream.route =
                        [Route::Bypass, Route::Bus("voice".into())][rng.usize(0..2)].clone();
                }
                self.streams.insert(stream.id, stream.clone());
                if rng.bool() {
                    RoutingChange::StreamRouted(stream).into()
                } else {
                    RoutingChange::StreamChanged(stream).into()
                }
            }
            3 => match rng.choice(self.streams.keys()).copied() {
                Some(id) => {
                    self.streams.remove(&id);
                    RoutingChange::StreamRemoved(StreamRemoved { id }).into()
                }
                None => self.pipewire(rng),
            },
            4 => {
                self.next_id += 1;
                let sink = Sink { id: self.next_id, muted: rng.bool(), ..objects::sink() };
                self.sinks.insert(sink.id, sink.clone());
                SinksChange::SinkChanged(sink).into()
            }
            5 => match rng.choice(self.sinks.keys()).copied() {
                Some(id) => {
                    self.sinks.remove(&id);
                    SinksChange::SinkRemoved(SinkRemoved { id }).into()
                }
                None => self.pipewire(rng),
            },
            6..8 => {
                let all = objects::settings().settings;
                let mut setting = all[rng.usize(..all.len())].clone();
                setting.overridden = rng.bool();
                self.settings.insert(setting.key.clone(), setting.clone());
                SettingChange::Changed(setting).into()
            }
            8 => {
                self.bypass = !self.bypass;
                SettingChange::BypassChanged(Bypass { bypass: self.bypass }).into()
            }
            9 => {
                let name = ["a", "b", "c"][rng.usize(0..3)].to_owned();
                let profile = Profile { name: name.clone(), ..objects::profile() };
                self.profiles.insert(name.clone(), profile.clone());
                if rng.bool() {
                    self.used = name;
                    ProfileChange::Used(profile).into()
                } else {
                    ProfileChange::Failed(profile).into()
                }
            }
            10 => MetersChange::Tick(objects::meters()).into(),
            _ => self.pipewire(rng),
        }
    }

    fn pipewire(&mut self, rng: &mut Rng) -> Change {
        self.pipewire_connected = rng.bool();
        let mut daemon = objects::daemon();
        daemon.graph.pipewire_connected = self.pipewire_connected;
        if self.pipewire_connected {
            DaemonChange::PipewireBack(daemon).into()
        } else {
            DaemonChange::PipewireLost(daemon).into()
        }
    }

    fn assert_is(&self, mirror: &Mirror, context: &str) {
        let routing = &mirror.routing.as_ref().expect("routing").state;
        let streams: BTreeMap<u64, Stream> =
            routing.streams.iter().map(|stream| (stream.id, stream.clone())).collect();
        assert_eq!(streams, self.streams, "{context}");
        assert_eq!(routing.streams.len(), self.streams.len(), "{context}");
        let sinks = &mirror.sinks.as_ref().expect("sinks").state.sinks;
        assert_eq!(sinks.iter().map(|s| (s.id, s.clone())).collect::<BTreeMap<_, _>>(), self.sinks);
        let setting = &mirror.setting.as_ref().expect("setting").state;
        assert_eq!(setting.bypass, self.bypass, "{context}");
        let settings: BTreeMap<String, Setting> =
            setting.settings.iter().map(|s| (s.key.clone(), s.clone())).collect();
        assert_eq!(settings, self.settings, "{context}");
        let profiles = &mirror.profile.as_ref().expect("profile").state;
        assert_eq!(profiles.used, self.used, "{context}");
        let names: Vec<&String> = profiles.profiles.iter().map(|profile| &profile.name).collect();
        assert_eq!(names, self.profiles.keys().collect::<Vec<_>>(), "{context}: sorted by name");
        let daemon = &mirror.daemon.as_ref().expect("daemon").state;
        assert_eq!(daemon.graph.pipewire_connected, self.pipewire_connected, "{context}");
    }
}

/// As it comes out of the wire.
fn over_the_wire(event: &Event) -> Event {
    let frame = ServerFrame::event(event).expect("short");
    match ServerMessage::decode(frame.body()) {
        Ok(ServerMessage::Event(event)) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mirror_fed_by_events_equals_the_state_whatever_is_lost_in_between() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let mut world = World::default();
        let mut daemon = Mirror::full();
        let mut client: Option<Mirror> = None;
        let mut gaps = 0;
        for n in 0..200 {
            let context = format!("seed {seed}, event {n}");
            let event = daemon.publish(world.happen(&mut rng));
            world.assert_is(&daemon, &context);
            match &mut client {
                None if rng.u8(0..20) == 0 => client = Some(daemon.replicate(Topic::ALL)),
                None => {}
                // One in ten is lost.
                Some(_) if rng.u8(0..10) == 0 => {}
                Some(mirror) => match mirror.apply(&over_the_wire(&event)) {
                    Applied::Changed | Applied::Stale => {}
                    Applied::Gap { topic, expected } => {
                        assert!(expected < event.seq, "{context}");
                        assert!(topic.is_state(), "{context}: meters have no gaps");
                        mirror.merge(daemon.replicate(&[topic]));
                        gaps += 1;
                    }
                    other => panic!("{context}: {other:?}"),
                },
            }
        }
        let mut client = client.unwrap_or_default();
        client.merge(daemon.replicate(Topic::ALL));
        assert_eq!(client, daemon, "seed {seed}");
        assert!(gaps > 0 || seed > 0, "the test has lost nothing");
    }
}

#[test]
fn events_that_a_snapshot_has_already_are_stale() {
    let mut daemon = Mirror::full();
    let old = daemon.publish(SettingChange::BypassChanged(Bypass { bypass: true }));
    let new = daemon.publish(SettingChange::BypassChanged(Bypass { bypass: false }));
    let mut client = daemon.replicate(&[Topic::Setting]);
    assert_eq!(client.topics(), [Topic::Setting]);
    assert_eq!(client.apply(&old), Applied::Stale);
    assert_eq!(client.apply(&new), Applied::Stale);
    assert_eq!(client, daemon.replicate(&[Topic::Setting]));
    let tick = daemon.publish(MetersChange::Tick(objects::meters()));
    assert_eq!(client.apply(&tick), Applied::Untracked);
}

#[test]
fn an_older_snapshot_does_not_take_anything_back() {
    let mut daemon = Mirror::full();
    let old = daemon.replicate(Topic::ALL);
    let event = daemon.publish(SettingChange::BypassChanged(Bypass { bypass: true }));
    let mut client = old.clone();
    assert_eq!(client.apply(&event), Applied::Changed);
    client.merge(old);
    assert_eq!(client, daemon);
}

#[test]
fn a_loss_is_told_and_takes_no_number() {
    let mut mirror = objects::mirror();
    let lost = Overflow { topic: Topic::Routing, lost: 4, total_lost: 9 };
    let seq = mirror.seq(Topic::Daemon).expect("tracked");
    assert_eq!(mirror.apply(&Event::overflow(seq, lost.clone())), Applied::Lost(lost));
    assert_eq!(mirror, objects::mirror());
}
