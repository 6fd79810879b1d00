//! One bus: AGC with its burst guard, compressor and fader, as one gain on the samples.
//!
//! Every stage here is a gain, so the samples are multiplied once. Control runs on a grid of
//! steps (16 frames at 48 kHz) that is counted from the start of the sound and not from the
//! start of a block: the output is the same however the host cuts its blocks.

mod gain;
mod handover;

use crate::agc::foresight::{Foreseen, Foresight, LOUDER};
use crate::agc::{Agc, Power};
use crate::compressor::{Compressor, CompressorGain, slope_at};
use crate::layout::{Layout, MAX_CHANNELS};
use crate::meter::{KWeighting, LoudnessMeter, LoudnessReading};
use crate::params::BusParams;
use crate::plane::LaneSum;
use crate::units::{Db, Gain};
use crate::{MAX_RATE_HZ, MIN_RATE_HZ, PrepareError, check_prepare, plane};
use gain::{GainRamp, Grid, STEPS_PER_TICK, TickRamp};
use handover::Handover;

/// K-weighting lifts a tone of 1 kHz by 0.691 dB, which BS.1770 takes off again.
const WEIGHTED_TO_PLAIN: f32 = 0.852_9;

/// What a bus has seen since the last look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BusMeters {
    /// Loudness of what came in.
    pub input: LoudnessReading,
    /// Gain of the AGC now.
    pub agc_gain: Db,
    /// Whether that gain is one to start from next time: the AGC is on, knows a programme, and
    /// is within 1 dB of what that programme needs.
    pub agc_settled: bool,
    /// Largest reduction of the burst guard, 0 dB or more.
    pub guard_reduction: Db,
    /// Largest reduction of the compressor, 0 dB or more.
    pub compressor_reduction: Db,
    /// All that the samples are multiplied by now: AGC, guard, compressor with its make-up, fader.
    /// 1 while it is bypassed.
    pub gain: Gain,
    /// Samples that were no numbers, since `prepare`.
    pub bad_samples: u64,
}

/// AGC, compressor and fader of one bus. Adds no latency.
#[derive(Debug)]
pub struct Bus {
    params: BusParams,
    layout: Layout,
    arch: pulp::Arch,
    weighting: KWeighting,
    input: LoudnessMeter,
    power: Vec<f32>,
    /// What makes the mean square of one channel of the power of all.
    per_channel: f32,
    agc: Agc,
    compressor: Compressor,
    foresight: Foresight,
    grid: Grid,
    step: Step,
    tick: Tick,
    gain: GainRamp,
    handover: Handover,
    guard_db: f32,
    reduction_db: f32,
    bad_samples: u64,
}

/// What has been gathered of the step under way.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    frames: usize,
    power: LaneSum,
    peaks: [f32; MAX_CHANNELS],
}

/// What has been gathered of the tick under way, and the gains that move through it.
#[derive(Debug, Clone, Copy)]
struct Tick {
    steps: u32,
    power: Power,
    levelling: TickRamp,
    trim: TickRamp,
    guard: TickRamp,
    compressor: CompressorGain,
}

impl Bus {
    /// Makes a bus and allocates all that it will ever need, at any rate.
    ///
    /// # Errors
    /// [`PrepareError`] when the rate or the block length is out of range.
    pub fn prepare(
        rate_hz: u32,
        layout: Layout,
        max_frames: usize,
        params: &BusParams,
    ) -> Result<Bus, PrepareError> {
        check_prepare(rate_hz, max_frames)?;
        let grid = Grid::at(rate_hz);
        let mut compressor = Compressor::new(params.compressor, params.agc.target, grid.step_s);
        let resting = compressor.step(0.0, 0.0);
        let mut bus = Bus {
            params: *params,
            layout,
            arch: pulp::Arch::new(),
            weighting: KWeighting::prepare(rate_hz, &layout),
            input: LoudnessMeter::prepare(rate_hz, &layout, max_frames),
            power: vec![0.0; max_frames],
            per_channel: if layout.len() > 1 { WEIGHTED_TO_PLAIN / 2.0 } else { WEIGHTED_TO_PLAIN },
            agc: Agc::new(params.agc, grid.step_s * STEPS_PER_TICK as f32),
            compressor,
            foresight: Foresight::new(&params.limiter, grid.step_s),
            grid,
            step: Step::default(),
            tick: Tick {
                steps: 0,
                power: Power::default(),
                levelling: TickRamp::at(Db(0.0)),
                trim: TickRamp::at(Db(0.0)),
                guard: TickRamp::at(Db(0.0)),
                compressor: resting,
            },
            gain: GainRamp { start: 1.0, end: 1.0, fader: 1.0, fader_goal: 1.0, wet: 1.0 },
            handover: Handover::OVER,
            guard_db: 0.0,
            reduction_db: 0.0,
            bad_samples: 0,
        };
        bus.agc.set_slope(slope_at(&params.compressor, params.agc.target));
        bus.settle();
        Ok(bus)
    }

    /// Goes over to another sample rate, clamped to what is supported. The signal's state
    /// starts anew; the AGC keeps its gain and what it knows of the programme.
    ///
    /// Real-time safe: yes.
    pub fn set_rate(&mut self, rate_hz: u32) {
        let rate_hz = rate_hz.clamp(MIN_RATE_HZ, MAX_RATE_HZ);
        self.grid = Grid::at(rate_hz);
        self.weighting.set_rate(rate_hz);
        self.input.set_rate(rate_hz);
        self.agc.set_tick(self.grid.step_s * STEPS_PER_TICK as f32);
        self.compressor.set_step(self.grid.step_s);
        self.foresight.set_params(&self.params.limiter, self.grid.step_s);
        self.settle();
    }

    /// Takes new settings; every change is ramped.
    ///
    /// Real-time safe: yes.
    pub fn set_params(&mut self, params: &BusParams) {
        self.params = *params;
        self.agc.set_params(params.agc);
        self.agc.set_slope(slope_at(&params.compressor, params.agc.target));
        self.compressor.set_params(params.compressor, params.agc.target);
        self.foresight.set_params(&params.limiter, self.grid.step_s);
        self.gain.fader_goal = params.fader.to_gain().0;
    }

    /// Starts the AGC from a gain that was right before, within its limits.
    ///
    /// Real-time safe: yes.
    pub fn set_agc_gain(&mut self, gain: Db) {
        self.agc.set_gain_db(gain.0);
        self.settle();
    }

    /// What comes from now on was heard without the bus until now: it begins as loud as it was, and
    /// comes to where the bus would have it at the pace of the AGC.
    ///
    /// Real-time safe: yes.
    pub fn begin_at_unity(&mut self) {
        // No gain from before: at this pace a right one comes no sooner, and a wrong one goes the
        // wrong way first.
        self.agc.set_gain_db(0.0);
        self.handover = Handover::begin(&self.params.agc, self.grid.step_s);
        self.settle();
    }

    /// The AGC's gain now.
    #[must_use]
    pub fn agc_gain(&self) -> Db {
        Db(self.agc.gains().gain_db)
    }

    /// Tells the bus that the level of what comes in has jumped for a reason that is not the
    /// programme's (a volume was moved): the burst guard starts listening anew.
    ///
    /// Real-time safe: yes.
    pub fn forgive_level_jump(&mut self) {
        self.agc.forgive();
    }

    /// Forgets all sound and all gain, as after `prepare`.
    ///
    /// Real-time safe: yes.
    pub fn reset(&mut self) {
        self.weighting.reset();
        self.input.reset();
        self.agc.reset();
        self.compressor.reset();
        self.foresight.reset();
        self.handover = Handover::OVER;
        self.settle();
    }

    /// How many frames the output is late: none.
    #[must_use]
    pub fn latency_frames(&self) -> usize {
        0
    }

    /// Puts all ramps at their ends.
    fn settle(&mut self) {
        let gains = self.agc.gains();
        self.step = Step::default();
        self.tick = Tick {
            steps: 0,
            power: Power::default(),
            levelling: TickRamp::at(Db(gains.gain_db)),
            trim: TickRamp::at(Db(gains.trim_db)),
            guard: TickRamp::at(Db(-gains.guard_db)),
            compressor: self.compressor.step(0.0, 0.0),
        };
        self.gain.fader_goal = self.params.fader.to_gain().0;
        self.gain.fader = self.gain.fader_goal;
        self.gain.wet = if self.params.bypass { 0.0 } else { 1.0 };
        self.gain.end = self.wanted_gain();
        self.gain.start = self.gain.end;
    }

    /// All but the fader.
    fn chain_gain(&self) -> f32 {
        let tick = &self.tick;
        tick.levelling.now * tick.compressor.gain * tick.trim.now * tick.guard.now
    }

    fn wanted_gain(&self) -> f32 {
        let chain = self.handover.of(self.chain_gain() * self.gain.fader);
        if self.gain.wet == 0.0 { 1.0 } else { 1.0 + (chain - 1.0) * self.gain.wet_part() }
    }

    /// What has happened since the last call.
    pub fn take_meters(&mut self) -> BusMeters {
        let meters = BusMeters {
            input: self.input.reading(),
            agc_gain: self.agc_gain(),
            agc_settled: self.agc.is_settled(),
            guard_reduction: Db(self.guard_db),
            compressor_reduction: Db(self.reduction_db),
            gain: Gain(self.gain.end),
            bad_samples: self.bad_samples,
        };
        self.guard_db = 0.0;
        self.reduction_db = 0.0;
        meters
    }

    /// Processes one block in place. The planes stand in the order of the layout and are of
    /// one length, at most the prepared one; what is longer, or more or fewer planes than
    /// the layout has, is left as it is.
    ///
    /// Real-time safe: no allocation, lock, log or panic.
    pub fn process(&mut self, block: &mut [&mut [f32]]) {
        let Some(frames) = block.first().map(|plane| plane.len()) else { return };
        let fits = block.len() == self.layout.len()
            && frames <= self.power.len()
            && block.iter().all(|plane| plane.len() == frames);
        if fits {
            let arch = self.arch;
            arch.dispatch(
                #[inline(always)]
                || self.process_block(block, frames),
            );
        }
    }

    #[inline(always)]
    fn process_block(&mut self, block: &mut [&mut [f32]], frames: usize) {
        for plane in block.iter_mut() {
            self.bad_samples += u64::from(plane::sanitize(plane));
        }
        let mut power = std::mem::take(&mut self.power);
        if let Some(power) = power.get_mut(..frames) {
            self.weighting.power(block, power);
            self.input.add_power(power);
            let mut at = 0;
            while at < frames {
                let end = frames.min(at + self.grid.step_frames - self.step.frames);
                self.process_segment(block, &power[at..end], at, end);
                at = end;
            }
        }
        self.power = power;
    }

    /// A part of one step.
    #[inline(always)]
    fn process_segment(&mut self, block: &mut [&mut [f32]], power: &[f32], at: usize, end: usize) {
        let offset = self.step.frames;
        self.step.power.add(offset, power);
        let step = (self.gain.end - self.gain.start) / self.grid.step_frames as f32;
        for (samples, peak) in block.iter_mut().zip(&mut self.step.peaks) {
            let Some(samples) = samples.get_mut(at..end) else { return };
            *peak = peak.max(plane::peak(samples));
            if step != 0.0 || self.gain.start != 1.0 {
                plane::ramp(samples, offset, self.gain.start, step);
            }
        }
        self.step.frames += end - at;
        if self.step.frames == self.grid.step_frames {
            self.end_step();
        }
    }

    /// Control: once a step, with what the step held.
    fn end_step(&mut self) {
        let step = std::mem::take(&mut self.step);
        let frames = self.grid.step_frames as f32;
        let power = step.power.total() / frames;
        let leaving = self.chain_gain() * self.gain.fader;
        let behind = f64::from(power * leaving * leaving);
        let peaks = step.peaks.get(..self.layout.len()).unwrap_or_default();
        let foreseen = self.foresight.step(peaks, leaving, behind);
        self.gather(f64::from(power), foreseen);
        if self.tick.steps == STEPS_PER_TICK {
            self.end_tick();
        }
        let levelling = self.tick.levelling.now;
        let loudness = power * self.per_channel * levelling * levelling;
        let peak = peaks.iter().fold(0.0_f32, |most, peak| most.max(*peak));
        self.tick.compressor = self.compressor.step(peak * levelling, loudness);
        self.reduction_db = self.reduction_db.max(self.tick.compressor.reduction_db);
        self.tick.levelling.now += self.tick.levelling.step;
        self.tick.trim.now += self.tick.trim.step;
        self.tick.guard.now += self.tick.guard.step;
        self.move_fader();
        self.handover.step(self.chain_gain() * self.gain.fader);
        self.gain.start = self.gain.end;
        self.gain.end = self.wanted_gain();
    }

    /// Adds the step's power to the tick, at every place that the AGC asks about. `foreseen` is
    /// what the limiter will do.
    fn gather(&mut self, input: f64, foreseen: Foreseen) {
        let power = |gain: f32| f64::from(gain * gain);
        let tick = &self.tick;
        let levelled = input * power(tick.levelling.now);
        let compressed = levelled * power(tick.compressor.gain);
        let output = compressed * power(foreseen.gain);
        let louder = compressed * power(foreseen.gain_if_louder * LOUDER);
        let sloped = output * f64::from(tick.compressor.slope);
        let unguarded = compressed * power(tick.trim.now);
        self.tick.power.add(&Power {
            input,
            levelled,
            compressed,
            output,
            louder,
            sloped,
            unguarded,
        });
        self.tick.steps += 1;
    }

    fn end_tick(&mut self) {
        let mut power = std::mem::take(&mut self.tick.power);
        power.scale(1.0 / f64::from(STEPS_PER_TICK));
        let gains = self.agc.tick(&power);
        self.guard_db = self.guard_db.max(gains.guard_db);
        self.tick.steps = 0;
        self.tick.levelling.turn_to(Db(gains.gain_db));
        self.tick.trim.turn_to(Db(gains.trim_db));
        self.tick.guard.turn_to(Db(-gains.guard_db));
    }

    fn move_fader(&mut self) {
        let part = 1.0 / self.grid.fade_steps;
        let wet_goal = if self.params.bypass { 0.0 } else { 1.0 };
        self.gain.wet += (wet_goal - self.gain.wet).clamp(-part, part);
        let missing = self.gain.fader_goal - self.gain.fader;
        self.gain.fader = if missing.abs() < 1e-6 {
            self.gain.fader_goal
        } else {
            self.gain.fader + missing * (3.0 * part).min(1.0)
        };
    }
}
