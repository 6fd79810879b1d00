//! Real clients: `pw-cat` and `paplay`, playing a file into the graph.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::condition::Deadline;
use crate::dump::Node;
use crate::process::{Ended, Process};
use crate::site::Site;

/// Longer than any programme that a test plays.
const LONGEST_PROGRAMME: Duration = Duration::from_secs(15 * 60);

/// Which program plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Player {
    /// PipeWire's own `pw-cat`.
    PwCat,
    /// `paplay`, through PipeWire's PulseAudio server.
    PaPlay,
}

/// A client that is to play a file.
#[derive(Debug, Clone)]
#[must_use = "nothing plays before start()"]
pub struct Play {
    site: Arc<Site>,
    file: PathBuf,
    player: Player,
    name: String,
    target: Option<String>,
    volume: Option<f64>,
    positions: Option<String>,
    properties: BTreeMap<String, String>,
}

impl Play {
    pub(crate) fn new(site: Arc<Site>, file: &Path) -> Self {
        let name = format!("app-{}", site.next_number());
        Self {
            site,
            file: file.to_owned(),
            player: Player::PwCat,
            name,
            target: None,
            volume: None,
            positions: None,
            properties: BTreeMap::new(),
        }
    }

    /// By which program; `pw-cat` unless said otherwise.
    pub fn with(mut self, player: Player) -> Self {
        self.player = player;
        self
    }

    /// Its `node.name`, which is `app-N` unless said otherwise. It must be the only one of that name.
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The node that it asks to be linked to, by name; the default sink unless said otherwise.
    pub fn target(mut self, node: &str) -> Self {
        self.target = Some(node.into());
        self
    }

    /// Its own volume, as a factor.
    pub fn volume(mut self, factor: f64) -> Self {
        self.volume = Some(factor);
        self
    }

    /// The loudspeakers that the channels are for, whatever the file says; with `pw-cat` alone.
    pub fn positions(mut self, positions: &[&str]) -> Self {
        self.positions = Some(positions.join(","));
        self
    }

    /// A further property of its node.
    pub fn property(mut self, key: &str, value: &str) -> Self {
        self.properties.insert(key.into(), value.into());
        self
    }

    /// Starts it and waits until its node is in the graph; it may not be linked yet.
    pub fn start(self) -> Client {
        let (program, arguments) = match self.player {
            Player::PwCat => ("pw-cat", self.pw_cat_arguments()),
            Player::PaPlay => ("paplay", self.paplay_arguments()),
        };
        let process = self.site.start_instrument(&self.name, program, &arguments);
        let client = Client { process, name: self.name, site: self.site };
        let what = format!("the node of {}", client.name);
        let id = client.site.wait_for(&what, |dump| Some(dump.node(&client.name)?.id));
        if let (Player::PaPlay, Some(factor)) = (self.player, self.volume) {
            // The volume that paplay asks for is lost on PipeWire 0.3.65; a mixer's is not.
            let slider = format!("{:.4}", factor.cbrt());
            client
                .site
                .run("wpctl", &["set-volume", &id.to_string(), &slider])
                .unwrap_or_else(|complaint| panic!("{complaint}\n{}", client.site.report()));
        }
        client
    }

    fn pw_cat_arguments(&self) -> Vec<String> {
        let mut properties = format!("{{ node.name = \"{}\"", self.name);
        for (key, value) in &self.properties {
            properties += &format!(", {key} = \"{value}\"");
        }
        let mut arguments = vec!["-p".into(), "-P".into(), properties + " }"];
        // Unless told here it plays `Music`; 0.3.65 does whatever its properties say.
        if let Some(role) = self.properties.get("media.role") {
            arguments.extend(["--media-role".into(), role.clone()]);
        }
        if let Some(target) = &self.target {
            arguments.extend(["--target".into(), target.clone()]);
        }
        if let Some(factor) = self.volume {
            arguments.extend(["--volume".into(), factor.to_string()]);
        }
        if let Some(positions) = &self.positions {
            arguments.extend(["--channel-map".into(), positions.clone()]);
        }
        arguments.push(self.file.display().to_string());
        arguments
    }

    fn paplay_arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            format!("--property=node.name={}", self.name),
            format!("--client-name={}", self.name),
        ];
        for (key, value) in &self.properties {
            arguments.push(format!("--property={key}={value}"));
        }
        if let Some(target) = &self.target {
            arguments.push(format!("--device={target}"));
        }
        arguments.push(self.file.display().to_string());
        arguments
    }
}

/// A client that plays. It ends when it is dropped.
#[derive(Debug)]
pub struct Client {
    process: Process,
    name: String,
    site: Arc<Site>,
}

impl Client {
    /// Its `node.name`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its node, as it is now.
    pub fn node(&self) -> Node {
        self.site.wait_for(&self.name, |dump| dump.node(&self.name).cloned())
    }

    /// Waits until it is linked to node `name` and the links carry sound.
    pub fn wait_until_linked_to(&self, name: &str) {
        let what = format!("the sound of {} to flow to {name}", self.name);
        self.site.wait_for(&what, |dump| dump.is_flowing(&self.name, name).then_some(()));
    }

    /// Waits until it has played its file to the end.
    ///
    /// # Panics
    ///
    /// When it ends in any other way.
    pub fn wait_until_ended(mut self) {
        let ended = self.process.wait(Deadline::after(LONGEST_PROGRAMME));
        assert!(
            ended == Some(Ended::Exited(0)),
            "{} ended with {ended:?}\n{}",
            self.name,
            self.site.report()
        );
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: i32) {
        self.process.signal(signal);
    }

    /// Ends it in the middle and waits until its node has gone.
    pub fn stop(mut self) {
        self.process.stop(Deadline::generous());
        let what = format!("the node of {} to go", self.name);
        self.site.wait_for(&what, |dump| dump.node(&self.name).is_none().then_some(()));
    }
}
