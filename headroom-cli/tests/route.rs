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

#[test]
fn set_and_unset_send_what_was_typed() {
    let daemon = Daemon::new();
    let typed: [(&[&str], Match); 2] = [
        (&["mpv"], Match { process_binary: texts(&["mpv"]), ..Match::default() }),
        (
            &["--app", "WEBRTC*", "--app", "Mumble", "--role", "Communication"],
            Match {
                application_name: texts(&["WEBRTC*", "Mumble"]),
                media_role: texts(&["Communication"]),
                ..Match::default()
            },
        ),
    ];
    for (who, matches) in typed {
        let named = print_of(&matches);
        let wanted = matches.clone();
        let run = daemon.run(&[&["route", "set"], who, &["bypass"]].concat(), move |peer| {
            let request = peer.request().unwrap();
            let call = RouteSet { matches: wanted.clone(), route: Route::Bypass };
            assert_eq!(request.op, call.into());
            let set = rule(wanted, Route::Bypass, RuleOrigin::User);
            peer.send(&ServerFrame::reply(request.id, &set));
        });
        assert_eq!(run.stdout, format!("{named}: bypass\n"), "{run}");
        let run = daemon.run(&[&["route", "unset"], who].concat(), move |peer| {
            let request = peer.request().unwrap();
            assert_eq!(request.op, RouteUnset { matches }.into());
            peer.send(&ServerFrame::reply(request.id, &Rules::default()));
        });
        assert_eq!(run.stdout, format!("{named}: no rule of yours any more\n"), "{run}");
    }
}

fn print_of(matches: &Match) -> &'static str {
    if matches.process_binary.is_empty() {
        "app WEBRTC* or Mumble, role Communication"
    } else {
        "program mpv"
    }
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
    run.refused(2, &["nobody is named: give a PROGRAM, --app, --portal or --role"]);
    assert!(run.stderr.contains("hint: headroom route list"), "{run}");
    let run = daemon.run_alone(&["route", "set", "mpv", "By Pass"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("\"processed\", \"protected\", \"bypass\""), "{run}");
    let run = daemon.run_alone(&["route", "list"]);
    run.refused(3, &["headroomd is not running"]);
    let run = daemon.run(&["route", "unset", "mpv"], |peer| {
        let request = peer.request().unwrap();
        let error = Error::new(Code::NotFound, "there is no rule of the user with this match");
        peer.send(&ServerFrame::error(request.id, &error));
    });
    run.refused(1, &["there is no rule of the user with this match"]);
    assert!(run.stderr.contains("hint: headroom route list shows your rules"), "{run}");
}
