//! One insert's sound: volume off, stage, volume on, meters.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use headroom_dsp::{Layout, MAX_CHANNELS, MAX_RATE_HZ, MIN_RATE_HZ, PrepareError};
use triple_buffer::{Input, Output, TripleBuffer};

use super::meters::{MeterReader, MeterWriter, Meters, StageMeters, meters};
use super::stage::{Stage, StageParams};
use super::undo::VolumeUndo;
use super::volume::{Slider, Volume};
use super::watch::Watch;

/// Everything that an insert is told: one whole value, newest wins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Controls {
    /// Settings of the stage.
    pub params: StageParams,
    /// The volume that PipeWire applies before us, which is taken off on the way in.
    pub volume: Volume,
    /// What each channel is multiplied by behind the stage: the same volume, unless the
    /// device applies it.
    pub out_gains: [f32; MAX_CHANNELS],
    /// The volume of the app that plays alone, for the stage not to see it.
    pub slider: Slider,
    /// How loud the first block is to be.
    pub beginning: Beginning,
}

/// How loud an insert begins; of no meaning after its first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// With the gain that was right before.
    AtGain,
    /// As loud as it comes in, for it was heard without us until now.
    AtUnity,
}

/// hr-graph's side of an insert.
#[derive(Debug)]
pub struct InsertHandle {
    controls: Controls,
    slot: Input<Controls>,
}

impl InsertHandle {
    /// Changes what the insert is told; written only if it differs.
    pub fn update(&mut self, change: impl FnOnce(&mut Controls)) {
        let mut controls = self.controls;
        change(&mut controls);
        if controls != self.controls {
            self.controls = controls;
            self.slot.write(controls);
        }
    }

    /// What the insert was told last.
    #[must_use]
    pub fn controls(&self) -> &Controls {
        &self.controls
    }
}

/// The audio thread's side of an insert.
#[derive(Debug)]
pub struct Insert {
    stage: Stage,
    layout: Layout,
    max_frames: usize,
    rate_hz: u32,
    params: StageParams,
    has_begun: bool,
    undo: VolumeUndo,
    slot: Output<Controls>,
    meters: MeterWriter,
    watch: Arc<Watch>,
}

impl Insert {
    /// Makes an insert, its handle and its meters. Allocates all that it will ever need, at
    /// any rate.
    ///
    /// # Errors
    /// [`PrepareError`] when the block length is 0.
    pub fn prepare(
        layout: Layout,
        max_frames: usize,
        controls: Controls,
        watch: Arc<Watch>,
    ) -> Result<(Insert, InsertHandle, MeterReader), PrepareError> {
        let rate_hz = watch.rate_hz().clamp(MIN_RATE_HZ, MAX_RATE_HZ);
        let mut stage = Stage::prepare(rate_hz, layout, max_frames, &controls.params)?;
        stage.set_agc_gain(watch.agc_gain());
        watch.leave_latency(&stage);
        let measured = stage.take_meters();
        let first = Meters {
            stage: measured,
            now: measured,
            blocks: 0,
            silenced_blocks: 0,
            rate_hz,
            block_frames: 0,
        };
        let (meters, reader) = meters(first);
        let (slot, output) = TripleBuffer::new(&controls).split();
        let insert = Insert {
            stage,
            layout,
            max_frames,
            rate_hz,
            params: controls.params,
            has_begun: false,
            undo: VolumeUndo::new(controls.volume, controls.out_gains),
            slot: output,
            meters,
            watch,
        };
        Ok((insert, InsertHandle { controls, slot }, reader))
    }

    /// Processes one block in place: one plane for each channel of the layout, all of one
    /// length. A block that does not fit becomes silence.
    ///
    /// Real-time safe: no allocation, lock, log or panic.
    pub fn process(&mut self, rate_hz: u32, block: &mut [&mut [f32]]) {
        let frames = block.first().map_or(0, |plane| plane.len());
        let fits = block.len() == self.layout.len()
            && frames <= self.max_frames
            && block.iter().all(|plane| plane.len() == frames);
        if !fits {
            self.silence(block);
            return;
        }
        self.follow_rate(rate_hz);
        self.watch.block_frames.store(frames as u32, Ordering::Relaxed);
        // Read before the controls: were it read after them, a volume that moves in between
        // would be missed by both.
        let graph_at_work = self.watch.graph_at_work.load(Ordering::SeqCst);
        let controls = *self.slot.read();
        if controls.params != self.params {
            self.params = controls.params;
            self.stage.set_params(&self.params);
            self.watch.leave_latency(&self.stage);
        }
        if !self.has_begun {
            self.has_begun = true;
            if controls.beginning == Beginning::AtUnity {
                self.stage.begin_at_unity();
            }
        }
        if self.undo.enter(block, &controls.volume, &controls.slider, graph_at_work) {
            self.stage.forgive_level_jump();
        }
        self.stage.process(block);
        self.undo.leave(block, &controls.out_gains);
        self.leave_meters(false);
    }

    /// Makes a block silence that cannot be processed, and counts it.
    ///
    /// Real-time safe: yes.
    pub fn silence(&mut self, block: &mut [&mut [f32]]) {
        for plane in block.iter_mut() {
            plane.fill(0.0);
        }
        self.leave_meters(true);
    }

    fn follow_rate(&mut self, rate_hz: u32) {
        if rate_hz != self.rate_hz && (MIN_RATE_HZ..=MAX_RATE_HZ).contains(&rate_hz) {
            self.rate_hz = rate_hz;
            self.stage.set_rate(rate_hz);
            self.watch.rate_hz.store(rate_hz, Ordering::Relaxed);
            self.watch.leave_latency(&self.stage);
        }
    }

    fn leave_meters(&mut self, silenced: bool) {
        let stage = self.stage.take_meters();
        if let StageMeters::Bus(bus) = &stage {
            self.watch.agc_gain_bits.store(bus.agc_gain.0.to_bits(), Ordering::Relaxed);
        }
        let block_frames = self.watch.block_frames().unwrap_or(0);
        self.meters.add(stage, self.rate_hz, block_frames, silenced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_dsp::{BusParams, Db, MasterParams};

    const RATE_HZ: u32 = 48_000;
    const FRAMES: usize = 1_024;

    fn made(params: StageParams) -> (Insert, InsertHandle, MeterReader) {
        let volume = Volume::FULL;
        let controls = Controls {
            params,
            volume,
            out_gains: volume.gains(),
            slider: Slider::FULL,
            beginning: Beginning::AtGain,
        };
        Insert::prepare(Layout::STEREO, FRAMES, controls, Arc::new(Watch::new(RATE_HZ)))
            .expect("an insert")
    }

    /// Pink-like noise at about -20 dBFS, the same on every run.
    struct Noise {
        state: u32,
        low: f32,
    }

    impl Noise {
        fn next(&mut self) -> f32 {
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let white = (self.state >> 8) as f32 / 8_388_608.0 - 1.0;
            self.low += 0.1 * (white - self.low);
            self.low * 0.8
        }
    }

    /// Plays a block as PipeWire would hand it over at `gain`; gives the mean square of what
    /// comes out.
    fn play(insert: &mut Insert, noise: &mut Noise, gain: f32) -> f64 {
        let mut left: Vec<f32> = (0..FRAMES).map(|_| noise.next() * gain).collect();
        let mut right = left.clone();
        insert.process(RATE_HZ, &mut [left.as_mut_slice(), right.as_mut_slice()]);
        left.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / FRAMES as f64
    }

    fn level_db(mean_square: f64) -> f64 {
        10.0 * mean_square.log10()
    }

    #[test]
    fn the_first_block_alone_is_as_loud_as_it_comes_in_where_it_was_heard_before() {
        let gain_db = |block: u32, beginning: Beginning| {
            let (mut insert, mut handle, mut reader) = made(StageParams::Bus(BusParams::default()));
            insert.stage.set_agc_gain(Db(16.0));
            let mut noise = Noise { state: 7, low: 0.0 };
            if block > 0 {
                let _ = play(&mut insert, &mut noise, 0.03);
            }
            handle.update(|controls| controls.beginning = beginning);
            let _ = play(&mut insert, &mut noise, 0.03);
            let StageMeters::Bus(bus) = reader.take().expect("meters").now else {
                panic!("not a bus");
            };
            bus.gain.to_db().0
        };
        assert!(gain_db(0, Beginning::AtGain) > 12.0);
        assert!(gain_db(0, Beginning::AtUnity) < 0.5);
        assert!(gain_db(1, Beginning::AtUnity) > 12.0, "what plays with us goes on as it is");
    }

    #[test]
    fn a_volume_jump_is_heard_as_a_volume_and_never_reaches_the_guard() {
        let (mut insert, mut handle, mut reader) = made(StageParams::Bus(BusParams::default()));
        let mut noise = Noise { state: 7, low: 0.0 };
        let mut mean = |insert: &mut Insert, gain: f32, blocks: usize| {
            let sum: f64 = (0..blocks).map(|_| play(insert, &mut noise, gain)).sum();
            level_db(sum / blocks as f64)
        };
        let _ = mean(&mut insert, 1.0, 1_000);
        let full = mean(&mut insert, 1.0, 200);
        let _ = reader.take();
        for (cubic, wanted_db) in [(0.5_f32, -18.06), (0.1, -60.0), (1.0, 0.0), (0.1, -60.0)] {
            let volume = Volume { channels: [cubic.powi(3); MAX_CHANNELS], muted: false };
            handle.update(|controls| {
                controls.volume = volume;
                controls.out_gains = volume.gains();
            });
            let _ = mean(&mut insert, cubic.powi(3), 2);
            let heard = mean(&mut insert, cubic.powi(3), 200) - full;
            assert!((heard - wanted_db).abs() < 0.5, "at {cubic}: {heard} dB, not {wanted_db}");
        }
        let StageMeters::Bus(bus) = reader.take().expect("meters").stage else {
            panic!("not a bus");
        };
        assert!(bus.guard_reduction.0 < 0.1, "the guard took {} dB", bus.guard_reduction.0);
    }

    #[test]
    fn a_jump_that_comes_before_its_report_does_not_reach_the_guard_either() {
        let (mut insert, mut handle, mut reader) = made(StageParams::Bus(BusParams::default()));
        let mut noise = Noise { state: 7, low: 0.0 };
        let low = Volume { channels: [0.001; MAX_CHANNELS], muted: false };
        handle.update(|controls| {
            controls.volume = low;
            controls.out_gains = low.gains();
        });
        for _ in 0..1_000 {
            let _ = play(&mut insert, &mut noise, 0.001);
        }
        let _ = reader.take();
        insert.watch.set_graph_at_work(true);
        for _ in 0..2 {
            let _ = play(&mut insert, &mut noise, 1.0);
        }
        handle.update(|controls| {
            controls.volume = Volume::FULL;
            controls.out_gains = Volume::FULL.gains();
        });
        insert.watch.set_graph_at_work(false);
        for _ in 0..100 {
            let _ = play(&mut insert, &mut noise, 1.0);
        }
        let StageMeters::Bus(bus) = reader.take().expect("meters").stage else {
            panic!("not a bus");
        };
        assert!(bus.guard_reduction.0 < 0.5, "the guard took {} dB", bus.guard_reduction.0);
    }

    #[test]
    fn nothing_is_lost_without_a_reader() {
        let (mut insert, _handle, mut reader) = made(StageParams::Master(MasterParams::default()));
        let mut loud = [2.0_f32; FRAMES];
        let mut right = loud;
        insert.process(RATE_HZ, &mut [loud.as_mut_slice(), right.as_mut_slice()]);
        for _ in 0..500 {
            let (mut left, mut right) = ([0.0_f32; FRAMES], [0.0_f32; FRAMES]);
            insert.process(RATE_HZ, &mut [left.as_mut_slice(), right.as_mut_slice()]);
        }
        let taken = reader.take().expect("meters");
        assert_eq!((taken.blocks, taken.silenced_blocks), (501, 0));
        let StageMeters::Master(master) = taken.stage else { panic!("not a master") };
        assert!(master.limiter_reduction.0 > 5.0, "{:?}", master.limiter_reduction);
        assert_eq!(reader.take(), None);
    }

    #[test]
    fn a_block_that_does_not_fit_is_silence_and_counted() {
        let (mut insert, _handle, mut reader) = made(StageParams::Bus(BusParams::default()));
        let mut mono = [0.5_f32; 64];
        insert.process(RATE_HZ, &mut [mono.as_mut_slice()]);
        assert!(mono.iter().all(|s| *s == 0.0));
        let mut long = vec![0.5_f32; FRAMES + 1];
        let mut other = long.clone();
        insert.process(RATE_HZ, &mut [long.as_mut_slice(), other.as_mut_slice()]);
        assert!(long.iter().all(|s| *s == 0.0));
        let (mut left, mut right) = ([0.5_f32; 64], [0.5_f32; 63]);
        insert.process(RATE_HZ, &mut [left.as_mut_slice(), right.as_mut_slice()]);
        assert!(left.iter().all(|s| *s == 0.0));
        insert.process(RATE_HZ, &mut []);
        assert_eq!(reader.take().expect("meters").silenced_blocks, 4);
    }

    #[test]
    fn a_new_rate_is_followed_and_a_senseless_one_is_not() {
        let (mut insert, _handle, mut reader) = made(StageParams::Bus(BusParams::default()));
        for (rate_hz, followed) in [(44_100, 44_100), (0, 44_100), (192_000, 192_000)] {
            let (mut left, mut right) = ([0.1_f32; 32], [0.1_f32; 32]);
            insert.process(rate_hz, &mut [left.as_mut_slice(), right.as_mut_slice()]);
            assert_eq!(reader.take().expect("meters").rate_hz, followed);
            assert_eq!(insert.watch.rate_hz(), followed);
        }
    }

    #[test]
    fn every_block_says_how_long_it_was() {
        let (mut insert, _handle, mut reader) = made(StageParams::Bus(BusParams::default()));
        for frames in [64, 32, 128] {
            let (mut left, mut right) = (vec![0.1_f32; frames], vec![0.1_f32; frames]);
            insert.process(48_000, &mut [left.as_mut_slice(), right.as_mut_slice()]);
            assert_eq!(reader.take().expect("meters").block_frames as usize, frames);
        }
    }
}
