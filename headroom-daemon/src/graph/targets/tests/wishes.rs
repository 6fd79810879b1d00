//! What the user wants of a stream, kept while we hold it, and by whom.

use super::*;

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
    assert_eq!(scene.targets.wake(scene.now), Some(scene.now + YOUNG / 2));
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
fn what_the_user_wants_outlives_a_metadata_that_is_read_twice_in_a_row() {
    for times in 1..=3 {
        let mut scene = linked_scene(32);
        scene.targets.remember(APP, "hdmi", By::WirePlumber);
        scene.aims(FIRM);
        assert_eq!(scene.target(), Some(MAIN));
        for _ in 1..times {
            scene.is_told_all();
        }
        scene.reads_anew();
        scene.aims(FIRM);
        assert_eq!(scene.target(), Some(MAIN), "{times} times");
        let freed = scene.writes(None);
        let kept = remembered(&scene, &freed, Some("hdmi"));
        assert_eq!(kept.as_deref(), Some("hdmi"), "{times} times: {freed:?}");
        scene.carry_out(freed);
        assert_eq!(scene.target(), Some("310"), "{times} times");
    }
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
            filter: None,
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
        assert_eq!(scene.targets.wake(scene.now), None, "the link will be heard of");
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
    let around = Around {
        model: &scene.model,
        default_sink: Some("speakers"),
        filter: None,
        device: Some("speakers"),
    };
    scene.targets.course(OTHER, None, asks_nothing(KEY), around, scene.now);
    let held = scene.writes(BUS.map(|to| Aim { to, is_firm: false, asked: 0 }));
    assert_eq!(remembered(&scene, &held, Some("hdmi")).as_deref(), Some("hdmi"), "{held:?}");
    scene.carry_out(held);
    scene.aims(None);
    assert!(scene.values.is_empty(), "{:?}", scene.values);
}
