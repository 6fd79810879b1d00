//! The last N of something, in an array: no allocation, no shifting.

/// A ring of the last `N` values.
#[derive(Debug)]
pub(super) struct Ring<T, const N: usize> {
    values: [T; N],
    next: usize,
    len: usize,
}

impl<T: Copy + Default, const N: usize> Ring<T, N> {
    pub(super) fn new() -> Self {
        Ring { values: [T::default(); N], next: 0, len: 0 }
    }

    /// Adds a value; the oldest gives way.
    pub(super) fn push(&mut self, value: T) {
        self.values[self.next] = value;
        self.next = (self.next + 1) % N;
        self.len = (self.len + 1).min(N);
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    pub(super) fn clear_if(&mut self, condition: impl FnOnce(&Self) -> bool) {
        if condition(self) {
            self.clear();
        }
    }

    /// Forgets all but the latest `count`.
    pub(super) fn keep_latest(&mut self, count: usize) {
        self.len = self.len.min(count);
    }

    /// All values, in no order that matters.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.latest(self.len)
    }

    /// The latest `count` values (or as many as there are), newest first.
    pub(super) fn latest(&self, count: usize) -> impl Iterator<Item = &T> {
        (1..=count.min(self.len)).map(|back| &self.values[(self.next + N - back) % N])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way() {
        let mut ring = Ring::<u32, 3>::new();
        for value in 1..=5 {
            ring.push(value);
        }
        assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [5, 4, 3]);
        ring.keep_latest(1);
        ring.push(6);
        assert_eq!(ring.latest(9).copied().collect::<Vec<_>>(), [6, 5]);
    }
}
