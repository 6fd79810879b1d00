//! One of every message, with every field filled in, for the tests that read or write them all.

use headroom_ipc::*;

use super::objects::*;

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
        ("", SinkUse { sink: Some("headphones".into()) }.into()),
        (".follow", SinkUse { sink: None }.into()),
        ("", ProfileList {}.into()),
        ("", ProfileUse { name: "night".into() }.into()),
        ("", ProfileShow { name: Some("night".into()) }.into()),
        ("", ProfileReload {}.into()),
        ("", DeviceList {}.into()),
        ("", DeviceSet { matches: Some(device_match()), name: "night".into() }.into()),
        (".others", DeviceSet { matches: None, name: "night".into() }.into()),
        ("", DeviceUnset { matches: Some(device_match()) }.into()),
        (".others", DeviceUnset { matches: None }.into()),
        ("", RouteList {}.into()),
        ("", RouteSet { matches: matches(), route: Route::Bus("voice".into()) }.into()),
        ("", RouteUnset { matches: matches() }.into()),
        ("", RouteStream { stream: 412, route: Some(Route::Bypass) }.into()),
        (".unpin", RouteStream { stream: 412, route: None }.into()),
        (".app", WhyCall::App("mpv".into()).into()),
        (".stream", WhyCall::Stream(412).into()),
        ("", SettingGet { key: "agc.target_lufs".into() }.into()),
        ("", SettingList { section: Some("agc".into()) }.into()),
        (".number", set(SettingAmount::Value(SettingValue::Number(-16.5)))),
        (".switch", set(SettingAmount::Value(SettingValue::Switch(true)))),
        (".word", set(SettingAmount::Value(SettingValue::Word("rms".into())))),
        (".by", set(SettingAmount::By(-0.5))),
        ("", SettingClear { key: "agc.target_lufs".into() }.into()),
        ("", SettingReset { section: Some("limiter.soft".into()) }.into()),
        ("", BypassSet { bypass: BypassTo::Toggle }.into()),
        ("", PromoteSet { promote: PromoteTo::Toggle }.into()),
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
        reply_with::<StatusCall>(
            ".contested",
            Status {
                streams: vec![StreamStatus {
                    contested: true,
                    sink: Some(sink().name),
                    contest: Some(contest()),
                    ..status().streams.remove(0)
                }],
                ..status()
            },
        ),
        reply::<StreamList>(Streams { streams: vec![stream()] }),
        reply_with::<StatusCall>(
            ".folded",
            Status {
                streams: vec![StreamStatus { folded: Some(fold()), ..status().streams.remove(0) }],
                ..status()
            },
        ),
        reply_with::<StreamList>(".folded", Streams { streams: vec![folded_stream()] }),
        reply_with::<StreamList>(".contested", Streams { streams: vec![contested_stream()] }),
        reply::<SinkList>(sinks()),
        reply::<SinkUse>(Device {
            preferred_sink: Some("headphones".into()),
            promotion: Some(Promotion::Contested),
            ..device()
        }),
        reply::<ProfileList>(profiles()),
        reply_with::<ProfileList>(
            ".folders",
            Profiles {
                folders: vec!["/usr/share/headroom/profiles".into(), "/home/me/profiles".into()],
                ..profiles()
            },
        ),
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
        reply_with::<StatusCall>(
            ".device",
            Status {
                profile_by: Some(UsedBy::Device),
                device: Device { port: Some(port()), ..device() },
                ..status()
            },
        ),
        reply_with::<ProfileList>(
            ".devices",
            Profiles {
                devices: devices().devices,
                default_profile: Some("music".into()),
                ..profiles()
            },
        ),
        reply::<DeviceList>(devices()),
        reply::<DeviceSet>(devices()),
        reply::<DeviceUnset>(Devices { heard: None, default_profile: None, ..devices() }),
        reply::<RouteList>(rules()),
        reply::<RouteSet>(rule()),
        reply::<RouteUnset>(Rules { rules: Vec::new(), ..rules() }),
        reply::<RouteStream>(stream()),
        reply::<WhyCall>(why()),
        reply_with::<WhyCall>(
            ".expected",
            Why { streams: Vec::new(), more: 0, expected: Some(decided()) },
        ),
        reply::<SettingGet>(number_setting()),
        reply_with::<SettingGet>(
            ".set_aside",
            Setting { set_aside: Some(SettingValue::Number(-8.0)), ..number_setting() },
        ),
        reply::<SettingList>(SettingValues { settings: settings().settings }),
        reply::<SettingSet>(number_setting()),
        reply::<SettingClear>(number_setting()),
        reply::<SettingReset>(SettingValues { settings: Vec::new() }),
        reply::<BypassSet>(Bypass { bypass: true }),
        reply::<PromoteSet>(Device { promotion: Some(Promotion::On), ..device() }),
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
