//! One complete limiter over a history of samples that it does not own.
//!
//! [`super::Limiter`] has two, so that the settings can change from one to the other.

use super::history::History;
use super::kernel::{Interpolator, Join};
use super::path::{GainPath, PathSpace, Stand};
use super::points::CHUNK_FRAMES;
use super::settings::{Settings, most_delay_frames};
use super::window::largest;
use crate::MAX_RATE_HZ;
use crate::layout::MAX_CHANNELS;
use crate::params::{LimiterParams, Link};
use crate::units::Lufs;

/// Work space that the cores share.
#[derive(Debug, Clone)]
pub(crate) struct Space {
    interpolator: Interpolator,
    peaks: [f32; CHUNK_FRAMES],
    path: PathSpace,
}

impl Space {
    /// Allocates.
    pub(crate) fn prepare() -> Space {
        Space {
            interpolator: Interpolator::prepare(),
            peaks: [0.0; CHUNK_FRAMES],
            path: PathSpace::new(),
        }
    }
}

/// Detector, gains and ceiling of one set of settings.
#[derive(Debug, Clone)]
pub(crate) struct Core {
    settings: Settings,
    channels: usize,
    paths: Vec<GainPath>,
    gains: Vec<[f32; CHUNK_FRAMES]>,
    /// Whether a path's gains of the last chunk are to be applied; if not they are all 1.
    active: [bool; MAX_CHANNELS],
    /// Frames since the last sample that could have made a peak over `quiet_level`.
    quiet_frames: usize,
    quiet_level: f32,
}

impl Core {
    /// Allocates for any settings.
    pub(crate) fn prepare(channels: usize) -> Core {
        let most_delay = most_delay_frames(MAX_RATE_HZ);
        Core {
            settings: Settings::new(&LimiterParams::default(), MAX_RATE_HZ),
            channels,
            paths: (0..channels).map(|_| GainPath::prepare(most_delay)).collect(),
            gains: vec![[1.0; CHUNK_FRAMES]; channels],
            active: [false; MAX_CHANNELS],
            quiet_frames: 0,
            quiet_level: 0.0,
        }
    }

    /// Takes over with new settings at the gains of `stands`. `histories` is what came so far.
    pub(crate) fn restart(
        &mut self,
        settings: Settings,
        stands: &[Stand; MAX_CHANNELS],
        histories: &[History<f32>],
        space: &mut Space,
    ) {
        self.settings = settings;
        self.quiet_frames = 0;
        self.quiet_level = 0.0;
        self.active = [false; MAX_CHANNELS];
        if !settings.enabled {
            return;
        }
        let paths = self.path_count();
        for (path, stand) in self.paths[..paths].iter_mut().zip(stands) {
            path.restart(&settings, *stand);
        }
        // Whose peaks would be known by now, had these settings always been in force.
        let mut left = settings.window_frames - 1;
        while left > 0 {
            let count = left.min(CHUNK_FRAMES);
            let back = left + settings.reach.frames();
            for index in 0..paths {
                self.detect(index, histories, back, count, space);
                self.paths[index].remember(&mut space.peaks[..count]);
            }
            left -= count;
        }
        for path in &mut self.paths[..paths] {
            path.begin();
        }
    }

    /// Where the gains stand, one for each channel.
    pub(crate) fn stands(&self) -> [Stand; MAX_CHANNELS] {
        let mut stands = [Stand::REST; MAX_CHANNELS];
        if self.settings.enabled {
            for (index, stand) in stands.iter_mut().enumerate().take(self.channels) {
                *stand = self.paths[self.path_of(index)].stand();
            }
        }
        stands
    }

    /// Finds the gains of the `count` newest frames. `loudest` is the largest sample of them.
    /// Gives back the lowest gain.
    pub(crate) fn advance(
        &mut self,
        histories: &[History<f32>],
        count: usize,
        loudest: f32,
        programme: Lufs,
        space: &mut Space,
    ) -> f32 {
        if !self.settings.enabled {
            return 1.0;
        }
        let soft_cap = self.soft_cap(programme);
        let quiet = self.is_quiet(count, loudest, soft_cap, &space.interpolator);
        let mut lowest = 1.0_f32;
        for index in 0..self.path_count() {
            self.active[index] = false;
            if quiet {
                if self.paths[index].is_at_rest() {
                    self.paths[index].sleep(count);
                    continue;
                }
                space.peaks[..count].fill(0.0);
            } else {
                let back = count + self.settings.reach.frames();
                self.detect(index, histories, back, count, space);
            }
            let gains = &mut self.gains[index][..count];
            let peaks = &mut space.peaks[..count];
            if self.paths[index].follow(peaks, soft_cap, &mut space.path, gains) {
                self.active[index] = true;
                lowest =
                    gains.iter().fold(lowest, |low, gain| if *gain < low { *gain } else { low });
            }
        }
        lowest
    }

    /// Writes what the newest frames of `out.len()` push out of the delay of a channel.
    pub(crate) fn render(&self, channel: usize, history: &History<f32>, out: &mut [f32]) {
        let start = history.end() - out.len() - self.settings.delay_frames;
        let delayed = &history.values()[start..start + out.len()];
        let path = self.path_of(channel);
        if !self.settings.enabled || !self.active[path] {
            out.copy_from_slice(delayed);
            return;
        }
        let ceiling = self.settings.ceiling;
        for ((out, sample), gain) in out.iter_mut().zip(delayed).zip(&self.gains[path]) {
            let sample = sample * gain;
            // Rounding may leave a sample one unit over; nothing else ever does.
            let sample = if sample > ceiling { ceiling } else { sample };
            *out = if sample < -ceiling { -ceiling } else { sample };
        }
    }

    fn path_count(&self) -> usize {
        match self.settings.link {
            Link::Stereo => 1,
            Link::DualMono => self.channels,
        }
    }

    fn path_of(&self, channel: usize) -> usize {
        match self.settings.link {
            Link::Stereo => 0,
            Link::DualMono => channel,
        }
    }

    /// Peaks of the `count` frames from `back` frames before the end.
    fn detect(
        &self,
        path: usize,
        histories: &[History<f32>],
        back: usize,
        count: usize,
        space: &mut Space,
    ) {
        let histories = match self.settings.link {
            Link::Stereo => histories,
            Link::DualMono => &histories[path..=path],
        };
        let Settings { reach, oversample, .. } = self.settings;
        for (index, history) in histories.iter().enumerate() {
            let join = if index == 0 { Join::Replace } else { Join::Largest };
            let peaks = &mut space.peaks[..count];
            let at = history.end() - back;
            space.interpolator.peaks(history.values(), at, reach, oversample, join, peaks);
        }
    }

    /// The peak that the soft tier lets through.
    fn soft_cap(&self, programme: Lufs) -> f32 {
        match self.settings.soft {
            None => f32::INFINITY,
            Some(soft) => soft.cap(programme).to_gain().0,
        }
    }

    /// Whether no sample within the detector's reach is large enough to make a peak that needs
    /// a gain. Then there is nothing to detect.
    fn is_quiet(
        &mut self,
        count: usize,
        loudest: f32,
        soft_cap: f32,
        interpolator: &Interpolator,
    ) -> bool {
        let level = self.settings.ceiling.min(soft_cap) / interpolator.worst_gain();
        if level < self.quiet_level || loudest > level {
            self.quiet_frames = 0;
        } else {
            self.quiet_frames += count;
        }
        self.quiet_level = level;
        self.quiet_frames >= count + 2 * self.settings.reach.frames()
    }
}

/// The largest magnitude of the samples, 0 if there is none.
pub(crate) fn largest_magnitude(samples: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let chunks = samples.chunks_exact(16);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, sample) in lanes.iter_mut().zip(chunk) {
            let magnitude = sample.abs();
            *lane = if magnitude > *lane { magnitude } else { *lane };
        }
    }
    let rest = rest.iter().fold(0.0, |a: f32, b| if b.abs() > a { b.abs() } else { a });
    largest(&lanes).max(rest)
}
