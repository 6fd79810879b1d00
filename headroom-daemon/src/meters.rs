//! hr-meters: looks at the meters of the inserts while somebody wants to see them.
//!
//! The audio thread leaves its meters wait-free and does not know whether anyone reads. This
//! thread takes them as often as the state says, and makes a tick of what is new. While something
//! plays it also looks now and then, and once more at the end, at what gain the AGC has settled
//! at, which is remembered for the next start. While nothing plays it sleeps for good: no timer
//! runs.

mod desk;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use headroom_ipc::Meters;

use crate::engine::Engine;
use crate::step::Input;
pub use desk::{Desk, Pace};

/// A tick is encoded and queued on this stack.
const STACK_BYTES: usize = 128 * 1024;

/// How often the gain of the AGC is looked at while something plays: what a killed daemon forgets.
const BETWEEN_GAINS: Duration = Duration::from_secs(5);
/// The longest from a tick to the next, however few are asked for.
const LONGEST: Duration = Duration::from_secs(10);

/// hr-meters, running.
#[derive(Debug)]
pub(crate) struct MeterThread {
    desk: Arc<Desk>,
    handle: JoinHandle<()>,
}

impl MeterThread {
    /// Starts it. It looks as often as the desk says.
    pub(crate) fn spawn(desk: Arc<Desk>, engine: Engine) -> io::Result<MeterThread> {
        let handle = Builder::new().name("hr-meters".into()).stack_size(STACK_BYTES).spawn({
            let desk = desk.clone();
            move || run(&desk, &engine)
        })?;
        // It may have been told something before this: then it is awake and sees it.
        let _ = desk.thread.set(handle.thread().clone());
        desk.wake();
        Ok(MeterThread { desk, handle })
    }

    /// Ends it.
    pub(crate) fn stop(self) {
        self.desk.end();
        if self.handle.join().is_err() {
            log::error!("hr-meters has panicked");
        }
    }
}

fn run(desk: &Desk, engine: &Engine) {
    let mut seen = Meters::default();
    let (mut next_tick, mut next_gain): (Option<Instant>, Option<Instant>) = (None, None);
    loop {
        let ended = desk.ended.load(Ordering::SeqCst);
        let pace = desk.pace();
        let now = Instant::now();
        // The end of the sound, and that of the daemon, are looked at as well.
        let plays = pace.levels && !ended;
        if next_gain.is_some_and(|next| now >= next || !plays) {
            if let Some(gain_db) = desk.settled_gain_db() {
                engine.step(Input::AgcSettled { gain_db });
            }
            // PipeWire 0.3.65 tells no stream that the quantum alone is another.
            engine.step(Input::Measured(desk.gains()));
            next_gain = None;
        }
        if plays && next_gain.is_none() {
            next_gain = Some(now + BETWEEN_GAINS);
        }
        if ended {
            return;
        }
        // A pace that has become faster holds from now on, not from the end of the slower.
        next_tick = next_tick.map(|next| next.min(now + between(pace.ticks_hz)));
        if pace.ticks_hz <= 0.0 {
            next_tick = None;
        } else if next_tick.is_none_or(|next| now >= next) {
            if desk.look(&mut seen) {
                engine.step(Input::Meters(seen.clone()));
            }
            // Ticks that could not be kept are left out, not made up for.
            next_tick =
                Some(next_tick.map_or(now, |next| (next + between(pace.ticks_hz)).max(now)));
            continue;
        }
        match [next_tick, next_gain].into_iter().flatten().min() {
            Some(next) => thread::park_timeout(next.saturating_duration_since(now)),
            None => thread::park(),
        }
    }
}

/// From a tick to the next. Any number can be asked for, as little as nothing; who asks for less
/// than a tick in [`LONGEST`] gets that.
fn between(ticks_hz: f32) -> Duration {
    Duration::try_from_secs_f32(1.0 / ticks_hz).unwrap_or(LONGEST).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{
        Beginning, Controls, Insert, MeterReader, Slider, StageParams, Volume, Watch,
    };
    use crate::daemon::hello;
    use crate::graph::{GraphEvent, InsertId};
    use crate::server::ServerSettings;
    use crate::state::{DaemonState, Start};
    use crate::store::{AgcGain, Slot};
    use headroom_dsp::{BusParams, Layout};

    pub(super) const RATE_HZ: u32 = 48_000;

    pub(super) fn bus() -> (Insert, MeterReader) {
        let controls = Controls {
            params: StageParams::Bus(BusParams::default()),
            volume: Volume::FULL,
            out_gains: Volume::FULL.gains(),
            slider: Slider::FULL,
            beginning: Beginning::AtGain,
        };
        let watch = Arc::new(Watch::new(RATE_HZ));
        let (insert, _handle, reader) =
            Insert::prepare(Layout::STEREO, 1_024, controls, watch).expect("an insert");
        (insert, reader)
    }

    /// Plays a tone until the AGC has settled. Gives its gain.
    fn settle(insert: &mut Insert, desk: &Desk) -> f32 {
        for block in 0..3_000 {
            let sample = |n: usize| ((block * 1_024 + n) as f32 * 0.06).sin() * 0.02;
            let (mut left, mut right) = ([0.0; 1_024], [0.0; 1_024]);
            for (n, (left, right)) in left.iter_mut().zip(&mut right).enumerate() {
                (*left, *right) = (sample(n), sample(n));
            }
            insert.process(RATE_HZ, &mut [left.as_mut_slice(), right.as_mut_slice()]);
            if let Some(gain_db) = desk.settled_gain_db() {
                return gain_db;
            }
        }
        panic!("a minute of a steady tone, and not settled");
    }

    #[test]
    fn as_few_ticks_as_can_be_asked_for_are_a_period_too() {
        for ticks_hz in [f32::MIN_POSITIVE, 1e-30, 0.01] {
            assert_eq!(between(ticks_hz), LONGEST);
        }
        assert_eq!(between(8.0), Duration::from_millis(125));
    }

    #[test]
    fn the_gain_is_remembered_when_the_sound_ends_and_when_the_daemon_does() {
        for ends in ["the sound", "the daemon"] {
            let start = Start {
                hello: hello(&ServerSettings::default()),
                folders: Arc::default(),
                library: headroom_profile::Library::scan(&Default::default()),
                remembered: Default::default(),
                promote: false,
                warnings: Vec::new(),
                at: Instant::now(),
            };
            let (graph, _commands) = crossbeam_channel::bounded(8);
            let (desk, slot) = (Arc::new(Desk::default()), Arc::new(Slot::default()));
            let state = DaemonState::new(start);
            let engine =
                Engine::new(state, Box::new(graph), desk.clone(), slot.clone(), Box::new(|| {}));
            let thread = MeterThread::spawn(desk.clone(), engine.clone()).expect("a thread");
            let (mut insert, reader) = bus();
            desk.put(InsertId::Main, reader);
            let running = |running| {
                let event = GraphEvent::Running { insert: InsertId::Main, running };
                engine.step(Input::Graph(&event));
            };
            running(true);
            let gain_db = settle(&mut insert, &desk);
            let mut thread = Some(thread);
            if ends == "the sound" {
                running(false);
            } else {
                // As daemon::run does it: the server has said the last word before.
                engine.shut_down("SIGTERM");
                thread.take().expect("it runs").stop();
            }
            let deadline = Instant::now() + Duration::from_secs(60);
            let remembered = loop {
                if let Some(remembered) = slot.take() {
                    break remembered;
                }
                assert!(Instant::now() < deadline, "{ends} has ended, and nothing is remembered");
                thread::sleep(Duration::from_millis(1));
            };
            let AgcGain { gain_db: remembered_db, target_lufs } =
                remembered.agc.unwrap_or_else(|| panic!("{ends} has ended: {remembered:?}"));
            assert!((remembered_db - gain_db).abs() < 0.01, "{ends}: {remembered_db}, {gain_db}");
            assert_eq!(target_lufs, -18.0);
            if let Some(thread) = thread {
                thread.stop();
            }
        }
    }
}
