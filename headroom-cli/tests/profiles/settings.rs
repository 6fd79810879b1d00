//! get and settings with no daemon: what it would begin with.

use headroom_client::ipc::{Setting, SettingValue, SettingValues};

use crate::harness::Run;
use crate::home::Home;

const NOTE: &str = "headroom: headroomd is not running; this is what it would begin with (profile ";

/// A home where these are remembered.
fn home(profile: &str, overrides: &str) -> Home {
    let home = Home::new();
    let text = format!("version = 1\nprofile = {profile:?}\n[overrides]\n{overrides}\n# end\n");
    home.write("state/headroom/state.toml", &text);
    home
}

#[test]
fn get_reads_the_remembered_profile_and_what_is_remembered_on_top() {
    let home = home("mine", "\"agc.target_lufs\" = -24.0");
    home.write_own("mine", "[agc]\ntarget_lufs = -21\n[limiter]\nceiling_dbtp = -2");
    for (key, shown) in [
        ("agc.target_lufs", "agc.target_lufs = -24 LUFS (profile: -21 LUFS)\n"),
        ("limiter.ceiling_dbtp", "limiter.ceiling_dbtp = -2 dBTP\n"),
    ] {
        let run = home.run(&["get", key]);
        assert_eq!((run.code, &run.stdout[..]), (Some(0), shown), "{run}");
        assert_eq!(run.stderr, format!("{NOTE}mine)\n"));
    }
    let run = home.run(&["get", "agc.target_lufs", "--json"]);
    let setting: Setting = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(setting.value, SettingValue::Number(-24.0));
    assert_eq!((setting.profile_value, setting.overridden), (SettingValue::Number(-21.0), true));
    home.run(&["get", "agc.targt_lufs"])
        .refused(1, &["there is no setting \"agc.targt_lufs\", did you mean \"agc.target_lufs\"?"]);
}

#[test]
fn with_nothing_remembered_it_is_the_default_profile() {
    let home = Home::new();
    let run = home.run(&["get", "agc.target_lufs"]);
    assert_eq!((run.code, &run.stdout[..]), (Some(0), "agc.target_lufs = -18 LUFS\n"), "{run}");
    assert_eq!(run.stderr, format!("{NOTE}default)\n"));
    // Nor is it another if the file of the remembered one is bad.
    let home = self::home("mine", "");
    home.write_own("mine", "agc = 1");
    let run = home.run(&["get", "agc.target_lufs"]);
    assert_eq!(run.stderr, format!("{NOTE}default)\n"));
}

#[test]
fn a_socket_that_cannot_be_meant_is_said_and_the_files_are_read() {
    let home = Home::new();
    let mut command = home.command(&["get", "agc.target_lufs"]);
    let run = Run::of(command.env("HEADROOM_SOCKET", "relative.sock"));
    assert_eq!((run.code, &run.stdout[..]), (Some(0), "agc.target_lufs = -18 LUFS\n"), "{run}");
    let first = run.stderr.lines().next().unwrap();
    assert!(first.starts_with("headroom: warning: the socket is \"relative.sock\""), "{run}");
    assert!(first.ends_with(": going by the files"), "{run}");
}

#[test]
fn settings_lists_them_all_a_section_or_what_is_changed() {
    let home = home("night", "\"agc.target_lufs\" = -24.0\n\"limiter.soft.enabled\" = true");
    let run = home.run(&["settings"]);
    assert_eq!(run.code, Some(0), "{run}");
    for setting in headroom_profile::SETTINGS {
        assert!(run.stdout.contains(&format!("\n{} ", setting.key)), "{run}");
    }
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
    }
    assert!(run.stderr.starts_with(NOTE) && run.stderr.lines().count() == 1, "{run}");

    let keys = |args: &[&str]| {
        let run = home.run(&[args, &["--json"]].concat());
        let values: SettingValues = serde_json::from_str(&run.stdout).unwrap();
        values.settings.into_iter().map(|setting| setting.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(&["settings", "--changed"]), ["agc.target_lufs", "limiter.soft.enabled"]);
    assert_eq!(keys(&["settings", "agc", "--changed"]), ["agc.target_lufs"]);
    assert!(keys(&["settings", "limiter.soft"]).iter().all(|key| key.starts_with("limiter.soft.")));
    assert_eq!(
        home.run(&["settings", "meters", "--changed"]).stdout,
        "Every setting is as the profile has it.\n"
    );
    home.run(&["settings", "limitr"])
        .refused(1, &["there is no section of settings \"limitr\", did you mean \"limiter\"?"]);
}

#[test]
fn an_override_that_contradicts_the_profile_is_not_shown_as_in_force() {
    let home = home("mine", "\"agc.target_lufs\" = -8.0");
    home.write_own("mine", "[limiter]\nceiling_dbtp = -6");
    let run = home.run(&["get", "agc.target_lufs", "--json"]);
    let setting: Setting = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((setting.value, setting.overridden), (SettingValue::Number(-18.0), true));
    assert_eq!(setting.set_aside, Some(SettingValue::Number(-8.0)));
    let run = home.run(&["get", "agc.target_lufs"]);
    assert!(run.stdout.contains("-18 LUFS (you set -8 LUFS: not in force"), "{run}");
}
