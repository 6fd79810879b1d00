//! Streams that are sent, moved by others and let go, on a metadata object that says back what is
//! written.

use super::*;
use crate::graph::model::{Global, Link, Node};

const APP: u32 = 40;
const MAIN: &str = "headroom.main";

fn graph() -> Model {
    let mut model = Model::default();
    for (id, serial, name) in
        [(30, 300, "speakers"), (31, 310, "hdmi"), (32, 320, MAIN), (33, 330, "headroom.master")]
    {
        let (name, media_class) = (name.to_owned(), "Audio/Sink".to_owned());
        model.add(id, Global::Node(Node { name, media_class, serial, ..Node::default() }));
    }
    model
}

/// A metadata object that says back what is written, and one stream.
struct Scene {
    model: Model,
    targets: Targets,
    default_sink: &'static str,
    asks_for: Wanted,
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
        let around = Around {
            model: &self.model,
            default_sink: Some(self.default_sink),
            device: Some("speakers"),
        };
        let writes = self.targets.writes(APP, aim, &self.asks_for, around);
        self.carry_out(writes);
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
        assert!(!scene.targets.is_contested(APP));
        scene.aims_at(BUS);
        assert_eq!(scene.target(), Some(MAIN));
    }
    scene.says(OBJECT, Some("300"));
    scene.aims_at(BUS);
    assert!(scene.targets.is_contested(APP));
    assert_eq!(scene.target(), Some("300"), "it is left there");
    assert!(!scene.values.contains_key(FORMER));
    // Until it is asked for anew.
    scene.aims(Some(Aim { to: Destination::Bus, is_firm: true, asked: 1 }));
    assert!(!scene.targets.is_contested(APP));
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
    let around =
        Around { model: &scene.model, default_sink: Some("speakers"), device: Some("speakers") };
    let aim = |to| Some(Aim { to, is_firm: false, asked: 0 });
    let asks = Wanted::default();
    scene.targets.writes(APP, aim(Destination::Bus), &asks, around);
    scene.targets.writes(APP, aim(Destination::Master), &asks, around);
    for value in [MAIN, "headroom.master"] {
        assert!(!scene.targets.take(APP, Some(OBJECT), Some(value), News::Written, scene.now));
    }
    assert!(scene.targets.writes(APP, aim(Destination::Master), &asks, around).is_empty());
}

#[test]
fn a_stream_that_we_send_elsewhere_has_not_left() {
    let mut scene = Scene::new();
    let media_class = "Stream/Output/Audio".to_owned();
    scene.model.add(APP, Global::Node(Node { media_class, ..Node::default() }));
    scene.aims_at(BUS);
    scene.model.add(50, Global::Link(Link { from_node: APP, to_node: 32 }));
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
    let link = |to_node| Global::Link(Link { from_node: APP, to_node });
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
        assert_eq!(scene.targets.is_contested(APP), n == MOST_TRIES);
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
