//! The profile of the device that is heard.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use headroom_daemon::graph::{DeviceSink, GraphEvent, Heard, Port};
use headroom_daemon::journal::Journal;
use headroom_daemon::step::Input;
use headroom_daemon::store::{Disk, Remembered, StoreThread};
use headroom_ipc::{
    Applied, Code, DeviceList, DeviceMatch, DeviceSet, DeviceUnset, ProfileList, ProfileUse,
    SettingGet, StatusCall, Subscribe, Topic, UsedBy,
};
use headroom_profile::Folders;

use crate::daemon::Daemon;
use crate::peer::Peer;

fn hear(daemon: &Daemon, name: &str, port: Option<&str>) {
    let sink = DeviceSink { name: name.into(), description: format!("The {name}") };
    daemon.engine.step(Input::Graph(&GraphEvent::DeviceSink(sink.clone())));
    let port = port.map(|kind| Port {
        name: format!("analog-output-{kind}"),
        description: None,
        kind: Some(kind.into()),
    });
    daemon.engine.step(Input::Graph(&GraphEvent::Heard(Heard { sink, port })));
}

fn port(kind: &str) -> Option<DeviceMatch> {
    Some(DeviceMatch { port: vec![kind.into()], ..DeviceMatch::default() })
}

fn set(peer: &mut Peer, matches: Option<DeviceMatch>, name: &str) -> Result<UsedBy, Code> {
    let devices = peer.call(&DeviceSet { matches, name: name.into() });
    devices.map(|devices| devices.used_by).map_err(|error| error.code)
}

/// What is in force, and what has put it there, by all who say so.
fn in_force(peer: &mut Peer) -> (String, UsedBy) {
    let status = peer.call(&StatusCall {}).expect("a status");
    let devices = peer.call(&DeviceList {}).expect("devices");
    assert_eq!(status.profile, devices.used);
    assert_eq!(status.profile_by.unwrap_or(UsedBy::Chosen), devices.used_by);
    assert_eq!(peer.call(&ProfileList {}).expect("profiles").used, devices.used);
    (devices.used, devices.used_by)
}

#[test]
fn plugging_in_headphones_switches_the_profile_if_that_was_asked_for() {
    let daemon = Daemon::start();
    let mut peer = daemon.peer();
    hear(&daemon, "card", Some("headphones"));
    assert_eq!(in_force(&mut peer), ("default".into(), UsedBy::Chosen), "nobody has asked for it");
    let topics = vec![Topic::Profile, Topic::Setting, Topic::Sinks];
    let subscribed = peer.call(&Subscribe { topics, snapshot: true, max_hz: None });
    let mut copy = subscribed.expect("subscribed").snapshot.expect("a snapshot");

    assert_eq!(set(&mut peer, port("headphones"), "night"), Ok(UsedBy::Device), "at once");
    assert_eq!(in_force(&mut peer), ("night".into(), UsedBy::Device));
    let target = |peer: &mut Peer| {
        let setting = peer.call(&SettingGet { key: "agc.target_lufs".into() });
        setting.expect("a setting").value
    };
    assert_eq!(target(&mut peer), (-20.0).into());
    hear(&daemon, "card", Some("speaker"));
    assert_eq!(in_force(&mut peer), ("default".into(), UsedBy::Chosen));
    assert_eq!(target(&mut peer), (-18.0).into());
    // By hand it counts at once, and until another device is heard.
    hear(&daemon, "card", Some("headphones"));
    peer.call(&ProfileUse { name: "movie".into() }).expect("used");
    assert_eq!(in_force(&mut peer), ("movie".into(), UsedBy::ByHand));
    let lost = GraphEvent::Lost;
    daemon.engine.step(Input::Graph(&lost));
    assert_eq!(peer.call(&DeviceList {}).expect("devices").heard, None);
    assert_eq!(in_force(&mut peer).0, "movie", "nothing happens when PipeWire goes");
    hear(&daemon, "card", Some("headphones"));
    assert_eq!(in_force(&mut peer), ("movie".into(), UsedBy::ByHand), "it is the same");
    hear(&daemon, "tv", None);
    assert_eq!(in_force(&mut peer), ("movie".into(), UsedBy::Chosen), "the one used last");
    hear(&daemon, "card", Some("headphones"));
    assert_eq!(in_force(&mut peer), ("night".into(), UsedBy::Device));
    // Every other device, and taking it back.
    assert_eq!(set(&mut peer, None, "music"), Ok(UsedBy::Device));
    hear(&daemon, "tv", None);
    assert_eq!(in_force(&mut peer), ("music".into(), UsedBy::DefaultDevice));
    peer.call(&DeviceUnset { matches: None }).expect("taken back");
    assert_eq!(in_force(&mut peer), ("movie".into(), UsedBy::Chosen));
    let again = peer.call(&DeviceUnset { matches: None }).expect_err("it is taken back");
    assert_eq!(again.code, Code::NotFound);

    // All of it was told.
    for event in peer.kept() {
        assert_eq!(copy.apply(&event), Applied::Changed, "{event:?}");
    }
    let ours = peer.call(&headroom_ipc::Snapshot { topics: None }).expect("a snapshot");
    assert_eq!((copy.profile, copy.setting), (ours.profile, ours.setting));
    assert_eq!(copy.sinks, ours.sinks);
}

/// A disk that tells what it is to remember.
struct Telling(Sender<Remembered>);

impl Disk for Telling {
    fn write(&mut self, remembered: &Remembered) -> io::Result<()> {
        let _ = self.0.send(remembered.clone());
        Ok(())
    }

    fn write_journal(&mut self, _: &Journal) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_said_of_devices_is_remembered_and_bounded() {
    let daemon = Daemon::start();
    let (tell, told) = bounded(1_000);
    let disk = Telling(tell);
    let _store =
        StoreThread::spawn(daemon.slot.clone(), Arc::default(), disk, |_| {}).expect("a thread");
    let mut peer = daemon.peer();
    hear(&daemon, "card", Some("headphones"));
    assert_eq!(set(&mut peer, port("headphones"), "nihgt"), Err(Code::NotFound));
    set(&mut peer, port("headphones"), "night").expect("set");
    set(&mut peer, port("headphones"), "movie").expect("another in its place");
    set(&mut peer, None, "music").expect("set");
    peer.call(&ProfileUse { name: "party".into() }).expect("used");
    let remembered = loop {
        let remembered = told.recv_timeout(Duration::from_secs(60)).expect("it is remembered");
        if remembered.chosen_on.is_some() {
            break remembered;
        }
    };
    let [device] = &remembered.devices[..] else { panic!("{remembered:?}") };
    assert_eq!(
        (Some(&device.matches), &device.profile[..]),
        (port("headphones").as_ref(), "movie")
    );
    assert_eq!(remembered.default_device.as_deref(), Some("music"));
    let chosen_on = remembered.chosen_on.expect("it was chosen on one");
    assert_eq!(chosen_on.port.as_deref(), Some("analog-output-headphones"));
    let refused = (0..1_000).find_map(|n| set(&mut peer, port(&format!("{n}")), "night").err());
    assert_eq!(refused, Some(Code::Conflict));
}

#[test]
fn the_devices_of_a_profile_count_while_it_is_chosen_and_a_missing_one_is_warned_of() {
    let folder = tempfile::tempdir().expect("a directory");
    let text = "name = \"desk\"\ndescription = \"d\"\n\
                [[devices]]\nmatch = { node_name = [\"c?rd\"] }\nprofile = \"night\"\n\
                [default_device]\nprofile = \"gone\"\n";
    std::fs::write(folder.path().join("desk.toml"), text).expect("written");
    let daemon = Daemon::with_folders(Folders::only(&[folder.path().to_owned()]), "desk");
    let mut peer = daemon.peer();
    assert_eq!(in_force(&mut peer), ("desk".into(), UsedBy::Chosen));
    hear(&daemon, "card", None);
    assert_eq!(in_force(&mut peer), ("night".into(), UsedBy::Device));
    hear(&daemon, "tv", None);
    assert_eq!(in_force(&mut peer), ("desk".into(), UsedBy::Chosen), "the other is not there");
    let warned = |peer: &mut Peer| -> Vec<String> {
        let warnings = peer.call(&StatusCall {}).expect("a status").warnings;
        warnings.into_iter().filter(|w| w.about == "devices").map(|w| w.message).collect()
    };
    assert!(
        matches!(&warned(&mut peer)[..], [one] if one.contains("\"gone\"")),
        "{:?}",
        warned(&mut peer)
    );
    // A profile with devices of its own is chosen for what it says, on whatever device.
    peer.call(&ProfileUse { name: "music".into() }).expect("used");
    hear(&daemon, "card", None);
    assert_eq!(in_force(&mut peer), ("music".into(), UsedBy::Chosen));
    assert_eq!(warned(&mut peer), [""; 0]);
    peer.call(&ProfileUse { name: "desk".into() }).expect("used");
    assert_eq!(in_force(&mut peer), ("night".into(), UsedBy::Device));
    assert_eq!(peer.call(&DeviceList {}).expect("devices").chosen, "desk");
}
