//! Why an app sounds as it does: the result of `why`.

use serde::{Deserialize, Serialize};

use super::{Match, Route, Stream};
use crate::finite;
use crate::word::words;

/// Why an app sounds as it does. The result of `why`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Why {
    /// Every stream that is meant, the oldest first; empty where none is open.
    pub streams: Vec<StreamWhy>,
    /// How many more streams are meant.
    pub more: u32,
    /// What would decide if the app opened a stream, as far as its name alone tells; nil where it
    /// has one.
    pub expected: Option<Decided>,
}

/// Why one stream sounds as it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StreamWhy {
    /// What it is, and where it is really linked.
    pub stream: Stream,
    /// What has decided where it is to go.
    pub decided: Decided,
    /// What is done to it now; nil while it goes past Headroom, or nothing is measured.
    pub chain: Option<Chain>,
    /// What is to be known beside, in words.
    pub notes: Vec<String>,
}

/// What decides where a stream is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decided {
    /// What it was.
    pub by: Decider,
    /// Where it is to go; nil where it is left where it is.
    pub route: Option<Route>,
    /// Of each list of the rule, the pattern that matches; nil where it was no rule.
    pub matched: Option<Match>,
    /// The profile that has the rule, or the default route; nil where it was another.
    pub profile: Option<String>,
    /// The file that says so; nil where that is no file.
    pub path: Option<String>,
    /// The line in it, from 1; nil where it is not known.
    pub line: Option<u32>,
    /// Why, in words.
    pub because: String,
}

words! {
    /// What decides where a stream is to go.
    Decider {
        /// `route.stream`: this stream only, for as long as it lives.
        Pin = "pin",
        /// A rule of the user.
        UserRule = "user_rule",
        /// A rule of the profile in force.
        ProfileRule = "profile_rule",
        /// The default route of the profile in force.
        DefaultRoute = "default_route",
        /// Nobody here: it must not be moved.
        NotMovable = "not_movable",
        /// The app, the user or the desktop, in PipeWire itself.
        ChosenElsewhere = "chosen_elsewhere",
        /// Nobody here: it is the output of a filter, and no rule names it.
        Filter = "filter",
    }
}

/// What is done to a stream now. It is done to the whole bus: to all of its streams together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Chain {
    /// The bus that it goes through; nil for a stream that goes through the master alone.
    pub bus: Option<String>,
    /// How many streams play there, this one among them.
    pub streams: u32,
    /// Loudness of the last 3 s of what comes into the bus; nil without a bus.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub input_lufs: Option<f32>,
    /// Loudness of the last 3 s of everything that goes out to the device.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub output_lufs: Option<f32>,
    /// The gain of everything together.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub gain_db: Option<f32>,
    /// The gain of the AGC.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub agc_gain_db: Option<f32>,
    /// What the burst guard takes off.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub guard_reduction_db: Option<f32>,
    /// What the compressor takes off.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub compressor_reduction_db: Option<f32>,
    /// What the compressor gives back to all of it. Optional: absent without a bus.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "finite::serialize",
        deserialize_with = "finite::deserialize"
    )]
    pub compressor_makeup_db: Option<f32>,
    /// What the limiter takes off.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub limiter_reduction_db: Option<f32>,
    /// The latency that Headroom adds.
    pub latency_frames: u32,
    /// The same in time, nil while the rate is not known.
    #[serde(serialize_with = "finite::serialize", deserialize_with = "finite::deserialize")]
    pub latency_ms: Option<f32>,
}
