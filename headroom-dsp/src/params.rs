//! What each stage can be told, as `Copy` values for the audio thread.
//!
//! Ranges are those of a profile; they are checked where a profile is read. A stage stays
//! finite with any value here, also with one that no profile would pass.

use crate::compressor;
use crate::units::{Db, Lufs};

/// Settings of the AGC and the burst guard beside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgcParams {
    /// Off: the gain goes to 0 dB by its slew limits and stays there, and the guard is off.
    pub enabled: bool,
    /// The loudness that the output of the whole chain is steered to.
    pub target: Lufs,
    /// Time constant of a falling gain.
    pub attack_ms: f32,
    /// Time constant of a rising gain.
    pub release_ms: f32,
    /// Below this input loudness nothing is measured and no gain rises.
    pub silence_threshold: Lufs,
    /// The most that is added. 0 dB: only ever turn down.
    pub max_boost: Db,
    /// The most that is taken off, as a number of 0 or more.
    pub max_cut: Db,
    /// How long a gain is held in silence before a boost begins to fall back.
    pub hold_ms: f32,
    /// How fast a boost falls back to 0 dB in silence.
    pub return_db_per_s: f32,
    /// The fastest that the gain rises.
    pub rise_db_per_s: f32,
    /// The fastest that the gain falls.
    pub fall_db_per_s: f32,
}

/// What a compressor's level detector follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detector {
    /// The largest sample of any channel.
    Peak,
    /// The root mean square over a window, K-weighted as loudness is, so that a rumble which is
    /// hardly heard does not press everything else down. A tone of 1 kHz in both channels of a
    /// stereo pair reads its RMS level.
    Rms,
}

/// The gain behind a compressor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Makeup {
    /// About as much as the compressor takes from a programme at the AGC's target.
    Auto,
    /// A fixed gain.
    Fixed(Db),
}

/// Settings of the compressor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompressorParams {
    /// Off: unity gain, make-up included.
    pub enabled: bool,
    /// Peak or RMS.
    pub detector: Detector,
    /// Where reduction begins (the middle of the knee).
    pub threshold: Db,
    /// Input to output slope above the knee; 1 or more.
    pub ratio: f32,
    /// Full width of the soft knee.
    pub knee: Db,
    /// Time constant of rising reduction.
    pub attack_ms: f32,
    /// Time constant of falling reduction.
    pub release_ms: f32,
    /// The gain behind it.
    pub makeup: Makeup,
    /// Window of [`Detector::Rms`].
    pub rms_window_ms: f32,
}

/// How finely the limiter looks between the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oversample {
    /// Four points a frame.
    X4,
    /// Eight points a frame.
    X8,
    /// Sixteen points a frame.
    X16,
}

/// Whether channels share one limiter gain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// One gain for all channels: the stereo image stays.
    Stereo,
    /// Each channel its own gain.
    DualMono,
}

/// The slower tier in front of the limiter, which caps the crest at the programme's loudness
/// plus `max_psr`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoftParams {
    /// The largest peak over the loudness of the programme, in front of the limiter, that is let
    /// through.
    pub max_psr: Db,
    /// The ceiling of this tier until there is a programme loudness, in dBTP.
    pub static_ceiling: Db,
    /// Time constant of rising reduction.
    pub attack_ms: f32,
    /// Time constant of falling reduction.
    pub release_ms: f32,
}

impl SoftParams {
    /// The largest peak that is let through at this loudness of the programme;
    /// [`Lufs::SILENCE`] where there is none.
    pub(crate) fn cap(&self, programme: Lufs) -> Db {
        if programme.0.is_finite() {
            Db((programme.0 + self.max_psr.0).max(-120.0))
        } else {
            self.static_ceiling
        }
    }
}

/// Settings of the true-peak limiter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimiterParams {
    /// Off: the limiter only delays.
    pub enabled: bool,
    /// The true peak that nothing passes, in dBTP.
    pub ceiling: Db,
    /// How early the gain begins to fall: 0.5 to 10 ms.
    pub lookahead_ms: f32,
    /// Time constant of a recovering gain.
    pub release_ms: f32,
    /// How long a reduction is held before it recovers.
    pub hold_ms: f32,
    /// How finely it looks between the samples.
    pub oversample: Oversample,
    /// Whether channels share one gain.
    pub link: Link,
    /// The slower tier, if it is on.
    pub soft: Option<SoftParams>,
}

/// Settings of one bus: AGC, compressor, fader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BusParams {
    /// AGC and burst guard.
    pub agc: AgcParams,
    /// Compressor.
    pub compressor: CompressorParams,
    /// The gain at the end of the bus.
    pub fader: Db,
    /// The limiter that follows in the master: the AGC accounts for what it will take.
    pub limiter: LimiterParams,
    /// Pass through bit-exact, ramped over 20 ms.
    pub bypass: bool,
}

/// Settings of the master: the limiter in front of the device sink.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MasterParams {
    /// The limiter.
    pub limiter: LimiterParams,
    /// Pass through bit-exact apart from the delay, ramped over 20 ms.
    pub bypass: bool,
}

/// Settings of the whole chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainParams {
    /// What the bus does.
    pub bus: BusParams,
    /// What the master does.
    pub master: MasterParams,
}

impl BusParams {
    /// What the compressor gives back to all that it is given, once these settings are in force: 0
    /// where it is off.
    pub fn makeup(&self) -> Db {
        compressor::makeup(&self.compressor, self.agc.target)
    }
}

impl Default for AgcParams {
    fn default() -> Self {
        AgcParams {
            enabled: true,
            target: Lufs(-18.0),
            attack_ms: 800.0,
            release_ms: 3_000.0,
            silence_threshold: Lufs(-50.0),
            max_boost: Db(18.0),
            max_cut: Db(30.0),
            hold_ms: 5_000.0,
            return_db_per_s: 1.0,
            rise_db_per_s: 3.0,
            fall_db_per_s: 12.0,
        }
    }
}

impl Default for CompressorParams {
    fn default() -> Self {
        CompressorParams {
            enabled: true,
            detector: Detector::Peak,
            threshold: Db(-24.0),
            ratio: 2.5,
            knee: Db(6.0),
            attack_ms: 10.0,
            release_ms: 100.0,
            makeup: Makeup::Auto,
            rms_window_ms: 5.0,
        }
    }
}

impl Default for SoftParams {
    fn default() -> Self {
        SoftParams {
            max_psr: Db(14.0),
            static_ceiling: Db(-6.0),
            attack_ms: 5.0,
            release_ms: 200.0,
        }
    }
}

impl Default for LimiterParams {
    fn default() -> Self {
        LimiterParams {
            enabled: true,
            ceiling: Db(-1.0),
            lookahead_ms: 2.0,
            release_ms: 80.0,
            hold_ms: 5.0,
            oversample: Oversample::X8,
            link: Link::Stereo,
            soft: None,
        }
    }
}

impl Default for BusParams {
    fn default() -> Self {
        BusParams {
            agc: AgcParams::default(),
            compressor: CompressorParams::default(),
            fader: Db(0.0),
            limiter: LimiterParams::default(),
            bypass: false,
        }
    }
}

#[allow(clippy::derivable_impls, reason = "beside its siblings, bypass off is said in words")]
impl Default for MasterParams {
    fn default() -> Self {
        MasterParams { limiter: LimiterParams::default(), bypass: false }
    }
}

#[allow(clippy::derivable_impls, reason = "beside its siblings")]
impl Default for ChainParams {
    fn default() -> Self {
        ChainParams { bus: BusParams::default(), master: MasterParams::default() }
    }
}
