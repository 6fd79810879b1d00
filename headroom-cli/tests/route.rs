//! `headroom route`, against a scripted daemon: what goes over the socket, and what is printed.

#![allow(clippy::unwrap_used, reason = "a script that goes wrong fails its test")]

mod harness;
mod scripted;

use headroom_client::ipc::*;
use scripted::{Daemon, stream};

fn rule(matches: Match, route: Route, origin: RuleOrigin) -> Rule {
    Rule { matches, route, origin }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn rules() -> Rules {
    let program = Match { process_binary: texts(&["steam*"]), ..Match::default() };
    let call = Match {
        application_name: texts(&["WEBRTC VoiceEngine", "Mumble"]),
        media_role: texts(&["Communication"]),
        ..Match::default()
    };
    Rules {
        rules: vec![
            rule(program, Route::Protected, RuleOrigin::User),
            rule(call, Route::Processed, RuleOrigin::Profile),
        ],
        default_route: Route::Bypass,
    }
}

#[test]
fn list_shows_the_rules_what_plays_and_why_it_goes_there_in_80_columns() {
    let daemon = Daemon::new();
    let run = daemon.run(&["route", "list"], |peer| {
        peer.answer("route.list", &rules());
        let pinned = Stream { routed_by: RoutedBy::Pin, route: Route::Bypass, ..stream() };
        let moved = Stream { id: 1_413, contested: true, process_binary: None, ..stream() };
        peer.answer("stream.list", &Streams { streams: vec![stream(), pinned, moved] });
    });
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(
        run.stdout,
        "\
The first rule that matches counts:
protected   program steam* (yours)
processed   app WEBRTC VoiceEngine or Mumble, role Communication (of the
            profile)
bypass      everything else

    ID  App                     Program          Route       Because
   412  mpv                     mpv              processed   no rule matches
   412  mpv                     mpv              bypass      you chose
  1413  mpv                     -                processed   contested
"
    );
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
    }
}

fn program(name: &str) -> Match {
    Match { process_binary: texts(&[name]), ..Match::default() }
}

/// What is sent when something is typed, and what is printed: the streams that are there before and
/// after, and the rule that is to be made of it.
fn set(typed: &[&str], streams: Vec<Stream>, wanted: Match) -> harness::Run {
    let typed = [&["route", "set"], typed, &["bypass"]].concat();
    Daemon::new().run(&typed, move |peer| {
        peer.answer("stream.list", &Streams { streams: streams.clone() });
        let request = peer.request().unwrap();
        let call = RouteSet { matches: wanted.clone(), route: Route::Bypass };
        assert_eq!(request.op, call.into());
        let set = rule(wanted, Route::Bypass, RuleOrigin::User);
        peer.send(&ServerFrame::reply(request.id, &set));
        let by_rule = |stream| Stream { route: Route::Bypass, routed_by: RoutedBy::Rule, ..stream };
        let streams = streams.into_iter().map(by_rule).collect();
        peer.answer("stream.list", &Streams { streams });
    })
}

#[test]
fn set_says_what_was_meant_by_whatever_name_it_shows() {
    let shown = || Stream {
        app: "Firefox".into(),
        process_binary: Some("firefox-bin".into()),
        application_name: Some("Firefox".into()),
        ..stream()
    };
    let app = Match { application_name: texts(&["Firefox"]), ..Match::default() };
    for (typed, wanted, named) in [
        ("firefox-bin", program("firefox-bin"), "program firefox-bin"),
        ("Firefox", app.clone(), "app Firefox"),
        ("firefox", app, "app Firefox"),
    ] {
        let run = set(&[typed], vec![shown()], wanted);
        assert_eq!(
            run.stdout,
            format!("{named}: bypass\nFirefox (412): bypass, a rule\n"),
            "{run}"
        );
        assert_eq!(run.stderr, "", "{run}");
    }
    // Nothing of that name: the rule is made, and that is said.
    let run = set(&["Fierfox"], vec![shown()], program("Fierfox"));
    assert_eq!(run.stdout, "program Fierfox: bypass\n", "{run}");
    assert!(run.stderr.contains("nothing that is there now is meant, did you mean \"Firefox\"?"));
    assert!(run.stderr.contains("kept for a program of that name; --app"), "{run}");
    // A kind that was named is sent as it was typed.
    let call = Match {
        application_name: texts(&["WEBRTC*", "Mumble"]),
        media_role: texts(&["Communication"]),
        ..Match::default()
    };
    let kinds = ["--app", "WEBRTC*", "--app", "Mumble", "--role", "Communication"];
    let run = set(&kinds, vec![shown()], call);
    assert_eq!(run.stdout, "app WEBRTC* or Mumble, role Communication: bypass\n", "{run}");
    assert!(run.stderr.contains("the rule is kept for when it comes"), "{run}");
}

#[test]
fn a_rule_is_made_without_pipewire_too() {
    let run = Daemon::new().run(&["route", "set", "mpv", "bypass"], |peer| {
        let request = peer.request().unwrap();
        let error = Error::new(Code::Unavailable, "there is no PipeWire");
        peer.send(&ServerFrame::error(request.id, &error));
        peer.answer("route.set", &rule(program("mpv"), Route::Bypass, RuleOrigin::User));
    });
    assert_eq!((&*run.stdout, &*run.stderr), ("program mpv: bypass\n", ""), "{run}");
}

#[test]
fn unset_finds_the_rule_by_the_name_that_it_was_made_with() {
    let app = Match { application_name: texts(&["Firefox"]), ..Match::default() };
    let rules = Rules {
        rules: vec![
            rule(app.clone(), Route::Bypass, RuleOrigin::User),
            rule(program("mpv"), Route::Bypass, RuleOrigin::User),
        ],
        ..rules()
    };
    for (typed, wanted, named) in
        [("mpv", program("mpv"), "program mpv"), ("firefox", app, "app Firefox")]
    {
        let rules = rules.clone();
        let run = Daemon::new().run(&["route", "unset", typed], move |peer| {
            peer.answer("route.list", &rules);
            let request = peer.request().unwrap();
            assert_eq!(request.op, RouteUnset { matches: wanted }.into());
            peer.send(&ServerFrame::reply(request.id, &Rules::default()));
        });
        assert_eq!(run.stdout, format!("{named}: no rule of yours any more\n"), "{run}");
    }
    let run = Daemon::new().run(&["route", "unset", "mvp"], move |peer| {
        peer.answer("route.list", &rules);
    });
    run.refused(1, &["there is no rule of yours about \"mvp\", did you mean \"mpv\"?"]);
    assert!(run.stderr.contains("hint: headroom route list shows your rules"), "{run}");
}

#[test]
fn a_stream_is_sent_and_let_go_again() {
    let daemon = Daemon::new();
    for (word, route, by, said) in [
        ("protected", Some(Route::Protected), RoutedBy::Pin, "mpv (412): protected, you chose\n"),
        ("auto", None, RoutedBy::DefaultRoute, "mpv (412): processed, no rule matches\n"),
    ] {
        let run = daemon.run(&["route", "stream", "412", word], move |peer| {
            let request = peer.request().unwrap();
            assert_eq!(request.op, RouteStream { stream: 412, route: route.clone() }.into());
            let route = route.unwrap_or(Route::Processed);
            let sent = Stream { route, routed_by: by, ..stream() };
            peer.send(&ServerFrame::reply(request.id, &sent));
        });
        assert_eq!(run.stdout, said, "{run}");
    }
}

#[test]
fn what_cannot_be_meant_is_said_with_what_can() {
    let daemon = Daemon::new();
    let run = daemon.run_alone(&["route", "set", "bypass"]);
    run.refused(2, &["nobody is named: give an APP, --app, --portal or --role"]);
    assert!(run.stderr.contains("hint: headroom route list"), "{run}");
    let run = daemon.run_alone(&["route", "set", "mpv", "By Pass"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("\"processed\", \"protected\", \"bypass\""), "{run}");
    let run = daemon.run_alone(&["route", "list"]);
    run.refused(3, &["headroomd is not running"]);
    let run = daemon.run(&["route", "unset", "--app", "mpv"], |peer| {
        let request = peer.request().unwrap();
        let text = "there is no rule of the user with this match: \"route.list\" lists the rules";
        let error = Error::new(Code::NotFound, text);
        peer.send(&ServerFrame::error(request.id, &error));
    });
    run.refused(1, &["with this match: \"headroom route list\" lists the rules"]);
}
