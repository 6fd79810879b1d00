//! The last values of a stream in one straight slice, so that loops over it vectorise.
//!
//! Used for the samples of a channel and for the running sums of a smoother. Values are
//! appended; when the room is used up, those that are still needed move to the front.

use super::points::{CHUNK_FRAMES, SLACK_FRAMES};

/// Moves to the front happen once in this many chunks at the most.
const CHUNKS_BETWEEN_MOVES: usize = 8;

/// Appended values of which the last `keep` stay readable.
#[derive(Debug, Clone)]
pub(crate) struct History<T> {
    values: Vec<T>,
    keep: usize,
    end: usize,
}

impl<T: Copy + Default> History<T> {
    /// Room for any `keep` up to `most_kept`. Allocates.
    pub(crate) fn prepare(most_kept: usize) -> History<T> {
        let room = most_kept + CHUNKS_BETWEEN_MOVES * CHUNK_FRAMES + SLACK_FRAMES;
        History { values: vec![T::default(); room], keep: 0, end: 0 }
    }

    /// Forgets everything: the last `keep` values are now the default.
    pub(crate) fn restart(&mut self, keep: usize) {
        self.keep = keep;
        self.end = keep;
        // What lies behind the end is read by whole tiles of lanes, so it must be sane too.
        self.values.fill(T::default());
    }

    /// The last `keep` values, whatever they are, are to be written by the caller.
    pub(crate) fn refill(&mut self, keep: usize) -> &mut [T] {
        self.keep = keep;
        self.end = keep;
        &mut self.values[..keep]
    }

    /// Appends `count` values, at most a chunk, for the caller to write.
    pub(crate) fn append(&mut self, count: usize) -> &mut [T] {
        if self.end + count + SLACK_FRAMES > self.values.len().min(self.span()) {
            self.values.copy_within(self.end - self.keep..self.end, 0);
            self.end = self.keep;
        }
        let start = self.end;
        self.end += count;
        &mut self.values[start..start + count]
    }

    /// How much of the room is in use: at low rates a part of it, so that little memory is
    /// touched.
    fn span(&self) -> usize {
        self.keep + CHUNKS_BETWEEN_MOVES * CHUNK_FRAMES + SLACK_FRAMES
    }

    /// Everything, for reading backwards from [`History::end`].
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }

    /// One past the newest value.
    pub(crate) fn end(&self) -> usize {
        self.end
    }
}
