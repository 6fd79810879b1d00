//! hr-meters: looks at the meters of the inserts while somebody wants to see them.
//!
//! The audio thread leaves its meters wait-free and does not know whether anyone reads. This
//! thread takes them as often as the state says, and makes a tick of what is new. While something
//! plays it also looks now and then, and once more at the end, at what gain the AGC has settled
//! at, which is remembered for the next start. While nothing plays it sleeps for good: no timer
//! runs.

use std::io;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, Builder, JoinHandle, Thread};
use std::time::{Duration, Instant};

use headroom_ipc::{BusMeters, MasterMeters, Meters};
use parking_lot::Mutex;

use crate::audio::{MeterReader, StageMeters};
use crate::engine::Engine;
use crate::graph::InsertId;
use crate::state::{Gains, MAIN_BUS, bus_name};
use crate::step::Input;

/// A tick is encoded and queued on this stack.
const STACK_BYTES: usize = 128 * 1024;

/// How often the gain of the AGC is looked at while something plays: what a killed daemon forgets.
const BETWEEN_GAINS: Duration = Duration::from_secs(5);
/// The longest from a tick to the next, however few are asked for.
const LONGEST: Duration = Duration::from_secs(10);

/// How often hr-meters is to look, and at what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// At all meters, for those who watch them; 0 is never.
    pub ticks_hz: f32,
    /// Whether the main bus runs, so that the AGC's gain is worth a look.
    pub levels: bool,
}

/// The meters of all inserts, for whoever looks, and how often hr-meters is to look.
#[derive(Debug, Default)]
pub struct Desk {
    inserts: Mutex<Vec<Measured>>,
    /// The bits of a rate in Hz.
    ticks_hz: AtomicU32,
    levels: AtomicBool,
    ended: AtomicBool,
    thread: OnceLock<Thread>,
}

/// An insert, and what was taken from it.
#[derive(Debug)]
struct Measured {
    insert: InsertId,
    reader: MeterReader,
    /// For the next tick: maxima since the last one.
    untold: Option<StageMeters>,
    /// In the last block alone.
    now: Option<StageMeters>,
    /// When that was taken.
    at: Option<Instant>,
    /// How long the last block was.
    block_frames: Option<u32>,
}

impl Desk {
    /// An insert has been made anew; its former meters say nothing any more.
    pub fn put(&self, insert: InsertId, reader: MeterReader) {
        let mut inserts = self.inserts.lock();
        inserts.retain(|known| known.insert != insert);
        inserts.push(Measured {
            insert,
            reader,
            untold: None,
            now: None,
            at: None,
            block_frames: None,
        });
    }

    /// How often hr-meters looks.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace {
            ticks_hz: f32::from_bits(self.ticks_hz.load(Ordering::SeqCst)),
            levels: self.levels.load(Ordering::SeqCst),
        }
    }

    /// hr-meters looks so often from now on. Says whether that is another pace, for which it
    /// must be woken.
    pub(crate) fn set_pace(&self, pace: Pace) -> bool {
        let Pace { ticks_hz, levels } = pace;
        let had_hz = self.ticks_hz.swap(ticks_hz.to_bits(), Ordering::SeqCst);
        let had_levels = self.levels.swap(levels, Ordering::SeqCst);
        had_hz != ticks_hz.to_bits() || had_levels != levels
    }

    /// Wakes hr-meters, to see its pace.
    pub(crate) fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// What is done to the sound now. Takes nothing from the next tick.
    pub(crate) fn gains(&self) -> Gains {
        let mut gains = Gains::default();
        for measured in self.inserts.lock().iter_mut() {
            measured.take();
            if measured.insert == InsertId::Master {
                gains.quantum_frames = measured.block_frames;
            }
            match &measured.now {
                Some(StageMeters::Bus(bus)) => {
                    let gain_db = Some(bus.gain.to_db().0);
                    match measured.insert {
                        InsertId::Stereo => gains.stereo_db = gain_db,
                        _ => gains.main_db = gain_db,
                    }
                }
                Some(StageMeters::Master(master)) => {
                    gains.master_db = Some(-master.limiter_reduction.0);
                }
                None => {}
            }
        }
        gains
    }

    /// What every insert measures now: in the last block alone. Takes nothing from the next tick.
    pub(crate) fn now(&self) -> Meters {
        let mut meters = Meters::default();
        for measured in self.inserts.lock().iter_mut() {
            measured.take();
            if let Some(now) = &measured.now {
                put(&mut meters, measured.insert, now);
            }
        }
        meters
    }

    /// The gain of the AGC of the bus that has played last, if it has settled. Takes nothing from
    /// the next tick.
    fn settled_gain_db(&self) -> Option<f32> {
        let mut inserts = self.inserts.lock();
        for measured in inserts.iter_mut() {
            measured.take();
        }
        let buses = inserts.iter().filter(|measured| measured.insert.is_bus());
        let last = buses.max_by_key(|measured| measured.at)?;
        match &last.now {
            Some(StageMeters::Bus(bus)) if bus.agc_settled => Some(bus.agc_gain.0),
            _ => None,
        }
    }

    /// Adds what is new since the last tick to what was seen then. Gives `false` if nothing is.
    fn look(&self, seen: &mut Meters) -> bool {
        let mut is_new = false;
        for measured in self.inserts.lock().iter_mut() {
            measured.take();
            if let Some(untold) = measured.untold.take() {
                is_new = true;
                put(seen, measured.insert, &untold);
            }
        }
        is_new
    }

    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.wake();
    }
}

impl Measured {
    /// Takes from the audio thread what it has left.
    fn take(&mut self) {
        if let Some(taken) = self.reader.take() {
            let newer = taken.stage;
            self.untold = Some(self.untold.map_or(newer, |untold| untold.merge(newer)));
            self.now = Some(taken.now);
            self.at = Some(Instant::now());
            self.block_frames = Some(taken.block_frames).filter(|frames| *frames > 0);
        }
    }
}

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

/// What an insert has measured, as clients see it.
fn put(seen: &mut Meters, insert: InsertId, meters: &StageMeters) {
    match meters {
        StageMeters::Bus(bus) => {
            let bus = BusMeters {
                bus: bus_name(insert).unwrap_or(MAIN_BUS).to_owned(),
                input_momentary_lufs: Some(bus.input.momentary.0),
                input_short_term_lufs: Some(bus.input.short_term.0),
                agc_gain_db: Some(bus.agc_gain.0),
                guard_reduction_db: Some(bus.guard_reduction.0),
                compressor_reduction_db: Some(bus.compressor_reduction.0),
            };
            match seen.buses.iter_mut().find(|known| known.bus == bus.bus) {
                Some(known) => *known = bus,
                None => seen.buses.push(bus),
            }
        }
        StageMeters::Master(master) => {
            seen.master = Some(MasterMeters {
                output_momentary_lufs: Some(master.output.momentary.0),
                output_short_term_lufs: Some(master.output.short_term.0),
                output_integrated_lufs: Some(master.output.integrated.0),
                sample_peak_dbfs: Some(master.sample_peak.to_db().0),
                limiter_reduction_db: Some(master.limiter_reduction.0),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Beginning, Controls, Insert, Slider, StageParams, Volume, Watch};
    use crate::daemon::hello;
    use crate::graph::GraphEvent;
    use crate::server::ServerSettings;
    use crate::state::{DaemonState, Start};
    use crate::store::{AgcGain, Slot};
    use headroom_dsp::{BusParams, Layout};

    const RATE_HZ: u32 = 48_000;

    fn bus() -> (Insert, MeterReader) {
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

    #[test]
    fn what_is_new_is_shown_once_and_silence_is_nil() {
        let (mut insert, reader) = bus();
        let desk = Desk::default();
        desk.put(InsertId::Main, reader);
        let mut seen = Meters::default();
        assert!(!desk.look(&mut seen), "nothing has played");
        let (mut left, mut right) = ([0.0_f32; 64], [0.0_f32; 64]);
        insert.process(RATE_HZ, &mut [left.as_mut_slice(), right.as_mut_slice()]);
        assert!(desk.look(&mut seen));
        assert!(!desk.look(&mut seen), "it has been seen");
        let bus = seen.buses[0].clone();
        assert_eq!((bus.bus.as_str(), bus.compressor_reduction_db), ("main", Some(0.0)));
        // A look at what is now takes nothing from the next tick.
        insert.process(RATE_HZ, &mut [left.as_mut_slice(), right.as_mut_slice()]);
        let Gains { main_db, stereo_db, master_db, quantum_frames } = desk.gains();
        assert_eq!(quantum_frames, None, "the master tells it");
        assert!(main_db.is_some() && stereo_db.is_none() && master_db.is_none());
        assert!(desk.look(&mut seen));
        // On the wire, minus infinity is nil.
        let bytes = headroom_ipc::ServerFrame::reply(None, &bus);
        let shown = format!("{bytes:?}");
        assert!(shown.contains("\"input_momentary_lufs\":null"), "{shown}");
    }
}
