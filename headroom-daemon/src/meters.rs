//! hr-meters: looks at the meters of the inserts while somebody wants to see them.
//!
//! The audio thread leaves its meters wait-free and does not know whether anyone reads. This
//! thread takes them as often as the state says, and makes a tick of what is new. With no
//! subscriber, or while nothing plays, it sleeps for good: no timer runs.

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
use crate::state::{Gains, MAIN_BUS};
use crate::step::Input;

/// A tick is encoded and queued on this stack.
const STACK_BYTES: usize = 128 * 1024;

/// The meters of all inserts, for whoever looks, and how often hr-meters is to look.
#[derive(Debug, Default)]
pub struct Desk {
    inserts: Mutex<Vec<Measured>>,
    /// The bits of a rate in Hz; 0 is never.
    hz: AtomicU32,
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
}

impl Desk {
    /// An insert has been made anew; its former meters say nothing any more.
    pub fn put(&self, insert: InsertId, reader: MeterReader) {
        let mut inserts = self.inserts.lock();
        inserts.retain(|known| known.insert != insert);
        inserts.push(Measured { insert, reader, untold: None, now: None });
    }

    /// How often hr-meters looks; 0 is never.
    #[must_use]
    pub fn hz(&self) -> f32 {
        f32::from_bits(self.hz.load(Ordering::SeqCst))
    }

    /// hr-meters looks so often from now on. Says whether that is another pace, for which it
    /// must be woken.
    pub(crate) fn set_hz(&self, hz: f32) -> bool {
        self.hz.swap(hz.to_bits(), Ordering::SeqCst) != hz.to_bits()
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
            match &measured.now {
                Some(StageMeters::Bus(bus)) => gains.bus_db = Some(bus.gain.to_db().0),
                Some(StageMeters::Master(master)) => {
                    gains.master_db = Some(-master.limiter_reduction.0);
                }
                None => {}
            }
        }
        gains
    }

    /// Adds what is new since the last tick to what was seen then. Gives `false` if nothing is.
    fn look(&self, seen: &mut Meters) -> bool {
        let mut is_new = false;
        for measured in self.inserts.lock().iter_mut() {
            measured.take();
            if let Some(untold) = measured.untold.take() {
                is_new = true;
                put(seen, &untold);
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
    let mut next = Instant::now();
    while !desk.ended.load(Ordering::SeqCst) {
        let hz = desk.hz();
        if hz <= 0.0 {
            thread::park();
            next = Instant::now();
            continue;
        }
        let now = Instant::now();
        if now < next {
            thread::park_timeout(next - now);
            continue;
        }
        if desk.look(&mut seen) {
            engine.step(Input::Meters(seen.clone()));
        }
        // Ticks that could not be kept are left out, not made up for.
        next = (next + Duration::from_secs_f32(1.0 / hz)).max(now);
    }
}

/// What an insert has measured, as clients see it.
fn put(seen: &mut Meters, meters: &StageMeters) {
    match meters {
        StageMeters::Bus(bus) => {
            let bus = BusMeters {
                bus: MAIN_BUS.to_owned(),
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
    use crate::audio::{Controls, Insert, StageParams, Volume, Watch};
    use headroom_dsp::{BusParams, Layout};

    #[test]
    fn what_is_new_is_shown_once_and_silence_is_nil() {
        let controls = Controls {
            params: StageParams::Bus(BusParams::default()),
            volume: Volume::FULL,
            out_gains: Volume::FULL.gains(),
        };
        let watch = Arc::new(Watch::new(48_000));
        let (mut insert, _handle, reader) =
            Insert::prepare(Layout::STEREO, 64, controls, watch).expect("an insert");
        let desk = Desk::default();
        desk.put(InsertId::Main, reader);
        let mut seen = Meters::default();
        assert!(!desk.look(&mut seen), "nothing has played");
        let (mut left, mut right) = ([0.0_f32; 64], [0.0_f32; 64]);
        insert.process(48_000, &mut [left.as_mut_slice(), right.as_mut_slice()]);
        assert!(desk.look(&mut seen));
        assert!(!desk.look(&mut seen), "it has been seen");
        let bus = seen.buses[0].clone();
        assert_eq!((bus.bus.as_str(), bus.compressor_reduction_db), ("main", Some(0.0)));
        // A look at what is now takes nothing from the next tick.
        insert.process(48_000, &mut [left.as_mut_slice(), right.as_mut_slice()]);
        let Gains { bus_db, master_db } = desk.gains();
        assert!(bus_db.is_some() && master_db.is_none());
        assert!(desk.look(&mut seen));
        // On the wire, minus infinity is nil.
        let bytes = headroom_ipc::ServerFrame::reply(None, &bus);
        let shown = format!("{bytes:?}");
        assert!(shown.contains("\"input_momentary_lufs\":null"), "{shown}");
    }
}
