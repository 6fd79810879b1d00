//! `headroom why` and `headroom device`, against a scripted daemon: what goes over the socket, and
//! what is printed.

#![allow(clippy::unwrap_used, reason = "a script that goes wrong fails its test")]

mod harness;
mod scripted;

use headroom_client::ipc::*;
use scripted::{Daemon, stream};

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn decided(by: Decider) -> Decided {
    Decided {
        by,
        route: Some(Route::Processed),
        matched: None,
        profile: None,
        path: None,
        line: None,
        because: "no rule matches it".into(),
    }
}

fn chain() -> Chain {
    Chain {
        bus: Some("main".into()),
        streams: 2,
        input_lufs: Some(-30.5),
        output_lufs: Some(-18.04),
        gain_db: Some(10.75),
        agc_gain_db: Some(5.25),
        guard_reduction_db: Some(0.0),
        compressor_reduction_db: Some(1.5),
        compressor_makeup_db: Some(7.0),
        limiter_reduction_db: None,
        latency_frames: 111,
        latency_ms: Some(2.3125),
    }
}

/// What is asked, and what is answered.
fn asked(daemon: &Daemon, whom: &str, wanted: WhyCall, why: Why) -> harness::Run {
    daemon.run(&["why", whom], move |peer| {
        let request = peer.request().unwrap();
        assert_eq!(request.op, wanted.into());
        peer.send(&ServerFrame::reply(request.id, &why));
    })
}

#[test]
fn why_tells_who_it_is_what_decided_where_it_goes_and_what_is_done_to_it() {
    let daemon = Daemon::new();
    let by_rule = Decided {
        matched: Some(Match { process_binary: texts(&["mp*"]), ..Match::default() }),
        profile: Some("night".into()),
        path: Some("/home/ada/.config/headroom/profiles/night.toml".into()),
        line: Some(12),
        because: "it is the first rule that matches".into(),
        ..decided(Decider::ProfileRule)
    };
    let levelled = StreamWhy {
        stream: Stream {
            volume_db: vec![Some(-6.0), Some(-12.0)],
            own_volume: Some(OwnVolume::Kept),
            ..stream()
        },
        decided: by_rule,
        chain: Some(chain()),
        notes: texts(&["2 streams share the bus"]),
    };
    let to = "alsa_output.usb";
    let fought_over = StreamWhy {
        stream: Stream {
            id: 431,
            media_name: None,
            bus: None,
            sink: Some(to.into()),
            contested: true,
            contest: Some(Contest { by: ContestedBy::Metadata, who: None, to: Some(to.into()) }),
            ..stream()
        },
        decided: Decided {
            profile: Some("default".into()),
            line: Some(30),
            ..decided(Decider::DefaultRoute)
        },
        chain: None,
        notes: Vec::new(),
    };
    let why = Why { streams: vec![levelled, fought_over], more: 3, expected: None };
    let run = asked(&daemon, "mpv", WhyCall::App("mpv".into()), why);
    assert_eq!(
        run.stdout,
        "\
mpv (stream 412)
  Plays      A film
  Is         program mpv, app mpv, pid 9120, 2 channels
  Goes       processed, by a rule of the profile night
  Because    it is the first rule that matches: program mp*
  Said in    /home/ada/.config/headroom/profiles/night.toml:12
  Linked to  headroom.main
  Through    bus main, which 2 streams share
  Loudness   in -30.5 LUFS, out -18.0 LUFS (with all else that goes to the
             device)
  Gain       +10.8 dB (AGC +5.2 dB, burst guard 0.0 dB, compressor -1.5 dB,
             make-up +7.0 dB, limiter -)
  Latency    +2.3 ms (111 frames)
  Volume     -6.0 dB by the app's own slider, which is kept
  Note       2 streams share the bus

mpv (stream 431)
  Is         program mpv, app mpv, pid 9120, 2 channels
  Goes       processed, by the default route of the profile default
  Said in    line 30 of the profile in Headroom itself
  Linked to  alsa_output.usb
  Contested  another program sends it to alsa_output.usb, in PipeWire's metadata
  Sound      passes Headroom by

and 3 more: name one by its number
",
        "{run}"
    );
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
    }
}

#[test]
fn why_of_what_does_not_play_says_what_would_decide_or_that_nobody_knows_it() {
    let daemon = Daemon::new();
    let expected = Decided {
        route: Some(Route::Bypass),
        matched: Some(Match { application_name: texts(&["Fire*"]), ..Match::default() }),
        path: Some("/home/ada/.local/state/headroom/state.toml".into()),
        because: "it is the first rule that names it".into(),
        ..decided(Decider::UserRule)
    };
    let why = Why { expected: Some(expected), ..Why::default() };
    let run = asked(&daemon, "firefox", WhyCall::App("firefox".into()), why);
    assert_eq!(
        run.stdout,
        "\
firefox plays nothing now
  Would go   bypass, by a rule of yours
  Because    it is the first rule that names it: app Fire*
  Said in    /home/ada/.local/state/headroom/state.toml
",
        "{run}"
    );
    // A number is that of a stream.
    let run = daemon.run(&["why", "412"], |peer| {
        let request = peer.request().unwrap();
        assert_eq!(request.op, WhyCall::Stream(412).into());
        let error =
            Error::new(Code::NotFound, "there is no stream 412: \"stream.list\" lists them");
        peer.send(&ServerFrame::error(request.id, &error));
    });
    run.refused(1, &["there is no stream 412: \"headroom route list\" lists them"]);
    let run = daemon.run(&["why", "nosuch"], |peer| {
        let request = peer.request().unwrap();
        let error = Error::not_found("app", "stream of an app", "nosuch", &[]);
        peer.send(&ServerFrame::error(request.id, &error));
    });
    run.refused(1, &["there is no stream of an app \"nosuch\""]);
    assert!(run.stderr.contains("hint: headroom route list shows what plays"), "{run}");
    let run = daemon.run(&["why", "mpv", "--json"], |peer| {
        peer.answer("why", &Why { more: 7, ..Why::default() });
    });
    assert_eq!(serde_json::from_str::<Why>(&run.stdout).unwrap().more, 7, "{run}");
}

fn devices() -> Devices {
    let of = |port: &str, profile: &str, origin| DeviceProfile {
        matches: DeviceMatch { port: texts(&[port]), ..DeviceMatch::default() },
        profile: profile.into(),
        origin,
    };
    Devices {
        devices: vec![
            of("headphones", "night", RuleOrigin::User),
            of("hdmi*", "movie", RuleOrigin::Profile),
        ],
        default_profile: None,
        heard: Some(HeardDevice {
            node_name: "alsa_output.pci-0000_00_1f.3.analog-stereo".into(),
            description: Some("Built-in Audio".into()),
            port: Some(Port {
                name: "analog-output-headphones".into(),
                description: Some("Headphones".into()),
                kind: Some("headphones".into()),
            }),
        }),
        chosen: "default".into(),
        used: "night".into(),
        used_by: UsedBy::Device,
    }
}

#[test]
fn device_list_shows_what_is_heard_by_every_name_and_what_each_device_gets() {
    let daemon = Daemon::new();
    let run = daemon.run(&["device", "list"], |peer| peer.answer("device.list", &devices()));
    assert_eq!(
        run.stdout,
        "\
Heard    Built-in Audio
Node     alsa_output.pci-0000_00_1f.3.analog-stereo
Port     headphones, analog-output-headphones, Headphones
Profile  night, the profile of this device

The first that matches what is heard counts:
night             port headphones (yours)
movie             port hdmi* (of the profile)
default           every other device (the profile that was used last)
",
        "{run}"
    );
}

#[test]
fn a_device_is_named_by_what_was_typed_or_by_being_heard() {
    let daemon = Daemon::new();
    let headphones = DeviceMatch { port: texts(&["headphones"]), ..DeviceMatch::default() };
    let here = DeviceMatch {
        node_name: texts(&["alsa_output.pci-0000_00_1f.3.analog-stereo"]),
        ..headphones.clone()
    };
    let named = DeviceMatch {
        node_name: texts(&["usb*"]),
        description: texts(&["TV", "Beamer"]),
        ..DeviceMatch::default()
    };
    let typed: [(&[&str], Option<DeviceMatch>, &str); 4] = [
        (&["--port", "headphones"], Some(headphones), "port headphones"),
        (
            &["--node", "usb*", "--name", "TV", "--name", "Beamer"],
            Some(named),
            "node usb*, name TV or Beamer",
        ),
        (
            &["--here"],
            Some(here),
            "port headphones, node alsa_output.pci-0000_00_1f.3.analog-stereo",
        ),
        (&["--others"], None, "every other device"),
    ];
    for (which, matches, shown) in typed {
        let asks = which == ["--here"];
        let wanted = matches.clone();
        let run = daemon.run(&[&["device", "set"], which, &["night"]].concat(), move |peer| {
            if asks {
                peer.answer("device.list", &devices());
            }
            let request = peer.request().unwrap();
            assert_eq!(request.op, DeviceSet { matches: wanted, name: "night".into() }.into());
            peer.send(&ServerFrame::reply(request.id, &devices()));
        });
        let now = "in force now: night, the profile of this device\n";
        assert_eq!(run.stdout, format!("{shown}: night\n{now}"), "{run}");
        let run = daemon.run(&[&["device", "unset"], which].concat(), move |peer| {
            if asks {
                peer.answer("device.list", &devices());
            }
            let request = peer.request().unwrap();
            assert_eq!(request.op, DeviceUnset { matches }.into());
            peer.send(&ServerFrame::reply(request.id, &devices()));
        });
        assert_eq!(run.stdout, format!("{shown}: nothing is set any more\n{now}"), "{run}");
    }
    let run = daemon.run_alone(&["device", "set", "night"]);
    assert_eq!(run.code, Some(2), "{run}");
    let run = daemon.run(&["device", "set", "--here", "night"], |peer| {
        peer.answer("device.list", &Devices { heard: None, ..devices() });
    });
    run.refused(1, &["no device is heard now"]);
}

#[test]
fn what_cannot_be_done_to_a_device_is_said_in_what_can_be_typed() {
    let daemon = Daemon::new();
    let run = daemon.run(&["device", "unset", "--port", "hdmi"], |peer| {
        let request = peer.request().unwrap();
        let text = "nothing was said of these devices: \"device.list\" lists what was";
        peer.send(&ServerFrame::error(request.id, &Error::new(Code::NotFound, text)));
    });
    run.refused(1, &["of these devices: \"headroom device list\" lists what was"]);
    for verb in [&["device", "set", "--others", "nosuch"][..], &["profile", "show", "nosuch"]] {
        let run = daemon.run(verb, |peer| {
            let mut request = peer.request().unwrap();
            if request.op.name() == "profile.list" {
                peer.send(&ServerFrame::reply(request.id, &Profiles::default()));
                request = peer.request().unwrap();
            }
            let error = Error::not_found("name", "profile", "nosuch", &["night"]);
            peer.send(&ServerFrame::error(request.id, &error));
        });
        run.refused(1, &["there is no profile \"nosuch\""]);
        assert!(run.stderr.ends_with("hint: headroom profile list shows all\n"), "{run}");
    }
}
