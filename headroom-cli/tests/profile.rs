//! `headroom profile` with a daemon: what goes over the socket, what is printed, and how it ends.

#![allow(clippy::unwrap_used, reason = "a script that goes wrong fails its test")]

mod harness;
mod scripted;

use harness::Run;
use headroom_client::ipc::*;
use scripted::{Daemon, Peer, Script, hello};

fn take<R: serde::Serialize>(peer: &mut Peer, op: impl Into<Op>, result: &R) {
    let request = peer.request().expect("a request");
    assert_eq!(request.op, op.into());
    peer.send(&ServerFrame::reply(request.id, result));
}

fn refuse(peer: &mut Peer, error: &Error) {
    let request = peer.request().expect("a request");
    peer.send(&ServerFrame::error(request.id, error));
}

fn night() -> Profile {
    Profile {
        name: "night".into(),
        description: "Late films".into(),
        origin: ProfileOrigin::Embedded,
        path: None,
        warnings: Vec::new(),
        fault: None,
    }
}

fn mine() -> Profile {
    Profile {
        name: "mine".into(),
        origin: ProfileOrigin::File,
        path: Some("/home/ada/.config/headroom/profiles/mine.toml".into()),
        fault: Some(ProfileFault {
            message: "mine.toml:3:1: unknown key `x`".into(),
            line: Some(3),
            column: Some(1),
        }),
        ..night()
    }
}

fn profiles(used: &str) -> Profiles {
    Profiles { used: used.into(), profiles: vec![mine(), night()], ..Profiles::default() }
}

fn target(value: f32) -> Setting {
    Setting {
        key: "agc.target_lufs".into(),
        value: value.into(),
        profile_value: (-20.0).into(),
        overridden: value != -20.0,
        set_aside: None,
        accepts: Accepts::number(-40.0, -8.0),
    }
}

fn said(run: &Run, stdout: &str) {
    assert_eq!((run.code, &run.stdout[..], &run.stderr[..]), (Some(0), stdout, ""), "{run}");
}

/// `headroom profile use NAME` while another one is in force.
fn use_night(daemon: &Daemon, args: &[&str], before: &'static str, now: f32) -> Run {
    let is_json = args.contains(&"--json");
    daemon.run(args, move |peer| {
        take(peer, ProfileList {}, &profiles(before));
        take(peer, ProfileUse { name: "night".into() }, &night());
        if is_json {
            return;
        }
        let settings = SettingValues { settings: vec![target(now)] };
        take(peer, SettingList { section: None }, &settings);
        take(peer, DeviceList {}, &devices("night", UsedBy::Chosen));
    })
}

fn devices(used: &str, used_by: UsedBy) -> Devices {
    Devices {
        devices: Vec::new(),
        default_profile: None,
        heard: None,
        chosen: "night".into(),
        used: used.into(),
        used_by,
    }
}

#[test]
fn use_says_what_the_device_that_is_heard_makes_of_it() {
    let daemon = Daemon::new();
    let use_ = |used: &'static str, used_by| {
        daemon.run(&["profile", "use", "night"], move |peer| {
            take(peer, ProfileList {}, &profiles("default"));
            take(peer, ProfileUse { name: "night".into() }, &night());
            take(peer, SettingList { section: None }, &SettingValues { settings: vec![] });
            take(peer, DeviceList {}, &devices(used, used_by));
        })
    };
    said(
        &use_("night", UsedBy::ByHand),
        "night is in force: Late films\n\
         until another device is heard: then what `headroom device list` shows counts\n",
    );
    said(
        &use_("movie", UsedBy::Device),
        "night is chosen; on the device that is heard it has movie in force\n",
    );
}

#[test]
fn use_puts_a_profile_in_force_and_says_what_stays_on_top() {
    let daemon = Daemon::new();
    let use_ = ["profile", "use", "night"];
    said(&use_night(&daemon, &use_, "default", -20.0), "night is in force: Late films\n");
    said(
        &use_night(&daemon, &use_, "default", -16.0),
        "night is in force: Late films\n\
         What you have set stays on top (`headroom unset --all` takes it back):\n  \
         agc.target_lufs = -16 LUFS (profile: -20 LUFS)\n",
    );
    let run = use_night(&daemon, &["profile", "use", "night", "--json"], "default", -16.0);
    assert_eq!(serde_json::from_str::<Profile>(&run.stdout).unwrap(), night(), "{run}");
}

#[test]
fn use_of_the_one_in_force_is_said_to_change_nothing() {
    let daemon = Daemon::new();
    let run = use_night(&daemon, &["profile", "use", "night"], "night", -20.0);
    said(&run, "night is in force already\n");
}

#[test]
fn use_of_an_unknown_one_names_the_nearest() {
    let daemon = Daemon::new();
    for (name, hint) in [
        ("nihgt", "hint: headroom profile list shows all\n"),
        ("./night.toml", "hint: take the file in first: headroom profile import ./night.toml\n"),
    ] {
        let error = Error::not_found("name", "profile", name, &["default", "night"]);
        let message = error.message.clone();
        let run = daemon.run(&["profile", "use", name], move |peer| {
            take(peer, ProfileList {}, &profiles("default"));
            refuse(peer, &error);
        });
        run.refused(1, &[&message]);
        assert!(run.stderr.ends_with(hint), "{run}");
    }
    let nearest = Error::not_found("name", "profile", "nihgt", &["default", "night"]);
    assert!(nearest.message.contains("did you mean \"night\"?"));
}

#[test]
fn use_and_reload_need_the_daemon_and_say_so() {
    let daemon = Daemon::new();
    for args in [&["profile", "use", "night"][..], &["profile", "reload"]] {
        let run = daemon.run_alone(args);
        run.refused(3, &["headroomd is not running: nobody listens at "]);
        assert!(run.stderr.contains("hint: start it with: headroom daemon\n"), "{run}");
    }
}

#[test]
fn reload_names_what_was_read_and_what_could_not_be() {
    let daemon = Daemon::new();
    let reload = |reloaded: Reloaded| {
        daemon.run(&["profile", "reload"], move |peer| take(peer, ProfileReload {}, &reloaded))
    };
    let Profiles { used, profiles, .. } = profiles("night");
    let nothing = Reloaded { used, profiles, ..Reloaded::default() };
    said(&reload(nothing.clone()), "nothing has changed in 2 profiles\n");
    let some = Reloaded {
        reloaded: vec!["late".into(), "night".into()],
        removed: vec!["party".into()],
        ..nothing.clone()
    };
    said(&reload(some.clone()), "read: late, night\ngone: party\n");
    let run = reload(Reloaded { failed: vec!["mine".into()], ..some });
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(run.stdout, "read: late, night\ngone: party\n");
    assert_eq!(run.stderr, "headroom: mine.toml:3:1: unknown key `x`\n");
}

#[test]
fn list_shows_what_the_daemon_knows() {
    let daemon = Daemon::new();
    let run = daemon.run(&["profile", "list"], |peer| {
        take(peer, ProfileList {}, &profiles("night"));
    });
    said(
        &run,
        "  Profile  From      What it is for
  mine     a file    Late films
* night    Headroom  Late films

* is in force.
! mine: mine.toml:3:1: unknown key `x`
",
    );
    let run = daemon.run(&["profile", "list", "--json"], |peer| {
        take(peer, ProfileList {}, &profiles("night"));
    });
    assert_eq!(serde_json::from_str::<Profiles>(&run.stdout).unwrap(), profiles("night"));
}

#[test]
fn show_gives_the_files_own_values_and_the_effective_ones() {
    let daemon = Daemon::new();
    let value = |key: &str, value: f32, effective: f32| ProfileValue {
        key: key.into(),
        value: value.into(),
        effective: Some(effective.into()),
    };
    let detail = ProfileDetail {
        profile: night(),
        settings: vec![
            value("agc.target_lufs", -20.0, -16.0),
            value("limiter.ceiling_dbtp", -3.0, -3.0),
        ],
        rules: Vec::new(),
        default_route: Route::Processed,
    };
    let shown = detail.clone();
    let run = daemon.run(&["profile", "show"], move |peer| {
        take(peer, ProfileList {}, &profiles("night"));
        take(peer, ProfileShow { name: None }, &shown);
    });
    said(
        &run,
        "\
night

What it is for Late films
From           part of Headroom
In force       yes
Other apps     processed

Setting                           Profile      You set      Can be
agc.target_lufs                   -20 LUFS     -16 LUFS     -40 to -8

limiter.ceiling_dbtp              -3 dBTP                   -24 to 0
",
    );
    let shown = detail.clone();
    let run = daemon.run(&["profile", "show", "night", "--json"], move |peer| {
        take(peer, ProfileList {}, &profiles("mine"));
        take(peer, ProfileShow { name: Some("night".into()) }, &shown);
    });
    assert_eq!(serde_json::from_str::<ProfileDetail>(&run.stdout).unwrap(), detail);
}

#[test]
fn a_daemon_that_cannot_be_spoken_with_is_said_and_the_files_are_shown() {
    let daemon = Daemon::new();
    let later = Hello { protocol: 2, ..hello() };
    let run = daemon.run_before_hello(&["profile", "list"], &ServerFrame::hello(&later));
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.starts_with("headroom: warning: headroomd speaks version 2 "), "{run}");
    assert!(run.stderr.ends_with(": going by the files\n"), "{run}");
    assert!(run.stdout.contains("* will be in force when headroomd starts."), "{run}");
}

#[test]
fn what_is_written_is_known_to_the_daemon_before_the_next_command() {
    let daemon = Daemon::new();
    let looks: fn(&mut Peer) = |peer| take(peer, ProfileList {}, &profiles("night"));
    let reload: fn(&mut Peer) = |peer| take(peer, ProfileReload {}, &Reloaded::default());
    for args in [&["profile", "new", "mine"][..], &["profile", "copy", "night", "late"]] {
        let run = daemon.run_with_each(args, vec![Box::new(looks), Box::new(reload)]);
        assert_eq!((run.code, &run.stderr[..]), (Some(0), ""), "{run}");
    }
    // And one that hangs up keeps nobody from writing.
    let hangs_up: fn(&mut Peer) = |_| {};
    let args = &["profile", "copy", "night", "later"];
    let run = daemon.run_with_each(args, vec![Box::new(hangs_up), Box::new(hangs_up)]);
    assert_eq!((run.code, &run.stderr[..]), (Some(0), ""), "{run}");
}

/// A folder that the daemon's command line names, with `mine` in it.
fn named_folder(daemon: &Daemon) -> (std::path::PathBuf, String) {
    let folder = daemon.path("named");
    std::fs::create_dir_all(&folder).unwrap();
    let text = "name = \"mine\"\ndescription = \"d\"\nagc.target_lufs = -21\n";
    std::fs::write(folder.join("mine.toml"), text).unwrap();
    (folder, text.to_owned())
}

#[test]
fn where_only_the_daemon_looks_is_known_from_it() {
    let daemon = Daemon::new();
    let (folder, text) = named_folder(&daemon);
    let file = format!("{}\n", folder.join("mine.toml").display());
    let looks = || -> Script {
        let told = folder.display().to_string();
        let folders = vec!["/nowhere".into(), told];
        Box::new(move |peer| {
            take(peer, ProfileList {}, &Profiles { folders, ..profiles("night") });
        })
    };
    for (args, printed) in [
        (&["profile", "path", "mine"][..], file.clone()),
        (&["profile", "export", "mine"], text.clone()),
        (&["profile", "path", "--all"], format!("/nowhere\n{}\n", folder.display())),
    ] {
        said(&daemon.run_with_each(args, vec![looks()]), &printed);
    }
    // It counts before the user's own, so it is changed where it is.
    let reload: fn(&mut Peer) = |peer| take(peer, ProfileReload {}, &Reloaded::default());
    let listener = daemon.listen();
    let looks = looks();
    let script = std::thread::Builder::new().spawn(move || {
        looks(&mut Peer::greet(&listener, &hello()));
        reload(&mut Peer::greet(&listener, &hello()));
    });
    let mut command = daemon.command(&["profile", "edit", "mine"]);
    let run = Run::of(command.env("EDITOR", "sed -i s/-21/-22/").env_remove("VISUAL"));
    script.unwrap().join().unwrap();
    said(&run, &format!("saved {file}"));
    let edited = std::fs::read_to_string(folder.join("mine.toml")).unwrap();
    assert_eq!(edited, text.replace("-21", "-22"));
}

#[test]
fn with_no_daemon_its_folders_can_be_named() {
    let daemon = Daemon::new();
    let (folder, text) = named_folder(&daemon);
    let folder = folder.to_str().unwrap();
    let run = daemon.run_alone(&["profile", "export", "mine", "--profile-dir", folder]);
    said(&run, &text);
    let run = daemon.run_alone(&["profile", "--profile-dir", folder, "list"]);
    assert!(run.stdout.contains("\n  mine "), "{run}");
    for args in [&["get", "agc.target_lufs"][..], &["settings", "agc"]] {
        std::fs::create_dir_all(daemon.path("home/headroom")).unwrap();
        let state = "version = 1\nprofile = \"mine\"\nbypass = false\n# end\n";
        std::fs::write(daemon.path("home/headroom/state.toml"), state).unwrap();
        let run = daemon.run_alone(&[args, &["--profile-dir", folder]].concat());
        assert!(run.stdout.contains("-21 LUFS"), "{run}");
    }
}
