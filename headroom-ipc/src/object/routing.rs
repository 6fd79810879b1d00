//! Topic `routing`: the apps' streams, and the rules that pick a route for them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::finite::list;
use crate::word::words;

/// Rules and streams: the state of topic `routing`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Routing {
    /// What picks a route.
    pub rules: Rules,
    /// Every stream that there is, the oldest first.
    pub streams: Vec<Stream>,
}

/// What picks a route for a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rules {
    /// The first that matches counts; those of the user come before those of the profile.
    pub rules: Vec<Rule>,
    /// Where a stream goes that no rule matches.
    pub default_route: Route,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rule {
    /// Which streams it is about. No two rules of one origin have the same.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Where they go.
    pub route: Route,
    /// Who made it.
    pub origin: RuleOrigin,
}

words! {
    /// Who made a rule.
    RuleOrigin {
        /// The user, with `route.set`. Kept over a profile switch.
        User = "user",
        /// The profile in force.
        Profile = "profile",
    }
}

/// What a stream must say of itself for a rule to match: one of the patterns of every list that
/// is not empty. A pattern is exact, or a glob where it holds `*` or `?`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Match {
    /// The program's file name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub process_binary: Vec<String>,
    /// What the app calls itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub application_name: Vec<String>,
    /// The sandbox's name for the app.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub portal_app_id: Vec<String>,
    /// What the sound is for, such as `Music` or `Communication`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media_role: Vec<String>,
}

impl Match {
    /// Whether no list has a pattern, so that nothing can match.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.process_binary.is_empty()
            && self.application_name.is_empty()
            && self.portal_app_id.is_empty()
            && self.media_role.is_empty()
    }
}

/// Where a stream goes. On the wire it is a word: one of the three, or the name of a bus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Route {
    /// Through the main bus and the master: levelled and limited.
    #[default]
    Processed,
    /// Through the master only: the ceiling, but no levelling.
    Protected,
    /// Straight to the device, untouched.
    Bypass,
    /// Through the bus of this name.
    Bus(String),
}

/// A word that no route can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a route is \"processed\", \"protected\", \"bypass\" or the name of a bus: \
     1 to 64 of a-z, 0-9, - and _"
)]
pub struct InvalidRoute;

impl Route {
    /// The routes that always exist.
    pub const WORDS: &[&str] = &["processed", "protected", "bypass"];

    /// The longest name of a bus.
    pub const MAX_NAME_BYTES: usize = 64;

    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Route::Processed => "processed",
            Route::Protected => "protected",
            Route::Bypass => "bypass",
            Route::Bus(name) => name,
        }
    }

    /// The route that a word means. Whether there is such a bus is for the daemon to say.
    ///
    /// # Errors
    /// [`InvalidRoute`] for what cannot even be the name of a bus.
    pub fn from_word(word: &str) -> Result<Route, InvalidRoute> {
        let fits = |letter: u8| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"-_".contains(&letter)
        };
        match word {
            "processed" => Ok(Route::Processed),
            "protected" => Ok(Route::Protected),
            "bypass" => Ok(Route::Bypass),
            name if (1..=Route::MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(fits) => {
                Ok(Route::Bus(name.to_owned()))
            }
            _ => Err(InvalidRoute),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Route {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// Tolerant: a client takes any name that a daemon gives.
impl<'de> Deserialize<'de> for Route {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Route, D::Error> {
        crate::word::read(from, |word| {
            Route::from_word(word).unwrap_or_else(|InvalidRoute| Route::Bus(word.to_owned()))
        })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Route {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Route".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Where a stream goes.",
            "type": "string",
            "anyOf": [
                { "enum": Route::WORDS },
                { "description": "the name of a bus", "pattern": "^[a-z0-9_-]{1,64}$" },
            ],
        })
    }
}

/// One app's playback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stream {
    /// Its number, PipeWire's `object.serial`: never given to another while PipeWire runs.
    pub id: u64,
    /// What to call it: the app's name, or the best that there is.
    pub app: String,
    /// What it plays, if it says so.
    pub media_name: Option<String>,
    /// The program's file name.
    pub process_binary: Option<String>,
    /// What the app calls itself.
    pub application_name: Option<String>,
    /// The sandbox's name for the app.
    pub portal_app_id: Option<String>,
    /// What the sound is for.
    pub media_role: Option<String>,
    /// The app's process.
    pub pid: Option<u32>,
    /// Where it is to go.
    pub route: Route,
    /// What has picked that route.
    pub routed_by: RoutedBy,
    /// The bus that it is linked through now, nil while it goes through none.
    pub bus: Option<String>,
    /// The name of the sink that it is linked to now, nil while it is linked to none.
    pub sink: Option<String>,
    /// Whether something else keeps moving it away from its route.
    pub contested: bool,
    /// Whether sound flows.
    pub playing: bool,
    /// How many channels it has, nil until that is known.
    pub channels: Option<u32>,
    /// The rule that has picked the route. Optional: absent where none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RulePlace>,
    /// Who moves it away from its route. Optional: absent while it is not contested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contest: Option<Contest>,
    /// The app's own volume of each channel; nil for a silent channel. Optional: absent where it
    /// is not known.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "list::serialize",
        deserialize_with = "list::deserialize"
    )]
    pub volume_db: Vec<Option<f32>>,
    /// Whether the app is muted. Optional: absent where it is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
    /// Its channels are folded into fewer. Optional: absent where each of them is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folded: Option<Fold>,
    /// What becomes of the app's own volume. Optional: absent while it does not play on a bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_volume: Option<OwnVolume>,
}

/// Channels that are folded into fewer, because the sink has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fold {
    /// How many channels the stream has.
    pub from: u32,
    /// How many channels are left of them.
    pub to: u32,
}

/// Which of the rules it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RulePlace {
    /// Whose rule it is.
    pub origin: RuleOrigin,
    /// Its number among the rules of that origin as `route.list` has them, from 1.
    pub number: u32,
}

/// Who keeps moving a stream away from its route, as far as PipeWire lets it be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Contest {
    /// In which way it is moved.
    pub by: ContestedBy,
    /// The name of the program that does it, nil where PipeWire does not tell.
    pub who: Option<String>,
    /// The sink that it is moved to, nil where that is not known.
    pub to: Option<String>,
}

words! {
    /// What has picked the route of a stream.
    RoutedBy {
        /// A rule.
        Rule = "rule",
        /// No rule matched.
        DefaultRoute = "default_route",
        /// `route.stream`: this stream only, for as long as it lives.
        Pin = "pin",
        /// The app, the user or the desktop, in PipeWire itself.
        Graph = "graph",
    }
}

words! {
    /// In which way a stream is moved away from its route.
    ContestedBy {
        /// The app itself asks for another sink.
        App = "app",
        /// Somebody writes another target into PipeWire's metadata: a mixer, or another program
        /// that moves streams. PipeWire does not say who.
        Metadata = "metadata",
        /// It is linked to another sink than the one that it is told.
        Links = "links",
    }
}

words! {
    /// What becomes of the app's own volume on a bus.
    OwnVolume {
        /// It is taken off before the bus levels the stream, and put back behind: what the app is
        /// set to is what is heard.
        Kept = "kept",
        /// Several streams play on the bus, which levels their sum: their volumes hold between
        /// them, and the bus makes up for some of what they have in common.
        Approximate = "approximate",
    }
}

/// A stream has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StreamRemoved {
    /// Its number.
    pub id: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_one_of_three_words_or_the_name_of_a_bus() {
        for word in Route::WORDS {
            let route = Route::from_word(word).unwrap();
            assert_eq!(route.as_str(), *word);
            assert!(!matches!(route, Route::Bus(_)));
        }
        assert_eq!(Route::from_word("voice-2"), Ok(Route::Bus("voice-2".into())));
        for word in ["", "Voice", "a b", "ü", &"x".repeat(65)] {
            assert_eq!(Route::from_word(word), Err(InvalidRoute), "{word:?}");
        }
    }
}
