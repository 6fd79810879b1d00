//! The verbs about single settings, against a scripted daemon: what goes over the socket, what is
//! printed, and how it ends.

#![allow(clippy::unwrap_used, reason = "a script that goes wrong fails its test")]

mod harness;
mod scripted;

use harness::Run;
use headroom_client::ipc::*;
use scripted::{Daemon, Peer};

fn target(value: f32) -> Setting {
    Setting {
        key: "agc.target_lufs".into(),
        value: value.into(),
        profile_value: (-18.0).into(),
        overridden: value != -18.0,
        set_aside: None,
        accepts: Accepts::number(-40.0, -8.0),
    }
}

fn detector() -> Setting {
    Setting {
        key: "compressor.detector".into(),
        value: "rms".into(),
        profile_value: "peak".into(),
        overridden: true,
        set_aside: None,
        accepts: Accepts::word(&["peak", "rms"]),
    }
}

/// The op that must come next, answered with this.
fn take<R: serde::Serialize>(peer: &mut Peer, op: impl Into<Op>, result: &R) {
    let request = peer.request().expect("a request");
    assert_eq!(request.op, op.into());
    peer.send(&ServerFrame::reply(request.id, result));
}

fn refuse(peer: &mut Peer, error: &Error) {
    let request = peer.request().expect("a request");
    peer.send(&ServerFrame::error(request.id, error));
}

fn value(key: &str, value: impl Into<SettingValue>) -> SettingSet {
    SettingSet { key: key.into(), amount: SettingAmount::Value(value.into()) }
}

fn step(by: f32) -> SettingSet {
    SettingSet { key: "agc.target_lufs".into(), amount: SettingAmount::By(by) }
}

fn said(run: &Run, stdout: &str) {
    assert_eq!((run.code, &run.stdout[..], &run.stderr[..]), (Some(0), stdout, ""), "{run}");
}

#[test]
fn set_is_absolute_and_a_negative_number_needs_no_dashes_before_it() {
    let daemon = Daemon::new();
    for (typed, number) in [("-16", -16.0), ("-16.5", -16.5), ("-.5", -0.5), ("-1.6e+1", -16.0)] {
        let run = daemon.run(&["set", "agc.target_lufs", typed], move |peer| {
            take(peer, value("agc.target_lufs", number), &target(number));
        });
        said(&run, &format!("agc.target_lufs = {number} LUFS (profile: -18 LUFS)\n"));
    }
    // Nor does it matter where the flags stand.
    for args in [["-0.5", "--json"], ["--json", "-0.5"]] {
        let args = [&["set", "limiter.ceiling_dbtp"][..], &args].concat();
        let run = daemon.run(&args, |peer| {
            take(peer, value("limiter.ceiling_dbtp", -0.5), &target(-0.5));
        });
        assert_eq!(serde_json::from_str::<Setting>(&run.stdout).unwrap(), target(-0.5), "{run}");
    }
}

#[test]
fn set_takes_words_and_switches_as_the_kind_of_the_setting_has_them() {
    let daemon = Daemon::new();
    for (key, typed, taken) in [
        ("agc.enabled", "off", SettingValue::Switch(false)),
        ("agc.enabled", "on", SettingValue::Switch(true)),
        ("agc.enabled", "true", SettingValue::Switch(true)),
        ("limiter.soft.enabled", "false", SettingValue::Switch(false)),
        ("compressor.detector", "rms", "rms".into()),
        ("compressor.makeup_db", "auto", "auto".into()),
        ("compressor.makeup_db", "-3", SettingValue::Number(-3.0)),
        ("limiter.oversample", "16", SettingValue::Number(16.0)),
    ] {
        let run = daemon.run(&["set", key, typed], move |peer| {
            take(peer, value(key, taken), &detector());
        });
        said(&run, "compressor.detector = rms (profile: peak)\n");
    }
}

#[test]
fn what_the_daemon_refuses_is_told_in_its_words_with_exit_code_1() {
    let daemon = Daemon::new();
    let error = Error::invalid_args("value", 3.0, "a number between -40 and -8");
    let run = daemon.run(&["set", "agc.target_lufs", "3"], move |peer| refuse(peer, &error));
    run.refused(1, &["value is 3, but must be a number between -40 and -8"]);

    let conflict = "agc.target_lufs would be -9, but must be 3 below limiter.ceiling_dbtp";
    let error = Error::new(Code::Conflict, conflict);
    let run = daemon.run(&["set", "agc.target_lufs", "-9"], move |peer| refuse(peer, &error));
    run.refused(1, &[conflict]);

    for verb in [&["get", "agc.targt_lufs"][..], &["set", "agc.targt_lufs", "-3"]] {
        let error =
            Error::not_found("key", "setting", "agc.targt_lufs", &["agc.target_lufs", "agc.x"]);
        let run = daemon.run(verb, move |peer| refuse(peer, &error));
        run.refused(1, &["no setting \"agc.targt_lufs\", did you mean \"agc.target_lufs\"?"]);
    }
}

#[test]
fn adjust_is_relative_and_tells_the_value_that_it_came_to() {
    let daemon = Daemon::new();
    for (typed, by) in [("-2", -2.0), ("+2", 2.0), ("2", 2.0), ("-.5", -0.5)] {
        let run = daemon.run(&["adjust", "agc.target_lufs", typed], move |peer| {
            take(peer, SettingGet { key: "agc.target_lufs".into() }, &target(-20.0));
            take(peer, step(by), &target(-20.0 + by));
        });
        let now = -20.0 + by;
        said(&run, &format!("agc.target_lufs = {now} LUFS (before: -20 LUFS)\n"));
    }
}

#[test]
fn adjust_says_that_it_stopped_at_the_limit() {
    let daemon = Daemon::new();
    for (by, before, shown) in [
        (
            "5",
            -10.0,
            "agc.target_lufs = -8 LUFS (before: -10 LUFS): stopped at its limit (-40 to -8)\n",
        ),
        ("2", -10.0, "agc.target_lufs = -8 LUFS (before: -10 LUFS)\n"),
        ("2", -8.0, "agc.target_lufs = -8 LUFS as before: at its limit (-40 to -8)\n"),
    ] {
        let run = daemon.run(&["adjust", "agc.target_lufs", by], move |peer| {
            take(peer, SettingGet { key: "agc.target_lufs".into() }, &target(before));
            take(peer, step(by.parse().unwrap()), &target(-8.0));
        });
        said(&run, shown);
    }
}

#[test]
fn adjust_says_which_other_setting_it_stopped_at() {
    let daemon = Daemon::new();
    let ceiling = Setting {
        key: "limiter.ceiling_dbtp".into(),
        accepts: Accepts::number(-24.0, 0.0),
        ..target(-8.0)
    };
    for (before, shown) in [
        (
            -15.0,
            "agc.target_lufs = -11 LUFS (before: -15 LUFS): stopped at the limit that another \
             setting makes: the target must be at least 3 below the ceiling (limiter.ceiling_dbtp \
             is -8 dBTP)\n",
        ),
        (
            -11.0,
            "agc.target_lufs = -11 LUFS as before: at the limit that another setting makes: the \
             target must be at least 3 below the ceiling (limiter.ceiling_dbtp is -8 dBTP)\n",
        ),
    ] {
        let all = SettingValues { settings: vec![target(-11.0), ceiling.clone()] };
        let run = daemon.run(&["adjust", "agc.target_lufs", "6"], move |peer| {
            take(peer, SettingGet { key: "agc.target_lufs".into() }, &target(before));
            take(peer, step(6.0), &target(-11.0));
            take(peer, SettingList { section: None }, &all);
        });
        said(&run, shown);
    }
}

#[test]
fn a_value_that_waits_is_told_from_one_in_force() {
    let daemon = Daemon::new();
    let waits = Setting { overridden: true, set_aside: Some((-8.0).into()), ..target(-18.0) };
    let answer = waits.clone();
    let run = daemon.run(&["get", "agc.target_lufs"], move |peer| {
        take(peer, SettingGet { key: "agc.target_lufs".into() }, &answer);
    });
    said(
        &run,
        "agc.target_lufs = -18 LUFS (you set -8 LUFS: not in force, as it contradicts another \
         setting)\n",
    );
    let run = daemon.run(&["settings"], move |peer| {
        take(peer, SettingList { section: None }, &SettingValues { settings: vec![waits] });
    });
    let note = "\nNot in force, as it contradicts another setting (headroom status says which):\n  \
                agc.target_lufs = -8 LUFS\n";
    assert!(run.stdout.ends_with(note), "{run}");
}

#[test]
fn what_is_no_number_cannot_be_adjusted_and_the_way_out_is_told() {
    let daemon = Daemon::new();
    let error = Error::new(Code::InvalidArgs, "limiter.link cannot be stepped").with_field("by");
    let run = daemon.run(&["adjust", "limiter.link", "1"], move |peer| {
        take(peer, SettingGet { key: "limiter.link".into() }, &detector());
        refuse(peer, &error);
    });
    run.refused(1, &["limiter.link cannot be stepped"]);
    assert!(run.stderr.ends_with("hint: headroom set limiter.link gives it a value\n"), "{run}");
}

#[test]
fn a_step_that_is_no_number_is_a_mistake_in_the_usage() {
    let daemon = Daemon::new();
    for step in ["much", "inf", "nan", "-2dB", ""] {
        let run = daemon.run_alone(&["adjust", "agc.target_lufs", step]);
        assert_eq!(run.code, Some(2), "{run}");
    }
    for args in [&["set", "agc.target_lufs"][..], &["set"], &["adjust", "x"], &["unset"]] {
        assert_eq!(daemon.run_alone(args).code, Some(2), "{args:?}");
    }
}

#[test]
fn set_adjust_and_unset_need_the_daemon_and_say_so() {
    let daemon = Daemon::new();
    for args in [
        &["set", "agc.target_lufs", "-16"][..],
        &["adjust", "agc.target_lufs", "-2"],
        &["unset", "agc.target_lufs"],
        &["unset", "--all"],
    ] {
        let run = daemon.run_alone(args);
        run.refused(3, &["headroomd is not running: nobody listens at "]);
        assert!(run.stderr.contains("hint: start it with: headroom daemon\n"), "{run}");
    }
}

#[test]
fn unset_takes_one_change_back_or_those_of_a_section_or_all() {
    let daemon = Daemon::new();
    let key = || "agc.target_lufs".to_owned();
    let run = daemon.run(&["unset", "agc.target_lufs"], move |peer| {
        take(peer, SettingGet { key: key() }, &target(-16.0));
        take(peer, SettingClear { key: key() }, &target(-18.0));
    });
    said(&run, "agc.target_lufs = -18 LUFS, as the profile has it\n");

    let run = daemon.run(&["unset", "agc.target_lufs"], move |peer| {
        take(peer, SettingGet { key: key() }, &target(-18.0));
        take(peer, SettingClear { key: key() }, &target(-18.0));
    });
    said(&run, "nothing to take back: agc.target_lufs is as the profile has it\n");

    for (typed, section) in [("agc", Some("agc")), ("limiter.soft", Some("limiter.soft"))] {
        let run = daemon.run(&["unset", typed], move |peer| {
            let section = section.map(str::to_owned);
            let before = SettingValues { settings: vec![target(-18.0), target(-16.0)] };
            take(peer, SettingList { section: section.clone() }, &before);
            let now = SettingValues { settings: vec![target(-18.0)] };
            take(peer, SettingReset { section }, &now);
        });
        said(&run, "agc.target_lufs = -18 LUFS, as the profile has it\n");
    }

    let run = daemon.run(&["unset", "--all", "--json"], |peer| {
        take(peer, SettingList { section: None }, &SettingValues::default());
        let now = SettingValues { settings: vec![target(-18.0)] };
        take(peer, SettingReset { section: None }, &now);
    });
    let printed: SettingValues = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed.settings, [target(-18.0)], "{run}");
}

#[test]
fn settings_is_a_table_with_units_and_what_each_can_be() {
    let daemon = Daemon::new();
    let all = SettingValues { settings: vec![target(-18.0), target(-16.5), detector()] };
    let (all, same) = (all.clone(), all);
    let run = daemon.run(&["settings"], move |peer| {
        take(peer, SettingList { section: None }, &all);
    });
    said(
        &run,
        "\
Setting                           Value        Profile      Can be
agc.target_lufs                   -18 LUFS                  -40 to -8
agc.target_lufs                   -16.5 LUFS   -18 LUFS     -40 to -8

compressor.detector               rms          peak         peak, rms
",
    );
    let run = daemon.run(&["settings", "limiter.soft", "--changed", "--json"], move |peer| {
        take(peer, SettingList { section: Some("limiter.soft".into()) }, &same);
    });
    let printed: SettingValues = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed.settings, [target(-16.5), detector()], "{run}");

    let none = SettingValues { settings: vec![target(-18.0)] };
    let run = daemon.run(&["settings", "--changed"], move |peer| {
        take(peer, SettingList { section: None }, &none);
    });
    said(&run, "Every setting is as the profile has it.\n");
}
