//! new, copy, delete, import and export.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;

use crate::harness::Run;
use crate::home::{Home, SYSTEM, USER, profile, read};
use crate::terminal::on_terminal;

fn embedded(name: &str) -> &'static str {
    headroom_profile::embedded().find(|(known, _)| *known == name).unwrap().1
}

#[test]
fn new_makes_a_profile_that_is_valid_and_sets_nothing() {
    let home = Home::new();
    let said = home.succeed(&["profile", "new", "mine"]);
    assert!(said.starts_with(&format!("made {}\n", home.own("mine").display())), "{said}");
    let own = home.own("mine");
    let own = own.to_str().unwrap();
    assert_eq!(home.succeed(&["profile", "validate", own]), format!("{own}: valid\n"));
    let values = |name: &str| {
        let json = home.succeed(&["profile", "show", name, "--json"]);
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["settings"].clone()
    };
    assert_eq!(values("mine"), values("default"));
}

#[test]
fn new_from_another_begins_with_all_that_it_says() {
    let home = Home::new();
    home.succeed(&["profile", "new", "late", "--from", "night"]);
    let wanted = embedded("night").replace("name = \"night\"", "name = \"late\"");
    assert_eq!(read(&home.own("late")), wanted);
}

#[test]
fn copy_changes_the_name_and_keeps_comments() {
    let home = Home::new();
    home.write_own("mine", "[agc] # mine\ntarget_lufs = -20");
    home.succeed(&["profile", "copy", "mine", "other"]);
    let wanted = read(&home.own("mine")).replace("name = \"mine\"", "name = \"other\"");
    assert_eq!(read(&home.own("other")), wanted);
    assert!(wanted.contains("# mine"));
    // What is bad is not multiplied.
    home.write_own("bad", "agc = 1");
    home.run(&["profile", "copy", "bad", "worse"]).refused(1, &["bad.toml:4:7: agc is 1"]);
    assert_eq!(home.names(USER), ["bad.toml", "mine.toml", "other.toml"]);
}

#[test]
fn a_new_name_must_be_sane_and_free() {
    let home = Home::new();
    for name in ["../mine", "a/b", ".mine", "", "my night", "mine.toml", &"n".repeat(65)] {
        for args in [&["profile", "new", name][..], &["profile", "copy", "night", name]] {
            home.run(args).refused(2, &["but must be letters, digits, - and _, at most 64"]);
        }
    }
    home.write_own("mine", "");
    let own = home.own("mine");
    for (name, place) in [("mine", own.to_str().unwrap()), ("night", "it is part of Headroom")] {
        for args in [&["profile", "new", name][..], &["profile", "copy", "default", name]] {
            let run = home.run(args);
            run.refused(1, &[&format!("there is a profile {name} already: {place}")]);
            assert!(run.stderr.contains(&format!("hint: headroom profile edit {name}")), "{run}");
        }
    }
    assert_eq!(home.names(USER), ["mine.toml"]);
}

#[test]
fn what_is_written_has_the_mode_of_the_users_umask_and_nothing_is_left_beside_it() {
    let home = Home::new();
    for (umask, mode) in [("077", 0o600), ("022", 0o644), ("002", 0o664)] {
        let name = format!("m{umask}");
        let mut shell = home.command(&[]);
        let headroom = shell.get_program().to_owned();
        shell = {
            let mut through = std::process::Command::new("sh");
            for (key, value) in shell.get_envs() {
                if let Some(value) = value {
                    through.env(key, value);
                }
            }
            through
        };
        let line = format!("umask {umask}; exec \"$@\"");
        shell.args(["-c", &line, "sh"]).arg(headroom).args(["profile", "new", &name]);
        let run = Run::of(&mut shell);
        assert_eq!(run.code, Some(0), "{run}");
        let found = fs::metadata(home.own(&name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "umask {umask}: {found:o}");
    }
    assert_eq!(home.names(USER), ["m002.toml", "m022.toml", "m077.toml"]);
}

#[test]
fn delete_removes_only_the_users_own_and_says_what_takes_its_place() {
    let home = Home::new();
    home.write_own("mine", "");
    home.write_own("night", "");
    home.write_own("cinema", "");
    home.write_own("used", "");
    let system = home.write(&format!("{SYSTEM}/cinema.toml"), &profile("cinema", ""));
    home.write("state/headroom/state.toml", "version = 1\nprofile = \"used\"\n# end\n");
    for (name, next) in [
        ("mine", "there is no profile mine any more".to_owned()),
        ("night", "the night that is part of Headroom takes its place".to_owned()),
        ("cinema", format!("{} takes its place", system.display())),
        ("used", "it was in force: default takes its place".to_owned()),
    ] {
        let said = home.succeed(&["profile", "delete", name, "--yes"]);
        assert_eq!(said, format!("deleted {}\n{next}\n", home.own(name).display()));
        assert!(!home.own(name).exists());
    }
    for (name, place) in [("night", "it is part of Headroom"), ("cinema", system.to_str().unwrap())]
    {
        let run = home.run(&["profile", "delete", name, "--yes"]);
        run.refused(1, &[&format!("{name} is not yours to delete: {place}")]);
    }
    assert!(system.exists());
}

#[test]
fn delete_asks_on_a_terminal_and_elsewhere_needs_to_be_told() {
    let home = Home::new();
    let own = home.write_own("mine", "");
    let run = home.run(&["profile", "delete", "mine"]);
    run.refused(1, &["mine.toml was not deleted"]);
    assert!(run.stderr.contains("--yes"), "{run}");
    let question = "mine.toml? [y/N] ";
    let said = on_terminal(home.command(&["profile", "delete", "mine"]), &[(question, "\n")]);
    assert_eq!((said.code, own.exists()), (Some(1), true), "{said}");
    let said = on_terminal(home.command(&["profile", "delete", "mine"]), &[(question, "y\n")]);
    assert_eq!((said.code, own.exists()), (Some(0), false), "{said}");
}

#[test]
fn import_takes_what_is_valid_under_the_name_that_it_gives_itself() {
    let home = Home::new();
    let text = profile("cinema", "[agc] # as at home\ntarget_lufs = -24");
    home.write("downloads/cinema (1).toml", &text);
    let said = home.succeed(&["profile", "import", "downloads/cinema (1).toml"]);
    assert_eq!(said, format!("imported cinema: {}\n", home.own("cinema").display()));
    assert_eq!(read(&home.own("cinema")), text);
    home.succeed(&["profile", "import", "downloads/cinema (1).toml", "--name", "film"]);
    assert_eq!(read(&home.own("film")), text.replace("\"cinema\"", "\"film\""));

    home.write("bad.toml", &profile("bad", "agc = 1"));
    home.run(&["profile", "import", "bad.toml"]).refused(1, &["bad.toml:4:7: agc is 1"]);
    home.write("nameless.toml", "description = \"d\"\n");
    let run = home.run(&["profile", "import", "nameless.toml"]);
    run.refused(1, &["name is missing: write name = \"nameless\" at the top"]);
    home.write("odd.toml", &profile("my own", ""));
    let run = home.run(&["profile", "import", "odd.toml"]);
    run.refused(1, &["odd.toml: the name of a profile is \"my own\", but must be letters"]);
    home.run(&["profile", "import", "odd.toml", "--name", "a/b"]).refused(2, &["\"a/b\""]);
    home.succeed(&["profile", "import", "odd.toml", "--name", "odd"]);
    assert_eq!(home.names(USER), ["cinema.toml", "film.toml", "odd.toml"]);
}

#[test]
fn import_replaces_nothing_unless_it_is_told_to() {
    let home = Home::new();
    let own = home.write_own("mine", "");
    let before = read(&own);
    let new = profile("mine", "agc.target_lufs = -24");
    home.write("new.toml", &new);
    home.write("night.toml", &profile("night", ""));
    let run = home.run(&["profile", "import", "new.toml"]);
    run.refused(1, &["there is a profile mine already: ", own.to_str().unwrap()]);
    assert!(run.stderr.contains("--force"), "{run}");
    let run = home.run(&["profile", "import", "night.toml"]);
    run.refused(1, &["there is a profile night already: it is part of Headroom"]);
    assert_eq!(read(&own), before);
    // A file that is a link stays one: many keep such files elsewhere.
    let kept = home.path("dotfiles.toml");
    fs::rename(&own, &kept).unwrap();
    symlink(&kept, &own).unwrap();
    home.succeed(&["profile", "import", "new.toml", "--force"]);
    assert_eq!(read(&kept), new);
    assert!(fs::symlink_metadata(&own).unwrap().is_symlink());
    assert_eq!(home.names(USER), ["mine.toml"]);
}

#[test]
fn import_does_not_hide_behind_a_file_that_was_chosen() {
    let home = Home::new();
    let chosen = home.write("elsewhere/mine.toml", &profile("mine", ""));
    let state = |path: &Path| {
        let text = format!("version = 1\nprofile = {path:?}\n# end\n");
        home.write("state/headroom/state.toml", &text);
    };
    state(&chosen);
    home.write("new.toml", &profile("mine", "agc.target_lufs = -24"));
    for args in
        [&["profile", "import", "new.toml"][..], &["profile", "import", "new.toml", "--force"]]
    {
        let run = home.run(args);
        run.refused(
            1,
            &[
                "there is a profile mine that counts before those in your folder",
                chosen.to_str().unwrap(),
            ],
        );
    }
    assert_eq!(home.names(USER), [""; 0]);
    // In the user's folder it is what is replaced.
    let own = home.write_own("mine", "");
    state(&own);
    home.succeed(&["profile", "import", "new.toml", "--force"]);
    assert_eq!(read(&own), read(&home.path("new.toml")));
}

#[test]
fn what_was_not_read_is_not_overwritten_either() {
    let home = Home::new();
    for n in 0..headroom_profile::MAX_FILES_IN_FOLDER {
        home.write_own(&format!("a{n}"), "");
    }
    let last = home.write_own("zz", "# precious");
    let before = read(&last);
    home.write("new.toml", &profile("zz", ""));
    for args in [
        &["profile", "new", "zz"][..],
        &["profile", "copy", "night", "zz"],
        &["profile", "import", "new.toml"],
    ] {
        let run = home.run(args);
        assert_eq!(run.code, Some(1), "{run}");
        assert!(run.stderr.contains("zz.toml is there already, but was not read\nhint: "), "{run}");
        assert_eq!(read(&last), before);
    }
    assert_eq!(home.run(&["profile", "import", "new.toml", "--force"]).code, Some(0));
    assert_eq!(read(&last), profile("zz", ""));
}

#[test]
fn what_comes_in_by_a_pipe_can_be_imported() {
    let home = Home::new();
    let mut command = home.command(&["profile", "import", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(profile("piped", "").as_bytes()).unwrap();
    let run = Run::from_output(&command, child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(read(&home.own("piped")), profile("piped", ""));
}

#[test]
fn export_is_the_text_of_the_version_that_counts() {
    let home = Home::new();
    assert_eq!(home.succeed(&["profile", "export", "night"]), embedded("night"));
    assert_eq!(home.succeed(&["profile", "export", "night", "-"]), embedded("night"));
    home.write_own("night", "# my night");
    let own = read(&home.own("night"));
    assert_eq!(home.succeed(&["profile", "export", "night"]), own);
    assert_eq!(home.succeed(&["profile", "export", "night", "out.toml"]), "wrote out.toml\n");
    assert_eq!(read(&home.path("out.toml")), own);
    fs::create_dir(home.path("shared")).unwrap();
    home.succeed(&["profile", "export", "night", "shared"]);
    assert_eq!(read(&home.path("shared/night.toml")), own);

    fs::write(home.path("out.toml"), "precious").unwrap();
    let run = home.run(&["profile", "export", "night", "out.toml"]);
    run.refused(1, &["out.toml is there already"]);
    assert_eq!(read(&home.path("out.toml")), "precious");
    home.succeed(&["profile", "export", "night", "out.toml", "--force"]);
    assert_eq!(read(&home.path("out.toml")), own);

    // A folder that is misspelt is not made.
    let run = home.run(&["profile", "export", "night", "no/such/out.toml"]);
    run.refused(1, &["creating no/such/out.toml: No such file or directory (os error 2)"]);
    assert!(!run.stderr.contains(".headroom-"), "{run}");
    assert!(!home.path("no").exists());
}

#[test]
fn an_export_is_an_import_elsewhere() {
    let (here, there) = (Home::new(), Home::new());
    for (name, text) in headroom_profile::embedded() {
        let path = here.path(&format!("{name}.toml"));
        here.succeed(&["profile", "export", name, path.to_str().unwrap()]);
        there.succeed(&["profile", "import", path.to_str().unwrap(), "--force"]);
        assert_eq!(read(&there.own(name)), text);
    }
}
