//! edit: the user's editor on a copy, which is checked before it replaces anything.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use crate::harness::Run;
use crate::home::{Home, SYSTEM, USER, profile, read};
use crate::terminal::on_terminal;

fn edit(home: &Home, name: &str, script: &str) -> Command {
    let editor = home.editor(script);
    let mut command = home.command(&["profile", "edit", name]);
    command.env("EDITOR", editor);
    command
}

fn run(home: &Home, name: &str, script: &str) -> Run {
    Run::of(&mut edit(home, name, script))
}

fn embedded(name: &str) -> &'static str {
    headroom_profile::embedded().find(|(known, _)| *known == name).unwrap().1
}

/// The draft that was kept, by what was said of it.
fn draft(home: &Home, run: &Run) -> PathBuf {
    let hint = "headroom profile import --force ";
    let line = run.stderr.lines().chain(run.stdout.lines()).find(|line| line.contains(hint));
    let path = PathBuf::from(line.unwrap_or_else(|| panic!("{run}")).rsplit(' ').next().unwrap());
    assert!(path.starts_with(home.path(USER)), "{run}");
    path
}

#[test]
fn a_good_change_replaces_the_file() {
    let home = Home::new();
    let own = home.write_own("mine", "agc.target_lufs = -20");
    fs::set_permissions(&own, fs::Permissions::from_mode(0o640)).unwrap();
    let run = run(&home, "mine", "sed -i s/-20/-21/ \"$1\"");
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.stdout, format!("saved {}\n", own.display()));
    assert_eq!(read(&own), profile("mine", "agc.target_lufs = -21"));
    assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(home.names(USER), ["mine.toml"]);
}

#[test]
fn the_editor_gets_a_copy_under_the_right_name_in_the_users_folder() {
    let home = Home::new();
    let own = home.write_own("mine", "");
    let script = format!(
        "test \"$1\" != {own:?}\ntest \"$(basename \"$1\")\" = mine.toml\ncmp \"$1\" {own:?}\n\
         echo \"$1\" > {:?}",
        home.path("said")
    );
    let run = run(&home, "mine", &script);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(read(&home.path("said")).starts_with(home.path(USER).to_str().unwrap()));
}

#[test]
fn an_embedded_profile_is_copied_first_and_the_copy_takes_its_place() {
    let home = Home::new();
    let run = run(&home, "night", "sed -i 's/^description.*/description = \"mine\"/' \"$1\"");
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stdout.contains("takes the place of the one before: it is part of Headroom"));
    let own = read(&home.own("night"));
    assert!(own.contains("description = \"mine\""), "{own}");
    assert_eq!(own.lines().count(), embedded("night").lines().count(), "comments are kept");
    // So is one of the system, which stays as it is.
    let text = profile("cinema", "agc.target_lufs = -20");
    let system = home.write(&format!("{SYSTEM}/cinema.toml"), &text);
    let run = crate::edit::run(&home, "cinema", "sed -i s/-20/-21/ \"$1\"");
    assert!(run.stdout.contains(system.to_str().unwrap()), "{run}");
    assert_eq!((read(&system), home.own("cinema").exists()), (text, true));
}

#[test]
fn what_is_unchanged_replaces_nothing() {
    let home = Home::new();
    let own = home.write_own("mine", "");
    let before = fs::metadata(&own).unwrap();
    for name in ["mine", "night"] {
        let run = run(&home, name, "touch \"$1\"");
        assert_eq!((run.code, run.stdout), (Some(0), format!("{name} is unchanged\n")));
    }
    let after = fs::metadata(&own).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    assert_eq!(home.names(USER), ["mine.toml"], "no copy of what is embedded");
}

#[test]
fn a_bad_change_replaces_nothing_and_is_kept() {
    let home = Home::new();
    let own = home.write_own("mine", "agc.target_lufs = -20");
    let before = read(&own);
    let run = run(&home, "mine", "sed -i s/target_lufs/target_luf/ \"$1\"");
    run.refused(1, &["mine.toml:4:5: unknown key `agc.target_luf`"]);
    assert_eq!(read(&own), before);
    let draft = draft(&home, &run);
    assert_eq!(read(&draft), before.replace("target_lufs", "target_luf"));
    // Nobody takes it for a profile, and it is taken in when it is right.
    assert!(!home.succeed(&["profile", "list"]).contains("draft"));
    let fixed = before.replace("-20", "-22");
    fs::write(&draft, &fixed).unwrap();
    home.succeed(&["profile", "import", "--force", draft.to_str().unwrap()]);
    assert_eq!(read(&own), fixed);
}

#[test]
fn at_a_terminal_a_bad_change_can_be_mended_at_once() {
    let home = Home::new();
    let own = home.write_own("mine", "agc.target_lufs = -20");
    let rounds = home.path("rounds");
    let script = format!(
        "echo >> {rounds:?}\nif test $(wc -l < {rounds:?}) = 1; then sed -i s/-20/low/ \"$1\"; \
         else sed -i s/low/-21/ \"$1\"; fi"
    );
    let said = on_terminal(edit(&home, "mine", &script), &[("not.) [Y/n] ", "\n")]);
    assert_eq!(said.code, Some(0), "{said}");
    assert!(said.stdout.contains("headroom: mine.toml:4:19: "), "{said}");
    assert_eq!(read(&own), profile("mine", "agc.target_lufs = -21"));
    assert_eq!(home.names(USER), ["mine.toml"]);
}

#[test]
fn at_a_terminal_a_bad_change_can_be_left_and_is_kept() {
    let home = Home::new();
    let own = home.write_own("mine", "agc.target_lufs = -20");
    let before = read(&own);
    let command = edit(&home, "mine", "sed -i s/-20/low/ \"$1\"");
    let said = on_terminal(command, &[("[Y/n] ", "n\n")]);
    assert_eq!((said.code, read(&own)), (Some(1), before), "{said}");
    assert!(read(&draft(&home, &said)).contains("low"));
}

#[test]
fn a_failing_editor_changes_nothing() {
    let home = Home::new();
    let own = home.write_own("mine", "agc.target_lufs = -20");
    let before = read(&own);
    let failed = run(&home, "mine", "exit 3");
    failed.refused(1, &["the editor (", ") failed: exit status: 3"]);
    assert_eq!(home.names(USER), ["mine.toml"], "there is nothing to be kept");
    let gone = run(&home, "mine", "rm \"$1\"");
    gone.refused(1, &["mine.toml"]);
    assert!(!gone.stderr.contains("is kept"), "{gone}");
    assert_eq!(home.names(USER), ["mine.toml"]);
    // What was written before it failed is not lost.
    let failed = run(&home, "mine", "sed -i s/-20/-21/ \"$1\"; exit 1");
    failed.refused(1, &["the editor ("]);
    assert!(read(&draft(&home, &failed)).contains("-21"));
    assert_eq!(read(&own), before);
    let mut command = home.command(&["profile", "edit", "mine"]);
    command.env("EDITOR", "/nowhere/editor");
    let run = Run::of(&mut command);
    assert_eq!(run.code, Some(1), "{run}");
    // The shell has its say first.
    assert!(run.stderr.contains("headroom: the editor (/nowhere/editor) failed"), "{run}");
    assert!(run.stderr.ends_with("hint: VISUAL and EDITOR say which it is\n"), "{run}");
}

#[test]
fn an_interrupt_in_the_editor_is_the_editors() {
    let home = Home::new();
    let own = home.write_own("mine", "agc.target_lufs = -20");
    let script = "p=$PPID\n\
                  until grep -qx headroom /proc/$p/comm; do\n\
                  p=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status)\ndone\n\
                  kill -INT $p\nsed -i s/-20/-21/ \"$1\"";
    let run = run(&home, "mine", script);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(read(&own), profile("mine", "agc.target_lufs = -21"));
}

#[test]
fn what_somebody_else_has_written_meanwhile_is_not_overwritten() {
    let home = Home::new();
    let own = home.write_own("mine", "agc.target_lufs = -20");
    let other = home.write("other", &profile("mine", "agc.target_lufs = -30"));
    let script = format!("cp {other:?} {own:?}; sed -i s/-20/-21/ \"$1\"");
    let refused = run(&home, "mine", &script);
    refused.refused(1, &["has been changed by somebody else meanwhile"]);
    assert_eq!(read(&own), read(&other));
    assert!(read(&draft(&home, &refused)).contains("-21"));
    // Nor is one that was not there before.
    let other = home.write("other", &profile("night", ""));
    let own = home.own("night");
    let script = format!("cp {other:?} {own:?}; echo >> \"$1\"");
    run(&home, "night", &script).refused(1, &["has been changed by somebody else"]);
    assert_eq!(read(&own), read(&other));
    // At a terminal one can say so.
    let script = format!("sed -i s/-30/-31/ {:?}; sed -i s/-30/-22/ \"$1\"", home.own("mine"));
    let said = on_terminal(edit(&home, "mine", &script), &[("with yours? [y/N] ", "y\n")]);
    assert_eq!(said.code, Some(0), "{said}");
    assert!(read(&home.own("mine")).contains("-22"));
}

#[test]
fn the_editor_may_have_arguments_and_visual_comes_first() {
    let home = Home::new();
    home.write_own("mine", "agc.target_lufs = -20");
    let editor = home.editor("test \"$1\" = -w; test \"$2\" = 'a b'; sed -i s/-20/-21/ \"$3\"");
    let mut command = home.command(&["profile", "edit", "mine"]);
    command.env("VISUAL", format!("{editor} -w 'a b'")).env("EDITOR", "false");
    let run = Run::of(&mut command);
    assert_eq!(run.code, Some(0), "{run}");
    let mut command = home.command(&["profile", "edit", "mine"]);
    command.env("PATH", home.path("empty"));
    let run = Run::of(&mut command);
    run.refused(1, &["neither VISUAL nor EDITOR names an editor"]);
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_changed() {
    let home = Home::new();
    let own = home.write_own("mine", "agc.target_lufs = -20");
    let kept = home.path("dotfiles.toml");
    fs::rename(&own, &kept).unwrap();
    symlink(&kept, &own).unwrap();
    assert_eq!(run(&home, "mine", "sed -i s/-20/-21/ \"$1\"").code, Some(0));
    assert!(fs::symlink_metadata(&own).unwrap().is_symlink());
    assert_eq!(read(&kept), profile("mine", "agc.target_lufs = -21"));
}

#[test]
fn a_bad_file_can_be_opened_and_mended() {
    let home = Home::new();
    let own = home.write_own("mine", "agc.target_luf = -20");
    assert_eq!(run(&home, "mine", "sed -i s/luf/lufs/ \"$1\"").code, Some(0));
    assert_eq!(read(&own), profile("mine", "agc.target_lufs = -20"));
}

#[test]
fn warnings_are_said_and_the_change_is_made() {
    let home = Home::new();
    home.write_own("mine", "limiter.oversample = 8");
    let run = run(&home, "mine", "sed -i s/8/2/ \"$1\"");
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("warning: mine.toml:4:22: limiter.oversample is 2, read as 4"));
}

#[test]
fn a_profile_that_was_chosen_by_its_file_is_edited_there() {
    let home = Home::new();
    let own = home.write_own("mine", "agc.target_lufs = -30");
    let chosen = home.write("elsewhere/mine.toml", &profile("mine", "agc.target_lufs = -20"));
    let choose = |path: &PathBuf| {
        let text = format!("version = 1\nprofile = {path:?}\n# end\n");
        home.write("state/headroom/state.toml", &text);
    };
    choose(&chosen);
    let good = run(&home, "mine", "sed -i s/-20/-21/ \"$1\"");
    assert_eq!((good.code, good.stdout), (Some(0), format!("saved {}\n", chosen.display())));
    assert_eq!(read(&chosen), profile("mine", "agc.target_lufs = -21"));
    assert_eq!(read(&own), profile("mine", "agc.target_lufs = -30"));
    assert_eq!(home.names("elsewhere"), ["mine.toml"]);
    // What is kept is not to be imported, as that would not count.
    let bad = run(&home, "mine", "sed -i s/-21/low/ \"$1\"");
    bad.refused(1, &["mine.toml:4:19: "]);
    let kept = bad.stderr.rsplit_once("\nhint: what you wrote is kept in ").unwrap().1;
    assert!(read(&PathBuf::from(kept.trim_end())).contains("low"), "{bad}");
    // A file of the user's own folder is one like any other.
    choose(&own);
    let good = run(&home, "mine", "sed -i s/-30/-31/ \"$1\"");
    assert_eq!((good.code, good.stdout), (Some(0), format!("saved {}\n", own.display())));
}
