//! Where the demonstration plays: a PipeWire of its own, or the listener's session.
//!
//! Either way Headroom is the real daemon, the apps are real clients, and what is judged is what a
//! recorder takes from the device's monitor.

use headroom_signals::Programme;
use headroom_tests::{Daemon, Dump, Generation, Graph, Node, Recorder};

use crate::interrupt::{Interrupt, Interrupted};
use crate::programme::{Part, RATE_HZ};
use crate::screen::{self, Progress, clock};

/// The sink that apps are levelled on.
const MAIN: &str = "headroom.main";
/// The sink in front of the device.
const MASTER: &str = "headroom.master";
/// The device of the private PipeWire.
const SPEAKERS: &str = "speakers";
/// Between two looks at the part that plays.
const GLANCE_FRAMES: usize = RATE_HZ as usize / 10;

/// Why the demonstration cannot begin, or did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// There is no PipeWire to be seen.
    #[error(
        "there is no PipeWire session of yours here: run ./try without --here, which brings its own"
    )]
    NoSession,
    /// Headroom is at work already.
    #[error(
        "Headroom is already running on your session: stop it first, or run ./try without --here"
    )]
    AlreadyRunning,
    /// Nothing to hear it on.
    #[error("your session has no output device: plug one in, or run ./try without --here")]
    NoDevice,
    /// What others play would be recorded too.
    #[error("{0} is playing, and would be recorded too: pause it, then run ./try --here again")]
    OthersPlay(String),
    /// Somebody has to agree, and nobody can be asked.
    #[error(
        "--here plays aloud on your own session: say --yes, or run it on a terminal to be asked"
    )]
    NobodyToAsk,
    /// No.
    #[error("nothing was done")]
    Declined,
    /// What the recorder would take is silence.
    #[error("{0} is muted: let it sound, then run ./try --here again")]
    Muted(String),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// A running Headroom with a device behind it.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Ended first: it must find the graph that it puts in order.
    daemon: Option<Daemon>,
    device: String,
    /// The sink that the clients ask for; none where Headroom is the default.
    target: Option<&'static str>,
    graph: Graph,
}

impl Stage {
    /// Starts PipeWire, WirePlumber and D-Bus in a directory of their own, and Headroom on them as
    /// the default sink.
    ///
    /// # Errors
    /// [`StageError::Interrupted`].
    ///
    /// # Panics
    /// As everything of the harness: when something does not come up, with the tail of every log.
    pub(crate) fn private(interrupt: &Interrupt) -> Result<Stage, StageError> {
        let generation = system();
        screen::say(&format!("starting a PipeWire of its own: {}", versions(generation)));
        screen::note("your own sound is not touched, and nothing can be heard of this");
        let graph = Graph::start(generation);
        interrupt.check()?;
        screen::say("starting headroomd as its default output");
        let mut daemon = graph.headroomd(&["--promote"]);
        daemon.wait_for_log("ready");
        graph.wait_for("Headroom to be the default sink", |dump| {
            (dump.default_sink().as_deref() == Some(MAIN)).then_some(())
        });
        Ok(Stage { daemon: Some(daemon), device: SPEAKERS.into(), target: None, graph })
    }

    /// Starts Headroom on the session of whoever runs this, once they have agreed. Their default
    /// sink stays what it is: the clients ask for Headroom by name.
    ///
    /// # Errors
    /// [`StageError`]: nothing has been changed.
    ///
    /// # Panics
    /// As [`Stage::private`].
    pub(crate) fn here(
        agreed: bool,
        seconds: f64,
        interrupt: &Interrupt,
    ) -> Result<Stage, StageError> {
        let graph = Graph::of_this_session(system()).ok_or(StageError::NoSession)?;
        let dump = graph.dump();
        if dump.node(MAIN).is_some() {
            return Err(StageError::AlreadyRunning);
        }
        let device = dump.default_sink().ok_or(StageError::NoDevice)?;
        let node = dump.node(&device).cloned().ok_or(StageError::NoDevice)?;
        if node.muted {
            return Err(StageError::Muted(described(&node)));
        }
        if let Some(player) = who_plays(&dump) {
            return Err(StageError::OthersPlay(player));
        }
        screen::say(&format!(
            "this plays {} of test sounds ALOUD on {}",
            clock(seconds),
            described(&node)
        ));
        screen::note("at your present volume; no setting of yours is changed; Ctrl-C ends it");
        if !agreed {
            if !screen::can_ask() {
                return Err(StageError::NobodyToAsk);
            }
            if !screen::agrees("    Play it?", interrupt)? {
                return Err(StageError::Declined);
            }
        }
        interrupt.check()?;
        screen::say("starting headroomd on your session");
        let mut daemon = graph.headroomd(&[]);
        daemon.wait_for_log("ready");
        Ok(Stage { daemon: Some(daemon), device, target: Some(MAIN), graph })
    }

    /// Plays every part, one client after the other, and returns what the device received.
    ///
    /// # Errors
    /// [`StageError::Interrupted`].
    pub(crate) fn perform(
        &self,
        parts: &[Part],
        interrupt: &Interrupt,
    ) -> Result<Programme, StageError> {
        let files: Vec<_> = parts
            .iter()
            .map(|part| self.graph.write_programme(part.app, RATE_HZ, &part.sound.channels))
            .collect();
        interrupt.check()?;
        let total_s: f64 = parts.iter().map(|part| part.sound.seconds()).sum();
        let recorder = self.graph.record_as(&self.device, RATE_HZ, &["FL", "FR"]);
        screen::say(&format!("playing {} apps through it: {}", parts.len(), clock(total_s)));
        let mut progress = Progress::new(parts.len(), total_s);
        for (part, file) in parts.iter().zip(&files) {
            let length_s = part.sound.seconds();
            let mut play = self.graph.play(file).name(part.app);
            if let Some(sink) = self.target {
                // Nor is what the session remembers of such clients put on this one.
                play = play.target(sink).property("state.restore-props", "false");
                play = play.property("state.restore-target", "false");
            }
            let mut client = play.start();
            let started = recorder.frames();
            while client.is_running() {
                interrupt.check()?;
                wait_a_moment(&recorder);
                let heard_s = (recorder.frames() - started) as f64 / f64::from(RATE_HZ);
                progress.at(part.title, heard_s, length_s);
            }
            client.wait_until_ended();
            progress.finish(part.title, length_s);
        }
        // What is still on its way: the look-ahead, and the recorder's own buffers.
        recorder.wait_for_more_frames(RATE_HZ as usize);
        let recording = recorder.stop();
        Ok(Programme::new(recording.rate_hz, recording.channels))
    }

    /// By how much what Headroom gives is turned down before the recorder hears it.
    ///
    /// # Errors
    /// [`StageError::Muted`] when nothing is left.
    pub(crate) fn volume_db(&self) -> Result<f64, StageError> {
        heard_volume_db(&self.graph.dump(), &self.device)
    }

    /// Ends Headroom in good order, then everything else.
    pub(crate) fn close(mut self) {
        self.end_daemon();
    }

    fn end_daemon(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop();
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // While a panic unwinds, the daemon's own drop ends it: a second panic would abort.
        if !std::thread::panicking() {
            self.end_daemon();
        }
    }
}

/// The volume of the main bus is the device's, carried: only what the device does not do itself is
/// done in front of it. A device's monitor knows the device's own volume where it says so.
fn heard_volume_db(dump: &Dump, device: &str) -> Result<f64, StageError> {
    let factor_of = |name: &str| {
        let Some(node) = dump.node(name) else { return Ok(1.0) };
        let volume = node.channel_volumes.first().copied().unwrap_or(1.0);
        if node.muted || volume <= 0.0 {
            return Err(StageError::Muted(described(node)));
        }
        Ok(volume)
    };
    let at_device = factor_of(device)?;
    let mut factor = (factor_of(MAIN)? / at_device).min(1.0) * factor_of(MASTER)?;
    let is_monitored = |node: &Node| {
        node.properties.get("monitor.channel-volumes").is_some_and(|set| set == "true")
    };
    if dump.node(device).is_some_and(is_monitored) {
        factor *= at_device;
    }
    Ok(20.0 * factor.log10())
}

fn wait_a_moment(recorder: &Recorder) {
    recorder.wait_for_more_frames(GLANCE_FRAMES);
}

fn system() -> &'static Generation {
    let all = Generation::all();
    all.iter().find(|generation| generation.name() == "system").unwrap_or(&all[0])
}

fn versions(generation: &Generation) -> String {
    let text = generation.to_string();
    text.split_once('(').map_or(text.clone(), |(_, rest)| rest.trim_end_matches(')').to_owned())
}

fn described(node: &Node) -> String {
    node.properties
        .get("node.description")
        .filter(|text| !text.is_empty())
        .unwrap_or(&node.name)
        .clone()
}

/// An app that plays now.
fn who_plays(dump: &Dump) -> Option<String> {
    let playing = |node: &&Node| {
        node.media_class == "Stream/Output/Audio"
            && node.state == "running"
            && !dump.targets_of(&node.name).is_empty()
    };
    let node = dump.nodes.iter().find(playing)?;
    Some(node.properties.get("application.name").unwrap_or(&node.name).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_plays_is_named_and_whoever_rests_is_not() {
        let dump = |state: &str| {
            Dump::parse(&format!(
                r#"[
                {{ "id": 30, "type": "PipeWire:Interface:Node", "info": {{ "state": "running",
                  "props": {{ "node.name": "dac", "media.class": "Audio/Sink" }} }} }},
                {{ "id": 31, "type": "PipeWire:Interface:Node", "info": {{ "state": "{state}",
                  "props": {{ "node.name": "p", "media.class": "Stream/Output/Audio",
                    "application.name": "Player" }} }} }},
                {{ "id": 50, "type": "PipeWire:Interface:Link", "info": {{ "output-node-id": 31,
                  "input-node-id": 30, "state": "active" }} }} ]"#
            ))
            .expect("a dump")
        };
        assert_eq!(who_plays(&dump("running")).as_deref(), Some("Player"));
        assert_eq!(who_plays(&dump("idle")), None);
    }

    #[test]
    fn a_carried_volume_counts_once_and_only_where_the_monitor_knows_it() {
        let heard = |bus: f64, monitored: &str| {
            let sink = |id: u32, name: &str, volume: f64, extra: &str| {
                format!(
                    r#"{{ "id": {id}, "type": "PipeWire:Interface:Node", "info": {{ "state": "idle",
                    "props": {{ "node.name": "{name}", "media.class": "Audio/Sink"{extra} }},
                    "params": {{ "Props": [ {{ "mute": false,
                      "channelVolumes": [ {volume}, {volume} ] }} ] }} }} }}"#
                )
            };
            let dump = Dump::parse(&format!(
                "[ {}, {}, {} ]",
                sink(30, "dac", 0.125, monitored),
                sink(31, MASTER, 1.0, ""),
                sink(32, MAIN, bus, "")
            ))
            .expect("a dump");
            heard_volume_db(&dump, "dac")
        };
        let told = r#", "monitor.channel-volumes": true"#;
        assert!(heard(0.125, "").expect("it sounds").abs() < 1e-6);
        assert!((heard(0.125, told).expect("it sounds") + 18.06).abs() < 0.01);
        assert!((heard(0.0625, "").expect("it sounds") + 6.02).abs() < 0.01);
        assert!(matches!(heard(0.0, ""), Err(StageError::Muted(_))));
    }
}
