//! A scripted daemon: it says what a test tells it to, and reads what it is told to read.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::JoinHandle;
use std::time::Duration;

use headroom_client::{Address, Client};
use headroom_ipc::*;

/// What takes longer than this hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Peer {
    pub(crate) stream: UnixStream,
    deframer: Deframer,
}

pub(crate) fn hello(run_id: &str) -> Hello {
    Hello {
        daemon: "headroomd".into(),
        version: "0.1.0".into(),
        protocol: PROTOCOL,
        run_id: run_id.into(),
        pid: 4121,
        limits: Limits {
            max_body_bytes: 1 << 20,
            max_connections: 256,
            queue_messages: 64,
            queue_meters: 47,
            stalled_after_ms: 30_000,
        },
    }
}

impl Peer {
    pub(crate) fn new(stream: UnixStream) -> Peer {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Peer { stream, deframer: Deframer::new() }
    }

    /// A client, and the daemon at the other end of its socket.
    pub(crate) fn pair() -> (Client, Peer) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut peer = Peer::new(theirs);
        peer.send(&ServerFrame::hello(&hello("first")));
        (Client::over(ours, PATIENCE).unwrap(), peer)
    }

    pub(crate) fn accept(listener: &UnixListener) -> Peer {
        Peer::new(listener.accept().unwrap().0)
    }

    pub(crate) fn send(&mut self, frame: &ServerFrame) {
        self.stream.write_all(frame.bytes()).unwrap();
    }

    pub(crate) fn send_json(&mut self, text: &str) {
        let value: Value = serde_json::from_str(text).unwrap();
        let body = rmp_serde::to_vec_named(&value).unwrap();
        let length = u32::try_from(body.len()).unwrap();
        self.stream.write_all(&[&length.to_be_bytes(), &body[..]].concat()).unwrap();
    }

    /// The next request; none once the client has gone.
    pub(crate) fn request(&mut self) -> Option<Request> {
        loop {
            if let Some(body) = self.deframer.next_body().unwrap() {
                return Some(decode_request(body).unwrap_or_else(|why| panic!("{}", why.error)));
            }
            let mut buffer = [0; 4096];
            let count = match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("waiting for a request: {error}"),
            };
            assert_eq!(self.deframer.push(&buffer[..count]), count);
        }
    }

    /// Answers the next request, which must be this op.
    pub(crate) fn answer<R: serde::Serialize>(&mut self, op: &str, result: &R) {
        let request = self.request().expect("a request");
        assert_eq!(request.op.name(), op);
        self.send(&ServerFrame::reply(request.id, result));
    }

    pub(crate) fn publish(&mut self, state: &mut Mirror, change: impl Into<Change>) {
        let event = state.publish(change);
        self.send(&ServerFrame::event(&event).unwrap());
    }

    /// Answers a subscription with the state as it is.
    pub(crate) fn subscribed(&mut self, state: &Mirror) {
        let request = self.request().expect("a request");
        let Op::Subscribe(subscribe) = request.op else { panic!("{:?}", request.op) };
        let topics = subscribe
            .topics
            .iter()
            .map(|topic| TopicSeq { topic: *topic, seq: state.seq(*topic).unwrap() })
            .collect();
        let snapshot = Some(state.replicate(&subscribe.topics));
        self.send(&ServerFrame::reply(request.id, &Subscribed { topics, snapshot }));
    }
}

pub(crate) fn bypass(bypass: bool) -> SettingChange {
    SettingChange::BypassChanged(Bypass { bypass })
}

pub(crate) fn setting(key: &str, number: f32) -> Setting {
    Setting {
        key: key.into(),
        value: number.into(),
        profile_value: number.into(),
        overridden: false,
        set_aside: None,
        accepts: Accepts::number(-100.0, 100.0),
    }
}

/// A place for a socket, which vanishes with it.
pub(crate) fn place() -> (tempfile::TempDir, Address) {
    let folder = tempfile::tempdir().unwrap();
    let address = Address::Path(folder.path().join("control.sock"));
    (folder, address)
}

pub(crate) fn listen(address: &Address) -> UnixListener {
    let Address::Path(path) = address else { panic!("{address}") };
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path).unwrap()
}

/// Runs a daemon beside the test.
pub(crate) fn beside<T: Send + 'static>(
    daemon: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    std::thread::Builder::new().name("peer".into()).spawn(daemon).unwrap()
}
