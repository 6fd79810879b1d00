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
    name: String,
    file: PathBuf,
    site: Arc<Site>,
}

impl Recorder {
    pub(crate) fn start(site: Arc<Site>, node: &str, rate_hz: u32, positions: &[&str]) -> Self {
        let recorder = Self::launch(site, node, rate_hz, positions);
        let (name, site) = (&recorder.name, &recorder.site);
        let what = format!("{name} to hear {node}");
        site.wait_for(&what, |dump| dump.is_flowing(node, name).then_some(()));
        recorder.wait_for_frames(1);
        recorder
    }

    /// Records single ports, each given as `node:port`, on a channel of its own.
    ///
    /// All of them are taken in one and the same cycle of the graph, which makes their distance in
    /// frames the latency between them.
    pub(crate) fn of_ports(site: Arc<Site>, rate_hz: u32, ports: &[&str]) -> Self {
        let positions: Vec<String> = (0..ports.len()).map(|port| format!("AUX{port}")).collect();
        let positions: Vec<&str> = positions.iter().map(String::as_str).collect();
        // A target of 0 keeps the session manager from choosing one.
        let recorder = Self::launch(site, "0", rate_hz, &positions);
        let (name, site) = (&recorder.name, &recorder.site);
        site.wait_for(&format!("the ports of {name}"), |dump| {
            (dump.ports_of(name, "in").count() == ports.len()).then_some(())
        });
        for (port, position) in ports.iter().zip(&positions) {
            let input = format!("{name}:input_{position}");
            site.run("pw-link", &[port, &input])
                .unwrap_or_else(|complaint| panic!("{complaint}\n{}", site.report()));
        }
        recorder.wait_for_frames(1);
        recorder
    }

    fn launch(site: Arc<Site>, target: &str, rate_hz: u32, positions: &[&str]) -> Self {
        let name = format!("recorder-{}", site.next_number());
        let file = site.directory().join("audio").join(format!("{name}.wav"));
        let arguments = [
            "-P".into(),
            format!("{{ stream.capture.sink = true, node.name = \"{name}\" }}"),
            "--target".into(),
            target.into(),
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
        let process = site.start_instrument(&name, "pw-record", &arguments);
        Self { process, name, file, site }
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
            let heard = self.since(from).first_over(amplitude, 0).map(|frame| from + frame);
            if heard.is_none() {
                // All of it is read at each look.
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

    /// What it has recorded from that frame on until now; it goes on.
    pub fn since(&self, frame: usize) -> Recording {
        Recording::read_from(&self.file, frame)
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
