//! One of every message, with every field filled in, for the tests that read or write them all.

use headroom_ipc::*;

/// A message and how to tell that it was read right.
pub(crate) struct Specimen {
    /// The stem of its golden file.
    pub(crate) name: String,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Reads a body, and says what is wrong if it is not this message.
    pub(crate) check: Check,
}

type Check = Box<dyn Fn(&[u8]) -> Result<(), String>>;

/// Every message of the protocol.
pub(crate) fn all() -> Vec<Specimen> {
    let mut all: Vec<Specimen> = requests();
    all.extend(replies());
    all.extend(errors());
    all.extend(events().into_iter().map(|event| {
        let frame = ServerFrame::event(&event).expect("an event");
        let name = format!("event.{}.{}", event.topic, event.change.event());
        server(name, &frame, move |message| match message {
            ServerMessage::Event(read) if read == event => Ok(()),
            other => Err(format!("{other:?}\n instead of {event:?}")),
        })
    }));
    all.push(server("event.daemon.hello".into(), &ServerFrame::hello(&hello()), |message| {
        match message {
            ServerMessage::Hello(read) if read == hello() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }));
    all
}

fn server(
    name: String,
    frame: &ServerFrame,
    check: impl Fn(ServerMessage<'_>) -> Result<(), String> + 'static,
) -> Specimen {
    Specimen {
        name,
        body: frame.body().to_vec(),
        check: Box::new(move |body| {
            check(ServerMessage::decode(body).map_err(|error| error.to_string())?)
        }),
    }
}

fn requests() -> Vec<Specimen> {
    let ops: Vec<(&str, Op)> = vec![
        ("", HelloCall { client: Some("bar".into()), protocol: Some(1) }.into()),
        ("", Ping {}.into()),
        ("", Describe {}.into()),
        ("", StatusCall {}.into()),
        ("", StreamList {}.into()),
        ("", SinkList {}.into()),
        ("", ProfileList {}.into()),
        ("", ProfileUse { name: "night".into() }.into()),
        ("", ProfileShow { name: Some("night".into()) }.into()),
        ("", ProfileReload {}.into()),
        ("", RouteList {}.into()),
        ("", RouteSet { matches: matches(), route: Route::Bus("voice".into()) }.into()),
        ("", RouteUnset { matches: matches() }.into()),
        ("", RouteStream { stream: 412, route: Some(Route::Bypass) }.into()),
        (".unpin", RouteStream { stream: 412, route: None }.into()),
        ("", SettingGet { key: "agc.target_lufs".into() }.into()),
        ("", SettingList { section: Some("agc".into()) }.into()),
        (".number", set(SettingAmount::Value(SettingValue::Number(-16.5)))),
        (".switch", set(SettingAmount::Value(SettingValue::Switch(true)))),
        (".word", set(SettingAmount::Value(SettingValue::Word("rms".into())))),
        (".by", set(SettingAmount::By(-0.5))),
        ("", SettingClear { key: "agc.target_lufs".into() }.into()),
        ("", SettingReset { section: Some("limiter.soft".into()) }.into()),
        ("", BypassSet { bypass: BypassTo::Toggle }.into()),
        ("", Subscribe { topics: Topic::ALL.to_vec(), snapshot: false, max_hz: Some(12.5) }.into()),
        ("", Unsubscribe { topics: Some(vec![Topic::Meters]) }.into()),
        ("", Snapshot { topics: Some(vec![Topic::Routing, Topic::Sinks]) }.into()),
    ];
    for name in Op::NAMES {
        assert!(ops.iter().any(|(_, op)| op.name() == *name), "no specimen of {name}");
    }
    ops.into_iter()
        .map(|(suffix, op)| Specimen {
            name: format!("request.{}{suffix}", op.name()),
            body: op.encode(41).expect("short")[PREFIX_BYTES..].to_vec(),
            check: Box::new(move |body| match decode_request(body) {
                Ok(request) if request == (Request { id: Some(41), op: op.clone() }) => Ok(()),
                other => Err(format!("{other:?}\n instead of {op:?}")),
            }),
        })
        .collect()
}

fn set(amount: SettingAmount) -> Op {
    SettingSet { key: "agc.target_lufs".into(), amount }.into()
}

fn reply<C: Call>(result: C::Reply) -> Specimen
where
    C::Reply: PartialEq + std::fmt::Debug + 'static,
{
    reply_with::<C>("", result)
}

/// A reply with fields that were added later.
fn reply_with<C: Call>(suffix: &str, result: C::Reply) -> Specimen
where
    C::Reply: PartialEq + std::fmt::Debug + 'static,
{
    let frame = ServerFrame::reply(Some(41), &result);
    server(format!("reply.{}{suffix}", C::OP), &frame, move |message| match message {
        ServerMessage::Reply { id: Some(41), answer } => {
            match answer.result::<C::Reply>().map_err(|error| error.to_string())? {
                Ok(read) if read == result => Ok(()),
                other => Err(format!("{other:?}\n instead of {result:?}")),
            }
        }
        other => Err(format!("{other:?}")),
    })
}

fn replies() -> Vec<Specimen> {
    vec![
        reply::<HelloCall>(hello()),
        reply::<Ping>(Pong {}),
        reply::<Describe>(Description {
            protocol: 1,
            ops: vec![OpDescription {
                op: "setting.get".into(),
                args: vec![ArgDescription {
                    name: "key".into(),
                    required: true,
                    allowed: "a dotted key".into(),
                    about: "the setting".into(),
                }],
            }],
            topics: vec![TopicDescription { topic: "meters".into(), events: vec!["tick".into()] }],
            codes: vec!["BUSY".into()],
        }),
        reply::<StatusCall>(status()),
        reply_with::<StatusCall>(
            ".set_aside",
            Status {
                overrides: vec![Override { in_force: false, ..status().overrides.remove(0) }],
                ..status()
            },
        ),
        reply::<StreamList>(Streams { streams: vec![stream()] }),
        reply::<SinkList>(sinks()),
        reply::<ProfileList>(profiles()),
        reply::<ProfileUse>(profile()),
        reply::<ProfileShow>(ProfileDetail {
            profile: profile(),
            settings: vec![ProfileValue {
                key: "agc.target_lufs".into(),
                value: SettingValue::Number(-18.0),
                effective: None,
            }],
            rules: vec![rule()],
            default_route: Route::Protected,
        }),
        reply_with::<ProfileShow>(
            ".effective",
            ProfileDetail {
                profile: profile(),
                settings: vec![ProfileValue {
                    key: "agc.target_lufs".into(),
                    value: SettingValue::Number(-18.0),
                    effective: Some(SettingValue::Number(-16.5)),
                }],
                rules: Vec::new(),
                default_route: Route::Processed,
            },
        ),
        reply::<ProfileReload>(reloaded()),
        reply_with::<ProfileReload>(
            ".changes",
            Reloaded {
                reloaded: vec!["default".into()],
                failed: vec!["night".into()],
                removed: vec!["party".into()],
                ..reloaded()
            },
        ),
        reply::<RouteList>(rules()),
        reply::<RouteSet>(rule()),
        reply::<RouteUnset>(Rules { rules: Vec::new(), ..rules() }),
        reply::<RouteStream>(stream()),
        reply::<SettingGet>(number_setting()),
        reply::<SettingList>(SettingValues { settings: settings().settings }),
        reply::<SettingSet>(number_setting()),
        reply::<SettingClear>(number_setting()),
        reply::<SettingReset>(SettingValues { settings: Vec::new() }),
        reply::<BypassSet>(Bypass { bypass: true }),
        reply::<Subscribe>(Subscribed {
            topics: vec![TopicSeq { topic: Topic::Meters, seq: 900 }],
            snapshot: Some(mirror()),
        }),
        reply::<Unsubscribe>(Unsubscribed { topics: vec![Topic::Daemon] }),
        reply::<Snapshot>(mirror()),
    ]
}

fn errors() -> Vec<Specimen> {
    Code::ALL
        .iter()
        .map(|code| {
            let error = Error::new(*code, "max_hz is 1000, but must be between 0.1 and 100")
                .with_field("max_hz")
                .with_value(1000_u64)
                .with_allowed("a number between 0.1 and 100")
                .with_nearest("max_hz")
                .with_limit(100);
            let id = (*code != Code::InvalidFrame).then_some(41);
            let frame = ServerFrame::error(id, &error);
            server(format!("error.{code}"), &frame, move |message| {
                let wanted = ServerMessage::Reply { id, answer: Answer::Refused(error.clone()) };
                if message == wanted { Ok(()) } else { Err(format!("{message:?}")) }
            })
        })
        .collect()
}

/// One of every event.
pub(crate) fn events() -> Vec<Event> {
    let changes: Vec<Change> = vec![
        DaemonChange::Started(daemon()).into(),
        DaemonChange::Changed(daemon()).into(),
        DaemonChange::Shutdown(Shutdown { reason: "SIGTERM".into() }).into(),
        DaemonChange::PipewireLost(daemon()).into(),
        DaemonChange::PipewireBack(daemon()).into(),
        DaemonChange::Overflow(Overflow { topic: Topic::Meters, lost: 436, total_lost: 500 })
            .into(),
        ProfileChange::Used(profile()).into(),
        ProfileChange::Reloaded(profiles()).into(),
        ProfileChange::Failed(Profile {
            fault: Some(ProfileFault {
                message: "agc.target_lufs is 3, but must be a number between -40 and -8".into(),
                line: Some(7),
                column: Some(15),
            }),
            ..profile()
        })
        .into(),
        SettingChange::Changed(number_setting()).into(),
        SettingChange::Replaced(settings()).into(),
        SettingChange::BypassChanged(Bypass { bypass: true }).into(),
        RoutingChange::RuleChanged(rules()).into(),
        RoutingChange::StreamRouted(stream()).into(),
        RoutingChange::StreamChanged(stream()).into(),
        RoutingChange::StreamRemoved(StreamRemoved { id: 412 }).into(),
        RoutingChange::Replaced(routing()).into(),
        SinksChange::SinkChanged(sink()).into(),
        SinksChange::SinkRemoved(SinkRemoved { id: 57 }).into(),
        SinksChange::DeviceChanged(device()).into(),
        SinksChange::Replaced(sinks()).into(),
        MetersChange::Tick(meters()).into(),
    ];
    for topic in Topic::ALL {
        for event in Change::events_of(*topic) {
            let known = changes.iter().any(|c| c.topic() == *topic && c.event() == *event);
            assert!(known, "no specimen of {topic} {event}");
        }
    }
    let numbered = changes.into_iter().enumerate();
    numbered
        .map(|(n, change)| Event { topic: change.topic(), seq: 300 + n as u64, change })
        .collect()
}

/// A daemon's greeting.
pub(crate) fn hello() -> Hello {
    Hello {
        daemon: "headroomd".into(),
        version: "0.1.0".into(),
        protocol: 1,
        run_id: "9f2c61d08b7a4e35".into(),
        pid: 4121,
        limits: Limits {
            max_body_bytes: 1 << 20,
            max_connections: 256,
            queue_messages: 64,
            queue_meters: 47,
            stalled_after_ms: 30_000,
        },
    }
}

fn graph() -> Graph {
    Graph {
        pipewire_connected: true,
        pipewire_version: Some("1.4.2".into()),
        library_version: Some("1.4.2".into()),
        wireplumber_connected: true,
        wireplumber_version: Some("0.5.8".into()),
    }
}

/// The state of topic `daemon`.
pub(crate) fn daemon() -> Daemon {
    Daemon {
        version: "0.1.0".into(),
        protocol: 1,
        run_id: "9f2c61d08b7a4e35".into(),
        pid: 4121,
        graph: graph(),
        warnings: vec![warning()],
    }
}

fn warning() -> Warning {
    Warning { about: "profile.night".into(), message: "limiter.oversample was read as 4".into() }
}

/// A profile.
pub(crate) fn profile() -> Profile {
    Profile {
        name: "night".into(),
        description: "Quiet, and nothing stands out".into(),
        origin: ProfileOrigin::File,
        path: Some("/home/ada/.config/headroom/profiles/night.toml".into()),
        warnings: vec!["limiter.oversample was read as 4".into()],
        fault: None,
    }
}

fn reloaded() -> Reloaded {
    let Profiles { used, profiles } = profiles();
    Reloaded { used, profiles, ..Reloaded::default() }
}

/// The state of topic `profile`.
pub(crate) fn profiles() -> Profiles {
    let default = Profile {
        name: "default".into(),
        description: "Every app at the same comfortable loudness".into(),
        origin: ProfileOrigin::Embedded,
        path: None,
        warnings: Vec::new(),
        fault: None,
    };
    Profiles { used: "night".into(), profiles: vec![default, profile()] }
}

fn number_setting() -> Setting {
    Setting {
        key: "agc.target_lufs".into(),
        value: SettingValue::Number(-16.5),
        profile_value: SettingValue::Number(-18.0),
        overridden: true,
        accepts: Accepts::number(-40.0, -8.0),
    }
}

/// The state of topic `setting`, with a setting of every kind.
pub(crate) fn settings() -> Settings {
    let plain = |key: &str, value: SettingValue, accepts: Accepts| Setting {
        key: key.into(),
        profile_value: value.clone(),
        value,
        overridden: false,
        accepts,
    };
    Settings {
        bypass: false,
        settings: vec![
            plain("agc.enabled", SettingValue::Switch(true), Accepts::switch()),
            number_setting(),
            plain(
                "compressor.makeup_db",
                SettingValue::Word("auto".into()),
                Accepts::number_or_word(-24.0, 40.0, &["auto"]),
            ),
            plain(
                "limiter.oversample",
                SettingValue::Number(8.0),
                Accepts::one_of(&[4.0, 8.0, 16.0]),
            ),
            plain(
                "limiter.link",
                SettingValue::Word("stereo".into()),
                Accepts::word(&["stereo", "dual-mono"]),
            ),
        ],
    }
}

fn matches() -> Match {
    Match {
        process_binary: vec!["mpv".into(), "vlc*".into()],
        application_name: vec!["Music".into()],
        portal_app_id: vec!["org.example.Player".into()],
        media_role: vec!["Music".into()],
    }
}

fn rule() -> Rule {
    Rule { matches: matches(), route: Route::Bus("voice".into()), origin: RuleOrigin::User }
}

fn rules() -> Rules {
    let of_profile = Rule {
        matches: Match { process_binary: vec!["ardour*".into()], ..Match::default() },
        route: Route::Bypass,
        origin: RuleOrigin::Profile,
    };
    Rules { rules: vec![rule(), of_profile], default_route: Route::Processed }
}

/// A stream.
pub(crate) fn stream() -> Stream {
    Stream {
        id: 412,
        app: "mpv Media Player".into(),
        media_name: Some("A film".into()),
        process_binary: Some("mpv".into()),
        application_name: Some("mpv Media Player".into()),
        portal_app_id: Some("io.mpv.Mpv".into()),
        media_role: Some("Movie".into()),
        pid: Some(9120),
        route: Route::Processed,
        routed_by: RoutedBy::DefaultRoute,
        bus: Some("main".into()),
        sink: Some("headroom.main".into()),
        contested: false,
        playing: true,
        channels: Some(2),
    }
}

/// The state of topic `routing`.
pub(crate) fn routing() -> Routing {
    Routing { rules: rules(), streams: vec![stream()] }
}

/// A sink.
pub(crate) fn sink() -> Sink {
    Sink {
        id: 57,
        name: "alsa_output.pci-0000_00_1f.3.analog-stereo".into(),
        description: "Built-in Audio".into(),
        kind: SinkKind::Device,
        channels: vec!["FL".into(), "FR".into()],
        volume_db: vec![Some(-12.5), None],
        muted: false,
        running: true,
    }
}

fn device() -> Device {
    Device {
        device_sink: Some("alsa_output.pci-0000_00_1f.3.analog-stereo".into()),
        default_sink: Some("headroom.main".into()),
        rate_hz: Some(48_000),
        quantum_frames: Some(1024),
        latency_frames: 111,
        latency_ms: Some(2.3125),
    }
}

/// The state of topic `sinks`.
pub(crate) fn sinks() -> Sinks {
    Sinks { device: device(), sinks: vec![sink()] }
}

/// The state of topic `meters`.
pub(crate) fn meters() -> Meters {
    Meters {
        buses: vec![BusMeters {
            bus: "main".into(),
            input_momentary_lufs: Some(-31.2),
            input_short_term_lufs: Some(-30.5),
            agc_gain_db: Some(12.25),
            guard_reduction_db: Some(0.0),
            compressor_reduction_db: Some(1.5),
        }],
        master: Some(MasterMeters {
            output_momentary_lufs: Some(-18.2),
            output_short_term_lufs: Some(-18.0),
            output_integrated_lufs: None,
            sample_peak_dbfs: Some(-3.5),
            limiter_reduction_db: Some(0.0),
        }),
    }
}

/// The state of every topic.
pub(crate) fn mirror() -> Mirror {
    Mirror {
        daemon: Some(Tracked { seq: 3, state: daemon() }),
        profile: Some(Tracked { seq: 1, state: profiles() }),
        setting: Some(Tracked { seq: 17, state: settings() }),
        routing: Some(Tracked { seq: 60, state: routing() }),
        sinks: Some(Tracked { seq: 9, state: sinks() }),
        meters: Some(Tracked { seq: 900, state: meters() }),
    }
}

fn status() -> Status {
    Status {
        version: "0.1.0".into(),
        protocol: 1,
        run_id: "9f2c61d08b7a4e35".into(),
        pid: 4121,
        uptime_ms: 86_400_123,
        graph: graph(),
        profile: "night".into(),
        bypass: false,
        device: device(),
        device_description: Some("Built-in Audio".into()),
        streams: vec![StreamStatus {
            id: 412,
            app: "mpv Media Player".into(),
            media_name: Some("A film".into()),
            route: Route::Processed,
            bus: Some("main".into()),
            playing: true,
            contested: false,
            gain_db: Some(10.75),
        }],
        overrides: vec![Override {
            key: "agc.target_lufs".into(),
            value: SettingValue::Number(-16.5),
            profile_value: SettingValue::Number(-18.0),
            in_force: true,
        }],
        warnings: vec![warning()],
    }
}
