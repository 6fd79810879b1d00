//! What the metadata says of one stream under one key, and what we have written there.
//!
//! What we write comes back like what others write, and in the order in which WirePlumber has taken
//! it; so what has not come back yet will come after all that is heard until then.

use super::Writes;

/// The most writes of ours under one key that have not come back yet.
const MOST_PENDING: usize = 8;

/// What the metadata says under one key.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// As it was last heard.
    value: Option<String>,
    /// What we have written and not heard yet, the oldest first.
    pending: Vec<Option<String>>,
}

impl Entry {
    /// Takes what is heard. Gives whether it is an own word that comes back.
    pub(super) fn takes(&mut self, value: Option<&str>) -> bool {
        self.value = value.map(str::to_owned);
        let own = self.pending.iter().position(|written| written.as_deref() == value);
        if let Some(own) = own {
            self.pending.drain(..=own);
        }
        own.is_some()
    }

    /// As it was last heard.
    pub(super) fn value(&self) -> &Option<String> {
        &self.value
    }

    /// What it will say once all of ours has come.
    pub(super) fn in_force(&self) -> Option<&str> {
        self.pending.last().unwrap_or(&self.value).as_deref()
    }

    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether so much has not come back that nobody seems to take it.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() >= MOST_PENDING
    }

    /// Writes a value that it has not, as what is written twice is not heard by anybody.
    pub(super) fn write(&mut self, key: &'static str, value: Option<&str>, writes: &mut Writes) {
        if self.in_force() != value {
            self.push(key, value, writes);
        }
    }

    /// Writes a value so that it is heard even if it is there, be it that somebody else is just
    /// writing the same.
    pub(super) fn write_anew(&mut self, key: &'static str, value: &str, writes: &mut Writes) {
        self.push(key, None, writes);
        self.push(key, Some(value), writes);
    }

    fn push(&mut self, key: &'static str, value: Option<&str>, writes: &mut Writes) {
        if self.pending.len() >= MOST_PENDING {
            self.pending.remove(0);
        }
        self.pending.push(value.map(str::to_owned));
        writes.push((key, value.map(str::to_owned)));
    }
}
