//! `headroom` and the real headroomd together, on a machine without PipeWire: what is set is in
//! force, what is written is heard of, and all of it is remembered.
//!
//! headroomd is the one beside `headroom`, which `./test` has built.

#![allow(clippy::unwrap_used, reason = "what goes wrong fails its test")]
#![allow(clippy::print_stderr, reason = "what is skipped is said")]

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../profiles/home.rs"]
mod home;
mod listener;

use headroom_client::ipc::{ProfileDetail, Setting, SettingValue, Status};
use listener::Listener;

use crate::home::{USER, profile, read};

/// The value in force, and whether it is the user's.
fn value(listener: &Listener, key: &str) -> (SettingValue, bool) {
    let json = listener.succeed(&["get", key, "--json"]);
    let setting: Setting = serde_json::from_str(&json).unwrap();
    (setting.value, setting.overridden)
}

fn number(listener: &Listener, key: &str) -> f32 {
    match value(listener, key).0 {
        SettingValue::Number(number) => number,
        other => panic!("{key} is {other}"),
    }
}

fn status(listener: &Listener) -> Status {
    serde_json::from_str(&listener.succeed(&["status", "--json"])).unwrap()
}

#[test]
fn what_is_set_is_in_force_over_a_profile_switch_and_a_restart() {
    let Some(mut listener) = Listener::begin() else { return };
    let said = listener.succeed(&["set", "agc.target_lufs", "-16"]);
    assert_eq!(said, "agc.target_lufs = -16 LUFS (profile: -18 LUFS)\n");
    listener.succeed(&["set", "compressor.enabled", "off"]);
    listener.succeed(&["profile", "use", "night"]);
    for _ in 0..2 {
        assert_eq!(number(&listener, "agc.target_lufs"), -16.0);
        assert_eq!(value(&listener, "compressor.enabled"), (SettingValue::Switch(false), true));
        let status = status(&listener);
        assert_eq!(status.profile, "night");
        let keys: Vec<&str> = status.overrides.iter().map(|known| known.key.as_str()).collect();
        assert_eq!(keys, ["agc.target_lufs", "compressor.enabled"]);
        listener.restart();
    }
    // And the same is told while nobody runs.
    listener.stop();
    let run = listener.run(&["get", "agc.target_lufs"]);
    assert_eq!(run.stdout, "agc.target_lufs = -16 LUFS (profile: -20 LUFS)\n", "{run}");
    listener.run(&["set", "agc.target_lufs", "-17"]).refused(3, &["headroomd is not running"]);
    listener.start();
    let said = listener.succeed(&["unset", "--all"]);
    assert_eq!(
        said,
        "agc.target_lufs = -20 LUFS, as the profile has it\n\
         compressor.enabled = true, as the profile has it\n"
    );
    assert!(status(&listener).overrides.is_empty());
}

#[test]
fn a_step_ends_at_the_limit_and_a_value_beyond_it_is_refused() {
    let Some(listener) = Listener::begin() else { return };
    let said = listener.succeed(&["adjust", "agc.target_lufs", "-2"]);
    assert_eq!(said, "agc.target_lufs = -20 LUFS (before: -18 LUFS)\n");
    let said = listener.succeed(&["adjust", "limiter.lookahead_ms", "+20"]);
    let limit = "limiter.lookahead_ms = 10 ms (before: 2 ms): stopped at its limit (0.5 to 10)\n";
    assert_eq!(said, limit);
    listener
        .run(&["set", "limiter.ceiling_dbtp", "0.5"])
        .refused(1, &["limiter.ceiling_dbtp is 0.5, but must be a number between -24 and 0"]);
    listener
        .run(&["set", "limiter.ceiling_dbtp", "-20"])
        .refused(1, &["agc.target_lufs is -20 and limiter.ceiling_dbtp is -20", "make "]);
    assert_eq!(number(&listener, "limiter.ceiling_dbtp"), -1.0);
}

#[test]
fn a_profile_that_was_just_made_can_be_used_at_once_and_its_edit_is_heard() {
    let Some(listener) = Listener::begin() else { return };
    for round in 0..5 {
        let name = format!("mine-{round}");
        listener.succeed(&["profile", "new", &name]);
        let used = listener.succeed(&["profile", "use", &name]);
        assert_eq!(used, format!("{name} is in force: A profile of my own\n"));
    }
    let again = listener.succeed(&["profile", "use", "mine-4"]);
    assert_eq!(again, "mine-4 is in force already\n");
    let mut edit = listener.command(&["profile", "edit", "mine-4"]);
    edit.env("EDITOR", "sed -i 's/^# max_boost_db .*/max_boost_db = 7/'");
    let run = harness::Run::of(&mut edit);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(number(&listener, "agc.max_boost_db"), 7.0);
    let said = listener.succeed(&["profile", "delete", "mine-4", "--yes"]);
    assert!(said.ends_with("it was in force: default takes its place\n"), "{said}");
    assert_eq!(status(&listener).profile, "default");
    listener
        .run(&["profile", "use", "nihgt"])
        .refused(1, &["there is no profile \"nihgt\", did you mean \"night\"?"]);
}

#[test]
fn a_bad_file_costs_nothing_and_is_told_in_the_same_words_everywhere() {
    let Some(listener) = Listener::begin() else { return };
    listener.home.write_own("mine", "[agc]\ntarget_lufs = -21");
    listener.succeed(&["profile", "reload"]);
    listener.succeed(&["profile", "use", "mine"]);
    let path = listener.home.write_own("mine", "[agc]\ntarget_luf = -22");
    let path = path.to_str().unwrap();

    let validated = listener.run(&["profile", "validate", path]);
    assert_eq!(validated.code, Some(1), "{validated}");
    let told = validated.stderr.strip_prefix("headroom: ").unwrap().trim_end();
    assert!(told.starts_with(&format!("{path}:5:1: unknown key `agc.target_luf`")), "{told}");
    let reloaded = listener.run(&["profile", "reload"]);
    assert_eq!(reloaded.code, Some(1), "{reloaded}");
    assert!(reloaded.stderr.contains(told), "{reloaded}");
    let warning = status(&listener).warnings.into_iter().find(|w| w.about == "profile.mine");
    assert!(warning.as_ref().is_some_and(|warning| warning.message.contains(told)), "{warning:?}");
    let listed = listener.succeed(&["profile", "list"]);
    let unwrapped = listed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains(&format!("! mine: {told}")), "{listed}");
    // What was good before is in force.
    assert_eq!(number(&listener, "agc.target_lufs"), -21.0);
    assert_eq!(status(&listener).profile, "mine");

    listener.home.write_own("mine", "[agc]\ntarget_lufs = -22");
    // By this or by the watch, whichever comes first.
    listener.succeed(&["profile", "reload"]);
    assert_eq!(number(&listener, "agc.target_lufs"), -22.0);
    assert_eq!(
        listener.succeed(&["profile", "reload"]),
        format!("nothing has changed in {} profiles\n", headroom_profile::embedded().count() + 1)
    );
}

#[test]
fn show_has_the_files_own_values_and_what_is_in_force_with_them() {
    let Some(listener) = Listener::begin() else { return };
    listener.succeed(&["set", "agc.target_lufs", "-16"]);
    for name in ["default", "night"] {
        let json = listener.succeed(&["profile", "show", name, "--json"]);
        let detail: ProfileDetail = serde_json::from_str(&json).unwrap();
        let profile = headroom_profile::load(name).unwrap().profile;
        for value in detail.settings {
            let setting = headroom_profile::Setting::find(&value.key).unwrap();
            let own = headroom_profile::wire::value(setting.value(&profile));
            let effective =
                if value.key == "agc.target_lufs" { (-16.0).into() } else { own.clone() };
            assert_eq!((value.value, value.effective), (own, Some(effective)), "{}", value.key);
        }
    }
}

#[test]
fn what_is_imported_copied_and_exported_is_what_the_daemon_knows() {
    let Some(listener) = Listener::begin() else { return };
    let text = profile("cinema", "[agc]\ntarget_lufs = -24 # loud enough");
    listener.home.write("cinema.toml", &text);
    let file = listener.home.path("cinema.toml");
    listener.succeed(&["profile", "import", file.to_str().unwrap()]);
    listener.succeed(&["profile", "copy", "cinema", "late"]);
    assert_eq!(listener.succeed(&["profile", "export", "cinema"]), text);
    listener.succeed(&["profile", "use", "late"]);
    assert_eq!(number(&listener, "agc.target_lufs"), -24.0);
    assert!(read(&listener.home.own("late")).contains("# loud enough"));
    assert_eq!(listener.home.names(USER), ["cinema.toml", "late.toml"]);
}
