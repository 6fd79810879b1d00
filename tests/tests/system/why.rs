//! To be told why an app sounds as it does, of real apps.

use headroom_client::Client;
use headroom_client::ipc::{Chain, Decider, Match, OwnVolume, Route, Stream, StreamWhy};
use headroom_tests::{Graph, on_every_generation};

use crate::control::{steered, typed};
use crate::setting::{BUS, DEVICE, RATE_HZ, tones};

/// Why the only stream of an app sounds as it does, once it is as wanted.
fn told(
    graph: &Graph,
    client: &mut Client,
    app: &str,
    is_it: impl Fn(&StreamWhy) -> bool,
) -> StreamWhy {
    graph.wait_for(&format!("{app} to be told of as wanted"), |_| {
        let why = client.why_app(app).ok()?;
        why.streams.into_iter().find(|stream| is_it(stream))
    })
}

/// Whether what is said of the parts is what is said of the whole, on a tone.
fn adds_up(chain: &Chain) -> bool {
    let parts = || {
        let given = chain.agc_gain_db? + chain.compressor_makeup_db?;
        let taken = chain.guard_reduction_db? + chain.compressor_reduction_db?;
        Some(given - taken - chain.limiter_reduction_db?)
    };
    chain.gain_db.zip(parts()).is_some_and(|(gain_db, parts_db)| (gain_db - parts_db).abs() < 0.5)
}

/// Whether what comes out is what goes in and the gain, of a tone that nothing else is heard beside.
fn is_accounted_for(chain: &Chain) -> bool {
    let known = chain.input_lufs.zip(chain.output_lufs).zip(chain.gain_db);
    known.is_some_and(|((input, output), gain_db)| {
        input > -70.0 && (output - input - gain_db).abs() < 1.0
    })
}

/// Whether it is said of a stream that its own volume is approximate.
fn is_approximate(why: &StreamWhy) -> bool {
    let said = "the volume of the app itself is approximate";
    let is_noted = why.notes.iter().any(|note| note.contains(said));
    assert_eq!(is_noted, why.stream.own_volume == Some(OwnVolume::Approximate), "{why:?}");
    is_noted
}

#[test]
fn why_names_the_line_that_decides_and_measures_what_is_done() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let profile = graph.directory().join("few.toml");
        let text = "name = \"few\"\ndescription = \"Levels what it names\"\n\n\
                    [[rules]]\nmatch = { application_name = [\"cha*\"] }\nroute = \"processed\"\n\
                    [default_route]\nroute = \"bypass\"\n";
        std::fs::write(&profile, text).expect("written");
        let path = profile.to_str().expect("text");
        let (_daemon, mut client, place) = steered(&graph, &["--profile", path]);
        let would = client.why_app("chat").expect("a rule names it").expected.expect("it is quiet");
        assert_eq!((would.by, would.line), (Decider::ProfileRule, Some(4)));

        let file = graph.write_programme("tones.wav", RATE_HZ, &tones(240.0, 0.028));
        let play =
            |name: &str| graph.play(&file).name(name).property("application.name", name).start();
        let chat = play("chat");
        chat.wait_until_linked_to(BUS);
        let game = play("game");
        game.wait_until_linked_to(DEVICE);
        let why = told(&graph, &mut client, "CHAT", |why| {
            why.chain.as_ref().is_some_and(|chain| adds_up(chain) && is_accounted_for(chain))
        });
        // Who it is, by every name.
        let Stream { process_binary, application_name, media_role, .. } = &why.stream;
        let names = [process_binary, application_name, media_role].map(|name| name.as_deref());
        assert_eq!(names, [Some("pw-cat"), Some("chat"), Some("Music")]);
        assert!(!is_approximate(&why) && why.stream.own_volume == Some(OwnVolume::Kept));
        assert_eq!(why.decided.by, Decider::ProfileRule);
        assert_eq!((why.decided.path.as_deref(), why.decided.line), (Some(path), Some(4)));
        assert_eq!(why.stream.sink.as_deref(), Some(BUS));
        let chain = why.chain.expect("a chain");
        assert_eq!((chain.bus.as_deref(), chain.streams), (Some("main"), 1));
        assert!(chain.latency_frames > 0, "{chain:?}");
        let device = client.status().expect("a status").device;
        let late = (chain.latency_frames, chain.latency_ms);
        assert_eq!(late, (device.latency_frames, device.latency_ms));
        let said = typed(&graph, &place, &["why", "chat"]);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let numbers = format!("({} frames)", chain.latency_frames);
        for part in ["app chat, role Music", &format!("{path}:4"), BUS, " LUFS, out ", &numbers] {
            assert!(said.contains(part), "no {part:?} in {said}");
        }
        let why = told(&graph, &mut client, "game", |why| why.stream.playing);
        assert_eq!((why.decided.by, why.decided.line), (Decider::DefaultRoute, Some(8)));
        assert_eq!((why.chain, why.stream.sink.as_deref()), (None, Some(DEVICE)));

        // What the user says stands in the file that remembers it.
        let matches = Match { application_name: vec!["game".into()], ..Match::default() };
        client.route_set(matches, Route::Processed).expect("set");
        let why = told(&graph, &mut client, "game", |why| {
            why.chain.as_ref().is_some_and(|chain| chain.streams == 2)
        });
        assert_eq!(why.decided.by, Decider::UserRule);
        let state = why.decided.path.expect("a file");
        assert!(state.ends_with("headroom/state.toml"), "{state}");
        let line = why.decided.line.expect("a line") as usize;
        graph.wait_for("the line to be in the file", |_| {
            let text = std::fs::read_to_string(&state).ok()?;
            let rest: Vec<&str> = text.lines().skip(line - 1).collect();
            let is_it = rest.first() == Some(&"[[routes]]")
                && rest.iter().any(|line| line.contains("game"));
            is_it.then_some(())
        });
        let is_shared = |note: &String| note.contains("2 streams share the bus");
        assert!(why.notes.iter().any(is_shared), "{:?}", why.notes);
        // What their own sliders say is approximate for as long as they share it.
        for app in ["game", "chat"] {
            told(&graph, &mut client, app, is_approximate);
        }
        let said = typed(&graph, &place, &["why", "chat"]);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("by the app's own slider, approximately"), "{said}");
        game.stop();
        told(&graph, &mut client, "chat", |why| {
            !is_approximate(why) && why.stream.own_volume == Some(OwnVolume::Kept)
        });
    });
}
