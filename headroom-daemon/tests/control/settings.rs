//! Settings, bypass and profiles: changed, published, and told to the graph.

use std::fs;

use headroom_daemon::graph::GraphCommand;
use headroom_daemon::server::ServerSettings;
use headroom_dsp::{ChainParams, Lufs};
use headroom_ipc::{
    BypassSet, BypassTo, Change, Code, Mirror, ProfileReload, ProfileShow, ProfileUse, RouteList,
    SettingAmount, SettingChange, SettingClear, SettingGet, SettingReset, SettingSet, SettingValue,
    StatusCall, Subscribe, Topic,
};

use crate::daemon::Daemon;
use crate::peer::Peer;

fn set(
    peer: &mut Peer,
    key: &str,
    amount: SettingAmount,
) -> Result<SettingValue, headroom_ipc::Error> {
    peer.call(&SettingSet { key: key.into(), amount }).map(|setting| setting.value)
}

fn value(value: impl Into<SettingValue>) -> SettingAmount {
    SettingAmount::Value(value.into())
}

fn subscribe(peer: &mut Peer, topics: &[Topic]) -> Mirror {
    let call = Subscribe { topics: topics.to_vec(), snapshot: true, max_hz: None };
    peer.call(&call).expect("subscribed").snapshot.expect("a snapshot")
}

/// The last that the graph was told.
fn told(daemon: &Daemon) -> Option<ChainParams> {
    let params = |command| match command {
        GraphCommand::SetParams(params) => params,
        other => panic!("nobody said so: {other:?}"),
    };
    daemon.commands.try_iter().map(params).last()
}

#[test]
fn a_step_ends_where_it_would_contradict_another_setting() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    set(&mut peer, "limiter.ceiling_dbtp", value(-6.0)).expect("done");
    let mut step = |key: &str, by| match set(&mut peer, key, SettingAmount::By(by)).expect("done") {
        SettingValue::Number(now) => now,
        other => panic!("{other:?}"),
    };
    // The target stays 3 below the ceiling, whichever of them moves.
    assert_eq!(step("agc.target_lufs", 5.0), -13.0);
    assert_eq!(step("agc.target_lufs", 5.0), -9.0);
    assert_eq!(step("agc.target_lufs", 0.5), -9.0, "no further");
    assert_eq!(step("limiter.ceiling_dbtp", -1.0), -6.0);
    assert_eq!(step("agc.target_lufs", -2.0), -11.0, "and back");
    assert_eq!(step("limiter.ceiling_dbtp", -20.0), -8.0);
    // Silence stays below the target.
    assert_eq!(step("agc.silence_threshold_lufs", 45.0), -20.0, "its own limit");
    assert_eq!(step("agc.target_lufs", -15.0), -19.9);
    assert_eq!(step("agc.target_lufs", -0.05), -19.95, "a finer step goes further");
    assert_eq!(step("agc.target_lufs", -15.0), -19.95, "but never back");
}

#[test]
fn a_setting_is_in_force_when_its_reply_comes() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    assert_eq!(set(&mut peer, "agc.target_lufs", value(-16.0)), Ok(SettingValue::Number(-16.0)));
    let params = told(&daemon).expect("the graph is told");
    assert_eq!(params.bus.agc.target, Lufs(-16.0));
    assert!(peer.call(&BypassSet { bypass: BypassTo::Toggle }).expect("done").bypass);
    let params = told(&daemon).expect("the graph is told");
    assert!(params.bus.bypass && params.master.bypass);
    assert_eq!(params.bus.agc.target, Lufs(-16.0), "the whole value goes over");
    // What changes nothing is told to nobody.
    peer.call(&BypassSet { bypass: BypassTo::On }).expect("done");
    set(&mut peer, "agc.target_lufs", value(-16.0)).expect("done");
    assert_eq!(told(&daemon), None);
    let cleared = peer.call(&SettingClear { key: "agc.target_lufs".into() }).expect("done");
    assert_eq!((cleared.value, cleared.overridden), (SettingValue::Number(-18.0), false));
    assert_eq!(told(&daemon).expect("told").bus.agc.target, Lufs(-18.0));
}

#[test]
fn a_value_that_a_setting_does_not_take_is_refused_with_what_it_takes() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    for (key, amount, words) in [
        (
            "agc.target_lufs",
            value(3.0),
            "agc.target_lufs is 3, but must be a number between -40 and",
        ),
        ("agc.target_lufs", value(true), "agc.target_lufs is true, but must be a number"),
        ("limiter.link", value("mono"), "but must be one of \"stereo\", \"dual-mono\""),
        ("limiter.link", SettingAmount::By(1.0), "cannot be stepped"),
        ("compressor.makeup_db", SettingAmount::By(1.0), "is \"auto\", which cannot be stepped"),
    ] {
        let error = set(&mut peer, key, amount).expect_err(words);
        assert_eq!(error.code, Code::InvalidArgs, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    let error = set(&mut peer, "agc.target", value(-20.0)).expect_err("no such setting");
    assert_eq!(error.code, Code::NotFound);
    assert_eq!(told(&daemon), None);
}

#[test]
fn a_step_ends_at_the_end_of_the_range_and_ten_small_ones_are_a_large_one() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    for _ in 0..10 {
        set(&mut peer, "agc.target_lufs", SettingAmount::By(0.1)).expect("done");
    }
    let mut step = |key: &str, by| set(&mut peer, key, SettingAmount::By(by)).expect("done");
    assert_eq!(step("agc.target_lufs", 0.0), SettingValue::Number(-17.0));
    assert_eq!(step("agc.target_lufs", 100.0), SettingValue::Number(-8.0));
    assert_eq!(step("limiter.oversample", 1.0), SettingValue::Number(16.0));
    assert_eq!(step("limiter.oversample", -1.0), SettingValue::Number(8.0));
    assert_eq!(step("limiter.oversample", -100.0), SettingValue::Number(4.0));
}

#[test]
fn two_clients_that_change_the_same_setting_both_see_the_same_changes() {
    let daemon = Daemon::start();
    let mut peers = [daemon.peer(), daemon.peer()];
    let mirrors = peers.each_mut().map(|peer| subscribe(peer, &[Topic::Setting]));
    let threads: Vec<_> = peers
        .into_iter()
        .zip(mirrors)
        .zip([0.25_f32, -0.5])
        .map(|((mut peer, mut mirror), by)| {
            std::thread::Builder::new()
                .spawn(move || {
                    let key = || "agc.target_lufs".to_owned();
                    for _ in 0..20 {
                        let call = SettingSet { key: key(), amount: SettingAmount::By(by) };
                        peer.call(&call).expect("done");
                    }
                    let mut values = Vec::new();
                    let mut events = peer.kept();
                    while events.len() < 40 {
                        events.push(peer.event());
                    }
                    for event in events {
                        assert_eq!(mirror.apply(&event), headroom_ipc::Applied::Changed);
                        let Change::Setting(SettingChange::Changed(setting)) = event.change else {
                            panic!("another event")
                        };
                        values.push(setting.value);
                    }
                    let now = peer.call(&SettingGet { key: key() }).expect("done");
                    (values, mirror, now)
                })
                .expect("a thread")
        })
        .collect();
    let seen: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    assert_eq!(seen[0], seen[1]);
    // Every step of both has counted: -18 + 20 x 0.25 - 20 x 0.5.
    assert_eq!(seen[0].2.value, SettingValue::Number(-23.0));
}

#[test]
fn a_reset_takes_a_section_back_and_says_what_has_changed() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    set(&mut peer, "agc.target_lufs", value(-20.0)).expect("done");
    set(&mut peer, "limiter.soft.enabled", value(true)).expect("done");
    let reset = |peer: &mut Peer, section: Option<&str>| {
        peer.call(&SettingReset { section: section.map(str::to_owned) })
    };
    let changed = reset(&mut peer, Some("limiter")).expect("done");
    assert_eq!(changed.settings.len(), 1);
    assert_eq!(changed.settings[0].key, "limiter.soft.enabled");
    assert_eq!(told(&daemon).expect("told").bus.agc.target, Lufs(-20.0));
    assert_eq!(reset(&mut peer, Some("limiter")).expect("done").settings, []);
    assert_eq!(reset(&mut peer, Some("limit")).expect_err("none").code, Code::NotFound);
    assert_eq!(reset(&mut peer, None).expect("done").settings.len(), 1);
}

#[test]
fn overrides_stay_when_the_profile_changes() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    let mut mirror = subscribe(&mut peer, &[Topic::Profile, Topic::Setting, Topic::Routing]);
    set(&mut peer, "agc.target_lufs", value(-20.0)).expect("done");
    let used = peer.call(&ProfileUse { name: "transparent".into() }).expect("done");
    assert_eq!(used.name, "transparent");
    let params = told(&daemon).expect("told");
    assert!(!params.bus.agc.enabled, "the new profile is in force");
    assert_eq!(params.bus.agc.target, Lufs(-20.0), "and the override on top of it");
    for event in peer.kept() {
        assert_eq!(mirror.apply(&event), headroom_ipc::Applied::Changed);
    }
    let topics = Some(vec![Topic::Profile, Topic::Setting, Topic::Routing]);
    assert_eq!(peer.call(&headroom_ipc::Snapshot { topics }).expect("done"), mirror);
    // Once more changes nothing.
    peer.call(&ProfileUse { name: "transparent".into() }).expect("done");
    assert_eq!((peer.kept(), told(&daemon)), (Vec::new(), None));
    let shown = peer.call(&ProfileShow { name: None }).expect("done");
    let target = shown.settings.iter().find(|value| value.key == "agc.target_lufs");
    assert_eq!(target.expect("it is there").value, SettingValue::Number(-18.0));
    let error = peer.call(&ProfileUse { name: "transparant".into() }).expect_err("no such");
    assert_eq!(error.code, Code::NotFound);
    assert!(error.message.contains("did you mean \"transparent\"?"), "{error}");
}

#[test]
fn a_rule_that_leads_to_a_bus_that_is_not_there_is_warned_of() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("mine.toml");
    let write = |rules: &str| {
        let text = format!("name = \"mine\"\ndescription = \"d\"\n{rules}");
        fs::write(&path, text).expect("written");
    };
    write("[[rules]]\nmatch = { process_binary = [\"mpv\"] }\nroute = \"voice\"\n");
    let name = path.to_str().expect("text");
    let daemon = Daemon::with_profile(ServerSettings::default(), name);
    let mut peer = daemon.peer();
    let warned = |peer: &mut Peer| -> Vec<String> {
        let status = peer.call(&StatusCall {}).expect("done");
        status.warnings.into_iter().map(|warning| warning.about).collect()
    };
    assert_eq!(peer.call(&RouteList {}).expect("done").rules.len(), 1);
    assert_eq!(warned(&mut peer), ["routing"]);
    write("");
    peer.call(&ProfileReload {}).expect("done");
    assert_eq!(peer.call(&RouteList {}).expect("done").rules, []);
    assert_eq!(warned(&mut peer), [""; 0]);
}
