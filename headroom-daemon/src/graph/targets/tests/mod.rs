//! Streams that are sent, moved by others and let go, on a metadata object that says back what is
//! written.

mod contests;
mod links;
mod wishes;

use std::time::Duration;

use super::contest::{MEMORY, MOST_TRIES};
use super::target::{ARRIVAL, ASTRAY, LINKING, STEP_BACK, YOUNG};
use super::wish::By;
use super::*;
use crate::graph::Destination;
use crate::graph::model::{Client, Global, Link, Node, Port};

const APP: u32 = 40;
const MAIN: &str = "headroom.main";
const KEY: &str = "Output/Audio:application.name:app";

const NOTHING: Wanted = Wanted { object: None, node: None };

/// A stream that asks for nothing by itself.
fn asks_nothing(key: &str) -> Asks<'_> {
    let (has_ports, key, channels) = (true, Some(key), Some(2));
    Asks { for_sink: &NOTHING, has_ports, key, channels, is_fixed: false }
}

/// A port of a sink that WirePlumber has set up.
fn port(sink: u32) -> Global {
    Global::Port(Port { node: sink, number: 0, is_input: true, channel: "FL".into() })
}

fn graph() -> Model {
    let mut model = Model::default();
    for (id, serial, name) in
        [(30, 300, "speakers"), (31, 310, "hdmi"), (32, 320, MAIN), (33, 330, "headroom.master")]
    {
        let (name, media_class) = (name.to_owned(), "Audio/Sink".to_owned());
        model.add(id, Global::Node(Node { name, media_class, serial, ..Node::default() }));
        model.add(100 + id, port(id));
    }
    model
}

/// A metadata object that says back what is written, and one stream.
struct Scene {
    model: Model,
    targets: Targets,
    default_sink: &'static str,
    asks_for: Wanted,
    channels: Option<u32>,
    is_fixed: bool,
    now: Instant,
    values: BTreeMap<&'static str, String>,
    writes: usize,
}

impl Scene {
    fn new() -> Scene {
        let now = Instant::now();
        let mut targets = Targets::default();
        targets.added(APP, now);
        Scene {
            model: graph(),
            targets,
            default_sink: "speakers",
            asks_for: Wanted::default(),
            channels: Some(2),
            is_fixed: false,
            now: now + YOUNG,
            values: BTreeMap::new(),
            writes: 0,
        }
    }

    fn carry_out(&mut self, writes: Writes) {
        for (key, value) in writes {
            self.writes += 1;
            self.says(key, value.as_deref());
        }
    }

    /// The metadata has another value.
    fn says(&mut self, key: &'static str, value: Option<&str>) {
        match value {
            Some(value) => drop(self.values.insert(key, value.to_owned())),
            None => drop(self.values.remove(key)),
        }
        self.targets.take(APP, Some(key), value, News::Written, self.now);
    }

    /// The metadata is bound anew.
    fn reads_anew(&mut self) {
        self.is_told_all();
        self.targets.take_up(self.now);
    }

    /// Its values come, and are not taken up yet.
    fn is_told_all(&mut self) {
        self.targets.metadata_is_new();
        for (key, value) in &self.values {
            let value = Some(value.as_str());
            self.targets.take(APP, Some(key), value, News::Listed, self.now);
        }
    }

    fn aims_at(&mut self, to: Option<Destination>) {
        self.aims(to.map(|to| Aim { to, is_firm: false, asked: 0 }));
    }

    fn aims(&mut self, aim: Option<Aim>) {
        let writes = self.writes(aim);
        self.carry_out(writes);
    }

    fn writes(&mut self, aim: Option<Aim>) -> Writes {
        let around = Around {
            model: &self.model,
            default_sink: Some(self.default_sink),
            filter: None,
            device: Some("speakers"),
        };
        let asks = Asks {
            for_sink: &self.asks_for,
            has_ports: true,
            key: Some(KEY),
            channels: self.channels,
            is_fixed: self.is_fixed,
        };
        let course = self.targets.course(APP, aim, asks, around, self.now);
        self.targets.writes(APP, course, asks, around, self.now)
    }

    fn contest(&self) -> Option<Contest> {
        let around = Around {
            model: &self.model,
            default_sink: Some(self.default_sink),
            filter: None,
            device: Some("speakers"),
        };
        self.targets.contest(APP, &self.asks_for, around)
    }

    fn is_contested(&self) -> bool {
        self.contest().is_some()
    }

    fn target(&self) -> Option<&str> {
        self.values.get(OBJECT).map(String::as_str)
    }
}

const BUS: Option<Destination> = Some(Destination::Bus);
const EASY: Option<Aim> = Some(Aim { to: Destination::Bus, is_firm: false, asked: 0 });
const FIRM: Option<Aim> = Some(Aim { to: Destination::Bus, is_firm: true, asked: 0 });

/// A scene with a stream that others link as they like.
fn linked_scene(to_node: u32) -> Scene {
    let mut scene = Scene::new();
    let media_class = "Stream/Output/Audio".to_owned();
    scene.model.add(APP, Global::Node(Node { media_class, ..Node::default() }));
    scene.model.add(7, Global::Client(Client { name: "patchbay".into(), ..Client::default() }));
    let link = Link { from_node: APP, to_node, client: Some(7) };
    scene.model.add(50, Global::Link(link));
    scene
}

#[test]
fn what_goes_right_by_itself_is_never_touched() {
    let mut scene = Scene::new();
    scene.aims_at(Some(Destination::Device));
    scene.aims_at(None);
    scene.default_sink = MAIN;
    scene.aims_at(BUS);
    scene.default_sink = "speakers";
    scene.asks_for.object = Some(MAIN.into());
    scene.aims(FIRM);
    scene.asks_for.object = Some("hdmi".into());
    scene.aims_at(Some(Destination::Device));
    assert_eq!(scene.writes, 0);
}

#[test]
fn a_stream_is_sent_once_and_let_go_without_a_trace() {
    let mut scene = Scene::new();
    scene.aims_at(BUS);
    assert_eq!(scene.target(), Some(MAIN));
    let writes = scene.writes;
    scene.aims_at(BUS);
    assert_eq!(scene.writes, writes, "once");
    scene.aims_at(Some(Destination::Master));
    assert_eq!(scene.target(), Some("headroom.master"));
    scene.aims_at(Some(Destination::Device));
    assert!(scene.values.is_empty(), "to the device it goes by itself: {:?}", scene.values);
    scene.aims_at(BUS);
    for (_, writes) in scene.targets.let_all_go(&scene.model) {
        scene.carry_out(writes);
    }
    assert!(scene.values.is_empty(), "{:?}", scene.values);
}

#[test]
fn while_our_bus_is_the_default_what_is_to_go_past_us_is_sent_to_the_device() {
    let mut scene = Scene::new();
    scene.default_sink = MAIN;
    scene.aims_at(Some(Destination::Device));
    assert_eq!(scene.target(), Some("speakers"));
    scene.default_sink = "speakers";
    scene.aims_at(Some(Destination::Device));
    assert!(scene.values.is_empty(), "now it goes there by itself");
}

#[test]
fn a_stream_goes_to_the_bus_that_its_channels_are_for() {
    const STEREO: &str = "headroom.stereo";
    let mut scene = Scene::new();
    let (name, media_class) = (STEREO.to_owned(), "Audio/Sink".to_owned());
    scene.model.add(34, Global::Node(Node { name, media_class, serial: 340, ..Node::default() }));
    for (channels, bus) in [(Some(1), STEREO), (Some(2), STEREO), (Some(6), MAIN), (None, MAIN)] {
        scene.channels = channels;
        scene.aims_at(BUS);
        assert_eq!(scene.target(), Some(bus), "{channels:?}");
    }
    // The main bus as the default is a place to go by itself for who has all its channels.
    scene.default_sink = MAIN;
    scene.aims_at(BUS);
    assert_eq!(scene.target(), None);
    scene.channels = Some(2);
    scene.aims_at(BUS);
    assert_eq!(scene.target(), Some(STEREO));
    // Who puts a stereo app at the main bus has it levelled, and nothing made up for it.
    scene.default_sink = "speakers";
    scene.aims_at(None);
    scene.says(OBJECT, Some("320"));
    scene.aims_at(None);
    assert_eq!(scene.target(), Some(STEREO));
    scene.is_fixed = true;
    scene.aims_at(None);
    assert_eq!(scene.target(), Some("320"), "who is not to be moved is left alone");
}

#[test]
fn a_sink_that_is_not_there_is_waited_for() {
    let mut scene = Scene::new();
    scene.model.remove(32);
    scene.aims_at(BUS);
    assert_eq!(scene.writes, 0);
}

#[test]
fn the_sink_that_others_chose_is_left_to_all_but_a_firm_aim_and_given_back_after_it() {
    for (key, value) in [(OBJECT, "310"), (OBJECT, "hdmi"), (NODE, "31"), (NODE, "hdmi")] {
        let mut scene = Scene::new();
        scene.says(key, Some(value));
        scene.aims_at(BUS);
        assert_eq!(scene.writes, 0, "{key} {value}");
        scene.aims(FIRM);
        assert_eq!(scene.target(), Some(MAIN));
        scene.aims(None);
        let given_back = if key == OBJECT { value } else { "310" };
        assert_eq!(scene.target(), Some(given_back));
        assert!(!scene.values.contains_key(FORMER));
    }
}

#[test]
fn the_sink_that_is_heard_anyway_and_one_that_is_away_are_no_choice() {
    for value in ["300", "speakers", "-1", "999", "unplugged"] {
        let mut scene = Scene::new();
        scene.asks_for.object = Some("speakers".into());
        scene.says(OBJECT, Some(value));
        scene.aims_at(BUS);
        assert_eq!(scene.target(), Some(MAIN), "{value}");
        scene.aims_at(None);
        assert_eq!(scene.target(), Some(value), "as it was");
    }
}

#[test]
fn a_write_of_ours_that_comes_late_is_not_taken_for_anothers() {
    let mut scene = Scene::new();
    let aim = |to| Some(Aim { to, is_firm: false, asked: 0 });
    drop(scene.writes(aim(Destination::Bus)));
    drop(scene.writes(aim(Destination::Master)));
    for value in [MAIN, "headroom.master"] {
        assert!(!scene.targets.take(APP, Some(OBJECT), Some(value), News::Written, scene.now));
    }
    assert!(scene.writes(aim(Destination::Master)).is_empty());
}

#[test]
fn a_stream_that_we_send_elsewhere_has_not_left() {
    let mut scene = Scene::new();
    let media_class = "Stream/Output/Audio".to_owned();
    scene.model.add(APP, Global::Node(Node { media_class, ..Node::default() }));
    scene.aims_at(BUS);
    scene.model.add(50, Global::Link(Link { from_node: APP, to_node: 32, client: None }));
    assert!(!scene.targets.has_left_unheard(APP, &scene.model), "it is there");
    scene.aims_at(Some(Destination::Master));
    assert_eq!(scene.target(), Some("headroom.master"));
    assert!(!scene.targets.has_left_unheard(APP, &scene.model), "it is on its way");
}

#[test]
fn what_a_killed_run_left_behind_is_put_right() {
    let mut before = Scene::new();
    before.says(OBJECT, Some("310"));
    before.aims(FIRM);
    // Another run finds the metadata so.
    let mut scene = Scene::new();
    scene.values = before.values;
    scene.reads_anew();
    scene.aims_at(None);
    assert_eq!(scene.target(), Some("310"));
    assert!(!scene.values.contains_key(FORMER));
}

#[test]
fn what_was_done_after_a_crash_counts_before_what_we_had_done() {
    let mut before = Scene::new();
    before.says(OBJECT, Some("310"));
    before.aims(FIRM);
    let mut scene = Scene::new();
    scene.values = before.values;
    scene.values.insert(OBJECT, "300".into());
    scene.reads_anew();
    scene.aims(None);
    assert_eq!(scene.target(), Some("300"));
    assert!(!scene.values.contains_key(FORMER));
    assert_eq!(scene.values.get(NODE).map(String::as_str), Some("30"), "the same in both");
}

#[test]
fn what_is_long_is_put_back_whole() {
    let long = "\"".repeat(1_000);
    let mut scene = Scene::new();
    scene.says(OBJECT, Some(&long));
    scene.aims(FIRM);
    let mut next = Scene::new();
    next.values = scene.values;
    next.reads_anew();
    next.aims(None);
    assert_eq!(next.target(), Some(&*long));
}
