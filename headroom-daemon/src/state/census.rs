//! Streams and sinks as clients see them, out of the picture that hr-graph gives.
//!
//! `routing` says where each stream is to go; where it is linked is in the picture. What is other
//! than before is published one by one, so that each event says what has happened.

use headroom_ipc::{
    Contest, ContestedBy, Fold, OwnVolume, Route, RoutedBy, Routing, RoutingChange, Sink, SinkKind,
    SinkRemoved, Sinks, SinksChange, Stream, StreamRemoved,
};

use super::identity::lasting;
use super::{Effects, Model, bus_name};
use crate::graph::{
    self, FixedBy, GraphCommand, InsertId, MovedBy, Seen, SinkSeen, StreamSeen, Tie,
};

/// Takes the picture over.
pub(super) fn take(model: &mut Model, seen: &Seen, effects: &mut Effects) {
    model.router.set_session(seen.session);
    model.router.keep(|known| seen.streams.iter().any(|stream| stream.serial == known));
    for stream in &seen.streams {
        model.router.set_tie(stream.serial, stream.tie);
    }
    let mut streams: Vec<Stream> = seen.streams.iter().map(|seen| stream(model, seen)).collect();
    for stream in &mut streams {
        if !model.routing().streams.iter().any(|known| known.id == stream.id) {
            model.router.has_come(stream);
            decide_route(model, stream);
        }
    }
    for gone in gone(&model.routing().streams, &streams, |stream| stream.id) {
        model.publish(RoutingChange::StreamRemoved(StreamRemoved { id: gone }), effects);
    }
    for stream in streams {
        put_stream(model, stream, effects);
    }
    let astray = seen.streams.iter().filter(|stream| stream.is_astray);
    if model.router.set_astray(astray.map(|stream| stream.serial).collect()) {
        model.review_warnings(effects);
    }
    let sinks: Vec<Sink> = seen.sinks.iter().map(sink).collect();
    for gone in gone(&model.sinks().sinks, &sinks, |sink| sink.id) {
        model.publish(SinksChange::SinkRemoved(SinkRemoved { id: gone }), effects);
    }
    for sink in sinks {
        put_sink(model, sink, effects);
    }
    tell_graph(model, effects);
}

/// PipeWire has gone, and all of them with it.
pub(super) fn forget(model: &mut Model, effects: &mut Effects) {
    let streams = model.routing().streams.clone();
    model.router.await_again(&streams);
    model.review_warnings(effects);
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

/// Something has changed that decides where streams go: each goes where it is to go now.
pub(crate) fn reroute(model: &mut Model, effects: &mut Effects) {
    for mut stream in model.routing().streams.clone() {
        decide_route(model, &mut stream);
        put_stream(model, stream, effects);
    }
    tell_graph(model, effects);
}

fn tell_graph(model: &mut Model, effects: &mut Effects) {
    if let Some(aims) = model.aims() {
        effects.commands.push(GraphCommand::Route(aims));
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
    let way = |stream: &Stream| (stream.route.clone(), stream.bus.clone(), stream.sink.clone());
    if known.is_none_or(|known| way(known) != way(&stream)) {
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
    let lasting = |name: &str| lasting(name, facts.media_name.as_deref(), facts.pid).into_owned();
    let name = facts.application_name.as_deref().map(lasting);
    let names = [name, facts.process_binary.clone(), facts.portal_app_id.clone()];
    let app = names.into_iter().flatten().next();
    let or_node = || Some(lasting(&seen.node_name)).filter(|name| !name.is_empty());
    let app = app.or_else(or_node).unwrap_or_else(|| format!("stream {}", seen.serial));
    let bus = seen.sink.as_deref().and_then(InsertId::of_node).and_then(bus_name);
    let mut stream = Stream {
        id: seen.serial,
        app,
        media_name: facts.media_name,
        process_binary: facts.process_binary,
        application_name: facts.application_name,
        portal_app_id: facts.portal_app_id,
        media_role: facts.media_role,
        pid: facts.pid,
        route: Route::default(),
        routed_by: RoutedBy::Graph,
        bus: bus.map(str::to_owned),
        sink: seen.sink.clone(),
        contested: seen.contest.is_some(),
        playing: seen.playing,
        channels: seen.channels,
        rule: None,
        contest: seen.contest.as_ref().map(contest),
        volume_db: seen.volumes.iter().map(|volume| db(*volume)).collect(),
        muted: seen.muted,
        folded: seen.folded_to.zip(seen.channels).map(|(to, from)| Fold { from, to }),
        own_volume: match seen.on_its_bus {
            0 => None,
            1 => Some(OwnVolume::Kept),
            _ => Some(OwnVolume::Approximate),
        },
    };
    decide_route(model, &mut stream);
    stream
}

fn contest(seen: &graph::Contest) -> Contest {
    let by = match seen.by {
        MovedBy::App => ContestedBy::App,
        MovedBy::Metadata => ContestedBy::Metadata,
        MovedBy::Links => ContestedBy::Links,
    };
    Contest { by, who: seen.who.clone(), to: seen.to.clone() }
}

/// Where it is to go, or where it goes if it is left alone.
fn decide_route(model: &Model, stream: &mut Stream) {
    let decision = model.router.decide(stream);
    let (route, by, rule) = (decision.route.cloned(), decision.by, decision.rule);
    stream.route = route.unwrap_or_else(|| self::route(model, stream));
    (stream.routed_by, stream.rule) = (by, rule);
}

/// The route of a stream that is left alone. One that is linked to no sink will go to the default,
/// unless nobody but its app links it.
fn route(model: &Model, stream: &Stream) -> Route {
    let is_linked_by_others = model.router.tie(stream.id) != Tie::Fixed(FixedBy::OwnLinks);
    let default_sink = model.sinks().device.default_sink.as_deref();
    let name = stream.sink.as_deref().or(default_sink.filter(|_| is_linked_by_others));
    match name.and_then(InsertId::of_node) {
        Some(InsertId::Main | InsertId::Stereo) => Route::Processed,
        Some(InsertId::Master) => Route::Protected,
        None => Route::Bypass,
    }
}

fn sink(seen: &SinkSeen) -> Sink {
    let kind = match InsertId::of_node(&seen.name) {
        Some(InsertId::Main | InsertId::Stereo) => SinkKind::Bus,
        Some(InsertId::Master) => SinkKind::Master,
        None if seen.is_device => SinkKind::Device,
        None => SinkKind::Virtual,
    };
    Sink {
        id: seen.serial,
        name: seen.name.clone(),
        description: seen.description.clone(),
        kind,
        channels: seen.channels.clone(),
        volume_db: seen.volumes.iter().map(|volume| db(*volume)).collect(),
        muted: seen.muted,
        running: seen.running,
    }
}

/// A linear volume in dB; nothing for silence, and for what is no volume.
fn db(volume: f32) -> Option<f32> {
    (volume > 0.0 && volume.is_finite()).then(|| 20.0 * volume.log10())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::hello;
    use crate::graph::{Crowd, Facts, GraphEvent, MOST_SINKS, MOST_STREAMS};
    use crate::server::ServerSettings;
    use crate::state::{DaemonState, Start};
    use crate::step::Input;
    use crate::store::{MOST_ROUTE_BYTES, MOST_ROUTES, UserRoute};
    use headroom_ipc::Change;
    use std::time::Instant;

    fn state() -> DaemonState {
        DaemonState::new(Start {
            hello: hello(&ServerSettings::default()),
            folders: Default::default(),
            library: headroom_profile::Library::scan(&Default::default()),
            remembered: Default::default(),
            promote: false,
            warnings: Vec::new(),
            at: Instant::now(),
        })
    }

    fn seen(streams: &[(u64, Option<&str>)], tie: Tie) -> Seen {
        let stream = |(serial, sink): &(u64, Option<&str>)| StreamSeen {
            tie,
            serial: *serial,
            node_name: "node".into(),
            app: Facts { application_name: Some("mpv".into()), ..Facts::default() },
            sink: sink.map(str::to_owned),
            playing: sink.is_some(),
            channels: Some(2),
            ..StreamSeen::default()
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
            ..Seen::default()
        }
    }

    fn names(state: &mut DaemonState, event: &GraphEvent) -> Vec<&'static str> {
        let effects = state.step(Input::Graph(event), Instant::now());
        let name = |change: &Change| match change {
            Change::Routing(change) => change.event(),
            Change::Sinks(change) => change.event(),
            Change::Daemon(change) => change.event(),
            other => panic!("{other:?}"),
        };
        effects.events.iter().map(|event| name(&event.change)).collect()
    }

    fn census(state: &mut DaemonState, streams: &[(u64, Option<&str>)]) -> Vec<&'static str> {
        names(state, &GraphEvent::Census(Box::new(seen(streams, Tie::None))))
    }

    #[test]
    fn each_change_of_the_picture_is_an_event() {
        let mut state = state();
        let told = census(&mut state, &[(90, None)]);
        assert_eq!(told, ["stream_routed", "sink_changed", "sink_changed"]);
        let stream = state.model.routing().streams[0].clone();
        assert_eq!((&stream.route, stream.routed_by), (&Route::Processed, RoutedBy::DefaultRoute));
        assert_eq!((stream.bus, stream.sink), (None, None), "it is not there yet");
        assert_eq!(census(&mut state, &[(90, Some("headroom.main"))]), ["stream_routed"]);
        let stream = &state.model.routing().streams[0];
        assert_eq!((&stream.route, stream.bus.as_deref()), (&Route::Processed, Some("main")));
        assert_eq!(census(&mut state, &[(90, Some("headroom.main"))]), [""; 0]);
        assert_eq!(census(&mut state, &[(91, Some("alsa"))]), ["stream_removed", "stream_routed"]);
        assert_eq!(state.model.routing().streams[0].route, Route::Processed);
        let kinds: Vec<SinkKind> = state.model.sinks().sinks.iter().map(|sink| sink.kind).collect();
        assert_eq!(kinds, [SinkKind::Device, SinkKind::Bus]);
        assert_eq!(
            names(&mut state, &GraphEvent::Lost)[..3],
            ["pipewire_lost", "replaced", "replaced"]
        );
    }

    #[test]
    fn a_stream_that_is_left_alone_goes_where_it_is_linked_or_where_the_default_is() {
        let mut state = state();
        let streams = [(90, None), (91, Some("alsa"))];
        let picture = seen(&streams, Tie::Fixed(FixedBy::DontMove));
        names(&mut state, &GraphEvent::Census(Box::new(picture)));
        let main = InsertId::Main.node_name().to_owned();
        let told = names(&mut state, &GraphEvent::DefaultSink(Some(main)));
        assert_eq!(told, ["device_changed", "stream_routed"]);
        let routes = state.model.routing().streams.iter().map(|stream| stream.route.clone());
        assert_eq!(routes.collect::<Vec<_>>(), [Route::Processed, Route::Bypass]);
        // Nobody sends one to the default that its app links by itself.
        let picture = seen(&[(92, None)], Tie::Fixed(FixedBy::OwnLinks));
        names(&mut state, &GraphEvent::Census(Box::new(picture)));
        assert_eq!(state.model.routing().streams[0].route, Route::Bypass);
    }

    #[test]
    fn a_volume_is_in_db_and_silence_is_none() {
        let volumes = vec![0.1, 1.0, 0.0, f32::NAN];
        let seen = SinkSeen { volumes, muted: true, ..SinkSeen::default() };
        let sink = sink(&seen);
        assert_eq!(sink.volume_db, [Some(-20.0), Some(0.0), None, None]);
        assert!(sink.muted);
    }

    #[test]
    fn what_is_to_be_called_an_app_has_a_name_whatever_it_says() {
        let state = state();
        let text = |text: &str| Some(text.to_owned());
        let mut seen = StreamSeen { serial: 90, ..StreamSeen::default() };
        let app = |seen: &StreamSeen| stream(&state.model, seen).app;
        assert_eq!(app(&seen), "stream 90");
        seen.node_name = "a node".into();
        assert_eq!(app(&seen), "a node");
        seen.app.pid = Some(4_242);
        seen.node_name = "a node-4242".into();
        assert_eq!(app(&seen), "a node");
        seen.app.portal_app_id = text("org.example.App");
        seen.app.process_binary = text("app");
        assert_eq!(app(&seen), "app");
        seen.app.application_name = text("An App");
        assert_eq!(app(&seen), "An App");
        // What changes while it plays is no part of who it is.
        seen.app.media_name = text("A Title");
        seen.app.pid = Some(77);
        seen.app.application_name = text("A Title - An App [77]");
        assert_eq!(app(&seen), "An App");
    }

    #[test]
    fn the_largest_picture_there_can_be_fits_in_a_message() {
        let text = |letter: char| letter.to_string().repeat(256);
        let some = |letter| Some(text(letter));
        let streams = (0..MOST_STREAMS).map(|n| StreamSeen {
            serial: u64::MAX - n as u64,
            node_name: text('n'),
            app: Facts {
                application_name: some('a'),
                process_binary: some('b'),
                portal_app_id: some('p'),
                media_name: some('m'),
                media_role: some('r'),
                pid: Some(u32::MAX),
            },
            sink: some('s'),
            playing: true,
            channels: Some(u32::MAX),
            volumes: vec![0.3; headroom_dsp::MAX_CHANNELS],
            muted: true,
            contest: Some(graph::Contest {
                by: MovedBy::Metadata,
                who: Some("w".repeat(64)),
                to: some('t'),
            }),
            ..StreamSeen::default()
        });
        let sinks = (0..MOST_SINKS).map(|n| SinkSeen {
            serial: u64::MAX - n as u64,
            name: text('n'),
            description: text('d'),
            is_device: false,
            channels: vec!["x".repeat(16); 64],
            volumes: vec![0.5; 64],
            muted: true,
            running: true,
        });
        let crowd = Crowd { streams: true, sinks: true };
        let seen = Seen { session: 1, streams: streams.collect(), sinks: sinks.collect(), crowd };
        let mut state = state();
        // And with the most rules that the user can have.
        let pattern = "x".repeat(MOST_ROUTE_BYTES / MOST_ROUTES);
        let matches = headroom_ipc::Match { media_role: vec![pattern], ..Default::default() };
        let route = UserRoute { matches, route: Route::Protected };
        state.model.user_routes = vec![route; MOST_ROUTES];
        state.model.rules_have_changed(&mut Effects::default());
        let told = names(&mut state, &GraphEvent::Census(Box::new(seen.clone())));
        assert_eq!(told.len(), MOST_STREAMS + MOST_SINKS + 1);
        assert_eq!(told.last(), Some(&"changed"), "it is said that there are more");
        let all = state.model.mirror().replicate(headroom_ipc::Topic::ALL);
        let frame = headroom_ipc::ServerFrame::reply(Some(1), &all);
        let bytes = frame.body().len();
        assert!((500_000..headroom_ipc::MAX_BODY_BYTES).contains(&bytes), "{bytes}");
        // No more of them, no more warnings.
        let fewer = Seen { crowd: Crowd::default(), ..seen };
        let told = names(&mut state, &GraphEvent::Census(Box::new(fewer)));
        assert_eq!(told, ["changed"]);
        assert_eq!(state.model.daemon().warnings, []);
    }
}
