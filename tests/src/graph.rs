//! A private graph: its services, its devices, and the way to look at it and play on it.

mod services;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::client::Play;
use crate::daemon::Daemon;
use crate::device::Device;
use crate::dump::{Dump, Node};
use crate::generation::Generation;
use crate::process::Process;
use crate::programme;
use crate::recorder::Recorder;
use crate::service::{self, Service};
use crate::site::{Site, picture};
use crate::tool::Tool;

/// What a graph is started with.
#[derive(Debug, Clone)]
pub struct Setup {
    devices: Vec<Device>,
    pulse: bool,
}

impl Default for Setup {
    /// One stereo device, `speakers`, and no PulseAudio server.
    fn default() -> Self {
        Self { devices: vec![Device::named("speakers")], pulse: false }
    }
}

impl Setup {
    /// These devices in place of `speakers`.
    pub fn devices(mut self, devices: impl IntoIterator<Item = Device>) -> Self {
        self.devices = devices.into_iter().collect();
        self
    }

    /// A PulseAudio server too, for `paplay` and `pactl`.
    pub fn with_pulse(mut self) -> Self {
        self.pulse = true;
        self
    }

    /// Starts it.
    pub fn start(self, generation: &'static Generation) -> Graph {
        Graph::with(generation, self)
    }
}

/// A running private graph. Everything that it started ends when it is dropped, and its directory goes.
#[derive(Debug)]
pub struct Graph {
    services: Mutex<BTreeMap<Service, Process>>,
    devices: Mutex<Vec<Device>>,
    site: Arc<Site>,
}

impl Graph {
    /// A graph with one stereo device, `speakers`.
    pub fn start(generation: &'static Generation) -> Self {
        Setup::default().start(generation)
    }

    /// The session of whoever runs this; `None` when no PipeWire answers. Clients, recorders and
    /// `headroomd` can be started on it; its services and devices are not ours to start or end.
    pub fn of_this_session(generation: &'static Generation) -> Option<Self> {
        let site = Arc::new(Site::of_this_session(generation));
        site.dump()?;
        Some(Self { services: Mutex::default(), devices: Mutex::default(), site })
    }

    fn with(generation: &'static Generation, setup: Setup) -> Self {
        let site = Arc::new(Site::new(generation));
        let written = service::write_configuration(generation, site.directory())
            .and_then(|()| service::write_devices(site.directory(), &setup.devices));
        if let Err(error) = written {
            panic!("laying out the graph's directory: {error}");
        }
        let graph = Self { services: Mutex::default(), devices: Mutex::new(setup.devices), site };
        graph.start_service(Service::Bus);
        graph.start_service(Service::PipeWire);
        graph.start_service(Service::WirePlumber);
        if setup.pulse {
            graph.start_service(Service::Pulse);
        }
        graph
    }

    /// The generation that it runs on.
    pub fn generation(&self) -> &'static Generation {
        self.site.generation
    }

    /// The directory that everything of this graph lies in.
    pub fn directory(&self) -> &Path {
        self.site.directory()
    }

    // Programs

    /// Starts another tool of the generation that goes on until it is dropped, and hands over
    /// what it prints in its log.
    pub fn start_tool(&self, program: &str, arguments: &[&str]) -> Tool {
        Tool::start(&self.site, program, arguments)
    }

    /// Starts `headroomd` on this graph with those arguments. Nothing is waited for.
    pub fn headroomd(&self, arguments: &[&str]) -> Daemon {
        Daemon::start(self.site.clone(), &[], arguments)
    }

    /// Starts `headroomd` by a program that watches it, such as `["valgrind", "--quiet"]`.
    pub fn headroomd_under(&self, watcher: &[&str], arguments: &[&str]) -> Daemon {
        Daemon::start(self.site.clone(), watcher, arguments)
    }

    /// Runs `headroom` in the surroundings of this graph to its end.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn headroom(&self, arguments: &[&str]) -> std::process::Output {
        let program = crate::daemon::program("headroom");
        self.command(&program).args(arguments).output().expect("headroom runs")
    }

    /// A program in the surroundings of this graph, and nothing else of the environment, not started.
    pub fn command(&self, program: &Path) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command.env_clear().envs(self.site.environment.iter());
        command
    }

    // Devices

    /// Plugs a device in and waits until it is there.
    pub fn plug(&self, device: Device) {
        let (name, properties) = (device.name.clone(), device.properties());
        self.devices().push(device);
        self.write_devices();
        // A WirePlumber that dies just then (0.4.13 does now and then) leaves the tool waiting for ever.
        let made = self.site.run("pw-cli", &["create-node", "adapter", &properties]);
        if made.is_err() && self.dump().node(&name).is_none() {
            self.tool("pw-cli", &["create-node", "adapter", &properties]);
        }
        self.wait_for(&format!("device {name}"), |dump| dump.node(&name).map(drop));
    }

    /// Pulls a device out and waits until it has gone.
    pub fn unplug(&self, name: &str) {
        self.devices().retain(|device| device.name != name);
        self.write_devices();
        let id = self.node(name).id.to_string();
        self.tool("pw-cli", &["destroy", &id]);
        self.wait_for(&format!("device {name} to go"), |dump| {
            dump.node(name).is_none().then_some(())
        });
    }

    // Looking

    /// The state of the graph now.
    pub fn dump(&self) -> Dump {
        self.site
            .dump()
            .unwrap_or_else(|| panic!("PipeWire does not answer pw-dump\n{}", self.report()))
    }

    /// The node of that name, which must be there.
    pub fn node(&self, name: &str) -> Node {
        let dump = self.dump();
        let node = dump.node(name).cloned();
        node.unwrap_or_else(|| panic!("no node {name}\n{}\n{}", picture(&dump), self.report()))
    }

    /// Looks at the graph until `condition` gives a value.
    ///
    /// # Panics
    ///
    /// When it has given none by a generous deadline: with `what`, the graph as it was last seen, and
    /// the end of every program's log.
    pub fn wait_for<T>(&self, what: &str, condition: impl FnMut(&Dump) -> Option<T>) -> T {
        self.site.wait_for(what, condition)
    }

    /// Waits until sound flows from node `from` to node `to`.
    pub fn wait_for_flow(&self, from: &str, to: &str) {
        let what = format!("sound to flow from {from} to {to}");
        self.wait_for(&what, |dump| dump.is_flowing(from, to).then_some(()));
    }

    /// Waits until node `from` is linked to node `to`, whether or not something plays.
    pub fn wait_for_link(&self, from: &str, to: &str) {
        let what = format!("{from} to be linked to {to}");
        self.wait_for(&what, |dump| dump.is_linked(from, to).then_some(()));
    }

    /// The end of every program's log, for a message of failure.
    pub fn report(&self) -> String {
        self.site.report()
    }

    // Settings

    /// Runs a tool of the generation (`wpctl`, `pw-cli`, `pactl`) and returns what it printed.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn tool(&self, program: &str, arguments: &[&str]) -> String {
        self.site
            .run(program, arguments)
            .unwrap_or_else(|complaint| panic!("{complaint}\n{}", self.report()))
    }

    /// Fixes the quantum of the graph; 0 lets it go again.
    pub fn force_quantum(&self, frames: u32) {
        self.set_setting("clock.force-quantum", frames);
    }

    /// Fixes the rate of the graph; 0 lets it go again.
    pub fn force_rate(&self, rate_hz: u32) {
        self.set_setting("clock.force-rate", rate_hz);
    }

    fn set_setting(&self, key: &str, value: u32) {
        let value = value.to_string();
        self.tool("pw-metadata", &["-n", "settings", "0", key, &value]);
        self.wait_for(&format!("{key} to be {value}"), |dump| {
            (dump.metadata("settings", 0, key) == Some(&*value)).then_some(())
        });
    }

    /// Sets the volume of a node as a mixer does: `0.5` is 50 % of the slider, a factor of 0.125.
    ///
    /// A device that has never played yet (PipeWire 1.4) shows nobody a new volume before it plays:
    /// record it first.
    pub fn set_volume(&self, node: &str, slider: f64) {
        let id = self.node(node).id.to_string();
        self.tool("wpctl", &["set-volume", &id, &format!("{slider:.4}")]);
        let factor = slider.powi(3);
        self.wait_for(&format!("{node} to be at {slider}"), |dump| {
            let volumes = &dump.node(node)?.channel_volumes;
            let is_there = volumes.iter().all(|volume| (volume - factor).abs() < 1e-3);
            (is_there && !volumes.is_empty()).then_some(())
        });
    }

    /// Sets the volume of each channel of a node as a slider of a mixer does.
    pub fn set_channel_volumes(&self, node: &str, sliders: &[f64]) {
        let id = self.node(node).id.to_string();
        let factors: Vec<f64> = sliders.iter().map(|slider| slider.powi(3)).collect();
        let list = factors.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
        let props = format!("{{ channelVolumes: [ {list} ] }}");
        self.tool("pw-cli", &["set-param", &id, "Props", &props]);
        self.wait_for(&format!("{node} to be at {sliders:?}"), |dump| {
            let volumes = &dump.node(node)?.channel_volumes;
            let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-3;
            (volumes.len() == factors.len() && volumes.iter().zip(&factors).all(close))
                .then_some(())
        });
    }

    /// Mutes a node, or lets it sound again.
    pub fn set_mute(&self, node: &str, muted: bool) {
        let id = self.node(node).id.to_string();
        self.tool("wpctl", &["set-mute", &id, if muted { "1" } else { "0" }]);
        self.wait_for(&format!("{node} to have mute {muted}"), |dump| {
            (dump.node(node)?.muted == muted).then_some(())
        });
    }

    // Playing and recording

    /// Where a file of that name lies that clients play or recorders write.
    pub fn audio_file(&self, name: &str) -> PathBuf {
        self.directory().join("audio").join(name)
    }

    /// Writes planar channels as a WAV file that clients can play.
    pub fn write_programme(&self, name: &str, rate_hz: u32, channels: &[Vec<f32>]) -> PathBuf {
        let path = self.audio_file(name);
        programme::write_wav(&path, rate_hz, channels)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// A client that will play `file`; say how, then `start()` it.
    pub fn play(&self, file: &Path) -> Play {
        Play::new(self.site.clone(), file)
    }

    /// Records what node `name` receives, in stereo at 48 kHz, from the moment it returns.
    pub fn record(&self, name: &str) -> Recorder {
        Recorder::start(self.site.clone(), name, 48_000, &["FL", "FR"])
    }

    /// Records what node `name` receives, with those channels and at that rate.
    pub fn record_as(&self, name: &str, rate_hz: u32, positions: &[&str]) -> Recorder {
        Recorder::start(self.site.clone(), name, rate_hz, positions)
    }

    /// Records single ports (`node:port`), each on a channel of its own and all in the same cycle.
    pub fn record_ports(&self, rate_hz: u32, ports: &[&str]) -> Recorder {
        Recorder::of_ports(self.site.clone(), rate_hz, ports)
    }

    fn wait_for_devices(&self) {
        let names = self.device_names();
        self.wait_for("the devices", |dump| {
            names.iter().all(|name| dump.node(name).is_some()).then_some(())
        });
    }

    fn device_names(&self) -> Vec<String> {
        self.devices().iter().map(|device| device.name.clone()).collect()
    }

    fn write_devices(&self) {
        service::write_devices(self.directory(), &self.devices())
            .unwrap_or_else(|error| panic!("writing the devices: {error}"));
    }

    fn devices(&self) -> MutexGuard<'_, Vec<Device>> {
        self.devices.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
