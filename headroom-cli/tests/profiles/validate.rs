//! validate: what is wrong, where, and what would be right.

use std::io::Write;
use std::process::Stdio;

use crate::harness::Run;
use crate::home::{Home, profile};

fn validate(home: &Home, lines: &str) -> Run {
    home.write("p.toml", &profile("p", lines));
    home.run(&["profile", "validate", "p.toml"])
}

#[test]
fn a_good_file_is_said_to_be_valid() {
    let home = Home::new();
    let run = validate(&home, "[agc]\ntarget_lufs = -20");
    assert_eq!((run.code, &run.stdout[..], &run.stderr[..]), (Some(0), "p.toml: valid\n", ""));
}

#[test]
fn a_profile_can_be_named_too() {
    let home = Home::new();
    let path = home.write_own("mine", "agc = 3");
    home.run(&["profile", "validate", "mine"])
        .refused(1, &[&format!("{}:4:7: agc is 3", path.display())]);
    home.run(&["profile", "validate", "night"]).refused(1, &["night is part of Headroom"]);
    home.run(&["profile", "validate", "nihgt"]).refused(1, &["did you mean \"night\"?"]);
    // A file of that name comes first.
    home.write("night", &profile("night", ""));
    assert_eq!(home.run(&["profile", "validate", "night"]).stdout, "night: valid\n");
}

#[test]
fn an_error_has_file_line_column_the_text_what_is_allowed_and_the_nearest_key() {
    let home = Home::new();
    for (lines, said) in [
        (
            "[agc]\ntarget_luf = -20",
            &["p.toml:5:1: ", "`agc.target_luf`", "did you mean `target_lufs`?", "hold_ms"][..],
        ),
        (
            "[compressor]\n  detector = \"rns\"",
            &["p.toml:5:14: ", "\"rns\"", "one of \"peak\", \"rms\"", "did you mean `rms`?"],
        ),
        ("[agc\n", &["p.toml:4:5: ", "not valid TOML"]),
        (
            "[agc]\ntarget_lufs = -10\n[limiter]\nceiling_dbtp = -9",
            &["p.toml:5:15: ", "at least 3 below the ceiling"],
        ),
    ] {
        let run = validate(&home, lines);
        run.refused(1, said);
    }
    home.write("q.toml", &profile("p", ""));
    let run = home.run(&["profile", "validate", "q.toml"]);
    run.refused(1, &["q.toml:2:8: name is \"p\", but must be \"q\""]);
}

#[test]
fn warnings_are_shown_and_are_no_error() {
    let home = Home::new();
    let run = validate(&home, "[limiter]\noversample = 2\nceiling_dbtp = 3");
    assert_eq!((run.code, &run.stdout[..]), (Some(0), "p.toml: valid, with 2 warnings\n"), "{run}");
    let lines: Vec<&str> = run.stderr.lines().collect();
    let [oversample, ceiling] = lines[..] else { panic!("{run}") };
    assert!(
        oversample
            .starts_with("headroom: warning: p.toml:5:14: limiter.oversample is 2, read as 4")
    );
    assert!(ceiling.contains("p.toml:6:16: limiter.ceiling_dbtp is 3, read as 0"), "{run}");
}

#[test]
fn several_files_are_judged_one_by_one_and_one_bad_one_is_told_by_the_exit_code() {
    let home = Home::new();
    home.write("a.toml", &profile("a", ""));
    home.write("b.toml", &profile("b", "x = 1"));
    home.write("c.toml", &profile("c", ""));
    let run = home.run(&["profile", "validate", "a.toml", "b.toml", "gone.toml", "c.toml"]);
    assert_eq!((run.code, &run.stdout[..]), (Some(1), "a.toml: valid\nc.toml: valid\n"), "{run}");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(lines[0].starts_with("headroom: b.toml:4:1: unknown key `x`"), "{run}");
    assert!(lines[1].starts_with("headroom: reading profile gone.toml: No such file"), "{run}");
}

#[test]
fn what_comes_in_by_a_pipe_is_judged_too() {
    let home = Home::new();
    for (text, code, stdout, stderr) in [
        (profile("whatever", ""), Some(0), "<stdin>: valid\n", ""),
        (profile("whatever", "agc = 1"), Some(1), "", "headroom: <stdin>:4:7: agc is 1"),
        ("description = \"d\"".to_owned(), Some(1), "", "headroom: <stdin>:1:1: name is missing"),
    ] {
        let mut command = home.command(&["profile", "validate", "-"]);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let run = Run::from_output(&command, child.wait_with_output().unwrap());
        assert_eq!((run.code, &run.stdout[..]), (code, stdout), "{run}");
        assert!(run.stderr.starts_with(stderr), "{run}");
    }
}

#[test]
fn as_json_it_is_a_list_with_the_places() {
    let home = Home::new();
    home.write("a.toml", &profile("a", "[limiter]\noversample = 2"));
    home.write("b.toml", &profile("b", "agc = 1"));
    let run = home.run(&["profile", "validate", "--json", "a.toml", "b.toml", "gone.toml"]);
    assert_eq!((run.code, &run.stderr[..]), (Some(1), ""), "{run}");
    let printed: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed[0]["valid"], true);
    assert_eq!(printed[0]["name"], "a");
    assert_eq!(printed[0]["warnings"][0]["line"], 5);
    assert_eq!(printed[0]["warnings"][0]["key"], "limiter.oversample");
    assert_eq!(printed[1]["valid"], false);
    assert_eq!(
        (&printed[1]["fault"]["line"], &printed[1]["fault"]["column"]),
        (&4.into(), &7.into())
    );
    assert!(printed[2]["fault"]["message"].as_str().unwrap().contains("No such file"));
}
