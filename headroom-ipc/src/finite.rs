//! Measured numbers on the wire: finite, or nil.
//!
//! Silence is minus infinity dB, and what a meter has not heard yet is no number at all. Both
//! are nil on the wire and `None` here, in both directions, so that no peer ever has to deal
//! with an infinity. Used as `serialize_with` and `deserialize_with` on `Option<f32>` (with `with`, schemars would look for a type).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(value: &Option<f32>, to: S) -> Result<S::Ok, S::Error> {
    value.filter(|number| number.is_finite()).serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f32>, D::Error> {
    Ok(Option::<f32>::deserialize(from)?.filter(|number| number.is_finite()))
}

/// The same for a list, such as the volumes of channels.
pub(crate) mod list {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(list: &[Option<f32>], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(list.iter().map(|value| value.filter(|number| number.is_finite())))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Option<f32>>, D::Error> {
        let list = Vec::<Option<f32>>::deserialize(from)?;
        Ok(list.into_iter().map(|value| value.filter(|number| number.is_finite())).collect())
    }
}
