//! What is so: the mirror that clients copy, and what it is made of.

mod remembering;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use headroom_dsp::Db;
use headroom_ipc::about::{self, ROUTING};
use headroom_ipc::{
    Change, Daemon, DaemonChange, Graph, Hello, Meters, Mirror, PROTOCOL, Profiles, Routing,
    RoutingChange, Rule, RuleOrigin, Rules, Settings, Sinks, Stream, Tracked, Warning,
};
use headroom_profile::{Folders, Levels, Library, Origin, Profile, is_path};

use super::devices::{Devices, Verdict};
use super::profiles::{DEFAULT, KnownProfiles, Lost};
use super::routing::Router;
use super::{Effects, census, routing, warnings, wire};
use crate::graph::{Aims, InsertId, Promotion, SinkWish};
use crate::store::{AgcGain, Remembered, UserRoute};

/// What the daemon starts with.
#[derive(Debug)]
pub struct Start {
    /// What it says of itself.
    pub hello: Hello,
    /// Where profiles are.
    pub folders: Arc<Folders>,
    /// What was found there. The chosen one is in what is remembered.
    pub library: Library,
    /// What was so when the last daemon ended.
    pub remembered: Remembered,
    /// Whether the main bus is to be the default sink in this run, whatever is remembered.
    pub promote: bool,
    /// What the user should know from the first moment on.
    pub warnings: Vec<Warning>,
    /// When.
    pub at: Instant,
}

/// The bus that everything goes through that is not sent elsewhere.
pub(crate) const MAIN_BUS: &str = "main";
/// Name of the bus that takes streams of one or two channels in place of the main bus.
const STEREO_BUS: &str = "stereo";

/// What the bus of this insert is called, if it is a bus.
pub(crate) fn bus_name(insert: InsertId) -> Option<&'static str> {
    match insert {
        InsertId::Main => Some(MAIN_BUS),
        InsertId::Stereo => Some(STEREO_BUS),
        InsertId::Master => None,
    }
}

/// What is done to the sound; nothing while it was not measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gains {
    /// By the main bus.
    pub main_db: Option<f32>,
    /// By the bus for streams of one or two channels.
    pub stereo_db: Option<f32>,
    /// By the master.
    pub master_db: Option<f32>,
    /// The quantum at which that is done.
    pub quantum_frames: Option<u32>,
}

/// Warnings that are kept; the oldest goes first.
const MOST_WARNINGS: usize = 32;

/// See the module.
#[derive(Debug)]
pub(crate) struct Model {
    hello: Hello,
    started_at: Instant,
    pub(super) mirror: Mirror,
    pub(crate) profiles: KnownProfiles,
    pub(crate) levels: Levels,
    /// What was done to the sound when it was last looked at.
    pub(crate) gains: Gains,
    /// What every insert measured when somebody asked why.
    pub(crate) measured: Meters,
    /// What people call the device sink.
    pub(super) device_description: Option<String>,
    /// Where streams go.
    pub(crate) router: Router,
    /// Which inserts sound flows through.
    pub(crate) running: Vec<InsertId>,
    /// The profile that the user has chosen, by name or by file, which is in force where there is
    /// such a profile.
    pub(super) chosen_profile: Option<String>,
    /// The file that holds what is remembered, if there is a place for one.
    pub(super) state_file: Option<PathBuf>,
    /// What is said of devices, and which one is heard.
    pub(crate) devices: Devices,
    /// The file that the profile in force was lost with, until another is chosen.
    pub(crate) lost: Option<Lost>,
    /// Why changes of profiles are not seen.
    pub(crate) blind: Option<String>,
    /// Where apps go by the user's choice; the first that matches counts.
    pub(crate) user_routes: Vec<UserRoute>,
    /// What the AGC has settled at.
    pub(crate) agc: Option<AgcGain>,
    /// What is wanted of the default sink and of the device sink.
    pub(crate) sink_wish: SinkWish,
    /// Whether the main bus is to be the default sink also after the next start.
    pub(crate) promote_chosen: bool,
    /// What hr-store has been told.
    remembered: Remembered,
}

impl Model {
    pub(super) fn new(start: Start) -> Model {
        let Start { hello, folders, library, remembered, promote, warnings: told, at } = start;
        let profiles = KnownProfiles::new(folders, library);
        let devices = Devices::of(&remembered);
        let chosen = name_of(remembered.profile.as_deref());
        let used = devices.verdict(&profiles, chosen).name;
        let levels = Levels::new(in_force(&profiles, &used), &remembered.overrides);
        let mut model = Model {
            hello,
            started_at: at,
            mirror: Mirror::full(),
            profiles,
            levels,
            gains: Gains::default(),
            measured: Meters::default(),
            device_description: None,
            router: Router::default(),
            running: Vec::new(),
            chosen_profile: remembered.profile.clone(),
            state_file: None,
            devices,
            lost: None,
            blind: None,
            user_routes: remembered.routes.clone(),
            agc: remembered.agc,
            sink_wish: SinkWish {
                promotion: if promote || remembered.promote {
                    Promotion::Promote
                } else {
                    Promotion::Leave
                },
                preferred: remembered.sink.clone(),
                asked: 0,
            },
            promote_chosen: remembered.promote,
            remembered: Remembered::default(),
        };
        // Before the first event this is the state of each topic, with the number 0. The
        // daemon's own topic begins with `started`, which nobody can have subscribed to yet.
        model.mirror.profile = Some(Tracked { seq: 0, state: model.profiles_with(&used) });
        model.mirror.setting = Some(Tracked {
            seq: 0,
            state: Settings { bypass: remembered.bypass, settings: model.levels.settings() },
        });
        let rules = model.rules_of(&used);
        model.router.set_rules(&rules);
        model.mirror.routing =
            Some(Tracked { seq: 0, state: Routing { rules, streams: Vec::new() } });
        let mut sinks = state(&model.mirror.sinks).clone();
        sinks.device.preferred_sink.clone_from(&model.sink_wish.preferred);
        sinks.device.promotion = Some(model.promotion());
        model.mirror.sinks = Some(Tracked { seq: 0, state: sinks });
        let mut daemon = Daemon {
            version: model.hello.version.clone(),
            protocol: PROTOCOL,
            run_id: model.hello.run_id.clone(),
            pid: model.hello.pid,
            graph: Graph::default(),
            warnings: Vec::new(),
        };
        for Warning { about, message } in &told {
            model.warn(&mut daemon, about, message);
        }
        model.warn_of_rules(&mut daemon);
        warnings::review(&model, &mut daemon);
        model.remembered = remembered;
        let _ = model.mirror.publish(DaemonChange::Started(daemon));
        model
    }

    pub(crate) fn hello(&self) -> &Hello {
        &self.hello
    }

    pub(crate) fn uptime_ms(&self, now: Instant) -> u64 {
        let uptime = now.saturating_duration_since(self.started_at);
        u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX)
    }

    /// Makes a change: numbers it, applies it to the mirror, and has it sent.
    pub(crate) fn publish(&mut self, change: impl Into<Change>, effects: &mut Effects) {
        effects.events.push(self.mirror.publish(change));
    }

    pub(crate) fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    pub(crate) fn daemon(&self) -> &Daemon {
        state(&self.mirror.daemon)
    }

    pub(crate) fn profile_state(&self) -> &Profiles {
        state(&self.mirror.profile)
    }

    pub(crate) fn settings(&self) -> &Settings {
        state(&self.mirror.setting)
    }

    pub(crate) fn routing(&self) -> &Routing {
        state(&self.mirror.routing)
    }

    pub(crate) fn sinks(&self) -> &Sinks {
        state(&self.mirror.sinks)
    }

    /// What clients see of what is wanted of the default sink.
    pub(crate) fn promotion(&self) -> headroom_ipc::Promotion {
        match self.sink_wish.promotion {
            Promotion::Promote => headroom_ipc::Promotion::On,
            Promotion::Leave => headroom_ipc::Promotion::Off,
        }
    }

    pub(crate) fn device_description(&self) -> Option<&str> {
        self.device_description.as_deref()
    }

    /// The gain that a stream gets now, nil while nothing is measured.
    pub(crate) fn gain_db(&self, stream: &Stream) -> Option<f32> {
        if self.running.is_empty() {
            return None;
        }
        let Gains { main_db, stereo_db, master_db, quantum_frames: _ } = self.gains;
        match InsertId::of_node(stream.sink.as_deref()?)? {
            InsertId::Main => Some(main_db? + master_db?),
            InsertId::Stereo => Some(stereo_db? + master_db?),
            InsertId::Master => master_db,
        }
    }

    /// What the compressor gives back to all that goes through a bus.
    pub(crate) fn makeup(&self) -> Db {
        let bypass = self.settings().bypass;
        if bypass { Db(0.0) } else { self.levels.chain_params(bypass).bus.makeup() }
    }

    /// The file that holds what the user has said, if there is a place for one.
    pub(crate) fn state_file(&self) -> Option<&Path> {
        self.state_file.as_deref()
    }

    /// The rules while this profile is in force.
    pub(crate) fn rules_of(&self, profile: &str) -> Rules {
        let Some(profile) = self.profiles.profile(profile) else { return Rules::default() };
        let rules = self.user_routes.iter().map(|UserRoute { matches, route }| Rule {
            matches: matches.clone(),
            route: route.clone(),
            origin: RuleOrigin::User,
        });
        Rules {
            rules: rules.chain(profile.rules.iter().map(wire::rule)).collect(),
            default_route: wire::route(&profile.default_route.route),
        }
    }

    /// Warns of routes to what is not there.
    pub(super) fn warn_of_rules(&self, daemon: &mut Daemon) {
        daemon.warnings.retain(|warning| warning.about != ROUTING);
        let Rules { rules, default_route } = &self.routing().rules;
        let routes = rules.iter().map(|rule| &rule.route).chain([default_route]);
        if let Some(route) = routes.into_iter().find(|route| !routing::is_known(route)) {
            let text = format!(
                "there is no bus {:?}, which a rule leads to: its streams go through the main bus",
                route.as_str()
            );
            self.warn(daemon, ROUTING, &text);
        }
    }

    /// Takes over the rules that there are now, and sends every stream where it is to go by them.
    pub(crate) fn rules_have_changed(&mut self, effects: &mut Effects) {
        let rules = self.rules_of(&self.profile_state().used);
        if rules == self.routing().rules {
            return;
        }
        self.router.set_rules(&rules);
        self.publish(RoutingChange::RuleChanged(rules), effects);
        self.review_warnings(effects);
        census::reroute(self, effects);
    }

    /// Looks again at what profiles, overrides and rules give reason to warn of.
    pub(crate) fn review_warnings(&mut self, effects: &mut Effects) {
        let mut daemon = self.daemon().clone();
        self.warn_of_rules(&mut daemon);
        warnings::review(self, &mut daemon);
        if daemon != *self.daemon() {
            self.publish(DaemonChange::Changed(daemon), effects);
        }
    }

    /// Where hr-graph is to send streams, if that is another than before.
    pub(super) fn aims(&mut self) -> Option<Arc<Aims>> {
        let streams = &self.mirror.routing.as_ref()?.state.streams;
        self.router.aims(streams)
    }

    /// The name of the profile that the user has chosen.
    pub(crate) fn chosen(&self) -> &str {
        name_of(self.chosen_profile.as_deref())
    }

    /// Takes this profile as the user's choice.
    pub(crate) fn choose(&mut self, name: &str) {
        // One that is a file of its own is found again by its path alone.
        let file = self.profiles.folders().file();
        let is_of_file = |path: &&Path| {
            let origin = self.profiles.good(name).map(|good| &good.origin);
            origin.is_some_and(|origin| matches!(origin, Origin::File(known) if known == path))
        };
        let path = file.filter(is_of_file).and_then(Path::to_str);
        self.chosen_profile = Some(path.unwrap_or(name).to_owned());
        self.devices.was_chosen();
        self.lost = None;
    }

    /// The profile that is to be in force, and why: the chosen one, that of the device that is
    /// heard, or what stands in for it.
    pub(crate) fn to_use(&self) -> Verdict {
        self.devices.verdict(&self.profiles, self.chosen())
    }

    /// The state of topic `profile` while this one is in force.
    pub(crate) fn profiles_with(&self, used: &str) -> Profiles {
        let (devices, default_profile) = self.devices.said(&self.profiles, self.chosen());
        Profiles { devices, default_profile, ..self.profiles.shown(used.to_owned()) }
    }

    /// Puts a known profile in force: its settings under the overrides. Nothing is published.
    pub(crate) fn use_levels_of(&mut self, name: &str) {
        self.levels.use_profile(in_force(&self.profiles, name));
    }

    /// Every setting as it is now.
    pub(crate) fn settings_now(&self) -> Settings {
        Settings { bypass: self.settings().bypass, settings: self.levels.settings() }
    }

    /// Warns of something, once: a warning about the same takes its place.
    pub(super) fn warn(&self, daemon: &mut Daemon, about: &str, message: &str) {
        // What nobody else knows of nobody has a mend for.
        debug_assert!(about::is_known(about), "{about}");
        daemon.warnings.retain(|warning| warning.about != about);
        if daemon.warnings.len() >= MOST_WARNINGS {
            daemon.warnings.remove(0);
        }
        let warning = Warning { about: about.to_owned(), message: message.to_owned() };
        daemon.warnings.push(warning);
    }
}

fn name_of(chosen: Option<&str>) -> &str {
    match chosen {
        Some(path) if is_path(path) => {
            Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or(DEFAULT)
        }
        Some(name) => name,
        None => DEFAULT,
    }
}

fn in_force<'p>(profiles: &'p KnownProfiles, name: &str) -> &'p Profile {
    let known = profiles.profile(name).or_else(|| profiles.profile(DEFAULT));
    known.expect("the default profile is part of the program, and a test holds it to be valid")
}

/// The state of a topic. Ours has every topic.
fn state<S>(tracked: &Option<Tracked<S>>) -> &S {
    &tracked.as_ref().expect("the daemon's mirror is full from its start to its end").state
}
