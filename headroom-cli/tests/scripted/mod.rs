//! A scripted daemon: it listens where `headroom` looks, and says what a test tells it to.

#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use headroom_client::ipc::*;

use super::harness::{Folder, Run};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Daemon(Folder);

/// What a daemon does on one connection.
pub(crate) type Script = Box<dyn FnOnce(&mut Peer) + Send>;

impl Daemon {
    pub(crate) fn new() -> Daemon {
        Daemon(Folder::new())
    }

    pub(crate) fn listen(&self) -> UnixListener {
        listen_at(&self.path("control.sock"))
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.0.command(args);
        command
            .env("HEADROOM_SOCKET", self.0.path("control.sock"))
            .env("XDG_RUNTIME_DIR", self.0.path(""))
            .env("TERM", "xterm");
        // No files but those of the test.
        for home in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_DIRS"] {
            command.env(home, self.0.path("home"));
        }
        command
    }

    /// Runs `headroom` with nobody there.
    pub(crate) fn run_alone(&self, args: &[&str]) -> Run {
        let _ = std::fs::remove_file(self.0.path("control.sock"));
        Run::of(&mut self.command(args))
    }

    /// Runs `headroom` and this script beside it.
    pub(crate) fn run(
        &self,
        args: &[&str],
        script: impl FnOnce(&mut Peer) + Send + 'static,
    ) -> Run {
        let listener = self.listen();
        let beside = beside(move || script(&mut Peer::greet(&listener, &hello())));
        let run = Run::of(&mut self.command(args));
        // A script that still waits for the program to connect has waited in vain.
        drop(UnixStream::connect(self.0.path("control.sock")));
        beside.join().unwrap_or_else(|_| panic!("the script failed; {run}"));
        run
    }

    /// Runs `headroom`, which connects once for each of these scripts.
    pub(crate) fn run_with_each(&self, args: &[&str], scripts: Vec<Script>) -> Run {
        run_beside(&self.path("control.sock"), &mut self.command(args), move |listener| {
            for script in scripts {
                script(&mut Peer::greet(listener, &hello()));
            }
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// Runs `headroom` against a daemon that says this first, and then closes.
    pub(crate) fn run_before_hello(&self, args: &[&str], frame: &ServerFrame) -> Run {
        let listener = self.listen();
        let bytes = frame.bytes().to_vec();
        let beside = beside(move || listener.accept().unwrap().0.write_all(&bytes).unwrap());
        let run = Run::of(&mut self.command(args));
        beside.join().unwrap();
        run
    }
}

fn listen_at(path: &Path) -> UnixListener {
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path).unwrap()
}

/// Runs a command beside a script that listens at this path. A script that waits for more connections
/// than the command makes is given them.
pub(crate) fn run_beside(
    path: &Path,
    command: &mut Command,
    script: impl FnOnce(&UnixListener) + Send + 'static,
) -> Run {
    let listener = listen_at(path);
    let beside = beside(move || script(&listener));
    let run = Run::of(command);
    while !beside.is_finished() {
        drop(UnixStream::connect(path));
        std::thread::yield_now();
    }
    beside.join().unwrap_or_else(|_| panic!("the script failed; {run}"));
    run
}

fn beside<T: Send + 'static>(
    script: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::Builder::new().name("script".into()).spawn(script).unwrap()
}

pub(crate) struct Peer {
    stream: UnixStream,
    deframer: Deframer,
}

impl Peer {
    pub(crate) fn greet(listener: &UnixListener, hello: &Hello) -> Peer {
        let stream = listener.accept().unwrap().0;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut peer = Peer { stream, deframer: Deframer::new() };
        peer.send(&ServerFrame::hello(hello));
        peer
    }

    pub(crate) fn send(&mut self, frame: &ServerFrame) {
        self.stream.write_all(frame.bytes()).unwrap();
    }

    pub(crate) fn send_raw(&mut self, message: &Value) {
        let body = rmp_serde::to_vec_named(message).unwrap();
        let length = u32::try_from(body.len()).unwrap();
        self.stream.write_all(&[&length.to_be_bytes(), &body[..]].concat()).unwrap();
    }

    pub(crate) fn body(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(body) = self.deframer.next_body().unwrap() {
                return Some(body.to_vec());
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

    pub(crate) fn request(&mut self) -> Option<Request> {
        self.body().map(|body| decode_request(&body).unwrap_or_else(|why| panic!("{}", why.error)))
    }

    pub(crate) fn answer<R: serde::Serialize>(&mut self, op: &str, result: &R) {
        let request = self.request().expect("a request");
        assert_eq!(request.op.name(), op);
        self.send(&ServerFrame::reply(request.id, result));
    }

    /// Answers a subscription with the state as it is, and gives what was asked.
    pub(crate) fn subscribed(&mut self, state: &Mirror) -> Subscribe {
        let request = self.request().expect("a request");
        let Op::Subscribe(subscribe) = request.op else { panic!("{:?}", request.op) };
        let seq = |topic: &Topic| TopicSeq { topic: *topic, seq: state.seq(*topic).unwrap() };
        let topics = subscribe.topics.iter().map(seq).collect();
        let snapshot = Some(state.replicate(&subscribe.topics));
        self.send(&ServerFrame::reply(request.id, &Subscribed { topics, snapshot }));
        subscribe
    }

    pub(crate) fn publish(&mut self, state: &mut Mirror, change: impl Into<Change>) {
        let event = state.publish(change);
        self.send(&ServerFrame::event(&event).unwrap());
    }
}

pub(crate) fn state() -> Mirror {
    Mirror::full()
}

pub(crate) fn hello() -> Hello {
    Hello {
        daemon: "headroomd".into(),
        version: "0.1.0".into(),
        protocol: PROTOCOL,
        run_id: "9f2c61d08b7a4e35".into(),
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

pub(crate) fn stream() -> Stream {
    Stream {
        id: 412,
        app: "mpv".into(),
        media_name: Some("A film".into()),
        process_binary: Some("mpv".into()),
        application_name: Some("mpv".into()),
        portal_app_id: None,
        media_role: None,
        pid: Some(9120),
        route: Route::Processed,
        routed_by: RoutedBy::DefaultRoute,
        bus: Some("main".into()),
        sink: Some("headroom.main".into()),
        contested: false,
        playing: true,
        channels: Some(2),
        rule: None,
        contest: None,
        volume_db: Vec::new(),
        muted: false,
        folded: None,
        own_volume: None,
    }
}

pub(crate) fn meters() -> Meters {
    Meters {
        buses: vec![BusMeters {
            bus: "main".into(),
            input_momentary_lufs: None,
            input_short_term_lufs: Some(-30.5),
            agc_gain_db: Some(12.2),
            guard_reduction_db: Some(0.0),
            compressor_reduction_db: Some(1.5),
        }],
        master: Some(MasterMeters {
            output_momentary_lufs: None,
            output_short_term_lufs: Some(-18.0),
            output_integrated_lufs: None,
            sample_peak_dbfs: Some(-3.5),
            limiter_reduction_db: Some(0.0),
        }),
    }
}

pub(crate) fn status() -> Status {
    let stream = |id: u64, app: &str, route: Route, gain_db: Option<f32>| StreamStatus {
        id,
        app: app.into(),
        media_name: None,
        bus: (route == Route::Processed).then(|| "main".into()),
        route,
        playing: true,
        contested: false,
        gain_db,
        sink: None,
        contest: None,
        folded: None,
    };
    let change = |key: &str, value: SettingValue, profile_value: SettingValue| Override {
        key: key.into(),
        value,
        profile_value,
        in_force: true,
    };
    Status {
        version: "0.1.0".into(),
        protocol: PROTOCOL,
        run_id: "9f2c61d08b7a4e35".into(),
        pid: 4121,
        uptime_ms: 86_400_123,
        graph: Graph {
            pipewire_connected: true,
            pipewire_version: Some("1.4.2".into()),
            library_version: Some("1.4.2".into()),
            wireplumber_connected: true,
            wireplumber_version: Some("0.5.8".into()),
        },
        profile: "night".into(),
        profile_by: None,
        bypass: false,
        device: Device {
            device_sink: Some("alsa_output.pci-0000_00_1f.3.analog-stereo".into()),
            default_sink: Some("headroom.main".into()),
            port: None,
            rate_hz: Some(48_000),
            quantum_frames: Some(1024),
            latency_frames: 111,
            latency_ms: Some(2.3125),
            ..Device::default()
        },
        device_description: Some("Built-in Audio".into()),
        streams: vec![
            StreamStatus {
                media_name: Some("A film of some length".into()),
                ..stream(412, "mpv Media Player", Route::Processed, Some(10.75))
            },
            stream(415, "音楽プレーヤー", Route::Protected, Some(-0.01)),
            StreamStatus {
                playing: false,
                ..stream(420, "Firefox \x1b[31m", Route::Processed, None)
            },
            StreamStatus { contested: true, ..stream(431, "Ardour", Route::Bypass, None) },
        ],
        overrides: vec![
            change("agc.target_lufs", (-16.5).into(), (-18.0).into()),
            change("compressor.detector", "rms".into(), "peak".into()),
        ],
        warnings: vec![Warning {
            about: "profile.night".into(),
            message: "limiter.oversample was read as 4, because 5 is none of 4, 8 and 16".into(),
        }],
    }
}
