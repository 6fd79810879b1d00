//! The verbs that talk to the daemon, against a scripted one: what goes over the socket, what is
//! printed, and how it ends.

#![allow(clippy::unwrap_used, reason = "a script that goes wrong fails its test")]

mod harness;
mod scripted;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use headroom_client::ipc::*;
use scripted::{Daemon, state, status};

#[test]
fn status_shows_what_a_person_asks_first_in_80_columns_and_without_colour() {
    let daemon = Daemon::new();
    let run = daemon.run(&["status"], |peer| peer.answer("status", &status()));
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(
        run.stdout,
        "\
headroomd 0.1.0, up 1 d 0 h, protocol 1, pid 4121

Profile    night
Bypass     off
Device     Built-in Audio, 48 kHz, quantum 1024, latency +2.3 ms
PipeWire   1.4.2, WirePlumber 0.5.8
Overrides  agc.target_lufs = -16.5 LUFS (profile: -18 LUFS)
           compressor.detector = rms (profile: peak)

App                       Route        Bus            Gain  Plays
mpv Media Player          processed    main       +10.8 dB  A film of some leng…
音楽プレーヤー            protected    -            0.0 dB
Firefox  [31m             processed    main              -  (silent)
Ardour                    bypass       -                 -  contested

! Ardour (431) is contested: something else moves it away from its route
  (headroom why 431 says more)
! profile.night: limiter.oversample was read as 4, because 5 is none of 4, 8 and
  16
"
    );
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
    }
    assert!(!run.stdout.contains('\x1b'), "{run}");
}

#[test]
fn status_says_which_channels_are_folded() {
    let daemon = Daemon::new();
    let mut folded = status();
    folded.streams[0].folded = Some(Fold { from: 6, to: 2 });
    let run = daemon.run(&["status"], move |peer| peer.answer("status", &folded));
    let line = "mpv Media Player: its 6 channels are folded into 2, for there are no more";
    assert!(run.stdout.lines().any(|shown| shown == line), "{run}");
    let run = daemon.run(&["status"], |peer| peer.answer("status", &status()));
    assert!(!run.stdout.contains("folded"), "{run}");
}

#[test]
fn status_tells_an_override_that_is_set_aside_from_one_in_force_and_why() {
    let daemon = Daemon::new();
    let run = daemon.run(&["status"], |peer| {
        let mut status = status();
        status.overrides[0].in_force = false;
        status.warnings = vec![
            Warning { about: "setting.agc.target_lufs".into(), message: "it is set aside".into() },
            Warning {
                about: "profile.mine".into(),
                message: "/home/ada/mine.toml:3:1: unknown key `agc.target_luf`".into(),
            },
        ];
        peer.answer("status", &status);
    });
    for line in [
        "Overrides  agc.target_lufs = -16.5 LUFS (profile: -18 LUFS, set aside)\n",
        "           compressor.detector = rms (profile: peak)\n",
        "\n! setting.agc.target_lufs: it is set aside\n",
        "\n! profile.mine: /home/ada/mine.toml:3:1: unknown key `agc.target_luf`\n",
    ] {
        assert!(run.stdout.contains(line), "no {line:?} in {run}");
    }
}

#[test]
fn status_says_what_is_missing() {
    let daemon = Daemon::new();
    let run = daemon.run(&["status"], |peer| {
        let graph = Graph { library_version: Some("1.4.2".into()), ..Graph::default() };
        let status = Status {
            graph,
            bypass: true,
            device: Device::default(),
            device_description: None,
            streams: Vec::new(),
            overrides: Vec::new(),
            warnings: Vec::new(),
            ..status()
        };
        peer.answer("status", &status);
    });
    for line in [
        "Bypass     on: the sound passes untouched\n",
        "Device     none\n",
        "PipeWire   is not running\n",
        "No app has opened a stream.\n",
    ] {
        assert!(run.stdout.contains(line), "no {line:?} in {run}");
    }
}

#[test]
fn json_is_the_protocols_own() {
    let daemon = Daemon::new();
    let run = daemon.run(&["status", "--json"], |peer| peer.answer("status", &status()));
    assert_eq!(serde_json::from_str::<Status>(&run.stdout).unwrap(), status());

    let run = daemon.run(&["bypass", "on", "--json"], |peer| {
        let request = peer.request().unwrap();
        assert_eq!(request.op, BypassSet { bypass: BypassTo::On }.into());
        peer.send(&ServerFrame::reply(request.id, &Bypass { bypass: true }));
    });
    assert_eq!(serde_json::from_str::<Bypass>(&run.stdout).unwrap(), Bypass { bypass: true });
}

#[test]
fn bypass_says_what_holds_now() {
    let daemon = Daemon::new();
    for (word, to, now) in [
        ("on", BypassTo::On, true),
        ("off", BypassTo::Off, false),
        ("toggle", BypassTo::Toggle, true),
    ] {
        let run = daemon.run(&["bypass", word], move |peer| {
            let request = peer.request().unwrap();
            assert_eq!(request.op, BypassSet { bypass: to }.into());
            peer.send(&ServerFrame::reply(request.id, &Bypass { bypass: now }));
        });
        assert_eq!(run.stdout, format!("bypass is {}\n", if now { "on" } else { "off" }), "{run}");
    }
    let run = daemon.run_alone(&["bypass", "maybe"]);
    assert_eq!(run.code, Some(2), "{run}");
}

#[test]
fn call_sends_anything_and_prints_what_comes_back() {
    let daemon = Daemon::new();
    let run = daemon.run(&["call", "setting.get", r#"{"key":"agc.target_lufs"}"#], |peer| {
        let request = peer.request().unwrap();
        assert_eq!(request.op, SettingGet { key: "agc.target_lufs".into() }.into());
        peer.send(&ServerFrame::reply(
            request.id,
            &Value::Map(vec![
                ("value".into(), Value::from(-0.3_f32)),
                ("added_later".into(), Value::List(vec![Value::Nil])),
            ]),
        ));
    });
    let printed: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed, serde_json::json!({"value": -0.3, "added_later": [null]}), "{run}");

    // The daemon judges, and its words are shown with its code.
    let run = daemon.run(&["call", "setting.gte"], |peer| {
        let body = peer.body().unwrap();
        let rejection = decode_request(&body).unwrap_err();
        peer.send(&ServerFrame::error(rejection.id, &rejection.error));
    });
    run.refused(1, &["UNKNOWN_OP: there is no op \"setting.gte\", did you mean \"setting.get\"?"]);

    let run = daemon.run_alone(&["call", "setting.get", "{key: 1}"]);
    run.refused(2, &["{key: 1} is no JSON"]);
}

#[test]
fn a_daemon_that_is_not_there_or_not_ours_is_said_with_a_way_out() {
    let daemon = Daemon::new();
    for args in [&["status"][..], &["bypass", "on"], &["call", "ping"]] {
        let run = daemon.run_alone(args);
        run.refused(3, &["headroomd is not running: nobody listens at ", "control.sock"]);
        assert!(run.stderr.contains("hint: start it with: headroom daemon\n"), "{run}");
    }
    let mut command = daemon.command(&["status"]);
    command.env("HEADROOM_SOCKET", "relative.sock");
    harness::Run::of(&mut command).refused(3, &["must be an absolute path or abstract:NAME"]);

    let error = Error::new(Code::PermissionDenied, "this is the daemon of user 1000");
    let run = daemon.run_before_hello(&["status"], &ServerFrame::error(None, &error));
    run.refused(3, &["this is the daemon of user 1000"]);
    let later = Hello { protocol: 2, ..scripted::hello() };
    let run = daemon.run_before_hello(&["status"], &ServerFrame::hello(&later));
    run.refused(3, &["headroomd speaks version 2 of the protocol, but this program version 1"]);
}

#[test]
fn watch_tells_each_change_in_a_line_through_a_restart() {
    let daemon = Daemon::new();
    let listener = daemon.listen();
    let mut command = daemon.command(&["watch", "setting", "routing", "meters"]);
    let mut watch = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut notes = BufReader::new(watch.stderr.take().unwrap()).lines().map(Result::unwrap);

    let mut state = state();
    let mut peer = scripted::Peer::greet(&listener, &scripted::hello());
    let wanted = [Topic::Setting, Topic::Routing, Topic::Meters];
    assert_eq!(peer.subscribed(&state).topics, wanted);
    peer.publish(&mut state, SettingChange::BypassChanged(Bypass { bypass: true }));
    assert_eq!(lines.next().unwrap(), "setting   bypass is on");
    peer.publish(&mut state, RoutingChange::StreamRouted(scripted::stream()));
    assert_eq!(lines.next().unwrap(), "routing   mpv (412): processed, on bus main");
    peer.publish(&mut state, MetersChange::Tick(scripted::meters()));
    assert_eq!(
        lines.next().unwrap(),
        "meters    main: in -30.5 LUFS, AGC 12.2 dB; out -18.0 LUFS, peak -3.5 dBFS, limiter 0.0 dB"
    );

    drop(peer);
    let gone = "headroom: headroomd has closed the connection; waiting for it";
    assert_eq!(notes.next().unwrap(), gone);
    let again = Hello { run_id: "another".into(), ..scripted::hello() };
    let mut peer = scripted::Peer::greet(&listener, &again);
    let mut state = scripted::state();
    peer.subscribed(&state);
    assert_eq!(notes.next().unwrap(), "headroom: headroomd 0.1.0 was started again");
    peer.publish(&mut state, SettingChange::BypassChanged(Bypass { bypass: false }));
    assert_eq!(lines.next().unwrap(), "setting   bypass is off");

    // Whoever read the lines has read enough: the next line ends it, and that is no failure.
    drop(lines);
    peer.publish(&mut state, SettingChange::BypassChanged(Bypass { bypass: true }));
    assert!(watch.wait().unwrap().success());
}

#[test]
fn watch_json_is_one_protocol_event_a_line_also_of_events_it_does_not_know() {
    let daemon = Daemon::new();
    let listener = daemon.listen();
    let mut command = daemon.command(&["watch", "--json"]);
    let mut watch = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut state = state();
    let mut peer = scripted::Peer::greet(&listener, &scripted::hello());
    let subscribe = peer.subscribed(&state);
    assert!(!subscribe.topics.contains(&Topic::Meters), "meters are not asked for by default");
    assert_eq!(subscribe.topics.len(), TOPICS - 1);

    peer.publish(&mut state, RoutingChange::StreamRouted(scripted::stream()));
    let line: serde_json::Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert_eq!((&line["topic"], &line["event"]), (&"routing".into(), &"stream_routed".into()));
    assert_eq!(line["seq"], 1);
    let stream: Stream = serde_json::from_value(line["data"].clone()).unwrap();
    assert_eq!(stream, scripted::stream());

    peer.send_raw(&Value::Map(vec![
        ("topic".into(), "sinks".into()),
        ("event".into(), "port_changed".into()),
        ("seq".into(), 1_u64.into()),
        ("data".into(), Value::Map(vec![("port".into(), "hdmi".into())])),
    ]));
    assert_eq!(
        lines.next().unwrap(),
        r#"{"topic":"sinks","event":"port_changed","seq":1,"data":{"port":"hdmi"}}"#
    );
    watch.kill().unwrap();
    watch.wait().unwrap();
    let mut said = String::new();
    watch.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}
