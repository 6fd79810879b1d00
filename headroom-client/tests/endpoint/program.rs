//! The example as it stands: one process is turned by others.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

fn example(path: &Path, word: Option<&str>) -> Command {
    // target/debug/deps/endpoint-... beside target/debug/examples/knob
    let this = std::env::current_exe().unwrap();
    let mut command = Command::new(this.ancestors().nth(2).unwrap().join("examples/knob"));
    command.arg(path).args(word).stdout(Stdio::piped());
    command
}

fn run(path: &Path, word: Option<&str>) -> String {
    let output = example(path, word).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_example_is_turned_and_stopped_from_outside() {
    let (_folder, path) = place();
    let mut knob = example(&path, None).spawn().unwrap();
    let mut lines = BufReader::new(knob.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), format!("listening at {}", path.display()));
    assert_eq!(run(&path, Some("3")), "the knob is at 3\n");
    assert_eq!(run(&path, Some("-1")), "the knob is at 2\n");
    assert_eq!(lines.by_ref().take(2).collect::<Vec<_>>(), ["turned to 3", "turned to 2"]);
    let second = run(&path, None);
    assert!(second.ends_with("knob.sock already: turn that one\n"), "{second}");
    assert_eq!(run(&path, Some("stop")), "the knob is at 2\n");
    assert!(knob.wait().unwrap().success());
    assert!(!path.exists());

    // One that was killed leaves its name to the next.
    let mut killed = example(&path, None).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(killed.stdout.take().unwrap()).read_line(&mut first).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(path.exists());
    let endpoint = bind(&path);
    assert_eq!(endpoint.path(), path);
}
