//! Streams, and where rules, choices and what holds them send them.

use super::*;
use crate::graph::FixedBy;
use crate::state::identity::lasting;
use headroom_ipc::Match;

fn stream(app: &str) -> Stream {
    Stream {
        id: 90,
        app: app.into(),
        media_name: Some("So What - Miles Davis".into()),
        process_binary: Some("mpv".into()),
        application_name: Some(app.into()),
        portal_app_id: None,
        media_role: Some("Music".into()),
        pid: Some(4_242),
        route: Route::default(),
        routed_by: RoutedBy::Graph,
        bus: None,
        sink: None,
        contested: false,
        playing: true,
        channels: Some(2),
        rule: None,
        contest: None,
        volume_db: Vec::new(),
        muted: false,
        folded: None,
        own_volume: None,
    }
}

fn rule(app: &str, route: Route, origin: RuleOrigin) -> Rule {
    let matches = Match { application_name: vec![app.into()], ..Match::default() };
    Rule { matches, route, origin }
}

fn router(rules: Vec<Rule>, default_route: Route) -> Router {
    let mut router = Router::default();
    router.set_rules(&Rules { rules, default_route });
    router
}

fn decided(router: &Router, stream: &Stream) -> (Option<Route>, RoutedBy) {
    let decision = router.decide(stream);
    (decision.route.cloned(), decision.by)
}

#[test]
fn the_order_is_this_stream_then_the_user_then_the_profile_then_the_default() {
    let user = rule("mpv", Route::Protected, RuleOrigin::User);
    let profile = rule("m*", Route::Bypass, RuleOrigin::Profile);
    let mpv = stream("mpv");
    let mut router = router(vec![user, profile], Route::Processed);
    let other = stream("Firefox");
    let by_default = (Some(Route::Processed), RoutedBy::DefaultRoute);
    assert_eq!(decided(&router, &other), by_default);
    let by_profile = (Some(Route::Bypass), RoutedBy::Rule);
    assert_eq!(decided(&router, &stream("mpd")), by_profile);
    assert_eq!(decided(&router, &mpv), (Some(Route::Protected), RoutedBy::Rule));
    let place = |stream: &Stream| router.decide(stream).rule.map(|rule| (rule.origin, rule.number));
    assert_eq!(place(&mpv), Some((RuleOrigin::User, 1)));
    assert_eq!(place(&stream("mpd")), Some((RuleOrigin::Profile, 1)));
    assert_eq!(place(&other), None);
    router.choose(90, Some(Route::Processed));
    assert_eq!(decided(&router, &mpv), (Some(Route::Processed), RoutedBy::Pin));
    router.choose(90, None);
    assert_eq!(decided(&router, &mpv), (Some(Route::Protected), RoutedBy::Rule));
}

#[test]
fn what_holds_a_stream_gives_in_to_what_is_said_of_it_more_plainly() {
    let user = |router: &mut Router| {
        let rules = vec![rule("mpv", Route::Protected, RuleOrigin::User)];
        router.set_rules(&Rules { rules, default_route: Route::Processed });
    };
    let profile = |router: &mut Router| {
        let rules = vec![rule("mpv", Route::Protected, RuleOrigin::Profile)];
        router.set_rules(&Rules { rules, default_route: Route::Processed });
    };
    let chosen = |router: &mut Router| router.choose(90, Some(Route::Protected));
    // Who moves what: the default route, a rule of the profile, one of the user, a choice.
    for (tie, moves) in [
        (Tie::None, [true, true, true, true]),
        (Tie::Filter, [false, true, true, true]),
        (Tie::Chosen, [false, false, true, true]),
        (Tie::Fixed(FixedBy::DontMove), [false, false, false, false]),
    ] {
        let says: [&dyn Fn(&mut Router); 4] = [&|_| (), &profile, &user, &chosen];
        for (say, moves) in says.into_iter().zip(moves) {
            let mut router = router(Vec::new(), Route::Processed);
            router.set_tie(90, tie);
            say(&mut router);
            let (route, by) = decided(&router, &stream("mpv"));
            assert_eq!(route.is_some(), moves, "{tie:?}");
            assert_eq!(by == RoutedBy::Graph, !moves, "{tie:?}");
        }
    }
}

#[test]
fn a_title_or_a_number_in_a_name_is_no_part_of_the_name() {
    let router = router(vec![rule("mpv", Route::Bypass, RuleOrigin::User)], Route::Processed);
    for name in [
        "mpv",
        "mpv - So What - Miles Davis",
        "So What - Miles Davis \u{2014} mpv",
        "mpv (4242)",
        "mpv[4242]: So What - Miles Davis",
    ] {
        assert_eq!(decided(&router, &stream(name)).1, RoutedBy::Rule, "{name}");
    }
    for name in ["mpv 2", "mpv42424", "mpv - Kind of Blue", "xmpv"] {
        assert_eq!(decided(&router, &stream(name)).1, RoutedBy::DefaultRoute, "{name}");
    }
    // Neither is cut out of the midst of a name that happens to have it.
    let named = |name: &str, title: &str, pid| Stream {
        media_name: Some(title.into()),
        pid: Some(pid),
        ..stream(name)
    };
    for (name, title, pid) in [
        ("Music Player", "Music", 4_242),
        ("Player", "layer", 4_242),
        ("Half-Life 2", "Valve", 2),
        ("Studio 4242x", "x", 4_242),
    ] {
        let told = lasting(name, Some(title), Some(pid));
        assert_eq!(told, name, "{title} {pid}");
    }
    assert_eq!(lasting("Half-Life 2 [2]", None, Some(2)), "Half-Life 2");
    // Whatever it plays, and whichever process it is, it is the same app.
    let router =
        self::router(vec![rule("Music Player", Route::Bypass, RuleOrigin::User)], Route::Processed);
    for (title, pid) in [("Music", 77), ("Blue in Green", 1_234_567), ("a", 3)] {
        for name in [
            "Music Player".to_owned(),
            format!("Music Player - {title}"),
            format!("\u{201c}{title}\u{201d} | Music Player"),
            format!("Music Player [{pid}]"),
            format!("Music Player ({pid}): {title}"),
        ] {
            assert_eq!(decided(&router, &named(&name, title, pid)).1, RoutedBy::Rule, "{name}");
        }
    }
    // A name that is the title is a name.
    let titled = stream("So What - Miles Davis");
    let rules = vec![rule("So What*", Route::Bypass, RuleOrigin::User)];
    let router = self::router(rules, Route::Processed);
    assert_eq!(decided(&router, &titled).1, RoutedBy::Rule);
}

#[test]
fn the_graph_is_told_once_and_nothing_of_those_that_are_left_alone() {
    let mut router = router(Vec::new(), Route::Bypass);
    router.set_session(1);
    let streams = [stream("mpv")];
    let aims = router.aims(&streams).expect("news");
    assert_eq!((aims.session, aims.streams[&90].to), (1, Destination::Device));
    assert!(router.aims(&streams).is_none(), "nothing new");
    router.set_tie(90, Tie::Fixed(FixedBy::DontMove));
    assert!(router.aims(&streams).expect("news").streams.is_empty());
    // The same choice again is asked for again.
    router.set_tie(90, Tie::None);
    for _ in 0..2 {
        router.choose(90, Some(Route::Bypass));
        assert!(router.aims(&streams).is_some());
    }
    // Another connection knows none of them.
    router.set_session(2);
    assert!(!router.aims(&streams).expect("news").streams[&90].is_firm);
}

#[test]
fn what_was_chosen_for_a_stream_outlives_pipewire_if_it_is_surely_the_same() {
    let mut router = router(Vec::new(), Route::Processed);
    router.set_session(1);
    let twin = |id| Stream { id, pid: Some(7), ..stream("twin") };
    let before = [stream("mpv"), twin(91), twin(92)];
    router.choose(90, Some(Route::Bypass));
    router.choose(91, Some(Route::Bypass));
    router.await_again(&before);
    router.await_again(&[]);
    router.set_session(2);
    // The title is another by now, and so is the number of the stream.
    let again = Stream { id: 40, media_name: Some("Blue in Green".into()), ..stream("mpv") };
    let other = Stream { id: 41, pid: Some(4_243), ..stream("mpv") };
    for stream in [&other, &again, &twin(42), &twin(43)] {
        router.has_come(stream);
    }
    assert_eq!(decided(&router, &again), (Some(Route::Bypass), RoutedBy::Pin));
    for stream in [other, twin(42), twin(43)] {
        assert_eq!(decided(&router, &stream).1, RoutedBy::DefaultRoute, "{stream:?}");
    }
    // Once.
    router.has_come(&Stream { id: 44, ..again });
    assert!(!router.chosen.contains_key(&44));
}

#[test]
fn a_rule_that_is_set_again_asks_for_its_streams_again() {
    let mut router = router(Vec::new(), Route::Processed);
    let streams = [stream("mpv"), Stream { id: 91, ..stream("Firefox") }];
    let before = router.aims(&streams).expect("news");
    let matches = Match { application_name: vec!["mpv".into()], ..Match::default() };
    router.ask_again(&streams, &matches);
    let after = router.aims(&streams).expect("news");
    assert_ne!(before.streams[&90].asked, after.streams[&90].asked);
    assert_eq!(before.streams[&91], after.streams[&91]);
}
