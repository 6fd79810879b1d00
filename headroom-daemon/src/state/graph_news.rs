//! What news from hr-graph mean for the state that clients see.

use headroom_ipc::about::{
    CROWD_OF_SINKS, CROWD_OF_STREAMS, DEFAULT, DEVICE, GRAPH, JOURNAL, PIPEWIRE, STORAGE,
    WIREPLUMBER,
};
use headroom_ipc::{Daemon, DaemonChange, Device, HeardDevice, Port, Promotion, SinksChange};

use super::{Effects, Model, census};
use crate::graph::{self, Crowd, GraphEvent, MOST_SINKS, MOST_STREAMS};

pub(crate) fn take(model: &mut Model, event: &GraphEvent, effects: &mut Effects) {
    match event {
        GraphEvent::WaitingForPipeWire => change_daemon(model, effects, |model, daemon| {
            let text = "PipeWire is not there: headroomd waits for it (is it running for this \
                        user?)";
            model.warn(daemon, PIPEWIRE, text);
        }),
        GraphEvent::Connected { server, library } => {
            let mut daemon = model.daemon().clone();
            daemon.graph.pipewire_connected = true;
            daemon.graph.pipewire_version = Some(server.clone());
            daemon.graph.library_version = Some(library.clone());
            daemon.warnings.retain(|warning| warning.about != PIPEWIRE);
            model.publish(DaemonChange::PipewireBack(daemon), effects);
        }
        GraphEvent::Lost => {
            let mut daemon = model.daemon().clone();
            daemon.graph.pipewire_connected = false;
            daemon.graph.wireplumber_connected = false;
            daemon.graph.wireplumber_version = None;
            let of_graph = [WIREPLUMBER, DEVICE, GRAPH, JOURNAL, CROWD_OF_STREAMS, CROWD_OF_SINKS];
            daemon.warnings.retain(|warning| !of_graph.contains(&warning.about.as_str()));
            let text = "the connection to PipeWire has broken: headroomd waits for it";
            model.warn(&mut daemon, PIPEWIRE, text);
            model.publish(DaemonChange::PipewireLost(daemon), effects);
            model.running.clear();
            model.device_description = None;
            census::forget(model, effects);
            change_device(model, effects, |device| {
                *device = Device {
                    latency_frames: device.latency_frames,
                    preferred_sink: device.preferred_sink.take(),
                    promotion: device.promotion,
                    ..Device::default()
                };
            });
        }
        GraphEvent::WaitingForSessionManager => change_daemon(model, effects, |model, daemon| {
            daemon.graph.wireplumber_connected = false;
            daemon.graph.wireplumber_version = None;
            let text = "WirePlumber is not there: nothing is linked without it";
            model.warn(daemon, WIREPLUMBER, text);
        }),
        GraphEvent::SessionManager { version } => manager_is_there(model, effects, |_, daemon| {
            daemon.graph.wireplumber_version.clone_from(version);
        }),
        GraphEvent::NoDeviceSink => {
            manager_is_there(model, effects, |model, daemon| {
                let text = "there is no sink to play to: headroomd waits for one";
                model.warn(daemon, DEVICE, text);
            });
            model.device_description = None;
            change_device(model, effects, |device| {
                device.device_sink = None;
                device.port = None;
            });
        }
        GraphEvent::DeviceSink(sink) => {
            manager_is_there(model, effects, |_, daemon| {
                daemon.warnings.retain(|warning| warning.about != DEVICE);
            });
            model.device_description =
                Some(sink.description.clone()).filter(|description| !description.is_empty());
            change_device(model, effects, |device| device.device_sink = Some(sink.name.clone()));
        }
        GraphEvent::Heard(heard) => {
            let port = heard.port.as_ref().map(|port| Port {
                name: port.name.clone(),
                description: port.description.clone(),
                kind: port.kind.clone(),
            });
            let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            model.devices.hear(HeardDevice {
                node_name: heard.sink.name.clone(),
                description: text(&heard.sink.description),
                port: port.clone(),
            });
            change_device(model, effects, |device| device.port = port);
        }
        GraphEvent::Ready => manager_is_there(model, effects, |_, _| {}),
        GraphEvent::PromotionContested => {
            change_device(model, effects, |device| {
                device.promotion = Some(Promotion::Contested);
            });
            change_daemon(model, effects, |model, daemon| {
                let text = "another default sink was set again and again: it is left alone, and \
                            apps are moved to Headroom one by one (promote.set asks anew)";
                model.warn(daemon, DEFAULT, text);
            });
        }
        GraphEvent::PromotionRefused => {
            model.sink_wish.promotion = graph::Promotion::Leave;
            let promotion = model.promotion();
            change_device(model, effects, |device| device.promotion = Some(promotion));
            change_daemon(model, effects, |model, daemon| {
                let text = "Headroom is not made the default sink: what was the default before it \
                            cannot be noted, and a crash would leave it behind (see that the state \
                            directory can be written, then promote.set asks anew)";
                model.warn(daemon, DEFAULT, text);
            });
        }
        GraphEvent::PreferenceOverruled => {
            model.sink_wish.preferred = None;
            change_device(model, effects, |device| device.preferred_sink = None);
        }
        GraphEvent::DefaultSink(name) => {
            change_device(model, effects, |device| device.default_sink.clone_from(name));
            census::reroute(model, effects);
        }
        GraphEvent::Quantum(frames) => {
            change_device(model, effects, |device| device.quantum_frames = Some(*frames));
        }
        GraphEvent::Latency { frames, rate_hz } => change_device(model, effects, |device| {
            device.latency_frames = *frames;
            device.rate_hz = Some(*rate_hz);
            let ms = f64::from(*frames) * 1_000.0 / f64::from((*rate_hz).max(1));
            device.latency_ms = Some(ms as f32);
        }),
        GraphEvent::Running { insert, running } => {
            model.running.retain(|known| known != insert);
            if *running {
                model.running.push(*insert);
            }
        }
        GraphEvent::Unnoted(is_so) => change_daemon(model, effects, |model, daemon| {
            daemon.warnings.retain(|warning| warning.about != JOURNAL);
            if *is_so {
                let text = "storage does not answer: the default sink, a device's volume and apps \
                            that were put somewhere by hand are changed once it does";
                model.warn(daemon, JOURNAL, text);
            }
        }),
        GraphEvent::Trouble(text) => {
            change_daemon(model, effects, |model, daemon| model.warn(daemon, GRAPH, text));
        }
        GraphEvent::Census(seen) => {
            census::take(model, seen, effects);
            change_daemon(model, effects, |model, daemon| crowd(model, daemon, seen.crowd));
        }
        // The default sink is told for itself, and volumes with the sinks.
        GraphEvent::InsertMade { .. }
        | GraphEvent::Promoted { .. }
        | GraphEvent::Demoted { .. }
        | GraphEvent::Volume { .. }
        | GraphEvent::AlreadyRunning { .. }
        | GraphEvent::Stopped => {}
    }
}

/// A write of what is to be remembered has failed, or works again.
pub(crate) fn stored(model: &mut Model, failed: Option<&str>, effects: &mut Effects) {
    change_daemon(model, effects, |model, daemon| match failed {
        Some(why) => {
            let text = format!("{why}: what is changed now may not be remembered");
            model.warn(daemon, STORAGE, &text);
        }
        None => daemon.warnings.retain(|warning| warning.about != STORAGE),
    });
}

/// Publishes what a change makes of the daemon's state, if it makes anything of it.
pub(crate) fn change_daemon(
    model: &mut Model,
    effects: &mut Effects,
    change: impl FnOnce(&Model, &mut Daemon),
) {
    let mut daemon = model.daemon().clone();
    change(model, &mut daemon);
    if daemon != *model.daemon() {
        model.publish(DaemonChange::Changed(daemon), effects);
    }
}

/// Warns of what is left out, as long as it is.
fn crowd(model: &Model, daemon: &mut Daemon, crowd: Crowd) {
    for (about, is_crowded, text) in [
        (
            CROWD_OF_STREAMS,
            crowd.streams,
            format!(
                "there are more streams of apps than the {MOST_STREAMS} oldest, which are shown"
            ),
        ),
        (
            CROWD_OF_SINKS,
            crowd.sinks,
            format!("there are more sinks than the {MOST_SINKS} oldest, which are shown"),
        ),
    ] {
        let is_warned = daemon.warnings.iter().any(|warning| warning.about == about);
        match (is_crowded, is_warned) {
            (true, false) => model.warn(daemon, about, &text),
            (false, true) => daemon.warnings.retain(|warning| warning.about != about),
            _ => {}
        }
    }
}

/// What only WirePlumber's work can have brought about.
fn manager_is_there(
    model: &mut Model,
    effects: &mut Effects,
    change: impl FnOnce(&Model, &mut Daemon),
) {
    change_daemon(model, effects, |model, daemon| {
        daemon.graph.wireplumber_connected = true;
        daemon.warnings.retain(|warning| warning.about != WIREPLUMBER);
        change(model, daemon);
    });
}

pub(crate) fn change_device(
    model: &mut Model,
    effects: &mut Effects,
    change: impl FnOnce(&mut Device),
) {
    let mut device = model.sinks().device.clone();
    change(&mut device);
    if device != model.sinks().device {
        model.publish(SinksChange::DeviceChanged(device), effects);
    }
}
