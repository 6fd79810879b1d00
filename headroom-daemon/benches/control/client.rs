//! A client that does nothing but write and read frames.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use headroom_ipc::{Call, PREFIX_BYTES, encode_request};

pub(crate) struct Client {
    pub(crate) stream: UnixStream,
    buffer: Vec<u8>,
    held: usize,
}

impl Client {
    pub(crate) fn connect(path: &Path) -> Client {
        let stream = UnixStream::connect(path).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
        Client { stream, buffer: vec![0; 1 << 16], held: 0 }
    }

    /// Reads one frame; what came behind it stays.
    pub(crate) fn frame(&mut self) -> usize {
        loop {
            if let Some(length) = self.whole() {
                self.buffer.copy_within(length..self.held, 0);
                self.held -= length;
                return length;
            }
            self.read();
        }
    }

    /// Reads until so many bytes of frames have come.
    pub(crate) fn frames(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let mut start = 0;
            while let Some(length) = whole(&self.buffer[start..self.held]) {
                start += length;
                left -= 1;
            }
            self.buffer.copy_within(start..self.held, 0);
            self.held -= start;
            if left > 0 {
                self.read();
            }
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("written");
    }

    pub(crate) fn call(&mut self, call: &impl Call) {
        self.write(&encode_request(1, call).expect("short"));
        self.frame();
    }

    /// One request and its answer, in seconds.
    pub(crate) fn round_trip(&mut self, request: &[u8]) -> f64 {
        let begun = Instant::now();
        self.write(request);
        self.frame();
        begun.elapsed().as_secs_f64()
    }

    fn whole(&self) -> Option<usize> {
        whole(&self.buffer[..self.held])
    }

    fn read(&mut self) {
        let read = self.stream.read(&mut self.buffer[self.held..]).expect("it answers");
        assert!(read > 0, "the connection has ended");
        self.held += read;
    }
}

fn whole(bytes: &[u8]) -> Option<usize> {
    let prefix: [u8; PREFIX_BYTES] = bytes.get(..PREFIX_BYTES)?.try_into().ok()?;
    let length = PREFIX_BYTES + u32::from_be_bytes(prefix) as usize;
    (bytes.len() >= length).then_some(length)
}
