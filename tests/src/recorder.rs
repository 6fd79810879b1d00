//! A recorder on what a node receives: `pw-record` on its monitor.

use std::path::PathBuf;
use std::sync::Arc;

use crate::condition::{Deadline, poll};
use crate::process::Process;
use crate::recording::Recording;
use crate::site::Site;

/// A running recorder. It ends when it is dropped.
#[derive(Debug)]
pub struct Recorder {
    process: Process,
    file: PathBuf,
    site: Arc<Site>,
}

impl Recorder {
    pub(crate) fn start(site: Arc<Site>, node: &str, rate_hz: u32, positions: &[&str]) -> Self {
        let name = format!("recorder-{}", site.next_number());
        let file = site.directory().join("audio").join(format!("{name}.wav"));
        let arguments = [
            "-P".into(),
            format!("{{ stream.capture.sink = true, node.name = \"{name}\" }}"),
            "--target".into(),
            node.into(),
            "--rate".into(),
            rate_hz.to_string(),
            "--channels".into(),
            positions.len().to_string(),
            "--channel-map".into(),
            positions.join(","),
            "--format".into(),
            "f32".into(),
            file.display().to_string(),
        ];
        let process = site.start(&name, &site.program("pw-record"), &arguments);
        let recorder = Self { process, file, site };
        let what = format!("{name} to be linked to {node}");
        recorder.site.wait_for(&what, |dump| dump.is_linked(node, &name).then_some(()));
        recorder.wait_for_frames(1);
        recorder
    }

    /// How many frames it has written.
    pub fn frames(&self) -> usize {
        Recording::frames_in(&self.file)
    }

    /// Waits until it has written that many frames.
    pub fn wait_for_frames(&self, frames: usize) {
        let ready = || (self.frames() >= frames).then_some(());
        let seconds = frames as f64 / 8_000.0 + 20.0;
        let deadline = Deadline::after(std::time::Duration::from_secs_f64(seconds));
        if poll(deadline, ready).is_none() {
            panic!("waited in vain for {frames} frames of recording\n{}", self.site.report());
        }
    }

    /// Waits until it has written that many frames more than it has now.
    pub fn wait_for_more_frames(&self, frames: usize) {
        self.wait_for_frames(self.frames() + frames);
    }

    /// Waits until something louder than `amplitude` has come in since frame `from`, and returns the
    /// frame.
    pub fn wait_until_heard(&self, amplitude: f32, from: usize) -> usize {
        let what = format!("{amplitude} to be heard by {}", self.process.command_line());
        self.site.wait_until(&what, || {
            let heard = self.so_far().first_over(amplitude, from);
            if heard.is_none() {
                // The whole file is read at each look.
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            heard
        })
    }

    /// What it has recorded until now; it goes on.
    pub fn so_far(&self) -> Recording {
        Recording::read(&self.file)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.site.report()))
    }

    /// Ends it and returns what it has recorded.
    pub fn stop(mut self) -> Recording {
        // pw-record writes what it has on SIGINT.
        self.process.signal(libc::SIGINT);
        self.process.wait(Deadline::generous());
        self.so_far()
    }
}
