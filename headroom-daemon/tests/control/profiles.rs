//! Profiles in real folders: changed, broken, deleted and brought back.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use headroom_daemon::graph::GraphCommand;
use headroom_dsp::Lufs;
use headroom_ipc::{
    Code, Event, ProfileOrigin, ProfileReload, ProfileShow, ProfileUse, Reloaded, SettingClear,
    SettingGet, SettingSet, SettingValue, Snapshot, StatusCall, Subscribe, Topic,
};
use headroom_profile::Folders;

use crate::daemon::Daemon;
use crate::peer::Peer;

/// Two folders of profiles, the second of which counts more, and a client.
struct Place {
    root: tempfile::TempDir,
    folders: Folders,
    daemon: Daemon,
    peer: Peer,
    mirror: headroom_ipc::Mirror,
}

const TOPICS: [Topic; 4] = [Topic::Profile, Topic::Setting, Topic::Routing, Topic::Daemon];

impl Place {
    fn new() -> Place {
        Place::with(&[], "default")
    }

    /// With these files in it, as `a/mine`, and this profile in force.
    fn with(files: &[(&str, &str)], profile: &str) -> Place {
        let root = tempfile::tempdir().expect("a directory");
        let paths = ["a", "b"].map(|name| root.path().join(name));
        for path in &paths {
            fs::create_dir(path).expect("made");
        }
        for (name, lines) in files {
            fs::write(root.path().join(format!("{name}.toml")), text(name, lines))
                .expect("written");
        }
        let folders = Folders::only(&paths);
        let daemon = Daemon::with_folders(folders.clone(), profile);
        let mut peer = daemon.peer();
        let call = Subscribe { topics: TOPICS.to_vec(), snapshot: true, max_hz: None };
        let mirror = peer.call(&call).expect("subscribed").snapshot.expect("a snapshot");
        Place { root, folders, daemon, peer, mirror }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(format!("{name}.toml"))
    }

    /// A valid profile with these lines, as `a/mine`.
    fn write(&self, name: &str, lines: &str) {
        fs::write(self.path(name), text(name, lines)).expect("written");
    }

    fn reload(&mut self) -> Reloaded {
        self.peer.call(&ProfileReload {}).expect("done")
    }

    /// What has been published since, by name; the copy of the state keeps up.
    fn events(&mut self) -> Vec<String> {
        let events = self.peer.kept();
        self.take(events)
    }

    fn take(&mut self, events: Vec<Event>) -> Vec<String> {
        for event in &events {
            assert_eq!(self.mirror.apply(event), headroom_ipc::Applied::Changed, "{event:?}");
        }
        let snapshot = Snapshot { topics: Some(TOPICS.to_vec()) };
        assert_eq!(self.peer.call(&snapshot).expect("done"), self.mirror);
        events.iter().map(|event| format!("{} {}", event.topic, event.change.event())).collect()
    }

    fn warned(&mut self, about: &str) -> Option<String> {
        let warnings = self.peer.call(&StatusCall {}).expect("done").warnings;
        let warning = warnings.into_iter().find(|warning| warning.about == about);
        warning.map(|warning| warning.message)
    }

    fn target(&mut self) -> SettingValue {
        let call = SettingGet { key: "agc.target_lufs".into() };
        self.peer.call(&call).expect("a setting").value
    }

    /// How often the graph was told, and the last target.
    fn told(&self) -> (usize, Option<Lufs>) {
        let targets: Vec<Lufs> = self
            .daemon
            .commands
            .try_iter()
            .map(|command| match command {
                GraphCommand::SetParams(params) => params.bus.agc.target,
                other => panic!("nobody said so: {other:?}"),
            })
            .collect();
        (targets.len(), targets.last().copied())
    }
}

fn text(name: &str, lines: &str) -> String {
    let name = name.rsplit('/').next().expect("a name");
    format!("name = {name:?}\ndescription = \"d\"\n{lines}")
}

fn target(lufs: f32) -> String {
    format!("[agc]\ntarget_lufs = {lufs:?}\n")
}

#[test]
fn only_what_has_changed_is_applied_and_told() {
    let mut place = Place::with(&[("a/mine", &target(-20.0))], "mine");
    assert_eq!(place.target(), SettingValue::Number(-20.0));
    let same = place.reload();
    assert_eq!((same.reloaded, same.failed, same.removed), (vec![], vec![], vec![]));
    assert_eq!((place.events(), place.told()), (vec![], (0, None)));
    // One key.
    place.write("a/mine", &target(-21.0));
    assert_eq!(place.reload().reloaded, ["mine"]);
    assert_eq!(place.events(), ["profile reloaded", "setting changed"]);
    assert_eq!(place.told(), (1, Some(Lufs(-21.0))));
    // More than one.
    place.write("a/mine", "[agc]\ntarget_lufs = -22\nmax_boost_db = 6\n");
    place.reload();
    assert_eq!(place.events(), ["profile reloaded", "setting replaced"]);
    assert_eq!(place.told(), (1, Some(Lufs(-22.0))));
    // What the chain is not told.
    place.write("a/mine", "meters.publish_hz = 5\n[agc]\ntarget_lufs = -22\nmax_boost_db = 6\n");
    place.reload();
    assert_eq!(place.events(), ["profile reloaded", "setting changed"]);
    assert_eq!(place.told(), (0, None));
    // Another profile than the one in force.
    place.write("a/other", &target(-30.0));
    assert_eq!(place.reload().reloaded, ["other"]);
    assert_eq!((place.events(), place.told()), (vec!["profile reloaded".into()], (0, None)));
}

/// The file of `mine` is bad, and was good when its target was -20.
fn is_bad(place: &mut Place, what: &str, why: &str, line: Option<u32>) {
    let found = place.reload();
    assert_eq!((found.failed, found.reloaded), (vec!["mine".to_owned()], vec![]), "{what}");
    let mine = found.profiles.into_iter().find(|profile| profile.name == "mine");
    let fault = mine.expect("it is known").fault.expect("a fault");
    assert!(fault.message.contains(why), "{what}: {}", fault.message);
    assert_eq!(fault.line, line, "{what}");
    assert_eq!(place.events(), ["profile failed", "daemon changed"], "{what}");
    assert_eq!(place.told(), (0, None), "{what}");
    assert_eq!(place.target(), SettingValue::Number(-20.0), "{what}");
    let warned = place.warned("profile.mine").expect("a warning");
    assert!(warned.contains(why) && warned.contains("last good version is kept"), "{warned}");
    // Once more is nothing new, but whoever asks is told.
    assert_eq!(place.reload().failed, ["mine"]);
    assert_eq!(place.events(), [""; 0], "{what}");
}

#[test]
fn a_bad_file_keeps_what_was_last_good_and_says_why() {
    let mut place = Place::with(&[("a/mine", &target(-10.0)), ("b/mine", &target(-20.0))], "mine");
    let path = place.path("b/mine");
    let write = |bytes: &[u8]| fs::write(&path, bytes).expect("written");
    write(text("mine", "[agc]\ntarget_luft = 3\n").as_bytes());
    is_bad(&mut place, "a misspelt key", "did you mean `target_lufs`?", Some(4));
    write(b"name = \"mine\"\n");
    is_bad(&mut place, "cut off", "description is missing", Some(1));
    write(text("mine", "[agc]\ntarget_lufs = -8\n[limiter]\nceiling_dbtp = -9\n").as_bytes());
    is_bad(&mut place, "a contradiction", "agc.target_lufs -12 or less", Some(4));
    write(&[0xff; 10]);
    is_bad(&mut place, "no text", "byte 0 is not UTF-8", None);
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("made");
    is_bad(&mut place, "a folder", "it is a folder", None);
    fs::remove_dir(&path).expect("removed");
    symlink(&path, &path).expect("linked");
    is_bad(&mut place, "a link to itself", "reading profile", None);
    fs::remove_file(&path).expect("removed");
    place.write("b/mine", &target(-20.0));
    assert_eq!(place.reload().reloaded, ["mine"], "good again");
    assert_eq!(place.events(), ["profile reloaded", "daemon changed"]);
    assert_eq!((place.warned("profile.mine"), place.told()), (None, (0, None)));
}

#[test]
fn a_folder_that_cannot_be_read_has_not_lost_its_profiles() {
    let mut place = Place::with(&[("b/mine", &target(-20.0))], "mine");
    let folder = place.folders.paths()[1].clone();
    // Also for root, who may read everything: a folder that is no folder any more.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).expect("changed");
    let is_root = fs::read_dir(&folder).is_ok();
    if is_root {
        fs::rename(&folder, place.root.path().join("away")).expect("moved");
        symlink(&folder, &folder).expect("linked");
    }
    assert_eq!(place.reload().failed, ["mine"]);
    assert_eq!(place.target(), SettingValue::Number(-20.0));
    assert!(place.warned("profiles").expect("a warning").contains("reading the folder"));
    assert_eq!(place.events(), ["profile failed", "daemon changed"]);
    assert_eq!(place.told(), (0, None));
    if is_root {
        fs::remove_file(&folder).expect("removed");
        fs::rename(place.root.path().join("away"), &folder).expect("moved");
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("changed");
    assert_eq!(place.reload().reloaded, ["mine"]);
    assert_eq!((place.warned("profiles"), place.warned("profile.mine")), (None, None));
}

#[test]
fn when_the_file_in_force_goes_the_version_behind_it_counts() {
    let files = [("a/night", target(-30.0)), ("b/night", target(-31.0))];
    let files = files.each_ref().map(|(name, lines)| (*name, lines.as_str()));
    let mut place = Place::with(&files, "night");
    assert_eq!(place.target(), SettingValue::Number(-31.0));
    fs::remove_file(place.path("b/night")).expect("removed");
    let found = place.reload();
    assert_eq!((found.used.as_str(), found.reloaded), ("night", vec!["night".to_owned()]));
    let events = ["profile reloaded", "profile used", "setting changed", "daemon changed"];
    assert_eq!(place.events(), events);
    assert_eq!(place.told(), (1, Some(Lufs(-30.0))));
    let warned = place.warned("profile.night").expect("a warning");
    assert!(warned.contains("b/night.toml has gone: that in"), "{warned}");
    // And what is part of the program behind that.
    fs::remove_file(place.path("a/night")).expect("removed");
    place.reload();
    place.events();
    let shown = place.peer.call(&ProfileShow { name: None }).expect("done");
    assert_eq!(shown.profile.origin, ProfileOrigin::Embedded);
    let warned = place.warned("profile.night").expect("a warning");
    assert!(warned.contains("the one that is part of the program is in force"), "{warned}");
    // Whoever uses it now has seen that.
    place.peer.call(&ProfileUse { name: "night".into() }).expect("done");
    assert_eq!(place.warned("profile.night"), None);
    assert_eq!(place.events(), ["daemon changed"]);
}

#[test]
fn a_profile_that_has_gone_is_put_in_force_again_when_it_is_back() {
    let mut place = Place::with(&[("a/mine", &target(-20.0))], "mine");
    fs::remove_file(place.path("a/mine")).expect("removed");
    let found = place.reload();
    assert_eq!((found.used.as_str(), found.removed), ("default", vec!["mine".to_owned()]));
    assert_eq!(place.target(), SettingValue::Number(-18.0));
    let events = ["profile reloaded", "profile used", "setting changed", "daemon changed"];
    assert_eq!(place.events(), events);
    let warned = place.warned("profile.mine").expect("a warning");
    assert!(warned.contains("there is no profile \"mine\": default is in force"), "{warned}");
    // Back, but bad: never read, so there is nothing to put in force.
    place.write("a/mine", "agc = 3\n");
    assert_eq!(place.reload().used, "default");
    let refused = place.peer.call(&ProfileUse { name: "mine".into() }).expect_err("bad");
    assert_eq!(refused.code, Code::Conflict);
    assert!(refused.message.contains("agc is 3, but must be a table"), "{refused}");
    let refused = place.peer.call(&ProfileShow { name: Some("mine".into()) }).expect_err("bad");
    assert_eq!(refused.code, Code::Conflict);
    place.write("a/mine", &target(-21.0));
    assert_eq!(place.reload().used, "mine");
    assert_eq!((place.target(), place.warned("profile.mine")), (SettingValue::Number(-21.0), None));
    // Not once another was chosen.
    fs::remove_file(place.path("a/mine")).expect("removed");
    place.reload();
    place.peer.call(&ProfileUse { name: "default".into() }).expect("done");
    assert_eq!(place.warned("profile.mine"), None);
    place.write("a/mine", &target(-21.0));
    assert_eq!(place.reload().used, "default");
    place.events();
}

#[test]
fn an_override_that_contradicts_a_profile_is_kept_and_waits() {
    let low = "limiter.ceiling_dbtp = -12\n";
    let mut place = Place::with(&[("a/low", low)], "default");
    let set = |place: &mut Place, key: &str, value: f32| {
        let amount = headroom_ipc::SettingAmount::Value(value.into());
        place.peer.call(&SettingSet { key: key.into(), amount })
    };
    set(&mut place, "agc.target_lufs", -10.0).expect("fine");
    place.peer.call(&ProfileUse { name: "low".into() }).expect("done");
    assert_eq!(place.target(), SettingValue::Number(-18.0), "the profile's own");
    let status = place.peer.call(&StatusCall {}).expect("done");
    let [waits] = &status.overrides[..] else { panic!("{:?}", status.overrides) };
    assert_eq!((&waits.value, waits.in_force), (&SettingValue::Number(-10.0), false));
    let warned = place.warned("setting.agc.target_lufs").expect("a warning");
    assert!(warned.contains("your agc.target_lufs = -10 is set aside"), "{warned}");
    // The other way round it is refused.
    let refused = set(&mut place, "agc.target_lufs", -11.0).expect_err("a contradiction");
    assert_eq!(refused.code, Code::Conflict);
    assert!(refused.message.contains("make agc.target_lufs -15 or less"), "{refused}");
    let shown = place.peer.call(&ProfileShow { name: Some("default".into()) }).expect("done");
    let key = shown.settings.iter().find(|value| value.key == "agc.target_lufs").expect("there");
    assert_eq!(key.value, SettingValue::Number(-18.0));
    assert_eq!(key.effective, Some(SettingValue::Number(-10.0)));
    // An edit of the profile makes room for it.
    place.events();
    place.write("a/low", "limiter.ceiling_dbtp = -6\n");
    place.reload();
    assert_eq!(place.events(), ["profile reloaded", "setting replaced", "daemon changed"]);
    assert_eq!(place.target(), SettingValue::Number(-10.0));
    assert_eq!(place.warned("setting.agc.target_lufs"), None);
    // A low ceiling of one's own goes with it as long as it leaves room.
    let refused = set(&mut place, "limiter.ceiling_dbtp", -8.0).expect_err("a contradiction");
    assert_eq!(refused.code, Code::Conflict);
    place.peer.call(&SettingClear { key: "agc.target_lufs".into() }).expect("done");
    set(&mut place, "limiter.ceiling_dbtp", -8.0).expect("fine");
    place.events();
}

#[test]
fn what_a_profile_is_called_and_its_rules_are_no_settings() {
    let mut place = Place::new();
    for (key, instead) in [
        ("name", "stands in its file"),
        ("rules", "\"route.set\" makes rules"),
        ("default_route.route", "\"route.set\" makes rules"),
        ("per_app.enabled", "stands in its file"),
        ("agc.target_luft", "did you mean \"agc.target_lufs\"?"),
    ] {
        let error = place.peer.call(&SettingGet { key: key.into() }).expect_err("no setting");
        assert_eq!(error.code, Code::NotFound);
        assert!(error.message.contains(instead), "{error}");
    }
}

#[test]
fn what_is_kept_but_not_put_to_work_is_no_secret() {
    let per_app = "[per_app]\nenabled = true\n";
    let mut place = Place::with(&[("a/mine", per_app)], "mine");
    assert!(place.warned("per_app").expect("a warning").contains("does not do yet"));
    place.write("a/mine", "[per_app]\nenabled = false\nlimiter.ceiling_dbtp = 3\n");
    place.write("a/mine", "limiter.ceiling_dbtp = 3\n[per_app]\nenabled = false\n");
    place.reload();
    assert_eq!(place.warned("per_app"), None);
    let warned = place.warned("profile.mine").expect("a warning");
    assert!(warned.contains("limiter.ceiling_dbtp is 3, read as 0"), "{warned}");
    place.peer.call(&ProfileUse { name: "default".into() }).expect("done");
    assert_eq!(place.warned("profile.mine"), None);
    place.events();
}

#[test]
fn many_bad_files_are_told_in_one_list() {
    let mut place = Place::new();
    for n in 0..200 {
        place.write(&format!("a/bad{n}"), "agc = 3\n");
    }
    assert_eq!(place.reload().failed.len(), 200);
    assert_eq!(place.events(), ["profile reloaded", "daemon changed"]);
    assert!(place.warned("profiles").expect("a warning").contains("196 more profiles"));
}

#[test]
fn a_folder_full_of_wordy_profiles_fits_in_a_message() {
    let mut place = Place::new();
    let wrong = "hold_ms = -1\nrise_db_per_s = 0\nfall_db_per_s = 0\nmax_cut_db = 99\n";
    for n in 0..300 {
        let name = format!("{n:03}{}", "n".repeat(200));
        let text =
            format!("name = {name:?}\ndescription = {:?}\n[agc]\n{wrong}", "ü".repeat(9_999));
        fs::write(place.path(&format!("a/{name}")), text).expect("written");
    }
    let found = place.reload();
    assert_eq!(found.reloaded.len(), headroom_profile::MAX_FILES_IN_FOLDER);
    assert_eq!(place.events(), ["profile reloaded", "daemon changed"]);
    let warned = place.warned("profiles").expect("a warning");
    assert!(warned.contains("holds 300 profiles"), "{warned}");
}
