//! The only place where policy lives: what has happened goes in, what follows comes out.
//!
//! It does no I/O, asks no clock and knows no thread, so that a test gives inputs and looks at
//! effects. The [`Engine`](crate::engine::Engine) calls it under the lock, and carries the
//! effects to their edges.

use std::time::Instant;

use headroom_ipc::{DaemonChange, Meters, MetersChange, Op, ServerFrame, Shutdown};
use headroom_profile::Library;

use crate::graph::GraphEvent;
use crate::ops::{self, Context};
use crate::state::{DaemonState, Effects, Gains, SeatId, Stillness, graph_news};

/// Something that has happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A client asks for something.
    Request {
        /// Who.
        seat: SeatId,
        /// What the reply is to carry.
        id: Option<u64>,
        /// What.
        op: &'a Op,
    },
    /// A client has asked for something that needs no state; its reply takes its turn.
    Answered {
        /// Who.
        seat: SeatId,
        /// The reply.
        frame: ServerFrame,
    },
    /// The folders of profiles have been scanned, because a client asked for it.
    ProfilesRead {
        /// Who.
        seat: SeatId,
        /// What the reply is to carry.
        id: Option<u64>,
        /// What was found.
        library: Library,
    },
    /// The folders of profiles have been scanned, because something has changed there.
    ProfilesScanned {
        /// What was found.
        library: Library,
        /// Why changes may not be seen from now on, if that is so.
        blind: Option<&'a str>,
        /// Whether somebody was changing files meanwhile.
        stillness: Stillness,
    },
    /// hr-graph has news.
    Graph(&'a GraphEvent),
    /// What is done to the sound now, for the requests that follow. Nobody is told, but of another
    /// quantum.
    Measured(Gains),
    /// What every insert measures now, for the request that follows. Nobody is told.
    Looked(Meters),
    /// The AGC of the main bus has settled at this gain.
    AgcSettled {
        /// The gain.
        gain_db: f32,
    },
    /// A write of what is to be remembered has failed, and why, or works again.
    Stored(Option<&'a str>),
    /// hr-meters has looked at the meters.
    Meters(Meters),
    /// The daemon ends.
    Stop {
        /// Why, in words.
        reason: &'a str,
    },
}

impl DaemonState {
    /// One step. `now` is when.
    pub fn step(&mut self, input: Input<'_>, now: Instant) -> Effects {
        let mut effects = Effects::default();
        let is_frequent = matches!(
            input,
            Input::Answered { .. } | Input::Measured(_) | Input::Looked(_) | Input::Meters(_)
        );
        match input {
            Input::Answered { seat, frame } => effects.reply = Some((seat, frame)),
            Input::Request { seat, id, .. } | Input::ProfilesRead { seat, id, .. }
                if self.stopping =>
            {
                effects.reply = Some((seat, ServerFrame::error(id, &ops::stopping())));
            }
            Input::Request { seat, id, op } => {
                let context = Context { seat, now };
                if let Some(reply) = ops::answer(self, &context, id, op, &mut effects) {
                    effects.reply = Some((seat, reply));
                } else {
                    effects = Effects { not_yet: true, ..Effects::default() };
                }
            }
            Input::ProfilesRead { seat, id, library } => {
                let profiles = ops::profile::reloaded(&mut self.model, library, &mut effects);
                effects.reply = Some((seat, ServerFrame::reply(id, &profiles)));
            }
            // The last look is one that the end has brought about.
            Input::AgcSettled { gain_db } => self.model.agc_settled(gain_db),
            _ if self.stopping => {}
            Input::ProfilesScanned { library, blind, stillness } => {
                let blind = blind.map(str::to_owned);
                if let Some(why) = blind.as_ref().filter(|_| self.model.blind != blind) {
                    effects.said.push((log::Level::Warn, why.clone()));
                }
                self.model.blind = blind;
                let _ = ops::profile::scanned(&mut self.model, library, stillness, &mut effects);
            }
            Input::Graph(event) => {
                graph_news::take(&mut self.model, event, &mut effects);
                if matches!(event, GraphEvent::Heard(_)) {
                    ops::profile::follow(&mut self.model, &mut effects);
                }
            }
            Input::Looked(meters) => self.model.measured = meters,
            Input::Measured(gains) => {
                self.model.gains = gains;
                // While nothing runs, it is that of a sound that has ended.
                if let Some(frames) = gains.quantum_frames
                    && !self.model.running.is_empty()
                {
                    let quantum = GraphEvent::Quantum(frames);
                    graph_news::take(&mut self.model, &quantum, &mut effects);
                }
            }
            Input::Stored(failed) => graph_news::stored(&mut self.model, failed, &mut effects),
            Input::Meters(meters) => {
                self.publish(MetersChange::Tick(meters), &mut effects);
            }
            Input::Stop { reason } => {
                self.stopping = true;
                let reason = reason.to_owned();
                self.publish(DaemonChange::Shutdown(Shutdown { reason }), &mut effects);
            }
        }
        if !is_frequent {
            // Whatever it was that has changed something, it is remembered.
            effects.remember = self.model.newly_remembered();
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::hello;
    use crate::graph::{DeviceSink, InsertId};
    use crate::server::ServerSettings;
    use crate::state::Start;
    use crate::store::{AgcGain, Remembered};
    use headroom_ipc::{
        BypassSet, BypassTo, Change, ProfileUse, SettingAmount, SettingReset, SettingSet,
        SettingValue,
    };

    fn state() -> DaemonState {
        DaemonState::new(Start {
            hello: hello(&ServerSettings::default()),
            folders: Default::default(),
            library: Library::scan(&Default::default()),
            remembered: Default::default(),
            promote: false,
            warnings: Vec::new(),
            at: Instant::now(),
        })
    }

    /// The names of what the graph's news give.
    fn news(state: &mut DaemonState, event: &GraphEvent) -> Vec<&'static str> {
        let effects = state.step(Input::Graph(event), Instant::now());
        assert!(effects.commands.is_empty() && effects.reply.is_none());
        effects
            .events
            .iter()
            .map(|event| match &event.change {
                Change::Daemon(change) => change.event(),
                Change::Sinks(change) => change.event(),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn pipewire_comes_and_goes_and_clients_see_it() {
        let mut state = state();
        let connected = GraphEvent::Connected { server: "1.4.2".into(), library: "1.4.2".into() };
        let sink = DeviceSink { name: "alsa".into(), description: "Speakers".into() };
        assert_eq!(news(&mut state, &GraphEvent::WaitingForPipeWire), ["changed"]);
        let warned = |state: &DaemonState, about: &str| {
            state.model.daemon().warnings.iter().any(|warning| warning.about == about)
        };
        assert!(warned(&state, "pipewire"));
        assert_eq!(news(&mut state, &connected), ["pipewire_back"]);
        assert!(!warned(&state, "pipewire"));
        assert_eq!(news(&mut state, &GraphEvent::WaitingForSessionManager), ["changed"]);
        assert_eq!(news(&mut state, &GraphEvent::NoDeviceSink), ["changed"]);
        assert!(warned(&state, "device") && !warned(&state, "wireplumber"));
        assert_eq!(news(&mut state, &GraphEvent::DeviceSink(sink)), ["changed", "device_changed"]);
        assert_eq!(state.model.daemon().warnings, []);
        assert_eq!(news(&mut state, &GraphEvent::Ready), [""; 0], "nothing new");
        let latency = GraphEvent::Latency { frames: 112, rate_hz: 48_000 };
        assert_eq!(news(&mut state, &latency), ["device_changed"]);
        assert_eq!(news(&mut state, &latency), [""; 0], "nothing new");
        assert_eq!(news(&mut state, &GraphEvent::Lost), ["pipewire_lost", "device_changed"]);
        assert_eq!(state.model.sinks().device.device_sink, None);
        assert!(!state.model.daemon().graph.pipewire_connected);
    }

    #[test]
    fn warnings_do_not_pile_up() {
        let mut state = state();
        for number in 0..100 {
            news(&mut state, &GraphEvent::Trouble(format!("trouble {number}")));
        }
        let [warning] = &state.model.daemon().warnings[..] else { panic!("one warning") };
        assert_eq!(warning.message, "trouble 99");
    }

    /// A request of somebody, and what is to be remembered after it.
    fn remembered_after(state: &mut DaemonState, op: &Op) -> Option<Remembered> {
        let (sender, _receiver) = crossbeam_channel::bounded(64);
        let seat = state.join(sender, Default::default());
        let effects = state.step(Input::Request { seat, id: None, op }, Instant::now());
        state.leave(seat);
        effects.remember
    }

    #[test]
    fn whatever_is_to_outlive_the_daemon_is_given_to_be_remembered_once() {
        let mut state = state();
        let set = |value: f32| {
            let amount = SettingAmount::Value(value.into());
            Op::SettingSet(SettingSet { key: "limiter.hold_ms".into(), amount })
        };
        let bypass = Op::BypassSet(BypassSet { bypass: BypassTo::On });
        let other = Op::ProfileUse(ProfileUse { name: "transparent".into() });
        let mut expected = Remembered::default();
        for (op, change) in [
            (
                set(7.0),
                (|r| {
                    r.overrides.insert("limiter.hold_ms".into(), 7.0.into());
                }) as fn(&mut Remembered),
            ),
            (bypass, |r| r.bypass = true),
            (other, |r| r.profile = Some("transparent".into())),
            (Op::SettingReset(SettingReset { section: None }), |r| r.overrides.clear()),
        ] {
            change(&mut expected);
            assert_eq!(remembered_after(&mut state, &op).as_ref(), Some(&expected), "{op:?}");
            assert_eq!(remembered_after(&mut state, &op), None, "{op:?} once more");
        }
        assert_eq!(remembered_after(&mut state, &set(100_000.0)), None, "refused");
        // What was remembered is so again, and needs no writing.
        let start = Start {
            hello: hello(&ServerSettings::default()),
            folders: Default::default(),
            library: Library::scan(&Default::default()),
            remembered: Remembered {
                overrides: [("limiter.hold_ms".to_owned(), 9.0.into())].into(),
                ..expected
            },
            promote: false,
            warnings: Vec::new(),
            at: Instant::now(),
        };
        let mut again = DaemonState::new(start);
        let ready = again.step(Input::Graph(&GraphEvent::Ready), Instant::now());
        assert_eq!(ready.remember, None);
        assert!(again.model.settings().bypass && again.chain_params().master.bypass);
        assert_eq!(again.chain_params().master.limiter.hold_ms, 9.0);
        assert_eq!(again.model.daemon().warnings, []);
    }

    #[test]
    fn a_gain_is_remembered_where_it_differs_and_shifted_for_another_target() {
        let mut state = state();
        let mut settled = |gain_db| {
            let input = Input::AgcSettled { gain_db };
            let remember = state.step(input, Instant::now()).remember?;
            remember.agc
        };
        let at = |gain_db| Some(AgcGain { gain_db, target_lufs: -18.0 });
        assert_eq!(settled(6.0), at(6.0));
        assert_eq!((settled(6.25), settled(5.75)), (None, None), "as good as that");
        assert_eq!(settled(6.5004), at(6.5));
        let amount = SettingAmount::Value((-20.0).into());
        let set = Op::SettingSet(SettingSet { key: "agc.target_lufs".into(), amount });
        remembered_after(&mut state, &set).expect("remembered");
        assert_eq!(state.agc_gain_db(), Some(4.5));
        // No more than what is in force lets it have, which may be none.
        let set = |key: &str, value: SettingValue| {
            Op::SettingSet(SettingSet { key: key.into(), amount: SettingAmount::Value(value) })
        };
        remembered_after(&mut state, &set("agc.max_boost_db", 0.0.into())).expect("remembered");
        assert_eq!(state.agc_gain_db(), Some(0.0));
        remembered_after(&mut state, &set("agc.enabled", true.into()));
        remembered_after(&mut state, &set("agc.enabled", false.into())).expect("remembered");
        assert_eq!(state.agc_gain_db(), None);
        let clear = Op::SettingReset(SettingReset { section: None });
        remembered_after(&mut state, &clear).expect("remembered");
        remembered_after(&mut state, &set("agc.target_lufs", (-20.0).into())).expect("remembered");
        let input = Input::AgcSettled { gain_db: 4.75 };
        assert_eq!(state.step(input, Instant::now()).remember, None, "it was expected");
    }

    #[test]
    fn a_disk_that_fails_is_a_warning_until_it_works() {
        let mut state = state();
        for (failed, warnings) in [(Some("full"), 1), (Some("read-only"), 1), (None, 0)] {
            let effects = state.step(Input::Stored(failed), Instant::now());
            assert_eq!(effects.events.len(), 1);
            assert_eq!(state.model.daemon().warnings.len(), warnings);
        }
    }

    #[test]
    fn after_the_end_nothing_is_published() {
        let mut state = state();
        let stop = state.step(Input::Stop { reason: "SIGTERM" }, Instant::now());
        assert_eq!(stop.events.len(), 1);
        let running = GraphEvent::Running { insert: InsertId::Main, running: true };
        for event in [GraphEvent::Lost, GraphEvent::WaitingForPipeWire, running] {
            assert_eq!(news(&mut state, &event), [""; 0]);
        }
        let tick = state.step(Input::Meters(Meters::default()), Instant::now());
        assert!(tick.events.is_empty());
    }

    #[test]
    fn a_quantum_that_pipewire_says_nothing_of_is_told_where_it_is_seen() {
        let mut state = state();
        let measured = |state: &mut DaemonState, quantum_frames| {
            let gains = Gains { quantum_frames, ..Gains::default() };
            state.step(Input::Measured(gains), Instant::now()).events.len()
        };
        assert_eq!(measured(&mut state, Some(1_024)), 0, "nothing plays");
        let running = GraphEvent::Running { insert: InsertId::Main, running: true };
        news(&mut state, &running);
        assert_eq!(measured(&mut state, Some(256)), 1);
        assert_eq!(measured(&mut state, Some(256)), 0, "nothing new");
        assert_eq!(measured(&mut state, None), 0);
        assert_eq!(state.model.sinks().device.quantum_frames, Some(256));
    }

    #[test]
    fn what_is_published_makes_the_mirror_of_a_client_equal_to_ours() {
        let mut state = state();
        let mut theirs = state.model.mirror().clone();
        let sink = DeviceSink { name: "alsa".into(), description: String::new() };
        for event in [
            GraphEvent::Connected { server: "1".into(), library: "1".into() },
            GraphEvent::DeviceSink(sink),
            GraphEvent::DefaultSink(Some("headroom.main".into())),
            GraphEvent::Quantum(1_024),
            GraphEvent::Latency { frames: 96, rate_hz: 44_100 },
            GraphEvent::Trouble("x".into()),
            GraphEvent::DefaultSink(Some("alsa".into())),
            GraphEvent::Lost,
        ] {
            for event in state.step(Input::Graph(&event), Instant::now()).events {
                assert_eq!(theirs.apply(&event), headroom_ipc::Applied::Changed);
            }
        }
        assert_eq!(&theirs, state.model.mirror());
    }
}
