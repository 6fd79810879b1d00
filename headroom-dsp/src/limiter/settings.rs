//! What the parameters mean in frames at a sample rate.
//!
//! Made by [`super::Limiter`] whenever parameters or rate change; read by [`super::core`].

use super::taps::Reach;
use crate::params::{LimiterParams, Link, Oversample, SoftParams};
use crate::units::Db;

/// The detector's part of the latency.
pub(crate) const DETECTOR_FRAMES: usize = 16;

/// The longest look-ahead.
const MOST_LOOKAHEAD_MS: f32 = 10.0;

/// The limiter's parameters with every number in its range, so that equal settings compare
/// equal and none can make a sample infinite.
pub(crate) fn within_range(params: &LimiterParams) -> LimiterParams {
    let defaults = LimiterParams::default();
    let within = |value: f32, from: f32, to: f32, default: f32| {
        if value.is_nan() { default } else { value.clamp(from, to) }
    };
    let level = |value: Db, default: Db| Db(within(value.0, -120.0, 24.0, default.0));
    let time = |value: f32, default: f32| within(value, 0.0, 10_000.0, default);
    let soft = params.soft.map(|soft| {
        let defaults = SoftParams::default();
        SoftParams {
            max_psr: level(soft.max_psr, defaults.max_psr),
            static_ceiling: level(soft.static_ceiling, defaults.static_ceiling),
            attack_ms: time(soft.attack_ms, defaults.attack_ms),
            release_ms: time(soft.release_ms, defaults.release_ms),
        }
    });
    LimiterParams {
        enabled: params.enabled,
        ceiling: level(params.ceiling, defaults.ceiling),
        lookahead_ms: within(params.lookahead_ms, 0.5, MOST_LOOKAHEAD_MS, defaults.lookahead_ms),
        release_ms: time(params.release_ms, defaults.release_ms),
        hold_ms: time(params.hold_ms, defaults.hold_ms),
        oversample: params.oversample,
        link: params.link,
        soft,
    }
}

/// Parameters at a sample rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) enabled: bool,
    /// As a sample value.
    pub(crate) ceiling: f32,
    pub(crate) oversample: Oversample,
    pub(crate) link: Link,
    pub(crate) soft: Option<SoftParams>,
    pub(crate) rate_hz: u32,
    /// Of the audio: look-ahead and detector.
    pub(crate) delay_frames: usize,
    /// How far the detector looks to each side.
    pub(crate) reach: Reach,
    /// How long the gain's slopes are.
    pub(crate) smooth_frames: usize,
    /// How long a peak is seen before and until it has passed.
    pub(crate) window_frames: usize,
    pub(crate) hold_frames: u32,
    pub(crate) release_frames: f64,
}

impl Settings {
    /// `params` are within range.
    pub(crate) fn new(params: &LimiterParams, rate_hz: u32) -> Settings {
        let lookahead_frames = frames(params.lookahead_ms, rate_hz).round() as usize;
        let delay_frames = lookahead_frames + DETECTOR_FRAMES;
        // A longer kernel than the detector's own delay borrows from the look-ahead, where that
        // leaves enough of it for a slope.
        let (reach, flat_frames) = match lookahead_frames {
            0..20 => (Reach::Short, 1),
            20..44 => (Reach::Middle, 2),
            44..64 => (Reach::Long, 4),
            _ => (Reach::Long, 8),
        };
        // A gain that bends within the reach of a meter's kernel lets a peak through: it stays
        // flat for some frames before and after one.
        let known_frames = delay_frames - reach.frames();
        Settings {
            enabled: params.enabled,
            ceiling: params.ceiling.to_gain().0,
            oversample: params.oversample,
            link: params.link,
            soft: params.soft,
            rate_hz,
            delay_frames,
            reach,
            smooth_frames: (known_frames + 1).saturating_sub(flat_frames).max(1),
            window_frames: known_frames + flat_frames + 2,
            hold_frames: frames(params.hold_ms, rate_hz).round() as u32,
            release_frames: frames(params.release_ms, rate_hz),
        }
    }
}

/// Frames of a time.
pub(crate) fn frames(ms: f32, rate_hz: u32) -> f64 {
    f64::from(ms) * f64::from(rate_hz) / 1_000.0
}

/// The longest delay at a rate.
pub(crate) fn most_delay_frames(rate_hz: u32) -> usize {
    frames(MOST_LOOKAHEAD_MS, rate_hz).round() as usize + DETECTOR_FRAMES
}

/// How much of the input a limiter needs to remember at a rate, whatever its settings.
pub(crate) fn most_kept_frames(rate_hz: u32) -> usize {
    most_delay_frames(rate_hz) + 4 * Reach::Long.frames()
}
