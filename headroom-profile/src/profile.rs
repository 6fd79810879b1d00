//! A profile as values, section by section, every one of them in its range.
//!
//! Defaults come from `headroom-dsp` (through `dsp.rs`), so that each lives in one place.

use serde::Serialize;

use crate::{DefaultDevice, DefaultRoute, DeviceProfile, PerApp, Rule};

/// A named set of settings. Made by [`Profile::parse`], so that every value is in range.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// What it is called; equals the stem of its file.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The AGC.
    pub agc: Agc,
    /// The compressor.
    pub compressor: Compressor,
    /// The true-peak limiter.
    pub limiter: Limiter,
    /// The meters.
    pub meters: Meters,
    /// What picks a route for a stream; the first that matches counts.
    pub rules: Vec<Rule>,
    /// Where a stream goes that no rule matches.
    pub default_route: DefaultRoute,
    /// Which profile is in force on which device while this one is chosen; the first that matches
    /// counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceProfile>,
    /// Which one is in force on every other device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_device: Option<DefaultDevice>,
    /// Levelling per app. Read, checked and kept; nothing uses it yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_app: Option<PerApp>,
}

/// `[agc]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Agc {
    /// Whether anything is levelled.
    pub enabled: bool,
    /// The loudness that the output is brought to.
    pub target_lufs: f32,
    /// Time constant of a falling gain.
    pub attack_ms: f32,
    /// Time constant of a rising gain.
    pub release_ms: f32,
    /// Below this input loudness it is silence, and no gain rises.
    pub silence_threshold_lufs: f32,
    /// The most that is added; 0 only ever turns down.
    pub max_boost_db: f32,
    /// The most that is taken off.
    pub max_cut_db: f32,
    /// How long a gain is held in silence.
    pub hold_ms: f32,
    /// How fast a boost falls back to 0 dB in silence.
    pub return_db_per_s: f32,
    /// The fastest that the gain rises.
    pub rise_db_per_s: f32,
    /// The fastest that the gain falls.
    pub fall_db_per_s: f32,
}

/// `[compressor]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Compressor {
    /// Whether anything is compressed, make-up included.
    pub enabled: bool,
    /// What the level detector follows.
    pub detector: Detector,
    /// Where reduction begins.
    pub threshold_db: f32,
    /// Input to output slope above the threshold.
    pub ratio: f32,
    /// Full width of the soft knee.
    pub knee_db: f32,
    /// Time constant of rising reduction.
    pub attack_ms: f32,
    /// Time constant of falling reduction.
    pub release_ms: f32,
    /// The gain behind it.
    pub makeup_db: Makeup,
    /// Window of the RMS detector.
    pub rms_window_ms: f32,
}

/// `compressor.detector`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// The largest sample.
    Peak,
    /// The root mean square over a window.
    Rms,
}

/// `compressor.makeup_db`: the word "auto", or a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Makeup {
    /// As much as the static curve takes from a signal at the target.
    Auto(AutoWord),
    /// This many decibels.
    Fixed(f32),
}

impl Makeup {
    /// The word "auto".
    pub const AUTO: Makeup = Makeup::Auto(AutoWord::Auto);
}

/// The one word that `makeup_db` can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutoWord {
    /// "auto"
    Auto,
}

/// `[limiter]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Limiter {
    /// The true peak that nothing passes.
    pub ceiling_dbtp: f32,
    /// How early the gain begins to fall.
    pub lookahead_ms: f32,
    /// Time constant of a recovering gain.
    pub release_ms: f32,
    /// How long a reduction is held before it recovers.
    pub hold_ms: f32,
    /// How finely it looks between the samples.
    pub oversample: Oversample,
    /// Whether channels share one gain.
    pub link: Link,
    /// The slower tier.
    pub soft: Soft,
}

/// `limiter.oversample`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "u8")]
pub enum Oversample {
    /// Four points a frame.
    X4,
    /// Eight points a frame.
    X8,
    /// Sixteen points a frame.
    X16,
}

impl From<Oversample> for u8 {
    fn from(oversample: Oversample) -> u8 {
        match oversample {
            Oversample::X4 => 4,
            Oversample::X8 => 8,
            Oversample::X16 => 16,
        }
    }
}

/// `limiter.link`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// One gain for all channels.
    Stereo,
    /// Each channel its own gain.
    DualMono,
}

/// `[limiter.soft]`: on where the table is present, unless it says `enabled = false`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Soft {
    /// Whether the tier is on.
    pub enabled: bool,
    /// The largest peak over the programme's loudness that is let through.
    pub max_psr_db: f32,
    /// The ceiling of this tier until there is a programme loudness.
    pub static_ceiling_dbtp: f32,
    /// Time constant of rising reduction.
    pub attack_ms: f32,
    /// Time constant of falling reduction.
    pub release_ms: f32,
}

/// `[meters]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Meters {
    /// How often levels are published; 0 never.
    pub publish_hz: f32,
}

impl Default for Meters {
    fn default() -> Meters {
        Meters { publish_hz: 20.0 }
    }
}
