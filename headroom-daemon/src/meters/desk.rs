//! Where the meters of all inserts lie, for hr-meters and for whoever asks what is so now.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::Thread;
use std::time::Instant;

use headroom_ipc::{BusMeters, MasterMeters, Meters};
use parking_lot::Mutex;

use crate::audio::{MeterReader, StageMeters};
use crate::graph::InsertId;
use crate::state::{Gains, MAIN_BUS, bus_name};

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
    pub(super) ended: AtomicBool,
    pub(super) thread: OnceLock<Thread>,
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
    pub(super) fn settled_gain_db(&self) -> Option<f32> {
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
    pub(super) fn look(&self, seen: &mut Meters) -> bool {
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

    pub(super) fn end(&self) {
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
    use super::super::tests::{RATE_HZ, bus};
    use super::*;

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
