//! How far a reader has come, in a file of its own that outlives it.
//!
//! The readers keep it; a writer looks at all of them when it rotates. It is replaced whole, so
//! that whoever reads it sees one state or the other.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::layout::{Layout, open_private};
use super::{ChannelError, MAX_AHEAD};

/// Every message up to `seq` is behind the reader, and those of `ahead` are too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) seq: u64,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    ahead: BTreeSet<u64>,
}

impl Cursor {
    /// The cursor of a reader; none of one that has not read yet.
    pub(super) fn load(path: &Path) -> Result<Option<Cursor>, ChannelError> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(ChannelError::io("reading", path))?,
        };
        match serde_json::from_str(&text) {
            Ok(cursor) => Ok(Some(cursor)),
            Err(error) => {
                Err(ChannelError::Cursor { path: path.to_owned(), why: error.to_string() })
            }
        }
    }

    pub(super) fn save(&self, layout: &Layout, reader: &str) -> Result<(), ChannelError> {
        let path = layout.cursor(reader);
        let unfinished = path.with_extension("new");
        let mut text = serde_json::to_vec(self).map_err(ChannelError::Payload)?;
        text.push(b'\n');
        open_private(&unfinished, OpenOptions::new().write(true).create(true).truncate(true))
            .and_then(|mut file| file.write_all(&text))
            .map_err(ChannelError::io("writing", &unfinished))?;
        fs::rename(&unfinished, &path).map_err(ChannelError::io("writing", &path))
    }

    /// The first message that is not behind it.
    pub(super) fn next_seq(&self) -> u64 {
        self.seq.saturating_add(1)
    }

    pub(super) fn has_passed(&self, seq: u64) -> bool {
        seq <= self.seq || self.ahead.contains(&seq)
    }

    /// How many of these it has not passed.
    pub(super) fn unread_in(&self, first_seq: u64, last_seq: u64) -> u64 {
        let first_seq = first_seq.max(self.next_seq());
        if last_seq < first_seq {
            return 0;
        }
        let ahead = self.ahead.range(first_seq..=last_seq).count() as u64;
        last_seq - first_seq + 1 - ahead
    }

    /// Passes everything up to this one.
    pub(super) fn pass_to(&mut self, seq: u64) {
        self.seq = self.seq.max(seq);
        self.ahead = self.ahead.split_off(&self.next_seq());
        while self.ahead.remove(&self.next_seq()) {
            self.seq += 1;
        }
    }

    /// Passes this one, and none of those in front of it.
    pub(super) fn pass_only(&mut self, seq: u64) -> Result<(), ChannelError> {
        if seq == self.next_seq() {
            self.pass_to(seq);
        } else if seq > self.seq {
            if self.ahead.len() >= MAX_AHEAD {
                return Err(ChannelError::TooFarAhead);
            }
            self.ahead.insert(seq);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_of_order_is_passed_and_what_is_in_front_is_not() {
        let mut cursor = Cursor::default();
        cursor.pass_only(3).unwrap();
        cursor.pass_only(5).unwrap();
        let passed: Vec<u64> = (1..=6).filter(|seq| cursor.has_passed(*seq)).collect();
        assert_eq!(passed, [3, 5]);
        assert_eq!((cursor.unread_in(1, 6), cursor.unread_in(3, 3)), (4, 0));
        cursor.pass_to(2);
        assert_eq!(cursor, Cursor { seq: 3, ahead: BTreeSet::from([5]) });
        cursor.pass_only(4).unwrap();
        assert_eq!(cursor, Cursor { seq: 5, ahead: BTreeSet::new() });
        assert_eq!(cursor.unread_in(1, 4), 0);
    }

    #[test]
    fn so_many_can_be_ahead_and_no_more() {
        let mut cursor = Cursor::default();
        for n in 0..MAX_AHEAD as u64 {
            cursor.pass_only(2 + n).unwrap();
        }
        assert!(matches!(cursor.pass_only(1_000_000), Err(ChannelError::TooFarAhead)));
        cursor.pass_to(1);
        assert_eq!(cursor.seq, 1 + MAX_AHEAD as u64);
    }
}
