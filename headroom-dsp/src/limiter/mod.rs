//! The true-peak look-ahead limiter: the last stage in front of the device sink.
//!
//! Called by the chain's master, block by block. It must not know where the sound comes from
//! or goes to.
//!
//! Samples go into a history of each channel. A detector (`kernel`) finds the largest peak
//! between each sample and the next; a window (`window`) shows the gain the peaks that are
//! still to come out of the delay; an envelope (`envelope`) falls at once, holds and
//! releases; a smoother (`smoother`) makes slopes of the falls that end when the peak
//! comes out. Detector, gain and ceiling together are a `core`; there are two, so that any
//! change of settings is a cross-fade.

mod core;
mod design;
pub mod detector;
mod envelope;
mod history;
mod kernel;
mod lanes;
mod path;
mod points;
mod settings;
mod smoother;
mod soft;
mod taps;
mod window;

use self::core::{Core, Space, largest_magnitude};
use self::history::History;
use self::path::Stand;
use self::points::CHUNK_FRAMES;
use self::settings::{Settings, frames, most_kept_frames, within_range};
use crate::layout::{Layout, MAX_CHANNELS};
use crate::params::{LimiterParams, Link};
use crate::units::{Db, Gain, Lufs};
use crate::{MAX_RATE_HZ, MIN_RATE_HZ, PrepareError, check_prepare};

pub use detector::PeakDetector;
pub(crate) use envelope::TWO_POLE_RISE;
pub(crate) use soft::HOLD_MS as SOFT_HOLD_MS;

/// How long it takes from one set of settings to the next.
const FADE_MS: f32 = 20.0;

/// Keeps true peak and samples at or under a ceiling.
///
/// ```
/// use headroom_dsp::limiter::Limiter;
/// use headroom_dsp::{Layout, LimiterParams, Lufs};
///
/// let mut limiter = Limiter::prepare(48_000, Layout::MONO, 480, LimiterParams::default())?;
/// let mut plane = [2.0_f32; 480];
/// limiter.process(&mut [&mut plane], Lufs::SILENCE);
/// assert!(plane.iter().all(|sample| *sample <= 0.892));
/// # Ok::<(), headroom_dsp::PrepareError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Limiter {
    rate_hz: u32,
    /// The newest settings, which may still wait for a fade to end.
    params: LimiterParams,
    waiting: bool,
    histories: Vec<History<f32>>,
    cores: [Core; 2],
    /// Which core is heard, or faded to.
    current: usize,
    /// Frames of the fade from the other core that are left.
    fade_left: usize,
    fade_frames: usize,
    faded: Box<[f32; CHUNK_FRAMES]>,
    space: Box<Space>,
    lowest_gain: f32,
}

impl Limiter {
    /// Allocates all that any settings and any rate up to [`MAX_RATE_HZ`] will need. The
    /// layout only counts: every channel, LFE too, is held under the ceiling.
    ///
    /// # Errors
    /// [`PrepareError`] for a rate out of range or blocks of no frames. Parameters out of
    /// range are taken as the nearest in range.
    pub fn prepare(
        rate_hz: u32,
        layout: Layout,
        max_frames: usize,
        params: LimiterParams,
    ) -> Result<Limiter, PrepareError> {
        check_prepare(rate_hz, max_frames)?;
        let channels = layout.len();
        let most_kept = most_kept_frames(MAX_RATE_HZ);
        let mut limiter = Limiter {
            rate_hz,
            params: within_range(&params),
            waiting: false,
            histories: (0..channels).map(|_| History::prepare(most_kept)).collect(),
            cores: [Core::prepare(channels), Core::prepare(channels)],
            current: 0,
            fade_left: 0,
            fade_frames: 1,
            faded: Box::new([0.0; CHUNK_FRAMES]),
            space: Box::new(Space::prepare()),
            lowest_gain: 1.0,
        };
        limiter.reset();
        Ok(limiter)
    }

    /// Another sample rate, as near to it as allowed. Forgets the signal.
    ///
    /// Real-time safe: nothing is allocated.
    pub fn set_rate(&mut self, rate_hz: u32) {
        self.rate_hz = rate_hz.clamp(MIN_RATE_HZ, MAX_RATE_HZ);
        self.reset();
    }

    /// New settings, from the next block on, by a cross-fade of 20 ms. Settings that come
    /// during a fade wait for its end; of several that wait, the newest counts.
    ///
    /// Real-time safe: nothing is allocated. The first block after a change also looks through
    /// the delayed samples anew, which costs as much as processing them did.
    pub fn set_params(&mut self, params: &LimiterParams) {
        let params = within_range(params);
        if params != self.params {
            self.params = params;
            self.waiting = true;
        }
    }

    /// Forgets the signal, and takes on settings that wait. Frees nothing.
    ///
    /// Real-time safe.
    pub fn reset(&mut self) {
        for history in &mut self.histories {
            history.restart(most_kept_frames(self.rate_hz));
        }
        self.waiting = false;
        self.fade_left = 0;
        self.fade_frames = frames(FADE_MS, self.rate_hz).round() as usize;
        let settings = Settings::new(&self.params, self.rate_hz);
        let rest = [Stand::REST; MAX_CHANNELS];
        self.cores[self.current].restart(settings, &rest, &self.histories, &mut self.space);
    }

    /// By how many frames the output is later than the input: look-ahead and 16 frames for the
    /// detector. That of the newest settings, also while they wait or fade in.
    #[must_use]
    pub fn latency_frames(&self) -> usize {
        Settings::new(&self.params, self.rate_hz).delay_frames
    }

    /// The largest reduction since the last call, 0 dB or more.
    pub fn take_reduction(&mut self) -> Db {
        let lowest = std::mem::replace(&mut self.lowest_gain, 1.0);
        // Not -0 dB for a gain of 1.
        Db((-Gain(lowest.max(1e-6)).to_db().0).max(0.0))
    }

    /// Limits a block in place. `programme` is the loudness of what comes in, or
    /// [`Lufs::SILENCE`] as long as there is none; only the soft tier asks for it.
    ///
    /// Samples must be finite. The output is the same however the signal is cut into blocks.
    ///
    /// Real-time safe: no allocation, no lock, no panic with as many planes of one length as
    /// the layout has channels.
    pub fn process(&mut self, block: &mut [&mut [f32]], programme: Lufs) {
        let total = block.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let mut done = 0;
        while done < total {
            if self.waiting && self.fade_left == 0 {
                self.start_fade();
            }
            let mut count = (total - done).min(CHUNK_FRAMES);
            if self.fade_left > 0 {
                count = count.min(self.fade_left);
            }
            self.process_chunk(block, done..done + count, programme);
            done += count;
        }
    }

    fn process_chunk(
        &mut self,
        block: &mut [&mut [f32]],
        range: std::ops::Range<usize>,
        programme: Lufs,
    ) {
        let count = range.len();
        let mut loudest = 0.0_f32;
        for (history, plane) in self.histories.iter_mut().zip(block.iter()) {
            let samples = &plane[range.clone()];
            history.append(count).copy_from_slice(samples);
            loudest = loudest.max(largest_magnitude(samples));
        }
        let space = &mut *self.space;
        let current = &mut self.cores[self.current];
        let lowest = current.advance(&self.histories, count, loudest, programme, space);
        self.lowest_gain = self.lowest_gain.min(lowest);
        for (channel, (history, plane)) in self.histories.iter().zip(block.iter_mut()).enumerate() {
            current.render(channel, history, &mut plane[range.clone()]);
        }
        if self.fade_left > 0 {
            self.fade(block, range, loudest, programme);
        }
    }

    /// Mixes what the other core makes of the same frames.
    fn fade(
        &mut self,
        block: &mut [&mut [f32]],
        range: std::ops::Range<usize>,
        loudest: f32,
        programme: Lufs,
    ) {
        let count = range.len();
        let leaving = &mut self.cores[1 - self.current];
        leaving.advance(&self.histories, count, loudest, programme, &mut self.space);
        let faded = &mut self.faded[..count];
        let step = 1.0 / self.fade_frames as f32;
        for (channel, (history, plane)) in self.histories.iter().zip(block.iter_mut()).enumerate() {
            leaving.render(channel, history, faded);
            let mut left = self.fade_left as f32;
            for (sample, leaving) in plane[range.clone()].iter_mut().zip(faded.iter()) {
                // An S without a bend at either end, which would be heard on a pure tone.
                let x = left * step;
                let share = x * x * (3.0 - 2.0 * x);
                let mixed = *sample + share * (leaving - *sample);
                // Rounding must not take the mix past both.
                *sample = mixed.clamp(sample.min(*leaving), sample.max(*leaving));
                left -= 1.0;
            }
        }
        self.fade_left -= count;
    }

    fn start_fade(&mut self) {
        self.waiting = false;
        let settings = Settings::new(&self.params, self.rate_hz);
        let mut stands = self.cores[self.current].stands();
        if settings.link == Link::Stereo {
            stands[0] = stands.iter().fold(Stand::REST, |low, stand| low.lower(*stand));
        }
        self.current = 1 - self.current;
        self.cores[self.current].restart(settings, &stands, &self.histories, &mut self.space);
        self.fade_left = self.fade_frames;
    }
}
