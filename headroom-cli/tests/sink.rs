//! `headroom sink` and `headroom promote`, against a scripted daemon: what goes over the socket, and
//! what is printed.

#![allow(clippy::unwrap_used, reason = "a script that goes wrong fails its test")]

mod harness;
mod scripted;

use headroom_client::ipc::*;
use scripted::{Daemon, Peer, status};

const DAC: &str = "alsa_output.usb-dac.analog-stereo";

fn device(preferred: Option<&str>, promotion: Promotion) -> Device {
    Device {
        device_sink: Some(DAC.into()),
        preferred_sink: preferred.map(str::to_owned),
        promotion: Some(promotion),
        ..Device::default()
    }
}

fn sink(name: &str, description: &str, kind: SinkKind) -> Sink {
    Sink {
        id: 30,
        name: name.into(),
        description: description.into(),
        kind,
        channels: vec!["FL".into(), "FR".into()],
        volume_db: Vec::new(),
        muted: false,
        running: true,
    }
}

/// Answers whatever is asked, and gives it.
fn asked(peer: &mut Peer, device: &Device) -> Op {
    let request = peer.request().expect("a request");
    peer.send(&ServerFrame::reply(request.id, device));
    request.op
}

#[test]
fn list_shows_where_sound_can_end_up_and_what_is_wanted() {
    let daemon = Daemon::new();
    let sinks = Sinks {
        device: device(Some(DAC), Promotion::On),
        sinks: vec![
            sink(DAC, "The DAC", SinkKind::Device),
            sink("headroom.main", "Headroom", SinkKind::Bus),
            sink("hdmi", "TV", SinkKind::Virtual),
        ],
    };
    let run = daemon.run(&["sink", "list"], move |peer| {
        peer.answer("sink.list", &sinks);
    });
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(
        run.stdout,
        "  Sink                                      Is called
* alsa_output.usb-dac.analog-stereo         The DAC
  hdmi                                      TV

* is heard.
The sound ends up at alsa_output.usb-dac.analog-stereo whenever it is there, as
you chose.
promotion is on: apps start at Headroom, which is the default sink
"
    );
}

#[test]
fn a_sink_is_used_and_followed_no_longer() {
    let daemon = Daemon::new();
    let run = daemon.run(&["sink", "use", DAC], |peer| {
        let Op::SinkUse(call) = asked(peer, &device(Some(DAC), Promotion::Off)) else { panic!() };
        assert_eq!(call.sink.as_deref(), Some(DAC));
    });
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(
        run.stdout,
        format!("The sound ends up at {DAC} whenever it is there, as you chose.\n")
    );
    let run = daemon.run(&["sink", "follow"], |peer| {
        let Op::SinkUse(call) = asked(peer, &device(None, Promotion::Off)) else { panic!() };
        assert_eq!(call.sink, None);
    });
    assert_eq!(run.stdout, "The sound follows your default sink.\n", "{run}");
}

#[test]
fn promotion_is_asked_for_and_told() {
    let daemon = Daemon::new();
    for (word, to, promotion, said) in [
        ("on", PromoteTo::On, Promotion::On, "promotion is on: apps start at Headroom"),
        ("off", PromoteTo::Off, Promotion::Off, "promotion is off: your default sink is your own"),
        ("toggle", PromoteTo::Toggle, Promotion::Contested, "promotion is contested: another"),
    ] {
        let run = daemon.run(&["promote", word], move |peer| {
            let Op::PromoteSet(call) = asked(peer, &device(None, promotion)) else { panic!() };
            assert_eq!(call.promote, to);
        });
        assert!(run.code == Some(0) && run.stdout.starts_with(said), "{run}");
    }
}

#[test]
fn promotion_is_told_once_the_default_sink_is_as_told() {
    let daemon = Daemon::new();
    for (word, promotion, before, after, said) in [
        ("off", Promotion::Off, "headroom.main", DAC, "promotion is off: your default sink is"),
        ("on", Promotion::On, DAC, "headroom.main", "promotion is on: apps start at Headroom"),
        (
            "off",
            Promotion::Off,
            "headroom.main",
            "headroom.main",
            "promotion is off, but the default sink is still headroom.main",
        ),
    ] {
        let of =
            move |name: &str| Device { default_sink: Some(name.into()), ..device(None, promotion) };
        let run = daemon.run(&["promote", word], move |peer| {
            asked(peer, &of(before));
            peer.answer("sink.list", &Sinks { device: of(before), sinks: Vec::new() });
            // Again until it is so, or for as long as it waits.
            while let Some(request) = peer.request() {
                let device = of(after);
                peer.send(&ServerFrame::reply(request.id, &Sinks { device, sinks: Vec::new() }));
            }
        });
        assert!(run.code == Some(0) && run.stdout.starts_with(said), "{run}");
    }
}

#[test]
fn status_says_what_is_wanted() {
    let daemon = Daemon::new();
    let run = daemon.run(&["status"], |peer| {
        let known = status();
        let device = Device {
            preferred_sink: Some("hdmi".into()),
            promotion: Some(Promotion::On),
            ..known.device
        };
        peer.answer("status", &Status { device, ..known });
    });
    for line in [
        "Sink       hdmi, whenever it is there (headroom sink follow undoes it)\n",
        "Default    Headroom, where new apps start (promoted)\n",
    ] {
        assert!(run.stdout.contains(line), "{run}");
    }
}
