//! Links that do not come: what is tried, and when it is given up.

use super::*;

/// Lets the time pass until there is something to write or nothing to wait for.
fn writes_later(scene: &mut Scene, aim: Option<Aim>) -> Writes {
    assert!(scene.writes(aim).is_empty(), "it is given its time");
    let Some(wake) = scene.targets.wake(scene.now) else { return Writes::new() };
    let is_linked = scene.model.linked_from(APP).next().is_some();
    assert_eq!(wake, scene.now + if is_linked { ARRIVAL } else { LINKING });
    scene.now = wake;
    scene.writes(aim)
}

/// Lets it be sent again behind that.
fn step_back(scene: &mut Scene) {
    assert!(scene.writes(FIRM).is_empty(), "not at once");
    assert_eq!(scene.targets.wake(scene.now), Some(scene.now + STEP_BACK));
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
    assert_eq!(scene.targets.wake(scene.now), None, "and nothing is waited for");
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
    for _ in 0..3 {
        assert!(scene.writes(FIRM).is_empty());
        assert_eq!(scene.targets.wake(scene.now), Some(scene.now + ASTRAY), "nobody hears it");
        scene.now += ASTRAY;
        let freed = scene.writes(FIRM);
        assert_eq!(freed, [(OBJECT, None)]);
        scene.carry_out(freed);
        step_back(&mut scene);
        assert!(scene.targets.is_astray(APP));
    }
    scene.model.add(50, Global::Link(Link { from_node: APP, to_node: 32, client: None }));
    assert!(scene.writes(FIRM).is_empty());
    assert!(!scene.targets.is_astray(APP));
    assert_eq!(scene.targets.wake(scene.now), None);
}

#[test]
fn what_is_waited_for_comes_though_the_metadata_is_read_anew_again_and_again() {
    let read_often = Duration::from_millis(200);
    for is_default in [false, true] {
        let mut scene = linked_scene(30);
        if is_default {
            scene.default_sink = MAIN;
        }
        scene.aims(FIRM);
        let (mut writes, before) = (scene.writes(FIRM), scene.now);
        while writes.is_empty() && scene.now < before + 2 * ARRIVAL {
            scene.now += read_often;
            scene.reads_anew();
            writes = scene.writes(FIRM);
        }
        assert!(!writes.is_empty(), "default: {is_default}");
        assert!(scene.now >= before + ARRIVAL);
        // Nor is the step back cut short by it.
        scene.carry_out(writes);
        if !is_default {
            scene.reads_anew();
            step_back(&mut scene);
        }
    }
}

#[test]
fn who_does_not_come_by_itself_is_sent_and_in_between_to_the_device() {
    let mut scene = linked_scene(30);
    scene.default_sink = MAIN;
    assert!(scene.writes(EASY).is_empty(), "it comes by itself");
    assert_eq!(scene.targets.wake(scene.now), Some(scene.now + ARRIVAL));
    scene.now += ARRIVAL;
    let sent = scene.writes(EASY);
    assert!(sent.contains(&(OBJECT, Some(MAIN.to_owned()))), "{sent:?}");
    scene.carry_out(sent);
    // That moves nothing where WirePlumber thinks that it is there.
    let aside = writes_later(&mut scene, EASY);
    assert_eq!(aside, [(OBJECT, Some("speakers".to_owned()))]);
    scene.carry_out(aside);
    scene.now += STEP_BACK;
    let again = scene.writes(EASY);
    assert_eq!(again, [(OBJECT, Some(MAIN.to_owned()))]);
    scene.carry_out(again);
    // Once it has come, nothing of it stays.
    scene.model.add(50, Global::Link(Link { from_node: APP, to_node: 32, client: None }));
    let freed = scene.writes(EASY);
    scene.carry_out(freed);
    assert!(scene.values.is_empty(), "{:?}", scene.values);
    assert_eq!(scene.targets.wake(scene.now), None);
}

#[test]
fn one_whose_time_has_passed_does_not_hide_when_another_is_due() {
    const OTHER: u32 = APP + 1;
    let mut scene = linked_scene(30);
    scene.targets.added(OTHER, scene.now - 2 * YOUNG);
    scene.targets.remember(OTHER, "hdmi", By::WirePlumber);
    scene.aims(FIRM);
    assert!(scene.writes(FIRM).is_empty());
    assert_eq!(scene.targets.wake(scene.now), Some(scene.now + ARRIVAL));
}

#[test]
fn while_nobody_answers_nothing_is_said_again() {
    let mut scene = linked_scene(30);
    // A WirePlumber that hangs says back nothing.
    assert!(!scene.writes(FIRM).is_empty());
    assert!(scene.writes(FIRM).is_empty());
    assert_eq!(scene.targets.wake(scene.now), None);
}
