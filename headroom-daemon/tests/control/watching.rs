//! Profiles in watched folders: what is saved there is in force, however it is saved.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use headroom_daemon::watch::WatchThread;
use headroom_ipc::{
    Change, ProfileChange, ProfileList, SettingGet, SettingValue, StatusCall, Subscribe, Topic,
};
use headroom_profile::Folders;

use crate::daemon::{Daemon, wait_until};
use crate::peer::Peer;

/// A daemon that watches folders, with the profile `mine` in force if it is there.
struct Place {
    root: tempfile::TempDir,
    peer: Peer,
    watching: Option<WatchThread>,
    _daemon: Daemon,
}

impl Place {
    /// With these folders, and `mine` in the first of them.
    fn new(folders: &[&str]) -> Place {
        let root = tempfile::tempdir().expect("a directory");
        let paths: Vec<PathBuf> = folders.iter().map(|folder| root.path().join(folder)).collect();
        let folders = Folders::only(&paths);
        fs::create_dir_all(&paths[0]).expect("made");
        fs::write(paths[0].join("mine.toml"), text(-20.0)).expect("written");
        let daemon = Daemon::with_folders(folders.clone(), "mine");
        let watching = WatchThread::spawn(Arc::new(folders), daemon.engine.clone());
        let mut place = Place {
            root,
            peer: daemon.peer(),
            watching: Some(watching.expect("a thread")),
            _daemon: daemon,
        };
        place.comes_to(-20.0, "the start");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, target: f32) {
        fs::write(self.path(name), text(target)).expect("written");
    }

    fn comes_to(&mut self, target: f32, after: &str) {
        let peer = &mut self.peer;
        wait_until(after, || {
            let call = SettingGet { key: "agc.target_lufs".into() };
            let now = peer.call(&call).expect("a setting").value;
            now == SettingValue::Number(target)
        });
    }

    fn is_known(&mut self, name: &str, after: &str) {
        let peer = &mut self.peer;
        wait_until(after, || {
            let profiles = peer.call(&ProfileList {}).expect("done").profiles;
            profiles.iter().any(|profile| profile.name == name)
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(watching) = self.watching.take() {
            watching.stop();
        }
    }
}

fn text(target: f32) -> String {
    format!("name = \"mine\"\ndescription = \"d\"\n[agc]\ntarget_lufs = {target:?}\n")
}

fn git(folder: &Path, args: &[&str]) {
    let done = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"])
        .args(args)
        .current_dir(folder)
        .output()
        .expect("git");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_file_is_in_force_however_it_is_saved() {
    let mut place = Place::new(&["profiles"]);
    let path = place.path("profiles/mine.toml");
    place.write("profiles/mine.toml", -21.0);
    place.comes_to(-21.0, "a write in place");
    place.write("elsewhere", -22.0);
    fs::rename(place.path("elsewhere"), &path).expect("moved");
    place.comes_to(-22.0, "a rename onto it");
    // As vim does it: a swap file, a probe, the old one aside, a new one, and all of that gone.
    for name in ["profiles/.mine.toml.swp", "profiles/4913"] {
        fs::write(place.path(name), "b0VIM").expect("written");
    }
    fs::remove_file(place.path("profiles/4913")).expect("removed");
    fs::rename(&path, place.path("profiles/mine.toml~")).expect("moved");
    place.write("profiles/mine.toml", -23.0);
    fs::remove_file(place.path("profiles/mine.toml~")).expect("removed");
    fs::remove_file(place.path("profiles/.mine.toml.swp")).expect("removed");
    place.comes_to(-23.0, "an editor");
    // A hard link is made without being written.
    place.write("elsewhere", -24.0);
    fs::remove_file(&path).expect("removed");
    fs::hard_link(place.path("elsewhere"), &path).expect("linked");
    place.comes_to(-24.0, "a hard link");
    fs::remove_file(&path).expect("removed");
    place.comes_to(-18.0, "it is gone");
    place.write("profiles/mine.toml", -25.0);
    place.comes_to(-25.0, "it is back");
}

#[test]
fn a_checkout_is_followed() {
    let mut place = Place::new(&["profiles"]);
    let folder = place.path("profiles");
    git(&folder, &["init", "-q", "-b", "one"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-q", "-m", "one"]);
    git(&folder, &["checkout", "-q", "-b", "two"]);
    place.write("profiles/mine.toml", -26.0);
    for n in 0..20 {
        let text = format!("name = \"n{n}\"\ndescription = \"d\"\n");
        fs::write(folder.join(format!("n{n}.toml")), text).expect("written");
    }
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-q", "-m", "two"]);
    place.comes_to(-26.0, "edits");
    git(&folder, &["checkout", "-q", "one"]);
    place.comes_to(-20.0, "the one branch");
    git(&folder, &["checkout", "-q", "two"]);
    place.comes_to(-26.0, "the other branch");
    place.is_known("n19", "the other branch");
}

#[test]
fn a_folder_may_appear_go_and_come_back() {
    let mut place = Place::new(&["a", "config/headroom/profiles"]);
    let folder = place.path("config/headroom/profiles");
    fs::create_dir_all(&folder).expect("made");
    place.write("config/headroom/profiles/mine.toml", -21.0);
    place.comes_to(-21.0, "a folder that has appeared");
    fs::remove_dir_all(place.path("config")).expect("removed");
    place.comes_to(-20.0, "a folder that has gone");
    fs::create_dir_all(&folder).expect("made");
    place.write("config/headroom/profiles/mine.toml", -22.0);
    place.comes_to(-22.0, "a folder that is back");
    fs::rename(place.path("config/headroom"), place.path("config/away")).expect("moved");
    place.comes_to(-20.0, "a folder above it that was moved away");
    fs::rename(place.path("config/away"), place.path("config/headroom")).expect("moved");
    place.comes_to(-22.0, "and back");
    place.write("config/headroom/profiles/mine.toml", -23.0);
    place.comes_to(-23.0, "a file in it");
    // Deleted and made again at once, many times over.
    for n in 0..20_i16 {
        fs::remove_dir_all(&folder).expect("removed");
        fs::create_dir(&folder).expect("made");
        place.write("config/headroom/profiles/mine.toml", f32::from(-24 - n % 7));
        if n % 4 == 0 {
            place.comes_to(f32::from(-24 - n % 7), "a folder made anew");
        }
    }
    place.write("config/headroom/profiles/mine.toml", -33.0);
    place.comes_to(-33.0, "a file in the last of them");
}

#[test]
fn a_link_is_followed_to_where_it_leads() {
    let mut place = Place::new(&["profiles"]);
    let path = place.path("profiles/mine.toml");
    for (folder, target) in [("dotfiles", -21.0), ("others", -22.0)] {
        fs::create_dir(place.path(folder)).expect("made");
        place.write(&format!("{folder}/mine"), target);
    }
    fs::remove_file(&path).expect("removed");
    symlink(place.path("dotfiles/mine"), &path).expect("linked");
    place.comes_to(-21.0, "a link");
    place.write("dotfiles/mine", -23.0);
    place.comes_to(-23.0, "an edit where it leads");
    fs::remove_file(&path).expect("removed");
    symlink(place.path("others/mine"), &path).expect("linked");
    place.comes_to(-22.0, "another link");
    place.write("others/mine", -24.0);
    place.comes_to(-24.0, "an edit there");
    // And where another folder takes the place of that one.
    fs::create_dir(place.path("new")).expect("made");
    place.write("new/mine", -25.0);
    fs::rename(place.path("others"), place.path("old")).expect("moved");
    fs::rename(place.path("new"), place.path("others")).expect("moved");
    place.comes_to(-25.0, "another folder in its place");
    place.write("others/mine", -26.0);
    place.comes_to(-26.0, "an edit in that one");
}

#[test]
fn a_link_may_lead_nowhere_for_a_while() {
    let mut place = Place::new(&["a", "config/profiles"]);
    fs::create_dir(place.path("config")).expect("made");
    // As of somebody who fetches their dotfiles later.
    symlink("../dotfiles/profiles", place.path("config/profiles")).expect("linked");
    symlink(place.path("others/late"), place.path("a/late.toml")).expect("linked");
    place.is_known("late", "a link to a file that is not there");
    for (round, target) in [-21.0, -23.0].into_iter().enumerate() {
        fs::create_dir_all(place.path("dotfiles/profiles")).expect("made");
        place.write("dotfiles/profiles/mine.toml", target);
        place.comes_to(target, "what the link leads to has come into being");
        place.write("dotfiles/profiles/mine.toml", target - 1.0);
        place.comes_to(target - 1.0, "an edit there");
        let away = place.path(&format!("away{round}"));
        fs::rename(place.path("dotfiles/profiles"), away).expect("moved");
        place.comes_to(-20.0, "it leads nowhere again");
    }
    fs::create_dir(place.path("others")).expect("made");
    let text = "name = \"late\"\ndescription = \"at last\"\n";
    fs::write(place.path("others/late"), text).expect("written");
    let peer = &mut place.peer;
    wait_until("the file that was linked to", || {
        let profiles = peer.call(&ProfileList {}).expect("done").profiles;
        profiles.iter().any(|profile| profile.description == "at last")
    });
}

#[test]
fn a_folder_far_above_may_go_be_replaced_and_come_back() {
    let mut place = Place::new(&["a", "home/me/.config/headroom/profiles"]);
    let mine = "home/me/.config/headroom/profiles/mine.toml";
    let make = |place: &Place, target: f32| {
        fs::create_dir_all(place.path(mine).parent().expect("a folder")).expect("made");
        place.write(mine, target);
    };
    make(&place, -21.0);
    place.comes_to(-21.0, "a folder that has appeared");
    for (n, above) in ["home/me/.config", "home/me", "home"].into_iter().enumerate() {
        let away = place.path(&format!("away{n}"));
        fs::rename(place.path(above), &away).expect("moved");
        place.comes_to(-20.0, "a folder above that was moved away");
        make(&place, -25.0);
        place.comes_to(-25.0, "another in its place");
        place.write(mine, -26.0);
        place.comes_to(-26.0, "an edit in that one");
        // At once, as by somebody who brings a backup back.
        fs::rename(place.path(above), place.path(&format!("backup{n}"))).expect("moved");
        fs::rename(&away, place.path(above)).expect("moved back");
        place.comes_to(-21.0, "the first one is back");
    }
    fs::remove_dir_all(place.path("home")).expect("removed");
    place.comes_to(-20.0, "all of it is removed");
    make(&place, -22.0);
    place.comes_to(-22.0, "and made anew");
}

#[test]
fn a_link_on_the_way_may_lead_elsewhere() {
    let mut place = Place::new(&["a", "home/.config/headroom/profiles"]);
    fs::create_dir(place.path("home")).expect("made");
    for (dotfiles, target) in [("git/one", -21.0), ("git/two", -22.0)] {
        let folder = format!("{dotfiles}/config/headroom/profiles");
        fs::create_dir_all(place.path(&folder)).expect("made");
        place.write(&format!("{folder}/mine.toml"), target);
    }
    let link = place.path("home/.config");
    symlink("../git/one/config", &link).expect("linked");
    place.comes_to(-21.0, "a link above that has appeared");
    // As "ln -sfn" does it.
    symlink("../git/two/config", place.path("new")).expect("linked");
    fs::rename(place.path("new"), &link).expect("moved");
    place.comes_to(-22.0, "it leads elsewhere");
    fs::remove_file(&link).expect("removed");
    place.comes_to(-20.0, "it is removed");
    symlink("../git/one/config", &link).expect("linked");
    place.comes_to(-21.0, "it is made anew");
    // And a folder far above where it leads.
    fs::rename(place.path("git"), place.path("away")).expect("moved");
    place.comes_to(-20.0, "it leads nowhere");
    fs::rename(place.path("away"), place.path("git")).expect("moved");
    place.comes_to(-21.0, "and somewhere again");
}

/// As of a long checkout of many files, or of one through a slow filter: some of them are gone for
/// longer than a file takes to be at rest.
#[test]
fn a_profile_that_is_gone_for_a_moment_in_a_long_checkout_stays_in_force() {
    let mut place = Place::new(&["profiles"]);
    let topics = vec![Topic::Profile];
    let call = Subscribe { topics, snapshot: false, max_hz: None };
    place.peer.call(&call).expect("subscribed");
    let file = place.path("profiles/mine.toml");
    let others = |place: &Place, n: u32| {
        let name = format!("n{n}");
        let text = format!("name = \"{name}\"\ndescription = \"d\"\n");
        fs::write(place.path(&format!("profiles/{name}.toml")), text).expect("written");
    };
    let mut judged = 0;
    for round in 0..200 {
        // Longer than any file is waited for, and at most 20 ms between one change and the next.
        let mut last = Instant::now();
        fs::remove_file(&file).expect("removed");
        let (began, mut longest) = (Instant::now(), Duration::ZERO);
        for n in 0.. {
            others(&place, n % 40);
            longest = longest.max(last.elapsed());
            last = Instant::now();
            if began.elapsed() > Duration::from_millis(250) {
                break;
            }
            sleep(Duration::from_millis(2));
        }
        let target = -21.0 - (round % 2) as f32;
        place.write("profiles/mine.toml", target);
        longest = longest.max(last.elapsed());
        place.comes_to(target, "the end of a checkout");
        let told = place.peer.kept();
        // A machine that stops for longer than a file is at rest has shown a file that is gone.
        if longest < Duration::from_millis(20) {
            judged += 1;
            for event in told {
                if let Change::Profile(ProfileChange::Used(profile)) = &event.change {
                    panic!("round {round}: {profile:?} was put in force");
                }
            }
        }
        if judged == 3 {
            return;
        }
    }
    panic!("the machine is too busy to judge anything");
}

#[test]
fn a_burst_of_edits_ends_with_the_last_that_is_good() {
    let mut place = Place::new(&["profiles"]);
    let path = place.path("profiles/mine.toml");
    for n in 0..400_i16 {
        let target = f32::from(-10 - n % 25);
        match n % 5 {
            0 => fs::write(&path, text(target).as_bytes().split_at(20).0).expect("written"),
            1 => {
                let _ = fs::remove_file(&path);
            }
            2 => fs::write(&path, [0xff; 100]).expect("written"),
            _ => place.write("profiles/mine.toml", target),
        }
    }
    place.write("profiles/mine.toml", -36.5);
    fs::write(&path, "name = ").expect("written");
    wait_until("the fault of the last edit", || {
        let warnings = place.peer.call(&StatusCall {}).expect("done").warnings;
        warnings.iter().any(|warning| warning.about == "profile.mine")
    });
    place.write("profiles/mine.toml", -37.0);
    place.comes_to(-37.0, "a good one");
    let status = place.peer.call(&StatusCall {}).expect("done");
    assert!(status.warnings.iter().all(|warning| warning.about != "profile.mine"));
}
