//! The one place where a profile becomes parameters of the signal chain, and where the
//! defaults of the processors become the defaults of a profile.
//!
//! On this side plain `f32` with the unit in the name, on that side newtypes.

use headroom_dsp as dsp;
use headroom_dsp::{Db, Lufs};

use crate::profile::{Agc, Compressor, Detector, Limiter, Link, Makeup, Oversample, Profile, Soft};

impl Profile {
    /// What the chain is told while this profile is in force: fader at 0 dB, bypass off.
    #[must_use]
    pub fn chain_params(&self) -> dsp::ChainParams {
        dsp::ChainParams {
            bus: dsp::BusParams {
                agc: self.agc.to_params(),
                compressor: self.compressor.to_params(),
                fader: Db(0.0),
                limiter: self.limiter.to_params(),
                bypass: false,
            },
            master: dsp::MasterParams { limiter: self.limiter.to_params(), bypass: false },
        }
    }
}

impl Agc {
    fn to_params(self) -> dsp::AgcParams {
        dsp::AgcParams {
            enabled: self.enabled,
            target: Lufs(self.target_lufs),
            attack_ms: self.attack_ms,
            release_ms: self.release_ms,
            silence_threshold: Lufs(self.silence_threshold_lufs),
            max_boost: Db(self.max_boost_db),
            max_cut: Db(self.max_cut_db),
            hold_ms: self.hold_ms,
            return_db_per_s: self.return_db_per_s,
            rise_db_per_s: self.rise_db_per_s,
            fall_db_per_s: self.fall_db_per_s,
        }
    }
}

impl Default for Agc {
    fn default() -> Agc {
        let params = dsp::AgcParams::default();
        Agc {
            enabled: params.enabled,
            target_lufs: params.target.0,
            attack_ms: params.attack_ms,
            release_ms: params.release_ms,
            silence_threshold_lufs: params.silence_threshold.0,
            max_boost_db: params.max_boost.0,
            max_cut_db: params.max_cut.0,
            hold_ms: params.hold_ms,
            return_db_per_s: params.return_db_per_s,
            rise_db_per_s: params.rise_db_per_s,
            fall_db_per_s: params.fall_db_per_s,
        }
    }
}

impl Compressor {
    fn to_params(self) -> dsp::CompressorParams {
        dsp::CompressorParams {
            enabled: self.enabled,
            detector: match self.detector {
                Detector::Peak => dsp::Detector::Peak,
                Detector::Rms => dsp::Detector::Rms,
            },
            threshold: Db(self.threshold_db),
            ratio: self.ratio,
            knee: Db(self.knee_db),
            attack_ms: self.attack_ms,
            release_ms: self.release_ms,
            makeup: match self.makeup_db {
                Makeup::Auto(_) => dsp::Makeup::Auto,
                Makeup::Fixed(db) => dsp::Makeup::Fixed(Db(db)),
            },
            rms_window_ms: self.rms_window_ms,
        }
    }
}

impl Default for Compressor {
    fn default() -> Compressor {
        let params = dsp::CompressorParams::default();
        Compressor {
            enabled: params.enabled,
            detector: match params.detector {
                dsp::Detector::Peak => Detector::Peak,
                dsp::Detector::Rms => Detector::Rms,
            },
            threshold_db: params.threshold.0,
            ratio: params.ratio,
            knee_db: params.knee.0,
            attack_ms: params.attack_ms,
            release_ms: params.release_ms,
            makeup_db: match params.makeup {
                dsp::Makeup::Auto => Makeup::AUTO,
                dsp::Makeup::Fixed(Db(db)) => Makeup::Fixed(db),
            },
            rms_window_ms: params.rms_window_ms,
        }
    }
}

impl Limiter {
    fn to_params(self) -> dsp::LimiterParams {
        dsp::LimiterParams {
            // A profile can not turn the ceiling off: only a bypass can.
            enabled: true,
            ceiling: Db(self.ceiling_dbtp),
            lookahead_ms: self.lookahead_ms,
            release_ms: self.release_ms,
            hold_ms: self.hold_ms,
            oversample: match self.oversample {
                Oversample::X4 => dsp::Oversample::X4,
                Oversample::X8 => dsp::Oversample::X8,
                Oversample::X16 => dsp::Oversample::X16,
            },
            link: match self.link {
                Link::Stereo => dsp::Link::Stereo,
                Link::DualMono => dsp::Link::DualMono,
            },
            soft: self.soft.enabled.then_some(dsp::SoftParams {
                max_psr: Db(self.soft.max_psr_db),
                static_ceiling: Db(self.soft.static_ceiling_dbtp),
                attack_ms: self.soft.attack_ms,
                release_ms: self.soft.release_ms,
            }),
        }
    }
}

impl Default for Limiter {
    fn default() -> Limiter {
        let params = dsp::LimiterParams::default();
        Limiter {
            ceiling_dbtp: params.ceiling.0,
            lookahead_ms: params.lookahead_ms,
            release_ms: params.release_ms,
            hold_ms: params.hold_ms,
            oversample: match params.oversample {
                dsp::Oversample::X4 => Oversample::X4,
                dsp::Oversample::X8 => Oversample::X8,
                dsp::Oversample::X16 => Oversample::X16,
            },
            link: match params.link {
                dsp::Link::Stereo => Link::Stereo,
                dsp::Link::DualMono => Link::DualMono,
            },
            soft: Soft { enabled: params.soft.is_some(), ..Soft::default() },
        }
    }
}

impl Default for Soft {
    fn default() -> Soft {
        let params = dsp::SoftParams::default();
        Soft {
            enabled: false,
            max_psr_db: params.max_psr.0,
            static_ceiling_dbtp: params.static_ceiling.0,
            attack_ms: params.attack_ms,
            release_ms: params.release_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_that_sets_nothing_is_the_default_of_the_chain() {
        let text = "name = \"plain\"\ndescription = \"nothing set\"\n";
        let checked = Profile::parse("plain.toml", text).expect("a valid profile");
        assert_eq!(checked.profile.chain_params(), dsp::ChainParams::default());
    }
}
