//! list, show and path.

use std::fs;

use headroom_client::ipc::{ProfileDetail, ProfileOrigin, Profiles, SettingValue};

use crate::home::{Home, SYSTEM, USER, profile, read};

fn state(home: &Home, profile: &str) {
    home.write(
        "state/headroom/state.toml",
        &format!("version = 1\nprofile = {profile:?}\n# end\n"),
    );
}

#[test]
fn list_names_every_profile_and_which_will_be_in_force() {
    let home = Home::new();
    home.write_own("mine", "");
    let listed = home.succeed(&["profile", "list"]);
    let line = |name: &str| {
        let starts = |line: &&str| line[2..].starts_with(&format!("{name} "));
        listed.lines().filter(|line| line.len() > 2).find(starts).unwrap().to_owned()
    };
    for (name, _) in headroom_profile::embedded() {
        assert!(line(name).contains("Headroom"), "{listed}");
    }
    assert!(line("mine").contains("you") && line("mine").ends_with('d'), "{listed}");
    assert!(line("default").starts_with("* "), "{listed}");
    assert!(listed.contains("* will be in force when headroomd starts."), "{listed}");
    for line in listed.lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
    }
    assert!(!listed.contains('\x1b'), "{listed}");
    // What is remembered counts, also as the file that was chosen.
    state(&home, "night");
    assert!(home.succeed(&["profile", "list"]).contains("\n* night "));
    let elsewhere = home.write("elsewhere/other.toml", &profile("other", ""));
    state(&home, elsewhere.to_str().unwrap());
    let listed = home.succeed(&["profile", "list"]);
    assert!(listed.contains("\n* other "), "{listed}");
    assert!(listed.contains("  a file "), "{listed}");
    // What is remembered may have gone.
    state(&home, "gone");
    assert!(home.succeed(&["profile", "list"]).contains("\n* default "));
}

#[test]
fn list_says_which_are_hidden_and_which_are_bad() {
    let home = Home::new();
    home.write(&format!("{SYSTEM}/mine.toml"), &profile("mine", ""));
    home.write_own("mine", "");
    home.write_own("night", "[agc]\ntarget_luf = -20");
    home.write_own("odd", "[limiter]\noversample = 2");
    let listed = home.succeed(&["profile", "list"]);
    let listed = listed.replace("\n  ", " ");
    let system = home.path(&format!("{SYSTEM}/mine.toml"));
    for said in [
        format!("mine: takes the place of another: {}", system.display()),
        "night: takes the place of another: it is part of Headroom".to_owned(),
        format!("! night: {}:5:1: unknown key `agc.target_luf`", home.own("night").display()),
        "! odd: ".to_owned() + home.own("odd").to_str().unwrap() + ":5:14: limiter.oversample is 2",
    ] {
        assert!(listed.contains(&said), "no {said:?} in {listed}");
    }
}

#[test]
fn list_as_json_is_the_protocols_own() {
    let home = Home::new();
    home.write_own("mine", "");
    home.write_own("bad", "agc = 1");
    let profiles: Profiles =
        serde_json::from_str(&home.succeed(&["profile", "list", "--json"])).unwrap();
    assert_eq!(profiles.used, "default");
    let of = |name: &str| profiles.profiles.iter().find(|profile| profile.name == name).unwrap();
    assert_eq!(of("default").origin, ProfileOrigin::Embedded);
    assert_eq!(of("mine").path.as_deref(), home.own("mine").to_str());
    let fault = of("bad").fault.as_ref().unwrap();
    assert_eq!((fault.line, fault.column), (Some(4), Some(7)));
}

#[test]
fn show_gives_every_value_as_the_profile_has_it() {
    let home = Home::new();
    home.write_own(
        "mine",
        "[agc]\ntarget_lufs = -31.5\n[[rules]]\nmatch = { process_binary = [\"mpv\"], media_role = \
         [\"Game\", \"x\"] }\nroute = \"bypass\"",
    );
    let shown = home.succeed(&["profile", "show", "mine"]);
    for setting in headroom_profile::SETTINGS {
        assert!(shown.contains(&format!("\n{} ", setting.key)), "{shown}");
    }
    assert!(shown.contains("agc.target_lufs                   -31.5 LUFS"), "{shown}");
    assert!(shown.contains("program mpv, and role Game or x: bypass"), "{shown}");
    for line in shown.lines() {
        assert!(line.chars().count() <= 80 || line.contains("From"), "{line:?}");
    }
    let json = home.succeed(&["profile", "show", "mine", "--json"]);
    let detail: ProfileDetail = serde_json::from_str(&json).unwrap();
    let target = detail.settings.iter().find(|value| value.key == "agc.target_lufs").unwrap();
    assert_eq!(target.value, SettingValue::Number(-31.5));
    // Without a name it is the one that will be in force.
    state(&home, "night");
    assert!(home.succeed(&["profile", "show"]).starts_with("night\n"));
}

#[test]
fn show_gives_what_would_be_in_force() {
    let home = Home::new();
    home.write_own("mine", "[agc]\ntarget_lufs = -31.5");
    home.write(
        "state/headroom/state.toml",
        "version = 1\n[overrides]\n\"agc.target_lufs\" = -16.0\n# end\n",
    );
    let shown = home.succeed(&["profile", "show", "mine"]);
    assert!(shown.contains("agc.target_lufs                   -31.5 LUFS   -16 LUFS "), "{shown}");
    let json = home.succeed(&["profile", "show", "mine", "--json"]);
    let detail: ProfileDetail = serde_json::from_str(&json).unwrap();
    for setting in detail.settings {
        let wanted = match &setting.key[..] {
            "agc.target_lufs" => SettingValue::Number(-16.0),
            _ => setting.value,
        };
        assert_eq!(setting.effective, Some(wanted), "{}", setting.key);
    }
}

#[test]
fn a_name_that_is_not_there_is_told_the_nearest() {
    let home = Home::new();
    for args in [
        &["profile", "show", "nihgt"][..],
        &["profile", "path", "nihgt"],
        &["profile", "edit", "nihgt"],
        &["profile", "export", "nihgt"],
        &["profile", "delete", "nihgt"],
        &["profile", "copy", "nihgt", "mine"],
        &["profile", "new", "mine", "--from", "nihgt"],
    ] {
        let run = home.run(args);
        run.refused(1, &["there is no profile \"nihgt\", did you mean \"night\"?"]);
        assert!(run.stderr.contains("hint: headroom profile list shows all\n"), "{run}");
    }
    assert!(!home.path("config").exists(), "looking makes nothing");
}

#[test]
fn show_of_a_bad_file_is_its_error() {
    let home = Home::new();
    home.write_own("bad", "agc = 1");
    home.run(&["profile", "show", "bad"]).refused(1, &["bad.toml:4:7: agc is 1"]);
    // One behind it still has something to show, and what is wrong is said too.
    home.write_own("night", "agc = 1");
    let shown = home.succeed(&["profile", "show", "night"]);
    assert!(shown.contains("part of Headroom") && shown.contains("! night: "), "{shown}");
}

#[test]
fn path_is_the_folder_or_the_file() {
    let home = Home::new();
    let line = |path: &str| format!("{}\n", home.path(path).display());
    assert_eq!(home.succeed(&["profile", "path"]), line(USER));
    home.write(&format!("{SYSTEM}/cinema.toml"), &profile("cinema", ""));
    home.write_own("mine", "");
    assert_eq!(
        home.succeed(&["profile", "path", "cinema"]),
        line(&format!("{SYSTEM}/cinema.toml"))
    );
    assert_eq!(home.succeed(&["profile", "path", "mine"]), line(&format!("{USER}/mine.toml")));
    assert_eq!(home.succeed(&["profile", "path", "--all"]), line(SYSTEM) + &line(USER));
    home.run(&["profile", "path", "night"]).refused(1, &["night is part of Headroom, not a file"]);
    let mut homeless = home.command(&["profile", "path"]);
    homeless.env_remove("HOME").env_remove("XDG_CONFIG_HOME");
    let run = crate::harness::Run::of(&mut homeless);
    run.refused(1, &["neither XDG_CONFIG_HOME nor HOME is an absolute path"]);
}

#[test]
fn what_cannot_be_read_is_a_warning_and_the_rest_is_there() {
    let home = Home::new();
    home.write("state/headroom/state.toml", "version = 99\n# end\n");
    fs::create_dir_all(home.path(SYSTEM).parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(home.path(SYSTEM), home.path(SYSTEM)).unwrap();
    let run = home.run(&["profile", "list"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("headroom: warning: what is remembered cannot be used: "), "{run}");
    assert!(run.stderr.contains("it is of version 99"), "{run}");
    assert!(run.stderr.contains("headroom: warning: reading the folder of profiles"), "{run}");
    assert!(run.stdout.contains("\n* default "), "{run}");
    assert!(read(&home.path("state/headroom/state.toml")).contains("99"), "it stays as it is");
}
