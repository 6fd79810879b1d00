//! Others that move a stream: who is moved back, and who is given in to.

use super::*;

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

/// PipeWire tells nobody of what changes while another client is being told all values.
#[test]
fn a_write_that_never_comes_back_is_owed_to_us_until_it_is_read_anew() {
    let mut scene = Scene::new();
    assert_eq!(scene.targets.unanswered(), None);
    for (key, value) in scene.writes(FIRM) {
        value.into_iter().for_each(|value| drop(scene.values.insert(key, value)));
    }
    assert!(scene.targets.unanswered().is_some_and(|owed| owed.contains(MAIN)));
    // What others say is taken for what came before ours, as ours has not come yet.
    scene.says(OBJECT, Some("300"));
    let writes = scene.writes(FIRM);
    assert!(writes.iter().all(|(key, _)| *key != OBJECT), "{writes:?}");
    assert!(scene.targets.unanswered().is_some());
    scene.reads_anew();
    assert_eq!(scene.targets.unanswered(), None);
    scene.aims(FIRM);
    assert_eq!((scene.target(), scene.targets.unanswered()), (Some(MAIN), None));
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
