//! Why an app goes where it goes, from a state that is made up.

use headroom_daemon::graph::{
    Facts, FixedBy, GraphEvent, InsertId, Seen, SinkSeen, StreamSeen, Tie,
};
use headroom_daemon::step::Input;
use headroom_ipc::{
    Code, Decider, Match, ProfileUse, Route, RouteSet, RouteStream, StreamWhy, Why, WhyCall,
};
use headroom_profile::Folders;

use crate::daemon::Daemon;
use crate::peer::Peer;

const MAIN: &str = "headroom.main";

fn stream(serial: u64, app: &str, tie: Tie, sink: &str) -> StreamSeen {
    StreamSeen {
        serial,
        app: Facts {
            application_name: Some(app.into()),
            process_binary: Some(app.to_lowercase()),
            ..Facts::default()
        },
        sink: Some(sink.into()),
        playing: true,
        channels: Some(2),
        tie,
        ..StreamSeen::default()
    }
}

fn show(daemon: &Daemon, streams: Vec<StreamSeen>) {
    let channels = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let sink = |serial, name: &str, names: &[&str]| SinkSeen {
        serial,
        name: name.into(),
        channels: channels(names),
        ..SinkSeen::default()
    };
    let sinks = vec![sink(30, "alsa", &["FL", "FR"]), sink(31, MAIN, &["FL", "FR"])];
    let seen = Seen { session: 3, streams, sinks, ..Seen::default() };
    for event in [
        GraphEvent::Connected { server: "1.4.2".into(), library: "1.4.2".into() },
        GraphEvent::Census(Box::new(seen)),
        GraphEvent::Running { insert: InsertId::Main, running: true },
        GraphEvent::Latency { frames: 96, rate_hz: 48_000 },
    ] {
        daemon.engine.step(Input::Graph(&event));
    }
}

fn of(peer: &mut Peer, app: &str) -> StreamWhy {
    let Why { mut streams, more, expected } = peer.call(&WhyCall::App(app.into())).expect("known");
    assert_eq!((streams.len(), more, &expected), (1, 0, &None), "{app}");
    streams.remove(0)
}

#[test]
fn it_names_the_rule_with_its_file_and_line() {
    let folder = tempfile::tempdir().expect("a directory");
    let text = "name = \"mine\"\ndescription = \"d\"\n\n\
                [[rules]]\nmatch = { process_binary = [\"x\"] }\nroute = \"bypass\"\n\n\
                # The one.\n[[rules]]\nroute = \"protected\"\n\
                match = { process_binary = [\"y\", \"mp*\"], application_name = [\"MPV\"] }\n\
                [default_route]\nroute = \"bypass\"\n";
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, text).expect("written");
    let daemon = Daemon::with_folders(Folders::only(&[folder.path().to_owned()]), "mine");
    let mut peer = daemon.peer();
    show(
        &daemon,
        vec![
            stream(90, "MPV", Tie::None, MAIN),
            stream(91, "Other", Tie::None, "alsa"),
            stream(92, "Fixed", Tie::Fixed(FixedBy::DontMove), "alsa"),
            stream(93, "Put", Tie::Chosen, "alsa"),
        ],
    );
    // By whatever name, in whatever letters.
    let decided = of(&mut peer, "mpv").decided;
    assert_eq!(decided, of(&mut peer, "MP?").decided);
    assert_eq!(decided.by, Decider::ProfileRule);
    assert_eq!(decided.route, Some(Route::Protected));
    let path = file.to_str().map(str::to_owned);
    assert_eq!((decided.path, decided.line), (path.clone(), Some(9)));
    let matched = Match {
        process_binary: vec!["mp*".into()],
        application_name: vec!["MPV".into()],
        ..Match::default()
    };
    assert_eq!(decided.matched, Some(matched));
    let decided = of(&mut peer, "other").decided;
    assert_eq!((decided.by, decided.path, decided.line), (Decider::DefaultRoute, path, Some(13)));
    for (app, by) in [("fixed", Decider::NotMovable), ("put", Decider::ChosenElsewhere)] {
        let decided = of(&mut peer, app).decided;
        assert_eq!((decided.by, decided.route), (by, None), "{app}");
    }
    assert!(of(&mut peer, "fixed").decided.because.contains("node.dont-move"));
    // What somebody says goes before, and says where it stands.
    let matches = Match { process_binary: vec!["mpv".into()], ..Match::default() };
    peer.call(&RouteSet { matches, route: Route::Bypass }).expect("set");
    let decided = of(&mut peer, "mpv").decided;
    assert_eq!(
        (decided.by, decided.route, decided.line),
        (Decider::UserRule, Some(Route::Bypass), None)
    );
    peer.call(&RouteStream { stream: 90, route: Some(Route::Processed) }).expect("sent");
    assert_eq!(of(&mut peer, "mpv").decided.by, Decider::Pin);
    // What moves in the file moves here.
    let by_profile = |peer: &mut Peer| of(peer, "other").decided.line;
    std::fs::write(&file, format!("# A comment\n{text}")).expect("written");
    peer.call(&headroom_ipc::ProfileReload {}).expect("read");
    assert_eq!(by_profile(&mut peer), Some(14));
    peer.call(&ProfileUse { name: "gaming".into() }).expect("used");
    let decided = of(&mut peer, "other").decided;
    assert_eq!((decided.profile.as_deref(), decided.path), (Some("gaming"), None));
    assert!(decided.line.is_some(), "a line of the profile in the program");
}

#[test]
fn an_app_that_does_not_play_is_told_what_would_decide() {
    let daemon = Daemon::with_profile(Default::default(), "gaming");
    let mut peer = daemon.peer();
    let unavailable = peer.call(&WhyCall::App("mumble".into())).expect_err("no PipeWire");
    assert_eq!(unavailable.code, Code::Unavailable);
    show(&daemon, vec![stream(90, "Firefox", Tie::None, "alsa")]);
    let why = peer.call(&WhyCall::App("mumble".into())).expect("a rule names it");
    assert_eq!(why.streams, []);
    let expected = why.expected.expect("what would decide");
    assert_eq!((expected.by, expected.route), (Decider::ProfileRule, Some(Route::Processed)));
    let named = expected.matched.expect("the pattern");
    assert_eq!(named.process_binary, ["mumble"]);
    let error = peer.call(&WhyCall::App("Firefix".into())).expect_err("nobody knows it");
    assert_eq!(error.code, Code::NotFound);
    assert_eq!(error.details.and_then(|details| details.nearest).as_deref(), Some("Firefox"));
    let said =
        "an app like that is bypass, by the default route of the shipped profile gaming, line";
    assert!(error.message.contains(said), "{}", error.message);
    let error = peer.call(&WhyCall::Stream(7)).expect_err("there is none");
    assert_eq!(
        (error.code, error.details.and_then(|d| d.field)),
        (Code::NotFound, Some("stream".into()))
    );
}

#[test]
fn it_says_what_is_shared_folded_and_bypassed() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    let mut film = stream(90, "Film", Tie::None, MAIN);
    show(&daemon, vec![film.clone()]);
    let alone = of(&mut peer, "film");
    assert_eq!(alone.notes, [""; 0]);
    let chain = alone.chain.expect("it goes through the bus");
    assert_eq!((chain.bus.as_deref(), chain.streams, chain.latency_frames), (Some("main"), 1, 96));
    film.channels = Some(6);
    film.folded_to = Some(2);
    film.on_its_bus = 2;
    show(&daemon, vec![film, stream(91, "Other", Tie::None, MAIN)]);
    peer.call(&headroom_ipc::BypassSet { bypass: headroom_ipc::BypassTo::On }).expect("on");
    let shared = of(&mut peer, "film");
    assert_eq!(shared.chain.expect("a chain").streams, 2);
    let status = peer.call(&headroom_ipc::StatusCall {}).expect("a status");
    let in_status = status.streams.iter().find(|stream| stream.app == "Film").expect("it plays");
    assert_eq!(in_status.folded, shared.stream.folded);
    assert_eq!(in_status.folded, Some(headroom_ipc::Fold { from: 6, to: 2 }));
    for said in [
        "bypass is on",
        "2 streams share the bus",
        "the volume of the app itself is approximate",
        "6 channels are folded into 2,",
    ] {
        assert!(shared.notes.iter().any(|note| note.contains(said)), "{said}: {:?}", shared.notes);
    }
    show(&daemon, vec![stream(92, "Past", Tie::None, "alsa")]);
    assert_eq!(of(&mut peer, "past").chain, None);
}
