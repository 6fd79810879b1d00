//! Who an app is, by every name that PipeWire has for it, and that this is so whatever it plays and
//! whichever process it is; and how long what was chosen for one stream of it holds.

use headroom_client::ipc::{Match, Route, RoutedBy, RuleOrigin, RulePlace, Stream};
use headroom_tests::{Graph, on_every_generation};

use crate::apps::{play, programme, routed, told};
use crate::control::{steered, typed};
use crate::setting::{BUS, DEVICE, MASTER};

/// An app whose process is said to have this number.
const PID: &str = "4242";

/// The rules are in an order in which the first that matches must count.
const PROFILE: &str = "\
name = \"who\"
description = \"Names apps in every way\"
[[rules]]
match = { media_role = [\"Communication\"] }
route = \"protected\"
[[rules]]
match = { portal_app_id = [\"org.example.*\"] }
route = \"protected\"
[[rules]]
match = { application_name = [\"mpv\"], process_binary = [\"pw-c?t\"] }
route = \"processed\"
[[rules]]
match = { application_name = [\"m*\"] }
route = \"protected\"
[default_route]
route = \"bypass\"
";

fn rule(origin: RuleOrigin, number: u32) -> Option<RulePlace> {
    Some(RulePlace { origin, number })
}

#[test]
fn an_app_is_known_by_every_name_whatever_it_plays_and_whichever_process_it_is() {
    on_every_generation(|generation| {
        let graph = Graph::start(generation);
        let profile = graph.directory().join("who.toml");
        std::fs::write(&profile, PROFILE).expect("written");
        let profile = profile.to_str().expect("text");
        let (_daemon, mut client, place) = steered(&graph, &["--profile", profile]);
        // A call, one in a sandbox, and one that is called much like another.
        let call = play(&graph, "call", &[("media.role", "Communication")]);
        let portal = ("pipewire.access.portal.app_id", "org.example.Player");
        let sandboxed = play(&graph, "sandboxed", &[portal]);
        let other = play(&graph, "mpd", &[]);
        for app in [&call, &sandboxed, &other] {
            app.wait_until_linked_to(MASTER);
        }
        // One app, by five names. What `pw-cat` plays it calls by its file.
        let file = graph.audio_file("So What - Miles Davis.wav");
        std::fs::copy(programme(&graph), &file).expect("copied");
        let title = file.to_str().expect("text");
        let titled = |node: &str, name: &str| {
            let play = graph.play(&file).name(node).property("application.name", name);
            play.property("application.process.id", PID).start()
        };
        let names = [
            "mpv".to_owned(),
            format!("mpv - {title}"),
            format!("{title} | mpv"),
            format!("mpv [{PID}]"),
            format!("mpv-{PID}: {title}"),
        ];
        let apps: Vec<_> =
            names.iter().enumerate().map(|(n, name)| titled(&format!("n{n}"), name)).collect();
        for app in &apps {
            app.wait_until_linked_to(BUS);
        }
        let seen = |app: &str, sink: &str, client: &mut headroom_client::Client| {
            let is_there = |stream: &Stream| stream.sink.as_deref() == Some(sink);
            told(&graph, client, app, is_there)
        };
        let stream = seen("call", MASTER, &mut client);
        assert_eq!(stream.media_role.as_deref(), Some("Communication"));
        assert_eq!(stream.rule, rule(RuleOrigin::Profile, 1));
        let stream = seen("sandboxed", MASTER, &mut client);
        assert_eq!(stream.portal_app_id.as_deref(), Some("org.example.Player"));
        assert_eq!(stream.rule, rule(RuleOrigin::Profile, 2));
        assert_eq!(seen("mpd", MASTER, &mut client).rule, rule(RuleOrigin::Profile, 4));
        let streams = client.stream_list().expect("streams").streams;
        let mpv: Vec<&Stream> = streams.iter().filter(|stream| stream.app == "mpv").collect();
        assert_eq!(mpv.len(), names.len(), "{streams:#?}");
        for stream in &mpv {
            assert_eq!(stream.media_name.as_deref(), Some(title));
            let is_first = (stream.rule, stream.pid, stream.process_binary.as_deref());
            assert_eq!(is_first, (rule(RuleOrigin::Profile, 3), Some(4_242), Some("pw-cat")));
        }
        // `why` knows each of them by all its names.
        for (name, count) in [("mpv", names.len()), ("ORG.example.*", 1), ("call", 1)] {
            assert_eq!(client.why_app(name).expect("it plays").streams.len(), count, "{name}");
        }
        let said = typed(&graph, &place, &["why", "org.example.Player"]);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("portal org.example.Player, role Music"), "{said}");

        // A route of the user is for all of it; a bus has a name, too.
        typed(&graph, &place, &["route", "set", "mpv", "bypass"]);
        for app in &apps {
            app.wait_until_linked_to(DEVICE);
        }
        let matches = Match { application_name: vec!["mpv".into()], ..Match::default() };
        let to_bus = Route::Bus("main".into());
        let set = client.route_set(matches, to_bus).expect("there is such a bus");
        for app in &apps {
            app.wait_until_linked_to(BUS);
        }
        let by_rule = routed(&graph, &mut client, "mpv", BUS);
        assert_eq!(by_rule, (set.route, RoutedBy::Rule));

        // What is chosen for one stream is for that one, for as long as it lives and whatever is
        // decided anew meanwhile.
        let id = seen("mpd", MASTER, &mut client).id;
        typed(&graph, &place, &["route", "stream", &id.to_string(), "processed"]);
        other.wait_until_linked_to(BUS);
        typed(&graph, &place, &["route", "set", "mpd", "bypass"]);
        client.profile_use("bypass-all").expect("used");
        sandboxed.wait_until_linked_to(DEVICE);
        client.profile_reload().expect("read");
        let chosen = (Route::Processed, RoutedBy::Pin);
        assert_eq!(routed(&graph, &mut client, "mpd", BUS), chosen);
        other.wait_until_linked_to(BUS);
        other.stop();
        let other = play(&graph, "mpd", &[]);
        other.wait_until_linked_to(DEVICE);
        let by_rule = (Route::Bypass, RoutedBy::Rule);
        assert_eq!(routed(&graph, &mut client, "mpd", DEVICE), by_rule);
    });
}
