//! Bodies in a byte stream: a 4-byte big-endian length, then so many bytes.
//!
//! [`Deframer`] is given bytes as they arrive, cut anywhere, and gives whole bodies. It knows
//! nothing of what a body means. Both ends use it.

use std::ops::Range;

/// The longest body, in bytes, that either side sends or takes.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The length in front of every body, in bytes.
pub const PREFIX_BYTES: usize = 4;

/// A buffer that has grown past this is given back once it is empty, so that one long message
/// does not cost its connection memory for ever.
const KEPT_BYTES: usize = 4096;

/// The stream of bytes cannot be cut into bodies any more. Nothing after it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length in front of a body is over the limit.
    #[error(
        "a message of {length_bytes} bytes was announced, but the longest is {max_bytes} \
         (is a 4-byte big-endian length in front of every message?)"
    )]
    TooLong {
        /// The length that was announced.
        length_bytes: u32,
        /// The longest: [`MAX_BODY_BYTES`] in the protocol of the daemon.
        max_bytes: usize,
    },
}

/// Finds the bodies in a stream of bytes.
///
/// ```
/// use headroom_ipc::Deframer;
///
/// let mut deframer = Deframer::new();
/// let mut bodies = Vec::new();
/// for byte in [0, 0, 0, 2, 0x81, 0xa0, 0, 0, 0, 1, 0x80] {
///     assert_eq!(deframer.push(&[byte]), 1);
///     while let Some(body) = deframer.next_body()? {
///         bodies.push(body.to_vec());
///     }
/// }
/// assert_eq!(bodies, [vec![0x81, 0xa0], vec![0x80]]);
/// # Ok::<(), headroom_ipc::FrameError>(())
/// ```
///
/// Memory is bounded: it never holds more than one whole message of the longest kind, sets
/// nothing aside for a length that was only announced, and gives large buffers back.
#[derive(Debug)]
pub struct Deframer {
    max_body_bytes: usize,
    buffer: Vec<u8>,
    /// Where the bytes begin that have not been given out.
    start: usize,
    broken: Option<FrameError>,
}

impl Deframer {
    /// One that has seen nothing.
    #[must_use]
    pub fn new() -> Deframer {
        Deframer::with_max_body_bytes(MAX_BODY_BYTES)
    }

    /// One for a protocol of one's own, whose bodies are so long at most.
    #[must_use]
    pub fn with_max_body_bytes(max_body_bytes: usize) -> Deframer {
        Deframer { max_body_bytes, buffer: Vec::new(), start: 0, broken: None }
    }

    /// Takes the next bytes of the stream, and says how many of them it had room for. After
    /// every body has been taken with [`next_body`](Deframer::next_body) there is room for at
    /// least one more, so a loop over both always ends.
    #[must_use = "the bytes that did not fit must be pushed again"]
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        if self.broken.is_some() {
            return bytes.len();
        }
        self.compact();
        let room = (PREFIX_BYTES + self.max_body_bytes).saturating_sub(self.buffer.len());
        let taken = room.min(bytes.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        taken
    }

    /// The next whole body, or `None` until more bytes have been pushed.
    ///
    /// # Errors
    /// [`FrameError`] once the stream cannot be cut any more, and at every call after that:
    /// say so to the peer and close the connection.
    pub fn next_body(&mut self) -> Result<Option<&[u8]>, FrameError> {
        Ok(self.advance()?.map(|body| &self.buffer[body]))
    }

    /// The bytes that are held and belong to no whole body yet.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len() - self.start
    }

    fn advance(&mut self) -> Result<Option<Range<usize>>, FrameError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let Some((prefix, rest)) = self.buffer[self.start..].split_first_chunk::<PREFIX_BYTES>()
        else {
            return Ok(None);
        };
        let length_bytes = u32::from_be_bytes(*prefix);
        let length = match usize::try_from(length_bytes) {
            Ok(length) if length <= self.max_body_bytes => length,
            _ => {
                let max_bytes = self.max_body_bytes;
                let error = FrameError::TooLong { length_bytes, max_bytes };
                *self =
                    Deframer { broken: Some(error), ..Deframer::with_max_body_bytes(max_bytes) };
                return Err(error);
            }
        };
        if rest.len() < length {
            return Ok(None);
        }
        let begin = self.start + PREFIX_BYTES;
        self.start = begin + length;
        Ok(Some(begin..begin + length))
    }

    /// Moves what is left to the front, when that is cheap or when there is no other room.
    fn compact(&mut self) {
        if self.start == self.buffer.len() {
            self.start = 0;
            if self.buffer.capacity() > KEPT_BYTES {
                self.buffer = Vec::new();
            }
            self.buffer.clear();
        } else if self.start > self.pending_bytes() {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        if self.buffer.len() >= PREFIX_BYTES + self.max_body_bytes {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }
}

impl Default for Deframer {
    fn default() -> Deframer {
        Deframer::new()
    }
}

/// A message with its length in front, made by `write`, which appends the body.
///
/// # Errors
/// [`TooLong`] when the body is over [`MAX_BODY_BYTES`].
pub(crate) fn framed(write: impl FnOnce(&mut Vec<u8>)) -> Result<Vec<u8>, TooLong> {
    let mut message = Vec::with_capacity(128);
    message.extend_from_slice(&[0; PREFIX_BYTES]);
    write(&mut message);
    let length_bytes = message.len() - PREFIX_BYTES;
    match u32::try_from(length_bytes) {
        Ok(length) if length_bytes <= MAX_BODY_BYTES => {
            message[..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
            Ok(message)
        }
        _ => Err(TooLong { length_bytes }),
    }
}

/// A message cannot be sent because its body would be over [`MAX_BODY_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message takes {length_bytes} bytes, but the longest is {MAX_BODY_BYTES}")]
pub struct TooLong {
    /// What it would take.
    pub length_bytes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &[u8]) -> Vec<u8> {
        framed(|out| out.extend_from_slice(body)).unwrap()
    }

    fn bodies(deframer: &mut Deframer, mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, FrameError> {
        let mut bodies = Vec::new();
        while !bytes.is_empty() {
            let taken = deframer.push(bytes);
            bytes = &bytes[taken..];
            while let Some(body) = deframer.next_body()? {
                bodies.push(body.to_vec());
            }
        }
        Ok(bodies)
    }

    #[test]
    fn any_split_in_two_gives_the_same_bodies() {
        let wanted = [vec![1; 3], Vec::new(), vec![2; 300], vec![3]];
        let stream: Vec<u8> = wanted.iter().flat_map(|body| message(body)).collect();
        for cut in 0..=stream.len() {
            let mut deframer = Deframer::new();
            let mut found = bodies(&mut deframer, &stream[..cut]).unwrap();
            found.extend(bodies(&mut deframer, &stream[cut..]).unwrap());
            assert_eq!(found, wanted, "cut at {cut}");
            assert_eq!(deframer.pending_bytes(), 0);
        }
    }

    #[test]
    fn the_longest_body_passes_and_one_byte_more_does_not() {
        let mut deframer = Deframer::new();
        let longest = vec![7; MAX_BODY_BYTES];
        assert_eq!(bodies(&mut deframer, &message(&longest)).unwrap(), [longest]);
        let length_bytes = MAX_BODY_BYTES as u32 + 1;
        let refused = bodies(&mut deframer, &length_bytes.to_be_bytes());
        assert_eq!(refused, Err(FrameError::TooLong { length_bytes, max_bytes: MAX_BODY_BYTES }));
        assert!(framed(|out| out.resize(out.len() + MAX_BODY_BYTES + 1, 0)).is_err());
    }

    #[test]
    fn another_protocol_has_another_limit() {
        for limit in [0, 10, 2 * MAX_BODY_BYTES] {
            let mut deframer = Deframer::with_max_body_bytes(limit);
            let longest = [&(limit as u32).to_be_bytes()[..], &vec![7; limit]].concat();
            assert_eq!(bodies(&mut deframer, &longest).unwrap(), [vec![7; limit]]);
            let length_bytes = limit as u32 + 1;
            let refused = bodies(&mut deframer, &length_bytes.to_be_bytes());
            assert_eq!(refused, Err(FrameError::TooLong { length_bytes, max_bytes: limit }));
        }
    }

    #[test]
    fn an_announced_length_sets_nothing_aside() {
        let mut deframer = Deframer::new();
        bodies(&mut deframer, &(MAX_BODY_BYTES as u32).to_be_bytes()).unwrap();
        assert!(deframer.buffer.capacity() < 64);
    }

    #[test]
    fn after_a_length_of_4_gib_everything_is_refused() {
        let mut deframer = Deframer::new();
        let error = bodies(&mut deframer, &[0xff; 4]).unwrap_err();
        assert_eq!(bodies(&mut deframer, &message(b"x")), Err(error));
        assert_eq!(deframer.pending_bytes(), 0);
    }

    #[test]
    fn a_long_message_leaves_no_large_buffer_behind() {
        let mut deframer = Deframer::new();
        bodies(&mut deframer, &message(&vec![0; 100_000])).unwrap();
        bodies(&mut deframer, &message(&[0])).unwrap();
        assert!(deframer.buffer.capacity() <= KEPT_BYTES, "{}", deframer.buffer.capacity());
    }

    #[test]
    fn it_holds_no_more_than_one_longest_message_and_never_stalls() {
        let mut deframer = Deframer::new();
        let stream: Vec<u8> =
            [message(&[1; 10]), message(&vec![2; MAX_BODY_BYTES]), message(&[3])].concat();
        let mut rest = &stream[..];
        let mut lengths = Vec::new();
        while !rest.is_empty() {
            // A reader that pushes all it can before it takes one body.
            let taken = deframer.push(rest);
            assert!(deframer.buffer.len() <= PREFIX_BYTES + MAX_BODY_BYTES);
            rest = &rest[taken..];
            let body = deframer.next_body().unwrap().map(<[u8]>::len);
            assert!(taken > 0 || body.is_some(), "stalled");
            lengths.extend(body);
        }
        while let Some(body) = deframer.next_body().unwrap() {
            lengths.push(body.len());
        }
        assert_eq!(lengths, [10, MAX_BODY_BYTES, 1]);
    }
}
