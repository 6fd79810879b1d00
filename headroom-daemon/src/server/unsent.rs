//! Frames on their way into a socket: the one that is partly written, and a few behind it.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use headroom_ipc::ServerFrame;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, UnixAddr, send, sendmsg};

/// Frames that go out in one system call. They count as taken by the socket: beside them the
/// queue has all its places.
const AT_ONCE: usize = 16;

/// Whether a write may sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// It sleeps until the peer has made room, at most as long as the socket's timeout.
    Waits,
    /// It takes what fits and comes back.
    TakesWhatFits,
}

/// Frames that the socket has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    frames: VecDeque<ServerFrame>,
    /// How much of the first is out.
    sent_bytes: usize,
}

impl Unsent {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Takes frames as long as there is room. Says whether it has taken any.
    pub(super) fn fill(&mut self, mut next: impl FnMut() -> Option<ServerFrame>) -> bool {
        let before = self.frames.len();
        while self.frames.len() < AT_ONCE {
            match next() {
                Some(frame) => self.frames.push_back(frame),
                None => break,
            }
        }
        self.frames.len() > before
    }

    /// One write of what is here. Gives whether all of it is out.
    ///
    /// # Errors
    /// `WouldBlock` where nothing fits now, or nothing did for as long as it may wait; every
    /// other error is the end of the connection.
    pub(super) fn write(&mut self, stream: &UnixStream, patience: Patience) -> io::Result<bool> {
        let flags = MsgFlags::MSG_NOSIGNAL
            | match patience {
                Patience::Waits => MsgFlags::empty(),
                Patience::TakesWhatFits => MsgFlags::MSG_DONTWAIT,
            };
        let total: usize = self.left().map(<[u8]>::len).sum();
        if total == 0 {
            self.frames.clear();
            return Ok(true);
        }
        let taken = loop {
            match self.send(stream, flags) {
                Err(Errno::EINTR) => {}
                result => break result?,
            }
        };
        self.advance(taken);
        if patience == Patience::Waits && taken < total {
            // A write that may sleep comes back early when its time is up, and when the peer has
            // gone. Which of the two is told by the next one.
            return self.write(stream, Patience::TakesWhatFits);
        }
        Ok(taken == total)
    }

    fn send(&self, stream: &UnixStream, flags: MsgFlags) -> nix::Result<usize> {
        let fd = stream.as_raw_fd();
        let mut left = self.left();
        if self.frames.len() == 1 {
            return send(fd, left.next().unwrap_or_default(), flags);
        }
        let parts: [IoSlice<'_>; AT_ONCE] =
            std::array::from_fn(|_| IoSlice::new(left.next().unwrap_or_default()));
        sendmsg::<UnixAddr>(fd, &parts[..self.frames.len()], &[], flags, None)
    }

    /// What of each frame is not out.
    fn left(&self) -> impl Iterator<Item = &[u8]> {
        let mut skip = self.sent_bytes;
        self.frames
            .iter()
            .map(move |frame| frame.bytes().get(std::mem::take(&mut skip)..).unwrap_or_default())
    }

    fn advance(&mut self, mut taken: usize) {
        while let Some(first) = self.frames.front() {
            let left = first.bytes().len() - self.sent_bytes;
            if taken < left {
                self.sent_bytes += taken;
                return;
            }
            taken -= left;
            self.sent_bytes = 0;
            self.frames.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::time::Duration;

    fn frame(fill: &str, bytes: usize) -> ServerFrame {
        ServerFrame::reply(Some(1), &fill.repeat(bytes))
    }

    #[test]
    fn whatever_the_socket_takes_at_a_time_every_byte_goes_out_once_and_in_order() {
        let (near, mut far) = UnixStream::pair().expect("a pair");
        let frames: Vec<ServerFrame> =
            (0..40).map(|n| frame(&n.to_string(), n * 997 + 1)).collect();
        let wanted: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes().to_vec()).collect();
        let mut source = frames.into_iter();
        let mut unsent = Unsent::default();
        let mut got = Vec::new();
        let mut part = vec![0; 7_919];
        far.set_nonblocking(true).expect("set");
        while got.len() < wanted.len() {
            unsent.fill(|| source.next());
            match unsent.write(&near, Patience::TakesWhatFits) {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            if let Ok(n) = far.read(&mut part) {
                got.extend_from_slice(&part[..n]);
            }
        }
        assert!(got == wanted, "the bytes differ");
        assert!(unsent.is_empty());
    }

    #[test]
    fn a_peer_that_takes_nothing_ends_the_wait() {
        let (near, _far) = UnixStream::pair().expect("a pair");
        near.set_write_timeout(Some(Duration::from_millis(50))).expect("set");
        let mut unsent = Unsent::default();
        unsent.fill({
            let mut left = 10;
            move || {
                left -= 1;
                (left > 0).then(|| frame("x", 100_000))
            }
        });
        // The first write fills the socket and then waits in vain.
        let error = unsent.write(&near, Patience::Waits).expect_err("stalled");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_peer_that_goes_in_the_midst_of_a_write_is_not_taken_for_one_that_stalls() {
        let (near, far) = UnixStream::pair().expect("a pair");
        near.set_write_timeout(Some(Duration::from_secs(60))).expect("set");
        let mut unsent = Unsent::default();
        unsent.fill({
            let mut frame = Some(frame("x", 900_000));
            move || frame.take()
        });
        let writing = std::thread::Builder::new()
            .spawn(move || unsent.write(&near, Patience::Waits).map(drop))
            .expect("a thread");
        let mut far = far;
        far.read_exact(&mut [0; 1_000]).expect("it has begun");
        drop(far);
        let error = writing.join().expect("no panic").expect_err("the peer has gone");
        assert_ne!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
