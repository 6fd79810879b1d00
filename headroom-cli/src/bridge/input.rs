//! Lines of an input that may be slow, torn or endless.

/// A line is at most so long: more than a request of the protocol can be.
pub(super) const MAX_LINE_BYTES: usize = 4 << 20;

/// What was read and not given out.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    /// So much of it has no end of a line in it.
    searched: usize,
    in_overlong: bool,
}

/// A line without its end, or what was too long for one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InputLine {
    Line(Vec<u8>),
    Overlong,
}

impl Input {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let has_end = self.bytes[self.searched..].contains(&b'\n');
        if !has_end && self.bytes.len() > MAX_LINE_BYTES {
            self.in_overlong = true;
            self.bytes.clear();
            self.searched = 0;
        }
    }

    /// The next line; at the end of the input also one that has no end.
    pub(super) fn next(&mut self, is_over: bool) -> Option<InputLine> {
        let end = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n');
        let Some(end) = end.map(|end| end + self.searched) else {
            self.searched = self.bytes.len();
            let is_last = is_over && (self.in_overlong || !self.bytes.is_empty());
            if !is_last {
                return None;
            }
            self.searched = 0;
            let line = std::mem::take(&mut self.bytes);
            return Some(self.given(line));
        };
        let rest = self.bytes.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.bytes, rest);
        line.pop();
        self.searched = 0;
        Some(self.given(line))
    }

    fn given(&mut self, line: Vec<u8>) -> InputLine {
        let is_overlong = std::mem::take(&mut self.in_overlong) || line.len() > MAX_LINE_BYTES;
        if is_overlong { InputLine::Overlong } else { InputLine::Line(line) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_split_gives_the_same_lines_and_the_last_needs_no_end() {
        let text = b"one\n\ntwo\nthree";
        let line = |text: &str| InputLine::Line(text.into());
        for size in 1..=text.len() {
            let mut input = Input::default();
            let mut lines = Vec::new();
            for part in text.chunks(size) {
                input.push(part);
                lines.extend(std::iter::from_fn(|| input.next(false)));
            }
            assert_eq!(lines, [line("one"), line(""), line("two")]);
            assert_eq!(input.next(true), Some(line("three")));
            assert_eq!(input.next(true), None);
        }
    }

    #[test]
    fn a_line_without_end_takes_no_memory_without_end_and_the_next_is_good() {
        let mut input = Input::default();
        for _ in 0..100 {
            input.push(&[b'x'; 100_000]);
            assert!(input.bytes.len() <= MAX_LINE_BYTES + 100_000);
            assert_eq!(input.next(false), None);
        }
        input.push(b"end\ngood\n");
        assert_eq!(input.next(false), Some(InputLine::Overlong));
        assert_eq!(input.next(false), Some(InputLine::Line("good".into())));
    }
}
