//! One of every object of the protocol, with every field filled in: what specimens, mirrors and
//! random states are made of.

use headroom_ipc::*;

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

pub(super) fn graph() -> Graph {
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

pub(super) fn warning() -> Warning {
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

pub(super) fn reloaded() -> Reloaded {
    let Profiles { used, profiles, .. } = profiles();
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
    Profiles { used: "night".into(), profiles: vec![default, profile()], ..Profiles::default() }
}

pub(super) fn number_setting() -> Setting {
    Setting {
        key: "agc.target_lufs".into(),
        value: SettingValue::Number(-16.5),
        profile_value: SettingValue::Number(-18.0),
        overridden: true,
        set_aside: None,
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
        set_aside: None,
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

pub(super) fn matches() -> Match {
    Match {
        process_binary: vec!["mpv".into(), "vlc*".into()],
        application_name: vec!["Music".into()],
        portal_app_id: vec!["org.example.Player".into()],
        media_role: vec!["Music".into()],
    }
}

pub(super) fn rule() -> Rule {
    Rule { matches: matches(), route: Route::Bus("voice".into()), origin: RuleOrigin::User }
}

pub(super) fn rules() -> Rules {
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
        rule: None,
        contest: None,
        volume_db: Vec::new(),
        muted: false,
        folded: None,
        own_volume: None,
    }
}

/// A stream that others move, by everything that can be said of it.
pub(crate) fn contested_stream() -> Stream {
    Stream {
        id: 413,
        routed_by: RoutedBy::Rule,
        rule: Some(RulePlace { origin: RuleOrigin::Profile, number: 2 }),
        sink: Some(sink().name),
        bus: None,
        contested: true,
        contest: Some(contest()),
        volume_db: vec![Some(-6.5), None],
        muted: true,
        ..stream()
    }
}

/// A stream of more channels than the device has.
pub(crate) fn folded_stream() -> Stream {
    Stream {
        channels: Some(6),
        folded: Some(fold()),
        own_volume: Some(OwnVolume::Approximate),
        ..stream()
    }
}

pub(super) fn fold() -> Fold {
    Fold { from: 6, to: 2 }
}

pub(super) fn contest() -> Contest {
    Contest { by: ContestedBy::Links, who: Some("qpwgraph".into()), to: Some(sink().name) }
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

pub(super) fn device() -> Device {
    Device {
        device_sink: Some("alsa_output.pci-0000_00_1f.3.analog-stereo".into()),
        default_sink: Some("headroom.main".into()),
        port: None,
        rate_hz: Some(48_000),
        quantum_frames: Some(1024),
        latency_frames: 111,
        latency_ms: Some(2.3125),
        preferred_sink: None,
        promotion: None,
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

pub(super) fn status() -> Status {
    Status {
        version: "0.1.0".into(),
        protocol: 1,
        run_id: "9f2c61d08b7a4e35".into(),
        pid: 4121,
        uptime_ms: 86_400_123,
        graph: graph(),
        profile: "night".into(),
        profile_by: None,
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
            sink: None,
            contest: None,
            folded: None,
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

pub(super) fn port() -> Port {
    Port {
        name: "analog-output-headphones".into(),
        description: Some("Headphones".into()),
        kind: Some("headphones".into()),
    }
}

pub(super) fn device_match() -> DeviceMatch {
    DeviceMatch {
        node_name: vec!["alsa_output.*".into()],
        description: vec!["Built-in*".into()],
        port: vec!["headphones".into()],
    }
}

pub(super) fn devices() -> Devices {
    let night = DeviceProfile {
        matches: device_match(),
        profile: "night".into(),
        origin: RuleOrigin::User,
    };
    Devices {
        devices: vec![night],
        default_profile: Some("music".into()),
        heard: Some(HeardDevice {
            node_name: "alsa_output.pci-0000_00_1f.3.analog-stereo".into(),
            description: Some("Built-in Audio".into()),
            port: Some(port()),
        }),
        chosen: "default".into(),
        used: "night".into(),
        used_by: UsedBy::Device,
    }
}

pub(super) fn why() -> Why {
    let chain = Chain {
        bus: Some("main".into()),
        streams: 2,
        input_lufs: Some(-30.5),
        output_lufs: Some(-18.0),
        gain_db: Some(10.75),
        agc_gain_db: Some(12.25),
        guard_reduction_db: Some(0.0),
        compressor_reduction_db: Some(1.5),
        compressor_makeup_db: None,
        limiter_reduction_db: Some(0.0),
        latency_frames: 111,
        latency_ms: Some(2.3125),
    };
    let stream = StreamWhy {
        stream: stream(),
        decided: decided(),
        chain: Some(chain),
        notes: vec!["2 streams share the bus".into()],
    };
    Why { streams: vec![stream], more: 3, expected: None }
}

pub(super) fn decided() -> Decided {
    Decided {
        by: Decider::ProfileRule,
        route: Some(Route::Processed),
        matched: Some(Match { process_binary: vec!["mpv*".into()], ..Match::default() }),
        profile: Some("night".into()),
        path: Some("/home/ada/.config/headroom/profiles/night.toml".into()),
        line: Some(12),
        because: "the first rule that matches".into(),
    }
}
