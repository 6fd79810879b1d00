//! Words on the wire that are one of a known set.
//!
//! Each is an enum whose variants are the words. Reading is tolerant: a word that this version
//! does not know becomes `Unknown`, so that a newer daemon breaks no client. What a daemon is
//! sent is checked by `request`, which refuses such a word and names the known ones.

macro_rules! words {
    (
        $(#[doc = $about:literal])*
        $name:ident { $( $(#[$doc:meta])* $variant:ident = $word:literal, )+ }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$doc])* $variant, )+
            /// A word that this version does not know. Only ever read, never sent.
            Unknown,
        }

        impl $name {
            /// Every one that this version knows.
            pub const ALL: &[$name] = &[ $( $name::$variant, )+ ];

            /// Their words, in the same order.
            pub const WORDS: &[&str] = &[ $( $word, )+ ];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( $name::$variant => $word, )+
                    $name::Unknown => "unknown",
                }
            }

            /// The one with this word, or `Unknown`.
            #[must_use]
            pub fn from_word(word: &str) -> $name {
                match word {
                    $( $word => $name::$variant, )+
                    _ => $name::Unknown,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                $crate::word::read(from, $name::from_word)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            /// What a daemon takes is one of these; what it sends may one day be another.
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let about = concat!($($about),*).trim();
                if generator.contract().is_deserialize() {
                    return schemars::json_schema!({
                        "type": "string",
                        "description": about,
                        "enum": $name::WORDS,
                    });
                }
                schemars::json_schema!({
                    "type": "string",
                    "description": about,
                    "anyOf": [
                        { "enum": $name::WORDS },
                        { "description": "later daemons may send other words" },
                    ],
                })
            }
        }
    };
}

pub(crate) use words;

/// Reads a text and finds its word without keeping the text.
pub(crate) fn read<'de, D: serde::Deserializer<'de>, W>(
    from: D,
    find: fn(&str) -> W,
) -> Result<W, D::Error> {
    struct Visitor<W>(fn(&str) -> W);

    impl<W> serde::de::Visitor<'_> for Visitor<W> {
        type Value = W;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a word")
        }

        fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<W, E> {
            Ok((self.0)(word))
        }
    }

    from.deserialize_str(Visitor(find))
}

/// The known word that is spelt most like the one given, if any is near: a slip of the finger
/// away (letters left out, added, changed or swapped), or with the same beginning.
pub(crate) fn nearest<'w>(given: &str, known: &[&'w str]) -> Option<&'w str> {
    const ALIKE: f64 = 0.85;
    // A longer text is no slip of the finger, and comparing it would take long.
    const LONGEST: usize = 64;
    if given.len() > LONGEST {
        return None;
    }
    let given = given.to_ascii_lowercase();
    known
        .iter()
        .filter_map(|word| {
            // A capital letter is no slip: apps are called as they like.
            let spelt = word.to_ascii_lowercase();
            let slips = strsim::osa_distance(&given, &spelt);
            let alike = strsim::jaro_winkler(&given, &spelt);
            let is_near = slips <= (word.len() / 3).max(1) || alike >= ALIKE;
            is_near.then_some((slips, alike, *word))
        })
        .min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)))
        .map(|(_, _, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_a_slip_or_a_beginning_away() {
        let known = ["bypass.set", "setting.get", "setting.set", "key", "Web Radio"];
        for (given, near) in [
            ("kye", Some("key")),
            ("web rdaoi", Some("Web Radio")),
            ("Bypass.Set", Some("bypass.set")),
            ("bypass", Some("bypass.set")),
            ("seting.gett", Some("setting.get")),
            ("frobnicate", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, &known), near, "{given:?}");
        }
        assert_eq!(nearest(&"key".repeat(40), &known), None);
    }
}
