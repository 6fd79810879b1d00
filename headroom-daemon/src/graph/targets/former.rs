//! What stands in the metadata about a stream that we send elsewhere, for whoever of us comes next:
//! what others had said of it before, and what we have written, so that what others write after a
//! crash is told from it.

use serde::{Deserialize, Serialize};

use crate::graph::said::Wanted;

/// The longest that is read. What we write is shorter: two values of others and two of ours.
const MOST_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Former {
    /// What others had written under `target.object`.
    pub(super) object: Option<String>,
    /// What others had written under `target.node`.
    pub(super) node: Option<String>,
    /// What we have written under `target.object`.
    #[serde(default)]
    pub(super) ours: Option<String>,
    /// What we have written under `target.node`.
    #[serde(default)]
    pub(super) shadow: Option<String>,
}

impl Former {
    pub(super) fn of(theirs: &Wanted, ours: &str, shadow: Option<&str>) -> Former {
        Former {
            object: theirs.object.clone(),
            node: theirs.node.clone(),
            ours: Some(ours.to_owned()),
            shadow: shadow.map(str::to_owned),
        }
    }

    pub(super) fn to_value(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whatever it says: what cannot be read says nothing.
    pub(super) fn from_value(value: &str) -> Former {
        if value.len() > MOST_BYTES {
            return Former::default();
        }
        serde_json::from_str(value).unwrap_or_default()
    }
}
