//! What is remembered from one run to the next, and what becomes of a state that cannot be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use headroom_ipc::{
    BypassSet, BypassTo, ProfileUse, SettingAmount, SettingSet, Status, StatusCall,
};

use crate::program::{Program, state, wait_until};

fn set(program: &Program, key: &str, value: f32) {
    let amount = SettingAmount::Value(value.into());
    program.peer().call(&SettingSet { key: key.into(), amount }).expect("set");
}

fn use_profile(program: &Program, name: &str) {
    program.peer().call(&ProfileUse { name: name.into() }).expect("used");
}

fn status(program: &Program) -> Status {
    program.peer().call(&StatusCall {}).expect("a status")
}

fn overrides(status: &Status) -> Vec<(String, String)> {
    let both = |o: &headroom_ipc::Override| (o.key.clone(), o.value.to_string());
    status.overrides.iter().map(both).collect()
}

/// What is warned of beside PipeWire, which is not there.
fn warnings(program: &Program) -> Vec<String> {
    let warnings = status(program).warnings.into_iter();
    let warnings = warnings.filter(|warning| warning.about != "pipewire");
    warnings.map(|warning| format!("{}: {}", warning.about, warning.message)).collect()
}

/// A folder in which a daemon will find this state.
fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let file = state(folder.path());
    fs::create_dir_all(file.parent().expect("a directory")).expect("made");
    fs::write(file, text).expect("written");
    folder
}

#[test]
fn a_restart_brings_back_the_profile_the_overrides_and_the_bypass() {
    let program = Program::start(&[]);
    assert!(!program.state().parent().expect("a directory").exists(), "nothing to remember yet");
    use_profile(&program, "night");
    set(&program, "limiter.hold_ms", 7.0);
    set(&program, "limiter.ceiling_dbtp", -4.5);
    program.peer().call(&BypassSet { bypass: BypassTo::On }).expect("set");
    let before = status(&program);
    let program = Program::start_in(program.stop(), &[]);
    let after = status(&program);
    assert_eq!((after.profile.as_str(), after.bypass), ("night", true));
    assert_eq!(overrides(&after).len(), 2);
    assert_eq!(after.overrides, before.overrides);
    assert_eq!(warnings(&program), [""; 0]);
    let mode = |path: &std::path::Path| fs::metadata(path).expect("there").permissions().mode();
    assert_eq!(mode(&program.state()) & 0o777, 0o600);
    assert_eq!(mode(program.state().parent().expect("a directory")) & 0o777, 0o700);
    // Overrides stay over the next profile, and over its restart.
    use_profile(&program, "movie");
    let program = Program::start_in(program.stop(), &[]);
    let after = status(&program);
    assert_eq!(after.profile, "movie");
    assert_eq!(overrides(&after), overrides(&before));
}

#[test]
fn a_killed_one_remembers_all_but_the_last_moments() {
    let program = Program::start(&[]);
    use_profile(&program, "night");
    let file = program.state();
    wait_until("the first change to be written", || file.exists());
    // Those that come within a second of it are written together, the newest.
    for hold_ms in 1..=100_u8 {
        set(&program, "limiter.hold_ms", f32::from(hold_ms));
    }
    wait_until("the last change to be written", || {
        fs::read_to_string(&file).expect("always whole").contains("hold_ms\" = 100.0")
    });
    let program = Program::start_in(program.kill(), &[]);
    let after = status(&program);
    assert_eq!(after.profile, "night");
    assert_eq!(overrides(&after), [("limiter.hold_ms".to_owned(), "100".to_owned())]);
}

#[test]
fn a_profile_that_is_asked_for_wins_and_is_remembered() {
    let program = Program::start(&["--profile", "night"]);
    set(&program, "limiter.hold_ms", 7.0);
    let program = Program::start_in(program.stop(), &["--profile", "movie"]);
    assert_eq!(status(&program).profile, "movie");
    assert_eq!(status(&program).overrides.len(), 1);
    let program = Program::start_in(program.stop(), &[]);
    assert_eq!(status(&program).profile, "movie");
}

#[test]
fn a_profile_that_has_gone_is_waited_for_with_the_default() {
    let text = "version = 1\nprofile = \"mine\"\nbypass = true\n# end\n";
    let program = Program::start_in(folder_with(text), &[]);
    let after = status(&program);
    assert_eq!((after.profile.as_str(), after.bypass), ("default", true));
    let warned = warnings(&program);
    assert!(matches!(&warned[..], [one] if one.contains("\"mine\"")), "{warned:?}");
    // It may come back: that something else changes does not make it forgotten.
    set(&program, "limiter.hold_ms", 7.0);
    let folder = program.stop();
    let text = fs::read_to_string(state(folder.path())).expect("there");
    assert!(text.contains("profile = \"mine\"\n"), "{text}");
}

#[test]
fn a_state_that_cannot_be_used_is_set_aside_and_the_daemon_starts_with_defaults() {
    let program = Program::start(&[]);
    use_profile(&program, "night");
    set(&program, "limiter.hold_ms", 7.0);
    let mut folder = program.stop();
    let file = state(folder.path());
    let whole = fs::read(&file).expect("there");
    let newer =
        String::from_utf8(whole.clone()).expect("text").replace("version = 1", "version = 2");
    let garbled: Vec<u8> = whole.iter().map(|byte| byte ^ 0x55).collect();
    let half = &whole[..whole.len() / 2];
    for (number, bad) in (1..).zip([half, &garbled, newer.as_bytes(), b""]) {
        fs::write(&file, bad).expect("written");
        let program = Program::start_in(folder, &[]);
        let after = status(&program);
        assert_eq!((after.profile.as_str(), after.overrides.len()), ("default", 0));
        let aside = file.with_file_name(format!("state.toml.bad-{number}"));
        let warned = warnings(&program);
        let says = |text: &String| text.contains(&aside.display().to_string());
        assert!(matches!(&warned[..], [one] if says(one)), "{warned:?}");
        assert_eq!(fs::read(&aside).expect("kept"), bad);
        // And it remembers again.
        use_profile(&program, "night");
        folder = program.stop();
        assert!(fs::read_to_string(&file).expect("there").contains("night"));
    }
}

#[test]
fn what_makes_no_sense_any_more_costs_itself_alone() {
    let text = "version = 1\nprofile = \"night\"\n[overrides]\nagc.gone = 1\n\
                agc.target_lufs = 3\nlimiter.hold_ms = 7\n# end\n";
    let program = Program::start_in(folder_with(text), &[]);
    let after = status(&program);
    assert_eq!(after.profile, "night");
    assert_eq!(overrides(&after), [("limiter.hold_ms".to_owned(), "7".to_owned())]);
    let warned = warnings(&program);
    assert!(matches!(&warned[..], [one] if one.contains("agc.gone") && one.contains("1 more")));
}

#[test]
fn a_place_that_cannot_be_written_is_a_warning_until_it_can() {
    let program = Program::start(&[]);
    // It listens before it has read what it remembers, and answers after.
    assert_eq!(warnings(&program), [""; 0]);
    // A file where the directory should be: not even root can write there.
    let state_home = program.folder.path().join("state");
    fs::write(&state_home, "in the way").expect("written");
    set(&program, "limiter.hold_ms", 7.0);
    wait_until("the warning", || !warnings(&program).is_empty());
    let warned = warnings(&program);
    assert!(warned[0].starts_with("storage: writing "), "{warned:?}");
    fs::remove_file(&state_home).expect("removed");
    set(&program, "limiter.hold_ms", 8.0);
    let changed = Instant::now();
    wait_until("the warning to go", || warnings(&program).is_empty());
    // The journal, too, was not written: it does not wait for the minute to be over.
    assert!(changed.elapsed() < Duration::from_secs(30), "warned for {:?}", changed.elapsed());
    assert!(fs::read_to_string(program.state()).expect("written").contains("hold_ms\" = 8.0"));
}

#[test]
fn without_a_place_nothing_is_remembered_and_it_is_said() {
    let program = Program::start_with(&[], |command| {
        command.env_remove("XDG_STATE_HOME").env_remove("HOME");
    });
    let warned = warnings(&program);
    assert!(matches!(&warned[..], [one] if one.contains("XDG_STATE_HOME")), "{warned:?}");
    set(&program, "limiter.hold_ms", 7.0);
    program.stop();
}

#[test]
fn a_second_one_elsewhere_does_not_share_the_state() {
    let first = Program::start(&[]);
    use_profile(&first, "night");
    wait_until("it to be written", || first.state().exists());
    let state_home = first.folder.path().join("state");
    let second = Program::start_with(&[], |command| {
        command.env("XDG_STATE_HOME", state_home);
    });
    let warned = warnings(&second);
    // The state at once, and the journal as soon as it has been tried.
    let of_state = warned.iter().filter(|warning| warning.starts_with("state: ")).count();
    let is_said = warned.iter().all(|warning| warning.contains("another headroomd"));
    assert!(of_state == 1 && is_said, "{warned:?}");
    use_profile(&second, "movie");
    second.stop();
    let folder = first.stop();
    assert!(fs::read_to_string(state(folder.path())).expect("there").contains("night"));
}
