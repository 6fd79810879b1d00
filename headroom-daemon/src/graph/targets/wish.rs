//! Where the user wants a stream, whatever we do with it.
//!
//! WirePlumber remembers on disk where a stream was put, by the serial in `target.object` or the id
//! in `target.node`, whichever was written last, and under a key that streams of one app share; and
//! it forgets that when a name is written there, as we do, or nothing. So behind each name we write
//! the id of the sink that the user wants under the other key, where it moves nothing. What cannot
//! be kept so, because that sink is away, is kept in the journal.

use super::Targets;
use super::target::Target;
use crate::graph::model::Model;

/// Who remembers what the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph) enum By {
    /// We alone: nobody else will say it.
    Us,
    /// WirePlumber, which says it by itself, unless we make it forget before it has.
    WirePlumber,
}

/// The sink that the user wants, for as long as it may be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::graph) struct Wish {
    /// What WirePlumber remembers the stream under.
    pub(in crate::graph) key: String,
    /// The name of the sink.
    pub(in crate::graph) sink: String,
}

/// What is remembered of a stream that has just come, and by whom. What WirePlumber has `stored` is
/// the newer: nothing is `noted` by us and stored too, but while we hold a stream or after a crash.
pub(in crate::graph) fn known_wish<'s>(
    noted: Option<&'s str>,
    stored: Option<&'s str>,
) -> Option<(&'s str, By)> {
    match (noted, stored) {
        // It may have forgotten it just now, and has that not on disk yet.
        (Some(noted), Some(stored)) if noted == stored => Some((noted, By::Us)),
        (_, Some(stored)) => Some((stored, By::WirePlumber)),
        (Some(noted), None) => Some((noted, By::Us)),
        (None, None) => None,
    }
}

impl Targets {
    /// The sink that the user wanted the last stream of this key at, in this session.
    pub(in crate::graph) fn last_wish(&self, key: &str) -> Option<&str> {
        self.gone.get(key).map(String::as_str)
    }

    /// Whether WirePlumber remembers what the user wants of this stream, if it should go now.
    pub(in crate::graph) fn has_kept(&self, id: u32, model: &Model) -> bool {
        self.streams.get(&id).is_some_and(|target| target.has_kept(model))
    }

    /// What the user wants of a stream that is not known to be remembered elsewhere.
    pub(in crate::graph) fn wish(&self, id: u32) -> Option<Wish> {
        let target = self.streams.get(&id)?;
        Some(Wish { key: target.key()?.to_owned(), sink: target.wished_sink()?.to_owned() })
    }

    /// Somebody remembers that the user wants this stream at that sink, and says nothing of it in
    /// the metadata.
    pub(in crate::graph) fn remember(&mut self, id: u32, sink: &str, by: By) {
        if let Some(target) = self.streams.get_mut(&id) {
            target.remember(sink, by);
        }
    }

    /// Whether a stream has just come and nobody has said yet where it is to go.
    pub(in crate::graph) fn has_just_come(&self, id: u32) -> bool {
        self.streams.get(&id).is_some_and(Target::has_just_come)
    }

    /// Whether what the user wants of this stream is remembered by WirePlumber, or will be, and no
    /// write of ours can make it forget that.
    pub(in crate::graph) fn is_safe(&self, wish: &Wish, model: &Model) -> bool {
        let mut streams = self.streams.values();
        let is_at_risk = |target: &Target| target.key() == Some(&wish.key) && target.is_at_risk();
        !streams.any(is_at_risk) && model.sink_named(&wish.sink).is_some()
    }

    /// The id of the sink that the user wants other streams of this key at.
    pub(super) fn wish_of_others(&self, id: u32, key: Option<&str>, model: &Model) -> Option<u32> {
        let key = key?;
        let mut others = self.streams.iter().filter(|(other, _)| **other != id);
        others.find_map(|(_, other)| {
            let sink = other.wished_sink().filter(|_| other.key() == Some(key))?;
            model.sink_named(sink)
        })
    }
}
