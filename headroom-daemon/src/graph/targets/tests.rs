//! Streams that are sent, moved by others and let go, on a metadata object that says back what is
//! written.

use std::time::Duration;

use super::contest::{MEMORY, MOST_TRIES};
use super::target::{ARRIVAL, LINKING, STEP_BACK, YOUNG};
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
        self.targets.metadata_is_new();
        for (key, value) in &self.values {
            let value = Some(value.as_str());
            self.targets.take(APP, Some(key), value, News::Listed, self.now);
        }
        self.targets.take_up(self.now);
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
        self.targets.writes(APP, course, asks, &self.model, self.now)
    }

    fn contest(&self) -> Option<Contest> {
        let around = Around {
            model: &self.model,
            default_sink: Some(self.default_sink),
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
const FIRM: Option<Aim> = Some(Aim { to: Destination::Bus, is_firm: true, asked: 0 });

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
fn who_moves_a_stream_back_is_given_in_to_after_three_times() {
    let mut scene = Scene::new();
    scene.aims_at(BUS);
    for _ in 0..MOST_TRIES {
        scene.says(OBJECT, Some("300"));
        assert!(!scene.is_contested());
        scene.aims_at(BUS);
        assert_eq!(scene.target(), Some(MAIN));
    }
    scene.says(OBJECT, Some("300"));
    scene.aims_at(BUS);
    assert!(scene.is_contested());
    assert_eq!(scene.target(), Some("300"), "it is left there");
    assert!(!scene.values.contains_key(FORMER));
    // Until it is asked for anew.
    scene.aims(Some(Aim { to: Destination::Bus, is_firm: true, asked: 1 }));
    assert!(!scene.is_contested());
    assert_eq!(scene.target(), Some(MAIN));
}

#[test]
fn who_moves_a_stream_back_now_and_then_is_not_given_in_to() {
    let mut scene = Scene::new();
    scene.aims_at(BUS);
    for _ in 0..20 {
        scene.now += MEMORY / MOST_TRIES as u32 + Duration::from_millis(1);
        scene.says(OBJECT, Some("300"));
        scene.aims_at(BUS);
        assert_eq!(scene.target(), Some(MAIN));
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
fn who_moves_a_stream_while_nothing_is_heard_is_heard_when_it_is_read_anew() {
    let mut scene = Scene::new();
    let media_class = "Stream/Output/Audio".to_owned();
    scene.model.add(APP, Global::Node(Node { media_class, ..Node::default() }));
    let link = |to_node| Global::Link(Link { from_node: APP, to_node, client: None });
    for n in 0..=MOST_TRIES {
        scene.aims_at(BUS);
        scene.model.add(50, link(30));
        assert!(!scene.targets.has_left_unheard(APP, &scene.model), "it is on its way");
        scene.model.add(50, link(32));
        assert!(!scene.targets.has_left_unheard(APP, &scene.model), "it is there");
        scene.model.remove(50);
        assert!(!scene.targets.has_left_unheard(APP, &scene.model), "it is linked to nothing");
        scene.model.add(50, link(30));
        assert!(scene.targets.has_left_unheard(APP, &scene.model));
        assert!(!scene.targets.has_left_unheard(APP, &scene.model), "once");
        scene.values.insert(OBJECT, "300".into());
        scene.reads_anew();
        assert_eq!(scene.is_contested(), n == MOST_TRIES);
    }
    // What was not touched is ours as before.
    let mut scene = Scene::new();
    scene.aims_at(BUS);
    let writes = scene.writes;
    scene.reads_anew();
    scene.aims_at(BUS);
    assert_eq!(scene.writes, writes);
    scene.aims_at(None);
    assert!(scene.values.is_empty());
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

/// What WirePlumber remembers on disk of where the stream goes, by what was written last.
fn remembered(scene: &Scene, writes: &Writes, before: Option<&str>) -> Option<String> {
    let mut remembered = before.map(str::to_owned);
    for (key, value) in writes.iter().filter(|(key, _)| *key != FORMER) {
        let number = value.as_deref().and_then(|value| value.parse::<u64>().ok());
        let mut sinks = scene.model.sinks();
        let found = sinks.find(|(id, sink)| match *key {
            OBJECT => Some(sink.serial) == number,
            _ => Some(u64::from(*id)) == number,
        });
        remembered = found.map(|(_, sink)| sink.name.clone());
    }
    remembered
}

#[test]
fn what_the_user_wants_is_remembered_while_we_hold_the_stream_and_after() {
    for (key, value) in [(OBJECT, "310"), (NODE, "31")] {
        let mut scene = linked_scene(32);
        scene.says(key, Some(value));
        let held = scene.writes(FIRM);
        assert_eq!(remembered(&scene, &held, Some("hdmi")).as_deref(), Some("hdmi"), "{held:?}");
        scene.carry_out(held);
        assert_eq!(scene.target(), Some(MAIN));
        let wish = scene.targets.wish(APP).expect("a wish");
        assert_eq!((&*wish.key, &*wish.sink), (KEY, "hdmi"));
        assert!(!scene.targets.is_safe(&wish, &scene.model), "the next write may lose it");
        // Another run finds it so, and knows what is whose.
        let mut next = linked_scene(32);
        next.values = scene.values.clone();
        next.reads_anew();
        assert!(next.writes(FIRM).is_empty(), "all is as it is to be");
        for mut scene in [scene, next] {
            let freed = scene.writes(None);
            assert_eq!(remembered(&scene, &freed, Some("hdmi")).as_deref(), Some("hdmi"));
            scene.carry_out(freed);
            assert_eq!(scene.target(), Some("310"));
            assert!(scene.targets.is_safe(&wish, &scene.model));
            assert_eq!(scene.values.contains_key(NODE), key == NODE, "{:?}", scene.values);
            assert!(!scene.values.contains_key(FORMER));
        }
    }
}

#[test]
fn a_sink_that_goes_and_comes_is_still_the_one_that_the_user_wants() {
    let mut scene = Scene::new();
    scene.says(OBJECT, Some("310"));
    scene.aims(FIRM);
    let hdmi = scene.model.remove(31).expect("it was there");
    assert!(scene.writes(FIRM).is_empty(), "it is remembered as long as nothing is written");
    // Another WirePlumber says nothing of a sink that is away.
    scene.values.clear();
    scene.targets.metadata_has_gone();
    scene.reads_anew();
    scene.aims(FIRM);
    let wish = scene.targets.wish(APP).expect("it is still wanted");
    assert_eq!(wish.sink, "hdmi");
    let Global::Node(hdmi) = hdmi else { panic!("a sink") };
    scene.model.add(61, Global::Node(Node { serial: 610, ..hdmi }));
    let held = scene.writes(FIRM);
    assert_eq!(remembered(&scene, &held, None).as_deref(), Some("hdmi"), "{held:?}");
    scene.carry_out(held);
    scene.aims(None);
    assert_eq!(scene.target(), Some("610"));
    // And what is withdrawn is withdrawn.
    scene.says(OBJECT, None);
    scene.aims(FIRM);
    assert_eq!(scene.targets.wish(APP), None);
}

#[test]
fn what_wireplumber_is_just_saying_itself_is_said_so_that_it_is_heard() {
    let mut scene = Scene::new();
    scene.targets.remember(APP, "hdmi", By::Us);
    let held = scene.writes(FIRM);
    let said: Vec<_> = held.iter().filter(|(key, _)| *key == NODE).cloned().collect();
    assert_eq!(said, [(NODE, None), (NODE, Some("31".to_owned()))]);
    // Its own word comes first, and ours behind it.
    scene.says(NODE, Some("31"));
    scene.carry_out(held);
    scene.aims(FIRM);
    scene.aims(None);
    assert_eq!(scene.target(), Some("310"));
    assert!(!scene.values.contains_key(FORMER));
}

#[test]
fn who_comes_without_a_word_goes_where_the_journal_says_that_it_was_put() {
    let mut scene = Scene::new();
    assert!(scene.targets.has_just_come(APP));
    scene.targets.remember(APP, "hdmi", By::WirePlumber);
    scene.now -= YOUNG / 2;
    scene.aims_at(BUS);
    assert_eq!(scene.writes, 0, "it will say so itself");
    assert_eq!(scene.targets.wake(), Some(scene.now + YOUNG / 2));
    // Where we would be first, it forgets, unless it is told.
    let held = scene.writes(FIRM);
    assert_eq!(remembered(&scene, &held, None).as_deref(), Some("hdmi"));
    let mut scene = Scene::new();
    scene.targets.remember(APP, "hdmi", By::Us);
    scene.aims(None);
    assert_eq!(scene.target(), Some("310"));
    scene.aims(None);
    assert_eq!(scene.writes, 1, "once");
    assert!(!scene.targets.has_just_come(APP));
}

#[test]
fn what_wireplumber_has_on_disk_is_newer_than_what_we_have_noted() {
    assert_eq!(known_wish(None, None), None);
    assert_eq!(known_wish(Some("hdmi"), None), Some(("hdmi", By::Us)));
    assert_eq!(known_wish(None, Some("hdmi")), Some(("hdmi", By::WirePlumber)));
    assert_eq!(known_wish(Some("hdmi"), Some("usb")), Some(("usb", By::WirePlumber)));
    // It is forgotten in its memory before it is on disk.
    assert_eq!(known_wish(Some("hdmi"), Some("hdmi")), Some(("hdmi", By::Us)));
}

#[test]
fn what_the_user_wants_of_a_stream_that_goes_is_known_before_it_is_on_disk() {
    let mut scene = Scene::new();
    scene.says(OBJECT, Some("310"));
    scene.aims(FIRM);
    assert_eq!(scene.targets.last_wish(KEY), None);
    scene.targets.removed(APP);
    assert_eq!(scene.targets.last_wish(KEY), Some("hdmi"));
    // And what is withdrawn is withdrawn.
    scene.targets.added(APP, scene.now);
    scene.targets.remember(APP, "hdmi", By::WirePlumber);
    scene.says(OBJECT, Some("-1"));
    scene.aims(FIRM);
    scene.targets.removed(APP);
    assert_eq!(scene.targets.last_wish(KEY), None);
    // There is no end to the apps of a day.
    for n in 0..2 * MOST_GONE as u32 {
        let id = 100 + n;
        scene.targets.added(id, scene.now);
        scene.targets.remember(id, "hdmi", By::WirePlumber);
        let around = Around {
            model: &scene.model,
            default_sink: Some("speakers"),
            device: Some("speakers"),
        };
        let key = format!("app-{n:03}");
        scene.targets.course(id, None, asks_nothing(&key), around, scene.now);
        scene.targets.removed(id);
        assert_eq!(scene.targets.last_wish(&key), Some("hdmi"));
    }
    assert_eq!(scene.targets.gone.len(), MOST_GONE);
}

#[test]
fn what_could_not_be_told_to_wireplumber_before_a_stream_goes_is_not_struck_out() {
    let mut scene = linked_scene(30);
    scene.says(OBJECT, Some("310"));
    assert!(scene.targets.has_kept(APP, &scene.model), "nothing of ours has been said");
    scene.aims(FIRM);
    assert!(scene.targets.has_kept(APP, &scene.model), "said behind it");
    let hdmi = scene.model.remove(31).expect("it was there");
    scene.aims(Some(Aim { to: Destination::Master, is_firm: true, asked: 0 }));
    assert!(!scene.targets.has_kept(APP, &scene.model), "it has forgotten");
    scene.model.add(61, hdmi);
    scene.model.add(161, port(61));
    assert!(!scene.targets.has_kept(APP, &scene.model), "and is still to be told");
    scene.aims(Some(Aim { to: Destination::Master, is_firm: true, asked: 0 }));
    assert!(scene.targets.has_kept(APP, &scene.model));
}

#[test]
fn what_is_said_of_a_sink_before_wireplumber_knows_it_is_said_again() {
    let mut scene = linked_scene(32);
    scene.says(OBJECT, Some("310"));
    scene.aims(FIRM);
    assert!(scene.writes(FIRM).is_empty(), "it knows both");
    let hdmi = scene.model.remove(31).expect("it was there");
    scene.model.remove(131);
    assert!(scene.writes(FIRM).is_empty());
    scene.model.add(61, hdmi);
    scene.aims(FIRM);
    assert_eq!(scene.values.get(NODE).map(String::as_str), Some("61"));
    assert!(scene.writes(FIRM).is_empty(), "it has not been given its ports");
    assert!(!scene.targets.has_kept(APP, &scene.model));
    scene.model.add(161, port(61));
    let again = scene.writes(FIRM);
    assert_eq!(again, [(NODE, None), (NODE, Some("61".to_owned()))]);
    scene.carry_out(again);
    assert!(scene.targets.has_kept(APP, &scene.model));
    assert!(scene.writes(FIRM).is_empty(), "once");
}

#[test]
fn what_we_alone_remember_is_said_again_once_wireplumber_knows_the_stream() {
    for aim in [None, FIRM] {
        let mut scene = Scene::new();
        let media_class = "Stream/Output/Audio".to_owned();
        scene.model.add(APP, Global::Node(Node { media_class, ..Node::default() }));
        scene.targets.remember(APP, "hdmi", By::Us);
        scene.aims(aim);
        assert!(scene.writes(aim).is_empty(), "it waits for the link");
        let wish = scene.targets.wish(APP).expect("a wish");
        assert!(!scene.targets.is_safe(&wish, &scene.model), "perhaps nobody has heard it");
        assert!(!scene.targets.has_kept(APP, &scene.model));
        let to_node = if aim.is_some() { 32 } else { 31 };
        scene.model.add(50, Global::Link(Link { from_node: APP, to_node, client: None }));
        let again = scene.writes(aim);
        assert_eq!(again, [(NODE, None), (NODE, Some("31".to_owned()))]);
        scene.carry_out(again);
        assert!(scene.writes(aim).is_empty(), "once");
        assert!(scene.targets.has_kept(APP, &scene.model));
        assert_eq!(scene.targets.is_safe(&wish, &scene.model), aim.is_none());
        assert_eq!(scene.target(), Some(if aim.is_some() { MAIN } else { "310" }));
    }
}

#[test]
fn what_wireplumber_does_not_do_with_a_new_stream_counts_no_more_and_is_not_forgotten() {
    for (linked_to, goes_to) in [(30, Some(MAIN)), (31, None)] {
        let mut scene = Scene::new();
        let media_class = "Stream/Output/Audio".to_owned();
        scene.model.add(APP, Global::Node(Node { media_class, ..Node::default() }));
        scene.now -= YOUNG / 2;
        scene.targets.remember(APP, "hdmi", By::WirePlumber);
        scene.aims_at(BUS);
        assert_eq!(scene.target(), None);
        scene.now += YOUNG;
        scene.aims_at(BUS);
        assert_eq!(scene.target(), None, "nobody has linked it yet");
        let link = Link { from_node: APP, to_node: linked_to, client: None };
        scene.model.add(50, Global::Link(link));
        scene.aims_at(BUS);
        // Where it is at what is remembered, that was said, though nothing was heard of it.
        assert_eq!(scene.target(), goes_to);
        let shadow = scene.values.get(NODE).map(String::as_str);
        assert_eq!(shadow, goes_to.and(Some("31")), "it is remembered all the same");
        assert_eq!(scene.targets.wish(APP).map(|wish| wish.sink).as_deref(), Some("hdmi"));
    }
}

#[test]
fn what_is_remembered_is_not_lost_where_the_metadata_is_read_anew() {
    for by in [By::Us, By::WirePlumber] {
        let mut scene = Scene::new();
        scene.targets.remember(APP, "hdmi", by);
        scene.aims(FIRM);
        scene.reads_anew();
        assert!(scene.writes(FIRM).is_empty(), "all is as it is to be");
        assert_eq!(scene.targets.wish(APP).map(|wish| wish.sink).as_deref(), Some("hdmi"));
        scene.aims(None);
        assert_eq!(scene.target(), Some("310"));
    }
}

#[test]
fn streams_that_share_a_key_do_not_lose_each_others_sink() {
    const OTHER: u32 = 41;
    let mut scene = Scene::new();
    scene.targets.added(OTHER, scene.now);
    scene.targets.take(OTHER, Some(OBJECT), Some("310"), News::Written, scene.now);
    let around =
        Around { model: &scene.model, default_sink: Some("speakers"), device: Some("speakers") };
    scene.targets.course(OTHER, None, asks_nothing(KEY), around, scene.now);
    let held = scene.writes(BUS.map(|to| Aim { to, is_firm: false, asked: 0 }));
    assert_eq!(remembered(&scene, &held, Some("hdmi")).as_deref(), Some("hdmi"), "{held:?}");
    scene.carry_out(held);
    scene.aims(None);
    assert!(scene.values.is_empty(), "{:?}", scene.values);
}

#[test]
fn who_moves_a_stream_while_our_write_is_under_way_is_heard_and_has_been_moved_back() {
    let mut scene = Scene::new();
    let ours = scene.writes(FIRM);
    // Theirs came before ours, and we hear both.
    scene.says(OBJECT, Some("310"));
    scene.carry_out(ours);
    let rest = scene.writes(FIRM);
    assert!(rest.iter().all(|(key, _)| *key != OBJECT), "it is there: {rest:?}");
    scene.carry_out(rest);
    assert_eq!(scene.target(), Some(MAIN));
    scene.aims(None);
    assert_eq!(scene.target(), Some("310"), "where others put it last");
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

/// Lets the time pass until there is something to write or nothing to wait for.
fn writes_later(scene: &mut Scene, aim: Option<Aim>) -> Writes {
    assert!(scene.writes(aim).is_empty(), "it is given its time");
    let Some(wake) = scene.targets.wake() else { return Writes::new() };
    let is_linked = scene.model.linked_from(APP).next().is_some();
    assert_eq!(wake, scene.now + if is_linked { ARRIVAL } else { LINKING });
    scene.now = wake;
    scene.writes(aim)
}

/// Lets it be sent again behind that.
fn step_back(scene: &mut Scene) {
    assert!(scene.writes(FIRM).is_empty(), "not at once");
    assert_eq!(scene.targets.wake(), Some(scene.now + STEP_BACK));
    scene.now += STEP_BACK;
    let again = scene.writes(FIRM);
    assert_eq!(again, [(OBJECT, Some(MAIN.to_owned()))]);
    scene.carry_out(again);
}

#[test]
fn links_that_never_come_are_asked_for_three_times_and_then_it_is_said_who_made_the_others() {
    let mut scene = linked_scene(30);
    scene.aims(FIRM);
    for _ in 0..MOST_TRIES {
        let freed = writes_later(&mut scene, FIRM);
        assert_eq!(freed, [(OBJECT, None)]);
        scene.carry_out(freed);
        step_back(&mut scene);
        assert!(!scene.is_contested());
    }
    let freed = writes_later(&mut scene, FIRM);
    scene.carry_out(freed);
    assert!(scene.values.is_empty(), "it is left there: {:?}", scene.values);
    let who = Some("patchbay".to_owned());
    let contest = Contest { by: MovedBy::Links, who, to: Some("speakers".into()) };
    assert_eq!(scene.contest(), Some(contest));
    assert_eq!(scene.targets.wake(), None, "and nothing is waited for");
}

#[test]
fn who_is_linked_to_nothing_is_said_to_be_astray_until_it_arrives() {
    let mut scene = linked_scene(30);
    scene.model.remove(50);
    scene.aims(FIRM);
    for _ in 0..MOST_TRIES {
        let freed = writes_later(&mut scene, FIRM);
        assert!(!freed.is_empty() && !scene.targets.is_astray(APP));
        scene.carry_out(freed);
        step_back(&mut scene);
    }
    assert!(writes_later(&mut scene, FIRM).is_empty());
    assert!(scene.targets.is_astray(APP) && !scene.is_contested());
    assert!(scene.writes(FIRM).is_empty());
    assert_eq!(scene.targets.wake(), None);
    scene.model.add(50, Global::Link(Link { from_node: APP, to_node: 32, client: None }));
    assert!(scene.writes(FIRM).is_empty());
    assert!(!scene.targets.is_astray(APP));
}

#[test]
fn while_nobody_answers_nothing_is_said_again() {
    let mut scene = linked_scene(30);
    // A WirePlumber that hangs says back nothing.
    assert!(!scene.writes(FIRM).is_empty());
    assert!(scene.writes(FIRM).is_empty());
    assert_eq!(scene.targets.wake(), None);
}

#[test]
fn who_moves_a_stream_to_what_its_app_asks_for_is_taken_for_the_app() {
    for (asks, by) in [(Some("speakers"), MovedBy::App), (None, MovedBy::Metadata)] {
        let mut scene = Scene::new();
        scene.asks_for.object = asks.map(str::to_owned);
        scene.aims(FIRM);
        for _ in 0..=MOST_TRIES {
            scene.says(OBJECT, Some("300"));
            scene.aims(FIRM);
        }
        let contest = Contest { by, who: None, to: Some("speakers".into()) };
        assert_eq!(scene.contest(), Some(contest));
    }
}
