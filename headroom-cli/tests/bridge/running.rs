//! A bridge that runs beside a test, and ends with it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use headroom_client::ipc::Value;
use headroom_client::{FileChannel, Received};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Running {
    pub(crate) child: Child,
    stdin: Option<ChildStdin>,
    lines: Option<Receiver<String>>,
}

impl Running {
    /// With pipes at both ends.
    pub(crate) fn begin(command: &mut Command) -> Running {
        let mut running = Running::unread(command);
        running.read();
        running
    }

    /// The same, but nobody reads what it prints.
    pub(crate) fn unread(command: &mut Command) -> Running {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        Running { child, stdin, lines: None }
    }

    /// Somebody reads it from now on.
    pub(crate) fn read(&mut self) {
        let stdout = BufReader::new(self.child.stdout.take().unwrap());
        let (lines, received) = sync_channel(64);
        let pump = move || {
            for line in stdout.lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("lines".into()).spawn(pump).unwrap();
        self.lines = Some(received);
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// The next line; nothing once it has ended.
    pub(crate) fn line(&mut self) -> Option<String> {
        match self.lines.as_ref().unwrap().recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it says nothing more"),
        }
    }

    pub(crate) fn value(&mut self) -> Value {
        value(&self.line().expect("a line"))
    }

    /// It must end by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// A part of a message, by the names that lead to it.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, name| {
        value.field(name).unwrap_or_else(|| panic!("no {name} in {value}"))
    })
}

pub(crate) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    at(value, path).as_text().unwrap_or_else(|| panic!("{path} of {value} is no text"))
}

/// The topic and the name of an event.
pub(crate) fn named(event: &Value) -> String {
    format!("{}.{}", text(event, "topic"), text(event, "event"))
}

/// The next message for a front end.
pub(crate) fn next(channel: &mut FileChannel) -> headroom_client::Message {
    assert!(channel.wait(PATIENCE).unwrap(), "nothing comes");
    match channel.recv_one().unwrap().unwrap() {
        Received::Message(message) => message,
        other => panic!("{other:?}"),
    }
}
