//! `hello` and `status`.

use std::time::Instant;

use headroom_ipc::{Hello, HelloCall, Override, PROTOCOL, Status, StreamStatus, UsedBy};

use crate::state::Model;

pub(crate) fn hello<'m>(model: &'m Model, call: &HelloCall) -> &'m Hello {
    if let Some(client) = &call.client {
        log::debug!("a client is {client:?}");
    }
    model.hello()
}

pub(crate) fn status(model: &Model, now: Instant) -> Status {
    let daemon = model.daemon();
    let settings = model.settings();
    let overridden = settings.settings.iter().filter(|setting| setting.overridden);
    Status {
        version: daemon.version.clone(),
        protocol: PROTOCOL,
        run_id: daemon.run_id.clone(),
        pid: daemon.pid,
        uptime_ms: model.uptime_ms(now),
        graph: daemon.graph.clone(),
        profile: model.profile_state().used.clone(),
        profile_by: Some(model.to_use().by).filter(|by| *by != UsedBy::Chosen),
        bypass: settings.bypass,
        device: model.sinks().device.clone(),
        device_description: model.device_description().map(str::to_owned),
        streams: model
            .routing()
            .streams
            .iter()
            .map(|stream| StreamStatus {
                id: stream.id,
                app: stream.app.clone(),
                media_name: stream.media_name.clone(),
                route: stream.route.clone(),
                bus: stream.bus.clone(),
                playing: stream.playing,
                contested: stream.contested,
                gain_db: model.gain_db(stream),
                sink: stream.sink.clone(),
                contest: stream.contest.clone(),
                folded: stream.folded,
            })
            .collect(),
        overrides: overridden
            .filter_map(|setting| {
                Some(Override {
                    key: setting.key.clone(),
                    value: model.levels.override_of(&setting.key)?.clone(),
                    profile_value: setting.profile_value.clone(),
                    in_force: !model.levels.set_aside().contains_key(setting.key.as_str()),
                })
            })
            .collect(),
        warnings: daemon.warnings.clone(),
    }
}
