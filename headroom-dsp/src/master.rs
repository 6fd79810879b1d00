//! The master: the true-peak limiter on the sum, and the meter of what the device receives.

use crate::layout::{Layout, MAX_CHANNELS};
use crate::limiter::Limiter;
use crate::meter::{HopSums, KWeighting, LoudnessMeter, LoudnessReading, ProgrammeLoudness};
use crate::params::{LimiterParams, MasterParams};
use crate::units::{Db, Gain, Lufs};
use crate::{MAX_RATE_HZ, MIN_RATE_HZ, PrepareError, check_prepare, plane};

/// The soft tier is told the programme's loudness every so many frames, counted from the start of the
/// sound, so that the output is the same however the host cuts its blocks.
const LOOK_FRAMES: usize = 1_024;

/// What the master has seen since the last look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MasterMeters {
    /// Loudness of what goes out.
    pub output: LoudnessReading,
    /// Largest reduction of the limiter, 0 dB or more.
    pub limiter_reduction: Db,
    /// Largest sample that went out.
    pub sample_peak: Gain,
    /// Samples that were no numbers, since `prepare`.
    pub bad_samples: u64,
}

/// The limiter in front of the device sink.
#[derive(Debug)]
pub struct Master {
    layout: Layout,
    max_frames: usize,
    arch: pulp::Arch,
    limiter: Limiter,
    output: LoudnessMeter,
    /// What comes in, measured while the soft tier asks for it.
    input: Input,
    programme: Lufs,
    since_look: usize,
    sample_peak: f32,
    bad_samples: u64,
}

/// The loudness of what comes in.
#[derive(Debug)]
struct Input {
    wanted: bool,
    weighting: KWeighting,
    power: Vec<f32>,
    hops: HopSums,
    programme: ProgrammeLoudness,
}

impl Input {
    fn want(&mut self, wanted: bool) {
        if wanted && !self.wanted {
            self.reset();
        }
        self.wanted = wanted;
    }

    fn reset(&mut self) {
        self.weighting.reset();
        self.hops.reset();
        self.programme.reset();
    }

    fn process(&mut self, part: &[&mut [f32]]) {
        let frames = part.first().map_or(0, |plane| plane.len());
        let Some(power) = self.power.get_mut(..frames).filter(|_| self.wanted) else { return };
        self.weighting.power(part, power);
        let programme = &mut self.programme;
        self.hops.add(power, |hop| programme.take(hop.energy / f64::from(hop.frames)));
    }
}

/// A bypassed limiter is one that only delays.
fn effective(params: &MasterParams) -> LimiterParams {
    LimiterParams { enabled: params.limiter.enabled && !params.bypass, ..params.limiter }
}

impl Master {
    /// Makes a master and allocates all that it will ever need, at any rate.
    ///
    /// # Errors
    /// [`PrepareError`] when the rate or the block length is out of range.
    pub fn prepare(
        rate_hz: u32,
        layout: Layout,
        max_frames: usize,
        params: &MasterParams,
    ) -> Result<Master, PrepareError> {
        check_prepare(rate_hz, max_frames)?;
        Ok(Master {
            layout,
            max_frames,
            arch: pulp::Arch::new(),
            limiter: Limiter::prepare(rate_hz, layout, max_frames, effective(params))?,
            output: LoudnessMeter::prepare(rate_hz, &layout, max_frames),
            input: Input {
                wanted: params.limiter.soft.is_some(),
                weighting: KWeighting::prepare(rate_hz, &layout),
                power: vec![0.0; LOOK_FRAMES.min(max_frames)],
                hops: HopSums::new(rate_hz),
                programme: ProgrammeLoudness::new(),
            },
            programme: Lufs::SILENCE,
            since_look: 0,
            sample_peak: 0.0,
            bad_samples: 0,
        })
    }

    /// Goes over to another sample rate, clamped to what is supported; the signal's state
    /// starts anew.
    ///
    /// Real-time safe: yes.
    pub fn set_rate(&mut self, rate_hz: u32) {
        let rate_hz = rate_hz.clamp(MIN_RATE_HZ, MAX_RATE_HZ);
        self.limiter.set_rate(rate_hz);
        self.output.set_rate(rate_hz);
        self.input.weighting.set_rate(rate_hz);
        self.input.hops.set_rate(rate_hz);
        self.input.reset();
    }

    /// Takes new settings; every change is ramped.
    ///
    /// Real-time safe: yes.
    pub fn set_params(&mut self, params: &MasterParams) {
        self.limiter.set_params(&effective(params));
        self.input.want(params.limiter.soft.is_some());
    }

    /// Forgets all sound, as after `prepare`.
    ///
    /// Real-time safe: yes.
    pub fn reset(&mut self) {
        self.limiter.reset();
        self.output.reset();
        self.input.reset();
        self.programme = Lufs::SILENCE;
        self.since_look = 0;
        self.sample_peak = 0.0;
    }

    /// How many frames the output is late: look-ahead and detector.
    #[must_use]
    pub fn latency_frames(&self) -> usize {
        self.limiter.latency_frames()
    }

    /// What has happened since the last call.
    pub fn take_meters(&mut self) -> MasterMeters {
        MasterMeters {
            output: self.output.reading(),
            limiter_reduction: self.limiter.take_reduction(),
            sample_peak: Gain(std::mem::take(&mut self.sample_peak)),
            bad_samples: self.bad_samples,
        }
    }

    /// Processes one block in place; see [`crate::Bus::process`].
    ///
    /// Real-time safe: no allocation, lock, log or panic.
    pub fn process(&mut self, block: &mut [&mut [f32]]) {
        let Some(frames) = block.first().map(|plane| plane.len()) else { return };
        let fits = block.len() == self.layout.len()
            && frames <= self.max_frames
            && block.iter().all(|plane| plane.len() == frames);
        if !fits {
            return;
        }
        let arch = self.arch;
        self.bad_samples += arch.dispatch(
            #[inline(always)]
            || block.iter_mut().map(|plane| u64::from(plane::sanitize(plane))).sum::<u64>(),
        );
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + LOOK_FRAMES - self.since_look);
            let mut part: [&mut [f32]; MAX_CHANNELS] = Default::default();
            for (part, plane) in part.iter_mut().zip(block.iter_mut()) {
                *part = plane.get_mut(at..end).unwrap_or_default();
            }
            self.process_part(part.get_mut(..self.layout.len()).unwrap_or_default());
            self.since_look += end - at;
            if self.since_look == LOOK_FRAMES {
                self.since_look = 0;
                self.programme = self.input.programme.loudness();
            }
            at = end;
        }
        self.sample_peak = arch.dispatch(
            #[inline(always)]
            || block.iter().fold(self.sample_peak, |peak, plane| peak.max(plane::peak(plane))),
        );
    }

    fn process_part(&mut self, part: &mut [&mut [f32]]) {
        self.input.process(part);
        self.limiter.process(part, self.programme);
        self.output.process(part);
    }
}
