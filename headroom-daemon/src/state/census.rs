//! Streams and sinks as clients see them, out of the picture that hr-graph gives.
//!
//! A stream goes where it was sent by `route.stream`, else where it is linked. What is other
//! than before is published one by one, so that each event says what has happened.

use headroom_ipc::{
    Route, RoutedBy, Routing, RoutingChange, Sink, SinkKind, SinkRemoved, Sinks, SinksChange,
    Stream, StreamRemoved,
};

use super::{Effects, MAIN_BUS, Model};
use crate::audio::Volume;
use crate::graph::{InsertId, Seen, SinkSeen, StreamSeen};

/// Takes the picture over.
pub(super) fn take(model: &mut Model, seen: &Seen, effects: &mut Effects) {
    model.pins.retain(|pinned, _| seen.streams.iter().any(|stream| stream.serial == *pinned));
    let streams: Vec<Stream> = seen.streams.iter().map(|seen| stream(model, seen)).collect();
    for gone in gone(&model.routing().streams, &streams, |stream| stream.id) {
        model.publish(RoutingChange::StreamRemoved(StreamRemoved { id: gone }), effects);
    }
    for stream in streams {
        put_stream(model, stream, effects);
    }
    let sinks: Vec<Sink> = seen.sinks.iter().map(|seen| sink(model, seen)).collect();
    for gone in gone(&model.sinks().sinks, &sinks, |sink| sink.id) {
        model.publish(SinksChange::SinkRemoved(SinkRemoved { id: gone }), effects);
    }
    for sink in sinks {
        put_sink(model, sink, effects);
    }
}

/// PipeWire has gone, and all of them with it.
pub(super) fn forget(model: &mut Model, effects: &mut Effects) {
    model.volumes.clear();
    model.pins.clear();
    if !model.routing().streams.is_empty() {
        let rules = model.routing().rules.clone();
        let none = Routing { rules, streams: Vec::new() };
        model.publish(RoutingChange::Replaced(none), effects);
    }
    if !model.sinks().sinks.is_empty() {
        let device = model.sinks().device.clone();
        let none = Sinks { device, sinks: Vec::new() };
        model.publish(SinksChange::Replaced(none), effects);
    }
}

/// Another default sink: streams that are linked to nothing are on their way elsewhere.
pub(super) fn reroute(model: &mut Model, effects: &mut Effects) {
    for mut stream in model.routing().streams.clone() {
        decide_route(model, &mut stream);
        put_stream(model, stream, effects);
    }
}

/// A stream is to go there for as long as it lives, or where the desktop sends it. Gives it as
/// it is now; that it is linked so comes with a later picture.
pub(crate) fn pin(
    model: &mut Model,
    mut stream: Stream,
    to: Option<Route>,
    effects: &mut Effects,
) -> Stream {
    match to {
        Some(route) => model.pins.insert(stream.id, route),
        None => model.pins.remove(&stream.id),
    };
    decide_route(model, &mut stream);
    put_stream(model, stream.clone(), effects);
    stream
}

/// The volume of one of our own sinks, which only its insert is told.
pub(super) fn volume(
    model: &mut Model,
    insert: InsertId,
    volume: &Volume,
    channels: usize,
    effects: &mut Effects,
) {
    let factors = volume.channels.iter().copied().take(channels).collect();
    model.volumes.retain(|(known, _, _)| *known != insert);
    model.volumes.push((insert, factors, volume.muted));
    let known = model.sinks().sinks.iter().find(|sink| sink.name == insert.node_name());
    if let Some(mut sink) = known.cloned() {
        set_volume(model, &mut sink);
        put_sink(model, sink, effects);
    }
}

/// The ids that are not there any more.
fn gone<T>(before: &[T], now: &[T], id: impl Fn(&T) -> u64) -> Vec<u64> {
    before.iter().map(&id).filter(|old| !now.iter().any(|new| id(new) == *old)).collect()
}

fn put_stream(model: &mut Model, stream: Stream, effects: &mut Effects) {
    let known = model.routing().streams.iter().find(|known| known.id == stream.id);
    if known == Some(&stream) {
        return;
    }
    let is_linked_anew =
        stream.sink.is_some() && known.is_none_or(|known| known.sink != stream.sink);
    if is_linked_anew {
        model.publish(RoutingChange::StreamRouted(stream), effects);
    } else {
        model.publish(RoutingChange::StreamChanged(stream), effects);
    }
}

fn put_sink(model: &mut Model, sink: Sink, effects: &mut Effects) {
    if !model.sinks().sinks.contains(&sink) {
        model.publish(SinksChange::SinkChanged(sink), effects);
    }
}

fn stream(model: &Model, seen: &StreamSeen) -> Stream {
    let facts = seen.app.clone();
    let app = facts.application_name.clone().or(facts.process_binary.clone());
    let is_on_main = seen.sink.as_deref() == Some(InsertId::Main.node_name());
    let mut stream = Stream {
        id: seen.serial,
        app: app.unwrap_or_else(|| seen.node_name.clone()),
        media_name: facts.media_name,
        process_binary: facts.process_binary,
        application_name: facts.application_name,
        portal_app_id: facts.portal_app_id,
        media_role: facts.media_role,
        pid: facts.pid,
        route: Route::default(),
        routed_by: RoutedBy::Graph,
        bus: is_on_main.then(|| MAIN_BUS.to_owned()),
        sink: seen.sink.clone(),
        contested: false,
        playing: seen.playing,
        channels: seen.channels,
    };
    decide_route(model, &mut stream);
    stream
}

/// A pin counts; without one it goes where it is linked.
fn decide_route(model: &Model, stream: &mut Stream) {
    (stream.route, stream.routed_by) = match model.pins.get(&stream.id) {
        Some(route) => (route.clone(), RoutedBy::Pin),
        None => (route(model, stream.sink.as_deref()), RoutedBy::Graph),
    };
}

/// The route of a stream that goes to this sink; one that is linked to none goes to the default.
fn route(model: &Model, sink: Option<&str>) -> Route {
    match sink.or(model.sinks().device.default_sink.as_deref()) {
        Some(name) if name == InsertId::Main.node_name() => Route::Processed,
        Some(name) if name == InsertId::Master.node_name() => Route::Protected,
        _ => Route::Bypass,
    }
}

fn sink(model: &Model, seen: &SinkSeen) -> Sink {
    let kind = match seen.name.as_str() {
        name if name == InsertId::Main.node_name() => SinkKind::Bus,
        name if name == InsertId::Master.node_name() => SinkKind::Master,
        _ if seen.is_device => SinkKind::Device,
        _ => SinkKind::Virtual,
    };
    let mut sink = Sink {
        id: seen.serial,
        name: seen.name.clone(),
        description: seen.description.clone(),
        kind,
        channels: seen.channels.clone(),
        volume_db: Vec::new(),
        muted: false,
        running: seen.running,
    };
    set_volume(model, &mut sink);
    sink
}

/// Puts in what is known of the volume. A sink that is not ours keeps its volume to itself.
fn set_volume(model: &Model, sink: &mut Sink) {
    let known = model.volumes.iter().find(|(insert, _, _)| insert.node_name() == sink.name);
    if let Some((_, factors, muted)) = known {
        sink.volume_db = factors.iter().map(|factor| Some(20.0 * factor.log10())).collect();
        sink.muted = *muted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::hello;
    use crate::graph::{Facts, GraphEvent};
    use crate::server::ServerSettings;
    use crate::state::{DaemonState, Start};
    use crate::step::Input;
    use headroom_ipc::Change;
    use std::time::Instant;

    fn state() -> DaemonState {
        DaemonState::new(Start {
            hello: hello(&ServerSettings::default()),
            profile: headroom_profile::load("default").expect("the default profile"),
            at: Instant::now(),
        })
    }

    fn seen(streams: &[(u64, Option<&str>)]) -> Seen {
        let stream = |(serial, sink): &(u64, Option<&str>)| StreamSeen {
            serial: *serial,
            node_name: "node".into(),
            app: Facts { application_name: Some("mpv".into()), ..Facts::default() },
            sink: sink.map(str::to_owned),
            playing: sink.is_some(),
            channels: Some(2),
        };
        let sink = |serial, name: &str, is_device| SinkSeen {
            serial,
            name: name.into(),
            is_device,
            ..SinkSeen::default()
        };
        Seen {
            streams: streams.iter().map(stream).collect(),
            sinks: vec![sink(3, "alsa", true), sink(5, "headroom.main", false)],
        }
    }

    fn names(state: &mut DaemonState, event: &GraphEvent) -> Vec<&'static str> {
        let effects = state.step(Input::Graph(event), Instant::now(), true);
        let name = |change: &Change| match change {
            Change::Routing(change) => change.event(),
            Change::Sinks(change) => change.event(),
            Change::Daemon(change) => change.event(),
            other => panic!("{other:?}"),
        };
        effects.events.iter().map(|event| name(&event.change)).collect()
    }

    fn census(state: &mut DaemonState, streams: &[(u64, Option<&str>)]) -> Vec<&'static str> {
        names(state, &GraphEvent::Census(Box::new(seen(streams))))
    }

    #[test]
    fn each_change_of_the_picture_is_an_event() {
        let mut state = state();
        let told = census(&mut state, &[(90, None)]);
        assert_eq!(told, ["stream_changed", "sink_changed", "sink_changed"]);
        assert_eq!(state.model.routing().streams[0].route, Route::Bypass);
        assert_eq!(census(&mut state, &[(90, Some("headroom.main"))]), ["stream_routed"]);
        let stream = &state.model.routing().streams[0];
        assert_eq!((&stream.route, stream.bus.as_deref()), (&Route::Processed, Some("main")));
        assert_eq!(census(&mut state, &[(90, Some("headroom.main"))]), [""; 0]);
        assert_eq!(census(&mut state, &[(91, Some("alsa"))]), ["stream_removed", "stream_routed"]);
        assert_eq!(state.model.routing().streams[0].route, Route::Bypass);
        let kinds: Vec<SinkKind> = state.model.sinks().sinks.iter().map(|sink| sink.kind).collect();
        assert_eq!(kinds, [SinkKind::Device, SinkKind::Bus]);
        assert_eq!(
            names(&mut state, &GraphEvent::Lost)[..3],
            ["pipewire_lost", "replaced", "replaced"]
        );
    }

    #[test]
    fn a_stream_that_is_linked_to_nothing_goes_where_the_default_is() {
        let mut state = state();
        census(&mut state, &[(90, None), (91, Some("alsa"))]);
        let told = names(&mut state, &GraphEvent::Promoted { former: None });
        assert_eq!(told, ["device_changed", "stream_changed"]);
        let routes = state.model.routing().streams.iter().map(|stream| stream.route.clone());
        assert_eq!(routes.collect::<Vec<_>>(), [Route::Processed, Route::Bypass]);
    }

    #[test]
    fn the_volume_of_our_own_sink_is_known_whichever_comes_first() {
        let mut state = state();
        let mut volume = Volume::FULL;
        volume.channels[0] = 0.1;
        let insert = InsertId::Main;
        let told = GraphEvent::Volume { insert, volume, channels: 2 };
        assert_eq!(names(&mut state, &told), [""; 0]);
        census(&mut state, &[]);
        let main = |state: &DaemonState| state.model.sinks().sinks[1].clone();
        assert_eq!(main(&state).volume_db, [Some(-20.0), Some(0.0)]);
        volume.muted = true;
        let told = GraphEvent::Volume { insert, volume, channels: 2 };
        assert_eq!(names(&mut state, &told), ["sink_changed"]);
        assert!(main(&state).muted);
    }
}
